"""``rpm decide``, as a user runs it: on a ledger, on a held one, and on a book."""

import json

import pytest

ORDER = ("EURUSD", "--side", "buy", "--strategy", "trend", "--entry", "1.122")
WHAT_IF = ("MSFT", "--side", "buy", "--strategy", "core_equity", "--entry", "40.4", "--what-if", "--quiet")


def test_a_decision_is_recorded_once(desk):
    first = desk(
        "decide", *ORDER, "--quantity", "1000", "--ledger", desk.ledger, "--at", "last", "--id", "x1", "--json"
    )
    assert first.code == 0, first.err
    found = json.loads(first.out)
    assert (found["schema"], found["verdict"], found["approved"]) == ("rpm.decision/1", "approved", 1000.0)
    assert (found["sequence"], len(found["signature"])) == (28, 64)
    again = desk(
        "decide", *ORDER, "--quantity", "1000", "--ledger", desk.ledger, "--at", "last", "--id", "x1", "--json"
    )
    assert again.out == first.out
    other = desk(
        "decide", *ORDER, "--quantity", "2000", "--ledger", desk.ledger, "--at", "last", "--id", "x1", "--json"
    )
    assert other.code == 3
    assert json.loads(other.out)["reason"] == "duplicate_conflict"
    assert desk("replay", desk.ledger, "--quiet").code == 0


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_checks_fit_and_the_binding_one_is_named(desk, width):
    done = desk(
        "decide", *ORDER, "--risk", "0.005", "--stop", "1.10", "--ledger", desk.ledger, "--at", "last", COLUMNS=width
    )
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    text = " ".join(done.out.split())
    for words in ("CUT – cut by", "Bound by", "Recorded as command 28", "to be released before", "Passes up to",
                  "risk_per_trade", "gross_exposure", "Passed: halted, invalid_signal"):  # fmt: skip
        assert words in text, words
    assert "█" in done.out


def test_no_size_reads_as_passing_that_does_not_pass(desk):
    asked = ("decide", *WHAT_IF, "--quantity", "30000.123")
    passing = {
        check["name"]: check["largest_passing"]
        for check in json.loads(desk(*asked, "--json").out)["checks"]
        if check["largest_passing"] is not None
    }
    shown = 0
    for line in desk(*asked, COLUMNS="200").out.splitlines():
        name, *cells = line.split() or [""]
        if name in passing and cells[0] in ("pass", "cut", "reject"):
            sizes = [float(cell.replace(",", "")) for cell in cells if cell.replace(",", "").replace(".", "").isdigit()]
            least = min(abs(size - passing[name]) for size in sizes)
            assert any(0.0 <= passing[name] - size == least < 1.0 for size in sizes), (line, passing[name])
            shown += 1
    assert shown >= 5


def test_a_rejection_exits_with_3_and_gives_the_reason(desk):
    late = desk("decide", *ORDER, "--quantity", "1000", "--ledger", desk.ledger)
    assert late.code == 3
    assert "REJECTED" in late.out
    assert "stale_price" in late.out


def test_a_halted_gate_fails_closed_with_4(desk):
    clear = ("--operator", "A. Person", "--reason", "reconciled")
    (desk.ledger.parent / "desk.ledger.halted").write_text('{"at": "2020", "reason": "disk full"}', encoding="utf-8")
    asked = (*ORDER, "--quantity", "1000", "--ledger", desk.ledger)
    assert "HALTED – 2020: disk full" in desk("gate", "status", desk.ledger).out
    assert desk("decide", *asked, "--what-if").code == 4
    done = desk("decide", *asked)
    assert done.code == 4
    assert "HALTED" in desk("gate", "status", desk.ledger).out
    assert desk("gate", "clear-integrity", desk.ledger, *clear).code == 0
    assert desk("decide", *asked).code == 3


def test_a_held_ledger_takes_no_decision_and_answers_what_if(desk, holder):
    holder("sleeps")
    before = desk.ledger.read_bytes()
    asked = (*ORDER, "--quantity", "1000", "--ledger", desk.ledger, "--at", "last")
    refused = desk("decide", *asked)
    assert (refused.code, refused.out) == (4, "")
    assert "is held by process" in refused.err
    answered = desk("decide", *asked, "--what-if", "--json")
    assert answered.code == 0, answered.err
    assert json.loads(answered.out)["verdict"] == "approved"
    assert desk.ledger.read_bytes() == before


def test_what_if_of_the_sample_book_says_that_it_is_the_sample(rpm):
    done = rpm("decide", *WHAT_IF[:-1], "--quantity", "500")
    assert done.code == 0, done.err
    assert "sample book" in done.err
    assert "nothing: what if, at 2014-12-31 22:00:00 UTC" in " ".join(done.out.split())


def test_what_if_of_a_book_takes_settings_and_capital_of_strategies(rpm):
    cut = rpm("decide", *WHAT_IF, "--quantity", "60000", "--stop", "38", "--set", "limits.single_name=0.1", "--json")
    assert cut.code == 0, cut.err
    found = json.loads(cut.out)
    assert found["verdict"] == "cut"
    name = next(check for check in found["checks"] if check["name"] == "single_name")
    assert (name["status"], name["limit"]) == ("cut", 0.1)
    new = rpm("decide", "KO", "--side", "buy", "--strategy", "mine", "--entry", "32.1", "--quantity", "10", "--what-if",
              "--quiet", "--json")  # fmt: skip
    assert new.code == 3
    assert json.loads(new.out)["reason"] == "unknown_strategy"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*ORDER, "--quantity", "1"), "without --ledger nothing can be recorded"),
        ((*ORDER,), "give either --quantity or --risk"),
        ((*ORDER, "--quantity", "1", "--risk", "0.1"), "give either --quantity or --risk"),
        ((*ORDER, "--quantity", "1", "--ledger", "x", "--book", "y"), "a ledger has its own book"),
        ((*ORDER, "--quantity", "1", "--what-if", "--at", "last"), "--as-of"),
        ((*ORDER, "--quantity", "1", "--ledger", "x", "--at", "noon"), "'noon' is no time"),
        ((*ORDER, "--quantity", "1", "--ledger", "x", "--at", "2999-01-01"), "would stop the clock"),
    ],
)
def test_bad_usage_is_told(rpm, arguments, words):
    done = rpm("decide", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in " ".join(done.err.split())
