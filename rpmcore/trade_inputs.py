"""From what a user names to trades that can be judged, with the capital of each strategy."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.tables.metadata import given_capital, given_currency
from rpmcore.adapters.tables.trades import read_trades
from rpmcore.controls.strategy_record import DAY
from rpmcore.controls.strategy_report import TradesSummary
from rpmcore.controls.strategy_study import JudgedTrades, instant
from rpmcore.domain import reference
from rpmcore.domain.arguments import given_day
from rpmcore.domain.errors import InputError, nearest
from rpmcore.domain.trades import TradeHistory
from rpmcore.risk.notices import Notice

SAMPLE_TRADES = "trades.parquet"


def trades_to_judge(
    trades: Any,
    settings: Settings,
    *,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
) -> tuple[JudgedTrades, TradesSummary, tuple[Notice, ...]]:
    """Return closed trades with the capital of each strategy, what is said of them, and what was assumed.

    Parameters
    ----------
    trades, capital, base_currency, as_of
        As in `rpmcore.api.strategies`.

    Raises
    ------
    InputError
        If the trades cannot be used, none closed until `as_of`, or a capital is not known.
    """
    history = trade_history(trades, capital, base_currency)
    as_of = given_day(as_of, "as_of")
    until = history.trades[-1].closed_at if as_of is None else _end_of(as_of)
    closed = tuple(trade for trade in history.trades if trade.closed_at <= until)
    if not closed:
        raise InputError(
            f"no trade closed until {as_of}; the first closed at {instant(history.trades[0].closed_at)}",
            source=history.name, column="closed_at", remedy="give a later day",
        )  # fmt: skip
    account = history.base_currency or settings.data.base_currency or "USD"
    names = sorted({trade.strategy_id for trade in closed})
    capitals, told = allocated_capital(names, history, account, settings)
    if history.base_currency is None and settings.data.base_currency is None:
        told = (
            Notice(
                code="account_currency_assumed",
                message=f"nobody named the account currency, so {account} is assumed; say --base-currency",
            ),
            *told,
        )
    summary = TradesSummary(
        source=history.source,
        path=history.path,
        n_trades=len(closed),
        first=instant(closed[0].closed_at),
        last=instant(closed[-1].closed_at),
        capital=history.capital,
        base_currency=account,
        notes=history.notes,
    )
    return JudgedTrades(trades=closed, capitals=capitals, as_of=until), summary, told


def allocated_capital(
    names: Sequence[str], history: TradeHistory, account: str, settings: Settings
) -> tuple[dict[str, float], tuple[Notice, ...]]:
    """Return the capital of each strategy: that of the settings, else an equal part of what the account has left.

    Raises
    ------
    InputError
        If the account's capital is needed and not known, or nothing of it is left.
    """
    given = settings.strategies.capital
    known = {name: given[name] for name in names if name in given}
    rest = [name for name in names if name not in given]
    told: list[Notice] = []
    for name in given:
        if name not in names:
            meant = nearest(name, rest)
            hint = f"; did you mean {meant!r}?" if meant else ""
            message = f"strategies.capital names {name!r}, of which there is no trade{hint}"
            told.append(Notice(code="capital_of_unknown_strategy", message=message))
    if not rest:
        return known, tuple(told)
    if history.capital is None:
        raise InputError(
            f"the capital of {', '.join(map(repr, rest[:5]))} is not known, and drawdowns are fractions of it",
            source=history.name,
            remedy="give --capital of the account, which is divided equally, or the setting strategies.capital",
        )
    left = history.capital - sum(known.values())
    if left <= 0.0:
        raise InputError(
            f"strategies.capital uses up the account's {history.capital:,.0f} {account}, and nothing is left for "
            f"{', '.join(map(repr, rest[:5]))}",
            source=history.name, remedy="give a larger --capital, or their own in strategies.capital",
        )  # fmt: skip
    part = left / len(rest)
    what = f"the capital of {history.capital:,.0f} {account}" if not known else f"what is left, {left:,.0f} {account},"
    shares = f"1/{len(rest)} of {what} each, {part:,.0f}" if len(rest) > 1 else f"{part:,.0f} {account}"
    told.append(
        Notice(
            code="capital_assumed",
            message=f"{', '.join(rest[:5])}{' and others' if len(rest) > 5 else ''}: judged on {shares}; drawdowns are "
            "fractions of it (strategies.capital says otherwise)",
        )
    )
    return {name: known.get(name, part) for name in names}, tuple(told)


def known_strategy(asked: str, judged: JudgedTrades, source: str) -> str:
    """Return the strategy asked for.

    Raises
    ------
    InputError
        If it has no trade.
    """
    if asked not in judged.capitals:
        meant = nearest(asked, list(judged.capitals))
        raise InputError(
            f"no trade of this strategy; there are {', '.join(map(repr, list(judged.capitals)[:8]))}",
            source=source, column="strategy_id", value=asked,
            remedy=f"did you mean {meant!r}?" if meant else "name one of them",
        )  # fmt: skip
    return asked


def trade_history(trades: Any, capital: float | None = None, base_currency: str | None = None) -> TradeHistory:
    """Return the trades that a caller names: the sample if None, trades read before, or a file or table.

    Raises
    ------
    InputError
        As `rpmcore.adapters.tables.trades.read_trades`.
    """
    if trades is None:
        sample = read_trades(reference.sample_path(SAMPLE_TRADES), capital=capital, base_currency=base_currency)
        return replace(sample, source="sample")
    if isinstance(trades, TradeHistory):
        return replace(
            trades,
            capital=trades.capital if capital is None else given_capital(capital, trades.name),
            base_currency=trades.base_currency if base_currency is None else given_currency(base_currency, trades.name),
        )
    return read_trades(trades, capital=capital, base_currency=base_currency)


def _end_of(day: date) -> int:
    """Return the last nanosecond of a day in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (start // timedelta(days=1) + 1) * DAY - 1
