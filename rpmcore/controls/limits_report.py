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


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsReport:
    """Every figure of ``rpm limits``: the limits for the day after `data.last`."""

    book: BookSummary
    data: MarketData
    limits: AdaptiveLimits
    regime: RegimeReading
    volatility: VolatilityReading
    stress: StressReading
    checks: tuple[LimitCheck, ...]
    warnings: tuple[Notice, ...]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeReport:
    """Every figure of ``rpm regime``; `spans` are empty where the history was not asked for."""

    book: BookSummary
    data: MarketData
    reading: RegimeReading
    limits: RiskLimits
    spans: tuple[RegimeSpan, ...]
    warnings: tuple[Notice, ...]
