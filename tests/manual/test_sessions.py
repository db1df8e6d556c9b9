"""The pages that tell a session: their commands run in order, as written, in a fresh folder."""

import importlib.util
import json
import re
import shlex
import stat
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(name):
    """Return a module beside the pages, which are no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shown_output = load("shown_output")


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(ran):
    """Return what was printed, by the first words of a block; of several that begin alike, all of it."""
    assert [(done.block, done.code, done.err) for done in ran if done.code != done.wanted_code] == []
    printed = defaultdict(str)
    for done in ran:
        printed[" ".join(done.block.split()[:3])] += done.out
    return printed


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("started")
    return folder / "desk", blocks(shown_output.session(page("getting-started.md"), folder))


@pytest.fixture(scope="module")
def operated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operated")
    text = shown_output.ledger_steps() + page("operations.md")
    return folder / "desk", blocks(shown_output.session(text, folder))


def test_a_newcomer_comes_to_a_decided_signal_and_its_proof(started):
    desk, out = started
    assert "10,048 of 20,000 asked" in out["rpm decide MSFT"]
    assert "REJECTED – A kill switch" in out["rpm killswitch trip"]
    assert "VERIFIED" in out["rpm audit verify"]
    assert "PROVEN – byte for byte" in out["rpm audit verify"]
    assert stat.S_IMODE((desk / "keys" / "desk.key").stat().st_mode) == 0o600
    assert not list(desk.glob("ledger/*.key"))


def test_the_numbers_in_the_words_are_those_of_the_output(started):
    _, out = started
    text = page("getting-started.md")
    assert "16.65% a year" in out["rpm evaluate data/portfolio.parquet"]
    assert "volatility 16.6% is above" in out["rpm evaluate data/portfolio.parquet"]
    assert "is 16.6 % a year" in text
    assert out["rpm evaluate data/portfolio.parquet"].count("WARNING") == 3
    assert "three are nearly used up" in text
    assert "8.44%" in out["rpm stress data/portfolio.parquet"]
    assert "loss of 8.4 %" in text


def test_whatever_can_be_run_in_getting_started_is_run():
    """Only the set-up is not, which another stage of CI runs."""
    text = page("getting-started.md")
    ran = {found["block"] for found in shown_output.STEP.finditer(text)}
    left = [block for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) if block not in ran]
    (install,) = left
    assert "pip install" in install


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_every_command_line_names_what_there_is(document):
    """Commands and options of all shell blocks are held against the program's own help."""
    helps = load("cli_reference").commands()
    for block in re.findall(r"```bash\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.partition(" #")[0]) if line.startswith("rpm ") else []
            names = [" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in helps]
            assert not words or names, line
            options = [word.partition("=")[0] for word in words if word.startswith("--")]
            assert [o for o in options if o not in helps[names[0]]] == [], line


WORDS_OF_THE_CHAIN = {"ledger", "subkey"}
"""`rpm ledger` and `rpm subkey chain` are texts that keys are made from, and no commands."""


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_every_command_in_the_text_is_one(document):
    helps = load("cli_reference").commands()
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = {name for name in re.findall(r"`rpm ([a-z][a-z-]*)", text) if name not in WORDS_OF_THE_CHAIN}
    assert sorted(name for name in named if f"rpm {name}" not in helps and name != "report") == []


def test_a_backup_is_restored_after_the_witness_has_spoken(operated):
    desk, out = operated
    assert "VERIFIED" in out["umask 077 mkdir"]
    assert "the witness desk.ledger.witness was signed at record" in out["mkdir -p lost"]
    restored = out["mv ledger/desk.ledger.witness lost/"]
    assert "VERIFIED" in restored
    assert "PROVEN" in restored
    assert json.loads((desk / "backup" / "desk.head.json").read_text())["schema"] == "rpm.ledger.head/1"


def test_nothing_that_the_backup_needs_is_open_to_others(operated):
    desk, _ = operated
    for path in (*(desk / "backup").iterdir(), desk / "ledger" / "desk.ledger"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_page_that_shows_what_is_not_printed_is_an_error():
    with pytest.raises(SystemExit, match="no paragraph begins with Nothing"):
        shown_output.chosen("Volatility\n16 %\n", "Nothing", None)


def test_what_is_left_out_is_an_ellipsis():
    told = "Book\nx\n\nVolatility\n16 %\nLedger 7\n\nVaR\n\nLimits\n1\n\nEnd"
    assert shown_output.chosen(told, "Volatility, Limits", "Ledger") == "…\n\nVolatility\n16 %\n\n…\n\nLimits\n1\n\n…"
