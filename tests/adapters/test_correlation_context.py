"""Correlation ids follow the work: through awaits by themselves, through threads and queues when handed on."""

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.adapters.telemetry.traceparent import parse_traceparent, trace_id_of
from rpmcore.domain.errors import InvalidArgument

# The example of the recommendation, section 3.2.
HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _nothing_set():
    CorrelationContext.clear()
    yield
    CorrelationContext.clear()


def test_an_id_is_set_read_and_forgotten():
    assert CorrelationContext.get() is None
    CorrelationContext.set_correlation_id("c-1")
    assert CorrelationContext.get_correlation_id() == "c-1"
    assert CorrelationContext.new() == CorrelationContext.get() != "c-1"
    CorrelationContext.clear()
    assert CorrelationContext.get() is None
    assert CorrelationContext.traceparent() is None


@pytest.mark.parametrize("bad", ["", "x" * 257, None, 7, "\ud800"])
def test_what_is_no_id_is_refused(bad):
    with pytest.raises(InvalidArgument, match="correlation id"):
        CorrelationContext.set_correlation_id(bad)


def test_bound_ids_nest_and_come_back_also_after_an_error():
    with CorrelationContext.bind("outer"):
        with suppress(ZeroDivisionError), CorrelationContext.bind("inner"):
            assert CorrelationContext.get() == "inner"
            raise ZeroDivisionError
        assert CorrelationContext.get() == "outer"
    assert CorrelationContext.get() is None


def test_a_thread_begins_without_and_copy_to_hands_on():
    seen = []
    CorrelationContext.set_correlation_id("c-1")

    def note():
        seen.append(CorrelationContext.get())

    for target in (note, CorrelationContext.copy_to(note)):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert seen == [None, "c-1"]


def test_one_handed_on_function_runs_in_many_threads_at_once():
    CorrelationContext.set_correlation_id("c-1")
    together = threading.Barrier(4)

    def work(number):
        together.wait(10)
        return number, CorrelationContext.get()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(CorrelationContext.copy_to(work), range(4)))
        assert set(pool.map(lambda _: CorrelationContext.get(), range(4))) == {None}
    assert found == [(number, "c-1") for number in range(4)]


def test_a_queue_carries_it_beside_the_work():
    waiting, done = queue.Queue(), []

    def worker():
        for _ in range(2):
            trace, work = waiting.get()
            with CorrelationContext.bind(trace):
                done.append((work, CorrelationContext.get(), CorrelationContext.current().trace_id))

    thread = threading.Thread(target=worker)
    thread.start()
    traces = []
    for name in ("a", "b"):
        with CorrelationContext.bind(f"c-{name}") as trace:
            waiting.put((CorrelationContext.current(), name))
            traces.append(trace.trace_id)
    thread.join()
    assert done == [("a", "c-a", traces[0]), ("b", "c-b", traces[1])]


def test_tasks_do_not_see_each_others_ids():
    async def work(name):
        with CorrelationContext.bind(name):
            await asyncio.sleep(0)
            return CorrelationContext.get()

    async def both():
        return await asyncio.gather(work("a"), work("b"))

    assert asyncio.run(both()) == ["a", "b"]


def test_a_traceparent_is_taken_over_and_passed_on_with_new_spans():
    with CorrelationContext.bind(traceparent=HEADER) as trace:
        assert (trace.trace_id, trace.span_id, trace.sampled) == (HEADER[3:35], HEADER[36:52], True)
        assert CorrelationContext.get() == HEADER[3:35]
        first, second = CorrelationContext.traceparent(), CorrelationContext.traceparent()
    assert first[:36] == second[:36] == HEADER[:36]
    assert len({HEADER[36:52], first[36:52], second[36:52]}) == 3
    with CorrelationContext.bind("mine", traceparent=HEADER) as trace:
        assert (trace.correlation_id, trace.trace_id) == ("mine", HEADER[3:35])


def test_what_the_caller_does_not_sample_stays_so():
    with CorrelationContext.bind(traceparent=f"{HEADER[:-2]}00"):
        assert CorrelationContext.traceparent().endswith("-00")


@pytest.mark.parametrize(
    "bad",
    [
        "", HEADER[:-1], f"{HEADER}0", f"{HEADER}\n", f" {HEADER}", HEADER.upper(), f"ff{HEADER[2:]}", f"{HEADER}-more",
        f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{'a' * 32}-{'0' * 16}-01", HEADER.replace("-", "_"), None, b"00",
        f"cc{HEADER[2:]}-{'x' * 600}",
    ],
)  # fmt: skip
def test_a_malformed_traceparent_is_told_and_begins_a_new_trace(bad):
    with pytest.raises(InvalidArgument, match="traceparent"):
        parse_traceparent(bad)
    if bad is not None:
        with CorrelationContext.bind("c-1", traceparent=bad) as trace:
            assert (trace.correlation_id, trace.trace_id) == ("c-1", trace_id_of("c-1"))


def test_a_later_version_may_say_more():
    assert parse_traceparent(f"cc{HEADER[2:]}-what-ever") == (HEADER[3:35], HEADER[36:52], True)


@given(st.text(max_size=60))
def test_no_other_text_is_a_traceparent(text):
    with pytest.raises(InvalidArgument):
        parse_traceparent(text)


def test_an_id_stands_for_the_same_trace_everywhere():
    # printf c-1 | sha256sum
    assert trace_id_of("c-1") == "a6f7ef47ee8dc84af9056a3051ddc302"
    assert trace_id_of("4bf92f35-77b3-4da6-a3ce-929d0e0e4736") == HEADER[3:35]
    assert trace_id_of(HEADER[3:35]) == HEADER[3:35]
    assert int(trace_id_of("0" * 32), 16) != 0


@given(st.text(min_size=1, max_size=256, alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_id_gives_a_header_that_reads_back(correlation_id):
    with CorrelationContext.bind(correlation_id) as trace:
        trace_id, _, sampled = parse_traceparent(CorrelationContext.traceparent())
    assert (trace_id, sampled) == (trace.trace_id, True)
