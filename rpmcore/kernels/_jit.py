"""The one decorator that owns every Numba option, and the one place that imports Numba.

Numba's own cache is keyed by the file of the kernel alone: it does not notice that a kernel in *another*
file, which this one calls, was edited. The compiled kernels therefore lie in a folder named by a digest
of all kernel sources together, below the user's cache folder (or ``NUMBA_CACHE_DIR``). That also keeps a
read-only installation working.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config as numba_config
import platformdirs
from numba.core.sigutils import normalize_signature

Function = TypeVar("Function", bound=Callable[..., Any])

_KERNELS: dict[str, tuple[Any, tuple[str, ...]]] = {}


def kernel(
    *signatures: str, parallel: bool = False, fastmath: frozenset[str] = frozenset()
) -> Callable[[Function], Function]:
    """Compile a function on float64 arrays with the options that hold for all of rpm.

    Parameters
    ----------
    *signatures
        Argument types in Numba's short form, such as ``"(f8[:, ::1], f8)"`` or ``"(f8,)"``. They tell a reader and
        ``rpm warmup`` what to compile. Compilation stays lazy: eager signatures would move its cost to import.
    parallel
        Allow ``prange``. Reductions that feed a decision stay serial or blockwise in a fixed order.
    fastmath
        Single LLVM flags such as ``{"contract", "reassoc"}`` where they were measured to matter; never ``nnan``
        or ``ninf``, which remove the checks for NaN.

    Returns
    -------
    Callable
        The decorator. The kernel keeps its plain Python form as ``.py_func`` (itself under
        ``NUMBA_DISABLE_JIT=1``).
    """

    def decorate(function: Function) -> Function:
        with _cache_folder() as cached:
            compiled = numba.njit(
                cache=cached, nogil=True, error_model="numpy", parallel=parallel, fastmath=set(fastmath)
            )(function)
        _load_without_registries(compiled)
        _KERNELS[f"{function.__module__.rpartition('.')[2]}.{function.__name__}"] = (compiled, signatures)
        return cast("Function", compiled)

    return decorate


def compile_all() -> Iterator[str]:
    """Compile every kernel of the imported modules for its declared signatures, yielding each name when done."""
    for name, (compiled, signatures) in _KERNELS.items():
        for signature in signatures:
            if hasattr(compiled, "compile"):
                # The cache is keyed by what is given: types, as a call gives them, not the text that names them.
                compiled.compile(normalize_signature(signature)[0])
        yield name


def declared() -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return the kernels of the imported modules: name to (compiled kernel, declared signatures)."""
    return dict(_KERNELS)


def cache_folder() -> Path | None:
    """Return the folder of the compiled kernels, or None where none can be written."""
    root = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_dir("rpmcore", appauthor=False)
    folder = Path(root) / f"kernels-{_sources_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _sources_digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_FOLDER = cache_folder()


@contextmanager
def _cache_folder() -> Iterator[bool]:
    """Point Numba at our folder while a kernel is decorated; other users of Numba keep theirs."""
    before = numba_config.CACHE_DIR
    if _FOLDER is not None:
        numba_config.CACHE_DIR = str(_FOLDER)
    try:
        yield _FOLDER is not None
    finally:
        numba_config.CACHE_DIR = before


def _load_without_registries(compiled: Any) -> None:
    """Let a kernel that lies compiled in the cache start without Numba's tables of what it could compile.

    Before it reads a cached kernel, Numba loads the implementations of all of Python and NumPy that it knows, and
    SciPy's linear algebra to learn whether ``np.dot`` could be compiled: a third of our start-up. Machine code needs of
    these only the run-time for memory; where a kernel must be compiled after all, the compiler loads the rest
    itself.
    """
    cache = getattr(compiled, "_cache", None)
    if cache is None or not (hasattr(cache, "_load_overload") and hasattr(cache, "_guard_against_spurious_io_errors")):
        return
    from numba.core.runtime import rtsys

    def load_overload(signature: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with cache._guard_against_spurious_io_errors():
            return cache._load_overload(signature, target_context)

    cache.load_overload = load_overload
