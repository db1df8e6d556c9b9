"""``rpm audit``, as an auditor runs it."""

import json

import pyarrow.parquet as pq
import pytest

LONG = ("--last", "100")


@pytest.mark.parametrize("width", ["80", "120"])
def test_show_tells_each_record_in_a_line(desk, width):
    done = desk("audit", "show", desk.ledger, *LONG, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    text = " ".join(done.out.split())
    for words in (
        "genesis 10,000,000 USD", "signal s1: trend wants to buy 100,000 EURUSD at 1.138",
        "approved 100,000 of 100,000 EURUSD for s1", "fill f1 of s1: buy 50,000 EURUSD",
        "operator A. Person: trip halt of trend: drill", "order s4 expired", "bar 2019-07-01: 22 closes",
        "trade t1 of trend: EURUSD -120.00",
    ):  # fmt: skip
        assert words in text, words


def records(done):
    assert done.code == 0, done.err
    return json.loads(done.out)["records"]


def test_filters_are_those_of_the_ledger(desk):
    of_signal = records(desk("audit", "show", desk.ledger, "--signal", "s2", "--json"))
    assert [r["kind"] for r in of_signal] == ["command", "decision", "event"]
    assert {r["sequence"] for r in of_signal} == {5}
    by_correlation = records(desk("audit", "show", desk.ledger, "--correlation", "s2", "--json"))
    assert {r["sequence"] for r in by_correlation} == {6, 7}
    decisions = records(desk("audit", "show", desk.ledger, "--kind", "decision", "--last", "2", "--json"))
    assert [r["body"]["signal"]["signal_id"] for r in decisions] == ["s5", "s6"]
    span = ("--from", "2019-07-02T00:00", "--to", "2019-07-04")
    assert [r["sequence"] for r in records(desk("audit", "show", desk.ledger, *span, "--json"))] == [12, 13]
    none = desk("audit", "show", desk.ledger, "--signal", "nobody", "--json")
    assert records(none) == []


def test_without_a_filter_the_last_thirty_are_shown_and_it_says_so(desk):
    done = desk("audit", "show", desk.ledger, "--json")
    assert [r["position"] for r in records(done)] == list(range(26, 56))
    assert "The last 30 records" in done.err
    assert not desk("audit", "show", desk.ledger, "--json", "--quiet").err


def test_verify_passes_with_the_anchor_of_its_own_head(desk, tmp_path):
    head = tmp_path / "yesterday.head"
    assert desk("audit", "head", desk.ledger, "-o", head).code == 0
    assert json.loads(head.read_text(encoding="utf-8"))["schema"] == "rpm.ledger.head/1"
    done = desk("audit", "verify", desk.ledger, "--anchor", head, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["ok"], found["records"], found["anchors"]) == (True, 55, 2)
    assert "VERIFIED" in desk("audit", "verify", desk.ledger).out


def test_verify_says_where_and_what_is_wrong(desk):
    raw = desk.ledger.read_bytes()
    desk.ledger.write_bytes(raw.replace(b'"fees":2.0', b'"fees":3.0', 1))
    done = desk("audit", "verify", desk.ledger)
    assert done.code == 5
    assert "NOT VERIFIED" in done.out
    assert "What is wrong  record 9 is not the one that was written there" in done.out
    machine = json.loads(desk("audit", "verify", desk.ledger, "--json").out)
    assert (machine["ok"], machine["bad_position"], machine["head"]) == (False, 9, None)


def test_another_key_and_no_key_are_told(desk, tmp_path):
    other = tmp_path / "keys" / "other.key"
    other.write_text("0" * 64, encoding="utf-8")
    other.chmod(0o600)
    done = desk("audit", "verify", desk.ledger, RPM_LEDGER_KEY_FILE=str(other))
    assert done.code == 5
    assert "written with the key" in done.out
    home = tmp_path / "home"
    home.mkdir()
    missing = desk("audit", "verify", desk.ledger, RPM_LEDGER_KEY_FILE=str(tmp_path / "none"))
    assert missing.code == 2
    assert not (tmp_path / "none").exists()


def test_export_writes_both_forms(desk, tmp_path):
    lines, table = tmp_path / "desk.jsonl", tmp_path / "desk.parquet"
    assert desk("audit", "export", desk.ledger, "-o", lines).code == 0
    assert len(lines.read_text(encoding="utf-8").splitlines()) == 55
    done = desk("audit", "export", desk.ledger, "-o", table)
    assert "55 records" in done.err
    assert pq.read_table(table).num_rows == 55
    assert desk("audit", "export", desk.ledger, "-o", tmp_path / "no" / "x.jsonl").code == 4


def test_a_held_ledger_can_be_read_verified_and_anchored(desk, holder, tmp_path):
    holder("sleeps")
    for arguments in (("show",), ("verify",), ("head", "-o", tmp_path / "h"), ("export", "-o", tmp_path / "x")):
        name, *rest = arguments
        assert desk("audit", name, desk.ledger, *rest).code == 0
