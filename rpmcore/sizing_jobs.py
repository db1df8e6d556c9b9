"""The job of sizing a trade."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices, GivenTrades
from rpmcore.adapters.tables.opening import rereadable
from rpmcore.domain.asset_factor_database import AssetFactorDatabase
from rpmcore.domain.errors import ConfigurationError, InputError, InsufficientData, InvalidArgument, nearest
from rpmcore.domain.instruments import CURRENCIES, Instrument
from rpmcore.domain.portfolio import Book
from rpmcore.inputs import asset_database, book_inputs
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs

if TYPE_CHECKING:
    from rpmcore.risk.notices import Notice
    from rpmcore.risk.sizing.report import SizingReport
    from rpmcore.risk.sizing.request import SizingRequest, TradeRecord
    from rpmcore.risk.sizing.units import Side

FACTORS = ("regime", "volatility", "stress", "strategy_health")
"""Multipliers that a caller may give."""


def size(
    symbol: str,
    *,
    side: "Side",
    entry: float,
    stop: float | None = None,
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    record: "TradeRecord | None" = None,
    trades: GivenTrades | None = None,
    expected: tuple[float, float] | None = None,
    multipliers: Mapping[str, float] | None = None,
    drawdown: float | None = None,
    adv: float | None = None,
    spread_bps: float | None = None,
    lot_step: float | None = None,
    minimum_lot: float | None = None,
    maximum_lot: float | None = None,
    contract_size: float | None = None,
    strategy_id: str | None = None,
    settings: Settings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
) -> "SizingReport":
    """Return how large a trade may be, with every constraint and the one that binds.

    Parameters
    ----------
    symbol, side, entry, stop
        The trade: ``buy`` or ``sell``, prices in the currency of the instrument. Without a stop the loss is taken from
        the volatility.
    book
        What is held: a file or table as in `evaluate`. If None, an account that holds nothing; then `capital` is
        needed.
    prices
        As in `evaluate`. With neither book nor prices no volatility is known, and no rate between currencies.
    record
        What the closed trades of the strategy say.
    trades
        The trades themselves, as in `rpmcore.api.strategies`, of which those of `strategy_id` count, in place of
        `record` and of the multiplier ``strategy_health``: health by the lookback, record by all of them.
    expected
        Expected return of the instrument in excess of cash, and its standard error; per year.
    multipliers
        In [0, 1] by name: ``regime``, ``volatility``, ``stress``, ``strategy_health``.
    drawdown
        (peak − equity)/peak.
    adv, spread_bps
        Average daily volume in account currency, and the full spread; if None, what the book says.
    lot_step, minimum_lot, maximum_lot, contract_size
        Override what is known of the instrument; the lots in the unit of a quantity.
    strategy_id
        Who asks; on probation unless `record` or its health says otherwise.
    settings, capital, base_currency, as_of, assets
        As in `evaluate`.

    Raises
    ------
    InputError, InsufficientData
        As in `evaluate`; and if the capital is not known.
    InvalidArgument
        If a number is out of its range, nothing is known of the symbol, a rate is missing, or trades are given without
        the strategy, or beside what they tell.
    Undefined
        If nothing limits the risk of the trade.
    ConfigurationError
        If a multiplier is unknown.
    """
    chosen = settings_or_defaults(settings, Settings)
    from rpmcore.risk.sizing.closed_trades import stake_at_stop
    from rpmcore.risk.sizing.lots import LotRules
    from rpmcore.risk.sizing.request import ExpectedReturn, SizingRequest, check_request
    from rpmcore.risk.sizing.study import size_in_book

    assets = rereadable(assets)
    database = asset_database(assets)
    factors: dict[str, Any] = dict(multipliers or {})
    _check_factors(factors)
    if trades is not None and (strategy_id is None or record is not None or "strategy_health" in factors):
        raise InvalidArgument(
            "a file of trades needs the strategy whose trades count"
            if strategy_id is None
            else "the trades tell record and health of the strategy; leave out the file, or what is given beside it"
        )
    inputs = None
    if book is not None or prices is not None:
        alone = _nothing(capital, base_currency) if book is None else book
        inputs = book_inputs(
            alone, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets,
            beside=(symbol,),
        )  # fmt: skip
        equity, account = inputs.book.capital, inputs.account
        instrument = inputs.known[symbol].instrument
    else:
        account = base_currency or chosen.data.base_currency or "USD"
        equity, instrument = capital, _known(symbol, account, database)
    if equity is None:
        raise InputError(
            "the capital is not known, and a size is a part of it",
            source="no book" if book is None or inputs is None else inputs.book.name,
            remedy="give --capital, or rpm.capital in the book's metadata",
        )
    reference = database.resolve(symbol, account_currency=account).instrument
    if contract_size is not None:
        instrument = replace(instrument, contract_size=contract_size)
    told: tuple[Notice, ...] = ()
    if trades is not None and strategy_id is not None:
        stake = None if stop is None else stake_at_stop(instrument, side, entry, stop, account)
        found = _judged(trades, strategy_id, chosen, as_of, (equity, account), stake)
        record, factors["strategy_health"], told = found
    held_adv, held_spread = _market_of(symbol, inputs)
    request = SizingRequest(
        instrument=instrument,
        side=side,
        entry=entry,
        stop=stop,
        capital=equity,
        account=account,
        lots=LotRules.of(_step(instrument, reference) if lot_step is None else lot_step, minimum_lot, maximum_lot),
        adv=held_adv if adv is None else adv,
        spread_bps=held_spread if spread_bps is None else spread_bps,
        record=record,
        expected=None if expected is None else ExpectedReturn(excess=expected[0], error=expected[1]),
        strategy_id=strategy_id,
        drawdown=drawdown,
        **{name: factors.get(name) for name in FACTORS},
    )
    check_request(request)
    if inputs is not None:
        report = size_in_book(request, inputs, chosen, empty=book is None)
    else:
        report = _alone(request, chosen, assumed=base_currency is None and chosen.data.base_currency is None)
    return replace(report, warnings=(*report.warnings, *told), config_digest=chosen.digest)


def _judged(
    trades: GivenTrades | None,
    strategy_id: str,
    settings: Settings,
    as_of: date | None,
    account: tuple[float, str],
    stake: float | None,
) -> "tuple[TradeRecord | None, float, tuple[Notice, ...]]":
    """Return what closed trades say of a strategy: its record, the multiplier of its health, and what is to be told.

    Parameters
    ----------
    account
        Capital and currency, where the trades do not say whose they are.
    stake
        What the trade loses at its stop, as a fraction of its value; None without a stop.
    """
    from rpmcore.controls.strategy_study import instant, judged_engine
    from rpmcore.risk.notices import Notice
    from rpmcore.risk.sizing.closed_trades import record_of
    from rpmcore.trade_inputs import known_strategy, trade_history, trades_to_judge

    history = trade_history(trades)
    if history.capital is None:
        if history.base_currency not in (None, account[1]):
            raise InputError(
                f"the trades are in {history.base_currency}, the account is in {account[1]}, and no capital is named",
                source=history.name,
                remedy="give rpm.capital in its metadata, in the currency of the trades",
            )
        history = replace(history, capital=account[0], base_currency=account[1])
    judged, summary, told = trades_to_judge(history, settings, as_of=as_of)
    known_strategy(strategy_id, judged, summary.path or "the table given")
    engine = judged_engine(judged, settings.strategies)
    own = judged.by_strategy()[strategy_id]
    record, why = None, "without a stop the risk of the trade, in which trades are counted, is not known"
    if stake is not None:
        try:
            record = record_of(own, stake)
        except InsufficientData as error:
            why = str(error)
    health = engine.tracker(strategy_id).health(judged.as_of)
    score = str(health.score_reason) if health.score is None else f"health {health.score:.2f}, {health.band}"
    message = f"{strategy_id} as of {instant(judged.as_of)}: {score}; {len(own):,} trades since the first"
    if record is None:
        message += f", of which Kelly and expectancy learn nothing: {why}"
    found = Notice(code="strategy_judged", message=message)
    return record, engine.multiplier(strategy_id), (found, *told)


def _alone(request: "SizingRequest", settings: RiskSettings, *, assumed: bool) -> "SizingReport":
    """Size without book and prices: what is not known says so, and a missing rate is an error."""
    from rpmcore.risk.notices import Notice
    from rpmcore.risk.sizing.report import SizingReport
    from rpmcore.risk.sizing.sizer import PositionSizer

    sizer = PositionSizer(settings.sizing, target_volatility=settings.limits.target_volatility)
    told = Notice(
        code="account_currency_assumed",
        message=f"nobody named the account currency, so {request.account} is assumed; say --base-currency",
    )
    return SizingReport(book=None, trade=sizer.size(request), warnings=(told,) if assumed else ())


def _nothing(capital: float | None, base_currency: str | None) -> Book:
    """Return the book of an account that holds nothing."""
    return Book(holdings=(), sizing="weight", source="memory", path=None, capital=capital, base_currency=base_currency)


def _known(symbol: str, account: str, database: AssetFactorDatabase) -> Instrument:
    if account not in CURRENCIES:
        raise InputError(
            "not an ISO 4217 currency code", source="--base-currency", value=account,
            remedy="write a code such as USD",
        )  # fmt: skip
    return database.profile(symbol).instrument


def _step(instrument: Instrument, reference: Instrument) -> Any:
    """Return the lot step in the unit of the quantity.

    A pair trades in units of its base however its lots are counted: a larger contract trades in smaller parts of it.
    The contract size of anything else is a multiplier, and a contract is not divided.
    """
    from rpmcore.risk.sizing.exact import CONTEXT, exact
    from rpmcore.risk.sizing.units import check_price

    check_price("contract size", instrument.contract_size)
    if instrument.base_currency is None:
        return reference.lot_step
    smallest = CONTEXT.multiply(exact(reference.lot_step), exact(reference.contract_size))
    return CONTEXT.divide(smallest, exact(instrument.contract_size))


def _market_of(symbol: str, inputs: BookInputs | None) -> tuple[float | None, float | None]:
    """Return daily volume and spread of an instrument as the book has them."""
    rows = [] if inputs is None else [h for h in inputs.book.holdings if h.symbol == symbol]
    adv = next((h.adv for h in rows if h.adv is not None), None)
    return adv, next((h.spread_bps for h in rows if h.spread_bps is not None), None)


def _check_factors(multipliers: Mapping[str, float]) -> None:
    for name in multipliers:
        if name not in FACTORS:
            meant = nearest(name, FACTORS)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(FACTORS)}"
            raise ConfigurationError(f"there is no multiplier {name!r}; {hint}")


def trade_record(
    win_rate: float | None,
    average_win: float | None,
    average_loss: float | None,
    trades: int | None,
    *,
    win_error: float | None = None,
    loss_error: float | None = None,
) -> "TradeRecord | None":
    """Return the record that four figures make, or None where none of them is given.

    Without the standard errors of the averages Kelly takes them as exact, and says so.

    Raises
    ------
    InvalidArgument
        If only some are given: a figure without the others says nothing.
    """
    from rpmcore.risk.sizing.request import TradeRecord

    figures = {"win rate": win_rate, "average win": average_win, "average loss": average_loss, "trades": trades}
    missing = [name for name, figure in figures.items() if figure is None]
    if len(missing) == len(figures) and win_error is None and loss_error is None:
        return None
    if win_rate is None or average_win is None or average_loss is None or trades is None:
        raise InvalidArgument(f"a record needs win rate, averages and trades together; missing: {', '.join(missing)}")
    return TradeRecord(
        win_rate=win_rate,
        average_win=average_win,
        average_loss=average_loss,
        trades=trades,
        win_error=0.0 if win_error is None else win_error,
        loss_error=0.0 if loss_error is None else loss_error,
    )
