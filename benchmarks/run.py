"""Measure, print the ratios, and fail where one is below its floor.

python benchmarks/run.py            all rows, start-up and memory; rewrites the table in benchmarks/README.md
python benchmarks/run.py --short    what CI runs: the quick rows, few rounds, nothing rewritten
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- measured -->\n"
MEMORY_LIMIT_MB = 300
# One thread for us and for the peers, so that the ratio is one of methods and not of threads.
ONE_THREAD = {
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

PEAK_MEMORY = """
import resource, sys
import numpy as np
from rpmcore.risk.simulation import simulate_losses
cov = np.eye(50) * 1e-4
simulate_losses(np.ones(50), cov, 1000, seed=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
simulate_losses(np.ones(50), cov, 10_000_000, seed=1)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) / (1 if sys.platform == "darwin" else 1024) / (1024 if sys.platform == "darwin" else 1))
"""

STARTS = {
    "rpm --help": (["-m", "rpmcore", "--help"], ["-c", "import typer, rich.table"], 1.2),
    "rpm config show": (
        ["-m", "rpmcore", "config", "show"],
        ["-c", "import typer, yaml, pydantic; pydantic.create_model('One', number=(float, 1.0))()"],
        1.7,
    ),
    "rpm config show, without a model": (
        ["-m", "rpmcore", "config", "show"],
        ["-c", "import typer, yaml, pydantic"],
        1.2,
    ),
    "rpm evaluate, sample book": (
        ["-m", "rpmcore", "evaluate"],
        ["-c", "import numba, pyarrow.parquet, typer, rich.table"],
        1.7,
    ),
}


def main() -> None:
    """Run the benchmarks as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    short = parser.parse_args().short
    sys.path.insert(0, str(ROOT))
    lines, failures = speed(short)
    lines += start_up(3 if short else 9)
    if not short:
        lines += real_work()
    memory = peak_memory()
    lines.append(f"| memory of 1e7 paths × 50 assets above the import | {memory:.0f} MB | ≤ {MEMORY_LIMIT_MB} MB | |")
    if memory > MEMORY_LIMIT_MB:
        failures.append(f"memory {memory:.0f} MB is above {MEMORY_LIMIT_MB} MB")
    print("\n".join(lines))
    if not short:
        write_table(lines)
    for failure in failures:
        print(f"BELOW ITS FLOOR: {failure}")
    raise SystemExit(bool(failures))


def speed(short: bool) -> tuple[list[str], list[str]]:
    """Return the table rows of the speed cases, and the cases below their floor."""
    from benchmarks.cases import CASES

    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        rounds = ["--benchmark-min-rounds=3", "--benchmark-max-time=0.2"] if short else ["--benchmark-max-time=2"]
        skipped = [f"--deselect={name}" for name in _long(CASES)] if short else []
        subprocess.run(
            [sys.executable, "-m", "pytest", "benchmarks/test_speed.py", "-q", "--no-header", "-W", "ignore",
             "--benchmark-quiet", "--benchmark-warmup=on", "--benchmark-warmup-iterations=1",
             f"--benchmark-json={report}", *rounds, *skipped],
            cwd=ROOT, check=True, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        entries = json.loads(report.read_text())["benchmarks"]
    medians = {(e["group"], e["extra_info"]["side"]): e["stats"]["median"] for e in entries}
    lines = ["| task | ratio to the peer | target | ours | peer |", "|---|---|---|---|---|"]
    failures = []
    for case in CASES:
        if (case.name, "ours") not in medians:
            continue
        ours, peer = medians[case.name, "ours"], medians[case.name, "peer"]
        lines.append(
            f"| {case.name} | {peer / ours:.3g} × {case.peer} | ≥ {case.target:g} | {_time(ours)} | {_time(peer)} |"
        )
        if peer / ours < case.floor:
            failures.append(f"{case.name}: {peer / ours:.3g} < {case.floor:g}")
    return lines, failures


def _long(cases: object) -> list[str]:
    return [
        f"benchmarks/test_speed.py::test_speed[{case.name}-{side}]"
        for case in cases  # type: ignore[attr-defined]
        if case.long
        for side in ("ours", "peer")
    ]


def start_up(rounds: int) -> list[str]:
    """Return table rows of CPU seconds against the bare imports, warm, and of the first run with a cold cache."""
    lines = []
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for name, (ours, peer, target) in STARTS.items():
        seconds: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(rounds + 1):
            seconds["ours"].append(_cpu_seconds(ours, environment))
            seconds["peer"].append(_cpu_seconds(peer, environment))
        # The first round warms the caches of both.
        mine, theirs = (statistics.median(seconds[side][1:]) for side in ("ours", "peer"))
        lines.append(
            f"| {name}, warm | {mine / theirs:.2f} × its imports | ≤ {target:g} | {_time(mine)} | {_time(theirs)} |"
        )
    with tempfile.TemporaryDirectory() as folder:
        cold = _cpu_seconds(STARTS["rpm evaluate, sample book"][0], {**environment, "NUMBA_CACHE_DIR": folder})
    lines.append(f"| rpm evaluate, no kernel compiled yet | | | {_time(cold)} | |")
    return lines


def real_work() -> list[str]:
    """Return table rows of many books in one process, and of one book of many instruments."""
    from benchmarks.throughput import large_book_seconds, stress_seconds

    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | ONE_THREAD
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.throughput"],
        check=True, env=environment, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    ours, theirs = (float(number) for number in done.stdout.split()[1:])
    ewma, shrunk = large_book_seconds(environment)
    return [
        f"| 1,000 books of 50 positions, one process | {ours / theirs:.3g} × pandas + SciPy | | {ours:.0f} books/s "
        f"| {theirs:.0f} books/s |",
        f"| rpm evaluate, 2,000 instruments × 1,260 returns | | | {_time(ewma)} | |",
        f"| the same with Ledoit–Wolf on all returns | | | {_time(shrunk)} | |",
        f"| rpm stress --all --mode all, 500 positions | | | {_time(stress_seconds(environment))} | |",
    ]


def _cpu_seconds(arguments: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, env=environment, cwd=ROOT, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_memory() -> float:
    """Return how far 1e7 paths of 50 assets raise the peak memory of a fresh process, in MB."""
    done = subprocess.run([sys.executable, "-c", PEAK_MEMORY], check=True, cwd=ROOT, capture_output=True, text=True)
    return float(done.stdout)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def vectors() -> str:
    """Return the widest vector instructions of this processor that NumPy uses; several ratios depend on them."""
    from numpy._core._multiarray_umath import __cpu_features__ as found

    return next((name for name in ("AVX512_SKX", "AVX2", "NEON") if found.get(name)), "no wide vectors")


def write_table(lines: list[str]) -> None:
    """Put the measured table, with versions and machine, into README.md beside this file."""
    names = (
        "numba",
        "numpy",
        "scipy",
        "pandas",
        "polars",
        "numbagg",
        "scikit-learn",
        "skfolio",
        "riskfolio-lib",
        "empyrical-reloaded",
    )
    told = ", ".join(f"{name} {version(name)}" for name in names)
    machine = f"{platform.machine()} ({vectors()}), Python {platform.python_version()}, {told}; one thread each"
    page = Path(__file__).with_name("README.md")
    head = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(head + MARK + "\n".join((machine, "", *lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
