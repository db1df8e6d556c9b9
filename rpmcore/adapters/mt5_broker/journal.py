"""What an adapter must remember, and a terminal does not: whose an order is, and in which order things happened."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from rpmcore.adapters.exclusive_file import ExclusiveFile
from rpmcore.domain.broker import BrokerEvent, EventKind
from rpmcore.domain.errors import InvalidArgument, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An order that was about to leave: its client id by the tag that it carries."""

    tag: str
    order_id: str
    strategy_id: str


class Journal:
    """A file of JSON lines that only grows; each line is on the disk before what it is about leaves.

    A line that a crash cut short is dropped: what it was about has not left, or is found at the terminal again.

    Parameters
    ----------
    path
        The file; made if there is none. One adapter at a time writes to it.
    read_only
        Whether new lines stay in memory, so that a journal can be read while another adapter writes to it.

    Raises
    ------
    InvalidArgument
        If a line is not one of a journal.
    Unavailable
        If the file cannot be read or written, or another process writes to it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path, self._read_only, self._file = path, read_only, -1
        self._lock: ExclusiveFile | None = None
        self.sent: dict[str, Sent] = {}
        self.tickets: dict[int, str] = {}
        self.events: dict[str, BrokerEvent] = {}
        content = self._opened()
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, ArithmeticError) as error:
                self.close()
                raise InvalidArgument(f"line {number} of {path} is not one of a journal ({error})") from error

    def note_sent(self, sent: Sent) -> None:
        """Remember an order that is about to leave."""
        if self.sent.get(sent.tag) != sent:
            self._write([{"tag": sent.tag, "order_id": sent.order_id, "strategy_id": sent.strategy_id}])

    def note_ticket(self, ticket: int, tag: str) -> None:
        """Remember under which ticket the terminal took an order, whatever becomes of its comment."""
        if self.tickets.get(ticket) != tag:
            self._write([{"ticket": ticket, "tag": tag}])

    def note_events(self, events: Iterable[tuple[str, BrokerEvent]]) -> None:
        """Remember events by their keys, with their cursors."""
        self._write([{"key": key, "event": _plain(event)} for key, event in events])

    def close(self) -> None:
        """Close the file, and let the next one write."""
        if self._file >= 0:
            os.close(self._file)
        if self._lock is not None:
            self._lock.close()
        self._file, self._lock = -1, None

    def _opened(self) -> bytes:
        """Return what the file holds; it is open for writing from here on, unless it is only read."""
        path = self._path
        try:
            if self._read_only:
                return path.read_bytes() if path.exists() else b""
            self._lock = ExclusiveFile(path.with_name(f"{path.name}.lock"))
            if not self._lock.take():
                self.close()
                raise Unavailable(f"another process writes to the journal {path}: stop that one first")
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
            content = path.read_bytes()
            os.ftruncate(self._file, content.rfind(b"\n") + 1)
        except OSError as error:
            self.close()
            raise Unavailable(f"the journal {path} cannot be used: {error.strerror or error}") from error
        return content

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if not lines:
            return
        if not self._read_only:
            content = b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in lines)
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(self._file, left) :]
                os.fsync(self._file)
            except OSError as error:
                raise Unavailable(f"the journal {self._path} cannot be written: {error.strerror or error}") from error
        for line in lines:
            self._take(line)

    def _take(self, line: Mapping[str, Any]) -> None:
        if "event" in line:
            self.events[line["key"]] = _event(line["event"])
        elif "ticket" in line:
            self.tickets[line["ticket"]] = line["tag"]
        else:
            self.sent[line["tag"]] = Sent(
                tag=line["tag"], order_id=line["order_id"], strategy_id=line["strategy_id"]
            )  # fmt: skip


def _plain(event: BrokerEvent) -> dict[str, Any]:
    plain = {f.name: getattr(event, f.name) for f in fields(event)}
    return {**plain, "kind": event.kind.value, "quantity": str(event.quantity), "cumulative": str(event.cumulative)}


def _event(plain: Mapping[str, Any]) -> BrokerEvent:
    return BrokerEvent(
        **{
            **plain, "kind": EventKind(plain["kind"]), "quantity": Decimal(plain["quantity"]),
            "cumulative": Decimal(plain["cumulative"]),
        }
    )  # fmt: skip
