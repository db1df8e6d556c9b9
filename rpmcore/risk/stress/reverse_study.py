"""What would it take to lose that much? Everything that ``rpm stress --reverse`` says."""

from dataclasses import dataclass

import numpy as np

from rpmcore.domain.report import ConfiguredReport, Shown, percent
from rpmcore.risk.evaluation import assess, money, summarise
from rpmcore.risk.factor_model import FactorModel
from rpmcore.risk.notices import Notice, notices
from rpmcore.risk.report import BookSummary
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.engine import calm_covariance
from rpmcore.risk.stress.reverse import BrokenLimit, ReverseStress, reverse_factor_stress, reverse_stress
from rpmcore.risk.valuation import BookInputs

NO_FACTORS = "every instrument may move by itself; give --factors for a scenario of factors alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversePosition:
    """One instrument in the most plausible scenario: its return in account currency, and its part of the loss."""

    symbol: str
    weight: float
    holding_return: float
    deviations: float | None
    deviations_reason: str | None = "it has no volatility"
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = "the book names no capital; give --capital"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReverseReport(ConfiguredReport):
    """The most plausible day with a given loss, in fractions of capital.

    Attributes
    ----------
    loss, loss_money
        As it was asked for.
    volatility, distance
        Of a day, and the loss over it: how many standard deviations away the scenario is.
    probability_normal, probability_student_t, dof
        Of a loss at least this large on one day.
    factors
        Their returns, where the scenario is one of factors.
    broken_limits
        In the order in which they break on the way.
    beyond_total
        Instruments that would lose more than all of themselves: the scenario is then beyond what a linear one can tell.
    positions
        By instrument, the largest loss first.
    """

    book: BookSummary
    covariance: str
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = "the book names no capital; give --capital"
    volatility: float
    distance: float
    probability_normal: float
    probability_student_t: float
    dof: float
    factors: dict[str, float] | None
    factors_reason: str | None = NO_FACTORS
    broken_limits: tuple[BrokenLimit, ...]
    beyond_total: tuple[str, ...]
    positions: tuple[ReversePosition, ...]
    warnings: tuple[Notice, ...]
    notes: tuple[str, ...]

    SCHEMA = "rpm.stress.reverse/1"
    MAIN = "positions"
    SHOWN = (
        Shown(
            table="positions", title="The most plausible day",
            columns=("symbol", "weight", "holding_return", "deviations", "loss", "loss_money"),
        ),
        Shown(table="broken_limits", title="Limits on the way", columns=("name", "loss", "share", "distance")),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return (
            f"{self.book.called} on {self.book.as_of}: the most plausible day that loses {percent(self.loss)} lies "
            f"{self.distance:.2f} standard deviations away"
        )


def run_reverse(
    inputs: BookInputs, loss: float, settings: RiskSettings, model: FactorModel | None = None
) -> ReverseReport:
    """Return the most plausible scenario in which the book loses `loss`, a fraction of capital, on one day.

    Parameters
    ----------
    inputs
        The book.
    loss
        Positive.
    settings
        Covariance, law of the simulation (its degrees of freedom), and limits.
    model
        Of given factors: only they move. Its symbols are those of the book, in order.

    Raises
    ------
    InvalidArgument
        If `loss` is not positive.
    Undefined
        If nothing can make the book lose.
    InsufficientData, InputError
        See `rpmcore.risk.evaluation.assess`.
    """
    assessed = assess(inputs, settings)
    panel, weights, limits = assessed.panel, assessed.valuation.weights, settings.limits
    breaking = {
        "value_at_risk": limits.value_at_risk,
        "expected_shortfall": limits.expected_shortfall,
        "stress.maximum_loss": settings.stress.maximum_loss,
    }
    cov, dof = calm_covariance(assessed, settings), settings.simulation.dof
    if model is None:
        found = reverse_stress(weights, cov, loss, symbols=panel.symbols, dof=dof, limits=breaking)
        said = f"{settings.covariance.method}, {assessed.metrics.covariance.n_obs} returns"
    else:
        found = reverse_factor_stress(weights, model, loss, dof=dof, limits=breaking)
        said = f"{len(model.factor_names)} factors"
    capital = inputs.book.capital
    return ReverseReport(
        book=summarise(inputs, panel, assessed.valuation),
        covariance=said,
        loss=loss,
        loss_money=money(loss, capital),
        volatility=found.volatility,
        distance=found.distance,
        probability_normal=found.probability_normal,
        probability_student_t=found.probability_student_t,
        dof=found.dof,
        factors=_by_name(found),
        broken_limits=found.broken_limits,
        beyond_total=found.beyond_total,
        positions=_positions(found, weights, np.sqrt(np.diagonal(cov)), capital),
        warnings=notices(inputs, panel, assessed.valuation, assessed.metrics, settings),
        notes=inputs.history.notes,
    )


def _by_name(found: ReverseStress) -> dict[str, float] | None:
    if found.factor_names is None or found.factor_returns is None:
        return None
    return dict(zip(found.factor_names, found.factor_returns.tolist(), strict=True))


def _positions(
    found: ReverseStress, weights: np.ndarray, alone: np.ndarray, capital: float | None
) -> tuple[ReversePosition, ...]:
    rows = [
        ReversePosition(
            symbol=symbol,
            weight=float(weights[i]),
            holding_return=float(found.returns[i]),
            deviations=float(found.returns[i] / alone[i]) if alone[i] > 0.0 else None,
            loss=float(found.losses[i]),
            loss_money=money(float(found.losses[i]), capital),
        )
        for i, symbol in enumerate(found.symbols)
    ]
    return tuple(sorted(rows, key=lambda row: -row.loss))
