"""Each job of rpm in one call: read, compute, return a result that knows its JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import import_module
from os import PathLike
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, get_args

from rpmcore.adapters.configuration.loading import Settings, load_settings
from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.opening import IN_MEMORY
from rpmcore.adapters.tables.prices import open_prices
from rpmcore.domain import reference
from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.crises import Crisis, with_parameters
from rpmcore.domain.errors import ConfigurationError, InputError, InvalidArgument, nearest
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.domain.instruments import CURRENCIES, SECTORS, parse_pair, sector_named
from rpmcore.domain.plain import to_plain
from rpmcore.domain.portfolio import Book
from rpmcore.domain.prices import PriceHistory, PriceReader
from rpmcore.risk.evaluation import Studies, evaluate_book
from rpmcore.risk.report import Evaluation
from rpmcore.risk.settings import RiskSettings, TailMethod
from rpmcore.risk.tail_inputs import Effort
from rpmcore.risk.valuation import BookInputs, GivenCorrelation, symbols_needed

if TYPE_CHECKING:
    from rpmcore.risk.stress.engine import StressReport

__all__ = [
    "Settings",
    "evaluate",
    "load_settings",
    "open_prices",
    "read_book",
    "read_prices",
    "scenarios",
    "stress",
    "to_plain",
    "warmup",
]

LAST_COMPILED = "simulation.excess_sums"
"""The kernel that a first report reaches last: where it lies in the cache, so do the others."""

SAMPLE_BOOK, SAMPLE_PRICES = "portfolio.parquet", "prices.parquet"


def evaluate(
    book: Any = None,
    prices: Any = None,
    *,
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    correlation: Any = None,
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
    """
    chosen = settings or Settings()
    inputs = _inputs(book, prices, chosen, capital, base_currency, as_of)
    if correlation is not None:
        inputs = replace(inputs, correlation=_given_correlation(correlation, tuple(inputs.instruments)))
    studies = Studies(decompose=_methods(decompose, chosen), compare_covariance=compare_covariance, rolling=rolling)
    return evaluate_book(inputs, chosen, studies, Effort(threads=threads, progress=progress))


def _given_correlation(source: Any, symbols: tuple[str, ...]) -> GivenCorrelation:
    from rpmcore.adapters.tables.correlation import read_correlation

    name = str(source) if isinstance(source, str | PathLike) else IN_MEMORY
    return GivenCorrelation(matrix=read_correlation(source, symbols), source=name)


def _methods(asked: Sequence[str], settings: RiskSettings) -> tuple[str, ...]:
    """Return the methods to take apart; ``all`` stands for those of the settings."""
    if "all" in asked:
        return tuple(settings.tail_risk.methods)
    known = get_args(TailMethod)
    for method in asked:
        if method not in known:
            meant = nearest(method, list(known))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)} and all"
            raise ConfigurationError(f"--decompose: there is no method {method!r}; {hint}")
    return tuple(dict.fromkeys(asked))


def read_prices(source: Any, symbols: Sequence[str] | None = None) -> PriceHistory:
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
    return opened.read(opened.symbols if symbols is None else symbols)


def stress(
    book: Any = None,
    prices: Any = None,
    *,
    crises: tuple[Crisis, ...],
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
) -> "StressReport":
    """Return what a book loses in each of `crises`; the other arguments and errors are those of `evaluate`."""
    chosen = settings or Settings()
    inputs = _inputs(book, prices, chosen, capital, base_currency, as_of)
    from rpmcore.risk.stress.engine import run_parametric

    return run_parametric(inputs, crises, chosen)


def scenarios() -> Mapping[str, Crisis]:
    """Return the crisis library by name."""
    return reference.crises()


def chosen_crises(names: Sequence[str] | None = None, changes: Sequence[str] = ()) -> tuple[Crisis, ...]:
    """Return crises of the library by name, all if None, with parameters changed.

    Parameters
    ----------
    names
        Such as ``["lehman2008"]``.
    changes
        Texts such as ``"shock=-0.2"``; ``shock`` is short for ``market_shock``.

    Raises
    ------
    ConfigurationError
        If a name or a parameter is not known (with the nearest one), or a value is out of its range.
    """
    library = reference.crises()
    chosen = []
    for name in library if names is None or not len(names) else names:
        if name not in library:
            meant = nearest(name, list(library))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(library)}"
            raise ConfigurationError(f"there is no scenario {name!r}; {hint}")
        chosen.append(library[name])
    return tuple(_changed(crisis, changes) for crisis in chosen)


def _changed(crisis: Crisis, changes: Sequence[str]) -> Crisis:
    parsed = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {change}: expected parameter=value or section.key=value")
        parsed["market_shock" if key == "shock" else key] = text
    return with_parameters(crisis, parsed) if parsed else crisis


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


def _inputs(
    book: Any,
    prices: Any,
    settings: RiskSettings,
    capital: float | None,
    base_currency: str | None,
    as_of: date | None,
) -> BookInputs:
    database = AssetFactorDatabase()
    held = read_sample_book(capital, base_currency) if book is None else read_book(
        book, capital=capital, base_currency=base_currency
    )  # fmt: skip
    account = held.base_currency or settings.data.base_currency or "USD"
    _check_currency(account, held.name, None)
    file = _prices_of(held) if prices is None else prices
    source = _opened(reference.sample_path(SAMPLE_PRICES) if file is None else file)
    profiles = _profiles(held, account, database)
    instruments = {symbol: profile.instrument for symbol, profile in profiles.items()}
    _check_known(held, source, database)
    pairs = {symbol: pair for symbol in source.symbols if (pair := parse_pair(symbol))}
    ways = symbols_needed(instruments, account, pairs, source.path)
    wanted = dict.fromkeys((*instruments, *(leg.symbol for legs in ways.values() for leg in legs)))
    until = as_of or held.as_of
    history = source.read(tuple(wanted), until=until)
    if history.intraday and "periods_per_year" not in settings.data.model_fields_set:
        raise InputError(
            "rows are nearer than a day apart, so the number of periods in a year is not known",
            source=history.path,
            remedy="give --periods-per-year",
        )
    return BookInputs(
        book=held,
        history=history,
        account=account,
        account_assumed=held.base_currency is None and settings.data.base_currency is None,
        profiles=profiles,
        ways=ways,
        pair_betas={leg.symbol: database.resolve(leg.symbol).instrument.beta for legs in ways.values() for leg in legs},
        as_of=until,
        sample_prices=file is None and held.source != "sample",
    )


def _opened(prices: Any) -> PriceReader:
    return prices if isinstance(prices, PriceHistory) else open_prices(prices)


def read_sample_book(capital: float | None = None, base_currency: str | None = None) -> Book:
    """Return the sample book; arguments override what it says."""
    book = read_book(reference.sample_path(SAMPLE_BOOK), capital=capital, base_currency=base_currency)
    return replace(book, source="sample")


def _prices_of(book: Book) -> Path | None:
    """Return the prices beside the book, or None where there are none."""
    if book.path is None or book.source == "sample":
        return None
    beside = Path(book.path).parent / SAMPLE_PRICES
    return beside if beside.is_file() else None


def _profiles(book: Book, account: str, database: AssetFactorDatabase) -> dict[str, AssetFactorProfile]:
    """Return what is known of the instruments held, by symbol, in the order of the book.

    Raises
    ------
    InputError
        If two rows of one symbol contradict each other.
    """
    found: dict[str, AssetFactorProfile] = {}
    for number, holding in enumerate(book.holdings, start=1):
        if holding.currency is not None:
            _check_currency(holding.currency, book.name, number)
        sector = None if holding.sector is None else _check_sector(holding.sector, book.name, number)
        try:
            profile = database.resolve(
                holding.symbol,
                currency=holding.currency,
                sector=sector,
                contract_size=holding.contract_size,
                account_currency=account,
            )
        except InvalidArgument as error:
            raise InputError(str(error), source=book.name, row=number) from error
        if found.setdefault(holding.symbol, profile).instrument != profile.instrument:
            raise InputError(
                "two rows of this symbol differ in currency, sector or contract size",
                source=book.name,
                symbol=holding.symbol,
                row=number,
                remedy="give both rows the same",
            )
    return found


def _check_currency(code: str, source: str, row: int | None) -> None:
    if code not in CURRENCIES:
        meant = code.upper() if code.upper() in CURRENCIES else nearest(code, sorted(CURRENCIES))
        raise InputError(
            "not an ISO 4217 currency code",
            source=source,
            column=None if row is None else "currency",
            row=row,
            value=code,
            remedy=f"write {meant}" if meant else "write a code such as USD",
        )


def _check_sector(name: str, source: str, row: int) -> str:
    """Return the sector as rpm writes it."""
    found = sector_named(name)
    if found is None:
        meant = nearest(name, SECTORS)
        raise InputError(
            f"not a sector that is known; known are {', '.join(SECTORS)}",
            source=source,
            column="sector",
            row=row,
            value=name,
            remedy=f"did you mean {meant!r}?" if meant else "write one of them, or leave the cell empty",
        )
    return found


def _check_known(book: Book, source: PriceReader, database: AssetFactorDatabase) -> None:
    known = set(source.symbols)
    for number, holding in enumerate(book.holdings, start=1):
        if holding.symbol not in known:
            # An instrument that we know was meant; only a name that nobody knows is taken for a slip.
            known_here = holding.symbol in database
            meant = None if known_here else nearest(holding.symbol, source.symbols)
            hint = f"did you mean {meant!r}? " if meant else ""
            raise InputError(
                f"no prices for {holding.symbol!r} in {source.path}",
                source=book.name,
                column="symbol",
                row=number,
                value=holding.symbol,
                remedy=f"{hint}give a file that has them with --prices, or leave the row out",
            )
