"""Every number that a command tells has its row in `docs/numbers.md`, and every formula its source or its function."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

from tests.small_gate import write_small_ledger

ROOT = Path(__file__).parents[2]
NUMBERS = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
MATHEMATICS = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")

COMMANDS = (
    "evaluate --decompose historical --compare-covariance --rolling --method all",
    "stress --all --mode all",
    "stress --reverse 0.1",
    "stress --synthetic 4",
    "backtest --compare --set backtest.replications=99",
    "exposure --hedge",
    "limits",
    "regime",
    "strategies",
    "size EURUSD --side buy --entry 1.06 --stop 1.05 --capital 1000000",
    "decide KO --side buy --strategy core_equity --quantity 2000 --entry 31.8 --stop 30 --what-if",
    "gate run --until 2015-01-05",
    "killswitch simulate --days 100",
)


def numbers(value, key=""):
    """Yield the keys of all numbers, `[]` for each element of a list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, f"{key}[]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield key


def rows():
    """Return the patterns of each section, by the commands in its heading."""
    found = {}
    for section in re.split(r"^## ", NUMBERS, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        cells = re.findall(r"^\| (.*?) \|", body, re.MULTILINE)
        patterns = {pattern for cell in cells for pattern in re.findall(r"`([^`]+)`", cell)}
        for command, common in re.findall(r"`rpm (\w+)`|^(Common)", heading):
            found[command or common] = patterns
    return found


def matches(key, pattern):
    return fnmatchcase(key, pattern.replace("[]", "[[]]"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_number_of_the_output_has_its_row(rpm, command):
    done = rpm(*command.split(), "--json")
    assert done.code == 0, done.err
    known = rows()["Common"] | rows()[command.split()[0]]
    told = set(numbers(json.loads(done.out)))
    assert len(told) > 5
    assert not {key for key in told if not any(matches(key, pattern) for pattern in known)}


def test_every_formula_is_led_to():
    headings = re.findall(r"^### (.+)$", MATHEMATICS, re.MULTILINE)
    assert len(headings) > 60
    anchors = {slugify(name, "-") for name in headings}
    led = set(re.findall(r"mathematics\.md#([\w-]+)", "".join(p.read_text("utf-8") for p in pages())))
    within = set(re.findall(r"\(#([\w-]+)\)", MATHEMATICS))
    assert not anchors - led - within


def test_every_number_of_a_gate_has_its_row(rpm, tmp_path):
    done = rpm("gate", "status", write_small_ledger(tmp_path / "desk.ledger"), "--json")
    assert done.code == 0, done.err
    told = set(numbers(json.loads(done.out)))
    assert len(told) > 20
    assert not {key for key in told if not any(matches(key, pattern) for pattern in rows()["gate"])}


def pages():
    return [page for page in (ROOT / "docs").rglob("*.md") if page.name != "mathematics.md"]


def test_every_formula_has_a_source_or_names_the_code():
    entries = re.split(r"^### ", MATHEMATICS, flags=re.MULTILINE)[1:]
    bare = [
        entry.partition("\n")[0]
        for entry in entries
        if not re.search(r"Source|In code|\b(?:19|20)\d\d\b|\]\(|equals|Equals", entry)
    ]
    assert not bare
