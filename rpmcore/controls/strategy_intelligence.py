"""Which strategies may trade, how large, and with how much of the capital."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from rpmcore.controls.strategy_allocation import Allocation, StrategyAllocation, StrategyReturns, allocate
from rpmcore.controls.strategy_health import StrategyHealth
from rpmcore.controls.strategy_record import DAY
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.controls.strategy_suggestions import Suggestion, suggest
from rpmcore.controls.strategy_tracker import StrategyPerformance, StrategyPerformanceTracker, Trials
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined, nearest
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.performance.sharpe import moments

Status = Literal["probation", "enabled", "disabled"]
Judgement = Literal["unjudged", "healthy", "critical", "returned"]

TRANSITIONS: dict[tuple[Status, Judgement], Status] = {
    ("probation", "unjudged"): "probation",
    ("probation", "healthy"): "enabled",
    ("probation", "critical"): "disabled",
    ("enabled", "unjudged"): "probation",
    ("enabled", "healthy"): "enabled",
    ("enabled", "critical"): "disabled",
    ("disabled", "unjudged"): "disabled",
    ("disabled", "healthy"): "disabled",
    ("disabled", "critical"): "disabled",
    ("disabled", "returned"): "probation",
}
"""A strategy that is disabled stays so, whatever its open trades still earn, until it is returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyState:
    """What a strategy may do, since when and why.

    Attributes
    ----------
    since
        The time of the last change, UTC nanoseconds; None before the first.
    reason
        One line.
    operator
        Who brought it back; None where time or its trades decided.
    """

    strategy_id: str
    status: Status
    since: int | None
    reason: str
    operator: str | None = None

    def __post_init__(self) -> None:
        # A status that is none must not pass for one that may trade.
        if self.status not in get_args(Status):
            raise InvalidArgument(f"a strategy is {', '.join(get_args(Status))}, not {self.status!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRank:
    """A strategy's place by health; those without a score come last, and equals in the order of their names."""

    rank: int
    strategy_id: str
    enabled: bool
    multiplier: float
    state: StrategyState
    health: StrategyHealth


class StrategyIntelligenceEngine:
    """Judges the strategies of an account by their closed trades.

    A strategy begins on probation, where its trades are taken at the probation multiplier. With enough trades it is
    judged after each: below `disable_below` it is disabled. It comes back by an operator, or after `suspension_days`;
    then on probation, and judged by the trades since.

    Parameters
    ----------
    settings
        The section ``strategies``.
    """

    def __init__(self, settings: StrategySettings | None = None) -> None:
        self.settings = settings or StrategySettings()
        self._trackers: dict[str, StrategyPerformanceTracker] = {}
        self._states: dict[str, StrategyState] = {}

    @property
    def strategies(self) -> tuple[str, ...]:
        """The registered strategies, by name."""
        return tuple(sorted(self._trackers))

    def register(self, strategy_id: str, capital: float, *, break_even: float | None = None) -> None:
        """Take a strategy in, on probation.

        Parameters
        ----------
        strategy_id
            Any non-empty text.
        capital
            Allocated to it, in account currency, above 0.
        break_even
            Its rate of wins at which nothing is earned, where fixed before its trades; in (0, 1).

        Raises
        ------
        InvalidArgument
            If it is registered already, or an argument is out of its range.
        """
        if not isinstance(strategy_id, str) or not strategy_id.strip():
            raise InvalidArgument(f"strategy_id must be a text that is not empty, but is {strategy_id!r}")
        if strategy_id in self._trackers:
            raise InvalidArgument(f"strategy {strategy_id!r} is registered already")
        tracker = StrategyPerformanceTracker(strategy_id, capital, self.settings, break_even=break_even)
        self._trackers[strategy_id] = tracker
        self._states[strategy_id] = StrategyState(
            strategy_id=strategy_id,
            status="probation",
            since=None,
            reason=f"new: it is judged from {self.settings.minimum_trades} trades on",
        )

    def record(self, trade: ClosedTrade) -> StrategyState:
        """Take in a closed trade, judge its strategy, and return what it may do from then on.

        Raises
        ------
        InvalidArgument
            If the strategy is unknown, or its tracker refuses the trade.
        """
        tracker = self.tracker(trade.strategy_id)
        tracker.record(trade)
        return self._judge(trade.strategy_id, trade.closed_at)

    def review(self, as_of: int) -> tuple[StrategyState, ...]:
        """Judge every strategy at a time, return those whose suspension is over, and say what each may do.

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade of one.
        """
        return tuple(self._judge(strategy_id, as_of) for strategy_id in self.strategies)

    def enable(
        self, strategy_id: str, *, at: int, operator: str, reason: str, capital: float | None = None
    ) -> StrategyState:
        """Bring a disabled strategy back, on probation, judged by the trades after `at`.

        Parameters
        ----------
        operator, reason
            Who and why, neither empty.
        capital
            New capital; None goes on with what is left.

        Raises
        ------
        InvalidArgument
            If it is unknown or not disabled, a text is empty, or nothing is left and no capital is given.
        """
        state = self.state_of(strategy_id)
        if not operator.strip() or not reason.strip():
            raise InvalidArgument("a strategy is brought back by a named operator with a written reason")
        if state.status != "disabled":
            raise InvalidArgument(f"strategy {strategy_id!r} is not disabled, but {state.status}")
        return self._return(strategy_id, at, reason, operator, capital)

    def is_strategy_enabled(self, strategy_id: str) -> bool:
        """Say whether a strategy may trade, as of the last trade or review; on probation it may, at a smaller size.

        Raises
        ------
        InvalidArgument
            If it is unknown: a caller must then refuse to trade.
        """
        return self.state_of(strategy_id).status != "disabled"

    def multiplier(self, strategy_id: str) -> float:
        """Return the factor on the size of its trades: 1, the probation multiplier, or 0 where disabled.

        Raises
        ------
        InvalidArgument
            If it is unknown.
        """
        factors = {"enabled": 1.0, "probation": self.settings.probation_multiplier, "disabled": 0.0}
        return factors[self.state_of(strategy_id).status]

    def state_of(self, strategy_id: str) -> StrategyState:
        """Return what a strategy may do, since when and why.

        Raises
        ------
        InvalidArgument
            If it is unknown.
        """
        self.tracker(strategy_id)
        return self._states[strategy_id]

    def tracker(self, strategy_id: str) -> StrategyPerformanceTracker:
        """Return the tracker of a strategy.

        Raises
        ------
        InvalidArgument
            If it is unknown.
        """
        if strategy_id in self._trackers:
            return self._trackers[strategy_id]
        near = nearest(str(strategy_id), self.strategies)
        hint = f"did you mean {near!r}?" if near else "register it first"
        raise InvalidArgument(f"strategy {strategy_id!r} is unknown; {hint}")

    def performances(self, as_of: int) -> tuple[StrategyPerformance, ...]:
        """Return every figure of every strategy; the Sharpe ratios are deflated by the number registered.

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade of one.
        """
        trials = self._trials(as_of)
        return tuple(self._trackers[name].performance(as_of, trials) for name in self.strategies)

    def rankings(self, as_of: int) -> tuple[StrategyRank, ...]:
        """Return the strategies by health score, best first.

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade of one.
        """
        healths = {name: self._trackers[name].health(as_of) for name in self.strategies}

        def place(name: str) -> tuple[bool, float, str]:
            score = healths[name].score
            return score is None, -(score or 0.0), name

        return tuple(
            StrategyRank(
                rank=rank,
                strategy_id=name,
                enabled=self.is_strategy_enabled(name),
                multiplier=self.multiplier(name),
                state=self._states[name],
                health=healths[name],
            )
            for rank, name in enumerate(sorted(self.strategies, key=place), start=1)
        )

    def allocations(self, as_of: int) -> Allocation:
        """Return the share of the capital of each strategy, nothing for those that are disabled (see `allocate`).

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade of one.
        """
        enabled = []
        for name in filter(self.is_strategy_enabled, self.strategies):
            tracker = self._trackers[name]
            first, daily = tracker.daily(as_of)
            judged = len(tracker.trades(as_of)) >= self.settings.minimum_trades
            enabled.append(
                StrategyReturns(strategy_id=name, first=first, returns=daily / tracker.capital, judged=judged)
            )
        found = allocate(enabled, self.settings)
        shares = {share.strategy_id: share for share in found.strategies}
        return replace(found, strategies=tuple(shares.get(name) or self._nothing(name) for name in self.strategies))

    def suggestions(self, as_of: int) -> tuple[Suggestion, ...]:
        """Return what the trades within the lookback suggest to change, each with its evidence.

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade of one.
        """
        return tuple(
            item
            for name in self.strategies
            for item in suggest(name, self._trackers[name].trades(as_of), self.settings)
        )

    def state(self) -> dict[str, Any]:
        """Return everything but the settings as plain JSON, exactly."""
        return {
            name: {"tracker": self._trackers[name].state(), "state": asdict(self._states[name])}
            for name in self.strategies
        }

    @classmethod
    def from_state(
        cls, state: dict[str, Any], settings: StrategySettings | None = None
    ) -> "StrategyIntelligenceEngine":
        """Return the engine that gave this `state`, under the same settings."""
        engine = cls(settings)
        for name, kept in state.items():
            engine._trackers[name] = StrategyPerformanceTracker.from_state(kept["tracker"], engine.settings)
            engine._states[name] = StrategyState(**kept["state"])
        return engine

    def _judge(self, strategy_id: str, at: int) -> StrategyState:
        tracker, state = self._trackers[strategy_id], self._states[strategy_id]
        health = tracker.health(at)
        judgement: Judgement = "healthy"
        if health.score is None:
            judgement = "unjudged"
        elif health.band == "CRITICAL":
            judgement = "critical"
        status = TRANSITIONS[state.status, judgement]
        if status != state.status:
            state = StrategyState(strategy_id=strategy_id, status=status, since=at, reason=self._why(health))
            self._states[strategy_id] = state
        days = self.settings.suspension_days
        if state.status != "disabled" or days is None or state.since is None or at < state.since + days * DAY:
            return state
        try:
            return self._return(strategy_id, at, f"its suspension of {days} days is over", None, None)
        except InvalidArgument:
            # Without capital only an operator, who gives it some, can bring it back.
            return state

    def _return(
        self, strategy_id: str, at: int, reason: str, operator: str | None, capital: float | None
    ) -> StrategyState:
        self._trackers[strategy_id].begin_again(at, capital)
        status = TRANSITIONS[self._states[strategy_id].status, "returned"]
        self._states[strategy_id] = StrategyState(
            strategy_id=strategy_id, status=status, since=at, reason=reason, operator=operator
        )
        return self._states[strategy_id]

    def _why(self, health: StrategyHealth) -> str:
        if health.score is None:
            return str(health.score_reason)
        worst, limit = health.weakest, self.settings.disable_below
        verdict = f"health {health.score:.2f} is {'below' if health.band == 'CRITICAL' else 'not below'} {limit:g}"
        name = worst.name.replace("_", " ")
        return f"{verdict} after {health.n_trades} trades; most is lost by {name}: {worst.told}"

    def _nothing(self, strategy_id: str) -> StrategyAllocation:
        return StrategyAllocation(strategy_id=strategy_id, fraction=0.0, kelly=None, kelly_reason="it is disabled")

    def _trials(self, as_of: int) -> Trials | None:
        ratios = []
        for tracker in self._trackers.values():
            returns = tracker.returns(as_of)
            try:
                ratios.append(moments(returns).sharpe if returns is not None else None)
            except (InsufficientData, Undefined):
                ratios.append(None)
        known = [ratio for ratio in ratios if ratio is not None]
        if len(ratios) == 1:
            return Trials(n=1, variance=0.0)
        return Trials(n=len(ratios), variance=float(np.var(known, ddof=1))) if len(known) > 1 else None
