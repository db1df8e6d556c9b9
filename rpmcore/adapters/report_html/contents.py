"""What the report is made of: the results of the jobs, as they gave them, and nothing that a clock tells.

A field ``x_reason`` says why ``x`` is None, where it is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rpmcore.controls.limits_report import LimitsReport
from rpmcore.controls.strategy_report import StrategiesReport
from rpmcore.decision.settings import DecisionSettings
from rpmcore.risk.backtesting.report import BacktestReport
from rpmcore.risk.clustering import ClusteredCorrelation
from rpmcore.risk.exposure.report import ExposureReport
from rpmcore.risk.pnl_shape import PnlShape
from rpmcore.risk.report import Evaluation
from rpmcore.risk.stress.study import StressReport

if TYPE_CHECKING:  # of a higher floor: the report is handed one, and makes none
    from rpmcore.gate_status import GateStatus

NOT_GIVEN = "not given"

Level = Literal["ok", "warning", "fail", "unknown"]
"""``unknown`` is a verdict that could not be given: it passes for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One verdict of the summary.

    Attributes
    ----------
    name, title
        Such as ``limits`` and ``Limits``.
    label
        In a word, such as BREACH.
    text
        In a sentence.
    section
        Where in the report it is explained.
    """

    name: str
    title: str
    level: Level
    label: str
    text: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentData:
    """What the prices of one instrument lack: rows in the window, and days for which the last close has stood."""

    symbol: str
    missing: int
    unchanged_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSetting:
    """A setting that is not at its default."""

    key: str
    value: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings behind every figure.

    `digest` is that of all `settings` that figures depend on, `changed` those that are not at their default.
    """

    digest: str
    changed: tuple[ChangedSetting, ...]
    settings: DecisionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """A gate and its last decisions, from a ledger whose every record was verified.

    Attributes
    ----------
    records, decisions
        How many verify, all and of decisions.
    approved, cut, rejected
        Of the decisions that `status` holds.
    reasons
        Why decisions were rejected, the most frequent first, and how often.
    """

    status: "GateStatus"
    records: int
    decisions: int
    approved: int
    cut: int
    rejected: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskReport:
    """Everything that the report shows.

    Attributes
    ----------
    evaluation, exposure, stress, backtest, limits, strategies
        As ``rpm evaluate`` and the other commands give them: the same numbers. `strategies` and `gate` are there only
        where trades and a ledger were given.
    shape, correlation
        Of past P&L, and of what is held.
    instruments
        Those whose prices lack something.
    """

    version: str
    configuration: Configuration
    evaluation: Evaluation
    shape: PnlShape | None
    shape_reason: str | None = None
    correlation: ClusteredCorrelation | None
    correlation_reason: str | None = None
    exposure: ExposureReport | None
    exposure_reason: str | None = None
    stress: StressReport | None
    stress_reason: str | None = None
    backtest: BacktestReport | None
    backtest_reason: str | None = None
    limits: LimitsReport | None
    limits_reason: str | None = None
    strategies: StrategiesReport | None
    strategies_reason: str | None = NOT_GIVEN
    gate: GateRecord | None
    gate_reason: str | None = NOT_GIVEN
    instruments: tuple[InstrumentData, ...]
