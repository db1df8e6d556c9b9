"""From what a user names to a book with all that is needed to value it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.metadata import given_capital, given_currency
from rpmcore.adapters.tables.prices import open_prices
from rpmcore.domain import reference
from rpmcore.domain.arguments import given_day
from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import InputError, InvalidArgument, nearest
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.domain.instruments import CURRENCIES, SECTORS, parse_pair, sector_named
from rpmcore.domain.portfolio import Book
from rpmcore.domain.prices import PriceHistory, PriceReader
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs, symbols_needed

if TYPE_CHECKING:
    from rpmcore.risk.factor_model import FactorModel

SAMPLE_BOOK, SAMPLE_PRICES = "portfolio.parquet", "prices.parquet"


def book_inputs(
    book: Any,
    prices: Any,
    settings: RiskSettings,
    *,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Any = None,
    beside: Sequence[str] = (),
    if_there: Sequence[str] = (),
    pairs_beside: bool = False,
) -> BookInputs:
    """Return a book with its prices and profiles, read and checked.

    Parameters
    ----------
    book, prices, capital, base_currency, as_of, assets
        As in `rpmcore.api.evaluate`.
    beside, if_there
        Instruments that are not held and whose prices are wanted too: the first must be there, the others may.
    pairs_beside
        Whether the same holds of the pairs of each currency held with the account's.

    Raises
    ------
    InputError
        If something cannot be used; the message names the culprit and the remedy.
    InvalidArgument
        If `as_of` is no day.
    InsufficientData
        If a beta is to be estimated and there is too little history.
    """
    held = _held(book, capital, base_currency)
    account = held.base_currency or settings.data.base_currency or "USD"
    _check_currency(account, held.name, None)
    database = asset_database(assets)
    file = _prices_of(held) if prices is None else prices
    source = _opened(reference.sample_path(SAMPLE_PRICES) if file is None else file)
    until = given_day(as_of, "as_of") or held.as_of
    _check_known(held, source, database)
    profiles = _estimated(_profiles(held, account, database), source, until, account, database, settings)
    optional = [*if_there, *(_account_pairs(profiles, account) if pairs_beside else ())]
    others = {
        symbol: _beside(symbol, account, database, source)
        for symbol in (*beside, *(s for s in optional if s in source.symbols))
        if symbol not in profiles
    }
    pairs = {symbol: pair for symbol in source.symbols if (pair := parse_pair(symbol))}
    instruments = {symbol: profile.instrument for symbol, profile in {**profiles, **others}.items()}
    ways = symbols_needed(instruments, account, pairs, source.path)
    wanted = dict.fromkeys((*instruments, *(leg.symbol for legs in ways.values() for leg in legs)))
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
        beside=others,
        ways=ways,
        pair_betas={leg.symbol: database.resolve(leg.symbol).instrument.beta for legs in ways.values() for leg in legs},
        as_of=until,
        sample_prices=file is None and held.source != "sample",
    )


def asset_database(assets: Any) -> AssetFactorDatabase:
    """Return the profiles of the reference data, with those of a desk's file or table before them if one is given."""
    if assets is None:
        return AssetFactorDatabase()
    from rpmcore.adapters.tables.assets import read_assets  # start-up: most reports do without

    return AssetFactorDatabase(read_assets(assets))


def _held(book: Any, capital: float | None, base_currency: str | None) -> Book:
    """Return the book that a caller names: the sample, a book that was read before, or a file or table."""
    if book is None:
        return read_sample_book(capital, base_currency)
    if isinstance(book, Book):
        return replace(
            book,
            capital=book.capital if capital is None else given_capital(capital, book.name),
            base_currency=book.base_currency if base_currency is None else given_currency(base_currency, book.name),
        )
    return read_book(book, capital=capital, base_currency=base_currency)


def _estimated(
    profiles: dict[str, AssetFactorProfile],
    source: PriceReader,
    until: date | None,
    account: str,
    database: AssetFactorDatabase,
    settings: RiskSettings,
) -> dict[str, AssetFactorProfile]:
    """Return the profiles with the betas that nobody knows estimated, if the settings ask for it."""
    without = [symbol for symbol, profile in profiles.items() if "beta" not in profile.loadings]
    if settings.factors.unknown == "refuse" or not without:
        return profiles
    from rpmcore.risk.exposure.estimated_profiles import with_estimated_betas  # only who asks pays for regressions

    market = settings.factors.market
    _beside(market, account, database, source)
    history = source.read(tuple(dict.fromkeys((*without, market))), until=until)
    return with_estimated_betas(profiles, without, history, settings)


def _account_pairs(profiles: Mapping[str, AssetFactorProfile], account: str) -> Iterator[str]:
    """Yield what the pairs of each currency held with the account's may be called."""
    instruments = [profile.instrument for profile in profiles.values()]
    for currency in dict.fromkeys(c for i in instruments for c in (i.base_currency, i.currency) if c):
        if currency != account:
            yield from (currency + account, account + currency)


def _beside(symbol: str, account: str, database: AssetFactorDatabase, source: PriceReader) -> AssetFactorProfile:
    if symbol not in source.symbols:
        meant = nearest(symbol, source.symbols)
        raise InputError(
            f"no prices of {symbol!r}, which is not held but needed beside the book",
            source=source.path,
            symbol=symbol,
            remedy=f"did you mean {meant!r}?" if meant else "add its prices, or name another",
        )
    return database.resolve(symbol, account_currency=account)


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


def replay_prices(inputs: BookInputs, prices: Any, market: str) -> PriceHistory:
    """Return all that the prices hold of a book, of what converts it and of what may stand for it, over all days.

    Parameters
    ----------
    inputs
        The book.
    prices
        As they were given to `book_inputs`.
    market
        Symbol of the market.
    """
    from rpmcore.risk.stress.window_prices import symbols_for_replay

    file = _prices_of(inputs.book) if prices is None else prices
    source = _opened(reference.sample_path(SAMPLE_PRICES) if file is None else file)
    return source.read(symbols_for_replay(inputs, source.symbols, market))


def given_model(inputs: BookInputs, factors: Any, settings: RiskSettings) -> "FactorModel":
    """Return the model of the factors in a file or table, for what is held and what is beside it.

    Raises
    ------
    InputError
        As in `rpmcore.api.exposure`.
    """
    from rpmcore.adapters.tables.factor_returns import read_factor_returns
    from rpmcore.risk.exposure.factors import estimate_model, exposure_panel, given_factors

    panel = exposure_panel(inputs, settings)
    return estimate_model(panel, given_factors(read_factor_returns(factors), panel, settings), settings)
