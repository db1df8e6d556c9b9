"""A suite that everything passes proves nothing: each of these brokers is broken in one way, and each is caught."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree  # our own report, of a run just made

import pytest

ROOT = Path(__file__).parents[2]

CAUGHT = {
    "SendsAgain": {
        "test_the_same_release_again_is_the_same_order", "test_a_lost_acknowledgement_makes_no_second_order",
        "test_a_restart_sends_nothing_twice", "test_an_order_that_is_over_is_not_sent_again",
    },
    "ForgetsParts": {"test_every_part_is_told_once_and_counts", "test_a_fill_may_cross_a_cancel"},
    "DeadMenWalk": {"test_a_cancel_ends_the_rest"},
    "TrustsAnybody": {
        "test_what_the_gate_did_not_sign_is_refused", "test_another_key_and_another_ledger_are_refused",
        "test_an_expired_release_is_refused", "test_what_was_released_before_a_halt_is_refused",
        "test_nothing_passes_where_the_books_had_failed", "test_a_newer_release_is_a_fence_for_older_ones",
        "test_an_id_is_one_order",
    },
    "MissesWhatHappened": {"test_what_happened_while_the_line_was_down_is_told"},
    "CountsAnew": {"test_events_are_the_same_whenever_they_are_asked_for"},
    "CancelsEverybody": {"test_all_of_a_strategy_or_of_the_account_can_be_cancelled"},
    "HasAnotherClock": {"test_the_clock_of_the_venue_decides_nothing"},
    "SaysNothingWorks": {"test_while_the_line_is_down_nobody_makes_answers_up"},
}  # fmt: skip


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The tests that each broken broker fails, and how many it passes."""
    report = tmp_path_factory.mktemp("suite") / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/conformance/broken_brokers.py", "-p", "no:cacheprovider",
         f"--junitxml={report}", "-n0"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        broker = case.get("classname").rpartition(".Test")[2]
        failures, passes = found.setdefault(broker, (set(), set()))
        name = case.get("name").partition("[")[0]
        (failures if case.find("failure") is not None else passes).add(name)
        assert case.find("error") is None, name
    return found


@pytest.mark.parametrize("broker", CAUGHT)
def test_a_broken_broker_is_caught_and_told_by_what_it_breaks(failed, broker):
    failures, passes = failed[broker]
    assert failures >= CAUGHT[broker]
    assert passes, "everything fails: nothing is told"


def test_every_broken_broker_is_looked_at(failed):
    assert set(failed) == set(CAUGHT)


def test_what_is_wrong_is_said_in_words(failed):
    del failed
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/conformance/broken_brokers.py", "-p", "no:cacheprovider", "-n0", "-k",
         "SendsAgain and lost_acknowledgement"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "an order was sent twice after a lost acknowledgement" in done.stdout
