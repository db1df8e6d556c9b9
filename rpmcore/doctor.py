"""Is this installation sound? What ``rpm doctor`` looks at."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from rpmcore.api import kernels_are_compiled, open_prices
from rpmcore.domain import reference
from rpmcore.inputs import SAMPLE_PRICES, read_sample_book
from rpmcore.risk.value_at_risk import historical


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """One line of ``rpm doctor``."""

    name: str
    passed: bool
    found: str


def self_check() -> tuple[SelfCheck, ...]:
    """Return what ``rpm doctor`` looks at: versions, the kernel cache, the sample data and one known answer."""
    return tuple(_attempt(name, look) for name, look in _CHECKS.items())


def _attempt(name: str, look: Callable[[], str]) -> SelfCheck:
    try:
        return SelfCheck(name=name, passed=True, found=look())
    except Exception as error:  # noqa: BLE001 - whatever is broken here is the finding
        return SelfCheck(name=name, passed=False, found=f"{type(error).__name__}: {error}")


def _versions() -> str:
    names = ("rpmcore", "numba", "numpy", "scipy", "pyarrow", "pydantic", "typer", "rich")
    return ", ".join(("Python " + platform.python_version(), *(f"{name} {version(name)}" for name in names)))


def _kernel_cache() -> str:
    from rpmcore.kernels import _jit

    folder = _jit.cache_folder()
    if folder is None:
        raise OSError("the cache folder cannot be written, so every run compiles anew; set NUMBA_CACHE_DIR")
    return f"{folder} ({'filled' if kernels_are_compiled() else 'empty: the next run compiles'})"


def _sample_data() -> str:
    book = read_sample_book()
    return (
        f"{len(book.holdings)} positions, {len(open_prices(reference.sample_path(SAMPLE_PRICES)).symbols)} price series"
    )


def _known_answer() -> str:
    """Losses 1 to 10 with a tail of 0.25: VaR 8 and ES 9.2 (Acerbi and Tasche 2002, definition 2.6)."""
    found = historical([-float(loss) for loss in range(1, 11)], 0.75)
    if (found.value_at_risk, found.expected_shortfall) != (8.0, 9.2):
        raise ArithmeticError(f"VaR {found.value_at_risk}, ES {found.expected_shortfall} where 8 and 9.2 are right")
    return "VaR 8, ES 9.2 of the losses 1 to 10 at 0.75"


def _ledger() -> str:
    """Write a ledger among the temporary files and verify it; what the disk of a gate does is not known from that."""
    import sqlite3
    import tempfile

    from rpmcore.adapters.ledger.audit import verify
    from rpmcore.adapters.ledger.ledger import Ledger
    from rpmcore.adapters.ledger.records import NewRecord
    from rpmcore.domain.signing_key import SHORTEST_SECRET, SigningKey

    key = SigningKey(bytes(SHORTEST_SECRET))
    with tempfile.TemporaryDirectory(prefix="rpm-doctor-") as folder:
        path = f"{folder}/ledger"
        with Ledger.create(path, key, b"{}") as ledger:
            ledger.append([NewRecord(kind="event", sequence=1, body=b"{}")])
        found = verify(path, key)
    if not found.ok or found.records != 2:
        raise ArithmeticError(f"a ledger written just now does not verify: {found.why}")
    return f"SQLite {sqlite3.sqlite_version}; a ledger is written and verifies"


_CHECKS: Mapping[str, Callable[[], str]] = {
    "versions": _versions,
    "kernel cache": _kernel_cache,
    "sample data": _sample_data,
    "known answer": _known_answer,
    "ledger": _ledger,
}
