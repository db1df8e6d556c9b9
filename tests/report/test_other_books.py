"""Reports on books that are not like the sample, and what is refused before the work begins."""

import json
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rpmcore.adapters.report_html.writing import MARK, check_output
from rpmcore.domain.errors import InputError
from tests.ledgers import raw
from tests.privileges import without_privileges
from tests.report.conftest import BOOK, TRADES
from tests.report.pages import read_page, rows_of, write_synthetic_book
from tests.small_gate import write_key, write_small_ledger

MARKUP = '<img src=x onerror="alert(1)">$\\frac$ & "q" \u202e\x07 $$'


def page_of(report, book, tmp_path, *arguments):
    out = tmp_path / "report.html"
    code, _, told = report(book, "-o", out, *arguments)
    assert code == 0, told
    return read_page(out.read_bytes())


def test_a_book_of_one_position(report, tmp_path):
    page = page_of(report, write_synthetic_book(tmp_path, 1), tmp_path, "--estimate")
    assert "a correlation needs two instruments that move" in page.one("correlation").text
    assert rows_of(page.one("contributions").all("table")[0])[0][-1] == "100.0%"


def test_a_book_without_capital_has_no_money(report, tmp_path):
    page = page_of(report, write_synthetic_book(tmp_path, 4, capital=None), tmp_path, "--estimate")
    headings = {th.text for th in page.all("th")}
    assert not [text for text in headings if "USD" in text and "account" not in text]
    assert "capital not given (USD)" in page.text
    assert "None" not in page.text


def test_markup_in_symbols_and_strategies_is_shown_and_never_obeyed(report, tmp_path):
    names = [MARKUP, "</svg><script>x</script>", "日本", "a$b$c"]
    book = write_synthetic_book(tmp_path, 4, names=names)
    page = page_of(report, book, tmp_path, "--estimate")
    assert not page.all("script")
    assert not page.all("img")
    shown = MARKUP.replace("\u202e", "\ufffd").replace("\x07", "\ufffd")
    symbols = [row[0] for row in rows_of(page.one("contributions").all("table")[0])]
    assert set(symbols) == {" ".join(shown.split()), *names[1:]}
    drawn = [text.text for text in page.one("figure-contributions").all("text")]
    assert "a$b$c" in drawn
    assert "</svg><script>x</script>" in drawn or any(text.startswith("</svg><script>x") for text in drawn)
    assert "</svg><script>x</script>" in page.one("contributions-description").text


def test_what_the_data_do_not_allow_says_why_and_fails_the_check(report, tmp_path):
    book = write_synthetic_book(tmp_path, 4, n_days=120)
    out = tmp_path / "report.html"
    code, printed, told = report(book, "-o", out, "--json", "--check", "--quiet", "--set", "factors.market=SP500")
    assert code == 3, told
    verdicts = {verdict["name"]: verdict for verdict in json.loads(printed)["verdicts"]}
    assert verdicts["model"]["level"] == "unknown"
    assert verdicts["model"]["label"] == "NOT JUDGED"
    page = read_page(out.read_bytes())
    for section in ("history", "validation"):
        assert verdicts["model"]["text"] in page.one(section).text
        assert "NOT MADE" in page.one(section).text


def test_five_hundred_positions_stay_readable(report, tmp_path):
    page = page_of(report, write_synthetic_book(tmp_path, 500), tmp_path, "--estimate")
    shares = rows_of(page.one("contributions").all("table")[0])
    assert len(shares) == 26
    assert shares[-1][0] == "the other 475 together"
    total = sum(float(row[-1].rstrip("%")) for row in shares)
    assert total == pytest.approx(100.0, abs=1.5)
    assert len(rows_of(page.one("contributions").all("table")[1])) == 500
    heat = page.one("figure-correlation")
    assert not [text for text in heat.all("text") if text.text.startswith("STK")]
    groups = rows_of(page.one("correlation").all("table")[1])
    assert 2 <= len(groups) <= 8
    assert sum(int(row[1]) for row in groups) == 500
    assert (tmp_path / "report.html").stat().st_size < 2_000_000


def test_a_ledger_adds_its_decisions_once_they_are_verified(report, tmp_path):
    (tmp_path / "desk").mkdir()
    ledger = write_small_ledger(tmp_path / "desk" / "desk.ledger")
    key = {"RPM_LEDGER_KEY_FILE": str(write_key(tmp_path / "keys"))}
    out = tmp_path / "report.html"
    code, _, told = report(BOOK, "--ledger", ledger, "-o", out, "--quiet", **key)
    assert code == 0, told
    section = read_page(out.read_bytes()).one("decisions")
    assert re.search(r"All \d+ records of desk.ledger verify, 6 of them decisions", section.text)
    decisions = rows_of(section.all("table")[0])
    assert len(decisions) == 6
    assert {row[4].split()[-1] for row in decisions} >= {"APPROVED", "REJECTED"}
    assert "price collar" in section.text

    with raw(ledger) as connection:
        (body,) = connection.execute("SELECT body FROM records WHERE kind = 'decision' LIMIT 1").fetchone()
        connection.execute("UPDATE records SET body = ? WHERE kind = 'decision' AND body = ?", (body + b" ", body))
    before = out.read_bytes()
    code, _, told = report(BOOK, "--ledger", ledger, "-o", out, "--quiet", **key)
    assert code == 5
    assert "desk.ledger" in told
    assert out.read_bytes() == before


def test_a_ledger_without_its_key_is_refused(report, tmp_path):
    (tmp_path / "desk").mkdir()
    ledger = write_small_ledger(tmp_path / "desk" / "desk.ledger")
    missing = {"RPM_LEDGER_KEY_FILE": str(tmp_path / "nothing.key")}
    code, _, told = report(BOOK, "--ledger", ledger, "-o", tmp_path / "r.html", "--quiet", **missing)
    assert code == 2
    assert "nothing.key" in told
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere/report.html", "there is no such folder"),
        (".", "it is a folder"),
        ("book.csv", "it is what BOOK reads"),
        ("notes.html", "it is there, and is no report of rpm"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_read(report, tmp_path, place, words):
    (tmp_path / "book.csv").write_text("this is no book\n")
    (tmp_path / "notes.html").write_text("<h1>mine</h1>")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, printed, told = report("book.csv", "-o", place, cwd=tmp_path)
    assert (code, printed) == (2, b"")
    assert words in told
    assert "column" not in told
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_or_a_report_without_the_right_to_write():
    with without_privileges(), tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "locked").mkdir(mode=0o555)
        (folder / "hidden").mkdir(mode=0o000)
        (folder / "report.html").write_bytes(MARK)
        (folder / "report.html").chmod(0o444)
        for place in ("locked/report.html", "hidden/report.html", "report.html"):
            with pytest.raises(InputError, match=r"report\.html: a report cannot be written there: Permission denied"):
                check_output(folder / place, {})
        (folder / "hidden").chmod(0o700)


def test_stdout_takes_the_page_or_the_json(report):
    code, printed, told = report(BOOK, "-o", "-", "--json")
    assert (code, printed) == (2, b"")
    assert "stdout takes the page or the JSON" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--trades", "nothing.parquet"), "nothing.parquet"),
        (("--ledger", "nothing.ledger"), "nothing.ledger"),
        (("--factors", "nothing.parquet"), "nothing.parquet"),
        (("--as-of", "yesterday"), "not a day written as YYYY-MM-DD"),
        (("--capital", "nan"), "not a positive amount"),
        (("--set", "limits.beta=-1"), "limits.beta"),
    ],
)
def test_what_is_named_must_be_usable(report, tmp_path, arguments, words):
    code, printed, told = report(BOOK, "-o", tmp_path / "r.html", *arguments)
    assert code in (2, 4)
    assert printed == b""
    assert words in told
    assert list(tmp_path.iterdir()) == []


def test_check_needs_a_book(report, tmp_path):
    code, _, told = report("-o", tmp_path / "r.html", "--check")
    assert code == 2
    assert "--check needs a BOOK" in told


def test_without_the_extra_one_message_says_what_to_install(report, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name in ('jinja2', 'matplotlib') else found(name, *a)\n"
    )
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    code, printed, told = report("nothing.parquet", "-o", tmp_path / "r.html", PYTHONPATH=path)
    assert (code, printed) == (2, b"")
    assert "pip install 'rpmcore[report]'" in told
    assert "jinja2 and matplotlib" in told


def test_returns_over_two_days_leave_the_backtest_out(report, tmp_path):
    page = page_of(report, BOOK, tmp_path, "--trades", TRADES, "--set", "data.return_days=2", "--quiet")
    assert "the tests need independent ones" in page.one("validation").text
    assert "P&L over 2 days" in page.one("figure-distribution").text


def test_a_book_that_never_moves(report, tmp_path):
    days = np.arange("2022-01-03", "2022-12-28", dtype="datetime64[D]")
    pq.write_table(pa.table({"date": days, "CASH": np.ones(len(days))}), tmp_path / "prices.parquet")
    pq.write_table(pa.table({"symbol": ["CASH"], "weight": [1.0]}), tmp_path / "book.parquet")
    page = page_of(report, tmp_path / "book.parquet", tmp_path, "--quiet")
    assert "it has no shape" in page.one("distribution").text
    assert "the book has no volatility" in page.one("contributions").text


def test_a_book_that_holds_nothing(report, tmp_path):
    (tmp_path / "flat.csv").write_text("symbol,weight\nMSFT,0\nJPM,0\n")
    page = page_of(report, tmp_path / "flat.csv", tmp_path, "--quiet")
    assert "the book has no volatility" in page.one("contributions").text
    assert "a book that holds nothing has no losses to test forecasts by" in page.one("validation").text


def test_every_method_answers_or_says_why(report, tmp_path):
    methods = "historical, filtered_historical, normal, student_t, cornish_fisher, extreme_value, monte_carlo"
    settings = [
        x
        for change in (
            f"tail_risk.methods=[{methods}]", "tail_risk.confidences=[0.95, 0.999]", "tail_risk.lookback=150",
            "tail_risk.horizon=12",
        )
        for x in ("--set", change)
    ]  # fmt: skip
    page = page_of(report, BOOK, tmp_path, "--quiet", *settings)
    tail = page.one("tail")
    assert "VaR and CVaR (expected shortfall) over 12 days" in tail.text
    assert "figures are not scaled beyond 10 days" in tail.text
    for row in tail.all("table")[0].all("tbody")[0].all("tr"):
        cells = [cell.text for cell in row.children]
        assert "–" not in cells or len(cells) > 2
        assert "None" not in row.text
    assert "this book loses on one span of 12 days in 20 more than" in page.one("summary").text
