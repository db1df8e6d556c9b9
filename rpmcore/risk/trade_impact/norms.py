"""Volatility at the worst outcome of the working orders."""

from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Self

import numpy as np

from rpmcore.risk.incremental import BookVariance
from rpmcore.risk.trade_impact.volatility import OneAsset
from rpmcore.risk.trade_impact.working import Shift, WorkingOrders, ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The variance of a book whose weights have changed by `shift`, and its Σ|w_i|σ_i."""

    shift: Shift
    variance: float
    gross: float

    def one_asset(self, book: BookVariance, asset: int, column: list[float], stress: float) -> OneAsset:
        """Return what the volatility needs to know of one asset; `column` is its column of the covariance."""
        weight, product = book.weights[asset], book.products[asset]
        for other, change in self.shift:
            product += change * column[other]
            if other == asset:
                weight += change
        return OneAsset(
            weight=weight,
            variance=self.variance,
            product=product,
            own=book.variances[asset],
            gross=self.gross,
            stress=stress,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstNorm:
    """σ* (see `rpmcore.risk.trade_impact.volatility`) at the worst outcome of the working orders, per period.

    A norm is convex: over the intervals of the orders it is largest where each is at an end. Where these outcomes are
    too many to be looked at, σ*(w + Σ t_j e_j) ≤ σ*(w + centre) + Σ_j half_j σ_j, by the triangle inequality.

    Attributes
    ----------
    outcomes
        Where each symbol is at an end of its interval, or the centre alone.
    beyond
        Σ_j half_j σ_j, 0 where the outcomes are all there are.
    stress
        θ.
    now
        The measure without a trade.
    text
        How working orders were counted, in words.
    """

    outcomes: tuple[Outcome, ...]
    beyond: float
    stress: float
    now: float
    text: str

    @classmethod
    def of(cls, book: BookVariance, working: WorkingOrders, stress: float) -> Self:
        """Return the norm of a book under its own covariance."""
        shifts, beyond, text = working.corners, 0.0, ""
        if not shifts:
            intervals = [(asset, *ends(weights)) for asset, weights in working.orders]
            shifts = (tuple((asset, 0.5 * (down + up)) for asset, down, up in intervals),)
            beyond = fsum(0.5 * (up - down) * sqrt(book.variances[asset]) for asset, down, up in intervals)
            text = f", bound over working orders in {len(intervals)} symbols"
        elif len(shifts) > 1:
            text = f", worst of {len(shifts)} outcomes of working orders"
        gross = fsum(abs(w) * sqrt(v) for w, v in zip(book.weights, book.variances, strict=True))
        outcomes = tuple(_outcome(book, shift, gross) for shift in shifts)
        return cls(outcomes=outcomes, beyond=beyond, stress=stress, now=_now(outcomes, stress) + beyond, text=text)

    def under(self, stress: float) -> Self:
        """Return the norm of the same book under another stress of correlations."""
        return replace(self, stress=stress, now=_now(self.outcomes, stress) + self.beyond)

    def of_asset(self, book: BookVariance, asset: int) -> tuple[OneAsset, ...]:
        """Return every outcome as one asset sees it; `book` is the one that this was made of."""
        column = book.covariance[asset].tolist() if self.outcomes[0].shift or len(self.outcomes) > 1 else []
        return tuple(outcome.one_asset(book, asset, column, self.stress) for outcome in self.outcomes)

    def after(self, seen: tuple[OneAsset, ...], change: float) -> float:
        """Return the measure after `change`, `seen` from `of_asset`."""
        return max(one.after(change) for one in seen) + self.beyond

    def largest(self, seen: tuple[OneAsset, ...], side: float, target: float, smallest: float) -> float:
        """Return the largest size at which the measure does not exceed `target`.

        Each outcome passes on an interval that holds the smallest size; all pass up to the lowest of their tops.
        """
        return min(one.largest(side, target - self.beyond, smallest) for one in seen)


def _now(outcomes: tuple[Outcome, ...], stress: float) -> float:
    return max(sqrt((1.0 - stress) * max(one.variance, 0.0) + stress * one.gross * one.gross) for one in outcomes)


def _outcome(book: BookVariance, shift: Shift, gross: float) -> Outcome:
    variance = book.variance
    if shift:
        assets, changes = np.array([asset for asset, _ in shift]), np.array([change for _, change in shift])
        # Neither BLAS nor a fixed loop: NumPy's sum has one order for one size, whatever the threads.
        rows = assets[:, np.newaxis]
        variance += float((book.covariance[rows, assets] * (changes[:, np.newaxis] * changes)).sum())
    for asset, change in shift:
        variance += 2.0 * change * book.products[asset]
        held = book.weights[asset]
        gross += (abs(held + change) - abs(held)) * sqrt(book.variances[asset])
    return Outcome(shift=shift, variance=variance, gross=gross)
