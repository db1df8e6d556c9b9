"""The throttle of messages counts what its window holds, however many came before."""

from hypothesis import given
from hypothesis import strategies as st

from rpmcore.decision.message_throttle import MessageThrottle
from tests.gate.conftest import short_settings


@given(
    gaps=st.lists(st.integers(0, 400_000_000), max_size=60), later=st.integers(0, 2_000_000_000),
    most=st.integers(1, 80),
)  # fmt: skip
def test_it_counts_what_came_within_the_window(gaps, later, most):
    settings = short_settings("gate.message_window_seconds=1.0", f"gate.max_messages={most}").gate
    throttle, times, at = MessageThrottle(settings), [], 0
    for gap in gaps:
        at += gap
        times.append(at)
        throttle.record("trend", at)
    at += later
    within = [time for time in times if time > at - 1_000_000_000]
    assert throttle.count("trend", at) == min(len(within), most + 1)
    assert throttle.count("another", at) == 0
