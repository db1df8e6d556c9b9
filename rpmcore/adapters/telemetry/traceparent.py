"""The header ``traceparent`` of W3C Trace Context, read strictly.

Source: W3C Recommendation "Trace Context", section 3.2 (version 00) and 3.2.4 (later versions).
"""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

from rpmcore.domain.errors import InvalidArgument

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SAMPLED = 0x01
_LONGEST = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where something belongs: immutable, so that it can be put into a queue beside the work.

    Attributes
    ----------
    correlation_id
        1 to 256 characters.
    trace_id, span_id
        32 and 16 hexadecimal digits, not all zero; the span is the one that what happens now belongs to.
    sampled
        Whether the caller records the trace.
    """

    correlation_id: str
    trace_id: str
    span_id: str
    sampled: bool = True


def parse_traceparent(header: str) -> tuple[str, str, bool]:
    """Return trace id, parent span id and whether the trace is sampled.

    Raises
    ------
    InvalidArgument
        For what is no header: another length, capitals, version ff, an id of zeros, more fields in version 00.
    """
    found = _HEADER.fullmatch(header) if isinstance(header, str) and len(header) <= _LONGEST else None
    if found is None:
        raise InvalidArgument(
            f"traceparent is {ascii(header)[:80]}: 00-<32>-<16>-<2 lower hexadecimal digits> is needed"
        )
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        raise InvalidArgument(f"traceparent of version {version} {'is not allowed' if more is None else 'ends there'}")
    if not int(trace_id, 16) or not int(span_id, 16):
        raise InvalidArgument("traceparent holds an id of zeros")
    return trace_id, span_id, bool(int(flags, 16) & _SAMPLED)


def write_traceparent(trace: Trace, span_id: str) -> str:
    """Return the header for a call to another service, by the span that calls it."""
    return f"00-{trace.trace_id}-{span_id}-{'01' if trace.sampled else '00'}"


def trace_id_of(correlation_id: str) -> str:
    """Return the trace id that a correlation id stands for: itself where it is 32 digits or a UUID, else from its hash.

    Every process comes to the same one.
    """
    plain = correlation_id.replace("-", "").lower()
    if len(correlation_id) in (32, 36) and _TRACE_ID.fullmatch(plain) and int(plain, 16):
        return plain
    return sha256(correlation_id.encode(errors="surrogatepass")).hexdigest()[:32]


def new_span_id() -> str:
    """Return 16 random hexadecimal digits, not all zero."""
    while True:
        found = secrets.token_hex(8)
        if int(found, 16):
            return found
