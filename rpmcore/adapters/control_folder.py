"""Operators' requests to a running gate, as files in a folder beside its ledger.

A request is on the disk before `submit` returns. It stays until the gate acknowledges it, so that a gate which is
killed in between finds it again: it must therefore know by its id a request that it has already carried out.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpmcore.adapters.durable_files import give_to_owner_of, sync_folder, write_durably
from rpmcore.domain.canonical import canonical_bytes, digest, parse
from rpmcore.domain.errors import InputError, InvalidArgument

LARGEST_REQUEST = 64 * 1024
"""Bytes of a request or of an answer."""

_GIVEN = re.compile(r"[0-9]{20}-[0-9a-f]{16}")
_FOUND = re.compile(r"file-[0-9a-f]{16}")
_LONGEST_SHOWN = 60
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRequest:
    """A request that waits for the gate: its id, and what is asked for."""

    id: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedRequest:
    """What lies among the requests and is none: its id, and why, as one sentence without a full stop.

    The id is the one that `submit` gave, or ``file-`` and a digest of a name that it never gives: a name can be too
    long, or no text at all.
    """

    id: str
    problem: str


class ControlFolder:
    """The folder ``<ledger>.control``: created where it is missing, for its owner alone.

    Raises
    ------
    InputError
        Where it cannot be created or used, or is open to others: whoever can write to it can stop a gate, or reset it.
    """

    __slots__ = ("_answers", "_malformed", "_requests", "path")

    path: Path

    def __init__(self, ledger: str | Path) -> None:
        ledger = Path(ledger).resolve()
        self.path = ledger.with_name(f"{ledger.name}.control")
        self._requests, self._answers = self.path / "requests", self.path / "answers"
        self._malformed = self.path / "malformed"
        try:
            for folder in (self.path, self._requests, self._answers, self._malformed):
                _create(folder, ledger if ledger.exists() else ledger.parent)
                _refuse_open(folder)
            sync_folder(self.path.parent)
            sync_folder(self.path)
        except OSError as error:
            raise self._unusable(error) from error

    def submit(self, request: dict[str, Any]) -> str:
        """Write a request and return its id once the disk has it.

        Raises
        ------
        InvalidArgument
            For what is no mapping of plain values, or takes more than `LARGEST_REQUEST` bytes.
        InputError
            Where it cannot be written. Nobody then sees any of it.
        """
        if not isinstance(request, dict):
            raise InvalidArgument(f"a request is a mapping, found {type(request).__name__}")
        content = canonical_bytes(request)
        if len(content) > LARGEST_REQUEST:
            raise InvalidArgument(f"a request has at most {LARGEST_REQUEST} bytes, found {len(content)}")
        # Ids sort by time; two of one moment differ by chance.
        name = f"{time.time_ns():020d}-{secrets.token_hex(8)}"
        self._write(self._requests / name, content)
        return name

    def pending(self) -> tuple[ControlRequest | MalformedRequest, ...]:
        """Return what waits, the oldest first; a file that is no request is returned as such, not passed over.

        Each is returned again until it is acknowledged. Costs one reading of an empty folder where nothing waits.

        Raises
        ------
        InputError
            Where the folder is gone, cannot be read, or is open to others by now: a gate that cannot be stopped, or
            that anybody can reset, must stop by itself.
        """
        try:
            for folder in (self.path, self._requests):
                _refuse_open(folder)
            names = os.listdir(self._requests)  # noqa: PTH208 - before each decision; `iterdir` takes three times as long
        except OSError as error:
            raise self._unusable(error) from error
        return tuple(map(self._read_named, sorted(names))) if names else ()

    def acknowledge(self, request_id: str, result: dict[str, Any]) -> None:
        """Answer a request and take it away; a malformed one is kept in the folder ``malformed``.

        Raises
        ------
        InvalidArgument
            For a result that is no mapping of plain values, or for what is no id.
        InputError
            Where the answer cannot be written; the request then stands.
        """
        _check(request_id)
        content = canonical_bytes(result)
        try:
            name = next((name for name in os.listdir(self._requests) if _id_of(name) == request_id), None)  # noqa: PTH208
            waiting = None if name is None else self._read_named(name)
            self._write(self._answers / request_id, content)
            if name is not None and isinstance(waiting, ControlRequest):
                (self._requests / name).unlink(missing_ok=True)
            elif name is not None:
                (self._requests / name).rename(self._malformed / f"{request_id}.{secrets.token_hex(4)}")
                sync_folder(self._malformed)
            sync_folder(self._requests)
        except OSError as error:
            raise self._unusable(error) from error

    def await_acknowledgement(
        self,
        request_id: str,
        timeout: float,
        *,
        every: float = 0.02,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> dict[str, Any] | None:
        """Return the gate's answer and take it away, or None where none came in time: the request then stands.

        Parameters
        ----------
        request_id
            As `submit` gave it.
        timeout, every
            Seconds in all, and between two looks.
        clock, sleep
            What tells the time and what waits.

        Raises
        ------
        InputError
            Where the answer cannot be read.
        """
        _check(request_id)
        path = self._answers / request_id
        end = clock() + timeout
        while True:
            try:
                answer: dict[str, Any] = parse(path.read_bytes())
                path.unlink()
            except FileNotFoundError:
                left = end - clock()
                if left <= 0:
                    return None
                sleep(min(every, left))
            except OSError as error:
                raise self._unusable(error) from error
            else:
                return answer

    def _read_named(self, name: str) -> ControlRequest | MalformedRequest:
        if not _GIVEN.fullmatch(name):
            return MalformedRequest(id=_id_of(name), problem=f"its name {_shown(name)} is none that rpm gives")
        try:
            content = _content(self._requests / name)
            if len(content) > LARGEST_REQUEST:
                return MalformedRequest(id=name, problem=f"it has more than {LARGEST_REQUEST} bytes")
            body = parse(content)
        except OSError as error:
            return MalformedRequest(id=name, problem=f"it cannot be read: {error.strerror}")
        except InvalidArgument as error:
            return MalformedRequest(id=name, problem=f"it {error}")
        if not isinstance(body, dict):
            return MalformedRequest(id=name, problem="it is no mapping")
        return ControlRequest(id=name, body=body)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            draft = self.path / f"{path.name}.{secrets.token_hex(4)}.new"
            write_durably(path, content, by_way_of=draft, like=self.path)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> InputError:
        return InputError(
            f"the control folder cannot be used: {error.strerror or error}", source=str(self.path),
            remedy="it must be a folder that the user of the gate can write to",
        )  # fmt: skip


def waiting_requests(ledger: str | Path) -> int:
    """Return how many requests wait for the gate of a ledger; the folder is not created where there is none."""
    folder = Path(ledger)
    try:
        return sum(1 for _ in (folder.with_name(f"{folder.name}.control") / "requests").iterdir())
    except OSError:
        return 0


def _content(path: Path) -> bytes:
    """Return at most one byte more than a request may have, of a file that is one: a pipe would never end."""
    options = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        options |= getattr(os, name, 0)
    descriptor = os.open(path, options)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "is no file")
        return os.read(descriptor, LARGEST_REQUEST + 1)
    finally:
        os.close(descriptor)


def _id_of(name: str) -> str:
    return name if _GIVEN.fullmatch(name) else f"file-{digest(os.fsencode(name))[:16]}"


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…")


def _check(request_id: str) -> None:
    if not (_GIVEN.fullmatch(request_id) or _FOUND.fullmatch(request_id)):
        raise InvalidArgument(f"{request_id!r} is no id of a request")


def _create(folder: Path, like: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        give_to_owner_of(like, folder)


def _refuse_open(folder: Path) -> None:
    if os.name != "nt" and os.stat(folder).st_mode & _OTHERS:  # noqa: PTH116 - before each decision; twice as fast
        raise InputError(
            "the control folder is open to others, who could stop the gate or reset it", source=str(folder),
            remedy=f"close it by: chmod 700 {folder}",
        )  # fmt: skip
