"""How the market shock of a scenario reaches each instrument, and what that does to a holding of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from rpmcore.domain.crises import Crisis, Gap
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.currencies import Leg

Propagation = Literal["beta", "uniform", "adverse"]

LOWEST_RATE_MOVE = -0.99
"""No exchange rate falls further, as on a path: one of zero has no inverse to convert with."""


def price_move(
    net_weight: float, instrument: Instrument, crisis: Crisis, *, propagation: Propagation, gapped: bool
) -> tuple[float, str]:
    """Return the relative change of an instrument's price in its own currency, and where it is from.

    That is ``beta``, ``uniform``, ``adverse``, ``adverse (no beta)`` or ``gap``.

    Parameters
    ----------
    net_weight
        Signed weight of the instrument over all rows: one price cannot fall for one strategy and rise for another.
    instrument, crisis
        The crisis gives the market shock and the gap.
    propagation
        ``beta``: market shock × beta. ``uniform``: the market shock. ``adverse``: the size of the market shock against
        the sign of the position. An instrument without a beta is shocked adversely under ``beta``: a missing number has
        no harmless default. No price falls by more than all of itself, and no rate by more than `LOWEST_RATE_MOVE`.
    gapped
        Whether the gap of the crisis hits this instrument; it is a floor on the adverse move.
    """
    side = 1.0 if net_weight >= 0.0 else -1.0
    origin: str = propagation
    if propagation == "uniform":
        move = crisis.market_shock
    elif propagation == "beta" and instrument.beta is not None:
        move = crisis.market_shock * instrument.beta
    else:
        move = -side * abs(crisis.market_shock)
        origin = "adverse" if propagation == "adverse" else "adverse (no beta)"
    if gapped and crisis.gap is not None and -side * move < crisis.gap.size:
        move, origin = -side * crisis.gap.size, "gap"
    return max(move, -1.0 if instrument.base_currency is None else LOWEST_RATE_MOVE), origin


def rate_moves(
    pairs: Iterable[str], crisis: Crisis, *, propagation: Propagation, betas: Mapping[str, float | None]
) -> dict[str, float]:
    """Return the moves of rates that only convert: market shock × beta under ``beta``, else none.

    Parameters
    ----------
    pairs
        Their symbols.
    betas
        Market beta by symbol; a rate without one stays put.
    """
    if propagation != "beta":
        return dict.fromkeys(pairs, 0.0)
    return {pair: max(crisis.market_shock * (betas.get(pair) or 0.0), LOWEST_RATE_MOVE) for pair in pairs}


def revalued(move: float, instrument: Instrument, way: Sequence[Leg], moves: Mapping[str, float]) -> float:
    """Return the holding's return when its price moves by `move` and the rates on its way by `moves`.

    Full revaluation: a long 100,000 USDJPY in a USD account loses 11,111 USD when the rate falls by 10 %, because the
    loss in yen is converted at the new rate. Pairs without a move keep their rate.
    """
    rate_change = 1.0
    for leg in way:
        factor = 1.0 + moves.get(leg.symbol, 0.0)
        rate_change = rate_change / factor if leg.divide else rate_change * factor
    if instrument.base_currency is not None:
        return move * rate_change
    return (1.0 + move) * rate_change - 1.0


def gap_victims(
    gap: Gap | None,
    holdings: Sequence[Holding],
    weights: Sequence[float],
    instruments: Mapping[str, Instrument],
) -> frozenset[str]:
    """Return the symbols that the gap of a crisis hits in this book.

    ``equities`` names shares and indices, ``largest_equity`` the share with the largest absolute weight over all
    strategies, and ``currency:GBP`` every instrument with a leg in that currency.
    """
    if gap is None:
        return frozenset()
    if gap.victims == "equities":
        return frozenset(s for s, i in instruments.items() if i.kind in ("equity", "index"))
    if gap.victims == "largest_equity":
        sizes: dict[str, float] = {}
        for holding, weight in zip(holdings, weights, strict=True):
            if instruments[holding.symbol].kind == "equity":
                sizes[holding.symbol] = sizes.get(holding.symbol, 0.0) + weight
        return frozenset([max(sizes, key=lambda s: abs(sizes[s]))] if sizes else [])
    code = gap.victims.removeprefix("currency:")
    return frozenset(s for s, i in instruments.items() if code in (i.currency, i.base_currency))
