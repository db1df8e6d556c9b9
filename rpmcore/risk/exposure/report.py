"""What ``rpm exposure`` says: the field names are the keys of its JSON.

A field ``x_reason`` says why ``x`` is None, where it is.
"""

from dataclasses import dataclass
from datetime import date

from rpmcore.domain.report import ConfiguredReport, Shown, counted, percent
from rpmcore.risk.exposure.cures import Breach
from rpmcore.risk.exposure.diversity import Diversification
from rpmcore.risk.exposure.hedging import Hedge
from rpmcore.risk.exposure.positions import CurrencyExposure, ProfileExposure
from rpmcore.risk.limits import LimitCheck
from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary

NO_VARIANCE = "the book has no variance under the factor model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureData:
    """Which prices and factor returns it rests on; `first` and `last` are the dates of the closes used."""

    prices: str
    factors: str | None
    factors_reason: str = "the factors are made from the prices"
    n_obs: int
    n_assets: int
    first: date
    last: date
    dropped_rows: int
    rows_without_factors: int
    return_days: int
    periods_per_year: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """The model behind the shares of the variance.

    Attributes
    ----------
    source
        ``given`` factor returns, or ``statistical`` ones made from the prices.
    rule
        How the factors came about, in words.
    lags, decay
        Of the Newey–West errors, and of the weights; no decay weighs all returns alike.
    condition_number
        Of the scaled factors; above 30 single betas mean little.
    daily, annual
        Volatility of the book under the model.
    """

    source: str
    rule: str
    lags: int
    decay: float | None
    decay_reason: str = "all returns weigh alike"
    condition_number: float
    daily: float
    annual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRow:
    """One factor of the model.

    Attributes
    ----------
    exposure, volatility
        Of the book to it, and its own, a year.
    moves_most
        The instruments, at most three, whose variance comes from it most, with the sign of their slope: they tell what
        a statistical factor is about.
    share
        Of the variance of the book.
    """

    name: str
    exposure: float
    moves_most: tuple[str, ...]
    volatility: float
    share: float | None
    share_reason: str | None = NO_VARIANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificRow:
    """The share of the variance that no factor explains; with those of the factors it sums to one."""

    share: float | None
    share_reason: str | None = NO_VARIANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta:
    """The slope of an instrument on one factor, its Newey–West standard error and their ratio."""

    factor: str
    value: float
    error: float
    t_statistic: float | None
    t_statistic_reason: str | None = "the factor explains the return without an error"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """What was estimated of one instrument.

    Attributes
    ----------
    weight
        Zero for what is not held: the market, and candidates for hedges.
    origin
        Where its profile comes from; `rpmcore.domain.factor_profiles.Origin`.
    betas
        In the order of the model's factors.
    share
        Of the variance of the book.
    """

    symbol: str
    weight: float
    origin: str
    betas: tuple[Beta, ...]
    r_squared: float | None
    r_squared_reason: str = "its return is the same every day"
    specific_volatility: float
    share: float | None
    share_reason: str | None = NO_VARIANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorRow:
    """The positions of one sector as fractions of capital, and their share of the variance."""

    sector: str
    net: float
    gross: float
    long: float
    short: float
    share: float | None
    share_reason: str | None = NO_VARIANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRow:
    """The positions of one strategy as fractions of capital, their beta, and their share of the variance."""

    strategy_id: str | None
    strategy_id_reason: str = "the book names none for these rows"
    n_positions: int
    net: float
    gross: float
    beta: float | None
    beta_reason: str | None
    share: float | None
    share_reason: str | None = NO_VARIANCE


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ExposureReport(ConfiguredReport):
    """Every figure of ``rpm exposure``."""

    book: BookSummary
    data: ExposureData
    model: ModelSummary
    factors: tuple[FactorRow, ...]
    specific: SpecificRow
    profile: tuple[ProfileExposure, ...]
    sectors: tuple[SectorRow, ...]
    currencies: tuple[CurrencyExposure, ...]
    strategies: tuple[StrategyRow, ...]
    assets: tuple[AssetRow, ...]
    diversification: Diversification
    limits: tuple[LimitCheck, ...]
    breaches: tuple[Breach, ...]
    hedges: tuple[Hedge, ...]
    warnings: tuple[Notice, ...]

    SCHEMA = "rpm.exposure/1"
    MAIN = "factors"
    SHOWN = (
        Shown(table="factors", title="Factors", columns=("name", "exposure", "volatility", "share", "moves_most")),
        Shown(table="sectors", title="Sectors", columns=("sector", "net", "gross", "share")),
        Shown(table="currencies", title="Currencies", columns=("currency", "net", "gross")),
        Shown(table="limits", title="Limits", columns=("name", "observed", "limit", "utilisation", "status")),
        Shown(table="breaches", title="Breaches", columns=("name", "text", "symbol", "change")),
    )

    def headline(self) -> str:
        """Return the answer in a sentence."""
        bets = self.diversification.effective_bets
        spread = "" if bets is None else f", {bets:.1f} uncorrelated bets"
        known = [row for row in self.factors if row.share is not None]
        first = max(known, key=lambda row: row.share or 0.0, default=None)
        most = "" if first is None else f"{percent(first.share, 0)} of the variance from {first.name}, "
        return (
            f"{self.book.called} on {self.book.as_of}: {most}{percent(self.specific.share, 0)} specific{spread}; "
            f"{counted(len(self.breaches), 'limit')} breached"
        )

    @property
    def breached(self) -> bool:
        """Whether a limit does not hold."""
        return bool(self.breaches)
