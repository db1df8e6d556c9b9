"""The performance of one strategy, from its closed trades."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from rpmcore.controls.strategy_health import HealthInputs, StrategyHealth, strategy_health
from rpmcore.controls.strategy_record import DAY, TradeRecord, daily_pnl, daily_returns, weekday
from rpmcore.controls.strategy_settings import StrategySettings
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.performance import probabilistic_sharpe as probable
from rpmcore.risk.performance.downside import downside_ratios
from rpmcore.risk.performance.drawdown import drawdowns
from rpmcore.risk.performance.edge import EdgeTest, edge_test
from rpmcore.risk.performance.expectancy import expectancy
from rpmcore.risk.performance.figure import Figure, fact, undefined
from rpmcore.risk.performance.losing_runs import losing_runs
from rpmcore.risk.performance.monitor import EdgeMonitor
from rpmcore.risk.performance.profit_factor import profit_factor
from rpmcore.risk.performance.sharpe import PERIODS_PER_YEAR, moments, sharpe_ratio
from rpmcore.risk.performance.win_rate import win_rate

Evidence = Literal["sufficient", "insufficient"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """The strategies that one was chosen from: their number, and the variance of their per-period Sharpe ratios."""

    n: int
    variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPerformance:
    """The figures of the trades that closed within some days, each with its interval and number.

    Attributes
    ----------
    days
        Length of the period up to the time asked for.
    evidence
        ``"insufficient"`` below the minimum number of trades, whatever the figures say.
    win_rate, expectancy, expectancy_r, profit_factor
        Of trades; money in account currency, R in units of the risk per trade.
    maximum_drawdown, current_drawdown
        Fractions of the peak of equity, the highest since the strategy began.
    longest_losing_run, current_losing_run
        Trades.
    sharpe, sortino, calmar
        Of daily returns on equity, weekdays in UTC, annualised with 252; trades of a weekend count on Monday.
    probabilistic_sharpe, deflated_sharpe
        Confidence that the true ratio exceeds 0, and the best to expect of all trials without an edge.
    minimum_track_record
        Days until the probabilistic ratio reaches 1 − significance.
    edge
        The test looked at once.
    """

    days: int
    n_trades: int
    evidence: Evidence
    win_rate: Figure
    expectancy: Figure
    expectancy_r: Figure
    profit_factor: Figure
    maximum_drawdown: Figure
    current_drawdown: Figure
    longest_losing_run: Figure
    current_losing_run: Figure
    sharpe: Figure
    sortino: Figure
    calmar: Figure
    probabilistic_sharpe: Figure
    deflated_sharpe: Figure
    minimum_track_record: Figure
    edge: EdgeTest | None
    edge_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyPerformance:
    """A strategy at a time: its lookback, its recent trades, its health, and the monitor since it began."""

    strategy_id: str
    as_of: int
    capital: float
    equity: float
    evidence: Evidence
    lookback: PeriodPerformance
    recent: PeriodPerformance
    health: StrategyHealth
    monitor: EdgeMonitor


class StrategyPerformanceTracker:
    """Follows one strategy from closed trade to closed trade.

    Parameters
    ----------
    strategy_id
        Whose trades these are.
    capital
        Allocated to it, in account currency, above 0: where its equity curve begins.
    settings
        Lookbacks, minimum numbers and levels.
    break_even
        The rate of wins at which it earns nothing, where the odds were fixed before its trades; in (0, 1).

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """

    def __init__(
        self,
        strategy_id: str,
        capital: float,
        settings: StrategySettings | None = None,
        *,
        break_even: float | None = None,
    ) -> None:
        if break_even is not None and not 0.0 < break_even < 1.0:
            raise InvalidArgument(f"break_even must lie in (0, 1), but is {break_even!r}")
        self.settings = settings or StrategySettings()
        self.break_even = break_even
        self._trades = TradeRecord(strategy_id, capital, self.settings.lookback_days)
        self._monitor = self._new_monitor()

    @property
    def strategy_id(self) -> str:
        """Whose trades these are."""
        return self._trades.strategy_id

    @property
    def capital(self) -> float:
        """What it was allocated."""
        return self._trades.capital

    @property
    def monitor(self) -> EdgeMonitor:
        """Evidence for an edge since the first trade; may be looked at after each."""
        return self._monitor

    def record(self, trade: ClosedTrade) -> None:
        """Take in one more closed trade.

        Raises
        ------
        InvalidArgument
            If it is another strategy's, closes before the last one, or has the id of one within the lookback.
        """
        self._trades.add(trade)
        self._monitor = self._monitor.after(trade.pnl)

    def begin_again(self, at: int, capital: float | None = None) -> None:
        """Judge by the trades after `at` alone, from the equity that is left, or from new capital.

        The monitor of the edge goes on, as beginning it anew would be another look; with new capital it begins anew,
        its bound being a fraction of it.

        Raises
        ------
        InvalidArgument
            If `at` lies before the last trade, or nothing is left and no capital is given.
        """
        self._check_time(at)
        self._trades.begin_again(at, capital)
        if capital is not None:
            self._monitor = self._new_monitor()

    def trades(self, as_of: int) -> tuple[ClosedTrade, ...]:
        """Return the trades within the lookback.

        Raises
        ------
        InvalidArgument
            If `as_of` lies before the last trade.
        """
        self._check_time(as_of)
        return self._trades.within(as_of - self.settings.lookback_days * DAY, as_of)

    def daily(self, as_of: int) -> tuple[int, Vector]:
        """Return the P&L of each weekday of the lookback, or since the strategy began, and the first one's count."""
        return self._daily(as_of, self.settings.lookback_days)

    def returns(self, as_of: int) -> Vector | None:
        """Return the daily returns on equity within the lookback; None where there was none to earn on."""
        equity, _ = self._trades.before(as_of - self.settings.lookback_days * DAY)
        return daily_returns(self.daily(as_of)[1], equity)

    def health(self, as_of: int) -> StrategyHealth:
        """Return the health at a time that does not lie before the last trade."""
        trades = self.trades(as_of)
        equity, peak = self._trades.before(as_of - self.settings.lookback_days * DAY)
        recent = as_of - self.settings.recent_days * DAY
        inputs = HealthInputs(
            pnl=[trade.pnl for trade in trades],
            risk=_risks(trades),
            n_recent=sum(trade.closed_at > recent for trade in trades),
            equity=equity,
            peak=peak,
            break_even=self.break_even,
        )
        return strategy_health(inputs, self.settings)

    def performance(self, as_of: int, trials: Trials | None = None) -> StrategyPerformance:
        """Return every figure at a time that does not lie before the last trade.

        Raises
        ------
        InvalidArgument
            If it does.
        """
        self._check_time(as_of)
        lookback = self._period(as_of, self.settings.lookback_days, trials)
        return StrategyPerformance(
            strategy_id=self.strategy_id,
            as_of=as_of,
            capital=self.capital,
            equity=self._trades.before(as_of)[0],
            evidence=lookback.evidence,
            lookback=lookback,
            recent=self._period(as_of, self.settings.recent_days, trials),
            health=self.health(as_of),
            monitor=self._monitor,
        )

    def state(self) -> dict[str, Any]:
        """Return everything but the settings as plain JSON, exactly."""
        return {"break_even": self.break_even, "trades": self._trades.state(), "monitor": asdict(self._monitor)}

    @classmethod
    def from_state(
        cls, state: dict[str, Any], settings: StrategySettings | None = None
    ) -> "StrategyPerformanceTracker":
        """Return the tracker that gave this `state`, under the same settings."""
        trades = state["trades"]
        tracker = cls(trades["strategy_id"], trades["capital"], settings, break_even=state["break_even"])
        tracker._trades = TradeRecord.from_state(trades, tracker.settings.lookback_days)
        tracker._monitor = EdgeMonitor(**state["monitor"])
        return tracker

    def _new_monitor(self) -> EdgeMonitor:
        bound = self.settings.loss_bound * self._trades.capital
        return EdgeMonitor(loss_bound=bound, significance=self.settings.significance)

    def _check_time(self, as_of: int) -> None:
        last = self._trades.last
        if last is not None and as_of < last:
            raise InvalidArgument(f"as_of {as_of} lies before {last}, up to which {self.strategy_id!r} is recorded")

    def _daily(self, as_of: int, days: int) -> tuple[int, Vector]:
        self._check_time(as_of)
        start = as_of - days * DAY
        first, last = weekday(start + DAY), weekday(as_of)
        if self._trades.since is not None:
            first = max(first, weekday(self._trades.since))
        first = min(first, last)
        return first, daily_pnl(self._trades.within(start, as_of), first, last)

    def _period(self, as_of: int, days: int, trials: Trials | None) -> PeriodPerformance:
        start, settings = as_of - days * DAY, self.settings
        trades = self._trades.within(start, as_of)
        equity, peak = self._trades.before(start)
        n = len(trades)
        figures = _trade_figures(trades, equity, peak, settings) if trades else dict.fromkeys(OF_TRADES, NO_TRADE)
        ratios = _return_figures(daily_returns(self._daily(as_of, days)[1], equity), trials, settings)
        edge = None
        if trades:
            edge = edge_test(
                [trade.pnl for trade in trades],
                break_even=self.break_even,
                resamples=settings.resamples,
                seed=settings.seed,
            )
        return PeriodPerformance(
            days=days,
            n_trades=n,
            evidence="sufficient" if n >= settings.minimum_trades else "insufficient",
            edge=edge,
            edge_reason=None if trades else NO_TRADE.value_reason,
            **figures,
            **(ratios if trades else dict.fromkeys(ratios, NO_TRADE)),
        )


NO_TRADE = undefined("no trade closed within these days", 0)

OF_TRADES = (
    "win_rate", "expectancy", "expectancy_r", "profit_factor", "maximum_drawdown", "current_drawdown",
    "longest_losing_run", "current_losing_run",
)  # fmt: skip


def _risks(trades: Sequence[ClosedTrade]) -> list[float] | None:
    known = [trade.risk for trade in trades if trade.risk is not None]
    return known if len(known) == len(trades) else None


def _trade_figures(
    trades: Sequence[ClosedTrade], equity: float, peak: float, settings: StrategySettings
) -> dict[str, Figure]:
    pnl, risk = np.array([trade.pnl for trade in trades], dtype=np.float64), _risks(trades)
    n = pnl.shape[0]
    bootstrap: Any = {"coverage": settings.interval, "resamples": settings.resamples, "seed": settings.seed}
    if equity > 0.0:
        maximum, current = drawdowns(pnl, equity, peak=peak, **bootstrap)
    else:
        maximum = current = undefined("the equity was lost before", n)
    longest, running = losing_runs(pnl)
    return {
        "win_rate": win_rate(pnl, coverage=settings.interval),
        "expectancy": expectancy(pnl, **bootstrap),
        "expectancy_r": (
            undefined(f"{sum(trade.risk is None for trade in trades)} of {n} trades say no risk", n)
            if risk is None
            else expectancy(pnl, risk, **bootstrap)
        ),
        "profit_factor": profit_factor(pnl, **bootstrap),
        "maximum_drawdown": maximum,
        "current_drawdown": current,
        "longest_losing_run": fact(longest, n),
        "current_losing_run": fact(running, n),
    }


def _return_figures(returns: Vector | None, trials: Trials | None, settings: StrategySettings) -> dict[str, Figure]:
    names = ("sharpe", "sortino", "calmar", "probabilistic_sharpe", "deflated_sharpe", "minimum_track_record")
    if returns is None:
        return dict.fromkeys(names, undefined("the equity was lost, and nothing is earned on none", 0))
    n = returns.shape[0]
    bootstrap: Any = {"coverage": settings.interval, "resamples": settings.resamples, "seed": settings.seed}
    sortino, calmar = downside_ratios(returns, periods_per_year=PERIODS_PER_YEAR, **bootstrap)
    try:
        sharpe, found = sharpe_ratio(returns, coverage=settings.interval), moments(returns)
    except (InsufficientData, Undefined) as error:
        return {**dict.fromkeys(names, undefined(str(error), n)), "sortino": sortino, "calmar": calmar}
    shape: Any = {"skewness": found.skewness, "raw_kurtosis": found.raw_kurtosis}
    one = "it is a probability by itself"

    def figure(compute: Any, reason: str) -> Figure:
        try:
            return Figure(value=compute(), lower_reason=reason, upper_reason=reason, n=n)
        except Undefined as error:
            return undefined(str(error), n)

    deflated = undefined("it is not known how many strategies this one was chosen from", n)
    if trials is not None:
        many: Any = {"trials": trials.n, "trials_variance": trials.variance}
        deflated = figure(lambda: probable.deflated_sharpe(found.sharpe, n_obs=n, **shape, **many), one)
    return {
        "sharpe": sharpe,
        "sortino": sortino,
        "calmar": calmar,
        "probabilistic_sharpe": figure(lambda: probable.probabilistic_sharpe(found.sharpe, n_obs=n, **shape), one),
        "deflated_sharpe": deflated,
        "minimum_track_record": figure(
            lambda: probable.minimum_track_record(found.sharpe, **shape, confidence=1.0 - settings.significance),
            "it takes the estimates for true",
        ),
    }
