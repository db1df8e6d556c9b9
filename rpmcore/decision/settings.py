"""The numbers of the gate, each declared once with unit, range and default."""

from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.kill_switch_settings import KillSwitchesSettings
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.decision.flags import FlagsSettings
from rpmcore.domain.settings import Section, setting
from rpmcore.risk.settings import RiskSettings


class GateSettings(Section):
    """Pre-trade controls beside the risk limits, and the life of an approval."""

    deadline_ms: float = setting(100.0, "A decision that takes longer is a rejection.", unit="milliseconds", gt=0.0)
    approval_seconds: float = setting(
        30.0, "An approval that is not released in this time expires.", unit="seconds", gt=0.0
    )
    maximum_signal_age_seconds: float = setting(
        60.0, "A signal made longer ago is not decided.", unit="seconds", gt=0.0
    )
    maximum_price_age_hours: float = setting(
        120.0, "An older last price is none; the default bridges a long weekend of daily closes.", unit="hours", gt=0.0
    )
    minimum_history: int = setting(
        250, "Fewer returns of a symbol than this measure no risk of it.", unit="periods", ge=30
    )
    starting_history: int = setting(
        1500, "Rows of past prices that a gate starts with.", unit="periods", ge=60, le=10_000
    )
    price_collar: float = setting(
        0.05, "Furthest that an entry may lie from the last price.", unit="fraction of the price", gt=0.0, lt=1.0
    )
    maximum_order_quantity: float = setting(10_000_000.0, "Largest order.", unit="units of the instrument", gt=0.0)
    maximum_order_value: float = setting(0.50, "Largest order.", unit="fraction of equity", gt=0.0)
    max_messages: int = setting(100, "Most signals of one strategy in the window.", unit="signals", ge=1)
    clock_tolerance_seconds: float = setting(
        60.0, "A command dated further ahead of the gate's clock is not taken.", unit="seconds", gt=0.0
    )
    message_window_seconds: float = setting(60.0, "Window of the message throttle.", unit="seconds", gt=0.0)
    cancel_seconds: float = setting(
        30.0, "An order that outlives its cancellation by this long is an alert.", unit="seconds", gt=0.0
    )
    cash_tolerance: float = setting(
        0.0001, "Difference to the broker's cash that a reconciliation passes.", unit="fraction of equity", ge=0.0,
        lt=1.0,
    )  # fmt: skip
    equity_tolerance: float = setting(
        0.01, "Difference to the broker's equity that a reconciliation passes; its prices are not the gate's.",
        unit="fraction of equity", ge=0.0, lt=1.0,
    )  # fmt: skip
    net_exposure: float = setting(1.0, "Limit on |Σ market value|.", unit="fraction of equity", gt=0.0)


class DecisionSettings(RiskSettings):
    """All that a decision depends on."""

    adaptive: AdaptiveSettings = AdaptiveSettings()
    kill_switches: KillSwitchesSettings = KillSwitchesSettings()
    strategies: StrategySettings = StrategySettings()
    gate: GateSettings = GateSettings()
    flags: FlagsSettings = FlagsSettings()
