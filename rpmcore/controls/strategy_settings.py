"""The numbers by which strategies are judged, each declared once with unit, range and default."""

from math import isclose
from typing import Annotated, Self

from pydantic import Field, model_validator

from rpmcore.domain.settings import Section, setting


class HealthWeights(Section):
    """Weights of the components of the health score; they sum to one."""

    win_rate: float = setting(0.20, "Win rate above break-even.", unit="fraction", ge=0.0, le=1.0)
    expectancy: float = setting(0.25, "Expectancy.", unit="fraction", ge=0.0, le=1.0)
    maximum_drawdown: float = setting(0.20, "Maximum drawdown.", unit="fraction", ge=0.0, le=1.0)
    current_drawdown: float = setting(0.15, "Current drawdown.", unit="fraction", ge=0.0, le=1.0)
    trend: float = setting(0.10, "Recent trades against those before them.", unit="fraction", ge=0.0, le=1.0)
    edge_confidence: float = setting(0.10, "Confidence that there is an edge.", unit="fraction", ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = sum(self.model_dump().values())
        if not isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"the weights must sum to 1, but sum to {total:g}")
        return self


class AllocationSettings(Section):
    """How capital is divided among strategies."""

    kelly_fraction: float = setting(0.25, "Share of full Kelly that is used.", unit="fraction", gt=0.0, le=1.0)
    maximum: float = setting(
        0.40, "Most of the capital for one strategy and its copies.", unit="fraction", gt=0.0, le=1.0
    )
    copy_correlation: float = setting(
        0.95, "Strategies whose daily P&L correlates as much are one.", unit="correlation", gt=0.0, le=1.0
    )
    minimum_days: int = setting(20, "Fewer days than this compare no two strategies.", unit="trading days", ge=3)


class StrategySettings(Section):
    """How strategies are judged, disabled and given capital."""

    capital: dict[str, Annotated[float, Field(gt=0.0)]] = setting(
        {}, "Capital of strategies by their ids; the others share equally what is left of the account's.",
        unit="account currency",
    )  # fmt: skip
    lookback_days: int = setting(90, "Trades closed within these days count.", unit="days", ge=1)
    recent_days: int = setting(30, "Length of the recent window.", unit="days", ge=1)
    minimum_trades: int = setting(30, "Fewer trades than this judge nothing.", unit="trades", ge=2)
    minimum_recent_trades: int = setting(
        5, "Fewer trades than this, recent or before, tell no trend.", unit="trades", ge=2
    )
    weights: HealthWeights = setting(HealthWeights(), "Weights of the health score.", unit="fraction")
    disable_below: float = setting(0.30, "Health scores below this disable a strategy.", unit="score", ge=0.0, le=0.45)
    probation_multiplier: float = setting(
        0.25, "Factor on size while there are too few trades to judge by.", unit="factor", gt=0.0, le=1.0
    )
    suspension_days: int | None = setting(
        None, "A disabled strategy comes back on probation after these days; null waits for an operator.",
        unit="days", ge=1,
    )  # fmt: skip
    loss_bound: float = setting(
        0.10, "Largest loss of one trade that the monitor of the edge rests on, declared beforehand.",
        unit="fraction of capital", gt=0.0,
    )  # fmt: skip
    significance: float = setting(0.05, "Level of tests and of the monitor.", unit="probability", gt=0.0, lt=0.5)
    interval: float = setting(0.90, "Coverage of the intervals.", unit="probability", gt=0.0, lt=1.0)
    resamples: int = setting(1000, "Resamples of the bootstrap.", unit="resamples", ge=100, le=100_000)
    seed: int = setting(20_080_915, "Seed; the same seed gives the same bits.", unit="integer", ge=0, lt=2**64)
    allocation: AllocationSettings = setting(AllocationSettings(), "Capital of each strategy.", unit="section")

    @model_validator(mode="after")
    def _recent_fits(self) -> Self:
        if self.recent_days >= self.lookback_days:
            raise ValueError(f"recent_days ({self.recent_days}) must be below lookback_days ({self.lookback_days})")
        return self
