"""What a careful colleague would say about the exposures of a book before they are used."""

from collections.abc import Iterator

from rpmcore.risk.exposure.calculator import ExposureMetrics
from rpmcore.risk.exposure.factors import Factors
from rpmcore.risk.notices import Notice, data_notices, listed
from rpmcore.risk.regression import Regression
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation

ILL_CONDITIONED = 30.0
"""Condition number of the scaled factors from which single betas mean little (Belsley, Kuh and Welsch 1980)."""


def remarks(
    inputs: BookInputs,
    panel: ReturnPanel,
    valuation: Valuation,
    settings: RiskSettings,
    metrics: ExposureMetrics,
    regression: Regression,
    factors: Factors,
) -> tuple[Notice, ...]:
    """Return the warnings on the data, then those on exposures."""
    on_data = data_notices(inputs, panel, valuation, settings, {"factors": settings.factors.lookback})
    own = (
        *_factors(inputs, panel, settings, regression, factors),
        *_profiles(inputs, metrics),
    )
    return (*on_data, *(Notice(code=code, message=message) for code, message in own))


def _factors(
    inputs: BookInputs, panel: ReturnPanel, settings: RiskSettings, regression: Regression, factors: Factors
) -> Iterator[tuple[str, str]]:
    if factors.source == "given" and regression.n_obs < len(panel.returns):
        yield (
            "rows_without_factors",
            f"{len(panel.returns) - regression.n_obs} of {len(panel.returns)} returns have no factor returns and are "
            f"left out, for want of {listed([str(day) for day in factors.missing])}",
        )
    if factors.source == "statistical" and settings.factors.market not in panel.symbols:
        yield (
            "no_market",
            f"{inputs.history.path} has no {settings.factors.market}, which stands for the market; "
            "name another with --market",
        )
    if regression.condition_number > ILL_CONDITIONED:
        yield (
            "nearly_collinear_factors",
            f"the factors are nearly collinear (condition number {regression.condition_number:.0f}): "
            "single betas mean little, their sum does",
        )


def _profiles(inputs: BookInputs, metrics: ExposureMetrics) -> Iterator[tuple[str, str]]:
    estimated = [s for s, p in inputs.profiles.items() if p.origin == "estimated" and s in metrics.weights]
    if estimated:
        yield "estimated_profiles", f"{listed(estimated)}: beta estimated from the prices, no other loading"
    unclassified = [s for s, p in inputs.profiles.items() if p.instrument.sector is None and s in metrics.weights]
    if unclassified:
        yield (
            "unclassified",
            f"{listed(unclassified)}: no sector is known, so each sector is limited as if they belonged to it; "
            "add a column 'sector'",
        )
    told: dict[tuple[str, ...], list[str]] = {}
    for factor in metrics.factors:
        if factor.neutral:
            told.setdefault(factor.neutral, []).append(factor.name)
    for symbols, names in told.items():
        who = "any instrument" if len(symbols) == len(metrics.weights) else listed(list(symbols))
        yield "neutral_loadings", f"{', '.join(names)}: not measured for {who}, counted as zero"
