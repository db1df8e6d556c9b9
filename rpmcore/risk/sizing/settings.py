"""The numbers of position sizing that a desk may change."""

from typing import Self

from pydantic import model_validator

from rpmcore.domain.settings import Section, setting


class SizingSettings(Section):
    """How large a trade may be."""

    risk_per_trade: float = setting(
        0.01, "What a trade may lose at its stop.", unit="fraction of capital", gt=0.0, le=1.0
    )
    volatility_stop: float = setting(
        2.0, "Where there is no stop, the loss of a trade is taken to be so many daily volatilities.",
        unit="daily volatilities", gt=0.0, le=100.0,
    )  # fmt: skip
    kelly_fraction: float = setting(0.25, "Share of the Kelly fraction that is used.", unit="fraction", gt=0.0, le=1.0)
    kelly_cap: float = setting(
        1.0, "The largest position that Kelly may ask for.", unit="fraction of capital", gt=0.0, le=100.0
    )
    kelly_confidence: float = setting(
        0.90, "One-sided confidence of each bound on win rate, averages and expected return that Kelly rests on.",
        unit="probability", ge=0.5, lt=1.0,
    )  # fmt: skip
    maximum_weight: float = setting(
        1.0, "The largest position in one instrument, what is held included; a near stop asks for any size.",
        unit="fraction of capital", gt=0.0, le=100.0,
    )  # fmt: skip
    minimum_trades: int = setting(
        30, "Fewer trades than this say nothing of a strategy, and put it on probation.", unit="trades", ge=1
    )
    probation: float = setting(
        0.25, "Multiplier of a strategy with too few trades and no known health.", unit="factor", ge=0.0, le=1.0
    )
    full_expectancy: float = setting(
        0.20, "Expectancy, in average losses, from which the risk per trade is whole; below it in proportion.",
        unit="average losses", gt=0.0, le=10.0,
    )  # fmt: skip
    drawdown_start: float = setting(
        0.05, "Drawdown from which on sizes shrink, in proportion.", unit="fraction of the peak", ge=0.0, lt=1.0
    )
    drawdown_end: float = setting(
        0.20, "Drawdown at which nothing is left of them.", unit="fraction of the peak", gt=0.0, le=1.0
    )
    participation: float = setting(
        0.10, "Share of average daily volume that a trade may be.", unit="fraction", gt=0.0, le=1.0
    )
    spread_cost: float = setting(
        0.001, "What crossing the spread in and out once may cost.", unit="fraction of capital", gt=0.0, le=1.0
    )

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.drawdown_start >= self.drawdown_end:
            raise ValueError(
                f"drawdown_start ({self.drawdown_start}) must lie below drawdown_end ({self.drawdown_end})"
            )
        return self
