"""Statements that cannot be read: one message that says what, where and what to do; never half of one."""

import codecs
import json
import subprocess
import sys
from decimal import Decimal

import pytest

from rpmcore.adapters.statements import encodings
from rpmcore.adapters.statements.lots import ContractSizes
from rpmcore.adapters.statements.mt5 import read_mt5
from rpmcore.adapters.statements.strategy_names import StrategyRules
from rpmcore.adapters.statements.symbols import SymbolRules
from rpmcore.domain.errors import InputError
from rpmcore.import_jobs import Statements, checked, import_mt5
from tests.statements.conftest import RULES

RUSSIAN = """<html><head><title>Отчет торговой истории</title></head><body><table>
<tr><th colspan="14"><b>Позиции</b></th></tr>
<tr><td>Время</td><td>Позиция</td><td>Символ</td></tr></table></body></html>"""
MT4 = """<html><head><title>Statement: 1</title></head><body><table>
<tr><td colspan=13><b>Closed Transactions:</b></td></tr>
<tr><td>Ticket</td><td>Open Time</td><td>Type</td></tr></table></body></html>"""
TESTER = """<html><head><title>Strategy Tester Report</title></head><body><table>
<tr><td>Symbol:</td><td>EURUSD</td></tr></table></body></html>"""


@pytest.fixture
def refused(rpm, tmp_path):
    def run(content, *options, name="report.html"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = rpm("import", "mt5", path, *RULES, *options)
        assert done.code == 2, done.out
        assert done.err.count("\n") == 1, "one message"
        assert str(path) in done.err
        return done.err

    return run


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (RUSSIAN, "no table is headed Positions, Orders, Deals, Open Positions, Working Orders; there are 'Позиции'"),
        (MT4, "it is a statement of MetaTrader 4"),
        (TESTER, "it is a report of the strategy tester"),
        ("<html><table><tr><td><b>Trade History Report</b></td></tr></table></html>", "no table is in it; known are"),
        ("a,b\n1,2\n", "no trade history report of MetaTrader 5 in English"),
        (b"", "it is empty (0 bytes)"),
        (b"PK\x03\x04rest", "it is an Excel workbook or a zip archive"),
        (b"%PDF-1.4", "it is a PDF document"),
        (b"\x01\x02\x00" + b"a" * 60, "it holds binary data"),
    ],
)
def test_another_language_or_layout_says_what_is_known(refused, content, told):
    assert told in refused(content)


def test_a_column_that_is_missing_is_named_with_those_that_are_there(refused, sample):
    message = refused(sample.html().replace("<b>Swap</b>", "<b>Rollover</b>", 1))
    assert "the table 'Positions' has no column 'swap'" in message
    assert "'Rollover'" in message


@pytest.mark.parametrize("encoding", ["cp1251", "cp1252", "latin-1"])
def test_bytes_that_are_no_utf8_are_refused_and_the_encoding_can_be_named(refused, rpm, sample, tmp_path, encoding):
    comment = "скальпер" if encoding == "cp1251" else "été"
    sample.open[0] = (*sample.open[0][:11], comment)
    content = sample.html().encode(encoding)
    message = refused(content)
    assert "it is not UTF-8" in message
    assert "--encoding" in message
    done = rpm("import", "mt5", tmp_path / "report.html", *RULES, "--encoding", encoding, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["encoding"] == codecs.lookup(encoding).name


def test_a_file_that_was_cut_short_is_told(refused, sample):
    whole = codecs.BOM_UTF16_LE + sample.html().encode("utf-16-le")
    assert "it is not UTF-16-LE" in refused(whole[:-1])


def test_wherever_a_report_is_cut_nothing_is_lost_in_silence(sample, tmp_path):
    """Cut behind each of its rows, it is refused, or gives every trade and every holding."""
    parts = sample.html().split("</tr>")
    rules = Statements(
        time_zone="UTC", symbols=SymbolRules(), strategies=StrategyRules(default="all"),
        sizes=ContractSizes(sizes={"XAUUSD": Decimal(100), "*": Decimal(100_000)}, currencies={}),
    )  # fmt: skip
    path, outcomes = tmp_path / "r.html", []
    for end in range(1, len(parts)):
        path.write_text("</tr>".join(parts[:end]) + "</tr>")
        try:
            report = import_mt5(
                str(path), rules, trades=tmp_path / "t.parquet", book=tmp_path / "b.parquet", force=True
            )
        except InputError:
            outcomes.append(False)
        else:
            outcomes.append(True)
            assert (report.trades.n_trades, report.book.n_positions) == (3, 3)
    assert outcomes.count(True) < 8


@pytest.mark.parametrize("name", ["utf8x", "hex", "rot13"])
def test_an_encoding_that_is_none_is_refused(rpm, sample, tmp_path, name):
    done = rpm("import", "mt5", sample.write(tmp_path / "r.html"), *RULES, "--encoding", name)
    assert done.code == 2
    assert "--encoding" in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--symbol", "EURUSD"), "is not written as NAME=VALUE"),
        (("--symbol", "A=B", "--symbol", "A=C"), "given twice"),
        (("--contract-size", "EURUSD=-1"), "is no positive number"),
        (("--contract-size", "EURUSD=nan"), "is no positive number"),
        (("--currency", "GER40=euro"), "is no code of three capitals"),
        (("--base-currency", "usd"), "is no code of three capitals"),
        (("--base-currency", "EUR"), "the account is in USD"),
        (("--strip-suffix", ""), "there is no text"),
    ],
)
def test_options_are_checked(rpm, sample, tmp_path, options, told):
    done = rpm("import", "mt5", sample.write(tmp_path / "r.html"), *RULES, *options)
    assert done.code == 2
    assert told in done.err.replace("\n", " ").replace("│", " ").replace("  ", " ")


def test_there_must_be_a_file(rpm, sample, tmp_path):
    sample.write(tmp_path / "ReportHistory-1.html")
    done = rpm("import", "mt5", tmp_path / "ReportHistory-2.html", *RULES)
    assert done.code == 2
    assert "Did you mean" in done.err
    assert rpm("import", "mt5", tmp_path, *RULES).code == 2
    assert rpm("import", "mt5", tmp_path / "none" / "r.html", *RULES).code == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("2024.03.04 10:00:00</td><td>101", "04/03/2024</td><td>101", "a time such as 2024.03.01 14:30:00 is expected"),
        ("2024.03.04 10:00:00</td><td>101", "2024.02.30 10:00:00</td><td>101", "a time such as"),
        (
            "<td>101</td><td>EURUSD</td><td>buy</td>",
            "<td>101</td><td>EURUSD</td><td>achat</td>",
            "a position is buy or sell",
        ),
        ("<td>101</td><td>EURUSD</td>", "<td></td><td>EURUSD</td>", "there is no number of the position"),
        ("<td>1.08500</td><td>1.08000</td>", "<td>none</td><td>1.08000</td>", "it is no number"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(refused, sample, old, new, told):
    content = sample.html()
    assert old in content
    message = refused(content.replace(old, new, 1))
    assert told in message
    assert "row " in message


def test_two_reports_in_one_file_are_refused(refused, sample):
    assert "several reports in one file" in refused(sample.html() + sample.html())


def test_a_position_that_stands_twice_is_refused(refused, sample):
    sample.closed.append(sample.closed[0])
    sample.deals, sample.totals = [], {}
    sample.figures = [("Total Net Profit", "-242.00")]
    sample.open = sample.working = []
    assert "already has this position" in refused(sample.html())


def test_larger_files_than_are_read_are_refused_with_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "LARGEST_FILE", 1024**2)
    (tmp_path / "r.html").write_bytes(b"<html>" + b" " * 1024**2)
    with pytest.raises(InputError, match="more than the 1 MB that are read"):
        read_mt5(tmp_path / "r.html")


@pytest.mark.parametrize("content", ["<html><!-- " + "x" * 3_000_000, "<html><td title='" + "x" * 3_000_000])
def test_a_comment_without_end_is_refused_at_once(tmp_path, content):
    (tmp_path / "r.html").write_text(content)
    with pytest.raises(InputError, match="a tag or a comment is longer than"):
        read_mt5(tmp_path / "r.html")


def test_a_line_without_end_is_refused(tmp_path):
    (tmp_path / "r.csv").write_text("Positions," + "x" * 3_000_000)
    with pytest.raises(InputError, match="a line is longer than"):
        read_mt5(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_text('Positions\n"' + "x,\n" * 200_000)
    with pytest.raises(InputError, match="is not CSV"):
        read_mt5(tmp_path / "r.csv")


def test_memory_is_a_small_multiple_of_a_large_file(sample, tmp_path):
    """Orders that were not filled make most of a large report, and nothing of them is kept but a comment."""
    row = sample.orders[1]
    sample.orders = [(*row[:1], str(10_000 + n), *row[2:]) for n in range(100_000)]
    path = sample.write(tmp_path / "large.html")
    size = path.stat().st_size
    assert size > 20 * 1024**2
    code = (
        "import resource, sys\n"
        "from rpmcore.adapters.statements.mt5 import read_mt5\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert len(read_mt5(sys.argv[1]).closed) == 3\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 3 * size


@pytest.mark.parametrize(("table", "column"), [("open", "position"), ("working", "order")])
def test_a_row_that_stands_twice_is_refused_where_no_sum_shows_it(sample, tmp_path, table, column):
    sample.open.append(
        ("2024.03.08 11:59:00", "112", "USDJPY", "sell", "0.10", "147.000", "", "", "147.000", "0.00", "0.00", "")
    )
    rows = getattr(sample, table)
    rows.append(rows[-1])
    with pytest.raises(InputError, match=f"already has this {column}"):
        checked(read_mt5(sample.write(tmp_path / "r.html")), partial=False)


def test_the_command_that_a_user_starts_says_the_same(sample, tmp_path):
    path = sample.write(tmp_path / "r.html")
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "import", "mt5", path, *RULES, "--decimal", "comma"],
        capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is no number with a comma before its decimals" in done.stderr
