"""``rpm reconcile``, as a user runs it."""

import json
import os
from pathlib import Path

import pytest

from tests.statements.samples import OPEN, WORKING, Sample

ROOT = Path(__file__).parents[2]
WHO = ("--operator", "A. Person", "--reason", "sold by hand")


def run(desk, path, *options):
    return desk("reconcile", desk.ledger, "--statement", path, *options)


def differing(done):
    return [
        (line["kind"], line["symbol"], line["gate"], line["broker"])
        for line in json.loads(done.out)["lines"] if line["verdict"] == "differs"
    ]  # fmt: skip


def state(desk):
    return json.loads(desk("gate", "status", desk.ledger, "--json").out)["trading_state"]


def test_books_that_agree_are_recorded_and_exit_with_0(desk, held, write_positions):
    done = run(desk, write_positions(held), "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["schema"], found["equal"], found["recorded"]) == ("rpm.reconcile/1", True, True)
    assert {line["verdict"] for line in found["lines"]} == {"equal", "not compared"}
    assert found["trading_state"] == "active"
    records = json.loads(desk("audit", "show", desk.ledger, "--last", "5", "--json").out)["records"]
    assert any(record["body"].get("type") == "reconciled" for record in records)


def test_a_difference_is_a_line_halts_and_exits_with_3(desk, held, write_positions):
    path = write_positions({**held, "JNJ": held["JNJ"] - 100.0, "GOLD": 1.0})
    done = run(desk, path, "--json")
    assert done.code == 3
    assert differing(done) == [("position", "GOLD", "0", "1"), ("position", "JNJ", "5500", "5400")]
    line = next(line for line in json.loads(done.out)["lines"] if line["symbol"] == "JNJ")
    assert line["difference"] == -100.0
    assert state(desk) == "halted"
    done = run(desk, path)
    assert "JNJ" in done.out
    assert "Trading is halted until somebody settles this" in done.out


def test_a_dry_run_records_nothing_also_while_a_gate_holds_the_ledger(desk, held, write_positions, holder):
    path = write_positions({**held, "JNJ": 1.0})
    before = desk.ledger.read_bytes()
    holder("sleeps")
    done = run(desk, path, "--dry-run", "--json")
    assert done.code == 3
    assert differing(done) == [("position", "JNJ", "5500", "1")]
    assert (json.loads(done.out)["recorded"], json.loads(done.out)["sequence"]) == (False, None)
    assert desk.ledger.read_bytes() == before


def test_a_ledger_that_a_gate_holds_is_told_with_what_to_do(desk, held, write_positions, holder):
    holder("sleeps")
    done = run(desk, write_positions(held))
    assert done.code == 4
    assert "is held by process" in done.err
    assert "--dry-run compares without recording" in done.err


@pytest.mark.parametrize("view", ["broker", "gate"])
def test_a_view_is_adopted_by_name_of_what_was_seen_before(desk, held, write_positions, view):
    path = write_positions({**held, "JNJ": 5400.0})
    adopt = ("--adopt", view, *WHO)
    done = run(desk, path, *adopt)
    assert done.code == 3, "nobody has seen these differences yet"
    assert "Nothing was adopted: look at the differences first" in done.out
    assert state(desk) == "halted"
    done = run(desk, write_positions({**held, "JNJ": 5300.0}), *adopt)
    assert done.code == 3, "these are others"
    assert run(desk, path).code == 3
    done = run(desk, path, *adopt, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["adopted"]["view"], found["adopted"]["operator"]) == (view, "A. Person")
    assert state(desk) == "active"
    assert run(desk, path).code == (0 if view == "broker" else 3)
    trail = desk("audit", "show", desk.ledger, "--json").out
    assert "sold by hand" in trail
    assert f'"view": "{view}"' in trail
    assert desk("replay", desk.ledger).code == 0


def test_what_waits_is_settled_without_a_new_reading_also_through_the_gate_that_holds_it(
    desk, held, write_positions, holder
):
    assert run(desk, write_positions({**held, "JNJ": 5400.0})).code == 3
    process = holder("obeys")
    process.stdin.write("\n" * 20)
    process.stdin.flush()
    done = desk("reconcile", desk.ledger, "--adopt", "gate", *WHO, "--json")
    if done.code == 4:  # the gate ticked before the request came; it stands, and is obeyed with the next
        assert "The request stands" in done.err
        process.stdin.write("\n")
        process.stdin.flush()
    else:
        assert json.loads(done.out)["adopted"]["by"] == "the gate"


def test_money_is_compared_within_its_tolerance(desk, held, write_positions):
    assert run(desk, write_positions({**held, "equity": held["equity"] * 1.005}), "--dry-run").code == 0
    done = run(desk, write_positions({**held, "equity": held["equity"] * 1.02}), "--dry-run", "--json")
    assert done.code == 3
    assert differing(done)[0][0] == "equity"
    rows = {symbol: quantity for symbol, quantity in held.items() if symbol != "equity"}
    done = run(desk, write_positions({**rows, "cash": 1.0}), "--dry-run", "--json")
    assert [line[0] for line in differing(done)] == ["cash"]
    done = run(desk, write_positions(rows), "--dry-run")
    assert done.code == 0
    assert "states no money" in done.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("symbol,quantity\nJNJ,many\n", "column 'quantity'"),
        ("symbol,quantity\nJNJ,1\nJNJ,2\n", "an earlier row has this symbol"),
        ("symbol,quantity\ncash,1\ncash,2\n", "money stands in one row"),
        ("symbol,quantity\nJNJ,\n", "there is no finite number"),
        ("symbol,units\nJNJ,1\n", "no trade history report of MetaTrader 5"),
        ("symbol,quantity,strategyid\nJNJ,1,a\n", "the name is 'strategy_id'"),
    ],
)
def test_a_table_that_cannot_be_read_records_nothing(desk, tmp_path, text, told):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    before = desk.ledger.read_bytes()
    done = run(desk, path)
    assert done.code == 2
    assert told in done.err
    assert desk.ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "name what to reconcile with"),
        (("--statement", "a", "--broker", "b"), "name one of the two"),
        (("--statement", "a", "--adopt", "gate"), "a named operator and a written reason are needed"),
        (("--statement", "a", "--adopt", "gate", "--dry-run", *WHO), "a dry run records nothing"),
        (("--adopt", "gate", *WHO), "no reconciliation waits"),
        (("--broker", "ib"), "--broker is mt5 or MODULE:FACTORY"),
        (("--broker", "none_such:make"), "the module must be where Python finds it"),
        (("--broker", "mt5"), "--broker mt5 needs --broker-config"),
    ],
)
def test_what_is_needed_is_asked_for(desk, options, told):
    done = desk("reconcile", desk.ledger, *options)
    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_a_broker_of_ones_own_is_asked(desk, held, tmp_path):
    (tmp_path / "our_broker.py").write_text(
        "from decimal import Decimal\n"
        "from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker\n"
        "from rpmcore.adapters.in_memory_broker.venue import Venue\n"
        "def make(verifier):\n"
        f"    held = {held!r}\n"
        "    equity = held.pop('equity')\n"
        "    positions = {('trend', s): Decimal(repr(q)) for s, q in held.items()}\n"
        "    return InMemoryBroker(verifier, venue=Venue(cash=1.0, positions=positions))\n"
        "def fails(verifier):\n"
        "    raise OSError('no route')\n"
    )
    there = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = desk("reconcile", desk.ledger, "--broker", "our_broker:make", "--dry-run", "--json", **there)
    assert done.code == 3
    found = json.loads(done.out)
    assert found["source"] == "memory"
    assert {line[0] for line in differing(done)} == {"position", "cash"}, "strategies and cash are told apart"
    done = desk("reconcile", desk.ledger, "--broker", "our_broker:fails", "--dry-run", **there)
    assert done.code == 4
    assert "our_broker:fails could not be reached: OSError: no route" in done.err


def test_a_terminal_is_asked_and_a_dry_run_leaves_no_trace(desk, tmp_path):
    (tmp_path / "MetaTrader5.py").write_text(
        "from tests.conformance.mt5_terminal import Mt5Terminal\n"
        "terminal = Mt5Terminal()\n"
        "terminal.take_by_hand('EURUSD.m', 0.5)\n"
        "globals().update({name: getattr(terminal, name) for name in dir(terminal) if not name.startswith('_')})\n"
        "def initialize():\n"
        "    return True\n"
    )
    rules = tmp_path / "mt5.yaml"
    rules.write_text(
        "magics: {trend: 101}\ntime_zone: Europe/Athens\nsince: 2024-01-01\njournal: journal.jsonl\n"
        "symbols: {EURUSD: EURUSD.m}\n"
    )
    there = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])}
    ask = ("reconcile", desk.ledger, "--broker", "mt5", "--broker-config", rules, "--json")
    done = desk(*ask, "--dry-run", **there)
    assert done.code == 3, done.err
    found = json.loads(done.out)
    assert found["source"] == "mt5-5001234"
    assert next(line["verdict"] for line in found["lines"] if line["symbol"] == "EURUSD") == "equal"
    assert ("position", "XOM", "6000", "0") in differing(done)
    assert not (tmp_path / "journal.jsonl").exists()
    assert desk(*ask, **there).code == 3
    assert (tmp_path / "journal.jsonl").read_bytes().count(b"\n") == 1, "the deal by hand"


def test_mt5_says_that_it_is_not_there(desk, tmp_path):
    rules = tmp_path / "mt5.yaml"
    good = "magics: {trend: 101}\ntime_zone: Europe/Athens\nsince: 2024-01-01\njournal: journal.jsonl\n"
    rules.write_text(good)
    done = desk("reconcile", desk.ledger, "--broker", "mt5", "--broker-config", rules)
    assert done.code == 4
    assert "the package MetaTrader5 is not installed; it exists for Windows alone" in done.err
    for wrong, told in (
        ("magic: {trend: 1}\n" + good, "line 1: magic: there is no such key; did you mean 'magics'?"),
        (good.replace("2024-01-01", "yesterday"), "line 3: since: it is a day"),
        (good.replace("journal: journal.jsonl\n", ""), "the key 'journal' is needed"),
        (good.replace("101", "-1"), "a magic is a whole number"),
        (good.replace("Europe/Athens", "Athens"), "there is no such time zone"),
    ):
        rules.write_text(wrong)
        done = desk("reconcile", desk.ledger, "--broker", "mt5", "--broker-config", rules)
        assert done.code == 2
        assert told in done.err


def test_a_report_of_mt5_is_a_statement(desk, tmp_path):
    """Its positions, equity and working orders; what is no gate's order is shown as such."""
    path = Sample(open=OPEN, working=WORKING).write(tmp_path / "report.html", "utf-16-le", b"\xff\xfe")
    done = run(desk, path, "--dry-run", "--json", "--time-zone", "Europe/Athens")
    assert done.code == 2
    assert "--contract-size EURUSD=100000 if that is so" in done.err
    done = run(desk, path, "--dry-run", "--json", "--contract-size", "*=100000", "--contract-size", "XAUUSD=100")
    assert done.code == 2, "the first size that fits is taken, and it does not fit the profits"
    done = run(desk, path, "--dry-run", "--json", "--contract-size", "XAUUSD=100", "--contract-size", "*=100000")
    assert done.code == 3, done.err
    found = differing(done)
    assert ("position", "GBPUSD", "0", "15000") in found
    assert ("order", "EURUSD", "none", "buy 100000, 25000 filled") in found
    assert found[-1][0] == "equity"
    done = run(desk, path, "--dry-run", "--contract-size", "XAUUSD=100", "--contract-size", "*=100000", "--time-zone",
               "Europe/Athens")  # fmt: skip
    assert "is as of 2024-03-08 10:00 UTC" in done.out


def test_a_report_that_was_cut_short_is_no_empty_account(desk, tmp_path):
    """Without its last lines a report shows nothing open: that is not what the broker says."""
    path = Sample(deals=[], open=[], working=[], figures=[]).write(tmp_path / "report.html")
    done = run(desk, path, "--dry-run", "--contract-size", "XAUUSD=100", "--contract-size", "*=100000")
    assert done.code == 2
    assert "it names no equity" in done.err
