"""``rpm replay``, as a user runs it."""

import json

import pytest

from tests.small_gate import rewrite


@pytest.mark.parametrize("width", ["80", "120"])
def test_a_sound_ledger_is_proven(desk, width):
    done = desk("replay", desk.ledger, COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    text = " ".join(done.out.split())
    for words in ("PROVEN – byte for byte", "27 commands from the genesis: 6 decisions", "2 snapshots on the way",
                  "0 different", "the same as when the ledger was begun"):  # fmt: skip
        assert words in text, words
    assert "6 decisions in" in done.err
    assert not desk("replay", desk.ledger, "--quiet").err


def test_what_does_not_follow_exits_with_5_field_by_field(desk, tmp_path):
    def larger(kind, sequence, body):
        return {**body, "approved": body["approved"] + 1.0} if (kind, sequence) == ("decision", 5) else body

    path = rewrite(desk.ledger, tmp_path / "altered.ledger", larger)
    done = desk("replay", path)
    assert done.code == 5
    assert "NOT PROVEN" in done.out
    assert "decision of command 5, record 12" in done.out
    assert "approved: 3884.0 stands, 3883.0 came out" in done.out
    machine = desk("replay", path, "--json")
    assert machine.code == 5
    proof = json.loads(machine.out)["proof"]
    assert (proof["ok"], proof["different"]) == (False, 1)
    assert proof["differing"][0]["fields"] == [
        {"field": "approved", "recorded": 3884.0, "replayed": 3883.0, "near": False}
    ]


def test_a_changed_byte_is_no_proof_either(desk):
    raw = desk.ledger.read_bytes()
    desk.ledger.write_bytes(raw.replace(b'"fees":2.0', b'"fees":3.0', 1))
    done = desk("replay", desk.ledger)
    assert (done.code, done.out) == (5, "")
    assert "record 9 is not the one that was written there" in done.err


@pytest.mark.parametrize("width", ["80", "120"])
def test_other_settings_show_what_flips_and_what_it_is_worth(desk, width):
    done = desk("replay", desk.ledger, "--set", "limits.currency=0.005", COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    text = " ".join(done.out.split())
    for words in ("Flipped", "limits.currency", "to the first order", "An estimate", "currency", "100,000 43,000",
                  "P&L"):  # fmt: skip
        assert words in text, words


def test_a_file_of_settings_stands_for_all_of_them_and_set_for_one(desk, tmp_path):
    config = tmp_path / "other.yaml"
    config.write_text("limits:\n  currency: 0.005\n", encoding="utf-8")
    whole = json.loads(desk("replay", desk.ledger, "--config", config, "--json").out)["policy"]
    one = json.loads(desk("replay", desk.ledger, "--set", "limits.currency=0.005", "--json").out)
    assert one["schema"] == "rpm.replay/1"
    assert [row[0] for row in one["policy"]["changed"]] == ["limits.currency"]
    # The ledger was begun with a short history; a file that does not say so brings back the defaults.
    assert {"limits.currency", "gate.starting_history"} < {row[0] for row in whole["changed"]}
    assert one["policy"]["flips"][0]["signal_id"] == "s1"
    bad = desk("replay", desk.ledger, "--set", "limits.curency=1")
    assert bad.code == 2
    assert "did you mean 'currency'" in bad.err


def test_a_held_ledger_is_proven_as_far_as_it_goes(desk, holder):
    holder("sleeps")
    assert desk("replay", desk.ledger, "--quiet").code == 0
