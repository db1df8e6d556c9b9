"""From a book and its prices to today's limits, and to the history of the regime."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from rpmcore.controls.adaptive_risk import AdaptiveRiskManager
from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.limits_report import LimitsReport, MarketData, RegimeReport, RegimeSpan
from rpmcore.controls.market_readings import STILL, WARM_UP, MarketReadings, market_readings, still_path
from rpmcore.controls.regime import RegimeDetector, RegimeReading
from rpmcore.controls.regime_limits import RegimeAwareRiskLimits
from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InputError
from rpmcore.risk.evaluation import summarise
from rpmcore.risk.limits import LimitCheck, check_limit
from rpmcore.risk.notices import Notice, data_notices
from rpmcore.risk.report import BookSummary
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, ReturnPanel, day, return_panel, value

_EPOCH = date(1970, 1, 1)
_CANCELLED = frozenset({"unsynchronised_clocks"})
"""What biases every day alike leaves the rank of a day among all of them as it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Past:
    """The market behind a book: `closes` (n_obs,) are the times of the closes, `readings` those after each."""

    closes: list[int]
    readings: list[MarketReadings]
    book: BookSummary
    data: MarketData
    warnings: tuple[Notice, ...]


def measure_limits(inputs: BookInputs, settings: RiskSettings, adaptive: AdaptiveSettings) -> LimitsReport:
    """Return the limits for the day after the last close, and the book held against them.

    Parameters
    ----------
    inputs
        The book; beside it the market, if its prices are there.
    settings
        The sections ``data``, ``factors.market`` and ``limits.warning_utilisation``.
    adaptive
        The limits that adapt.

    Raises
    ------
    InputError
        If rows are nearer than a day apart, or the book cannot be valued.
    InsufficientData
        If there are fewer than 30 returns.
    """
    past = _past(inputs, settings, adaptive)
    manager = AdaptiveRiskManager(adaptive)
    for at, readings in zip(past.closes, past.readings, strict=True):
        manager.update_market(readings, at=at)
    asked = past.closes[-1]
    if inputs.as_of is not None:
        asked = max(asked, _time(inputs.as_of))
    limits = manager.get_current_risk_limits(at=asked)
    regime, volatility, stress = manager.regime_reading, manager.volatility_reading, manager.stress_reading
    assert regime is not None  # noqa: S101 - there is a close, so there is a reading of each
    assert volatility is not None  # noqa: S101
    assert stress is not None  # noqa: S101
    return LimitsReport(
        book=past.book,
        data=past.data,
        limits=limits,
        regime=regime,
        volatility=volatility,
        stress=stress,
        checks=tuple(_checks(past.book, limits.gross_exposure, limits.leverage, settings)),
        warnings=past.warnings,
    )


def measure_regime(
    inputs: BookInputs, settings: RiskSettings, adaptive: AdaptiveSettings, *, history: bool = False
) -> RegimeReport:
    """Return the regime after the last close with its evidence; `history` adds the spans of all days before.

    Arguments and errors as in `measure_limits`.
    """
    past = _past(inputs, settings, adaptive)
    detector = RegimeDetector(adaptive.regimes)
    days = [
        detector.update(
            efficiency=readings.efficiency, volatility=readings.volatility, correlation=readings.correlation, at=at
        )
        for at, readings in zip(past.closes, past.readings, strict=True)
    ]
    reading = days[-1]
    age = 0 if inputs.as_of is None else (inputs.as_of - past.data.last).days
    if age > adaptive.regimes.maximum_age_days:
        note = f"the last reading is {age} days old, more than {adaptive.regimes.maximum_age_days}"
        reading = replace(reading, regime="stressed", note=note)
    return RegimeReport(
        book=past.book,
        data=past.data,
        reading=reading,
        limits=RegimeAwareRiskLimits(adaptive.regimes).get_limits(reading.regime),
        spans=spans_of(days) if history else (),
        warnings=past.warnings,
    )


def spans_of(days: list[RegimeReading]) -> tuple[RegimeSpan, ...]:
    """Return runs of days with one regime; days on which it was unknown are runs of their own."""
    spans: list[RegimeSpan] = []
    for reading in days:
        known, close = not reading.note, date.fromordinal(_EPOCH.toordinal() + reading.at // DAY)
        last = spans[-1] if spans else None
        if last is not None and (last.regime, last.known) == (reading.regime, known):
            spans[-1] = RegimeSpan(
                regime=last.regime, known=known, first=last.first, last=close, n_days=last.n_days + 1
            )
        else:
            spans.append(RegimeSpan(regime=reading.regime, known=known, first=close, last=close, n_days=1))
    return tuple(spans)


def _past(inputs: BookInputs, settings: RiskSettings, adaptive: AdaptiveSettings) -> _Past:
    if inputs.history.intraday:
        raise InputError(
            "limits adapt by the day, but rows are nearer than a day apart",
            source=inputs.history.path,
            remedy="give daily closes",
        )
    panel = return_panel(
        inputs.history,
        {s: p.instrument for s, p in {**inputs.profiles, **inputs.beside}.items()},
        inputs.ways,
        lookback=len(inputs.history.dates),
        minimum=WARM_UP,
    )
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    name, market = _market(panel, settings.factors.market)
    own = _remarks(panel, inputs.as_of, settings.factors.market, adaptive)
    return _Past(
        closes=[_time(day(moment)) for moment in panel.dates[1:]],
        readings=market_readings(panel.returns, market, adaptive),
        book=summarise(inputs, panel, valuation),
        data=MarketData(
            prices=inputs.history.path,
            market=name,
            n_obs=len(panel.returns),
            n_assets=len(panel.symbols),
            first=day(panel.dates[0]),
            last=day(panel.dates[-1]),
            dropped_rows=panel.dropped_rows,
            notes=inputs.history.notes,
        ),
        warnings=(
            *(n for n in data_notices(inputs, panel, valuation, settings, {}) if n.code not in _CANCELLED),
            *(Notice(code=code, message=message) for code, message in own),
        ),
    )


def _market(panel: ReturnPanel, symbol: str) -> tuple[str, Vector]:
    if symbol in panel.symbols:
        return symbol, panel.returns[:, panel.symbols.index(symbol)].copy()
    return "mean return of what is held", panel.returns.mean(axis=1)


def _remarks(
    panel: ReturnPanel, as_of: date | None, market: str, adaptive: AdaptiveSettings
) -> Iterator[tuple[str, str]]:
    last = day(panel.dates[-1])
    age = 0 if as_of is None else (as_of - last).days
    if age > adaptive.regimes.maximum_age_days:
        yield (
            "stale_prices",
            f"the last close is of {last}, {age} days before {as_of}: what it tells is no longer known, and limits "
            "take it at its worst",
        )
    still = int(still_path(_market(panel, market)[1])[-1])
    if still >= STILL:
        yield (
            "market_stands_still",
            f"the market has not moved for {still} days: its prices have stopped, and limits take it at its worst",
        )
    if market not in panel.symbols:
        yield (
            "no_market",
            f"there are no prices of {market}, which stands for the market: the mean return of what is held does; "
            "name another with --market",
        )
    needed = WARM_UP + max(
        adaptive.regimes.minimum_history, adaptive.volatility.minimum_history, adaptive.stress.minimum_history
    )
    if len(panel.returns) < needed:
        thinnest = f"; {next(iter(panel.missing))!r} lacks the most prices" if panel.missing else ""
        yield (
            "short_history",
            f"{len(panel.returns)} returns, fewer than the {needed} that ranks need: what is not known is taken at its "
            f"worst{thinnest}",
        )


def _checks(book: BookSummary, gross: float, leverage: float, settings: RiskSettings) -> Iterator[LimitCheck]:
    used = settings.limits.warning_utilisation
    yield check_limit(
        "gross_exposure", "sum of |market value| / equity", book.gross_leverage, gross, warning_utilisation=used
    )
    yield check_limit("leverage", "gross exposure / equity", book.gross_leverage, leverage, warning_utilisation=used)


def _time(moment: date) -> int:
    return (moment - _EPOCH).days * DAY
