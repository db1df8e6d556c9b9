"""What a job returns in Python is what its command prints: the same object, as tables, and in a notebook."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pyarrow as pa
import pytest

import rpmcore
from rpm_cli.main import app
from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.domain.errors import InvalidArgument

ASKED = {"strategy_id": "core_equity", "symbol": "MSFT", "side": "sell", "entry": 240.0, "quantity": 500.0}
SIGNAL = ("MSFT", "--side", "sell", "--strategy", "core_equity", "--entry", "240", "--quantity", "500")


def asked(at):
    return rpmcore.Signal(signal_id="x1", at=at, **ASKED)


def crises(*names):
    return rpmcore.chosen_crises(names)


JOBS = {
    "evaluate": (
        ("evaluate", "--decompose", "historical", "--compare-covariance", "--rolling"),
        lambda: rpmcore.evaluate(decompose=["historical"], compare_covariance=True, rolling=True),
    ),
    "evaluate --set": (
        ("evaluate", "--set", "limits.value_at_risk=0.01"),
        lambda: rpmcore.evaluate(settings=rpmcore.load_settings(assignments=["limits.value_at_risk=0.01"])),
    ),
    "exposure": (("exposure", "--hedge"), lambda: rpmcore.exposure(hedge=True)),
    "backtest": (("backtest", "--method", "normal"), lambda: rpmcore.backtest(method="normal")),
    "limits": (("limits",), rpmcore.limits),
    "regime": (("regime", "--history"), lambda: rpmcore.regime(history=True)),
    "strategies": (("strategies", "--strategy", "reversal_equity"),
                   lambda: rpmcore.strategies(strategy="reversal_equity")),
    "size": (
        ("size", "EURUSD", "--side", "buy", "--entry", "1.1", "--stop", "1.08", "--capital", "100000"),
        lambda: rpmcore.size("EURUSD", side="buy", entry=1.1, stop=1.08, capital=100_000.0),
    ),
    "stress": (
        ("stress", "-s", "lehman2008", "-s", "covid2020", "--mode", "parametric", "--mode", "replay", "--mode", "path"),
        lambda: rpmcore.stress(crises=crises("lehman2008", "covid2020"), modes=("parametric", "replay", "path")),
    ),
    "stress --shock": (("stress", "--shock", "SP500=-0.1"), lambda: rpmcore.stress(shocks={"SP500": -0.1})),
    "stress --synthetic": (("stress", "--synthetic", "12"), lambda: rpmcore.synthetic_stress(n_simulations=12)),
    "stress --reverse": (("stress", "--reverse", "0.1"), lambda: rpmcore.reverse_stress(loss=0.1)),
    "scenarios": (("scenarios",), rpmcore.scenarios),
    "scenarios show": (("scenarios", "show", "covid2020"), lambda: crises("covid2020")[0]),
    "killswitch simulate": (
        ("killswitch", "simulate", "--days", "100", "--seed", "3"),
        lambda: rpmcore.simulate_kill_switches(days=100, seed=3),
    ),
    "decide --what-if": (
        ("decide", *SIGNAL, "--id", "x1", "--what-if"), lambda: rpmcore.what_if_of_book(None, asked),
    ),
    "gate run": (("gate", "run", "--until", "2015-03-31"), lambda: rpmcore.gate_run(until=date(2015, 3, 31))),
    "doctor": (("doctor",), rpmcore.examine),
}  # fmt: skip

LEDGER_JOBS = {
    "gate status": (("gate", "status"), rpmcore.gate_status),
    "killswitch status": (("killswitch", "status"), rpmcore.killswitch_status),
    "replay": (("replay",), rpmcore.prove),
    "replay --set": (
        ("replay", "--set", "limits.value_at_risk=0.005"),
        lambda ledger: rpmcore.compare_policies(ledger, changes=["limits.value_at_risk=0.005"]),
    ),
    "audit show": (("audit", "show", "--last", "9"), lambda ledger: rpmcore.audit_show(ledger, last=9)),
    "audit verify": (("audit", "verify"), rpmcore.audit_verify),
    "decide": (
        ("decide", *SIGNAL, "--id", "x1", "--what-if", "--at", "last", "--ledger"),
        lambda ledger: rpmcore.what_if(ledger, asked),
    ),
}


@pytest.fixture
def printed(capsys):
    """Run a command in this process and return the object that it prints."""

    def run(*arguments):
        with pytest.raises(SystemExit):
            app([*map(str, arguments), "--json"], prog_name="rpm")
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def owned(desk, monkeypatch):
    monkeypatch.setenv("RPM_LEDGER_KEY_FILE", desk.environment["RPM_LEDGER_KEY_FILE"])
    return str(desk.ledger)


class Balanced(HTMLParser):
    """Sees that every element is closed, and by which the page would load or run anything."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.seen = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)
        assert all(not name.startswith("on") and name not in ("src", "href") for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def without_clock(plain):
    """Return the object without how long decisions took."""
    return {name: value for name, value in plain.items() if name != "decision_ms"}


def check_all_forms(result, json_of_the_command):
    plain = result.to_dict()
    assert without_clock(json.loads(json.dumps(plain, allow_nan=False))) == without_clock(json_of_the_command)
    assert list(plain) == list(json_of_the_command)
    for name in result.tables:
        table = result.to_arrow(name)
        table.validate(full=True)
        for field in table.schema:
            assert not pa.types.is_float32(field.type), name
            if pa.types.is_floating(field.type):
                assert pa.compute.all(pa.compute.is_finite(table[field.name]).drop_null()).as_py() is not False
    for text in (repr(result), str(result)):
        assert len(text) < 500
        assert "\n" not in text
    page = Balanced()
    page.feed(result._repr_html_())
    page.close()
    assert not page.open
    assert page.seen <= {"div", "style", "p", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "ul", "li",
                         "small"}  # fmt: skip
    assert str(result).split()[0] in " ".join(page.text)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_returns_what_its_command_prints(name, printed):
    arguments, job = JOBS[name]
    check_all_forms(job(), printed(*arguments))


@pytest.mark.parametrize("name", LEDGER_JOBS)
def test_a_job_on_a_ledger_returns_what_its_command_prints(name, printed, owned):
    arguments, job = LEDGER_JOBS[name]
    words = (*arguments, owned) if "--ledger" in arguments else (*arguments[:2], owned, *arguments[2:])
    if arguments[0] == "replay":
        words = ("replay", owned, *arguments[1:])
    check_all_forms(job(owned), printed(*words))


def test_an_operators_word_is_printed_as_it_is_returned(printed, owned):
    said = {"operator": "A. Person", "reason": "a test"}
    result = rpmcore.operate(owned, "trip", value="halt", **said)
    words = ("killswitch", "reset", owned, "--operator", "A. Person", "--reason", "a test")
    found = printed(*words)
    assert list(result.to_dict()) == list(found)
    check_all_forms(result, result.to_dict())


def test_alerts_are_printed_as_they_are_returned(printed, tmp_path):
    path = tmp_path / "desk.outbox"
    with closing(Outbox.open(path)) as opened:
        AlertingSystem(opened, channels=("slack",)).raise_alert("critical", "A <b>title</b>", "x", key="k")
    found = rpmcore.alerts_status(path)
    check_all_forms(found, printed("alerts", "status", path))
    assert "A &lt;b&gt;title&lt;/b&gt;" in found._repr_html_()


def test_a_replayed_history_is_printed_as_it_is_returned(printed, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("at,kind,strategy_id,symbol,reason,pnl\n2020-03-16T14:00:00Z,trade,trend,,,-5000\n", "utf-8")
    result = rpmcore.replay_kill_switches(path, capital=1e5)
    check_all_forms(result, printed("killswitch", "simulate", "--history", path, "--capital", "100000"))


def test_the_main_table_goes_wherever_arrow_goes():
    import pandas as pd
    import polars as pl

    result = rpmcore.evaluate()
    main = result.to_arrow()
    assert main.equals(result.to_arrow("tail_risk"))
    assert pa.table(result).equals(main)
    assert pl.DataFrame(result.to_arrow("components")).height == len(result.components)
    frame = main.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame["value_at_risk"].tolist() == [row.value_at_risk for row in result.tail_risk]


def test_columns_keep_their_types_where_nothing_is_defined():
    book = pa.table({"symbol": ["MSFT", "JPM"], "weight": [0.5, 0.5]})
    result = rpmcore.evaluate(book, base_currency="USD")
    table = result.to_arrow()
    assert table["value_at_risk_money"].null_count == table.num_rows
    assert table.schema.field("value_at_risk_money").type == pa.float64()
    days = rpmcore.backtest(method="normal").to_arrow("series")
    assert days.schema.field("dates").type == pa.date32()
    assert days.num_rows > 1000
    empty = rpmcore.regime().to_arrow()
    assert empty.num_rows == 0
    assert empty.schema.field("first").type == pa.date32()


def test_tables_of_a_book_that_lacks_this_and_that_have_the_columns_of_any_other():
    poor = pa.table({"symbol": ["MSFT"], "weight": [0.5]})
    asked = {"crises": crises("covid2020"), "modes": ("parametric", "factor", "path")}
    studies = {"decompose": ["historical"], "rolling": True}
    for found, rich in (
        (rpmcore.stress(poor, base_currency="USD", **asked), rpmcore.stress(**asked)),
        (rpmcore.evaluate(poor, base_currency="USD", **studies), rpmcore.evaluate(**studies)),
    ):
        for name in ("scenarios.positions", "decomposition.components", "rolling.figures", "components"):
            if name in rich.tables:
                types = [
                    {field.name: field.type for field in table.schema if not field.name.endswith("_reason")}
                    for table in (found.to_arrow(name), rich.to_arrow(name))
                ]
                assert types[0] == types[1]
                assert pa.null() not in types[0].values()
    paths = rpmcore.stress(poor, base_currency="USD", **asked).to_arrow()
    assert paths.schema.field("path.action.control").type == pa.string()
    assert "path.action" not in paths.column_names


def test_a_list_within_rows_is_a_table_that_names_them():
    result = rpmcore.stress(crises=crises("lehman2008", "covid2020"))
    positions = result.to_arrow("scenarios.positions")
    assert positions.column_names[:2] == ["row", "scenarios.name"]
    first = [p for p, row in zip(positions.to_pylist(), positions["row"].to_pylist(), strict=True) if row == 1]
    assert {p["scenarios.name"] for p in first} == {"covid2020"}
    assert [p["loss"] for p in first] == [p.loss for p in result.scenarios[1].positions]
    assert "positions" not in result.to_arrow().column_names


def test_a_table_that_there_is_not_is_told_with_those_that_there_are():
    result = rpmcore.evaluate()
    with pytest.raises(
        InvalidArgument, match=r"no table 'component'; did you mean 'components'\? there are tail_risk,"
    ):
        result.to_arrow("component")
    with pytest.raises(InvalidArgument, match="to_dict"):
        rpmcore.chosen_crises(["covid2020"])[0].to_arrow()


def test_text_of_a_book_cannot_become_markup():
    nasty = "<script>alert(1)</script>'\""
    book = pa.table({"symbol": ["MSFT", "JPM"], "weight": [0.5, 0.5], "strategy_id": [nasty, "b"]})
    result = rpmcore.evaluate(book, base_currency="USD")
    html = replace(result, book=replace(result.book, source="file", path=nasty))._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "'\"" not in html


def test_a_long_text_is_cut_on_the_page_and_nowhere_else(owned):
    trail = rpmcore.audit_show(owned, kind="genesis")
    body = trail.to_arrow()["body"][0].as_py()
    assert len(trail._repr_html_()) < 5_000 < len(body)
    assert json.loads(body) == trail.to_dict()["records"][0]["body"]


def test_decide_takes_a_signal_of_its_own_time(owned):
    at = rpmcore.gate_status(owned).at + 1_000_000_000
    decision = rpmcore.decide(owned, rpmcore.Signal(signal_id="own", at=at, **ASKED))
    assert (decision.at, decision.signal.signal_id) == (at, "own")
    assert rpmcore.gate_status(owned, last=1).decisions[0].signal_id == "own"
    assert rpmcore.audit_verify(owned, anchors=[rpmcore.audit_head(owned)]).ok
