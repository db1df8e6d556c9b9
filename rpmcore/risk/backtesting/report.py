"""What ``rpm backtest`` says: the field names are the keys of its JSON.

A field ``x_reason`` says why ``x`` is None, where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from rpmcore.domain.report import ConfiguredReport, Shown, percent
from rpmcore.risk.backtesting.excess_loss import ExcessLoss
from rpmcore.risk.backtesting.result import BacktestResult
from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestData:
    """Which prices it rests on; `first` and `last` are the first and the last day with a forecast."""

    prices: str
    n_obs: int
    n_assets: int
    first: date
    last: date
    dropped_rows: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationDay:
    """A day on which the loss was greater than the value at risk, as fractions of capital."""

    day: date
    loss: float
    value_at_risk: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSeries:
    """Every forecast and what happened, by day; `pnl` is negative for a loss."""

    dates: tuple[date, ...]
    pnl: tuple[float, ...]
    value_at_risk: tuple[float, ...]
    expected_shortfall: tuple[float, ...] | None
    expected_shortfall_reason: str = "the method has no expected shortfall on every day"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScore:
    """How one method did on the days that all have forecasts for.

    Attributes
    ----------
    zone
        Of the traffic light: ``green``, ``yellow`` or ``red``.
    coverage_p_value, independence_p_value
        Of Kupiec's and Christoffersen's tests.
    quantile_score, joint_score
        Mean scores of VaR (per capital), and of VaR and ES together (Fissler–Ziegel); less is better.
    p_value_against_best
        Diebold–Mariano: small where the difference to the best joint score is not chance.
    n_undefined
        Days on which this method had no answer; they count for none.
    """

    method: str
    n: int
    violations: int
    expected: float
    rate: float
    zone: str
    coverage_p_value: float | None
    coverage_p_value_reason: str | None = None
    independence_p_value: float | None
    independence_p_value_reason: str | None = None
    quantile_score: float
    joint_score: float | None
    joint_score_reason: str | None = "expected shortfall is not positive on every day"
    p_value_against_best: float | None
    p_value_against_best_reason: str | None = "it is the best"
    n_undefined: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BacktestReport(ConfiguredReport):
    """Every figure of ``rpm backtest``.

    Attributes
    ----------
    method, confidence, window
        Whose one-day forecasts these are, each from so many returns before its day.
    n, violations, expected, rate
        Days with a forecast, days whose loss was strictly greater, how many a right model expects, and the share.
    n_undefined
        Days without an answer of the method; they are not tested.
    tests
        By name; `rpmcore.risk.backtesting.result.BacktestResult`.
    worst
        Days of violation, those first whose loss was the largest multiple of value at risk.
    comparison
        Every method on the same days, best first; empty unless asked for.
    """

    book: BookSummary
    data: BacktestData
    method: str
    confidence: float
    window: int
    significance: float
    n: int
    violations: int
    expected: float
    rate: float
    n_undefined: int
    undefined: str | None
    undefined_reason: str = "the method has an answer on every day"
    excess: ExcessLoss
    tests: Mapping[str, BacktestResult]
    worst: tuple[ViolationDay, ...]
    series: ForecastSeries
    comparison: tuple[MethodScore, ...]
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.backtest/1"
    MAIN = "tests"
    ROWS: ClassVar[dict[str, type]] = {"tests": BacktestResult}
    SHOWN = (
        Shown(table="tests", title="Tests", columns=("test", "name", "statistic", "p_value", "verdict")),
        Shown(
            table="comparison", title="Methods on the same days",
            columns=("method", "violations", "expected", "rate", "zone", "joint_score", "p_value_against_best"),
        ),
        Shown(table="worst", title="Worst days", columns=("day", "loss", "value_at_risk", "ratio"), rows=5),
    )  # fmt: skip

    def lists(self) -> dict[str, Any]:
        """Return where `to_arrow` looks for lists; the tests stand in one, with their key as ``test``."""
        plain = self.to_plain()
        return {**plain, "tests": [{"test": key, **row} for key, row in plain["tests"].items()]}

    def headline(self) -> str:
        """Return the answer in a sentence."""
        failed = f"; failed: {', '.join(self.failed)}" if self.failed else "; every test passed"
        return (
            f"{self.method} VaR {percent(self.confidence, 1)} on {self.book.called}, {self.data.first} to "
            f"{self.data.last}: {self.violations} violations in {self.n:,} days, {self.expected:.1f} expected{failed}"
        )

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the tests that failed."""
        return tuple(name for name, test in self.tests.items() if test.verdict == "fail")
