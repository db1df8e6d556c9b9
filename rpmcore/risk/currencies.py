"""Rates between currencies from whatever pairs are at hand."""

from collections import deque
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from rpmcore.domain.arrays import Vector


class Leg(NamedTuple):
    """One step of a conversion: multiply by the price of `symbol`, or divide by it."""

    symbol: str
    divide: bool


def conversion(currency: str, account: str, pairs: Mapping[str, tuple[str, str]]) -> tuple[Leg, ...] | None:
    """Return the shortest way from `currency` to `account`, or None where there is none.

    Parameters
    ----------
    currency, account
        ISO codes. The same code needs no leg.
    pairs
        Symbol to (base, quote): one BASE costs price QUOTE. Among ways of one length the first symbols win, in the
        order given, so that the same file always gives the same rate.
    """
    if currency == account:
        return ()
    steps: dict[str, list[tuple[str, Leg]]] = {}
    for symbol, (base, quote) in pairs.items():
        steps.setdefault(base, []).append((quote, Leg(symbol, divide=False)))
        steps.setdefault(quote, []).append((base, Leg(symbol, divide=True)))
    ways: dict[str, tuple[Leg, ...]] = {currency: ()}
    queue = deque([currency])
    while queue:
        here = queue.popleft()
        for there, leg in steps.get(here, ()):
            if there not in ways:
                ways[there] = (*ways[here], leg)
                if there == account:
                    return ways[there]
                queue.append(there)
    return None


def rate(legs: Collection[Leg], closes: Mapping[str, Vector], n_rows: int) -> Vector:
    """Return the price of one unit of the currency in the account's, (n_rows,), along the legs of `conversion`."""
    total = np.ones(n_rows)
    for leg in legs:
        total = total / closes[leg.symbol] if leg.divide else total * closes[leg.symbol]
    return total
