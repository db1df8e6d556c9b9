"""From a book and its prices to weights and returns in account currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InputError, InsufficientData
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.currencies import Leg, conversion, rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GivenCorrelation:
    """Correlations (n_assets, n_assets) in the order of the instruments held, and where they came from."""

    matrix: Matrix
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookInputs:
    """A book with all that is needed to value it.

    Attributes
    ----------
    book, history
        As they were read.
    account
        ISO code of the account currency.
    account_assumed
        Whether nobody named it.
    profiles
        What is known of each instrument held, by symbol.
    beside
        The same of instruments that are not held and whose returns are needed too, such as the market.
    ways
        For each of both, the conversion from the currency of its price; see `symbols_needed`.
    pair_betas
        Market beta of each currency pair on those ways, where known.
    as_of
        The day up to which prices were asked for; None for all of them.
    sample_prices
        Whether a book of the user's own is valued at the sample prices, because nobody named others.
    correlation
        What shall replace the estimated correlations; None for nothing.
    """

    book: Book
    history: PriceHistory
    account: str
    account_assumed: bool
    profiles: Mapping[str, AssetFactorProfile]
    ways: Mapping[str, tuple[Leg, ...]]
    pair_betas: Mapping[str, float | None]
    as_of: date | None = None
    sample_prices: bool = False
    correlation: GivenCorrelation | None = None
    beside: Mapping[str, AssetFactorProfile] = field(default_factory=dict)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """The instruments held, by symbol."""
        return {symbol: profile.instrument for symbol, profile in self.profiles.items()}

    @property
    def known(self) -> dict[str, AssetFactorProfile]:
        """The profiles of what is held and of what is beside it, by symbol."""
        return {**self.beside, **self.profiles}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReturnPanel:
    """Returns of instruments in account currency on the dates that all of them have.

    Attributes
    ----------
    dates
        (n_obs + return_days,) dates of the aligned closes; return i runs from ``dates[i]`` to the date `return_days`
        rows later.
    symbols
        One per column of `returns`.
    returns
        (n_obs, n_assets) simple returns of the *holding*: for a currency pair (S1−S0)·X1/(S0·X0), else
        P1·X1/(P0·X0) − 1, with X the rate from the price's currency to the account's.
    return_days
        Rows that each return spans; above 1 the returns overlap.
    rates
        (n_assets,) X on the last date.
    last_closes
        (n_assets,) in the currency of the price.
    unchanged_days
        (n_assets,) for how many rows the last close has stood still in that currency.
    dropped_rows
        Rows between the first aligned date and the end of the history that some instrument lacked, but not all.
    missing
        For each instrument that lacked one of them, how many; most first.
    """

    dates: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    returns: Matrix
    return_days: int
    rates: Vector
    last_closes: Vector
    unchanged_days: NDArray[np.intp]
    dropped_rows: int
    missing: Mapping[str, int]

    @property
    def dropped_share(self) -> float:
        """Dropped rows as a share of the rows in the window."""
        return self.dropped_rows / (self.dropped_rows + len(self.dates))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Valuation:
    """The weights of a book.

    Attributes
    ----------
    row_weights
        (n_rows,) signed market value / capital of each book row.
    row_assets
        (n_rows,) index into the panel's symbols.
    weights
        (n_assets,) the same summed by instrument.
    """

    row_weights: Vector
    row_assets: NDArray[np.intp]
    weights: Vector


def symbols_needed(
    instruments: Mapping[str, Instrument], account: str, available: Mapping[str, tuple[str, str]], source: str
) -> dict[str, tuple[Leg, ...]]:
    """Return, for each instrument, the way from the currency of its price to the account's.

    Parameters
    ----------
    instruments
        Held, by symbol.
    account
        ISO code of the account currency.
    available
        The currency pairs of the price file: symbol to (base, quote).
    source
        What messages call the price file.

    Raises
    ------
    InputError
        If a currency cannot be reached: there is no plausible default for a missing rate.
    """
    ways = {}
    for symbol, instrument in instruments.items():
        legs = conversion(instrument.currency, account, available)
        if legs is None:
            raise InputError(
                f"no rate from {instrument.currency} to the account currency {account}, needed to value {symbol!r}",
                source=source,
                remedy=f"add prices of {instrument.currency}{account} or {account}{instrument.currency}, "
                "or name the account currency with --base-currency",
            )
        ways[symbol] = legs
    return ways


def return_panel(
    history: PriceHistory,
    instruments: Mapping[str, Instrument],
    ways: Mapping[str, Sequence[Leg]],
    *,
    lookback: int,
    minimum: int,
    return_days: int = 1,
) -> ReturnPanel:
    """Align closes on common dates, then difference them in account currency.

    Parameters
    ----------
    history
        Holds every instrument and every leg of `ways`.
    instruments, ways
        Held, by symbol; see `symbols_needed`.
    lookback
        Most recent returns to keep.
    minimum
        Fewer returns than this are an error.
    return_days
        Rows that each return spans. Closes that are fixed at different hours of a day bias one-day correlations
        toward zero; over two days less of a move falls between the clocks.

    Raises
    ------
    InsufficientData
        If fewer than `minimum` returns remain; names the instrument with the fewest prices.
    """
    complete = np.flatnonzero(np.isfinite(history.closes).all(axis=1))
    n_returns = len(complete) - return_days
    if n_returns < minimum:
        counts = np.isfinite(history.closes).sum(axis=0)
        thinnest = int(counts.argmin())
        raise InsufficientData(
            f"{history.path}: {max(n_returns, 0)} return(s) on dates that all instruments have, but at least "
            f"{minimum} are needed; {history.symbols[thinnest]!r} has the fewest prices ({int(counts[thinnest])} "
            f"on {len(history.dates)} dates). Give more history, or leave it out of the book"
        )
    rows = complete[-(lookback + return_days) :]
    window = history.closes[rows[0] :]
    lacking = ~np.isfinite(window)
    # On a day without any price of the book nothing of it is lost: other instruments of the file trade on it.
    lacking &= ~lacking.all(axis=1, keepdims=True)
    counts = lacking.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    closes = history.closes[rows]
    columns = {symbol: closes[:, i] for i, symbol in enumerate(history.symbols)}
    symbols = tuple(instruments)
    prices = np.column_stack([columns[s] for s in symbols])
    known_ways: dict[tuple[Leg, ...], Vector] = {}
    rates = np.empty_like(prices)
    for i, symbol in enumerate(symbols):
        legs = tuple(ways[symbol])
        if legs not in known_ways:
            known_ways[legs] = rate(legs, columns, len(rows))
        rates[:, i] = known_ways[legs]
    pair = np.array([instruments[s].base_currency is not None for s in symbols])
    return ReturnPanel(
        dates=history.dates[rows],
        symbols=symbols,
        returns=holding_returns(prices, rates, pair, return_days),
        return_days=return_days,
        rates=rates[-1].copy(),
        last_closes=prices[-1].copy(),
        unchanged_days=_unchanged_days(prices),
        dropped_rows=int(lacking.any(axis=1).sum()),
        missing={history.symbols[i]: int(counts[i]) for i in order if counts[i]},
    )


def day(moment: Any) -> date:
    """Return the calendar day of a NumPy date."""
    found: date = moment.astype("datetime64[D]").item()
    return found


def _unchanged_days(prices: Matrix) -> NDArray[np.intp]:
    moved = prices[:-1] != prices[-1]
    # Rows from the end back to the last close that differs; all rows where none does.
    return np.where(moved.any(axis=0), moved[::-1].argmax(axis=0), len(prices) - 1)


def holding_returns(prices: Matrix, rates: Matrix, pair: NDArray[np.bool_], return_days: int = 1) -> Matrix:
    """Return the change of each holding's account-currency value over its old value, (n_rows − return_days, n_assets).

    A currency pair is a quantity of BASE: its gain (S1−S0) is in QUOTE and is converted at the *new* rate, while an
    asset in a foreign currency also gains or loses on its whole value when the rate moves.

    Parameters
    ----------
    prices
        (n_rows, n_assets), positive, in the currency of the price.
    rates
        (n_rows, n_assets), from that currency to the account's.
    pair
        (n_assets,) whether the instrument is a currency pair (or metal against currency).
    return_days
        Rows between the old value and the new.
    """
    old, new = slice(None, -return_days), slice(return_days, None)
    before = prices[old] * rates[old]
    after = prices[new] * rates[new]
    start = np.where(pair, prices[old] * rates[new], before)
    return np.ascontiguousarray((after - start) / before)


def value(book: Book, instruments: Mapping[str, Instrument], panel: ReturnPanel, account: str) -> Valuation:
    """Return the weights of a book: signed market value / capital, never renormalised.

    The market value of a quantity is quantity × contract size × price × rate; of a currency pair, the quantity of
    BASE converted to the account's currency.

    Raises
    ------
    InputError
        If the book gives money or quantities and names no capital.
    """
    position = {symbol: i for i, symbol in enumerate(panel.symbols)}
    assets = np.array([position[h.symbol] for h in book.holdings], dtype=np.intp)
    sizes = np.array([h.size for h in book.holdings])
    if book.sizing == "quantity":
        units = [
            _unit_value(h, instruments[h.symbol], panel.rates[a], account)
            for h, a in zip(book.holdings, assets, strict=True)
        ]
        sizes = sizes * np.array(units)
    if book.sizing != "weight":
        if book.capital is None:
            raise InputError(
                f"the book gives {book.sizing.replace('_', ' ')}s, which need the capital they are a part of",
                source=book.name,
                remedy="give --capital, or rpm.capital in the file's metadata",
            )
        sizes = sizes / book.capital
    weights = np.zeros(len(panel.symbols))
    np.add.at(weights, assets, sizes)
    return Valuation(row_weights=sizes, row_assets=assets, weights=weights)


def _unit_value(holding: Holding, instrument: Instrument, rate_now: float, account: str) -> float:
    if instrument.base_currency == account:
        return instrument.contract_size
    if holding.price is None:
        raise InputError("a quantity needs the price of one unit", source="the book", symbol=holding.symbol)
    return instrument.contract_size * holding.price * float(rate_now)
