"""What the whole book may come to: exposures, and risk, with all working orders at their worst."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

from rpmcore.decision.checks.inquiry import Inquiry, of_impact, opening, skipped
from rpmcore.decision.exposures import ExposureMeasure, Exposures
from rpmcore.domain.decisions import CheckResult
from rpmcore.risk.limits import exceeds
from rpmcore.risk.trade_impact.impact import TradeImpact
from rpmcore.risk.trade_impact.linear import linear_impact

NO_VALUE = "the value is not known"


def exposure_growth(asked: Inquiry) -> CheckResult:
    """Gross exposure grows no faster than the kill switch allows."""
    if asked.unit_value is None or asked.equity <= 0.0:
        return skipped("exposure_growth", NO_VALUE)
    value = asked.opening * asked.unit_value
    allowed = inf if value <= asked.headroom else asked.headroom / asked.unit_value
    return opening(asked, "exposure_growth", allowed, "growth of gross exposure, of what may still be approved",
                   observed=value, limit=asked.headroom or None)  # fmt: skip


def gross_exposure(asked: Inquiry) -> CheckResult:
    """Σ |market value|."""
    name, limit = "gross_exposure", asked.limits.gross_exposure
    return _worst(asked, name, lambda e, symbol: [e.gross(symbol, name, "Σ |market value| / equity", limit)])


def net_exposure(asked: Inquiry) -> CheckResult:
    """|Σ market value|."""
    return _worst(asked, "net_exposure", lambda e, symbol: [e.net(symbol, asked.gate.net_exposure)])


def leverage(asked: Inquiry) -> CheckResult:
    """Gross exposure over equity."""
    name, limit = "leverage", asked.limits.leverage
    return _worst(asked, name, lambda e, symbol: [e.gross(symbol, name, "gross exposure / equity", limit)])


def single_name(asked: Inquiry) -> CheckResult:
    """The position in one share."""
    limit, name = asked.risk.limits.single_name, "single_name"
    if asked.instrument is not None and asked.instrument.kind != "equity":
        return skipped(name, "no share")
    if limit is None:
        return skipped(name, "no limit is set")
    return _worst(asked, name, lambda exposures, symbol: [exposures.single_name(symbol, limit)])


def sector(asked: Inquiry) -> CheckResult:
    """The net exposure to one sector."""
    limit = asked.risk.limits.sector
    if limit is None:
        return skipped("sector", "no limit is set")
    return _worst(asked, "sector", lambda exposures, symbol: exposures.sectors(symbol, limit))


def currency(asked: Inquiry) -> CheckResult:
    """The net exposure to one currency."""
    limit = asked.risk.limits.currency
    if limit is None:
        return skipped("currency", "no limit is set")
    return _worst(asked, "currency", lambda exposures, symbol: exposures.currencies(symbol, limit))


def beta(asked: Inquiry) -> CheckResult:
    """The market beta of the book."""
    limit = asked.risk.limits.beta
    if limit is None:
        return skipped("beta", "no limit is set")
    return _worst(asked, "beta", lambda exposures, symbol: [exposures.beta(symbol, limit)])


def factor_exposure(asked: Inquiry) -> CheckResult:
    """The sum of exposures to factors."""
    limit = asked.risk.limits.factor_exposure
    if limit is None:
        return skipped("factor_exposure", "no limit is set")
    return _worst(asked, "factor_exposure", lambda exposures, symbol: [exposures.factor_exposure(symbol, limit)])


def volatility(asked: Inquiry) -> CheckResult:
    """Annual volatility under the regime's correlation stress."""
    return _of_risk(asked, "volatility", lambda size: asked.risk_impacts(size)[2])


def volatility_target(asked: Inquiry) -> CheckResult:
    """Annual volatility that the book is steered to: what adds beyond it is cut."""
    case, asset = asked.worst_case, asked.asset

    def impact(size: float) -> TradeImpact:
        assert case is not None  # noqa: S101 - of_risk has seen that the risk is known
        assert asset is not None  # noqa: S101
        return case.volatility_impact(
            asset, asked.sign, size, asked.smallest, limit=asked.risk.limits.target_volatility,
            text="what the book is steered to, per year",
        )  # fmt: skip

    return _of_risk(asked, "volatility_target", impact)


def value_at_risk(asked: Inquiry) -> CheckResult:
    """One-day value at risk by the binding measure."""
    return _of_risk(asked, "value_at_risk", lambda size: asked.risk_impacts(size)[0])


def expected_shortfall(asked: Inquiry) -> CheckResult:
    """One-day expected shortfall by the binding measure."""
    return _of_risk(asked, "expected_shortfall", lambda size: asked.risk_impacts(size)[1])


def _of_risk(asked: Inquiry, name: str, impact: Callable[[float], TradeImpact]) -> CheckResult:
    if asked.worst_case is None or asked.asset is None or asked.unit_value is None or asked.equity <= 0.0:
        return skipped(name, asked.no_risk or NO_VALUE)
    working = asked.worst_case.working
    # Without a list of outcomes the measure is a bound. Of VaR every outcome is needed, of convex measures the corners.
    bounded = not (working.outcomes if name == "value_at_risk" else working.corners)

    def judged(size: float) -> TradeImpact:
        return _as_bound(impact(size)) if bounded else impact(size)

    return of_impact(asked, name, judged, judged(asked.size))


def _as_bound(impact: TradeImpact) -> TradeImpact:
    """Return the impact on what is never below the measure: beyond the limit, its fall is no fall of the measure."""
    if impact.now is None or impact.after is None or not exceeds(impact.after, impact.limit):
        return impact
    return replace(impact, now=impact.after, largest=0.0 if exceeds(impact.now, impact.limit) else impact.largest)


def _worst(asked: Inquiry, name: str, measures: Callable[[Exposures, str], list[ExposureMeasure]]) -> CheckResult:
    """Return the result of the measure that lets the least pass."""
    exposures, instrument = asked.exposures, asked.instrument
    if exposures is None or instrument is None or asked.unit_value is None or asked.equity <= 0.0:
        return skipped(name, NO_VALUE)
    found = measures(exposures, instrument.symbol)
    if not found:
        return skipped(name, "the order does not move it")
    unknown = next((m.reason for m in found if m.reason), "")
    if unknown:
        return opening(asked, name, 0.0, unknown, limit=found[0].limit)

    def impact_of(measure: ExposureMeasure, size: float) -> TradeImpact:
        impact = linear_impact(
            name, measure.subject, measure.lowest, measure.highest, measure.slopes, measure.limit, asked.sign, size,
            smallest=asked.smallest,
        )  # fmt: skip
        return _as_bound(impact) if measure.bounded else impact

    size = asked.size
    impacts = [impact_of(measure, size) for measure in found]
    tightest = min(range(len(found)), key=lambda k: impacts[k].largest)
    return of_impact(asked, name, lambda x: impact_of(found[tightest], x), impacts[tightest])
