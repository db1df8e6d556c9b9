"""The account as checks measure it: weights, exposures and risk, with what is working at its worst."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from rpmcore.controls.command_time import DAY
from rpmcore.decision.exposures import Exposures
from rpmcore.domain.errors import RpmError
from rpmcore.risk.trade_impact.worst_case import WorstCase

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookView:
    """The account at one moment. Made by `BookView.of`; always from scratch, so that a restart measures the same.

    Attributes
    ----------
    exposures
        None where a value is not known.
    worst_case
        Risk under the regime's correlation stress; None where it cannot be measured, for `no_risk`.
    no_risk
        Why not; empty where it can.
    since, until
        When it was measured, and when the first of the approvals expires that count as working; None for none.
    """

    exposures: Exposures | None
    worst_case: WorstCase | None
    no_risk: str
    since: int
    until: int | None

    def holds(self, at: int) -> bool:
        """Return whether it is still true at a time: the same day, and no approval has expired since."""
        return self.since <= at and at // DAY == self.since // DAY and (self.until is None or at < self.until)

    @classmethod
    def of(cls, engine: "DecisionEngine", at: int) -> Self:
        """Return the account of an engine."""
        account, market, equity = engine.account, engine.market, engine.account.equity
        working = list(account.working(at))
        until = min((o.lapses_at for o in working if o.lapses_at is not None), default=None)
        moving: dict[str, list[float]] = {}
        for order in working:
            moving.setdefault(order.symbol, []).append(order.sign * float(order.open_quantity))
        # By name, so that neither a text nor a sum depends on what was bought first.
        values = {symbol: market.unit_value(symbol) for symbol in sorted({*account.net, *moving})}
        missing = [symbol for symbol, value in values.items() if value is None]
        if missing or equity <= 0.0:
            why = f"no price or rate of {', '.join(missing)}, which is held" if missing else "no equity is left"
            return cls.unknown(why, at, until)
        unit = {symbol: (value or 0.0) / equity for symbol, value in values.items()}
        held = {symbol: float(quantity) * unit[symbol] for symbol, quantity in account.net.items()}
        orders = {symbol: [w * unit[symbol] for w in weights] for symbol, weights in moving.items()}
        case, why = _worst_case(engine, held, orders, at)
        return cls(
            exposures=_exposures(engine, held, orders), worst_case=case, no_risk=why,
            since=at, until=until,
        )  # fmt: skip

    @classmethod
    def unknown(cls, why: str, at: int, until: int | None = None) -> Self:
        """Return the view of a book that cannot be measured: it lets only what reduces pass."""
        return cls(exposures=None, worst_case=None, no_risk=why, since=at, until=until)


def _exposures(engine: "DecisionEngine", held: dict[str, float], orders: dict[str, list[float]]) -> Exposures:
    place = engine.exposure_map.place
    lowest = np.zeros(len(place))
    for symbol, weight in held.items():
        lowest[place[symbol]] = weight
    highest = lowest.copy()
    for symbol, weights in orders.items():
        lowest[place[symbol]] += sum(w for w in weights if w < 0.0)
        highest[place[symbol]] += sum(w for w in weights if w > 0.0)
    return Exposures(engine.exposure_map, lowest, highest)


def _worst_case(
    engine: "DecisionEngine", held: dict[str, float], orders: dict[str, list[float]], at: int
) -> tuple[WorstCase | None, str]:
    model = engine.market.model
    if model is None:
        return None, engine.market.model_reason
    unknown = [symbol for symbol in sorted({*held, *orders}) if symbol not in model.index]
    if unknown:
        return None, f"too little history of {', '.join(unknown)}, which is held or on its way"
    weights = np.zeros(len(model.index))
    for symbol, weight in held.items():
        weights[model.index[symbol]] = weight
    try:
        empty = engine.market.empty_book(engine.limits(at).correlation_stress)
        return empty.anew(weights, {model.index[symbol]: sizes for symbol, sizes in orders.items()}), ""
    except RpmError as error:
        return None, str(error)
