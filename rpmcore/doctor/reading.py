"""Read the environment that the checks judge. Nothing here judges, and what the system does not tell is None."""

import os
import platform
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from rpmcore.doctor.environment import Environment
from rpmcore.doctor.requirements import parsed
from rpmcore.doctor.tested import MODULES, TESTED

_HEAD_BYTES = 4096
_UNLIMITED = 1 << 60
"""From here on a number of bytes means that there is no limit."""


def read_environment() -> Environment:
    """Return the environment of this process."""
    requirements = tuple(_requirements())
    with warnings.catch_warnings():
        # Numba warns with a traceback of a variable that it cannot read; the checks say the same in a sentence.
        warnings.simplefilter("ignore")
        cache, error, compiled = _kernels()
        unimportable = _unimportable()
    temporary, refused = _temporary()
    command = shutil.which("rpm")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    configuration = _configuration()
    return Environment(
        system=sys.platform, python=tuple(sys.version_info[:3]), sqlite=sqlite3.sqlite_version_info,
        requirements=requirements, packages={line.name: _installed(line.name) for line in parsed(requirements)},
        unimportable=unimportable,
        variables=dict(os.environ), kernel_cache=cache, kernel_error=error, kernels_compiled=compiled,
        machine=platform.machine(), cpu_features=_cpu_features(), processors=cores, processor_quota=_quota(),
        memory=_memory(), memory_limit=_memory_limit(), encoding=getattr(sys.stdout, "encoding", None),
        columns=shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None,
        temporary=temporary, temporary_error=refused, open_files=_open_files(),
        command=None if command is None else Path(command), command_is_ours=command is not None and _ours(command),
        time_zones=_time_zones(), mounts=_mounts(), key_file=configuration / "ledger.key",
        settings_folders=(Path(), configuration), now=time.time_ns(),
    )  # fmt: skip


def _requirements() -> list[str]:
    try:
        return requires("rpmcore") or []
    except PackageNotFoundError:
        return []


def _unimportable() -> dict[str, str]:
    """Return why a package that is there cannot be used, by its name: half installed, or built for another one."""
    wrong = {}
    for name in TESTED:
        try:
            import_module(MODULES.get(name, name))
        except Exception as error:  # noqa: BLE001 - a broken package fails in its own way, which is what is to be told
            wrong[name] = f"{type(error).__name__}: {error}"
    return wrong


def _configuration() -> Path:
    try:
        import platformdirs
    except ImportError:
        return Path()  # `_unimportable` tells of it
    return Path(platformdirs.user_config_dir("rpmcore", appauthor=False))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _kernels() -> tuple[Path | None, str | None, bool]:
    try:
        from rpmcore.kernels import _jit
    except Exception as error:  # noqa: BLE001 - as above
        return None, f"{type(error).__name__}: {error}", False
    compiled = False
    with suppress(Exception):  # what else is broken is another finding
        from rpmcore.api import kernels_are_compiled

        compiled = kernels_are_compiled()
    return _jit.cache_folder(), None, compiled


def _temporary() -> tuple[Path | None, str | None]:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"rpm")
        return Path(tempfile.gettempdir()), None
    except OSError as error:
        return None, error.strerror or str(error)


def _ours(command: str) -> bool:
    try:
        with Path(command).open("rb") as file:
            return b"rpm_cli" in file.read(_HEAD_BYTES) or sys.platform == "win32"
    except OSError:
        return False


def _time_zones() -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo("America/New_York")
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _cpu_features() -> frozenset[str] | None:
    found = re.search(r"^flags\s*:\s*(.*)$", _text("/proc/cpuinfo") or "", re.MULTILINE)
    return None if found is None else frozenset(found[1].split())


def _memory() -> int | None:
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _group_folders(controller: str) -> list[str]:
    """Return the folders of this process' control group and of those above it, in both versions of the interface."""
    folders = []
    for line in (_text("/proc/self/cgroup") or "").splitlines():
        _, names, path = line.split(":", 2)
        root = "/sys/fs/cgroup" if not names else f"/sys/fs/cgroup/{controller}"
        if not names or controller in names.split(","):
            steps = [part for part in path.split("/") if part]
            folders += ["/".join((root, *steps[:depth])) for depth in range(len(steps) + 1)]
    return folders


def _quota() -> float | None:
    shares: list[float | None] = []
    for folder in _group_folders("cpu"):
        new = (_text(f"{folder}/cpu.max") or "").split()
        old = [(_text(f"{folder}/cpu.cfs_{name}_us") or "").strip() for name in ("quota", "period")]
        shares += [_share(words) for words in (new, old)]
    return min((share for share in shares if share is not None), default=None)


def _share(words: list[str]) -> float | None:
    """Return the processors that a quota and its period stand for; None for no quota, which is no number."""
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])


def _memory_limit() -> int | None:
    texts = [
        (_text(f"{folder}/{name}") or "").strip()
        for folder in _group_folders("memory")
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    limits = [int(text) for text in texts if text.isdigit()]
    if sys.platform != "win32":
        import resource

        limits.append(resource.getrlimit(resource.RLIMIT_AS)[0])
    return min((limit for limit in limits if 0 <= limit < _UNLIMITED), default=None)


def _open_files() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def _mounts() -> dict[str, str]:
    found = {}
    for line in (_text("/proc/self/mounts") or "").splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            # Blanks in the name of a mount point are written in octal.
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1])
            found[point] = fields[2]
    return found
