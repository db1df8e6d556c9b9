"""What stands in the report is what the other commands say, in full, with its method, and nothing else."""

import json
import os
import re
import subprocess
import sys

from rpmcore.adapters.report_html.charts.axes import percents
from rpmcore.adapters.report_html.method_notes import method_notes
from rpmcore.adapters.report_html.writing import MARK
from rpmcore.domain.wording import LIMIT_NAMES, METHOD_NAMES, TEST_NAMES, amount, measured, percent
from tests.report.conftest import BOOK, DATA, TRADES, run_report
from tests.report.pages import read_page, rows_of


def said(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", *map(str, arguments), "--json", "--quiet"], capture_output=True,
        env={**os.environ}, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def tables(page, section):
    return page.one(section).all("table")


def test_limits_and_tail_risk_are_those_of_evaluate(sample):
    found = said("evaluate", BOOK)
    limits = rows_of(tables(sample, "limits")[0])
    assert [row[:5] for row in limits] == [
        [
            LIMIT_NAMES[c["name"]], c["measure"], measured(c["name"], c["observed"]), measured(c["name"], c["limit"]),
            percent(c["utilisation"], 0),
        ]
        for c in found["limits"]
    ]  # fmt: skip
    assert [row[-1].split()[-1] for row in limits] == [c["status"].upper() for c in found["limits"]]
    tail = rows_of(tables(sample, "tail")[0])
    assert [[row[0], row[2], row[4], row[6], row[7]] for row in tail] == [
        [
            METHOD_NAMES[r["method"]], percent(r["value_at_risk"]), percent(r["expected_shortfall"]),
            amount(r["value_at_risk_money"]), amount(r["expected_shortfall_money"]),
        ]
        for r in found["tail_risk"]
    ]  # fmt: skip
    shares = {row[0]: row[-1] for row in rows_of(tables(sample, "contributions")[0])}
    assert shares == {c["symbol"]: percent(c["share"], 1) for c in found["components"]}
    told = sample.one("summary").text
    assert "on one day in 20 more than 1.65% (164,607 USD), on one in 100 more than 2.51% (250,739 USD)" in told
    assert percent(found["volatility"]["annual"]) in told


def test_exposures_limits_of_today_crises_and_model_are_those_of_their_commands(sample):
    exposure = said("exposure", BOOK)
    factors, sectors, currencies = [rows_of(table) for table in tables(sample, "exposures")[:3]]
    assert [row[3] for row in factors] == [
        *(percent(f["share"], 1) for f in exposure["factors"]), percent(exposure["specific"]["share"], 1),
    ]  # fmt: skip
    assert [[row[0], row[1]] for row in sectors] == [[s["sector"], percent(s["net"], 1)] for s in exposure["sectors"]]
    assert [row[1] for row in currencies] == [percent(c["net"], 1) for c in exposure["currencies"]]

    today = said("limits", BOOK)["limits"]
    steps = rows_of(tables(sample, "limits")[1])
    assert [row[4] for row in steps] == [percent(s["result"]["gross_exposure"], 1) for s in today["steps"]]

    modes = [x for mode in ("parametric", "replay", "factor") for x in ("--mode", mode)]
    crises = said("stress", BOOK, "--all", *modes)["scenarios"]
    shown = rows_of(tables(sample, "crises")[0])
    assert [[row[0], row[2], row[3], row[-1].split()[-1]] for row in shown] == [
        [s["title"], percent(s["loss"]), amount(s["loss_money"]), "PASS" if s["passed"] else "FAIL"] for s in crises
    ]

    model = said("backtest", BOOK)
    tests = rows_of(tables(sample, "validation")[0])
    assert [[row[0], row[2]] for row in tests] == [
        [TEST_NAMES[name], f"{test['statistic']:.2f}"] for name, test in model["tests"].items()
    ]
    assert f"{model['violations']} of {model['n']:,} days" in sample.one("validation").text


def test_strategies_are_those_of_their_command(sample):
    found = said("strategies", TRADES)["strategies"]
    shown = rows_of(tables(sample, "strategies")[0])
    assert [[row[0], row[1], row[-1].split()[-1]] for row in shown] == [
        [s["strategy_id"], f"{s['score']:.2f}", "ENABLED" if s["enabled"] else "DISABLED"] for s in found
    ]
    assert found[-1]["reason"] in sample.one("strategies").text


def test_every_table_and_chart_leads_to_a_note_with_formula_source_and_manual_page(sample):
    manual = DATA.parent / "docs"
    notes = {note.attributes["id"]: note for note in sample.one("methods").all("article")}
    assert len(notes) == len(method_notes())
    for note in notes.values():
        (formula,) = note.all("p", **{"class": "formula"})
        assert formula.text
        assert re.search(r"Source: .{3}", note.text)
        page, heading = re.search(r"docs/(\w+\.md), “(.*)”", note.text).groups()
        assert page != "figures.md", "the formula stands in mathematics.md"
        assert re.search(rf"^#+ {re.escape(heading)}$", (manual / page).read_text(encoding="utf-8"), re.MULTILINE)
    shown = [e for e in sample.within() if e.tag in ("table", "figure")]
    assert len(shown) > 25
    for element in shown:
        links = [a.attributes["href"].removeprefix("#") for a in element.all("a", **{"class": "note"})]
        assert links, element.text[:80]
        assert set(links) <= set(notes)


def test_every_link_leads_somewhere_within_the_page(sample):
    links = [a.attributes["href"] for a in sample.all("a")]
    known = {e.attributes["id"] for e in sample.within() if "id" in e.attributes}
    assert len(links) > 150
    assert {link.removeprefix("#") for link in links} <= known


def test_the_verdict_on_data_counts_the_warnings_that_stand_below(sample):
    listed = sample.one("data").all("ul", **{"class": "warnings"})[0].all("li")
    assert len(listed) > 2
    assert f"{len(listed)} warnings." in sample.one("summary").text


def test_the_summary_names_the_method_of_its_figures(sample):
    assert "By the historical method this book loses" in sample.one("summary").text
    assert "VaR 95%, historical" in sample.one("summary").text


def test_ticks_are_written_with_the_decimals_that_they_need():
    assert percents([0.0, 0.0025, 0.005]) == ["0.00%", "0.25%", "0.50%"]
    assert percents([-0.1, 0.0, 0.1 + 0.2]) == ["-10%", "0%", "30%"]
    assert percents([0.0, 0.075]) == ["0.0%", "7.5%"]


def test_ids_are_unique(sample):
    ids = [e.attributes["id"] for e in sample.within() if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_charts_have_titles_descriptions_and_no_colour_of_their_own(sample):
    drawings = sample.all("svg")
    assert len(drawings) == 9
    for drawing in drawings:
        assert drawing.attributes["role"] == "img"
        title, description = (sample.one(one).text for one in drawing.attributes["aria-labelledby"].split())
        assert title
        assert re.search(r"\d", description)
        assert drawing.parent.parent.tag == "figure"
        styles = " ".join(e.attributes.get("style") or "" for e in drawing.within())
        assert "var(--ink)" in styles
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgb\(", styles)


def test_nothing_refers_to_another_host(sample_page):
    page = sample_page.read_text(encoding="utf-8")
    references = re.findall(r'(?:src|href|action|data|poster|srcset)="([^"]*)"|url\(([^)]*)\)|@import ([^;]*)', page)
    for reference in (next(filter(None, found), "") for found in references):
        assert reference.startswith(("#", "data:image/png;base64,")), reference
    assert "<script" not in page
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in page


def test_the_same_inputs_give_the_same_bytes_wherever_they_are_written(sample_page, tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.grid: False\n")
    again = tmp_path / "again.html"
    code, _, told = run_report(BOOK, "--trades", TRADES, "-o", again, "--quiet", cwd=tmp_path)
    assert code == 0, told
    assert again.read_bytes() == sample_page.read_bytes()


def test_the_page_tells_no_folder_and_no_time_of_its_making(sample_page):
    page = sample_page.read_text(encoding="utf-8")
    assert str(DATA) not in page
    assert not re.search(r"\b(19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d", page)
    assert "data/" not in read_page(page).one("data").text


def test_json_names_sections_and_verdicts_and_an_earlier_report_is_replaced(tmp_path):
    out = tmp_path / "r.html"
    out.write_bytes(MARK)
    out.chmod(0o640)
    code, printed, told = run_report(BOOK, "-o", out, "--json", "--check", "--quiet")
    found = json.loads(printed)
    assert code == 3, told
    assert told == ""
    assert found["schema"] == "rpm.report/1"
    assert found["path"] == str(out)
    assert found["bytes"] == out.stat().st_size > 100_000
    assert out.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert found["sections"][0] == "summary"
    assert not {"strategies", "decisions"} & set(found["sections"])
    assert {v["name"]: v["level"] for v in found["verdicts"]} == {
        "limits": "warning", "adaptive_limits": "fail", "crises": "fail", "model": "fail", "data": "warning",
    }  # fmt: skip


def test_the_page_goes_to_stdout_and_progress_is_told_by_part(tmp_path):
    code, printed, told = run_report(BOOK, "-o", "-", cwd=tmp_path)
    assert code == 0
    assert printed.startswith(b"<!doctype html>")
    assert printed.endswith(b"</html>\n")
    assert list(tmp_path.iterdir()) == []
    assert all(word in told for word in ("… risk", "… crises", "… page", "stdout, ", "Risk model: FAIL"))


def test_the_snippet_of_the_manual_runs(monkeypatch, capsys):
    monkeypatch.chdir(DATA.parent)
    manual = (DATA.parent / "docs" / "report.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", manual, re.MULTILINE | re.DOTALL)
    exec(snippet, {})  # noqa: S102 - our own page
    assert "'Limits of the market', 'Crises', 'Risk model', 'Strategies'" in capsys.readouterr().out
