"""Does something make rpm slow, or its last digits others?"""

from rpmcore.doctor.environment import NETWORK, Environment
from rpmcore.doctor.finding import Finding, note, ok, problem

LEAST_MEMORY = 1 << 30
"""Bytes below which a simulation of many instruments may not fit."""

_HARMLESS = frozenset({"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"})
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_ANOTHER_PROCESSOR = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "MKL_CBWR")
_X86 = frozenset({"x86_64", "amd64"})


def kernel_cache(environment: Environment) -> Finding:
    """Can compiled kernels be kept, and are they?"""
    name, expected = "kernel cache", "a folder on a local disk that can be written, filled"
    if environment.kernel_error is not None:
        return problem(
            name, f"the kernels cannot be loaded: {environment.kernel_error}", expected,
            "python -m pip install --force-reinstall rpmcore numba numpy",
        )  # fmt: skip
    folder = environment.kernel_cache
    if folder is None:
        return problem(
            name, "the cache folder cannot be written, so every run compiles anew", expected,
            "set NUMBA_CACHE_DIR to a folder that can be written",
        )  # fmt: skip
    kind = environment.file_system(folder)
    if kind in NETWORK:
        return note(
            name, f"{folder} lies on {kind}, which makes every start slow", expected,
            "set NUMBA_CACHE_DIR to a folder on a local disk",
        )  # fmt: skip
    if not environment.kernels_compiled:
        return note(name, f"{folder} (empty: the next run compiles)", expected, "run `rpm warmup` once")
    return ok(name, f"{folder} (filled)", expected)


def bytecode(environment: Environment) -> Finding:
    """May Python keep its compiled modules?"""
    name, expected = "bytecode", "PYTHONDONTWRITEBYTECODE is not set"
    if environment.variables.get("PYTHONDONTWRITEBYTECODE"):
        return note(
            name, "PYTHONDONTWRITEBYTECODE is set: start-up takes about three times as long", expected,
            "unset PYTHONDONTWRITEBYTECODE, or run `python -m compileall` over the installation once",
        )  # fmt: skip
    return ok(name, "Python keeps its compiled modules", expected)


def numba_variables(environment: Environment) -> Finding:
    """Do variables make Numba compile otherwise?"""
    name, expected = "numba variables", "no NUMBA_… variable but those of the cache and of threads"
    disabled = environment.variables.get("NUMBA_DISABLE_JIT", "")
    if disabled not in ("", "0"):
        return problem(
            name, f"NUMBA_DISABLE_JIT={disabled}: nothing is compiled, and everything runs a hundred times slower",
            expected, "unset NUMBA_DISABLE_JIT",
        )  # fmt: skip
    others = sorted(
        variable
        for variable in environment.variables
        if variable.startswith("NUMBA_") and variable not in _HARMLESS and variable != "NUMBA_DISABLE_JIT"
    )
    if others:
        return note(
            name, f"set: {', '.join(others)}; speed and the last digits of figures may differ", expected,
            f"unset {' '.join(others)} unless you know why it is set",
        )  # fmt: skip
    return ok(name, "none that changes what is compiled", expected)


def thread_variables(environment: Environment) -> Finding:
    """Do variables ask for more threads than there are processors, or for another processor?"""
    name, variables = "thread variables", environment.variables
    expected = f"whole numbers of threads up to {environment.processors}, and no other processor's code"
    given = {variable: variables[variable] for variable in _THREADS if variables.get(variable)}
    wrong = [f"{variable}={value}" for variable, value in given.items() if not value.isdigit() or not int(value)]
    if wrong:
        return problem(
            name, f"{', '.join(wrong)} is no number of threads", expected,
            f"unset {' '.join(text.partition('=')[0] for text in wrong)}, or set a number",
        )  # fmt: skip
    many = [f"{variable}={value}" for variable, value in given.items() if int(value) > environment.processors]
    if many:
        return note(
            name, f"{', '.join(many)}: threads wait for each other", expected,
            f"set at most {environment.processors}",
        )  # fmt: skip
    other = [f"{variable}={variables[variable]}" for variable in _ANOTHER_PROCESSOR if variables.get(variable)]
    if other:
        return note(
            name, f"{', '.join(other)}: the last digits of figures may differ from those of other machines", expected,
            f"unset {' '.join(text.partition('=')[0] for text in other)} unless you know why it is set",
        )  # fmt: skip
    return ok(name, ", ".join(f"{variable}={value}" for variable, value in given.items()) or "none set", expected)


def processors(environment: Environment) -> Finding:
    """How many processors are there, and does a container allow fewer?"""
    name, expected = "processors", "AVX2 on x86, and a quota that is no smaller than the processors seen"
    cores, quota = environment.processors, environment.processor_quota
    found = f"{cores} on {environment.machine}"
    if quota is not None and quota < cores:
        allowed = max(int(quota), 1)
        return note(
            name, f"{found}, of which a control group allows {quota:g}: more threads than that slow each other down",
            expected, f"set OPENBLAS_NUM_THREADS={allowed} and NUMBA_NUM_THREADS={allowed}",
        )  # fmt: skip
    features = environment.cpu_features
    if environment.machine.lower() in _X86 and features is not None and "avx2" not in features:
        return note(
            name, f"{found}, without AVX2: matrix products take about twice as long", expected,
            "choose a processor, or a type of virtual machine, that has it",
        )  # fmt: skip
    return ok(name, found, expected)


def memory(environment: Environment) -> Finding:
    """Is there memory for a simulation?"""
    name, expected = "memory", f"at least {_gigabytes(LEAST_MEMORY)}"
    total, limit = environment.memory, environment.memory_limit
    least = min((size for size in (total, limit) if size is not None), default=None)
    if least is None:
        return ok(name, "the system does not tell", expected)
    limited = limit is not None and limit == least
    found = f"{_gigabytes(least)}{', by a limit on this process' if limited else ''}"
    if least < LEAST_MEMORY:
        return note(
            name, f"{found}: a run that needs more is killed without a word", expected,
            "raise the limit of the container (or `ulimit -v`), or simulate fewer paths",
        )  # fmt: skip
    return ok(name, found, expected)


def _gigabytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB"


CHECKS = (kernel_cache, bytecode, numba_variables, thread_variables, processors, memory)
