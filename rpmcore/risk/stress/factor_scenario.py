"""Factor mode: a few prices or factors are shocked, the rest of the book takes what usually goes with them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InputError, nearest
from rpmcore.risk.covariance import sample_covariance
from rpmcore.risk.evaluation import money
from rpmcore.risk.factor_model import FactorModel
from rpmcore.risk.report import NO_CAPITAL
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.conditional import conditional_factor_stress, conditional_stress
from rpmcore.risk.stress.criteria import failed_loss
from rpmcore.risk.stress.engine import SEE_PARAMETRIC
from rpmcore.risk.stress.shocks import revalued
from rpmcore.risk.valuation import BookInputs, ReturnPanel, Valuation

NO_STRESSED_VAR = "shocks alone do not say how stressed the covariance is; the distance says how rare they are"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionExpectation:
    """One book row given the shocks, as fractions of capital; a loss is positive.

    `origin` is ``shock`` for what was shocked itself and ``expected`` for what follows; `holding_return` is in account
    currency.
    """

    symbol: str
    strategy_id: str | None
    weight: float
    holding_return: float
    origin: str
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorScenarioResult:
    """A book given shocks; a loss is positive, in fractions of capital.

    Attributes
    ----------
    shocks
        Relative price moves by instrument, or returns by factor, as they were given.
    factor_returns
        What every factor is expected to do, where factors were shocked.
    loss
        Expected given the shocks.
    residual_volatility, volatility
        Of the book's daily return given the shocks, and without any knowledge.
    distance
        How many standard deviations of a day away the shocks are together.
    """

    name: str
    title: str
    mode: str
    shocks: dict[str, float]
    factor_returns: dict[str, float] | None
    factor_returns_reason: str | None = "prices were shocked, not factors"
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    residual_volatility: float
    volatility: float
    distance: float
    var_breach_ratio: float | None = None
    var_breach_ratio_reason: str | None = NO_STRESSED_VAR
    stressed_var: float | None = None
    stressed_var_reason: str | None = SEE_PARAMETRIC
    liquidation_cost: float | None = None
    liquidation_cost_reason: str | None = SEE_PARAMETRIC
    days_to_liquidate: float | None = None
    days_to_liquidate_reason: str | None = SEE_PARAMETRIC
    passed: bool
    failed_criteria: tuple[str, ...]
    positions: tuple[PositionExpectation, ...]


def run_shocks(
    inputs: BookInputs,
    panel: ReturnPanel,
    valuation: Valuation,
    shocks: Mapping[str, float],
    settings: RiskSettings,
    *,
    name: str,
    title: str,
    model: FactorModel | None = None,
) -> FactorScenarioResult:
    """Return what a book is expected to lose given shocks.

    The covariance is the sample's over the panel, without shrinkage: a shrunk one would take shocks that contradict
    each other. Betas, and so the loss, do not depend on how volatile the days are, the residual volatility does.

    Parameters
    ----------
    inputs
        The book, and beside it what is shocked without being held.
    panel, valuation
        Returns of both over the lookback of ``factors``, and the weights.
    shocks
        Relative price moves by symbol of the panel; with a `model`, returns by factor.
    settings
        Pass criteria.
    name, title
        Of the scenario.
    model
        Shocks are those of its factors.

    Raises
    ------
    InputError
        If a shock names nothing that the panel or the model has.
    InvalidArgument
        See `rpmcore.risk.stress.conditional.conditional_stress`.
    """
    known = panel.symbols if model is None else model.factor_names
    for shocked in shocks:
        if shocked not in known:
            meant = nearest(shocked, list(known))
            kind = "prices" if model is None else "factor"
            raise InputError(
                f"there is no {kind} {shocked!r} to shock",
                source=inputs.history.path if model is None else "the factors given",
                remedy=f"did you mean {meant!r}?" if meant else f"known are {', '.join(known[:12])}",
            )
    factor_returns = None
    if model is None:
        moves = {symbol: _holding_return(inputs, symbol, move) for symbol, move in shocks.items()}
        found = conditional_stress(valuation.weights, _covariance(panel), moves, panel.symbols)
        returns, residual = found.returns, found.residual_volatility
        loss, volatility, distance = found.loss, found.volatility, found.distance
    else:
        by_factor = conditional_factor_stress(valuation.weights, model, shocks)
        returns, residual = by_factor.returns, by_factor.residual_volatility
        loss, volatility, distance = by_factor.loss, by_factor.volatility, by_factor.distance
        factor_returns = dict(zip(by_factor.factor_names, by_factor.factor_returns.tolist(), strict=True))
    failed = failed_loss(loss, settings.stress)
    root = float(np.sqrt(panel.return_days))
    return FactorScenarioResult(
        name=name,
        title=title,
        mode="factor",
        shocks=dict(shocks),
        factor_returns=factor_returns,
        loss=loss,
        loss_money=money(loss, inputs.book.capital),
        residual_volatility=residual / root,
        volatility=volatility / root,
        distance=distance * root,
        passed=not failed,
        failed_criteria=failed,
        positions=_positions(inputs, valuation, returns, shocks, of_factors=model is not None),
    )


def _holding_return(inputs: BookInputs, symbol: str, move: float) -> float:
    """Return what a price move makes of a holding, revalued in full."""
    instrument = inputs.known[symbol].instrument
    return revalued(move, instrument, inputs.ways[symbol], {symbol: move})


def _covariance(panel: ReturnPanel) -> Matrix:
    return sample_covariance(panel.returns)


def _positions(
    inputs: BookInputs, valuation: Valuation, returns: Vector, shocks: Mapping[str, float], *, of_factors: bool
) -> tuple[PositionExpectation, ...]:
    rows = []
    for holding, weight, asset in zip(
        inputs.book.holdings, valuation.row_weights.tolist(), valuation.row_assets.tolist(), strict=True
    ):
        loss = -weight * float(returns[asset])
        rows.append(
            PositionExpectation(
                symbol=holding.symbol,
                strategy_id=holding.strategy_id,
                weight=weight,
                holding_return=float(returns[asset]),
                origin="shock" if holding.symbol in shocks and not of_factors else "expected",
                loss=loss,
                loss_money=money(loss, inputs.book.capital),
            )
        )
    return tuple(rows)
