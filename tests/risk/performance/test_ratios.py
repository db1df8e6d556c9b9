from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.performance.downside import downside_ratios
from rpmcore.risk.performance.probabilistic_sharpe import (
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
)
from rpmcore.risk.performance.sharpe import moments, sharpe_ratio
from tests.oracles import performance as oracle

RETURNS = np.random.default_rng(2).normal(0.001, 0.01, 90)


def test_ratios_are_those_of_their_definitions():
    sortino, calmar = downside_ratios(RETURNS, seed=1)
    sharpe = sharpe_ratio(RETURNS)
    assert sharpe.value == pytest.approx(oracle.sharpe(RETURNS.tolist()), rel=1e-12)
    assert sortino.value == pytest.approx(oracle.sortino(RETURNS.tolist()), rel=1e-12)
    assert calmar.value == pytest.approx(oracle.calmar(RETURNS.tolist()), rel=1e-10)
    for figure in (sharpe, sortino, calmar):
        assert figure.lower < figure.value < figure.upper
        assert figure.n == 90


def test_moments_are_scipys():
    found = moments(RETURNS)
    assert found.skewness == pytest.approx(stats.skew(RETURNS))
    assert found.raw_kurtosis == pytest.approx(stats.kurtosis(RETURNS, fisher=False))


@given(st.integers(2, 200), st.floats(-0.5, 0.5))
def test_equal_returns_have_no_sharpe_ratio_rather_than_an_infinite_one(n, value):
    with pytest.raises(Undefined, match="deviation is zero"):
        sharpe_ratio(np.full(n, value))


def test_rounding_is_no_deviation():
    with pytest.raises(Undefined, match="deviation is zero"):
        sharpe_ratio(np.where(np.arange(60) % 2 == 0, 0.1 + 0.2, 0.3))


def test_what_does_not_exist_is_said():
    with pytest.raises(InsufficientData):
        sharpe_ratio([0.01])
    assert "no losing period" in downside_ratios([0.01, 0.02], seed=1).calmar.value_reason
    assert "wealth is lost" in downside_ratios([0.5, -1.0, 0.1], seed=1).calmar.value_reason
    with pytest.raises(InvalidArgument):
        downside_ratios(RETURNS, periods_per_year=0.0, seed=1)


# Bailey and López de Prado, "The Sharpe ratio efficient frontier" (2012): a hedge fund with 24 monthly returns and a
# ratio of 0.458 per month has PSR(0) = 0.982 if they were normal, 0.913 with their skewness and kurtosis.
@pytest.mark.parametrize(("skewness", "raw_kurtosis", "published"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_published_probabilistic_sharpe(skewness, raw_kurtosis, published):
    found = probabilistic_sharpe(0.458, n_obs=24, skewness=skewness, raw_kurtosis=raw_kurtosis)
    assert found == pytest.approx(published, abs=6e-4)


# The same paper's abstract case: to tell an annual 2 from 1 at 95 % takes 2.73 years of daily, 2.83 of weekly and 3.24
# of monthly normal returns.
@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_published_minimum_track_record(periods, years):
    found = minimum_track_record(2 / sqrt(periods), skewness=0.0, raw_kurtosis=3.0, benchmark=1 / sqrt(periods))
    assert found / periods == pytest.approx(years, abs=5e-3)


# Bailey and López de Prado, "The deflated Sharpe ratio" (2014), numerical example: 1,250 daily returns, 250 a year, an
# annual ratio of 2.5, skewness −3, kurtosis 10, variance ½ of the annual ratios: SR₀ = 0.1132 and DSR = 0.9004 with
# 100 trials, and 0.9505 with 46; with normal returns 88 trials give 0.9505.
@pytest.mark.parametrize(
    ("trials", "skewness", "raw_kurtosis", "published"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_published_deflated_sharpe(trials, skewness, raw_kurtosis, published):
    found = deflated_sharpe(
        2.5 / sqrt(250), n_obs=1250, skewness=skewness, raw_kurtosis=raw_kurtosis, trials=trials,
        trials_variance=0.5 / 250,
    )  # fmt: skip
    assert found == pytest.approx(published, abs=6e-5)


def test_the_best_of_a_hundred_trials():
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=6e-5)
    assert expected_maximum_sharpe(1, 0.5) == 0.0


@given(st.floats(0.02, 0.5), st.floats(-1.0, 1.0), st.floats(3.0, 12.0))
def test_the_minimum_track_record_is_where_the_probability_is_reached(sharpe, skewness, raw_kurtosis):
    n = minimum_track_record(sharpe, skewness=skewness, raw_kurtosis=raw_kurtosis)
    found = [
        probabilistic_sharpe(sharpe, n_obs=round(n) + k, skewness=skewness, raw_kurtosis=raw_kurtosis)
        for k in (-1, 2)
        if round(n) + k >= 2
    ]
    assert found[-1] >= 0.95
    assert len(found) == 1 or found[0] <= 0.95


def test_misuse_of_the_probabilistic_ratio():
    with pytest.raises(InvalidArgument, match="add 3"):
        probabilistic_sharpe(0.1, n_obs=50, skewness=0.0, raw_kurtosis=0.0)
    with pytest.raises(Undefined, match="no variance"):
        probabilistic_sharpe(1.0, n_obs=50, skewness=3.0, raw_kurtosis=3.0)
    with pytest.raises(Undefined, match="no track record"):
        minimum_track_record(0.0, skewness=0.0, raw_kurtosis=3.0)
    with pytest.raises(InsufficientData):
        probabilistic_sharpe(0.1, n_obs=1, skewness=0.0, raw_kurtosis=3.0)
