"""Historical VaR and ES at the worst outcome of the working orders."""

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.kernels import trade_tail as kernels
from rpmcore.risk.trade_impact.rules import HistoricalRule
from rpmcore.risk.trade_impact.working import Shift, WorkingOrders, ends

Pair = tuple[float, float]
"""Of VaR and ES, for one day."""

NOT_BOUNDED = "the upper end of the expected shortfall has no bound over so many outcomes of working orders"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorstTail:
    """VaR and ES of past P&L, each at the worst outcome of the working orders.

    Up to `MOST_BOOKS` outcomes are looked at one by one. ES is convex (Acerbi and Tasche 2002): the outcomes with every
    symbol at an end of its interval suffice for it. Where there are too many, every day is taken at its worst: to its
    P&L comes Σ_j min(−sells_j r_j, buys_j r_j), so that no loss of any outcome is larger than the loss of the same day
    there. VaR and ES, which never fall when losses rise, are then never too low.

    Attributes
    ----------
    rule
        How the measures are read from sorted losses.
    books, var_from, es_to
        (n_books, n_obs) P&L of each outcome: VaR is taken over rows from `var_from` on, ES over those before `es_to`.
    now
        Without a trade; NaN where undefined.
    reasons
        Why the measures are undefined, or None.
    texts
        How they were measured.
    """

    rule: HistoricalRule
    books: Matrix
    var_from: int
    es_to: int
    now: Pair
    reasons: tuple[str | None, str | None]
    texts: tuple[str, str]

    @classmethod
    def of(cls, rule: HistoricalRule, pnl: Vector, by_asset: Matrix, working: WorkingOrders) -> Self:
        """Return the tail of a book with P&L `pnl` (n_obs,) without its orders, `by_asset` (n_assets, n_obs)."""
        if working.outcomes:
            books = _outcomes(pnl, by_asset, working.outcomes)
            var_from, es_to = 0, len(books)
            counted = _one_by_one(len(books)), _one_by_one(len(books))
        else:
            told = f", every day at the worst of working orders in {len(working.orders)} symbols"
            corners = _outcomes(pnl, by_asset, working.corners)
            books = np.vstack([corners, _worst_days(pnl, by_asset, working)])
            var_from, es_to = len(corners), len(corners) or 1
            counted = told, _one_by_one(es_to) if working.corners else told
        found = kernels.worst_figures(books, var_from, es_to, rule.k, rule.place, rule.harsher, rule.width)
        no_shortfall = rule.expected_shortfall_reason
        if rule.width > 0.0 and not working.outcomes:
            no_shortfall = no_shortfall or NOT_BOUNDED
        reasons = rule.value_at_risk_reason, no_shortfall
        return cls(
            rule=rule,
            books=books,
            var_from=var_from,
            es_to=es_to,
            now=(
                nan if reasons[0] is not None else found[0] * rule.scale,
                nan if reasons[1] is not None else found[1] * rule.scale,
            ),
            reasons=reasons,
            texts=(rule.text + counted[0], rule.text + counted[1]),
        )

    def after_and_largest(
        self, asset: Vector, side: float, size: float, smallest: float, targets: Pair
    ) -> tuple[Pair, Pair]:
        """Return both measures after a trade, and the largest sizes at which they do not exceed `targets`.

        Parameters
        ----------
        asset
            (n_obs,) returns of the traded asset.
        side, size, smallest
            As in `WorstCase.impacts`.
        targets
            NaN lets nothing pass.
        """
        rule = self.rule
        var, shortfall, var_largest, es_largest = kernels.after_and_largest(
            self.books, self.var_from, self.es_to, asset, float(side), float(size), float(smallest),
            rule.k, rule.place, rule.harsher, rule.width, targets[0] / rule.scale, targets[1] / rule.scale,
        )  # fmt: skip
        return (var * rule.scale, shortfall * rule.scale), (var_largest, es_largest)


def book_pnl(weights: Vector, by_asset: Matrix) -> Vector:
    """Return the P&L (n_obs,) of `weights` (n_assets,), summed in the order of the assets."""
    pnl = np.empty(by_asset.shape[1])
    kernels.book_returns(weights, by_asset, pnl)
    return pnl


def _one_by_one(count: int) -> str:
    return f", worst of {count} outcomes of working orders" if count > 1 else ""


def _outcomes(pnl: Vector, by_asset: Matrix, shifts: tuple[Shift, ...]) -> Matrix:
    books = np.empty((len(shifts), pnl.shape[0]))
    for book, shift in zip(books, shifts, strict=True):
        book[:] = pnl
        for asset, change in shift:
            kernels.add(book, by_asset[asset], change, book)
    return books


def _worst_days(pnl: Vector, by_asset: Matrix, working: WorkingOrders) -> Vector:
    worst = pnl.copy()
    for asset, weights in working.orders:
        kernels.add_worst(worst, by_asset[asset], *ends(weights), worst)
    return worst
