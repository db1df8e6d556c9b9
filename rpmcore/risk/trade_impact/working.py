"""What working orders, approved and not yet filled, may still make of a book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import fsum, isfinite, prod
from typing import Self

from rpmcore.domain.errors import InvalidArgument

MOST_BOOKS = 16
"""Up to so many outcomes are looked at one by one: four symbols with a working order each."""

Shift = tuple[tuple[int, float], ...]
"""Changes of weights by asset, of one outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrders:
    """The working orders of a book by asset, and the outcomes that they can have.

    Each order fills wholly or not at all. Made by `WorkingOrders.of`.

    Attributes
    ----------
    orders
        By asset in ascending order: signed weights of its orders, none of them zero.
    outcomes
        Every outcome, where they are no more than `MOST_BOOKS`; else empty. Without orders, the book as it is.
    corners
        The outcomes in which each symbol is at an end of its interval [−sells, +buys], where they are no more than
        `MOST_BOOKS`; else empty. A convex measure is at its largest in one of them.
    """

    orders: tuple[tuple[int, tuple[float, ...]], ...]
    outcomes: tuple[Shift, ...]
    corners: tuple[Shift, ...]

    @classmethod
    def of(cls, orders: Mapping[int, Sequence[float]], n_assets: int) -> Self:
        """Return the outcomes of signed order weights by asset.

        Raises
        ------
        InvalidArgument
            If there is no such asset, or a weight is not finite.
        """
        kept = []
        for asset in sorted(orders):
            if not 0 <= asset < n_assets:
                raise InvalidArgument(f"a working order's asset must lie in 0 … {n_assets - 1}, but is {asset!r}")
            weights = tuple(float(w) for w in orders[asset] if w != 0.0)
            if not all(map(isfinite, weights)):
                raise InvalidArgument(f"working orders must have finite weights, but asset {asset} has {weights!r}")
            if weights:
                kept.append((asset, weights))
        return cls(
            orders=tuple(kept),
            outcomes=_combined([(asset, _sums(weights)) for asset, weights in kept]),
            corners=_combined([(asset, ends(weights)) for asset, weights in kept]),
        )


def ends(weights: Sequence[float]) -> tuple[float, float]:
    """Return (−sells, +buys): how far a symbol's orders can move its weight."""
    return fsum(w for w in weights if w < 0.0), fsum(w for w in weights if w > 0.0)


def _sums(weights: Sequence[float]) -> tuple[float, ...]:
    """Return what can be filled of a symbol's orders, each once; more than `MOST_BOOKS` are not counted out."""
    found = {0.0}
    for weight in weights:
        found |= {total + weight for total in found}
        if len(found) > MOST_BOOKS:
            break
    return tuple(sorted(found))


def _combined(choices: Sequence[tuple[int, Sequence[float]]]) -> tuple[Shift, ...]:
    """Return every combination of one change for each asset, none if they are too many."""
    if prod(len(set(changes)) for _, changes in choices) > MOST_BOOKS:
        return ()
    assets = [asset for asset, _ in choices]
    return tuple(
        tuple((asset, change) for asset, change in zip(assets, found, strict=True) if change != 0.0)
        for found in product(*(sorted(set(changes)) for _, changes in choices))
    )
