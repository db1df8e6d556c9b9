"""The backtests as one object with its settings."""

from math import inf
from typing import Any

from rpmcore.risk.backtesting.coverage import kupiec
from rpmcore.risk.backtesting.excess_loss import ExcessLoss, excess_loss
from rpmcore.risk.backtesting.independence import independence
from rpmcore.risk.backtesting.monte_carlo import REPLICATIONS, check_draws
from rpmcore.risk.backtesting.result import SIGNIFICANCE, BacktestResult, check_significance
from rpmcore.risk.backtesting.suite import Backtest, backtest
from rpmcore.risk.backtesting.violations import violations
from rpmcore.risk.settings import SimulationSettings
from rpmcore.risk.tail_count import check_confidence


class VaRBacktester:
    """Validation of forecasts of value at risk and expected shortfall at one confidence.

    Parameters
    ----------
    confidence
        Of the forecasts, in (0.5, 1).
    significance
        How often each test may fail a model that is right, in (0, 0.5].
    seed, replications
        Of the simulated p-values; the seed of the simulation settings where None.
    dof
        ν > 2 of the returns beyond value at risk that `acerbi_szekely` assumes, infinite for normal ones.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """

    def __init__(
        self,
        confidence: float = 0.99,
        *,
        significance: float = SIGNIFICANCE,
        seed: int | None = None,
        replications: int = REPLICATIONS,
        dof: float = inf,
    ) -> None:
        self.confidence = check_confidence(confidence)
        self.significance = check_significance(significance)
        self.seed = SimulationSettings().seed if seed is None else seed
        self.replications = replications
        self.dof = dof
        check_draws(self.seed, replications)

    def test_violation_rate(self, losses: Any, value_at_risk: Any) -> BacktestResult:
        """Return whether the loss was greater than value at risk as often as it should be; see `kupiec`."""
        hits = violations(losses, value_at_risk)
        return kupiec(hits, confidence=self.confidence, significance=self.significance)

    def test_independence(self, losses: Any, value_at_risk: Any) -> BacktestResult:
        """Return whether violations follow one another; see `independence`."""
        return independence(
            violations(losses, value_at_risk),
            confidence=self.confidence,
            seed=self.seed,
            replications=self.replications,
            significance=self.significance,
        )

    def measure_excess_loss(self, losses: Any, value_at_risk: Any, expected_shortfall: Any = None) -> ExcessLoss:
        """Return how far losses went beyond value at risk; see `excess_loss`."""
        return excess_loss(losses, value_at_risk, expected_shortfall)

    def run(self, losses: Any, value_at_risk: Any, expected_shortfall: Any = None, *, returns: Any = None) -> Backtest:
        """Return every test; see `backtest`."""
        return backtest(
            losses,
            value_at_risk,
            expected_shortfall,
            confidence=self.confidence,
            returns=returns,
            dof=self.dof,
            seed=self.seed,
            replications=self.replications,
            significance=self.significance,
        )
