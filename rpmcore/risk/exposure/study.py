"""Where the risk of a book comes from: from a book and its prices to every figure of ``rpm exposure``."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, sqrt

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InputError
from rpmcore.domain.factor_returns import FactorReturns
from rpmcore.risk.evaluation import summarise
from rpmcore.risk.exposure.calculator import ExposureMetrics, FactorExposureCalculator
from rpmcore.risk.exposure.factors import estimate_model, exposure_panel, given_factors, made_factors
from rpmcore.risk.exposure.hedging import Hedge, currency_hedges, factor_hedges, variance_shares
from rpmcore.risk.exposure.positions import UNCLASSIFIED
from rpmcore.risk.exposure.remarks import remarks
from rpmcore.risk.exposure.report import (
    AssetRow,
    Beta,
    ExposureData,
    ExposureReport,
    FactorRow,
    ModelSummary,
    SectorRow,
    SpecificRow,
    StrategyRow,
)
from rpmcore.risk.factor_model import FactorModel
from rpmcore.risk.regression import Regression
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation, day, value


def measure_exposure(
    inputs: BookInputs,
    settings: RiskSettings,
    *,
    given: FactorReturns | None = None,
    hedge: bool = False,
    hedge_with: Sequence[str] = (),
) -> ExposureReport:
    """Return every figure of ``rpm exposure``.

    Parameters
    ----------
    inputs
        The book; beside it the market, and what else may hedge.
    settings
        The sections ``data``, ``factors`` and ``limits``.
    given
        Returns of factors; None makes them from the prices: the market and principal components.
    hedge
        Whether hedges are wanted.
    hedge_with
        The candidates; what is held and what is beside it if empty.

    Raises
    ------
    InputError
        If nothing is known of an instrument, given factors do not fit the prices, or the market does not move.
    InsufficientData
        If there is too little history.
    InvalidArgument
        If factors are collinear.
    """
    refuse_unknown(inputs)
    panel = exposure_panel(inputs, settings)
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    factors = given_factors(given, panel, settings) if given else made_factors(inputs, panel, settings)
    model = estimate_model(panel, factors, settings)
    fit = model.regression
    assert fit is not None  # noqa: S101 - the model was estimated right here
    metrics = FactorExposureCalculator(
        settings=settings.limits, account_currency=inputs.account
    ).calculate_portfolio_exposure(
        dict(zip(panel.symbols, valuation.weights.tolist(), strict=True)),
        model=model,
        profiles=inputs.known,
    )
    per_year = settings.data.periods_per_year / settings.data.return_days
    held = metrics.contributions
    daily = 0.0 if held is None else held.volatility / sqrt(settings.data.return_days)
    return ExposureReport(
        book=summarise(inputs, panel, valuation),
        data=ExposureData(
            prices=inputs.history.path,
            factors=None if given is None else given.path,
            n_obs=len(factors.rows),
            n_assets=len(panel.symbols),
            first=day(panel.dates[0]),
            last=day(panel.dates[-1]),
            dropped_rows=panel.dropped_rows,
            rows_without_factors=len(panel.returns) - len(factors.rows),
            return_days=settings.data.return_days,
            periods_per_year=settings.data.periods_per_year,
            notes=inputs.history.notes,
        ),
        model=ModelSummary(
            source=factors.source,
            rule=factors.rule,
            lags=fit.lags,
            decay=settings.factors.decay,
            condition_number=fit.condition_number,
            daily=daily,
            annual=daily * sqrt(settings.data.periods_per_year),
        ),
        factors=_factor_rows(model, metrics, per_year),
        specific=SpecificRow(share=None if held is None else held.specific_share),
        profile=metrics.factors,
        sectors=_sector_rows(inputs, metrics, valuation, panel),
        currencies=metrics.currencies,
        strategies=_strategy_rows(inputs, metrics, valuation),
        assets=_asset_rows(inputs, model, fit, metrics, valuation, per_year),
        diversification=metrics.diversification,
        limits=metrics.limits,
        breaches=metrics.breaches,
        hedges=_hedges(inputs, model, metrics, hedge_with, panel.return_days) if hedge else (),
        warnings=remarks(inputs, panel, valuation, settings, metrics, fit, factors),
    )


def refuse_unknown(inputs: BookInputs) -> None:
    """Raise `InputError` if the book holds an instrument of which nothing is known."""
    unknown = [symbol for symbol, profile in inputs.profiles.items() if profile.origin == "unknown"]
    if unknown:
        more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
        raise InputError(
            f"nothing is known of {', '.join(unknown[:8])}{more}: no beta, and no certain currency",
            source=inputs.book.name,
            column="symbol",
            remedy="give profiles with --assets FILE, or have their betas estimated from the prices with --estimate",
        )


def _factor_rows(model: FactorModel, metrics: ExposureMetrics, per_year: float) -> tuple[FactorRow, ...]:
    held = metrics.contributions
    shares = variance_shares(model)
    volatilities = np.sqrt(np.diagonal(model.factor_covariance) * per_year)
    return tuple(
        FactorRow(
            name=name,
            exposure=0.0 if held is None else float(held.exposures[k]),
            moves_most=tuple(
                f"{'+' if model.exposures[i, k] > 0.0 else '-'}{model.symbols[i]}"
                for i in np.argsort(-shares[:, k], kind="stable")[:3]
                if shares[i, k] > 0.0
            ),
            volatility=float(volatilities[k]),
            share=None if held is None else float(held.factor_shares[k]),
        )
        for k, name in enumerate(model.factor_names)
    )


def _row_shares(metrics: ExposureMetrics, valuation: Valuation) -> Vector | None:
    """Return the share of the variance of each book row, (n_rows,), or None."""
    held = metrics.contributions
    if held is None:
        return None
    shares: Vector = valuation.row_weights * held.marginals[valuation.row_assets] / held.volatility
    return shares


def _sector_rows(
    inputs: BookInputs, metrics: ExposureMetrics, valuation: Valuation, panel: ReturnPanel
) -> tuple[SectorRow, ...]:
    parts: dict[str, float] = {}
    shares = _row_shares(metrics, valuation)
    if shares is not None:
        for share, asset in zip(shares.tolist(), valuation.row_assets.tolist(), strict=True):
            sector = inputs.profiles[panel.symbols[asset]].instrument.sector or UNCLASSIFIED
            parts[sector] = parts.get(sector, 0.0) + share
    return tuple(
        SectorRow(
            sector=s.sector, net=s.net, gross=s.gross, long=s.long, short=s.short,
            share=None if shares is None else parts[s.sector],
        )
        for s in metrics.sectors
    )  # fmt: skip


def _strategy_rows(inputs: BookInputs, metrics: ExposureMetrics, valuation: Valuation) -> tuple[StrategyRow, ...]:
    rows: dict[str | None, list[int]] = {}
    for i, holding in enumerate(inputs.book.holdings):
        rows.setdefault(holding.strategy_id, []).append(i)
    shares = _row_shares(metrics, valuation)
    found = []
    for strategy, members in rows.items():
        weights = valuation.row_weights[members]
        betas = [inputs.profiles[inputs.book.holdings[i].symbol].instrument.beta for i in members]
        known = [beta for beta in betas if beta is not None]
        found.append(
            StrategyRow(
                strategy_id=strategy,
                n_positions=len(members),
                net=float(weights.sum()),
                gross=float(np.abs(weights).sum()),
                beta=float(weights @ np.array(known)) if len(known) == len(betas) else None,
                beta_reason="a market beta is not known",
                share=None if shares is None else float(shares[members].sum()),
            )
        )
    return tuple(sorted(found, key=lambda s: -s.gross))


def _asset_rows(
    inputs: BookInputs,
    model: FactorModel,
    fit: Regression,
    metrics: ExposureMetrics,
    valuation: Valuation,
    per_year: float,
) -> tuple[AssetRow, ...]:
    known = inputs.known
    held = metrics.contributions
    t_statistics = fit.t_statistics
    rows = []
    for i, symbol in enumerate(model.symbols):
        betas = tuple(
            Beta(
                factor=name,
                value=float(fit.betas[i, k]),
                error=float(fit.errors[i, k + 1]),
                t_statistic=float(t) if isfinite(t := t_statistics[i, k + 1]) else None,
            )
            for k, name in enumerate(model.factor_names)
        )
        weight = float(valuation.weights[i])
        rows.append(
            AssetRow(
                symbol=symbol,
                weight=weight,
                origin=known[symbol].origin,
                betas=betas,
                r_squared=float(fit.r_squared[i]) if isfinite(fit.r_squared[i]) else None,
                specific_volatility=sqrt(float(model.specific_variances[i]) * per_year),
                share=None if held is None else weight * float(held.marginals[i]) / held.volatility,
            )
        )
    return tuple(rows)


def _hedges(
    inputs: BookInputs, model: FactorModel, metrics: ExposureMetrics, hedge_with: Sequence[str], return_days: int
) -> tuple[Hedge, ...]:
    if metrics.contributions is None:
        return ()
    candidates = tuple(dict.fromkeys(hedge_with)) or model.symbols
    found = (
        *factor_hedges(model, metrics.contributions, candidates),
        *currency_hedges(
            metrics.currencies,
            inputs.account,
            inputs.known,
            model,
            metrics.contributions,
            candidates,
        ),
    )
    root = sqrt(return_days)  # volatilities of a report are per day
    return tuple(replace(h, volatility=None if h.volatility is None else h.volatility / root) for h in found)
