"""When to try again, held against dates and numbers written by others."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.alerts.retries import LONGEST_PAUSE, backoff, retry_after

NOW = datetime(2026, 11, 8, 8, 49, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Sun, 08 Nov 2026 08:49:37 GMT", 37.0),
        ("Sun, 08 Nov 2026 08:48:37 GMT", 0.0),
        ("Sun Nov  8 08:49:37 2026", 37.0),
        ("99999999999999999999999", LONGEST_PAUSE),
        ("Sun, 08 Nov 2099 08:49:37 GMT", LONGEST_PAUSE),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Sun, 99 Nov 2026 08:49:37 GMT", None),
    ],
)
def test_retry_after(header, wait):
    assert retry_after(header, NOW.timestamp()) == wait


@given(st.integers(0, 3599))
def test_a_date_and_its_seconds_are_the_same_wait(seconds):
    date = format_datetime(datetime.fromtimestamp(NOW.timestamp() + seconds, UTC), usegmt=True)
    assert retry_after(date, NOW.timestamp()) == retry_after(str(seconds), NOW.timestamp()) == seconds


@given(st.text(max_size=40))
def test_no_header_raises(text):
    wait = retry_after(text, NOW.timestamp())
    assert wait is None or 0.0 <= wait <= LONGEST_PAUSE


def test_waits_double_up_to_the_longest():
    waits = [backoff(n, first=0.5, longest=60.0, chance=1.0) for n in range(1, 10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@given(st.integers(1, 10**9), st.floats(0.0, 1.0, exclude_max=True))
def test_chance_takes_at_most_half(attempts, chance):
    whole = backoff(attempts, first=0.5, longest=60.0, chance=1.0)
    assert whole / 2 <= backoff(attempts, first=0.5, longest=60.0, chance=chance) <= whole
