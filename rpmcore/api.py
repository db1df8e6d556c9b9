"""Each job of rpm in one call: read, compute, return a result that knows its JSON."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from importlib import import_module
from os import PathLike
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, get_args

from rpmcore.adapters.configuration.loading import Settings, digest_of, load_settings, settings_or_defaults
from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices
from rpmcore.adapters.tables.opening import IN_MEMORY
from rpmcore.adapters.tables.prices import open_prices
from rpmcore.adaptive_jobs import limits, regime
from rpmcore.crises import chosen_crises, reverse_stress, scenarios, stress, synthetic_stress
from rpmcore.domain.arguments import given_texts
from rpmcore.domain.errors import ConfigurationError, nearest
from rpmcore.domain.plain import to_plain
from rpmcore.domain.prices import PriceHistory
from rpmcore.inputs import book_inputs
from rpmcore.risk.evaluation import Studies, evaluate_book
from rpmcore.risk.report import Evaluation
from rpmcore.risk.settings import RiskSettings, TailMethod
from rpmcore.risk.tail_inputs import Effort
from rpmcore.risk.valuation import GivenCorrelation
from rpmcore.sizing_jobs import size, trade_record
from rpmcore.strategy_jobs import strategies

if TYPE_CHECKING:
    from rpmcore.gate_jobs import gate_run as gate_run
    from rpmcore.risk.backtesting.report import BacktestReport
    from rpmcore.risk.exposure.report import ExposureReport

__all__ = [
    "Settings",
    "backtest",
    "chosen_crises",
    "evaluate",
    "exposure",
    "gate_run",
    "limits",
    "load_settings",
    "open_prices",
    "read_book",
    "read_prices",
    "regime",
    "reverse_stress",
    "scenarios",
    "size",
    "strategies",
    "stress",
    "synthetic_stress",
    "to_plain",
    "trade_record",
    "warmup",
]

_LATER = {"gate_run": "rpmcore.gate_jobs"}
"""Jobs that load with their first use: most reports have nothing to do with the gate."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'rpmcore.api' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


LAST_COMPILED = "simulation.excess_sums"
"""The kernel that a first report reaches last: where it lies in the cache, so do the others."""


def evaluate(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
    correlation: Given | None = None,
    decompose: Sequence[str] = (),
    compare_covariance: bool = False,
    rolling: bool = False,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Return what a book can lose.

    Parameters
    ----------
    book
        A Parquet or CSV file, an Arrow table or any data frame that speaks Arrow; the sample book if None.
    prices
        The same for prices, or what `read_prices` gave: for many books, read them once. If None: ``prices.parquet``
        beside the book, else the sample prices.
    settings
        See `load_settings`; the defaults if None.
    capital, base_currency
        Override what the book says.
    as_of
        Use prices up to this day; by default the book's own day, else all.
    assets
        A file or table of factor profiles (``--assets``): they add to those of rpm and stand before them.
    correlation
        A file or table of correlations (``symbol`` and one column per instrument) in place of the estimated ones. It
        is repaired where it is none, and the result says how far. Limits and the scaling advice do not follow it.
    decompose
        Methods whose VaR and ES are taken apart by position, such as ``["historical"]``; ``["all"]`` for every method
        of the settings.
    compare_covariance
        Score every covariance estimator on the past of this book.
    rolling
        Follow volatility, VaR and ES of today's positions through time.
    threads
        That share the paths of a simulation; the result does not depend on it.
    progress
        Told how many paths of a simulation are drawn, and of how many.

    Raises
    ------
    InputError
        If the book, the prices or the correlations cannot be used; the message names the culprit and the remedy.
    InsufficientData
        If there is too little history.
    ConfigurationError
        If a method to decompose is unknown.
    InvalidArgument
        If a text stands where a list of texts is meant, or `as_of` is no day.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    inputs = book_inputs(book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets)
    if correlation is not None:
        inputs = replace(inputs, correlation=_given_correlation(correlation, tuple(inputs.instruments)))
    studies = Studies(decompose=_methods(decompose, chosen), compare_covariance=compare_covariance, rolling=rolling)
    found = evaluate_book(inputs, chosen, studies, Effort(threads=threads, progress=progress))
    return replace(found, config_digest=digest_of(chosen))


def _given_correlation(source: Given, symbols: tuple[str, ...]) -> GivenCorrelation:
    from rpmcore.adapters.tables.correlation import read_correlation

    name = str(source) if isinstance(source, str | PathLike) else IN_MEMORY
    return GivenCorrelation(matrix=read_correlation(source, symbols), source=name)


def _methods(asked: Sequence[str], settings: RiskSettings) -> tuple[str, ...]:
    """Return the methods to take apart; ``all`` stands for those of the settings."""
    if "all" in given_texts(asked, "decompose"):
        return tuple(settings.tail_risk.methods)
    known = get_args(TailMethod)
    for method in asked:
        if method not in known:
            meant = nearest(method, list(known))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)} and all"
            raise ConfigurationError(f"--decompose: there is no method {method!r}; {hint}")
    return tuple(dict.fromkeys(asked))


def read_prices(source: Given, symbols: Sequence[str] | None = None) -> PriceHistory:
    """Return prices, read and checked once, to be given to `evaluate` or `stress` again and again.

    Parameters
    ----------
    source
        A Parquet or CSV file, an Arrow table or any data frame that speaks Arrow.
    symbols
        Which to read; all if None.

    Raises
    ------
    InputError
        If the prices cannot be used; the message names the culprit and the remedy.
    """
    opened = open_prices(source)
    return opened.read(opened.symbols if symbols is None else given_texts(symbols, "symbols"))


def exposure(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
    factors: Given | None = None,
    hedge: bool = False,
    hedge_with: Sequence[str] = (),
) -> "ExposureReport":
    """Return where the risk of a book comes from: factors, sectors, currencies, strategies, and its limits.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `evaluate`.
    factors
        A file or table of factor returns: ``date`` and one column per factor. If None, the factors are the market and
        the principal components of what is held.
    hedge
        Whether to look for the positions that would neutralise each factor and currency.
    hedge_with
        Candidates for them; what is held, the market, and pairs with the account currency if empty.

    Raises
    ------
    InputError
        As in `evaluate`; and if nothing is known of an instrument, the factors do not fit the prices, or a market that
        the settings name has no prices or does not move.
    InvalidArgument
        As in `evaluate`; and if factors are collinear.
    InsufficientData
        If there is too little history.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    hedge_with = given_texts(hedge_with, "hedge_with")
    given = None
    if factors is not None:
        from rpmcore.adapters.tables.factor_returns import read_factor_returns  # start-up: few reports need it

        given = read_factor_returns(factors)
    market = chosen.factors.market
    asked = given is None and "market" in chosen.factors.model_fields_set  # who names a market does not mean another
    inputs = book_inputs(
        book,
        prices,
        chosen,
        capital=capital,
        base_currency=base_currency,
        as_of=as_of,
        assets=assets,
        beside=(*hedge_with, market) if asked else hedge_with,
        if_there=() if asked else (market,),
        pairs_beside=hedge and not hedge_with,
    )
    from rpmcore.risk.exposure.study import measure_exposure

    found = measure_exposure(inputs, chosen, given=given, hedge=hedge, hedge_with=hedge_with)
    return replace(found, config_digest=digest_of(chosen))


def backtest(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    method: str = "limit",
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
    compare: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> "BacktestReport":
    """Return how the risk model would have done on today's positions, day by day over the whole price history.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `evaluate`; the section ``backtest`` says at which confidence and from how many returns.
    method
        A method of VaR, or ``limit`` for the measure that the limits bind on.
    compare
        Score every method on the same days.
    progress
        Told how many forecasts are made, and of how many.

    Raises
    ------
    InputError, InsufficientData
        As in `evaluate`.
    ConfigurationError
        If the method is unknown.
    InvalidArgument
        As in `evaluate`; and if returns span more than a day.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    from rpmcore.risk.backtesting.forecasts import METHODS_TESTED
    from rpmcore.risk.backtesting.study import backtest_book

    if method not in METHODS_TESTED:
        meant = nearest(method, METHODS_TESTED)
        hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(METHODS_TESTED)}"
        raise ConfigurationError(f"--method: there is no method {method!r}; {hint}")
    inputs = book_inputs(book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets)
    found = backtest_book(inputs, chosen, method, compare=compare, progress=progress)
    return replace(found, config_digest=digest_of(chosen))


def warmup() -> Iterator[tuple[int, int, str]]:
    """Compile every kernel, yielding (done, total, name) after each."""
    from rpmcore import kernels
    from rpmcore.kernels import _jit

    for module in iter_modules(kernels.__path__):
        import_module(f"rpmcore.kernels.{module.name}")
    total = len(_jit.declared())
    for done, name in enumerate(_jit.compile_all(), start=1):
        yield done, total, name


def kernels_are_compiled() -> bool:
    """Tell whether compiled kernels of this version lie in the cache, so that the next call starts at once."""
    from rpmcore.kernels import _jit

    folder = _jit.cache_folder()
    return folder is not None and next(folder.glob(f"**/{LAST_COMPILED}-*.nbi"), None) is not None
