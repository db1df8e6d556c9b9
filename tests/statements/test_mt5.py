"""``rpm import mt5`` on statements made by hand: to the cent, or not at all."""

import codecs
import json
import re
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from rpmcore.adapters.tables.book import read_book
from rpmcore.adapters.tables.trades import read_trades
from tests.statements.conftest import RULES
from tests.statements.samples import CLOSED, DEALS, FIGURES, ORDERS, Sample

ENCODINGS = [("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-8", codecs.BOM_UTF8),
             ("utf-8", b""), ("utf-16-le", b"")]  # fmt: skip


def written(imported, sample, tmp_path, *options, **how):
    trades, book = tmp_path / "trades.parquet", tmp_path / "book.parquet"
    done = imported(sample, "--trades", trades, "--book", book, *options, **how)
    assert done.code == 0, done.err
    return read_trades(trades), read_book(book), done


@pytest.mark.parametrize(("encoding", "bom"), ENCODINGS)
def test_a_report_in_any_encoding_imports_to_the_cent(imported, sample, tmp_path, encoding, bom):
    trades, book, _ = written(imported, sample, tmp_path, encoding=encoding, bom=bom)
    found = {trade.trade_id: trade for trade in trades.trades}
    assert {name: trade.pnl for name, trade in found.items()} == {"101": 491.8, "102": -1253.5, "103": 27.9}
    assert {name: trade.fees for name, trade in found.items()} == {"101": 7.0, "102": 3.5, "103": 2.1}
    assert {name: trade.quantity for name, trade in found.items()} == {"101": 1e5, "102": 50.0, "103": 3e4}
    assert (found["102"].side, found["102"].entry, found["102"].exit) == ("sell", 2100.0, 2125.0)
    assert {trade.strategy_id for trade in trades.trades} == {"trend", "other"}
    # Athens is two hours ahead in March.
    assert found["101"].opened_at == 1_709_539_200 * 10**9
    assert (trades.capital, trades.base_currency) == (9508.03, "USD")
    held = {(row.symbol, row.strategy_id): (row.size, row.price, row.currency) for row in book.holdings}
    assert held == {
        ("GBPUSD", "trend"): (20_000.0, 1.28, "USD"), ("GBPUSD", "other"): (-5_000.0, 1.2801, "USD"),
        ("USDJPY", "trend"): (-10_000.0, 147.0, "JPY"),
    }  # fmt: skip
    assert (book.capital, str(book.as_of)) == (9508.03, "2024-03-08")


def test_the_csv_of_a_report_gives_the_same_trades(rpm, sample, tmp_path):
    for delimiter, name in ((";", "a.csv"), (",", "b.csv"), ("\t", "c.csv")):
        (tmp_path / name).write_text(sample.csv(delimiter), encoding="utf-8", newline="")
        done = rpm("import", "mt5", tmp_path / name, *RULES, "--trades", tmp_path / f"{name}.parquet")
        assert done.code == 0, done.err
        found = read_trades(tmp_path / f"{name}.parquet")
        assert [trade.pnl for trade in found.trades] == [-1253.5, 491.8, 27.9]


def test_what_was_imported_is_judged_and_evaluated_as_any_other_file(imported, rpm, sample, tmp_path):
    written(imported, sample, tmp_path)
    judged = json.loads(rpm("strategies", tmp_path / "trades.parquet", "--json").out)
    assert {row["strategy_id"]: row["n_trades"] for row in judged["strategies"]} == {"trend": 2, "other": 1}
    report = json.loads(rpm("evaluate", tmp_path / "book.parquet", "--json").out)
    assert report["book"]["capital"] == 9508.03
    assert report["book"]["n_positions"] == 3


def test_the_json_says_what_foots(imported, sample):
    done = imported(sample, "--json")
    found = json.loads(done.out)
    assert (found["schema"], found["kind"]) == ("rpm.import/1", "mt5")
    assert found["account"] == {"number": "5001234", "server": "Sample-Demo", "currency": "USD", "mode": "hedging"}
    assert found["trades"]["pnl"] == -733.8
    assert found["money"] == {"balance": 10_000.0, "interest": 1.03}
    assert all(abs(row["difference"]) < 0.005 for row in found["reconciliation"])
    assert {"balance of the account", "total net profit", "floating profit", "equity"} <= {
        row["name"] for row in found["reconciliation"]
    }
    assert "Sample Broker" not in done.out, "the name of a person or a company is nobody's business"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.deals.pop(4), "balance after deal 6"),
        (lambda s: s.deals.__setitem__(3, cell(DEALS[3], 11, "-1 250.01")), "balance after deal 4"),
        (lambda s: s.closed.__setitem__(1, cell(CLOSED[1], 13, "-1 250.01")), "profit of XAUUSD"),
        (lambda s: s.closed.__setitem__(0, cell(CLOSED[0], 11, "-6.99")), "costs of EURUSD"),
        (lambda s: s.closed.pop(), "profit of EURUSD"),
        (lambda s: s.open.pop(0), "floating profit"),
        (lambda s: s.open.pop(), "costs of USDJPY"),
        (lambda s: s.totals.__setitem__("swap", "-1.21"), "swap of all deals"),
        (lambda s: s.figures.__setitem__(4, ("Total Net Profit", "-735.04")), "total net profit"),
        (lambda s: s.figures.__setitem__(3, ("Equity", "9 508.04")), "equity"),
    ],
)
def test_what_does_not_foot_is_refused_with_the_difference(imported, sample, tmp_path, change, told):
    change(sample)
    out = tmp_path / "trades.parquet"
    done = imported(sample, "--trades", out)
    assert done.code == 2
    assert "does not foot" in done.err
    assert told in done.err
    assert re.search(r"a difference of -?[\d,]+\.\d\d", done.err)
    assert not out.exists()


def cell(row, position, text):
    return (*row[:position], text, *row[position + 1 :])


def test_a_report_that_ends_before_today_says_so_by_an_option(imported, sample):
    sample.figures[0], sample.figures[3] = ("Balance", "9 300.00"), ("Equity", "9 542.03")
    done = imported(sample)
    assert done.code == 2
    assert "balance of the account" in done.err
    assert "--partial" in done.err
    done = imported(sample, "--partial", "--json")
    assert done.code == 0
    assert "partial" in {warning["code"] for warning in json.loads(done.out)["warnings"]}


@pytest.mark.parametrize("counted", [False, True], ids=["beside the balance", "in the balance"])
def test_credit_is_lent_and_not_earned(imported, sample, counted):
    balance = "9 266.00" if not counted else "9 366.00"
    sample.deals.append(
        ("2024.03.08 10:00:00", "12", "", "credit", *[""] * 4, "0.00", "0.00", "0.00", "100.00", balance, "")
    )
    sample.totals["balance"] = balance
    sample.figures[:4] = [
        ("Balance", balance), ("Credit Facility", "0.00" if counted else "100.00"), ("Floating P/L", "242.03"),
        ("Equity", "9 608.03"),
    ]  # fmt: skip
    done = imported(sample, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["money"]["credit"] == 100.0


def test_a_report_without_totals_imports_nothing(imported, sample, tmp_path):
    sample.deals, sample.figures = [], []
    done = imported(sample, "--trades", tmp_path / "t.parquet")
    assert done.code == 2
    assert "nothing in it says what its closed positions add up to" in done.err


@pytest.mark.parametrize(
    ("group", "mark", "minus"),
    [(" ", ".", "-"), ("&nbsp;", ".", "−"), (",", ".", "- "), (".", ",", "-"), ("\u202f", ",", "–")],
)
def test_numbers_in_local_formats_are_the_same_numbers(imported, tmp_path, group, mark, minus):
    def local(text):
        if not re.fullmatch(r"-?\d{1,3}( \d{3})*(\.\d+)?", text):
            return text
        return text.replace(".", "#").replace(" ", group).replace("#", mark).replace("-", minus)

    sample = Sample(working=[])
    for name in ("closed", "deals", "open"):
        # The first two columns of a row are a time and a number of the terminal.
        setattr(sample, name, [(*row[:2], *map(local, row[2:])) for row in getattr(sample, name)])
    sample.totals = {name: local(text) for name, text in sample.totals.items()}
    sample.figures = [(name, local(text)) for name, text in FIGURES]
    trades, book, _ = written(imported, sample, tmp_path, encoding="utf-16-le", bom=codecs.BOM_UTF16_LE)
    assert [trade.pnl for trade in trades.trades] == [-1253.5, 491.8, 27.9]
    assert book.capital == 9508.03


def test_a_minus_may_stand_behind(imported, sample, tmp_path):
    sample.closed = [tuple(f"{c[1:]}-" if re.fullmatch(r"-[\d ]+\.\d+", c) else c for c in row) for row in CLOSED]
    trades, _, _ = written(imported, sample, tmp_path)
    assert [trade.pnl for trade in trades.trades] == [-1253.5, 491.8, 27.9]


def test_a_cell_in_another_format_than_the_rest_is_refused(imported, sample):
    sample.closed[0] = cell(CLOSED[0], 13, "500,00")
    done = imported(sample)
    assert done.code == 2
    assert "column 'profit'" in done.err
    assert "'500,00'" in done.err
    assert "--decimal comma" in done.err


def test_suffixes_go_by_rule_and_never_by_guess(imported, sample, tmp_path):
    for name in ("closed", "deals", "open", "working"):
        setattr(sample, name, [cell(row, 2, f"{row[2]}.m" if row[2] else "") for row in getattr(sample, name)])
    done = imported(sample)
    assert done.code == 2
    assert "it looks like EURUSD with a broker's suffix (and 3 more)" in done.err
    assert "--strip-suffix .m" in done.err
    trades, book, _ = written(imported, sample, tmp_path, "--strip-suffix", ".m")
    assert {trade.symbol for trade in trades.trades} == {"EURUSD", "XAUUSD"}
    assert {row.symbol for row in book.holdings} == {"GBPUSD", "USDJPY"}
    rules = ("--symbol", "EURUSD.m=EURUSD", "--strip-suffix", ".m", "--symbol", "XAUUSD.m=GOLD", "--force", "--json")
    trades, _, done = written(imported, sample, tmp_path, *rules, "--contract-size", "GOLD=100")
    assert {trade.symbol for trade in trades.trades} == {"EURUSD", "GOLD"}
    found = json.loads(done.out)
    assert found["symbols"]["XAUUSD.m"] == "GOLD"
    assert "unknown_symbols" in {warning["code"] for warning in found["warnings"]}


def test_positions_against_each_other_are_netted_for_the_book_and_told(imported, sample, tmp_path):
    sample.open[1] = cell(sample.open[1], 11, "trend 9")
    trades, book, done = written(imported, sample, tmp_path)
    assert {(row.symbol, row.size, row.price) for row in book.holdings} == {
        ("GBPUSD", 15_000.0, 1.28), ("USDJPY", -10_000.0, 147.0),
    }  # fmt: skip
    assert "several positions of a symbol are one row of the book: GBPUSD (2)" in done.out
    assert len(trades.trades) == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--time-zone: the times of a statement are those of the broker's server"),
        (("--time-zone", "Europe/Athen"), "Did you mean Europe/Athens?"),
        (("--time-zone", "UTC+25"), "there is no such time zone"),
    ],
)
def test_a_missing_zone_names_the_option(imported, sample, options, told):
    done = imported(sample, rules=options)
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("UTC", 0), ("UTC+2", 2), ("GMT-5:30", -5.5), ("Etc/GMT-3", 3), ("America/New_York+7", 2), ("Europe/Athens", 2)],
)
def test_zones_are_followed(imported, sample, tmp_path, zone, hours):
    trades, _, _ = written(imported, sample, tmp_path, "--time-zone", zone)
    opened = next(trade.opened_at for trade in trades.trades if trade.trade_id == "101")
    assert opened == (1_709_546_400 - int(hours * 3600)) * 10**9


def test_an_hour_that_comes_twice_is_told_and_one_that_never_comes_is_refused(imported, sample, tmp_path):
    # In Athens the clocks went back at 04:00 on 27 October 2024, and forward at 03:00 on 31 March.
    sample.closed[2] = cell(cell(CLOSED[2], 0, "2024.10.27 03:50:00"), 9, "2024.10.27 03:10:00")
    trades, _, done = written(imported, sample, tmp_path)
    found = next(trade for trade in trades.trades if trade.trade_id == "103")
    assert found.closed_at - found.opened_at == 20 * 60 * 10**9
    assert "2 time(s) lie in an hour that the clocks of Europe/Athens showed twice" in done.out
    sample.closed[2] = cell(CLOSED[2], 0, "2024.03.31 03:30:00")
    done = imported(sample)
    assert done.code == 2
    assert "never showed this time" in done.err
    assert "America/New_York+7" in done.err


def test_contract_sizes_are_asked_for_and_held_against_the_profits(imported, sample, tmp_path):
    bare = ("--time-zone", "UTC", "--strategy", "all")
    done = imported(sample, "--book", tmp_path / "b.parquet", rules=bare)
    assert done.code == 2
    assert "symbol 'GBPUSD'" in done.err
    assert "--contract-size GBPUSD=100000 if that is so" in done.err
    done = imported(sample, "--book", tmp_path / "b.parquet", "--contract-size", "*=1000", rules=bare)
    assert done.code == 2
    assert "its profits say that a lot is about 100,000 units" in done.err
    done = imported(sample, "--trades", tmp_path / "t.parquet", rules=bare)
    assert done.code == 0
    assert "have no quantity" in done.out
    assert "quantity" not in pq.read_schema(tmp_path / "t.parquet").names


def test_strategies_are_named_by_rule_or_asked_for(imported, sample, tmp_path):
    done = imported(sample, "--trades", tmp_path / "t.parquet", rules=("--time-zone", "UTC"))
    assert done.code == 2
    assert "--strategy NAME for all, or --strategy-rule 'trend 7=NAME'" in done.err
    sample.closed[0] = cell(CLOSED[0], 4, "")
    trades, _, _ = written(imported, sample, tmp_path)
    assert next(t.strategy_id for t in trades.trades if t.trade_id == "101") == "trend", "its order has the comment"
    assert ORDERS[0][-1] == "trend 7"


def test_files_that_are_there_stay(imported, sample, tmp_path):
    out = tmp_path / "trades.parquet"
    out.write_bytes(b"mine")
    done = imported(sample, "--trades", out)
    assert done.code == 2
    assert "--force" in done.err
    assert out.read_bytes() == b"mine"
    assert imported(sample, "--trades", tmp_path / "report.html", "--force").code == 2
    assert imported(sample, "--trades", out, "--book", out, "--force").code == 2
    assert out.read_bytes() == b"mine"
    assert imported(sample, "--trades", out, "--force").code == 0
    assert len(read_trades(out).trades) == 3
    assert not list(tmp_path.glob("*.part"))


def test_sums_are_decimal(imported, sample):
    """A thousand times a cent is ten, and not nearly ten."""
    cents = [cell(cell(CLOSED[2], 1, str(1000 + n)), 13, "0.01") for n in range(1000)]
    sample.closed = [cell(cell(row, 11, "0.00"), 12, "0.00") for row in cents]
    sample.deals, sample.totals, sample.open, sample.working = [], {}, [], []
    sample.figures = [("Total Net Profit", "10.00")]
    done = imported(sample, "--json")
    assert done.code == 0
    assert json.loads(done.out, parse_float=Decimal)["trades"]["pnl"] == Decimal("10.0")


def test_the_table_fits_80_columns(sample, tmp_path, rpm):
    path = sample.write(tmp_path / "report.html")
    done = rpm("import", "mt5", path.name, *RULES, "--book", "b.parquet", "--trades", "t.parquet", cwd=tmp_path,
               COLUMNS="80")  # fmt: skip
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
