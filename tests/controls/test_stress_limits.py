import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.controls.adaptive_settings import StressLimitsSettings
from rpmcore.controls.command_time import DAY
from rpmcore.controls.stress_limits import FACTORS, StressAdjustedLimits
from rpmcore.domain.errors import InvalidArgument
from tests.oracles import adaptive as oracle
from tests.samples import rough_days

SHORT = StressLimitsSettings(minimum_history=30)
CALM = [(v, v, v) for v in (1 + (i * 37 % 100) for i in range(100))]  # 1 … 100 in some order

reading = st.one_of(st.integers(0, 30).map(float), st.none())
days = st.lists(st.tuples(reading, reading, reading), max_size=70)


def after(history, settings=SHORT):
    found = StressAdjustedLimits(settings)
    for i, day in enumerate(history):
        found.update(**dict(zip(FACTORS, day, strict=True)), at=i * DAY)
    return found


@pytest.mark.parametrize("score", [0.0, 0.25, 0.5, 1.0])
def test_the_multiplier_is_one_less_four_fifths_of_the_score(score):
    assert StressAdjustedLimits().multiplier_of(score) == pytest.approx(1.0 - 0.8 * score, abs=1e-15)


def test_the_highest_stress_takes_four_fifths():
    found = after(CALM).update(clustering=101.0, correlation=101.0, liquidity=101.0, at=100 * DAY)
    assert (found.score, found.multiplier) == (1.0, pytest.approx(0.2))


def test_up_to_the_calm_rank_nothing_is_taken():
    found = after(CALM).update(clustering=75.0, correlation=50.0, liquidity=0.0, at=100 * DAY)
    assert [f.rank for f in found.factors] == [0.75, 0.5, 0.0]
    assert (found.score, found.multiplier) == (0.0, 1.0)


def test_beyond_it_a_factor_scores_in_proportion():
    found = after(CALM).update(clustering=85.0, correlation=1.0, liquidity=1.0, at=100 * DAY)
    assert found.factors[0].score == pytest.approx(0.4)
    assert found.score == pytest.approx(0.4 / 3)


@pytest.mark.parametrize("seed", range(8))
def test_a_long_series_is_the_slow_form(seed):
    series = rough_days(seed, 120, 3)
    found = StressAdjustedLimits(SHORT)
    scores = [found.update(**dict(zip(FACTORS, d, strict=True)), at=i * DAY).score for i, d in enumerate(series)]
    assert scores == pytest.approx(oracle.stress_scores(series, 30), abs=1e-12)
    assert len(set(scores)) > 20  # most days of it are ranked


@given(days)
def test_it_is_the_slow_form(series):
    found = StressAdjustedLimits(SHORT)
    for i, (day, expected) in enumerate(zip(series, oracle.stress_scores(series, 30), strict=True)):
        scored = found.update(**dict(zip(FACTORS, day, strict=True)), at=i * DAY)
        assert scored.score == pytest.approx(expected, abs=1e-12)
        assert 0.2 - 1e-12 <= scored.multiplier <= 1.0


@given(st.lists(st.tuples(*[st.integers(0, 30).map(float)] * 3), min_size=30, max_size=50),
       st.tuples(*[st.integers(0, 30).map(float)] * 3), st.tuples(*[st.integers(0, 9).map(float)] * 3))  # fmt: skip
def test_worse_stress_never_leaves_more(history, day, more):
    worse = tuple(a + b for a, b in zip(day, more, strict=True))
    at = len(history) * DAY
    one, other = (after(history).update(**dict(zip(FACTORS, d, strict=True)), at=at) for d in (day, worse))
    assert other.multiplier <= one.multiplier


@pytest.mark.parametrize("name", FACTORS)
def test_what_is_missing_scores_one_and_tightens(name):
    given_ = dict.fromkeys(FACTORS, 1.0)
    whole = after(CALM).update(**given_, at=100 * DAY)
    found = after(CALM).update(**{**given_, name: None}, at=100 * DAY)
    factor = found.factors[FACTORS.index(name)]
    assert (factor.score, factor.value, factor.rank) == (1.0, None, None)
    assert found.multiplier < whole.multiplier
    assert found.score == pytest.approx(1 / 3)


def test_a_short_past_scores_one():
    assert after(CALM[:29]).update(clustering=1.0, correlation=1.0, liquidity=1.0, at=29 * DAY).score == 1.0
    assert after(CALM[:30]).update(clustering=0.0, correlation=0.0, liquidity=0.0, at=30 * DAY).score == 0.0


@pytest.mark.parametrize("bad", [float("nan"), float("-inf"), -1.0, "1"])
def test_a_reading_that_is_none_is_refused_and_nothing_is_remembered(bad):
    found = after(CALM)
    before = found.state()
    for name in FACTORS:
        with pytest.raises(InvalidArgument, match=name):
            found.update(**{name: bad}, at=100 * DAY)
    with pytest.raises(InvalidArgument, match="backwards"):
        found.update(at=98 * DAY)
    assert found.state() == before


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_a_score_out_of_range_is_refused(score):
    with pytest.raises(InvalidArgument):
        StressAdjustedLimits().multiplier_of(score)


@given(days, st.integers(0, 70))
def test_what_was_saved_continues_identically(series, cut):
    cut = min(cut, len(series))
    one, other = after(series[:cut]), StressAdjustedLimits(SHORT)
    other.restore(json.loads(json.dumps(one.state(), allow_nan=False)))
    assert other.state() == one.state()
    for i, day in enumerate(series[cut:], start=cut):
        values = dict(zip(FACTORS, day, strict=True))
        assert other.update(**values, at=i * DAY) == one.update(**values, at=i * DAY)


def test_the_autumn_of_2008_scores_high_and_a_calm_year_low(sample_market):
    calendar, readings = sample_market
    found = StressAdjustedLimits()
    scores = {}
    for i, (moment, r) in enumerate(zip(calendar, readings, strict=True)):
        made = found.update(clustering=r.clustering, correlation=r.correlation, liquidity=r.liquidity, at=i * DAY)
        scores[str(moment)] = made.score
    mean = lambda first, last: (lambda v: sum(v) / len(v))([s for d, s in scores.items() if first <= d <= last])  # noqa: E731
    assert mean("2008-10-01", "2008-11-30") > 0.9
    assert mean("2020-03-09", "2020-04-15") > 0.8
    assert mean("2013-01-01", "2013-12-31") < 0.1
