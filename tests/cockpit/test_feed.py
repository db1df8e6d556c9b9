"""Events in pieces, and when a state is old: by silence, by standing still, by a machine that slept."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from rpmcore.adapters.service_client import events
from rpmcore.adapters.service_client.events import events_of
from rpmcore.adapters.service_client.feed import StateFeed
from rpmcore.domain.errors import Unavailable

RAW = (
    'event: state\r\ndata: {"symbol":"A\u2028\x0b\x85B"}\r\n\r\n'
    ": still here\n\ndata:1\ndata: 2\n\nid: 4\n\nevent: x\n\ndata: cut"
)
FOUND = [("state", '{"symbol":"A\u2028\x0b\x85B"}'), ("message", "1\n2")]


@hypothesis.given(st.lists(st.integers(0, len(RAW.encode())), max_size=12))
def test_events_are_the_same_in_whatever_pieces_they_come(cuts):
    raw, places = RAW.encode(), sorted({0, *cuts, len(RAW.encode())})
    pieces = [raw[a:b] for a, b in pairwise(places)]
    assert [(event.name, event.data) for event in events_of(pieces)] == FOUND


def test_an_event_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(events, "LARGEST_EVENT", 1000)
    with pytest.raises(Unavailable, match="more than 1000 bytes"):
        list(events_of([b"data: "] + [b"x" * 300] * 4))
    assert len(list(events_of([b"data: " + b"x" * 300 + b"\n\n"] * 20))) == 20


def test_an_event_that_is_no_text_is_refused():
    with pytest.raises(Unavailable, match="no UTF-8"):
        list(events_of([b"data: \xff\n\n"]))


class Told:
    """A client that gives states as it is told to."""

    def __init__(self):
        self.published, self.closed = "2026-03-02T09:30:00+00:00", False

    def state(self):
        return {"published_at": self.published, "server": {"heartbeat_seconds": 5.0, "tick_seconds": 1.0}}

    def stress(self):
        raise Unavailable("the book has no prices")

    def close(self):
        self.closed = True


class Clocks:
    def __init__(self):
        self.steady, self.wall = 0.0, datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def pass_by(self, seconds, *, asleep=False):
        self.steady += 0.0 if asleep else seconds
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def feed(told, clocks):
    return StateFeed(told, clock=lambda: clocks.steady, wall=lambda: clocks.wall)


def test_before_any_state_nothing_is_live(feed):
    assert feed.seen().problem == "the server has said nothing yet"


def test_a_state_is_live_for_a_heartbeat_and_a_little(feed, clocks):
    assert feed.first().problem == ""
    clocks.pass_by(6.9)
    assert feed.seen().problem == ""
    clocks.pass_by(0.2)
    assert feed.seen().problem == "the server says nothing"
    assert feed.seen().age == pytest.approx(7.1)


def test_the_same_state_again_and_again_is_old(feed, clocks, told):
    for _ in range(6):
        seen = feed.first()
        clocks.pass_by(3.0)
    assert seen.problem == ""
    assert feed.first().problem == "the server repeats an old state"
    told.published = "2026-03-02T09:31:00+00:00"
    assert feed.first().problem == ""
    assert feed.seen().age == 0.0


def test_a_machine_that_slept_shows_nothing_as_live(feed, clocks):
    feed.first()
    clocks.pass_by(3600.0, asleep=True)
    assert feed.seen().problem == "the server says nothing"
    assert feed.seen().age == 3600.0


def test_a_clock_that_is_set_back_hides_no_age(feed, clocks):
    feed.first()
    clocks.pass_by(8.0)
    clocks.wall -= timedelta(hours=1)
    assert feed.seen().problem == "the server says nothing"


def test_crises_that_cannot_be_computed_are_no_reason_to_show_nothing(feed):
    seen = feed.first()
    assert (seen.stress, seen.stress_problem) == (None, "the book has no prices")
    assert seen.problem == ""


def test_the_connection_is_closed_at_the_end(feed, told):
    feed.stop()
    assert told.closed
