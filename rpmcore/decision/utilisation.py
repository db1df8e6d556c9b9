"""How much of each limit the book uses now, with working orders at their worst."""

from math import isfinite
from typing import TYPE_CHECKING

from rpmcore.decision.exposures import ExposureMeasure, Exposures

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def limit_utilisation(engine: "DecisionEngine") -> dict[str, float | None]:
    """Return measure / limit by the name of the check, at the time of the last command.

    1 is the limit. Of limits that hold one sector, currency or share each, the most used counts. None where the measure
    is not known: then nothing that adds to it passes. A limit that is not set is left out.
    """
    at = engine.last_at
    view, limits, adaptive = engine.view(at), engine.settings.limits, engine.limits(at)
    optional = ("single_name", "sector", "beta", "factor_exposure", "currency")
    names = ["gross_exposure", "net_exposure", "leverage", *(n for n in optional if getattr(limits, n) is not None)]
    found: dict[str, float | None] = dict.fromkeys(names, None if view.exposures is None else 0.0)
    if view.exposures is not None:
        for symbol in _symbols(engine, at):
            for measure in _measures(engine, view.exposures, symbol, adaptive.gross_exposure, adaptive.leverage):
                found[measure.name] = _larger(found[measure.name], _used(measure))
    tail = ("value_at_risk", "expected_shortfall", "volatility")
    if view.worst_case is None:
        return {**found, **dict.fromkeys(tail)}
    for name, impact in zip(tail, view.worst_case.impacts(0, 1.0, 0.0), strict=True):
        found[name] = _finite(None if impact.now is None else impact.now / impact.limit)
    return found


def _symbols(engine: "DecisionEngine", at: int) -> list[str]:
    return sorted({*engine.account.net, *(order.symbol for order in engine.account.working(at))})


def _measures(
    engine: "DecisionEngine", exposures: Exposures, symbol: str, gross: float, leverage: float
) -> list[ExposureMeasure]:
    limits = engine.settings.limits
    found = [
        exposures.gross(symbol, "gross_exposure", "", gross), exposures.gross(symbol, "leverage", "", leverage),
        exposures.net(symbol, engine.settings.gate.net_exposure),
    ]  # fmt: skip
    if limits.single_name is not None and engine.market.instruments[symbol].kind == "equity":
        found.append(exposures.single_name(symbol, limits.single_name))
    if limits.sector is not None:
        found += exposures.sectors(symbol, limits.sector)
    if limits.currency is not None:
        found += exposures.currencies(symbol, limits.currency)
    if limits.beta is not None:
        found.append(exposures.beta(symbol, limits.beta))
    if limits.factor_exposure is not None:
        found.append(exposures.factor_exposure(symbol, limits.factor_exposure))
    return found


def _used(measure: ExposureMeasure) -> float | None:
    """Return Σ_k max |a_k| / limit, None where it is not known."""
    if measure.reason:
        return None
    ends = zip(measure.lowest, measure.highest, strict=True)
    return _finite(sum(max(abs(low), abs(high)) for low, high in ends) / measure.limit)


def _larger(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
