"""What a trade's size depends on, given as numbers."""

from dataclasses import dataclass

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.instruments import Instrument
from rpmcore.risk.sizing.exact import finite
from rpmcore.risk.sizing.kelly import check_average, check_win_rate
from rpmcore.risk.sizing.lots import LotRules
from rpmcore.risk.sizing.multipliers import drawdown_multiplier
from rpmcore.risk.sizing.units import Side, check_price, check_stop

MULTIPLIERS = ("regime", "volatility", "stress", "strategy_health")
"""Factors in [0, 1] that others determine, in the order in which they act."""

MOST_TRADES = 10**9
"""A larger number of trades is a slip, and would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRecord:
    """What the closed trades of a strategy say.

    Attributes
    ----------
    win_rate
        In [0, 1].
    average_win, average_loss
        Positive fractions of the position's market value.
    trades
        Behind the three.
    win_error, loss_error
        Standard errors of the averages; 0 where they are not known.
    """

    win_rate: float
    average_win: float
    average_loss: float
    trades: int
    win_error: float = 0.0
    loss_error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedReturn:
    """What the instrument itself is expected to return in excess of cash, and the standard error; both per year."""

    excess: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRisk:
    """What the volatility target and the largest position need of a book.

    Attributes
    ----------
    variance
        σ² = wᵀΣw, per year.
    product
        (Σw)_i of the instrument to trade, per year.
    weight
        w_i, what is held of it: signed market value over capital; 0 where nothing is.
    """

    variance: float
    product: float
    weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRequest:
    """A trade whose size is asked for. What is None is not known, and its constraint says so.

    Attributes
    ----------
    instrument
        What is traded; see `rpmcore.domain.instruments.Instrument` for contract size and currency.
    side
        ``buy`` or ``sell``.
    entry, stop
        Prices in the instrument's currency.
    capital
        Equity in account currency.
    account
        ISO code of the account currency.
    lots
        The sizes that can be traded.
    rate, rate_at_stop
        Account currency for one unit of the instrument's currency, at the entry and where the price stands at the stop.
        See `rpmcore.risk.sizing.units`.
    annual_volatility, daily_volatility
        Of the instrument's return in account currency; `book` and `expected` need the annual one.
    book
        Of what is held already.
    adv
        Average daily volume in account currency.
    spread_bps
        Full bid-ask spread in basis points of the price.
    record, expected
        What is known of the strategy and of the instrument.
    strategy_id
        Who asks; without `record` and `strategy_health` it is on probation.
    regime, volatility, stress, strategy_health
        Multipliers in [0, 1].
    drawdown
        (peak − equity)/peak of the account or the strategy.
    """

    instrument: Instrument
    side: Side
    entry: float
    capital: float
    account: str
    lots: LotRules
    stop: float | None = None
    rate: float | None = None
    rate_at_stop: float | None = None
    annual_volatility: float | None = None
    daily_volatility: float | None = None
    book: BookRisk | None = None
    adv: float | None = None
    spread_bps: float | None = None
    record: TradeRecord | None = None
    expected: ExpectedReturn | None = None
    strategy_id: str | None = None
    regime: float | None = None
    volatility: float | None = None
    stress: float | None = None
    strategy_health: float | None = None
    drawdown: float | None = None


def check_request(request: SizingRequest) -> None:
    """Check every number of a request, also those that would not bind.

    Raises
    ------
    InvalidArgument
        With what was found and what was expected.
    """
    if request.side not in ("buy", "sell"):
        raise InvalidArgument(f"the side must be buy or sell, but is {request.side!r}")
    check_price("entry", request.entry)
    if request.stop is not None:
        check_stop(request.side, request.entry, request.stop)
    _check_positive("capital", request.capital)
    for name, value in (
        ("average daily volume", request.adv),
        ("rate", request.rate),
        ("rate at the stop", request.rate_at_stop),
    ):
        if value is not None:
            _check_positive(name, value)
    for name, value in (
        ("annual volatility", request.annual_volatility),
        ("daily volatility", request.daily_volatility),
        ("spread", request.spread_bps),
    ):
        if value is not None:
            _check_not_negative(name, value)
    for name in MULTIPLIERS:
        value = getattr(request, name)
        if value is None:
            continue
        words = f"the {name.replace('_', ' ')} multiplier"
        finite(value, words)
        if not 0.0 <= value <= 1.0:
            raise InvalidArgument(f"{words} must lie in [0, 1], but is {value!r}: it may only reduce")
    if request.drawdown is not None:
        finite(request.drawdown, "the drawdown")
        drawdown_multiplier(request.drawdown, 0.0, 1.0)
    if request.book is not None:
        _check_not_negative("variance of the book", request.book.variance)
        finite(request.book.product, "the covariance with the book")
        finite(request.book.weight, "the weight that is held")
    if request.record is not None:
        _check_record(request.record)
    if request.expected is not None:
        finite(request.expected.excess, "the expected return")
        _check_not_negative("error of the expected return", request.expected.error)
    # Else the limits that they set would drop out, and the size be larger for what is missing.
    for name, given in (("an expected return", request.expected), ("a book", request.book)):
        if given is not None and request.annual_volatility is None:
            raise InvalidArgument(
                f"{name} sets a limit only with the volatility of {request.instrument.symbol!r}: give its prices"
            )


def _check_record(record: TradeRecord) -> None:
    for name in ("win_rate", "average_win", "average_loss"):
        finite(getattr(record, name), f"the {name.replace('_', ' ')}")
    check_win_rate(record.win_rate)
    check_average("average win", record.average_win)
    check_average("average loss", record.average_loss)
    if isinstance(record.trades, bool) or not isinstance(record.trades, int) or not 1 <= record.trades <= MOST_TRADES:
        raise InvalidArgument(f"the number of trades must be an integer from 1 to 1e9, but is {record.trades!r}")
    _check_not_negative("error of the average win", record.win_error)
    _check_not_negative("error of the average loss", record.loss_error)


def _check_positive(name: str, value: float) -> None:
    finite(value, f"the {name}")
    if value <= 0:
        raise InvalidArgument(f"the {name} must be positive, but is {value!r}")


def _check_not_negative(name: str, value: float) -> None:
    finite(value, f"the {name}")
    if value < 0:
        raise InvalidArgument(f"the {name} must not be negative, but is {value!r}")
