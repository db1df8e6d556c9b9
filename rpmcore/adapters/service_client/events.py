"""Server-sent events, as the HTML standard reads them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rpmcore.domain.errors import Unavailable

LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes of one event; a server that sends more is none of ours."""

# Not str.splitlines: it breaks at characters that are part of a symbol's name.
_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event: its name, and its data as text."""

    name: str
    data: str


def events_of(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Yield the events of a stream that comes in pieces; one that is not whole at the end is dropped.

    Raises
    ------
    Unavailable
        If an event is larger than `LARGEST_EVENT`, or is no UTF-8.
    """
    name, data, size, rest = "", [], 0, b""
    for chunk in chunks:
        *lines, rest = _END.split(rest + chunk)
        size += len(chunk)
        if size > LARGEST_EVENT:
            raise Unavailable(f"the server sends events of more than {LARGEST_EVENT} bytes")
        for line in lines:
            if line:
                field, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if field == b"event":
                    name = _text(value)
                elif field == b"data":
                    data.append(_text(value))
                continue
            if data:
                yield ServerEvent(name=name or "message", data="\n".join(data))
            name, data, size = "", [], len(rest)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Unavailable("the server sends events that are no UTF-8") from None
