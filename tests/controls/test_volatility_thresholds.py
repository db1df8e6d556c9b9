import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.adaptive_settings import VolatilityThresholdSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.ranked_history import upper_quantile
from rpmcore.controls.volatility_thresholds import CLASSES, AdaptiveVolatilityThresholds
from rpmcore.domain.errors import InvalidArgument
from tests.oracles import adaptive as oracle
from tests.samples import rough_days

ALONE = VolatilityThresholdSettings(history="window", loosen_days=1)
MULTIPLIERS = dict(zip(CLASSES, (1.0, 0.8, 0.5, 0.2), strict=True))

values = st.lists(st.one_of(st.integers(0, 40).map(lambda v: v / 1000), st.none()), max_size=90)


def after(earlier, settings=ALONE):
    found = AdaptiveVolatilityThresholds(settings)
    for i, value in enumerate(earlier):
        found.update(value, at=i * DAY)
    return found


def classes(series, settings=None):
    found = AdaptiveVolatilityThresholds(settings)
    return [found.update(value, at=i * DAY).volatility_class for i, value in enumerate(series)]


@pytest.mark.parametrize(
    ("today", "expected"),
    # Of 1 … 60 the inverse cdf at 90, 95 and 99 % is 54, 57 and 60; only what lies above counts.
    [(54.0, "normal"), (54.5, "elevated"), (57.0, "elevated"), (57.5, "extreme"), (60.0, "extreme"), (60.5, "crisis")],
)
def test_the_percentiles_are_exact_and_the_comparison_strict(today, expected):
    found = after([float(v) for v in np.random.default_rng(1).permutation(60) + 1]).update(today, at=60 * DAY)
    assert found.window_thresholds == (54.0, 57.0, 60.0)
    assert found.volatility_class == expected
    assert found.multiplier == MULTIPLIERS[expected]


@pytest.mark.parametrize("n", [20, 40, 60, 100, 300, 500, 1000, 6000])
def test_percentiles_are_free_of_binary_noise(n):
    ordered = [float(v) for v in range(1, n + 1)]
    for percentile in (0.90, 0.95, 0.99):
        assert upper_quantile(ordered, percentile) == oracle.inverse_cdf(ordered, percentile)


def test_the_window_ends_yesterday_and_holds_sixty_days():
    found = after([9.0] * 40 + [1.0] * 60).update(1.5, at=100 * DAY)
    assert found.volatility_class == "crisis"  # the nines have left, and today is not among those it is held against
    assert found.n_window == 60


def test_thirty_days_are_enough_and_twenty_nine_are_a_crisis():
    assert after([1.0] * 30).update(0.5, at=30 * DAY).volatility_class == "normal"
    short = after([1.0] * 29).update(0.5, at=29 * DAY)
    assert (short.volatility_class, short.multiplier) == ("crisis", 0.2)
    assert "29 earlier days" in short.note


def test_without_five_hundred_days_of_past_it_is_elevated_at_least():
    calm = [1.0] * 530
    assert classes(calm, VolatilityThresholdSettings(loosen_days=1))[29:31] == ["crisis", "elevated"]
    assert classes(calm, VolatilityThresholdSettings(loosen_days=1))[499:501] == ["elevated", "normal"]
    assert classes(calm, ALONE)[30:] == ["normal"] * 500


@given(values, st.booleans(), st.integers(1, 6))
def test_it_is_the_slow_form(series, expanding, loosen):
    settings = VolatilityThresholdSettings(
        window=12, minimum=5, minimum_history=30, loosen_days=loosen,
        history="worse_of_both" if expanding else "window",
    )  # fmt: skip
    expected = oracle.volatility_classes(series, 12, 5, 30, loosen, expanding)
    assert classes(series, settings) == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_long_series_is_the_slow_form(seed):
    series = [day[0] for day in rough_days(seed, 650, 1)]
    assert classes(series) == oracle.volatility_classes(series)


@given(st.lists(st.integers(0, 40).map(float), min_size=31, max_size=80), st.integers(0, 40), st.integers(0, 40))
def test_higher_volatility_never_leaves_more(earlier, one, other):
    low, high = sorted((float(one), float(other)))
    at = len(earlier) * DAY
    assert after(earlier).update(high, at=at).multiplier <= after(earlier).update(low, at=at).multiplier


def test_a_tighter_class_holds_at_once_and_a_looser_one_after_five_days():
    calm = list(np.linspace(1.0, 2.0, 60))
    found = classes([*calm, 3.0, *[1.0] * 6], VolatilityThresholdSettings(history="window"))
    assert found[60:] == ["crisis"] * 5 + ["normal"] * 2


def test_an_input_that_flaps_does_not_flap_the_limits():
    calm = list(np.linspace(1.0, 2.0, 60))
    quiet = VolatilityThresholdSettings(history="window", loosen_days=5, window=500)
    flapping = classes([*calm, *[1.0] * 6, *[2.5 + i / 100 if i % 2 else 1.0 for i in range(40)]], quiet)[66:]
    assert sum(a != b for a, b in itertools.pairwise(flapping)) <= 1
    assert set(flapping[1:]) == {"crisis"}


def test_in_the_winter_of_2008_the_window_alone_calls_almost_every_day_normal(sample_market):
    days, readings = sample_market
    series = [r.volatility for r in readings]
    winter = (days >= np.datetime64("2008-11-01")) & (days <= np.datetime64("2009-03-31"))
    alone = np.array(classes(series, ALONE))[winter]
    both = np.array(classes(series))[winter]
    assert len(alone) == 101
    assert (alone == "normal").sum() == 97  # 96 %
    assert (both == "normal").sum() == 0
    assert np.isin(both, ["extreme", "crisis"]).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, "0.01", True])
def test_a_volatility_that_is_none_is_refused_and_nothing_is_remembered(bad):
    found = after([1.0] * 40)
    before = found.state()
    with pytest.raises(InvalidArgument, match="volatility must be a finite number"):
        found.update(bad, at=40 * DAY)
    assert found.state() == before


def test_a_missing_volatility_is_a_crisis_while_it_lasts():
    found = after([1.0] * 40)
    missing = found.update(None, at=40 * DAY)
    assert (missing.volatility_class, missing.multiplier, missing.volatility) == ("crisis", 0.2, None)
    assert found.update(1.0, at=41 * DAY).volatility_class == "normal"


@pytest.mark.parametrize(("at", "words"), [(38 * DAY, "backwards"), (39 * DAY + 5, "was recorded before")])
def test_time_that_does_not_move_on_is_refused(at, words):
    found = after([1.0] * 40)
    before = found.state()
    with pytest.raises(InvalidArgument, match=words):
        found.update(1.0, at=at)
    assert found.state() == before


@pytest.mark.parametrize("at", [None, 1.5, -1, True, "now", 2**63])
def test_a_time_that_is_none_is_refused(at):
    with pytest.raises(InvalidArgument):
        AdaptiveVolatilityThresholds().update(1.0, at=at)


def test_a_clock_tells_the_time():
    found = AdaptiveVolatilityThresholds(clock=lambda: 5 * DAY)
    assert found.update(1.0).at == 5 * DAY


@given(values, st.integers(0, 90))
def test_what_was_saved_continues_identically(series, cut):
    cut = min(cut, len(series))
    settings = VolatilityThresholdSettings(window=12, minimum=5, minimum_history=30)
    one = after(series[:cut], settings)
    other = AdaptiveVolatilityThresholds(settings)
    other.restore(json.loads(json.dumps(one.state(), allow_nan=False)))
    assert other.state() == one.state()
    for i, value in enumerate(series[cut:], start=cut):
        assert other.update(value, at=i * DAY) == one.update(value, at=i * DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"window": None},
        {"history": [float("nan")]},
        {"levels": [4]},
        {"last": -1},
        {"reading": {"at": 1}},
        {"last": True},
    ],
)
def test_a_damaged_state_is_refused(change):
    found = after([1.0] * 40)
    before = found.state()
    with pytest.raises(InvalidArgument):
        found.restore({**before, **change})
    assert found.state() == before


def test_a_saved_file_cannot_say_what_a_class_leaves():
    found = after([1.0] * 29)
    state = found.state()
    state["reading"]["multiplier"] = 5.0
    found.restore(state)
    assert found.reading.multiplier == 0.2
