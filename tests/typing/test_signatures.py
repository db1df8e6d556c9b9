"""The signatures of the public names as a user's type checker sees them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALLS = ROOT / "tests" / "typing" / "calls.py"


def checked(path):
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_calls_are_typed_and_wrong_ones_are_refused():
    done = checked(CALLS)
    assert done.returncode == 0, done.stdout


def test_the_check_can_fail(tmp_path):
    lines = [line.partition("  # type: ignore")[0] for line in CALLS.read_text(encoding="utf-8").splitlines()]
    path = tmp_path / "calls_without_excuse.py"
    path.write_text("\n".join(lines), encoding="utf-8")
    done = checked(path)
    assert f"Found {CALLS.read_text(encoding='utf-8').count('# type: ignore')} errors" in done.stdout, done.stdout
