"""What the methods of value at risk and expected shortfall draw on, and what they say where there is no answer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.risk.covariance_estimator import CovarianceEstimate
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.volatility import portfolio_volatility


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A figure that does not exist for this book, and why."""

    method: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What changes the time that a simulation takes, and nothing of its result: all efforts are equal.

    Attributes
    ----------
    threads
        That share the paths.
    progress
        Told how many paths are drawn, and of how many.
    """

    threads: int = field(default=1, compare=False)
    progress: Callable[[int, int], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TailInputs:
    """What a method may draw on.

    Attributes
    ----------
    returns
        (n_obs, n_assets) of the tail window, each row over `settings.data.return_days` periods.
    weights
        (n_assets,) signed market value / capital.
    pnl
        (n_obs,) returns of the book: past returns at these weights.
    covariance
        Per period, for the methods that rest on a volatility.
    volatility
        √(wᵀΣw) per period.
    settings
        All sections.
    effort
        Of simulations.
    resampled
        Whether bootstrap intervals are wanted; what a book would be without a position is asked for thousands of times,
        and for its figures alone.
    """

    returns: Matrix
    weights: Vector
    pnl: Vector
    covariance: CovarianceEstimate
    volatility: float
    settings: RiskSettings
    effort: Effort = Effort()
    resampled: bool = True

    @classmethod
    def of(
        cls,
        returns: Matrix,
        weights: Vector,
        covariance: CovarianceEstimate,
        settings: RiskSettings,
        effort: Effort | None = None,
    ) -> Self:
        """Return the inputs of a book, with its P&L and volatility computed."""
        return cls(
            returns=returns,
            weights=weights,
            pnl=returns @ weights,
            covariance=covariance,
            volatility=float(portfolio_volatility(weights, covariance.matrix)),
            settings=settings,
            effort=effort or Effort(),
        )

    def after(self, asset: int, change: float, volatility: float) -> Self:
        """Return the inputs with `change` added to one weight, which makes `volatility` of it; not resampled."""
        weights = self.weights.copy()
        weights[asset] += change
        pnl = self.pnl + change * self.returns[:, asset]
        return replace(self, weights=weights, pnl=pnl, volatility=volatility, resampled=False)
