import json
import os
from pathlib import Path

import pytest


def checks(done):
    found = json.loads(done.out)
    assert found["schema"] == "rpm.doctor/1"
    return {check["name"]: check for check in found["checks"]}


def test_doctor_finds_this_installation_sound(rpm):
    done = rpm("doctor", "--json")
    assert done.code == 0, done.out
    found = json.loads(done.out)
    assert found["sound"] is True
    assert all(check["passed"] for check in found["checks"])
    for check in found["checks"]:
        assert check.keys() == {"name", "status", "passed", "found", "expected", "remedy"}


def test_doctor_tells_of_a_cache_that_cannot_be_written(rpm, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = rpm("doctor", NUMBA_CACHE_DIR=str(blocked))
    assert done.code == 1
    assert "set NUMBA_CACHE_DIR to a folder that can be written" in " ".join(done.out.split())
    assert rpm("evaluate", "--paths", "100", "--quiet", NUMBA_CACHE_DIR=str(blocked)).code == 0


@pytest.mark.parametrize("width", [80, 120])
def test_a_problem_stands_with_what_is_expected_and_what_to_do(rpm, width):
    done = rpm("doctor", COLUMNS=str(width), NUMBA_DISABLE_JIT="1", RPM__LIMITS__VAR="1")
    assert done.code == 1
    words = " ".join(done.out.split())
    assert "PROBLEM numba variables" in words
    assert "do: unset NUMBA_DISABLE_JIT" in words
    assert "RPM__LIMITS__VAR: there is no such setting" in words
    assert "2 problems" in words
    assert max(map(len, done.out.splitlines())) <= width


def test_a_variable_that_numba_cannot_read_is_told_in_a_sentence_alone(rpm):
    done = rpm("doctor", "--json", NUMBA_NUM_THREADS="abc")
    assert (done.code, done.err) == (1, "")
    assert checks(done)["thread variables"]["found"] == "NUMBA_NUM_THREADS=abc is no number of threads"


def test_a_variable_of_a_setting_with_single_low_lines_is_a_problem(rpm):
    done = rpm("doctor", "--json", RPM_LIMITS_BETA="1")
    assert done.code == 1
    assert "did you mean RPM__LIMITS__BETA?" in checks(done)["settings"]["found"]


def test_notes_change_no_exit_code(rpm):
    done = rpm("doctor", "--json", PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="ascii", RPM_LIMITS="1")
    assert done.code == 0
    found = checks(done)
    assert {name: found[name]["status"] for name in ("bytecode", "encoding", "variables")} == {
        "bytecode": "note", "encoding": "note", "variables": "note",
    }  # fmt: skip


def test_a_ledger_is_looked_at_and_not_changed(desk):
    before = desk.ledger.read_bytes()
    done = desk("doctor", "--ledger", desk.ledger, "--json")
    assert done.code == 0, done.out
    found = checks(done)
    assert found["ledger key"]["status"] == "ok"
    assert found["ledger"]["remedy"].endswith(f"rpm audit verify {desk.ledger}")
    assert desk.ledger.read_bytes() == before


def test_a_ledger_that_a_gate_holds_names_the_holder(desk, holder):
    process = holder("sleeps")
    found = checks(desk("doctor", "--ledger", desk.ledger, "--json"))
    assert found["ledger holder"]["found"].startswith(f"process {process.pid} on ")
    assert found["ledger log"]["status"] == "ok"


def test_no_ledger_and_the_wrong_key_are_problems(desk, tmp_path):
    done = desk("doctor", "--ledger", tmp_path / "none", "--json")
    assert done.code == 1
    assert checks(done)["ledger"]["found"] == f"there is no ledger at {tmp_path / 'none'}"
    other = tmp_path / "other-key"
    other.write_text("f" * 64)
    other.chmod(0o600)
    done = desk("doctor", "--ledger", desk.ledger, "--json", RPM_LEDGER_KEY_FILE=str(other))
    assert done.code == 1
    assert "signs the ledger" in checks(done)["ledger key"]["found"]
    assert "f" * 64 not in done.out


def test_everything_is_told_with_verbose(rpm):
    done = rpm("doctor", "--verbose")
    assert done.out.count("expected: ") >= 20


@pytest.mark.parametrize(
    ("module", "package"),
    [("pyarrow", "pyarrow"), ("numba", "numba"), ("yaml", "PyYAML"),
     ("platformdirs", "platformdirs"), ("scipy", "scipy")],
)  # fmt: skip
def test_a_broken_package_is_named_and_breaks_no_doctor(rpm, tmp_path, module, package):
    (tmp_path / f"{module}.py").write_text("raise ImportError('built for another one')")
    root = Path(__file__).parents[2]
    path = os.pathsep.join(map(str, (tmp_path, root, root / "cli")))
    done = rpm("doctor", "--json", PYTHONPATH=path)
    assert done.code == 1, done.err
    found = checks(done)["imports"]
    assert f"{package} cannot be imported: ImportError: built for another one" in found["found"]
    assert package in found["remedy"]
