"""The factors of a risk model: a desk's own, or the market and what the prices have in common beyond it."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InputError, InvalidArgument, Undefined
from rpmcore.domain.factor_returns import FactorReturns
from rpmcore.risk.factor_alignment import align
from rpmcore.risk.factor_model import FactorModel, estimate_factor_model
from rpmcore.risk.principal_components import market_and_components
from rpmcore.risk.regression import newey_west_lags
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, return_panel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factors:
    """The factors of a risk model on the returns of a panel.

    Attributes
    ----------
    names, returns
        (n_factors,) and (n_rows, n_factors).
    rows
        (n_rows,) which returns of the panel they belong to.
    source, rule
        As in `rpmcore.risk.exposure.report.ModelSummary`.
    path, missing
        Of given factors: their file, and the dates that cost the panel a return.
    """

    names: tuple[str, ...]
    returns: Matrix
    rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    source: str
    rule: str
    path: str | None = None
    missing: tuple[date, ...] = ()


def exposure_panel(inputs: BookInputs, settings: RiskSettings) -> ReturnPanel:
    """Return the returns of what is held and what is beside it, over the lookback of the regressions."""
    return return_panel(
        inputs.history,
        {symbol: profile.instrument for symbol, profile in {**inputs.profiles, **inputs.beside}.items()},
        inputs.ways,
        lookback=settings.factors.lookback,
        minimum=settings.factors.minimum,
        return_days=settings.data.return_days,
    )


def _lags(n_obs: int, settings: RiskSettings) -> int:
    if settings.factors.lags is not None:
        return settings.factors.lags
    return max(newey_west_lags(n_obs), settings.data.return_days - 1)


def estimate_model(panel: ReturnPanel, factors: Factors, settings: RiskSettings) -> FactorModel:
    """Return the model of the panel's instruments.

    Raises
    ------
    InputError
        If given factors are collinear or constant; names the file.
    InvalidArgument, InsufficientData
        See `rpmcore.risk.factor_model.estimate_factor_model`.
    """
    try:
        return estimate_factor_model(
            panel.returns[factors.rows],
            factors.returns,
            symbols=panel.symbols,
            factor_names=factors.names,
            lags=_lags(len(factors.rows), settings),
            decay=settings.factors.decay,
        )
    except InvalidArgument as error:
        if factors.path is None:
            raise
        raise InputError(str(error), source=factors.path) from error


def given_factors(given: FactorReturns, panel: ReturnPanel, settings: RiskSettings) -> Factors:
    """Return a desk's factors beside the returns of the panel; raises as `rpmcore.risk.factor_alignment.align`."""
    aligned = align(
        given,
        panel.dates,
        settings.data.return_days,
        dropped_error=settings.data.dropped_error,
        at_least=settings.factors.minimum,
    )
    return Factors(
        names=given.names,
        returns=aligned.returns,
        rows=aligned.rows,
        source="given",
        rule=f"{len(given.names)} factors of {given.path}",
        path=given.path,
        missing=aligned.missing_dates,
    )


def made_factors(inputs: BookInputs, panel: ReturnPanel, settings: RiskSettings) -> Factors:
    """Return the market and the principal components of what is held beyond it."""
    place = {symbol: i for i, symbol in enumerate(panel.symbols)}
    held = panel.returns[:, [place[symbol] for symbol in inputs.profiles]]
    name = settings.factors.market
    market: Vector | None = None
    said = "no market"
    if name in place:
        market, said = panel.returns[:, place[name]], f"market {name}"
        if np.ptp(market) == 0.0:
            raise InputError(
                f"the return of {name}, which stands for the market, is the same every day",
                source=inputs.history.path,
                symbol=name,
                remedy="name another with --market",
            )
    else:
        shares = [place[s] for s, p in inputs.profiles.items() if p.instrument.base_currency is None]
        if shares:
            market, said = panel.returns[:, shares].mean(axis=1), f"market: mean of the {len(shares)} shares held"
    try:
        made = market_and_components(
            held, market, n_components=settings.factors.components, decay=settings.factors.decay
        )
        names, returns, said = made.names, made.returns, f"{said}; {made.rule}"
    except Undefined:
        names, returns, said = (
            ("mean",),
            held.mean(axis=1)[:, None],
            "mean of what is held, which has nothing in common",
        )
    return Factors(names=names, returns=returns, rows=np.arange(len(panel.returns)), source="statistical", rule=said)
