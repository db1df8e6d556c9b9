"""Settings of the kill switches. The numbers of the specification are the defaults."""

from typing import Self

from pydantic import model_validator

from rpmcore.domain.settings import Section, setting


class RejectionVelocitySettings(Section):
    """So many rejections in so many minutes."""

    max_rejections: int = setting(10, "Counted rejections in the window that halt.", unit="rejections", ge=1, le=10_000)
    window_minutes: float = setting(5.0, "Length of the window.", unit="minutes", gt=0.0, le=1440.0)
    volatile_multiplier: float = setting(
        1.5, "Factor on max_rejections in the regime volatile.", unit="factor", gt=0.0, le=100.0
    )
    stressed_multiplier: float = setting(
        0.5, "Factor on max_rejections in the regime stressed.", unit="factor", gt=0.0, le=100.0
    )
    throttle_share: float = setting(
        0.6, "Share of the threshold that throttles.", unit="fraction", gt=0.0, le=1.0
    )  # fmt: skip


class ExposureVelocitySettings(Section):
    """How fast exposure may grow."""

    max_growth: float = setting(
        0.05, "Growth that halts, if nobody approved it.", unit="gross exposure a minute", gt=0.0, le=100.0
    )
    max_leverage_growth: float = setting(
        0.1, "Growth of gross leverage that halts, if nobody approved it.", unit="leverage a minute", gt=0.0, le=100.0
    )
    snapshot_minutes: float = setting(
        5.0, "Interval of snapshots: nearer ones are judged as if this far apart.", unit="minutes", gt=0.0, le=1440.0
    )
    throttle_share: float = setting(
        0.6, "Share of a limit at which unapproved growth throttles and approved growth warns.", unit="fraction",
        gt=0.0, le=1.0,
    )  # fmt: skip
    approval_minutes: float = setting(
        1440.0, "An approval explains growth for so long.", unit="minutes", gt=0.0, le=100_000.0
    )


class PerStrategySettings(Section):
    """When one strategy is disabled."""

    max_drawdown: float = setting(
        0.10, "Fall from the peak of capital and P&L that disables.", unit="fraction", gt=0.0, le=1.0
    )
    max_consecutive_losses: int = setting(5, "Losing trades in a row that disable.", unit="trades", ge=1, le=10_000)
    max_rejection_rate: float = setting(
        0.50, "Share of rejected decisions that disables.", unit="fraction", gt=0.0, le=1.0
    )
    decisions: int = setting(100, "Most recent decisions behind the rejection rate.", unit="decisions", ge=1, le=10_000)
    minimum_decisions: int = setting(20, "Fewer decisions than this have no rejection rate.", unit="decisions", ge=1)
    warning_share: float = setting(0.6, "Share of a limit that warns.", unit="fraction", gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.minimum_decisions > self.decisions:
            raise ValueError(f"minimum_decisions ({self.minimum_decisions}) must not exceed decisions")
        return self


class AccountLossSettings(Section):
    """What the account may lose."""

    max_daily_loss: float = setting(
        0.03, "Loss since the day began that halts.", unit="fraction of the day's first equity", gt=0.0, le=1.0
    )
    max_drawdown: float = setting(0.15, "Fall from the peak of equity that halts.", unit="fraction", gt=0.0, le=1.0)
    liquidation_drawdown: float | None = setting(
        None, "Fall from the peak that liquidates; null leaves that to an operator.", unit="fraction", gt=0.0, le=1.0
    )
    warning_share: float = setting(0.6, "Share of a limit that warns.", unit="fraction", gt=0.0, le=1.0)
    throttle_share: float = setting(0.8, "Share of a limit that throttles.", unit="fraction", gt=0.0, le=1.0)
    day_starts_minute: int = setting(
        0, "When the day begins, after midnight UTC.", unit="minutes", ge=0, lt=1440
    )  # fmt: skip

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        if self.warning_share > self.throttle_share:
            raise ValueError("warning_share must not exceed throttle_share")
        if self.liquidation_drawdown is not None and self.liquidation_drawdown < self.max_drawdown:
            raise ValueError("liquidation_drawdown must not be below max_drawdown")
        return self


class RepeatedExecutionSettings(Section):
    """The same order over and over."""

    max_executions: int = setting(
        20, "More of one strategy, symbol and side in the window disable the strategy.", unit="orders", ge=1, le=100_000
    )
    window_minutes: float = setting(1.0, "Length of the window.", unit="minutes", gt=0.0, le=1440.0)


class KillSwitchesSettings(Section):
    """Kill switches, and what they do once they have tripped."""

    rejection_velocity: RejectionVelocitySettings = RejectionVelocitySettings()
    exposure_velocity: ExposureVelocitySettings = ExposureVelocitySettings()
    per_strategy: PerStrategySettings = PerStrategySettings()
    account: AccountLossSettings = AccountLossSettings()
    repeated_execution: RepeatedExecutionSettings = RepeatedExecutionSettings()
    throttle_multiplier: float = setting(
        0.5, "Factor on approved sizes under THROTTLE.", unit="factor", gt=0.0, lt=1.0
    )  # fmt: skip
    clear_share: float = setting(
        0.4, "WARNING and THROTTLE clear below this share of a limit.", unit="fraction", gt=0.0, lt=1.0
    )
    event_log: int = setting(1000, "Most recent events that are kept.", unit="events", ge=1, le=1_000_000)
    remembered_ids: int = setting(
        10_000, "Most recent command ids that are held against duplicates.", unit="ids", ge=1, le=10_000_000
    )

    @model_validator(mode="after")
    def _clears_below_what_sets(self) -> Self:
        shares = (
            self.rejection_velocity.throttle_share, self.exposure_velocity.throttle_share,
            self.per_strategy.warning_share, self.account.warning_share,
        )  # fmt: skip
        if self.clear_share > min(shares):
            raise ValueError(f"clear_share must not exceed the lowest share that warns or throttles, {min(shares)}")
        return self
