"""A strategy that fails is disabled, and that strategy alone."""

from collections import deque
from typing import Any

from rpmcore.controls.kill_switch_settings import PerStrategySettings
from rpmcore.controls.latch import HALT, WARNING, Latch, check_number
from rpmcore.domain.controls import ControlEvent, Severity, UnknownStrategy
from rpmcore.domain.errors import InvalidArgument, nearest


class _Strategy:
    """What is known of one strategy."""

    __slots__ = ("approvals_told", "capital", "decisions", "drawdown", "equity", "losses", "peak", "rejected",
                 "rejection_rate", "streak")  # fmt: skip

    def __init__(self, strategy_id: str, capital: float, settings: PerStrategySettings, clear: float) -> None:
        self.capital = self.equity = self.peak = capital
        self.streak = self.rejected = 0
        self.decisions: deque[int] = deque()
        self.approvals_told = False
        levels = ((settings.warning_share, WARNING), (1.0, HALT))
        self.drawdown = Latch("per_strategy", "drawdown", levels, clear, strategy_id)
        self.losses = Latch("per_strategy", "consecutive losses", levels, clear, strategy_id)
        self.rejection_rate = Latch("per_strategy", "rejection rate", levels, clear, strategy_id)

    @property
    def latches(self) -> tuple[Latch, Latch, Latch]:
        return self.drawdown, self.losses, self.rejection_rate

    @property
    def severity(self) -> Severity:
        return max(latch.severity for latch in self.latches)

    def state(self) -> dict[str, Any]:
        return {
            "capital": self.capital, "equity": self.equity, "peak": self.peak, "streak": self.streak,
            "decisions": list(self.decisions), "approvals_told": self.approvals_told,
            "latches": [latch.state() for latch in self.latches],
        }  # fmt: skip

    def restore(self, state: dict[str, Any], most: int) -> None:
        self.equity, self.peak, self.streak = state["equity"], state["peak"], state["streak"]
        self.decisions = deque(state["decisions"][-most:])
        self.rejected, self.approvals_told = sum(self.decisions), state["approvals_told"]
        for latch, saved in zip(self.latches, state["latches"], strict=True):
            latch.restore(saved)


class PerStrategyKillSwitch:
    """Drawdown, losses in a row and share of rejections of each strategy; at a limit, that strategy is disabled.

    - Drawdown is (peak − E)/peak with E the strategy's capital plus its P&L.
    - A trade that ends at exactly zero neither lengthens nor breaks a row of losses.
    - The rejection rate is that of the last `decisions` approvals and rejections, and exists from `minimum_decisions`
      on. Until a strategy's first approval is recorded its closed trades stand for approvals.

    Parameters
    ----------
    settings
        Defaults: 10 % of drawdown, 5 losses in a row, half of the decisions rejected.
    clear
        Share of a limit below which WARNING ends.
    """

    def __init__(self, settings: PerStrategySettings | None = None, *, clear: float = 0.4) -> None:
        self.settings, self._clear = settings or PerStrategySettings(), clear
        self._strategies: dict[str, _Strategy] = {}

    def register(self, strategy_id: str, capital: float) -> None:
        """Let a strategy be known, with the capital that it was given.

        Raises
        ------
        InvalidArgument
            If it is registered already, has no name, or its capital is not a positive number.
        """
        if not isinstance(strategy_id, str) or not strategy_id or strategy_id == "account":
            raise InvalidArgument(
                f"strategy_id is {strategy_id!r}: a text that is neither empty nor 'account' is needed"
            )
        if strategy_id in self._strategies:
            raise InvalidArgument(f"strategy {strategy_id!r} is registered already: its past is not thrown away")
        if check_number(capital, f"capital of {strategy_id!r}") <= 0.0:
            raise InvalidArgument(f"capital of {strategy_id!r} is {capital!r}: a positive amount is needed")
        self._strategies[strategy_id] = _Strategy(strategy_id, float(capital), self.settings, self._clear)

    def __contains__(self, strategy_id: str) -> bool:
        return strategy_id in self._strategies

    def __iter__(self) -> Any:
        return iter(self._strategies)

    def severity(self, strategy_id: str) -> Severity:
        """Return how severe it is; HALT for a strategy that is not known."""
        known = self._strategies.get(strategy_id)
        return HALT if known is None else known.severity

    def latches(self, strategy_id: str) -> tuple[Latch, Latch, Latch]:
        """Return those of drawdown, losses and rejection rate."""
        return self._of(strategy_id).latches

    def figures(self, strategy_id: str) -> dict[str, float | None]:
        """Return the present drawdown, losses in a row, and rejection rate (None below the minimum)."""
        one = self._of(strategy_id)
        n = len(one.decisions)
        return {
            "capital": one.capital, "equity": one.equity, "drawdown": (one.peak - one.equity) / one.peak,
            "consecutive_losses": one.streak,
            "rejection_rate": one.rejected / n if n >= self.settings.minimum_decisions else None,
        }  # fmt: skip

    def record_trade(
        self, strategy_id: str, pnl: float, *, at: int, correlation_id: str = ""
    ) -> tuple[ControlEvent, ...]:
        """Take the P&L of a closed trade, in account currency.

        Raises
        ------
        UnknownStrategy
            If the strategy was never registered.
        InvalidArgument
            If the P&L is not finite.
        """
        one, money = self._of(strategy_id), check_number(pnl, "pnl")
        one.equity = check_number(one.equity + money, f"equity of {strategy_id!r} after a P&L of {money!r}")
        one.peak = max(one.peak, one.equity)
        if money:
            one.streak = one.streak + 1 if money < 0.0 else 0
        if not one.approvals_told:
            self._decide(one, 0)
        return self._judge(one, at, correlation_id)

    def record_decision(
        self, strategy_id: str, *, rejected: bool, at: int, correlation_id: str = ""
    ) -> tuple[ControlEvent, ...]:
        """Take a decision on an order of the strategy.

        Raises
        ------
        UnknownStrategy
            If the strategy was never registered.
        """
        one = self._of(strategy_id)
        one.approvals_told = one.approvals_told or not rejected
        self._decide(one, int(rejected))
        return self._judge(one, at, correlation_id)

    def measure_anew(self, strategy_id: str) -> None:
        """Accept what was lost: drawdown, row of losses and decisions begin again from the present equity.

        Raises
        ------
        UnknownStrategy
            If the strategy was never registered.
        InvalidArgument
            If nothing of its capital is left.
        """
        one = self._of(strategy_id)
        if one.equity <= 0.0:
            raise InvalidArgument(f"strategy {strategy_id!r} has lost its capital: register another with new capital")
        one.peak, one.streak, one.rejected = one.equity, 0, 0
        one.decisions.clear()

    def evaluate(self, strategy_id: str, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Judge a strategy by what is known of it."""
        return self._judge(self._of(strategy_id), at, correlation_id)

    def _decide(self, one: _Strategy, rejected: int) -> None:
        if len(one.decisions) == self.settings.decisions:
            one.rejected -= one.decisions.popleft()
        one.decisions.append(rejected)
        one.rejected += rejected

    def _judge(self, one: _Strategy, at: int, correlation_id: str) -> tuple[ControlEvent, ...]:
        chosen, n = self.settings, len(one.decisions)
        rate = one.rejected / n if n >= chosen.minimum_decisions else 0.0
        return (
            *one.drawdown.update(at, (one.peak - one.equity) / one.peak, chosen.max_drawdown, correlation_id),
            *one.losses.update(at, float(one.streak), float(chosen.max_consecutive_losses), correlation_id),
            *one.rejection_rate.update(at, rate, chosen.max_rejection_rate, correlation_id),
        )

    def _of(self, strategy_id: str) -> _Strategy:
        known = self._strategies.get(strategy_id)
        if known is None:
            meant = nearest(str(strategy_id), list(self._strategies))
            hint = f"did you mean {meant!r}? If not, register" if meant else "register"
            raise UnknownStrategy(f"strategy {strategy_id!r} is not known; {hint} it with its capital")
        return known

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {name: one.state() for name, one in self._strategies.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._strategies = {}
        for name, saved in state.items():
            self.register(name, saved["capital"])
            self._strategies[name].restore(saved, self.settings.decisions)
