"""OpenTelemetry spans, where the extra ``otel`` is installed and somebody asked for them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rpmcore.adapters.telemetry.cleaning import clean_fields
from rpmcore.adapters.telemetry.traceparent import Trace
from rpmcore.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider


class Tracing:
    """Writes spans to a tracer provider: the one that is given, else the process's own.

    What exports them, and where to, is the provider's: see OpenTelemetry's own manual.

    Parameters
    ----------
    provider
        None for the one that the process has set.

    Raises
    ------
    ConfigurationError
        If OpenTelemetry is not installed.
    """

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        try:
            from opentelemetry import trace
        except ImportError as error:
            raise ConfigurationError(
                "observability.tracing needs OpenTelemetry, which is not installed: pip install 'rpmcore[otel]'"
            ) from error
        self._api = trace
        self._tracer = trace.get_tracer("rpmcore", tracer_provider=provider)

    def span(
        self, name: str, trace: Trace, *, start: int, end: int, attributes: Mapping[str, Any], failed: bool = False
    ) -> None:  # fmt: skip
        """Write a span of something that is over; nothing where whoever began the trace does not record it.

        Parameters
        ----------
        name
            Of what was done.
        trace
            The span becomes a child of its span, in its trace.
        start, end
            UTC nanoseconds.
        attributes
            What is None is left out.
        failed
            Whether it was an error; a rejection is none.
        """
        if not trace.sampled:
            return
        api = self._api
        parent = api.SpanContext(
            trace_id=int(trace.trace_id, 16), span_id=int(trace.span_id, 16), is_remote=True,
            trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED),
        )  # fmt: skip
        context = api.set_span_in_context(api.NonRecordingSpan(parent))
        told = {name: value for name, value in clean_fields(attributes).items() if value is not None}
        span = self._tracer.start_span(name, context=context, start_time=start, attributes=told)
        if failed:
            span.set_status(api.StatusCode.ERROR)
        span.end(end_time=end)
