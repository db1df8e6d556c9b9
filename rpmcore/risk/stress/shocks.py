"""How the market shock of a scenario reaches each instrument, and what that does to a holding of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rpmcore.domain.crises import Crisis, Gap
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.currencies import Leg

Propagation = Literal["beta", "uniform", "adverse"]

LOWEST_RATE_MOVE = -0.99
"""No exchange rate falls further, as on a path: one of zero has no inverse to convert with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """What happens to one holding.

    Attributes
    ----------
    price_move
        Relative change of the instrument's price in its own currency.
    holding_return
        Relative change of the holding's account-currency value after full revaluation.
    origin
        ``beta``, ``uniform``, ``adverse``, ``adverse (no beta)`` or ``gap``.
    """

    price_move: float
    holding_return: float
    origin: str


def shock_holding(
    holding: Holding,
    net_weight: float,
    instrument: Instrument,
    way: Sequence[Leg],
    crisis: Crisis,
    *,
    propagation: Propagation,
    betas: Mapping[str, float | None],
    gapped: bool,
) -> Shock:
    """Return the shock to one holding.

    Parameters
    ----------
    holding, net_weight, instrument, way
        The book row, the signed weight of its instrument over all rows (one price cannot fall for one strategy and rise
        for another), the instrument and the conversion of its price into account currency.
    crisis
        Gives the market shock and the gap.
    propagation
        ``beta``: market shock × beta. ``uniform``: the market shock. ``adverse``: the size of the market shock against
        the sign of the position. An instrument without a beta is shocked adversely under ``beta``: a missing number has
        no harmless default. No price falls by more than all of itself, and no rate by more than `LOWEST_RATE_MOVE`.
    betas
        Market beta by symbol, for the currency pairs on the way.
    gapped
        Whether the gap of the crisis hits this holding; it is a floor on the adverse move.
    """
    side = 1.0 if net_weight >= 0.0 else -1.0
    against = -side * abs(crisis.market_shock)
    origin: str = propagation
    if propagation == "uniform":
        move = crisis.market_shock
    elif propagation == "beta" and instrument.beta is not None:
        move = crisis.market_shock * instrument.beta
    else:
        move = against
        origin = "adverse" if propagation == "adverse" else "adverse (no beta)"
    if gapped and crisis.gap is not None and -side * move < crisis.gap.size:
        move, origin = -side * crisis.gap.size, "gap"
    move = max(move, -1.0 if instrument.base_currency is None else LOWEST_RATE_MOVE)
    moves = (
        {leg.symbol: max(crisis.market_shock * (betas.get(leg.symbol) or 0.0), LOWEST_RATE_MOVE) for leg in way}
        if propagation == "beta"
        else {}
    )
    return Shock(
        price_move=move,
        holding_return=revalued(move, instrument, way, {**moves, holding.symbol: move}),
        origin=origin,
    )


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
