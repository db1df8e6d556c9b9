"""Spans: children of whoever asked, and nothing at all where OpenTelemetry is not wanted."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from rpmcore.adapters.telemetry.traceparent import Trace
from rpmcore.adapters.telemetry.tracing import Tracing
from rpmcore.domain.errors import ConfigurationError

TRACE = Trace(correlation_id="c", trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Tracing(provider)
    provider.shutdown()


def test_a_span_is_a_child_in_the_trace_that_was_handed_over(tracing, exporter):
    tracing.span("decide", TRACE, start=1000, end=5000, attributes={"a": 1, "none": None, "api_key": "x", "n": 1e400})
    (span,) = exporter.get_finished_spans()
    assert (span.context.trace_id, span.parent.span_id) == (int(TRACE.trace_id, 16), int(TRACE.span_id, 16))
    assert (span.start_time, span.end_time, span.status.status_code) == (1000, 5000, StatusCode.UNSET)
    assert dict(span.attributes) == {"a": 1, "api_key": "[redacted]", "n": "Infinity"}


def test_an_error_is_marked_and_a_trace_that_nobody_records_is_left_out(tracing, exporter):
    from dataclasses import replace

    tracing.span("decide", replace(TRACE, sampled=False), start=0, end=1, attributes={})
    tracing.span("decide", TRACE, start=0, end=1, attributes={}, failed=True)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR


def test_without_opentelemetry_asking_for_spans_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'rpmcore\[otel\]'"):
        Tracing()


def test_nothing_of_opentelemetry_is_loaded_unless_spans_are_asked_for():
    code = (
        "import sys; from rpmcore import ObservabilityManager\n"
        "m = ObservabilityManager(); m.log_trade_decision('APPROVED', 'a', 'b'); m.close()\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_waits_when_the_process_ends_is_still_written(tmp_path):
    path = tmp_path / "rpm.log"
    code = (
        "import sys; from rpmcore import ObservabilityManager\n"
        "from rpmcore.adapters.telemetry.settings import ObservabilitySettings\n"
        "m = ObservabilityManager(ObservabilitySettings(log_file=sys.argv[1]))\n"
        "for n in range(500): m.log_trade_decision('APPROVED', 'a', str(n))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert len(path.read_text().splitlines()) == 500
