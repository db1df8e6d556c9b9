import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.adaptive_settings import RegimesSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.regime import RegimeDetector
from rpmcore.controls.regime_limits import REGIMES
from rpmcore.domain.errors import InvalidArgument
from tests.oracles import adaptive as oracle
from tests.samples import rough_days

SHORT = RegimesSettings(minimum_history=30, dwell_days=4)
BASE = [(0.1, float(1 + i * 37 % 100), float(1 + i * 37 % 100)) for i in range(100)]  # 1 … 100, the worst within

ratio = st.one_of(st.integers(0, 20).map(lambda v: v / 20), st.none())
level = st.one_of(st.integers(0, 40).map(float), st.none())
days = st.lists(st.tuples(ratio, level, level), max_size=80)


def update(detector, day, at):
    efficiency, volatility, correlation = day
    return detector.update(efficiency=efficiency, volatility=volatility, correlation=correlation, at=at)


def after(history, settings=SHORT):
    found = RegimeDetector(settings)
    for i, day in enumerate(history):
        update(found, day, i * DAY)
    return found


def calm(detector, first, n=4, day=(0.1, 1.0, 1.0)):
    for i in range(n):
        update(detector, day, (first + i) * DAY)
    return detector


def ready():
    """A detector in a ranging market, whose ranks are those of 1 … 100."""
    return calm(after(BASE), 100)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ((0.1, 1.0, 1.0), "ranging"),
        ((0.34, 1.0, 1.0), "ranging"),
        ((0.1, 79.0, 1.0), "ranging"),  # 83 of 104 days lie at or below it, which is 0.798
        ((0.1, 80.0, 1.0), "volatile"),
        ((0.9, 95.0, 1.0), "volatile"),
        ((0.1, 1.0, 100.0), "ranging"),
        ((0.9, 95.0, 95.0), "stressed"),
        ((0.9, 100.0, 1.0), "stressed"),
    ],
)
def test_the_table_of_regimes(day, expected):
    found = update(ready(), day, 104 * DAY)
    assert found.of_the_day == expected
    assert found.regime == expected


def test_a_trend_needs_the_dwell_time_before_it_loosens():
    found = ready()
    seen = [update(found, (0.5, 1.0, 1.0), (104 + i) * DAY).regime for i in range(5)]
    assert seen == ["ranging"] * 3 + ["trending"] * 2
    assert update(found, (0.26, 1.0, 1.0), 109 * DAY).regime == "trending"  # it ends below 0.25, not below 0.35
    assert update(found, (0.24, 1.0, 1.0), 110 * DAY).regime == "ranging"


def test_stress_holds_at_once_and_leaves_after_the_dwell_time():
    found = ready()
    assert update(found, (0.1, 101.0, 101.0), 104 * DAY).regime == "stressed"
    seen = [update(found, (0.1, 1.0, 1.0), (105 + i) * DAY).regime for i in range(5)]
    assert seen == ["stressed"] * 3 + ["ranging"] * 2


@pytest.mark.parametrize("seed", range(8))
def test_a_long_series_is_the_slow_form(seed):
    series = rough_days(seed, 200, 3)
    found = RegimeDetector(SHORT)
    assert [update(found, d, i * DAY).regime for i, d in enumerate(series)] == oracle.regimes(series, 30, 4)


@given(days)
def test_it_is_the_slow_form(series):
    found = RegimeDetector(SHORT)
    assert [update(found, d, i * DAY).regime for i, d in enumerate(series)] == oracle.regimes(series, 30, 4)


@given(st.lists(st.tuples(ratio, st.integers(0, 40).map(float), level), min_size=31, max_size=60),
       st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))  # fmt: skip
def test_worse_readings_never_give_a_looser_regime(history, v, more_v, c, more_c):
    at = len(history) * DAY
    one = update(after(history), (0.2, float(v), float(c)), at)
    other = update(after(history), (0.2, float(v + more_v), float(c + more_c)), at)
    assert REGIMES.index(other.regime) >= REGIMES.index(one.regime)


@given(days)
def test_a_looser_regime_waits_so_no_input_flaps_it(series):
    found = RegimeDetector(SHORT)
    readings = [r for r in (update(found, d, i * DAY) for i, d in enumerate(series)) if not r.note]
    levels = [REGIMES.index(r.regime) for r in readings]
    for i, (before, now) in enumerate(pairwise(levels), start=1):
        if now < before:
            assert all(REGIMES.index(r.of_the_day) < before for r in readings[max(0, i - 3) : i + 1])


def test_an_input_that_alternates_changes_the_regime_once():
    found = ready()
    inputs = [(0.1, 95.0, 95.0) if i % 2 else (0.9, 1.0, 1.0) for i in range(60)]
    seen = [update(found, d, (104 + i) * DAY).regime for i, d in enumerate(inputs)]
    assert sum(a != b for a, b in pairwise(seen)) == 1


@pytest.mark.parametrize(
    ("day", "expected"),
    [((0.9, None, 1.0), "stressed"), ((0.1, 95.0, None), "stressed"), ((None, 1.0, 1.0), "ranging")],
)
def test_what_is_missing_is_taken_at_its_worst(day, expected):
    assert update(ready(), day, 104 * DAY).regime == expected


def test_a_gap_in_the_data_is_not_remembered():
    found = ready()
    gap = update(found, (0.1, None, 1.0), 104 * DAY)
    assert (gap.regime, bool(gap.note)) == ("stressed", True)
    assert update(found, (0.1, 1.0, 1.0), 105 * DAY).regime == "ranging"


def test_too_short_a_past_is_stressed():
    found = after(BASE[:29])
    assert found.reading.regime == "stressed"
    assert "fewer than 30" in update(found, (0.1, 1.0, 1.0), 29 * DAY).note
    assert update(found, (0.1, 0.5, 1.0), 30 * DAY).note == ""


def test_an_operator_may_tighten_without_a_reason_and_loosen_with_one():
    found = ready()
    pin = found.pin_regime("VOLATILE", operator="ada", at=104 * DAY)
    assert (pin.regime, pin.detected, pin.operator, found.pin) == ("volatile", "ranging", "ada", pin)
    with pytest.raises(InvalidArgument, match="looser than ranging"):
        found.pin_regime("trending", operator="ada", at=105 * DAY)
    with pytest.raises(InvalidArgument, match="give a reason"):
        found.release_pin(operator="ada", at=105 * DAY)
    found.pin_regime("trending", operator="ada", reason="index rebalanced", at=105 * DAY)
    found.release_pin(operator="bob", at=106 * DAY)
    assert found.pin is None
    assert [(p.operator, p.regime) for p in found.pins] == [("ada", "volatile"), ("ada", "trending"), ("bob", None)]


def test_before_the_first_reading_only_stressed_can_be_pinned_without_a_reason():
    with pytest.raises(InvalidArgument, match="reason"):
        RegimeDetector().pin_regime("volatile", operator="ada", reason="  ", at=0)
    assert RegimeDetector().pin_regime("stressed", operator="ada", at=0).detected is None


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"regime": "calm", "operator": "ada"}, "no regime"),
        ({"regime": "stressed", "operator": " "}, "operator"),
        ({"regime": "stressed", "operator": "ada", "at": 5 * DAY}, "backwards"),
    ],
)
def test_an_order_that_is_none_is_refused(order, words):
    found = ready()
    with pytest.raises(InvalidArgument, match=words):
        found.pin_regime(**{"at": 104 * DAY, **order})
    with pytest.raises(InvalidArgument, match="no regime is pinned"):
        found.release_pin(operator="ada", at=104 * DAY)
    assert found.pins == ()


def test_an_efficiency_in_per_cent_is_refused():
    found = ready()
    before = found.state()
    with pytest.raises(InvalidArgument, match="per cent"):
        found.update(efficiency=35.0, volatility=1.0, correlation=1.0, at=104 * DAY)
    assert found.state() == before


@pytest.mark.parametrize("bad", [float("nan"), -1.0, float("inf"), "high"])
def test_a_reading_that_is_none_is_refused_and_nothing_is_remembered(bad):
    found = ready()
    before = found.state()
    for name in ("efficiency", "volatility", "correlation"):
        with pytest.raises(InvalidArgument, match=name):
            found.update(**{name: bad}, at=104 * DAY)
    with pytest.raises(InvalidArgument, match="backwards"):
        found.update(at=102 * DAY)
    with pytest.raises(InvalidArgument, match="recorded before"):
        found.record("ranging", at=103 * DAY + 1)
    with pytest.raises(InvalidArgument, match="no regime 'calm'"):
        found.record("calm", at=104 * DAY)
    assert found.state() == before


def test_another_detectors_regime_waits_too():
    found = RegimeDetector(SHORT)
    assert found.record("STRESSED", at=0).regime == "stressed"
    assert [found.record("RANGING", at=i * DAY).regime for i in range(1, 5)] == ["stressed"] * 3 + ["ranging"]
    assert found.reading.source == "given"


@given(days, st.integers(0, 80))
def test_what_was_saved_continues_identically(series, cut):
    cut = min(cut, len(series))
    one, other = after(series[:cut]), RegimeDetector(SHORT)
    one.pin_regime("stressed", operator="ada", at=cut * DAY)
    other.restore(json.loads(json.dumps(one.state(), allow_nan=False)))
    assert other.state() == one.state()
    for i, day in enumerate(series[cut:], start=cut):
        assert update(other, day, i * DAY) == update(one, day, i * DAY)
    assert other.pins == one.pins


def test_a_trend_that_holds_still_holds_after_a_restart():
    found = calm(ready(), 104, day=(0.5, 1.0, 1.0))
    assert found.reading.regime == "trending"
    other = RegimeDetector(SHORT)
    other.restore(json.loads(json.dumps(found.state())))
    assert update(other, (0.3, 1.0, 1.0), 108 * DAY).regime == "trending"  # between where it ends and where it begins


@pytest.mark.parametrize(
    "change", [{"holding": {}}, {"levels": [9]}, {"histories": {}}, {"pins": [{"at": 1}]}, {"reading": 3}]
)
def test_a_damaged_state_is_refused(change):
    found = ready()
    before = found.state()
    with pytest.raises(InvalidArgument):
        found.restore({**before, **change})
    assert found.state() == before
