"""Parametric stress: one step, every position shocked and revalued, held against the pass criteria."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rpmcore.domain.arrays import Matrix
from rpmcore.domain.crises import Crisis
from rpmcore.risk.covariance import correlation_stress, stressed_covariance
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.evaluation import Assessment, assess, money
from rpmcore.risk.report import NO_CAPITAL
from rpmcore.risk.settings import RiskSettings, StressSettings
from rpmcore.risk.stress.criteria import failed_loss, failed_ratio
from rpmcore.risk.stress.liquidation import days_to_liquidate, liquidation_cost
from rpmcore.risk.stress.shocks import gap_victims, price_move, rate_moves, revalued
from rpmcore.risk.valuation import BookInputs
from rpmcore.risk.value_at_risk import normal
from rpmcore.risk.volatility import portfolio_volatility

NO_SPREAD = "no position of the book has a column spread_bps"
NO_VOLUME = "no position of the book has a column adv, or the book names no capital"
SEE_PARAMETRIC = "only the parametric mode tells it"
NO_RISK = "the stressed VaR is zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionStress:
    """One book row in a scenario, as fractions of capital; a loss is positive."""

    symbol: str
    strategy_id: str | None
    weight: float
    price_move: float
    origin: str
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    liquidation_cost: float | None
    liquidation_cost_reason: str | None = "the book tells no spread_bps for it"
    days_to_liquidate: float | None
    days_to_liquidate_reason: str | None = "the book tells no adv for it, or no capital"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """A book in one scenario.

    Attributes
    ----------
    parameters, sources
        What the scenario was run with, and where each number is from; ``given`` for one changed by the caller.
    loss
        Of the whole book as a fraction of capital; negative for a gain.
    stressed_var, calm_var
        One-day normal VaR at ``stress.confidence`` under the stressed and under today's covariance.
    var_breach_ratio, calm_var_ratio
        loss over the one and over the other.
    correlation_stress
        θ at which the stressed correlations reach the scenario's target.
    liquidation_cost
        Summed over the positions whose spread is known; `unpriced` counts the others.
    days_to_liquidate
        Of the slowest position whose volume is known.
    failed_criteria
        Empty if the book passes.
    """

    name: str
    title: str
    mode: str
    propagation: str
    parameters: dict[str, float | str | None]
    sources: dict[str, str]
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    stressed_var: float
    calm_var: float
    var_breach_ratio: float | None
    var_breach_ratio_reason: str | None = NO_RISK
    calm_var_ratio: float | None
    calm_var_ratio_reason: str | None = NO_RISK
    correlation_stress: float
    liquidation_cost: float | None
    liquidation_cost_reason: str | None = NO_SPREAD
    liquidation_cost_money: float | None
    liquidation_cost_money_reason: str | None = NO_SPREAD
    unpriced: int
    days_to_liquidate: float | None
    days_to_liquidate_reason: str | None = NO_VOLUME
    passed: bool
    failed_criteria: tuple[str, ...]
    positions: tuple[PositionStress, ...]


def run_parametric(inputs: BookInputs, crises: Sequence[Crisis], settings: RiskSettings) -> tuple[ScenarioResult, ...]:
    """Return what the book loses in each crisis; raises as `rpmcore.risk.evaluation.assess` does."""
    assessed = assess(inputs, settings)
    return tuple(parametric_stress(inputs, assessed, crisis, settings) for crisis in crises)


def parametric_stress(
    inputs: BookInputs, assessed: Assessment, crisis: Crisis, settings: RiskSettings
) -> ScenarioResult:
    """Return what an assessed book loses in one crisis."""
    chosen, capital = settings.stress, inputs.book.capital
    weights, cov = assessed.valuation.weights, calm_covariance(assessed, settings)
    positions = _positions(inputs, assessed, cov, crisis, chosen)
    loss = float(sum(position.loss for position in positions))
    theta = 0.0 if crisis.correlation is None else correlation_stress(cov, crisis.correlation, weights)
    stressed = stressed_covariance(cov, crisis.volatility_multiplier, theta, weights)
    stressed_var = normal(float(portfolio_volatility(weights, stressed)), chosen.confidence).value_at_risk
    calm_var = normal(float(portfolio_volatility(weights, cov)), chosen.confidence).value_at_risk
    ratio = loss / stressed_var if stressed_var > 0.0 else None
    costs = [p.liquidation_cost for p in positions if p.liquidation_cost is not None]
    days = [p.days_to_liquidate for p in positions if p.days_to_liquidate is not None]
    failed = failed_loss(loss, chosen) + failed_ratio(loss, ratio, chosen, daily=False)
    cost = float(sum(costs)) if costs else None
    return ScenarioResult(
        name=crisis.name,
        title=crisis.title,
        mode="parametric",
        propagation=chosen.propagation,
        parameters=crisis.parameters,
        sources=dict(crisis.sources),
        loss=loss,
        loss_money=money(loss, capital),
        stressed_var=stressed_var,
        calm_var=calm_var,
        var_breach_ratio=ratio,
        calm_var_ratio=loss / calm_var if calm_var > 0.0 else None,
        correlation_stress=theta,
        liquidation_cost=cost,
        liquidation_cost_money=money(cost, capital),
        liquidation_cost_money_reason=NO_SPREAD if cost is None else NO_CAPITAL,
        unpriced=len(positions) - len(costs),
        days_to_liquidate=max(days) if days else None,
        passed=not failed,
        failed_criteria=failed,
        positions=positions,
    )


def calm_covariance(assessed: Assessment, settings: RiskSettings) -> Matrix:
    """Return the covariance of the report, or the unstressed one where the report's is stressed already."""
    if settings.covariance.method != "stressed":
        return assessed.metrics.covariance.matrix
    ewma = CovarianceMatrixEstimator(settings.covariance, method="ewma")
    return ewma.estimate(assessed.panel.returns, return_days=assessed.panel.return_days).matrix


def _positions(
    inputs: BookInputs, assessed: Assessment, cov: Matrix, crisis: Crisis, settings: StressSettings
) -> tuple[PositionStress, ...]:
    valuation, capital = assessed.valuation, inputs.book.capital
    alone = np.sqrt(np.diagonal(cov))
    weights = valuation.row_weights.tolist()
    victims = gap_victims(crisis.gap, inputs.book.holdings, weights, inputs.instruments)
    nets = {
        holding.symbol: float(valuation.weights[asset])
        for holding, asset in zip(inputs.book.holdings, valuation.row_assets.tolist(), strict=True)
    }
    shocked = {
        symbol: price_move(
            net, inputs.instruments[symbol], crisis, propagation=settings.propagation, gapped=symbol in victims
        )
        for symbol, net in nets.items()
    }
    # A pair has one rate: where it is held as well, it converts at what its own row says.
    legs = {leg.symbol for symbol in nets for leg in inputs.ways[symbol]}
    moves = rate_moves(legs, crisis, propagation=settings.propagation, betas=inputs.pair_betas)
    moves |= {symbol: move for symbol, (move, _) in shocked.items()}
    rows = []
    for holding, weight, asset in zip(inputs.book.holdings, weights, valuation.row_assets.tolist(), strict=True):
        net, (move, origin) = nets[holding.symbol], shocked[holding.symbol]
        loss = -weight * revalued(move, inputs.instruments[holding.symbol], inputs.ways[holding.symbol], moves)
        rows.append(
            PositionStress(
                symbol=holding.symbol,
                strategy_id=holding.strategy_id,
                weight=weight,
                price_move=move,
                origin=origin,
                loss=loss,
                loss_money=money(loss, capital),
                liquidation_cost=liquidation_cost(holding, weight, net, capital, float(alone[asset]), crisis, settings),
                days_to_liquidate=days_to_liquidate(holding, net, capital, crisis, settings),
            )
        )
    return tuple(rows)
