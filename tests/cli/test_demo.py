import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rpm_cli.rendering.tour import excerpt
from rpm_cli.tour import LEDGER, STEPS, Part

PROMPT = "[Enter: next, q: leave]"
DEADLINE = 120.0


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which a tour could do damage: settings that would break every command, and a place for its files."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("rpmcore", "temporary"):
        (folder / name).mkdir()
    (folder / "rpmcore" / "rpm.yaml").write_text("no_such_section: 1\n")
    return folder


@pytest.fixture(scope="module")
def environment(home):
    ours = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return {
        **ours, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "TMPDIR": str(home / "temporary"), "COLUMNS": "80",
        "RPM_LEDGER_KEY_FILE": str(home / "no-such-key"), "RPM__LIMITS__NONE": "1", "RPM_ENVIRONMENT": "prod",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(kernels()), "TERM": "xterm",
    }  # fmt: skip


def kernels():
    from rpmcore.kernels import _jit

    return Path(_jit.cache_folder()).parent


@pytest.fixture(scope="module")
def tour(environment):
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "demo"], capture_output=True, text=True, encoding="utf-8", env=environment,
        check=False, stdin=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_in_a_pipe_it_runs_through_without_asking(tour):
    for number, step in enumerate(STEPS, 1):
        assert f"{number}/{len(STEPS)}  {step.title}" in tour.stdout
    assert PROMPT not in tour.stderr
    assert "Traceback" not in tour.stderr


def test_every_part_that_a_step_is_about_is_shown(tour):
    shown = tour.stdout.splitlines()
    for step in STEPS:
        for call in step.calls:
            for part in call.parts:
                assert any(line.startswith(f"  {part.begins.strip()}") for line in shown), part


def test_what_the_steps_say_is_what_the_answers_show(tour):
    words = " ".join(tour.stdout.split())
    assert "CUT – cut by single_name: MSFT" in words
    assert "REJECTED – The entry is too far from the last price" in words
    assert "REJECTED – A kill switch stops what opens or adds" in words
    assert "Trading state: ACTIVE" in words
    assert "PROVEN – byte for byte" in words
    assert "Verdict VERIFIED" in words
    assert re.search(r"VaR .{10,40}1\.50% 1\d\d% .*BREACH", tour.stdout)


def test_it_fits_the_terminal_and_is_plain_in_a_pipe(tour):
    assert max(map(len, tour.stdout.splitlines())) <= 80
    assert "\x1b" not in tour.stdout + tour.stderr


def test_nothing_is_left_behind_and_no_key_is_made(tour, home):
    assert tour.returncode == 0
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == [
        "rpmcore", "rpmcore/rpm.yaml", "temporary",
    ]  # fmt: skip


def test_the_commands_are_those_that_a_user_types(tour):
    joined = tour.stdout.replace(" \\\n   ", "")
    assert "$ rpm stress --scenario lehman2008" in joined
    assert f"$ rpm killswitch trip {LEDGER} --severity halt --operator 'A. Visitor'" in joined
    assert not re.search(r"--[\w-]+ \\\n", tour.stdout)  # an option keeps its value on its line


def test_one_step_alone_runs_what_it_builds_on_unseen(rpm, environment):
    done = rpm("demo", "--step", "9", **environment)
    assert done.code == 0, done.err
    assert re.findall(r"^(\d+)/", done.out, re.MULTILINE) == ["9"]
    assert "Bound by  price_collar" in done.out
    assert rpm("demo", "--step", len(STEPS) + 1).code == 2


class Terminal:
    """A command at a pseudo-terminal: what it says, and what is typed."""

    def __init__(self, environment):
        master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rpmcore", "demo"], stdin=slave, stdout=slave, stderr=slave, env=environment,
            cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.terminal, self.said = master, ""

    def read_until(self, words):
        deadline = time.monotonic() + DEADLINE
        while words not in self.said and time.monotonic() < deadline:
            if not self._read():
                break
        assert words in self.said, self.said
        self.said = self.said.split(words, 1)[1]

    def _read(self):
        try:
            new = os.read(self.terminal, 65536)
        except OSError:  # the other end is closed
            return False
        self.said += new.decode(errors="replace")
        return bool(new)

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def ended(self):
        while self._read():
            pass
        os.close(self.terminal)
        return self.process.wait(timeout=DEADLINE)


@pytest.fixture
def terminal(environment):
    opened = []

    def begin():
        opened.append(Terminal(environment))
        return opened[-1]

    yield begin
    for each in opened:
        each.process.kill()
        each.process.wait()


def test_at_a_terminal_enter_goes_on_and_q_leaves(terminal, home):
    user = terminal()
    user.read_until(STEPS[0].title)
    user.read_until(PROMPT)
    user.type("\n")
    user.read_until(STEPS[1].title)
    user.read_until(PROMPT)
    user.type("q\n")
    assert user.ended() == 0
    assert STEPS[2].title not in user.said
    assert not list((home / "temporary").iterdir())


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_can_be_broken_off_without_a_traceback(terminal, home, how, code):
    user = terminal()
    user.read_until(PROMPT)
    if how == signal.SIGINT:
        user.process.send_signal(how)
    else:
        user.process.terminate()
    assert user.ended() == code
    assert "Traceback" not in user.said
    assert not list((home / "temporary").iterdir())


def test_an_excerpt_is_of_the_paragraphs_named_and_keeps_the_lines_asked_for():
    output = "Head  1\nmore\n\nChecks\nCheck Used\na cut 1\nb pass 2\nc cut 3\n\nLimits of today\nx\n\nLimits\ny\n"
    parts = (
        Part(begins="Head", lines=1), Part(begins="Checks", only=(" cut ",)), Part(begins="Limits\n"),
        Part(begins="None"),
    )  # fmt: skip
    assert excerpt(output, parts) == [["Head  1"], ["Checks", "Check Used", "a cut 1", "c cut 3"], ["Limits", "y"]]
