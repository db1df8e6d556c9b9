import re
from pathlib import Path

import pytest

from rpmcore.doctor import configuration, examination, installation, self_test, speed, system
from rpmcore.doctor.environment import NETWORK
from rpmcore.doctor.finding import Status, ok
from rpmcore.doctor.reading import read_environment
from rpmcore.doctor.requirements import Requirement, parsed, release
from rpmcore.doctor.tested import FIRST_PYTHON, LAST_PYTHON, TESTED
from tests.doctor.sound import SOUND, broken

ROOT = Path(__file__).parents[2]
LOOKING = (*installation.CHECKS, *speed.CHECKS, *system.CHECKS, *configuration.CHECKS)


@pytest.mark.parametrize("check", LOOKING, ids=lambda check: check.__name__)
def test_a_sound_environment_satisfies_every_check(check):
    found = check(SOUND)
    assert found.status is Status.OK, found
    assert found.name == check.__name__.replace("_", " ")
    assert found.expected


def packages(**changes):
    return {**SOUND.packages, **changes}


BROKEN = [
    (installation.python, {"python": (3, 10, 9)}, Status.PROBLEM, "3.10.9", "install rpmcore into Python 3.13"),
    (installation.python, {"python": (3, 14, 0)}, Status.PROBLEM, "3.14.0",
     "install rpmcore into Python 3.13: nothing was tested on yours"),
    (installation.packages, {"requirements": ()}, Status.PROBLEM, "rpmcore has no metadata",
     "install it: python -m pip install rpmcore"),
    (installation.packages, {"packages": packages(numba=None, scipy="0.0.9")}, Status.PROBLEM,
     "numba is not installed; scipy 0.0.9 is older than 0.1",
     "python -m pip install --upgrade --force-reinstall rpmcore"),
    (installation.packages, {"packages": packages(numba="99.1.0")}, Status.NOTE,
     f"newer than tested: numba 99.1.0 (tested: {TESTED['numba']})",
     "if figures or messages look wrong, install the tested versions"),
    (installation.imports, {"unimportable": {"scipy": "ImportError: numpy.dtype size changed"}}, Status.PROBLEM,
     "scipy cannot be imported: ImportError: numpy.dtype size changed",
     "python -m pip install --force-reinstall scipy"),
    (installation.extras, {"packages": packages(jinja2=None)}, Status.OK, "installed: alerts; report lacks jinja2",
     "for what you use: python -m pip install 'rpmcore[report]'"),
    (installation.sqlite, {"sqlite": (3, 51, 2)}, Status.NOTE,
     "3.51.2 can lose a write-ahead log that several programs write to",
     "rpm writes through one connection and is not concerned; let no other program write to a ledger"),
    (installation.command, {"command": None, "command_is_ours": False}, Status.NOTE, "there is no `rpm` on the PATH",
     "call `python -m rpmcore`, or put the folder of the installed commands on the PATH"),
    (installation.command, {"command": Path("/usr/bin/rpm"), "command_is_ours": False}, Status.NOTE,
     "/usr/bin/rpm is another program, such as the package manager of Red Hat",
     "call `rpmcore` or `python -m rpmcore` instead"),
    (speed.kernel_cache, {"kernel_error": "ImportError: no numba"}, Status.PROBLEM,
     "the kernels cannot be loaded: ImportError: no numba",
     "python -m pip install --force-reinstall rpmcore numba numpy"),
    (speed.kernel_cache, {"kernel_cache": None}, Status.PROBLEM,
     "the cache folder cannot be written, so every run compiles anew",
     "set NUMBA_CACHE_DIR to a folder that can be written"),
    (speed.kernel_cache, {"kernel_cache": Path("/net/home/cache")}, Status.NOTE,
     "/net/home/cache lies on nfs4, which makes every start slow", "set NUMBA_CACHE_DIR to a folder on a local disk"),
    (speed.kernel_cache, {"kernels_compiled": False}, Status.NOTE, "/cache/kernels-1 (empty: the next run compiles)",
     "run `rpm warmup` once"),
    (speed.bytecode, {"variables": {"PYTHONDONTWRITEBYTECODE": "1"}}, Status.NOTE,
     "PYTHONDONTWRITEBYTECODE is set: start-up takes about three times as long",
     "unset PYTHONDONTWRITEBYTECODE, or run `python -m compileall` over the installation once"),
    (speed.numba_variables, {"variables": {"NUMBA_DISABLE_JIT": "1"}}, Status.PROBLEM,
     "NUMBA_DISABLE_JIT=1: nothing is compiled, and everything runs a hundred times slower",
     "unset NUMBA_DISABLE_JIT"),
    (speed.numba_variables, {"variables": {"NUMBA_OPT": "0", "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": "/c"}},
     Status.NOTE, "set: NUMBA_CPU_NAME, NUMBA_OPT; speed and the last digits of figures may differ",
     "unset NUMBA_CPU_NAME NUMBA_OPT unless you know why it is set"),
    (speed.thread_variables, {"variables": {"OMP_NUM_THREADS": "many"}}, Status.PROBLEM,
     "OMP_NUM_THREADS=many is no number of threads", "unset OMP_NUM_THREADS, or set a number"),
    (speed.thread_variables, {"variables": {"OPENBLAS_NUM_THREADS": "64"}}, Status.NOTE,
     "OPENBLAS_NUM_THREADS=64: threads wait for each other", "set at most 4"),
    (speed.thread_variables, {"variables": {"OPENBLAS_CORETYPE": "Haswell"}}, Status.NOTE,
     "OPENBLAS_CORETYPE=Haswell: the last digits of figures may differ from those of other machines",
     "unset OPENBLAS_CORETYPE unless you know why it is set"),
    (speed.processors, {"processor_quota": 1.5}, Status.NOTE,
     "4 on x86_64, of which a control group allows 1.5: more threads than that slow each other down",
     "set OPENBLAS_NUM_THREADS=1 and NUMBA_NUM_THREADS=1"),
    (speed.processors, {"cpu_features": frozenset({"sse2"})}, Status.NOTE,
     "4 on x86_64, without AVX2: matrix products take about twice as long",
     "choose a processor, or a type of virtual machine, that has it"),
    (speed.memory, {"memory_limit": 512 << 20}, Status.NOTE,
     "0.5 GB, by a limit on this process: a run that needs more is killed without a word",
     "raise the limit of the container (or `ulimit -v`), or simulate fewer paths"),
    (system.encoding, {"encoding": "ascii"}, Status.NOTE,
     "stdout is ascii: bars and Greek letters come out as question marks",
     "set PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8"),
    (system.terminal, {"columns": 60, "variables": {"NO_COLOR": "1"}}, Status.NOTE,
     "60 columns, no colours (NO_COLOR): tables leave out explanations",
     "widen the window, or print JSON with --json"),
    (system.terminal, {"variables": {"COLUMNS": "wide"}}, Status.NOTE, "COLUMNS='wide' is no number, and is not heeded",
     "unset COLUMNS"),
    (system.temporary_folder, {"temporary": None, "temporary_error": "No space left on device"}, Status.PROBLEM,
     "no temporary file can be written: No space left on device",
     "make room, or set TMPDIR to a folder that can be written"),
    (system.open_files, {"open_files": 64}, Status.NOTE,
     "at most 64: a service with many clients runs out of them", "ulimit -n 1024"),
    (system.time_zones, {"time_zones": False}, Status.PROBLEM,
     "there are none: closes in America/New_York cannot be put in order",
     "python -m pip install tzdata, or install the system's package tzdata"),
    (configuration.settings, {"variables": {"RPM__LIMITS__VALUE_AT_RIKS": "0.01"}}, Status.PROBLEM,
     "RPM__LIMITS__VALUE_AT_RIKS: there is no such setting; did you mean RPM__LIMITS__VALUE_AT_RISK?",
     "correct it; `rpm config schema` has every setting"),
    (configuration.variables, {"variables": {"RPM_LEDGER_KEYFILE": "/k"}}, Status.NOTE,
     "RPM_LEDGER_KEYFILE: nothing reads it",
     "perhaps RPM_LEDGER_KEY_FILE is meant; a setting is written RPM__SECTION__KEY, with two low lines"),
    (configuration.signing_key, {"variables": {"RPM_LEDGER_KEY_FILE": "/none/key"}}, Status.PROBLEM,
     "the key file /none/key cannot be read: No such file or directory",
     "name the key file of your ledgers in RPM_LEDGER_KEY_FILE, or correct the file"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "status", "found", "remedy"), BROKEN)
def test_what_is_broken_is_told_with_its_remedy(check, changes, status, found, remedy):
    finding = check(broken(**changes))
    assert (finding.status, finding.found, finding.remedy) == (status, found, remedy)


def test_no_check_has_only_good_news():
    assert {check for check, *_ in BROKEN} == set(LOOKING)


def test_settings_name_the_file_the_place_and_what_is_in_force(tmp_path):
    file = tmp_path / "rpm.yaml"
    file.write_text("limits:\n  value_at_risk: 0.01\n")
    sound = configuration.settings(broken(settings_folders=(tmp_path,), variables={"RPM__LIMITS__BETA": "1"}))
    assert sound.status is Status.OK
    assert re.fullmatch(re.escape(f"{file}; RPM__LIMITS__BETA; digest ") + "[0-9a-f]{12}", sound.found)
    file.write_text("limits:\n  value_at_risk: much\n")
    wrong = configuration.settings(broken(settings_folders=(tmp_path,)))
    assert wrong.status is Status.PROBLEM
    assert wrong.found.startswith(f"{file}, line 2, column 3: limits.value_at_risk is 'much'")


def test_a_flag_that_has_expired_is_a_note(tmp_path):
    (tmp_path / "rpm.yaml").write_text("flags:\n  rollout: {value: 0.5, owner: A. Desk, expires: 2020-01-31}\n")
    found = configuration.settings(broken(settings_folders=(tmp_path,)))
    assert found.status is Status.NOTE, found
    assert "flags.rollout expired on 2020-01-31: A. Desk answers for it" in found.found


def test_a_key_is_never_shown_and_must_be_private(tmp_path):
    key = tmp_path / "key"
    key.write_text("a-secret-that-must-never-be-printed-anywhere")
    key.chmod(0o600)
    sound = configuration.signing_key(broken(key_file=key))
    assert sound.status is Status.OK
    assert re.fullmatch(re.escape(str(key)) + r" \(key [0-9a-f]{16}\)", sound.found)
    key.chmod(0o644)
    open_to_all = configuration.signing_key(broken(variables={"RPM_LEDGER_KEY_FILE": str(key)}))
    assert open_to_all.status is Status.PROBLEM
    assert open_to_all.found == f"the key file {key} is open to others (mode 0644). Close it by: chmod 600 {key}"
    key.chmod(0o600)
    key.write_text("short")
    short = configuration.signing_key(broken(key_file=key))
    assert "holds 5 bytes, and a key needs at least 32" in short.found
    assert "secret" not in repr((sound, open_to_all))


def test_what_raises_is_a_problem_and_ends_nothing():
    def look(_environment=None):
        raise OSError("the disk is gone")

    finding = examination.attempt("sample data", look)
    assert (finding.name, finding.status, finding.found) == ("sample data", Status.PROBLEM, "OSError: the disk is gone")
    assert finding.remedy == self_test.REINSTALL
    assert examination.attempt("x", lambda: ok("x", "y", "z")).status is Status.OK


def test_a_wrong_answer_is_a_problem(monkeypatch):
    class Wrong:
        value_at_risk, expected_shortfall = 7.0, 9.2

    monkeypatch.setattr("rpmcore.risk.value_at_risk.historical", lambda *_: Wrong)
    finding = examination.attempt("known answer", lambda: self_test.known_answer(SOUND))
    assert finding.status is Status.PROBLEM
    assert finding.found == "ArithmeticError: VaR 7.0, ES 9.2 where 8 and 9.2 are right"


def test_this_environment_can_be_read():
    seen = read_environment()
    assert seen.python >= FIRST_PYTHON
    assert seen.packages["numba"]
    assert seen.processors >= 1
    assert seen.processor_quota is None or seen.processor_quota > 0
    assert seen.memory_limit is None or seen.memory_limit > 0
    assert seen.time_zones
    assert seen.temporary is not None


def test_a_path_is_on_the_innermost_mount():
    seen = broken(mounts={"/": "ext4", "/net": "nfs4", "/net/local": "xfs"})
    assert seen.file_system(Path("/net/home/x")) == "nfs4"
    assert seen.file_system(Path("/net/local/x")) == "xfs"
    assert seen.file_system(Path("/network")) == "ext4"
    assert broken(mounts={}).file_system(Path("/x")) is None
    assert "nfs4" in NETWORK


def test_requirements_are_read_as_packaging_writes_them():
    assert parsed(
        ["numba>=0.61", 'dask[distributed]>=2025.1; extra == "distributed"', "x; python_version < '3.12'"]
    ) == (
        Requirement(name="numba", least="0.61", extra=None),
        Requirement(name="dask", least="2025.1", extra="distributed"),
        Requirement(name="x", least=None, extra=None),
    )
    assert release("2.4.6rc1") == (2, 4, 6)
    assert release("unknown") == ()


def test_what_was_tested_is_what_the_constraints_say():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^([\w.-]+)==(.*)$", text, re.MULTILINE))
    folded = {name.lower().replace("_", "-"): version for name, version in stated.items()}
    assert {name: folded[name.lower()] for name in TESTED} == TESTED
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = project.split("\ndependencies = [")[1].split("\n]")[0]
    needed = "\n".join(line for line in needed.splitlines() if "sys_platform" not in line)
    assert set(re.findall(r'"([\w-]+)>=', needed)) == set(TESTED)
    first, after = (
        tuple(map(int, found.split(".")))
        for found in re.findall(r'requires-python = ">=([\d.]+),<([\d.]+)"', project)[0]
    )
    assert (first, after) == (FIRST_PYTHON, (LAST_PYTHON[0], LAST_PYTHON[1] + 1))
