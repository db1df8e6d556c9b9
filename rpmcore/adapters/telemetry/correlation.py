"""What the work of this thread or task belongs to: a correlation id, and the trace that it stands for."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from rpmcore.adapters.telemetry.traceparent import (
    Trace,
    new_span_id,
    parse_traceparent,
    trace_id_of,
    write_traceparent,
)
from rpmcore.domain.errors import InvalidArgument

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 256

_CURRENT: ContextVar[Trace | None] = ContextVar("rpm_trace", default=None)


class CorrelationContext:
    """The correlation id of the current context; every method is one of the class.

    It follows ``await`` and tasks by itself. A new thread and a queue begin without one: hand it on by `copy_to`, or
    put `current` beside the work and `bind` it where the work is done.
    """

    @staticmethod
    def set_correlation_id(correlation_id: str) -> None:
        """Set the id for what follows in this context; a trace that was accepted before ends here.

        Raises
        ------
        InvalidArgument
            If it is no text of 1 to 256 characters.
        """
        _CURRENT.set(trace_of(correlation_id))

    @staticmethod
    def get_correlation_id() -> str | None:
        """Return the id, or None where none was set."""
        trace = _CURRENT.get()
        return None if trace is None else trace.correlation_id

    get = get_correlation_id

    @staticmethod
    def current() -> Trace | None:
        """Return id, trace and span, to be put beside work that another thread does; None where none was set."""
        return _CURRENT.get()

    @staticmethod
    def new() -> str:
        """Set a new random id, a UUID, and return it."""
        correlation_id = str(uuid.uuid4())
        _CURRENT.set(trace_of(correlation_id))
        return correlation_id

    @staticmethod
    def clear() -> None:
        """Forget the id."""
        _CURRENT.set(None)

    @staticmethod
    @contextmanager
    def bind(
        correlation_id: str | Trace | None = None, *, traceparent: str | None = None
    ) -> Iterator[Trace]:  # fmt: skip
        """Set the id within a ``with``, and put back what was before.

        Parameters
        ----------
        correlation_id
            Or what `current` gave. None takes the trace id of the header, else a new one.
        traceparent
            The header of whoever asked. One that is malformed is passed over and a new trace begins, as W3C demands;
            `rpmcore.adapters.telemetry.traceparent.parse_traceparent` tells what is wrong with it.

        Raises
        ------
        InvalidArgument
            If the id is no text of 1 to 256 characters.
        """
        token = _CURRENT.set(_begun(correlation_id, traceparent))
        try:
            trace = _CURRENT.get()
            assert trace is not None  # noqa: S101 - set a line above
            yield trace
        finally:
            _CURRENT.reset(token)

    @staticmethod
    def copy_to(function: Callable[P, R]) -> Callable[P, R]:
        """Return the function as it runs in this context, to be handed to a thread, a pool or a queue.

        It may run many times, and in several threads at once.
        """
        trace = _CURRENT.get()

        @wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _CURRENT.set(trace)
            try:
                return function(*args, **kwargs)
            finally:
                _CURRENT.reset(token)

        return within

    @staticmethod
    def traceparent() -> str | None:
        """Return the header for a call to another service, with a new span id each time; None where no id was set."""
        trace = _CURRENT.get()
        return None if trace is None else write_traceparent(trace, new_span_id())


def trace_of(correlation_id: str) -> Trace:
    """Return the trace that a correlation id stands for.

    Raises
    ------
    InvalidArgument
        If it is no text of 1 to 256 characters.
    """
    if not isinstance(correlation_id, str) or not 0 < len(correlation_id) <= LONGEST:
        raise InvalidArgument(f"a correlation id is a text of 1 to {LONGEST} characters")
    if not correlation_id.isascii() and any("\ud800" <= c <= "\udfff" for c in correlation_id):
        raise InvalidArgument("a correlation id holds half a surrogate pair, which cannot be written down")
    return Trace(correlation_id=correlation_id, trace_id=trace_id_of(correlation_id), span_id=new_span_id())


def _begun(correlation_id: str | Trace | None, traceparent: str | None) -> Trace:
    if isinstance(correlation_id, Trace):
        return correlation_id
    if traceparent is not None:
        try:
            trace_id, span_id, sampled = parse_traceparent(traceparent)
        except InvalidArgument:
            pass
        else:
            named = trace_of(correlation_id or trace_id)
            return Trace(correlation_id=named.correlation_id, trace_id=trace_id, span_id=span_id, sampled=sampled)
    return trace_of(str(uuid.uuid4()) if correlation_id is None else correlation_id)
