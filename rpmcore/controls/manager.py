"""All kill switches behind one door."""

from collections.abc import Callable, Mapping
from typing import Any

from rpmcore.controls.account_loss import AccountLossKillSwitch
from rpmcore.controls.exposure_velocity import ExposureVelocityKillSwitch
from rpmcore.controls.journal import Journal
from rpmcore.controls.kill_switch_settings import KillSwitchesSettings
from rpmcore.controls.latch import HALT, NONE, THROTTLE, WARNING, Latch, check_number, check_operator
from rpmcore.controls.per_strategy import PerStrategyKillSwitch
from rpmcore.controls.rejection_velocity import RejectionVelocityKillSwitch
from rpmcore.controls.repeated_execution import RepeatedExecutionKillSwitch
from rpmcore.domain.controls import (
    ACCOUNT,
    TRADING_STATES,
    ControlEvent,
    RejectionCause,
    Severity,
    TradingState,
    UnknownStrategy,
    cause_of,
)  # fmt: skip
from rpmcore.domain.errors import InvalidArgument

SCHEMA = "rpm.kill_switches/1"

Events = tuple[ControlEvent, ...]


class AdvancedKillSwitchManager:
    """Takes what happens, and answers what may still be traded.

    Every method takes its own time, or asks the clock. Times may be equal, never earlier than the command before. A
    method that raises has changed nothing.

    Parameters
    ----------
    settings
        Of all switches; without them the numbers of the specification.
    clock
        Returns nanoseconds UTC, for callers that give no `at`.
    equity
        Of the account at the start, in account currency. Without it the first `record_equity` or snapshot tells.
    strategies
        Capital by strategy, in account currency.
    """

    def __init__(
        self,
        settings: KillSwitchesSettings | None = None,
        *,
        clock: Callable[[], int] | None = None,
        equity: float | None = None,
        strategies: Mapping[str, float] | None = None,
    ) -> None:
        self.settings = chosen = settings or KillSwitchesSettings()
        clear = chosen.clear_share
        self._opening = None if equity is None else check_number(equity, "equity")
        if self._opening is not None and self._opening <= 0.0:
            raise InvalidArgument(f"equity is {equity!r}: a positive amount is needed to start from")
        self.rejection_velocity = RejectionVelocityKillSwitch(chosen.rejection_velocity, clear=clear)
        self.exposure_velocity = ExposureVelocityKillSwitch(chosen.exposure_velocity, clear=clear)
        self.per_strategy = PerStrategyKillSwitch(chosen.per_strategy, clear=clear)
        self.account = AccountLossKillSwitch(chosen.account, clear=clear)
        self.repeated_execution = RepeatedExecutionKillSwitch(chosen.repeated_execution)
        self._operator: dict[str, Latch] = {}
        self._journal = Journal(clock, chosen.event_log, chosen.remembered_ids)
        self._severities: dict[str, Severity] = {ACCOUNT: NONE}
        for name, capital in (strategies or {}).items():
            self.register_strategy(name, capital)

    # What is asked

    def is_trading_allowed(self, strategy_id: str | None = None, *, at: int | None = None) -> bool:
        """Return whether orders that open or add may be sent: by anybody, or by one strategy.

        False under HALT and LIQUIDATE, and for a strategy that is not known. Reducing orders: see `admits`.

        Raises
        ------
        InvalidArgument
            If there is neither `at` nor a clock, or time runs backwards.
        """
        self._journal.time(at)
        return self.severity(strategy_id).rank < HALT.rank

    def admits(self, *, reducing: bool, strategy_id: str | None = None, at: int | None = None) -> bool:
        """Return whether an order may be sent: a reducing one always, as far as kill switches are concerned.

        Raises
        ------
        InvalidArgument
            As `is_trading_allowed`.
        """
        return self.is_trading_allowed(strategy_id, at=at) or reducing

    def size_multiplier(self, strategy_id: str | None = None, *, at: int | None = None) -> float:
        """Return the factor on the size of orders that open or add: 1, ½ under THROTTLE, 0 under HALT and LIQUIDATE.

        Two switches that throttle do not multiply. Time that has passed is taken into account.

        Raises
        ------
        InvalidArgument
            As `is_trading_allowed`.
        """
        self.let_pass(at=at)
        severity = self.severity(strategy_id)
        if severity >= HALT:
            return 0.0
        return self.settings.throttle_multiplier if severity is THROTTLE else 1.0

    def severity(self, strategy_id: str | None = None) -> Severity:
        """Return the severity for the account, or the worse of the account's and a strategy's."""
        account = self._severities[ACCOUNT]
        if strategy_id is None:
            return account
        own = self._severities.get(strategy_id, HALT) if strategy_id != ACCOUNT else HALT
        return own if own.rank > account.rank else account

    def severities(self) -> dict[str, Severity]:
        """Return the severity of each scope by itself: the account, and each strategy without the account's."""
        return dict(self._severities)

    def trading_state(self, strategy_id: str | None = None) -> TradingState:
        """Return what a severity leaves open: everything, or reducing orders."""
        return TRADING_STATES[self.severity(strategy_id)]

    def latched(self) -> dict[tuple[str, str], Severity]:
        """Return the worst severity of each switch in each scope, by (switch, scope), of those above NONE."""
        worst: dict[tuple[str, str], Severity] = {}
        for scope in tuple(self._severities):
            for latch in self._latches(scope):
                name = latch.switch, scope
                if latch.severity > worst.get(name, NONE):
                    worst[name] = latch.severity
        return worst

    def standing(self, scope: str = ACCOUNT) -> tuple[tuple[Severity, str], ...]:
        """Return the switches of one scope that are above NONE: the severity of each, and why, as far as it is kept.

        Raises
        ------
        UnknownStrategy
            If the scope is neither the account nor registered.
        """
        self._check_scope(scope)
        found = []
        for latch in self._latches(scope):
            if latch.severity is not NONE:
                last = next(
                    (e for e in reversed(self._journal.events)
                     if (e.scope, e.switch, e.after) == (scope, latch.switch, latch.severity)), None,
                )  # fmt: skip
                who = f" ({last.operator})" if last is not None and last.operator else ""
                why = latch.measure if last is None else last.reason
                found.append((latch.severity, f"{latch.switch}: {why}{who}"))
        return tuple(found)

    @property
    def events(self) -> Events:
        """The most recent events, oldest first."""
        return tuple(self._journal.events)

    def statistics(self) -> dict[str, Any]:
        """Return what was taken, what it led to, and how things stand, in JSON's types."""
        return {
            "commands": self._journal.sequence,
            "counts": dict(sorted(self._journal.counts.items())),
            "severities": {name: severity.value for name, severity in self._severities.items()},
            "trading_state": self.trading_state().value,
            "events_kept": len(self._journal.events),
            "rejections_in_window": self.rejection_velocity.latch.observed,
            "rejection_threshold": self.rejection_velocity.threshold,
            "regime": self.rejection_velocity.regime,
            "gross_exposure": self.exposure_velocity.gross,
            "net_leverage": self.exposure_velocity.net_leverage,
            "equity": self.account.equity,
            "approved_exposure": self.exposure_velocity.approved,
            "strategies": {name: self.per_strategy.figures(name) for name in self.per_strategy},
        }

    # What happens

    def let_pass(self, *, at: int | None = None) -> Events:
        """Take note that time has passed: rejections that have left their window no longer throttle.

        Raises
        ------
        InvalidArgument
            For the time.
        """
        now = self._journal.time(at)
        events = self.rejection_velocity.evaluate(now, self._journal.correlation(None))
        return self._take(now, None, events, "clock")

    def register_strategy(self, strategy_id: str, capital: float) -> None:
        """Let a strategy be known, with the capital that it was given, in account currency.

        Raises
        ------
        InvalidArgument
            As `PerStrategyKillSwitch.register`.
        """
        self.per_strategy.register(strategy_id, capital)
        self.repeated_execution.latch(strategy_id)
        self._severities[strategy_id] = NONE

    def set_regime(self, regime: str | None, *, at: int | None = None, correlation_id: str | None = None) -> Events:
        """Take the regime of the market; None is one that nobody knows, and is judged as the strictest.

        Raises
        ------
        InvalidArgument
            If there is no such regime, or for the time.
        """
        now = self._journal.time(at)
        events = self.rejection_velocity.set_regime(
            regime, at=now, correlation_id=self._journal.correlation(correlation_id)
        )
        return self._take(now, None, events, "regimes")

    def record_rejection(
        self,
        strategy_id: str,
        symbol: str,
        reason: str,
        *,
        cause: RejectionCause | None = None,
        at: int | None = None,
        correlation_id: str | None = None,
        command_id: str | None = None,
    ) -> Events:
        """Take an order that was rejected.

        Parameters
        ----------
        strategy_id, symbol, reason
            In words or as codes; together they tell one rejection by a limit from another.
        cause
            Who rejected it; without it the reason tells (`cause_of`). KILL_SWITCH is believed only while this
            strategy or the account is at HALT or worse: a throttle turns nothing down.
        at, correlation_id, command_id
            Time; what it belongs to; an id that is taken once.

        Returns
        -------
        tuple of ControlEvent
            What changed.

        Raises
        ------
        InvalidArgument
            For the time, or a duplicate.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        kind = cause or cause_of(reason)
        if kind is RejectionCause.KILL_SWITCH:
            if self.severity(strategy_id) >= HALT and strategy_id in self.per_strategy:
                return self._take(now, command_id, (), "rejections_by_switch")
            kind = RejectionCause.OTHER
        counted, events = self.rejection_velocity.record(
            strategy_id, symbol, reason, kind, at=now, correlation_id=correlation
        )
        if not counted:
            return self._take(now, command_id, events, "rejections_repeated")
        if strategy_id in self.per_strategy:
            events += self.per_strategy.record_decision(strategy_id, rejected=True, at=now, correlation_id=correlation)
        else:
            why = f"rejection of {strategy_id!r}, a strategy that is not known: it counts for the account alone"
            events += (self._note(now, str(strategy_id), why, correlation),)
        return self._take(now, command_id, events, "rejections_counted")

    def record_approval(
        self, gross_increase: float, *, strategy_id: str | None = None, at: int | None = None,
        correlation_id: str | None = None, command_id: str | None = None,
    ) -> Events:  # fmt: skip
        """Take an order that was approved, by which gross exposure may grow (0 for a reducing one), in money.

        Raises
        ------
        InvalidArgument
            If it is negative or not finite, the strategy is not known, or for the time.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        check_number(gross_increase, "gross_increase", least=0.0)
        events: Events = ()
        if strategy_id is not None:
            events = self.per_strategy.record_decision(strategy_id, rejected=False, at=now, correlation_id=correlation)
        self.exposure_velocity.record_approval(gross_increase, at=now)
        return self._take(now, command_id, events, "approvals")

    def record_withdrawal(
        self, gross_increase: float, *, at: int | None = None, command_id: str | None = None
    ) -> Events:
        """Take back so much of what was approved: orders were cancelled, refused or expired.

        Raises
        ------
        InvalidArgument
            If it is negative or not finite, or for the time.
        """
        now = self._journal.time(at, command_id)
        self.exposure_velocity.record_withdrawal(gross_increase, at=now)
        return self._take(now, command_id, (), "withdrawals")

    def record_order(
        self, strategy_id: str, symbol: str, side: str, *, at: int | None = None, correlation_id: str | None = None,
        command_id: str | None = None,
    ) -> Events:  # fmt: skip
        """Take an order that was sent, ``buy`` or ``sell``.

        Raises
        ------
        InvalidArgument
            If the strategy or the side is not known, or for the time.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        self.per_strategy.figures(strategy_id)
        events = self.repeated_execution.record(strategy_id, symbol, side, at=now, correlation_id=correlation)
        return self._take(now, command_id, events, "orders")

    def record_snapshot(
        self,
        gross_exposure: float,
        net_leverage: float,
        *,
        equity: float | None = None,
        price_effect: float = 0.0,
        at: int | None = None,
        correlation_id: str | None = None,
        command_id: str | None = None,
    ) -> Events:
        """Take a snapshot of the book; see `ExposureVelocityKillSwitch.record`.

        Without `equity` the last that is known stands.

        Raises
        ------
        InvalidArgument
            If a number is not finite, exposure is negative, no equity is known, or for the time.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        check_number(gross_exposure, "gross_exposure", least=0.0)
        check_number(net_leverage, "net_leverage")
        check_number(price_effect, "price_effect")
        if equity is not None:
            check_number(equity, "equity")
        money = equity if equity is not None else self._equity()
        # All of it is checked before any of it is taken: a method that raises has changed nothing.
        self.exposure_velocity.checked(gross_exposure, net_leverage, money, price_effect)
        self._open(now)
        events: Events = ()
        if equity is not None:
            events = self.account.record_equity(equity, at=now, correlation_id=correlation)
        events += self.exposure_velocity.record(
            gross_exposure, net_leverage, money, price_effect=price_effect, at=now, correlation_id=correlation
        )
        return self._take(now, command_id, events, "snapshots")

    def record_equity(
        self, equity: float, *, at: int | None = None, correlation_id: str | None = None, command_id: str | None = None
    ) -> Events:
        """Take the equity of the account, in account currency.

        Raises
        ------
        InvalidArgument
            If it is not finite, the first one is not positive, or for the time.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        check_number(equity, "equity")
        self._open(now)
        events = self.account.record_equity(equity, at=now, correlation_id=correlation)
        return self._take(now, command_id, events, "equities")

    def record_cash_flow(self, amount: float, *, at: int | None = None, command_id: str | None = None) -> Events:
        """Take a payment in (positive) or out, in account currency.

        Raises
        ------
        InvalidArgument
            As `AccountLossKillSwitch.record_cash_flow`, or for the time.
        """
        now = self._journal.time(at, command_id)
        check_number(amount, "amount")
        self._open(now)
        self.account.record_cash_flow(amount)
        return self._take(now, command_id, (), "cash_flows")

    def record_strategy_trade(
        self, strategy_id: str, pnl: float, *, at: int | None = None, correlation_id: str | None = None,
        command_id: str | None = None,
    ) -> Events:  # fmt: skip
        """Take the P&L of a closed trade, in account currency.

        Raises
        ------
        UnknownStrategy
            If the strategy was never registered.
        InvalidArgument
            If the P&L is not finite, or for the time.
        """
        now, correlation = self._journal.time(at, command_id), self._journal.correlation(correlation_id)
        events = self.per_strategy.record_trade(strategy_id, pnl, at=now, correlation_id=correlation)
        return self._take(now, command_id, events, "trades")

    # What an operator says

    def trip(
        self, severity: Severity, *, operator: str, reason: str, scope: str = ACCOUNT, at: int | None = None,
        correlation_id: str | None = None,
    ) -> Events:  # fmt: skip
        """Stop by hand: the account, or one strategy.

        Raises
        ------
        InvalidArgument
            If operator or reason is blank, the severity is NONE or none at all, the scope is not known, or for the
            time.
        """
        now = self._journal.time(at)
        if not isinstance(severity, Severity):
            raise InvalidArgument(f"severity is {severity!r}: one of Severity is needed, such as Severity.HALT")
        if severity is NONE:
            raise InvalidArgument("a trip to NONE stops nothing: use reset to clear")
        self._check_scope(scope)
        latch = self._operator.get(scope) or Latch("operator", "", ((1.0, WARNING),), self.settings.clear_share, scope)
        events = latch.trip(now, severity, operator, reason, self._journal.correlation(correlation_id))
        self._operator[scope] = latch
        return self._take(now, None, events, "trips")

    def reset(
        self, *, operator: str, reason: str, scope: str = ACCOUNT, measure_anew: bool = False, at: int | None = None,
        correlation_id: str | None = None,
    ) -> Events:  # fmt: skip
        """Clear one scope, and judge it again at once: what is still true stays, and the event says so.

        The account's reset does not touch strategies, nor a strategy's the account.

        Parameters
        ----------
        operator, reason
            Who, and why in words.
        scope
            ``account``, or the id of a strategy.
        measure_anew
            Accept what was lost: drawdown, day, row of losses and decisions begin again from the present equity.
            Without it a strategy with five losses in a row stays disabled, because that is still true.
        at, correlation_id
            Time, and what it belongs to.

        Raises
        ------
        InvalidArgument
            If operator or reason is blank, the scope is not known, there is nothing left to measure anew from, or for
            the time.
        """
        now, correlation = self._journal.time(at), self._journal.correlation(correlation_id)
        self._check_scope(scope)
        check_operator(operator, reason)
        events: Events = ()
        if scope == ACCOUNT:
            if measure_anew:
                self.account.measure_anew()
            events = (
                *self.rejection_velocity.evaluate(now, correlation),
                *self.account.evaluate(now, correlation),
                *self.exposure_velocity.evaluate(now, correlation),
            )
        else:
            if measure_anew:
                self.per_strategy.measure_anew(scope)
            events = (
                *self.per_strategy.evaluate(scope, now, correlation),
                *self.repeated_execution.evaluate(scope, now, correlation),
            )
        for latch in self._latches(scope):
            events += latch.reset(now, operator, reason, correlation)
        return self._take(now, None, events, "resets")

    # Within

    def _open(self, now: int) -> None:
        if self.account.equity is None and self._opening is not None:
            self.account.record_equity(self._opening, at=now)

    def _equity(self) -> float:
        known = self.account.equity if self.account.equity is not None else self._opening
        if known is None:
            raise InvalidArgument("equity is not known: give equity= to the manager or the snapshot, or record_equity")
        return known

    def _check_scope(self, scope: str) -> None:
        if scope != ACCOUNT and scope not in self.per_strategy:
            raise UnknownStrategy(f"scope {scope!r} is neither 'account' nor a registered strategy")

    def _latches(self, scope: str) -> tuple[Latch, ...]:
        by_hand = (self._operator[scope],) if scope in self._operator else ()
        if scope == ACCOUNT:
            return (
                self.rejection_velocity.latch, *self.exposure_velocity.latches, *self.account.latches, *by_hand
            )  # fmt: skip
        return (*self.per_strategy.latches(scope), self.repeated_execution.latch(scope), *by_hand)

    def _note(self, at: int, scope: str, reason: str, correlation: str) -> ControlEvent:
        return ControlEvent(
            at=at, switch="per_strategy", scope=scope, before=HALT, after=HALT, observed=None, threshold=None,
            reason=reason, correlation_id=correlation,
        )  # fmt: skip

    def _take(self, at: int, command_id: str | None, events: Events, what: str) -> Events:
        self._journal.take(at, command_id, events, what)
        for event in events:
            if event.scope in self._severities:
                self._severities[event.scope] = max(latch.severity for latch in self._latches(event.scope))
        return events

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, in JSON's types; settings are not part of it."""
        return {
            "schema": SCHEMA, "opening": self._opening, "journal": self._journal.state(),
            "rejection_velocity": self.rejection_velocity.state(), "exposure_velocity": self.exposure_velocity.state(),
            "per_strategy": self.per_strategy.state(), "account": self.account.state(),
            "repeated_execution": self.repeated_execution.state(),
            "operator": {scope: latch.state() for scope, latch in self._operator.items()},
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, under the settings of this manager.

        Raises
        ------
        InvalidArgument
            If it is no such state, or damaged; or if it would lower a HALT or LIQUIDATE of this manager, which only an
            operator's reset does.
        """
        if state.get("schema") != SCHEMA:
            raise InvalidArgument(f"this state is {state.get('schema')!r}, not {SCHEMA!r}: it cannot be restored")
        fresh = AdvancedKillSwitchManager(self.settings, clock=self._journal.clock)
        try:
            _check_finite(state)
            fresh._restore(state)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise InvalidArgument(f"this state is damaged ({type(error).__name__}: {error}): halt") from error
        for scope, severity in self._severities.items():
            if severity >= HALT and fresh._severities.get(scope, HALT) < severity:
                raise InvalidArgument(
                    f"{scope!r} is at {severity.value}, which this state would clear: restore into a new manager, or "
                    "reset it as a named operator with a written reason"
                )
        self.__dict__.update(fresh.__dict__)

    def _restore(self, state: Mapping[str, Any]) -> None:
        for name in ("rejection_velocity", "exposure_velocity", "per_strategy", "account", "repeated_execution"):
            getattr(self, name).restore(state[name])
        self._opening = state["opening"]
        self._journal.restore(state["journal"])
        self._operator = {}
        for scope, saved in state["operator"].items():
            self._operator[scope] = Latch("operator", "", ((1.0, WARNING),), self.settings.clear_share, scope)
            self._operator[scope].restore(saved)
        self._severities = {
            scope: max(latch.severity for latch in self._latches(scope)) for scope in (ACCOUNT, *self.per_strategy)
        }


def _check_finite(state: Any) -> None:
    """Refuse a number that is not finite: no comparison with NaN would ever trip again."""
    if isinstance(state, float):
        check_number(state, "a number of the state")
    elif isinstance(state, Mapping):
        for item in state.values():
            _check_finite(item)
    elif isinstance(state, list):
        for item in state:
            _check_finite(item)
