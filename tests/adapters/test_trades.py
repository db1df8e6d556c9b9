"""Trades from files and tables, and every way in which they can be bad."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from rpmcore.adapters.tables.trades import read_trades
from rpmcore.domain.errors import InputError
from rpmcore.domain.reference import sample_path
from tests.adapters.refusals import assert_says, refusal

HEADER = "trade_id,strategy_id,symbol,side,opened_at,closed_at,pnl"
ROW = "A1,trend,EURUSD,buy,2024-03-01T09:30:00Z,2024-03-01T16:00:00Z,125.5"
NOON = int(datetime(2024, 3, 1, 12, tzinfo=UTC).timestamp()) * 10**9
HOUR = 3600 * 10**9


def file_of(text, *rows, header=HEADER):
    return text("\n".join([header, *rows]) + "\n")


def columns(**changed):
    at = pa.array([datetime(2024, 3, 1, 12, tzinfo=UTC)] * 2, pa.timestamp("ns", "UTC"))
    return {
        "trade_id": ["b", "a"], "strategy_id": ["trend", "carry"], "symbol": ["EURUSD", "EURJPY"],
        "side": ["buy", "sell"], "opened_at": at, "closed_at": at, "pnl": [1.0, -2.0], **changed,
    }  # fmt: skip


def test_a_csv_file_by_hand(text):
    path = file_of(text, ROW + ",1000,1.08,,50,", header=HEADER + ",quantity,entry,exit,risk,fees")
    found = read_trades(path)
    (trade,) = found.trades
    assert (trade.trade_id, trade.strategy_id, trade.symbol, trade.side, trade.pnl) == (
        "A1", "trend", "EURUSD", "buy", 125.5,
    )  # fmt: skip
    assert (trade.opened_at, trade.closed_at) == (NOON - 5 * HOUR // 2, NOON + 4 * HOUR)
    assert (trade.quantity, trade.entry, trade.exit, trade.risk, trade.fees) == (1000.0, 1.08, None, 50.0, None)
    assert (found.source, found.path, found.capital, found.base_currency) == ("file", str(path), None, None)


def test_rows_come_by_closing_time_and_then_by_id_in_any_order_of_the_file():
    table = pa.table(columns())
    assert [trade.trade_id for trade in read_trades(table).trades] == ["a", "b"]
    assert read_trades(table).trades == read_trades(table.take([1, 0])).trades
    assert read_trades(table).strategies == ("carry", "trend")


def test_zones_are_converted_and_days_stand_at_their_midnight(text, parquet):
    tokyo = file_of(text, ROW.replace("T09:30:00Z", "T21:00:00+09:00").replace("T16:00:00Z", "T21:00:00+09:00"))
    assert read_trades(tokyo).trades[0].opened_at == NOON
    days = file_of(text, ROW.replace("T09:30:00Z", "").replace("T16:00:00Z", ""))
    assert read_trades(days).trades[0].closed_at == NOON - 12 * HOUR
    typed = parquet(columns(opened_at=[date(2024, 2, 29)] * 2))
    assert read_trades(typed).trades[0].opened_at == NOON - 36 * HOUR
    midnight = pa.array([datetime(2024, 3, 1, 5, tzinfo=UTC)] * 2, pa.timestamp("us", "America/New_York"))
    local = read_trades(pa.table(columns(opened_at=midnight, closed_at=midnight)))
    assert {note.split("column ")[1].split(":")[0] for note in local.notes} == {"'opened_at'", "'closed_at'"}


def test_the_account_is_that_of_the_metadata_the_argument_or_the_column(parquet):
    path = parquet(columns(), {"rpm.schema": "rpm.trades/1", "rpm.capital": "5e6", "rpm.base_currency": "EUR"})
    found = read_trades(path)
    assert (found.capital, found.base_currency) == (5e6, "EUR")
    assert (read_trades(path, capital=1e3).capital, read_trades(path, base_currency="USD").base_currency) == (
        1e3,
        "USD",
    )
    assert read_trades(pa.table(columns(currency=["CHF", None]))).base_currency == "CHF"


def test_the_sample_is_read():
    found = read_trades(sample_path("trades.parquet"))
    assert len(found.trades) == 7691
    assert (found.capital, found.base_currency) == (10_000_000.0, "USD")
    assert all(a.closed_at <= b.closed_at for a, b in zip(found.trades, found.trades[1:], strict=False))


SECOND = ROW.replace("A1", "A2")
OPTIONS = HEADER + ",quantity,risk,fees"


@pytest.mark.parametrize(
    ("rows", "header", "parts"),
    [
        ([ROW, SECOND, ROW], HEADER, ["column 'trade_id'", "row 3", "row 1 already has this id", "'A1'"]),
        ([ROW.replace("T16:", "T08:")], HEADER,
         ["column 'closed_at'", "row 1 (trade 'A1')", "closes before it opens, at 2024-03-01T09:30:00 UTC",
          "2024-03-01T08:00:00 UTC", "Were the columns exchanged"]),
        ([ROW.replace("16:00:00Z", "16:00:00")], HEADER,
         ["column 'closed_at'", "a time of day without a time zone", "with a time zone"]),
        ([ROW.replace("2024-03-01T09:30:00Z", "")], HEADER, ["column 'opened_at'", "row 1"]),
        ([ROW.replace("2024-03-01T09:30:00Z", "01/03/2024")], HEADER, ["ambiguous", "2024-03-01 or 2024-01-03"]),
        ([SECOND, ROW.replace("125.5", "inf")], HEADER, ["column 'pnl'", "row 2 (trade 'A1')", "finite", "inf"]),
        ([ROW.replace("125.5", "1e308")], HEADER, ["column 'pnl'", "row 1", "larger than 1e+30", "1e+308"]),
        ([ROW.replace("125.5", "nan")], HEADER, ["column 'pnl'", "row 1", "finite"]),
        ([ROW.replace("125.5", "")], HEADER, ["column 'pnl'", "row 1", "null", "Give the P&L"]),
        ([ROW.replace("125.5", "1 250,5")], HEADER.replace("pnl", "pnl,"), ["column"]),
        ([ROW.replace("125.5", "$5")], HEADER, ["column 'pnl'", "text where a number is expected", "Write 5.0"]),
        ([ROW.replace("buy", "long")], HEADER, ["column 'side'", "row 1 (trade 'A1')", "'long'", "Write 'buy'"]),
        ([ROW.replace("buy", "BUY")], HEADER, ["column 'side'", "Write 'buy'"]),
        ([ROW.replace("buy", "up")], HEADER, ["column 'side'", "buy or sell"]),
        ([ROW.replace("trend", " ")], HEADER, ["column 'strategy_id'", "row 1", "blank"]),
        ([ROW.replace("A1", "")], HEADER, ["column 'trade_id'", "row 1"]),
        ([ROW + ",0,50,1"], OPTIONS, ["column 'quantity'", "positive", "the side has the sign"]),
        ([ROW + ",-5,50,1"], OPTIONS, ["column 'quantity'", "positive", "-5.0"]),
        ([ROW + ",5,0,1"], OPTIONS, ["column 'risk'", "positive", "leave the cell empty"]),
        ([ROW + ",5,50,inf"], OPTIONS, ["column 'fees'", "finite"]),
        ([ROW + ",5"], HEADER + ",quantiy", ["column 'quantiy'", "the name is 'quantity'"]),
        ([ROW + ",USD", SECOND + ",EUR"], HEADER + ",currency",
         ["column 'currency'", "row 2 (trade 'A2')", "the account is in USD", "no rates", "'EUR'"]),
        ([ROW], HEADER.replace("closed_at", "close_time"), ["column 'closed_at'", "there is no such column"]),
        ([], HEADER, ["there are no rows"]),
    ],
)  # fmt: skip
def test_what_is_bad_is_one_message_with_its_place_and_its_remedy(text, rows, header, parts):
    path = file_of(text, *rows, header=header)
    message = refusal(read_trades, path)
    assert_says(message, path, parts)
    assert "\n" not in message


def test_a_currency_that_is_not_the_accounts_needs_rates():
    table = pa.table(columns(currency=["EUR", "EUR"]))
    assert read_trades(table, base_currency="EUR").base_currency == "EUR"
    with pytest.raises(InputError, match="the account is in USD, and there are no rates"):
        read_trades(table, base_currency="USD")


def test_times_of_day_without_a_zone_are_refused_in_parquet_too(parquet):
    naive = pa.array([datetime(2024, 3, 1, 12)] * 2, pa.timestamp("us"))
    path = parquet(columns(opened_at=naive))
    assert_says(refusal(read_trades, path), path, ["column 'opened_at'", "row 1 (trade 'b')", "without a time zone"])


def test_another_kind_of_file_is_refused(parquet):
    path = parquet(columns(), {"rpm.schema": "rpm.signals/1"})
    assert "these are not trades that this version reads" in refusal(read_trades, path)
    assert "found 'rpm.prices/1'" in refusal(read_trades, sample_path("prices.parquet"))


@pytest.mark.parametrize("capital", [0.0, -1.0, float("inf")])
def test_a_capital_that_is_none_is_refused(capital):
    with pytest.raises(InputError, match="capital given must be positive"):
        read_trades(pa.table(columns()), capital=capital)
