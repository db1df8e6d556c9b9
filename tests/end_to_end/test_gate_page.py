"""What `docs/gate.md` says: its snippets run, its tables are complete, and the tests that it names are there."""

import re
from pathlib import Path

import pytest

from rpmcore.decision.checks.table import CHECKS
from rpmcore.domain.orders import ORDER_STATES
from rpmcore.domain.reasons import REASONS, RejectReason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")


def test_its_snippets_run_one_after_the_other(capsys):
    names: dict[str, object] = {}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(snippet, "docs/gate.md", "exec"), names)  # noqa: S102 - our own page
    said = capsys.readouterr().out
    assert said == "sent 2000\n"
    gate = names["gate"]
    assert gate.engine.account.positions["trend", "MSFT"] == 8630  # of 30,000 asked: a new strategy trades a quarter
    assert gate.trading_state == "active"


def test_every_reason_has_its_code_and_its_line():
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE))
    assert set(rows) == {reason.value for reason in RejectReason} == {reason.value for reason in REASONS}
    assert {name: int(code) for name, code in rows.items()} == {r.value: REASONS[r].fix for r in REASONS}


def test_every_check_stands_in_its_order_and_gives_a_reason_of_its_own():
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [check.reason.value for check in CHECKS]
    assert len(set(rows)) == len(rows)


def test_every_step_of_an_order_is_told():
    rows = re.findall(r"^\| ([A-Z]+) \| ([a-z ]+) \| ([A-Z]+) \|$", PAGE, re.MULTILINE)
    told = {(a.lower(), step.replace(" ", "_"), b.lower()) for a, step, b in rows}
    assert told == {(state.value, step.value, after.value) for (state, step), after in ORDER_STATES.items()}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_every_test_that_it_names_exists(name):
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
