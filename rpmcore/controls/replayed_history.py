"""What the thresholds would have done to a history of trades and rejections."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rpmcore.controls.account_loss import DAY
from rpmcore.controls.kill_switch_settings import KillSwitchesSettings
from rpmcore.controls.manager import AdvancedKillSwitchManager
from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.report import ConfiguredReport, Shown, counted


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """A closed trade with its P&L in account currency, or a rejection with its reason; `at` is nanoseconds UTC."""

    at: int
    kind: Literal["trade", "rejection"]
    strategy_id: str
    symbol: str = ""
    reason: str = ""
    pnl: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchHistory:
    """On how many days a switch halted a scope, and as a share of all days."""

    switch: str
    scope: str
    days: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReplayedHistory(ConfiguredReport):
    """What a history holds, and what it would have tripped.

    Parameters
    ----------
    days, trades, rejections
        Days (UTC) with an event, and events by kind.
    trades_a_day, rejection_rate, win_rate
        Means; None if there are none to take the mean of, and `…_reason` why.
    halted_days
        Days on which anything halted.
    switches
        By switch and scope.
    """

    days: int
    trades: int
    rejections: int
    trades_a_day: float
    rejection_rate: float
    win_rate: float | None
    win_rate_reason: str = "there is no trade"
    halted_days: int
    switches: tuple[SwitchHistory, ...]

    SCHEMA = "rpm.killswitch/1"
    MAIN = "history.switches"
    ROWS: ClassVar[dict[str, type]] = {"history.switches": SwitchHistory}
    SHOWN = (Shown(table="history.switches", title="Halts", columns=("switch", "scope", "days", "share"), rows=20),)

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {
            "simulation": None, "simulation_reason": "a history was replayed", "history": self.figures(),
            **self.digest(),
        }  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return (
            f"{self.trades:,} trades and {self.rejections:,} rejections on {counted(self.days, 'day')}: something "
            f"would have halted on {self.halted_days}"
        )


def replay_history(
    events: Iterable[HistoryEvent], capital: float, settings: KillSwitchesSettings | None = None
) -> ReplayedHistory:
    """Run a history through the kill switches, and count the days on which they halt.

    The first event of a day after a halt is preceded by an operator's reset that measures anew: each day is judged as a
    desk would that went on.

    Parameters
    ----------
    events
        In the order of their times.
    capital
        Of each strategy, in account currency.
    settings
        Thresholds; those of the specification by default.

    Raises
    ------
    InvalidArgument
        If there are none, a P&L is not finite, or time runs backwards.
    """
    manager = AdvancedKillSwitchManager(settings)
    days, kinds, wins = set[int](), Counter[str](), 0
    halts: set[tuple[str, str, int]] = set()
    for event in events:
        day = event.at // DAY
        if event.strategy_id not in manager.per_strategy:
            manager.register_strategy(event.strategy_id, capital)
        if days and day not in days:
            _reset(manager, event.at, capital)
        days.add(day)
        kinds[event.kind] += 1
        if event.kind == "trade":
            wins += event.pnl > 0.0
            told = manager.record_strategy_trade(event.strategy_id, event.pnl, at=event.at)
        else:
            told = manager.record_rejection(event.strategy_id, event.symbol, event.reason, at=event.at)
        halts |= {(e.switch, e.scope, day) for e in told if e.after >= Severity.HALT and e.after > e.before}
    if not days:
        raise InvalidArgument("the history is empty: a trade or a rejection is needed")
    by_switch = Counter((switch, scope) for switch, scope, _ in halts)
    trades, rejections = kinds["trade"], kinds["rejection"]
    return ReplayedHistory(
        days=len(days), trades=trades, rejections=rejections, trades_a_day=trades / len(days),
        rejection_rate=rejections / (trades + rejections), win_rate=wins / trades if trades else None,
        halted_days=len({day for _, _, day in halts}),
        switches=tuple(
            SwitchHistory(switch=switch, scope=scope, days=n, share=n / len(days))
            for (switch, scope), n in sorted(by_switch.items())
        ),
    )  # fmt: skip


def _reset(manager: AdvancedKillSwitchManager, at: int, capital: float) -> None:
    operator, why = "replay", "a new day"
    if manager.severity() >= Severity.HALT:
        manager.reset(at=at, operator=operator, reason=why)
    for name in manager.per_strategy:
        if manager.per_strategy.severity(name) < Severity.HALT:
            continue
        if float(manager.per_strategy.figures(name)["equity"] or 0.0) <= 0.0:
            raise InvalidArgument(f"strategy {name!r} lost all of its capital of {capital:g}: replay with more capital")
        manager.reset(at=at, scope=name, measure_anew=True, operator=operator, reason=why)
