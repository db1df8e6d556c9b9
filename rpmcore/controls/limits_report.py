"""What ``rpm limits`` and ``rpm regime`` say: the field names are the keys of their JSON.

A field ``x_reason`` says why ``x`` is None, where it is.
"""

from dataclasses import dataclass
from datetime import date

from rpmcore.controls.adaptive_risk import AdaptiveLimits
from rpmcore.controls.regime import RegimeReading
from rpmcore.controls.regime_limits import RiskLimits
from rpmcore.controls.stress_limits import StressReading
from rpmcore.controls.volatility_thresholds import VolatilityReading
from rpmcore.domain.crises import Regime
from rpmcore.domain.report import ConfiguredReport, Shown, percent
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketData:
    """Which prices the state of the market rests on; `first` and `last` are the dates of the closes used.

    `market` is the symbol whose volatility and trend are read, or says what stands for it.
    """

    prices: str
    market: str
    n_obs: int
    n_assets: int
    first: date
    last: date
    dropped_rows: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LimitsReport(ConfiguredReport):
    """Every figure of ``rpm limits``: the limits for the day after `data.last`."""

    book: BookSummary
    data: MarketData
    limits: AdaptiveLimits
    regime: RegimeReading
    volatility: VolatilityReading
    stress: StressReading
    checks: tuple[LimitCheck, ...]
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.limits/1"
    MAIN = "checks"
    SHOWN = (
        Shown(
            table="checks", title="The book against them",
            columns=("name", "observed", "limit", "utilisation", "status"),
        ),
        Shown(
            table="limits.steps", title="How they come about",
            columns=("name", "verdict", "observed", "threshold", "multiplier", "result.risk_per_trade", "note"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        now = self.limits
        beyond = [check.name for check in self.checks if check.status == "breach"]
        held = f"{self.book.called} breaks {', '.join(beyond)}" if beyond else f"{self.book.called} keeps them"
        return (
            f"after {self.data.last}, {now.regime}: risk {percent(now.risk_per_trade)} a trade, gross exposure "
            f"{now.gross_exposure:.2f}, leverage {now.leverage:.2f}; {held}"
        )

    @property
    def breached(self) -> bool:
        """Whether the book is beyond a limit."""
        return any(check.status == "breach" for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeSpan:
    """Days in a row with one regime, by their closes; `known` is false where it is only taken for stressed."""

    regime: Regime
    known: bool
    first: date
    last: date
    n_days: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RegimeReport(ConfiguredReport):
    """Every figure of ``rpm regime``; `spans` are empty where the history was not asked for."""

    book: BookSummary
    data: MarketData
    reading: RegimeReading
    limits: RiskLimits
    spans: tuple[RegimeSpan, ...]
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.regime/1"
    MAIN = "spans"
    SHOWN = (
        Shown(
            table="reading.conditions", title="Evidence",
            columns=("name", "measure", "value", "rank", "begins", "ends", "holds"),
        ),
        Shown(table="spans", title="History", columns=("regime", "known", "first", "last", "n_days")),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return (
            f"after {self.data.last} the market ({self.data.market}) is {self.reading.regime}: risk "
            f"{percent(self.limits.risk_per_trade)} a trade, gross exposure {self.limits.gross_exposure:.2f}"
        )
