import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk.student_t import fit_student_t

RNG = np.random.default_rng(7)
SAMPLES = {
    "heavy": 0.01 * RNG.standard_t(1.3, 500),
    "typical": 0.01 * RNG.standard_t(4, 500) + 0.0005,
    "light": 0.01 * RNG.standard_t(60, 1000),
    "normal": 0.01 * RNG.standard_normal(1000),
    "thinner than normal": 0.01 * RNG.uniform(-1, 1, 300),
    "skewed": 0.01 * (RNG.exponential(size=400) - 1),
    "mixture": np.where(RNG.random(500) < 0.1, 0.05, 0.005) * RNG.standard_normal(500),
    "rounded": np.round(0.01 * RNG.standard_t(4, 500), 3),
    "small": 0.01 * RNG.standard_t(3, 30),
    "outlier": np.append(0.01 * RNG.standard_normal(250), -0.5),
    "two clusters": np.concatenate([RNG.normal(-1, 0.1, 60), RNG.normal(1, 0.1, 40)]),
}


def log_likelihood(x, fit):
    if np.isinf(fit.dof):
        return stats.norm.logpdf(x, fit.location, fit.scale).sum()
    return stats.t.logpdf(x, fit.dof, fit.location, fit.scale).sum()


@pytest.mark.parametrize("name", SAMPLES)
def test_never_less_likely_than_scipys(name):
    x = SAMPLES[name]
    fit = fit_student_t(x)
    # The likelihood that the fit reports is that of its own parameters, to rounding of a sum of logarithms.
    assert fit.log_likelihood == pytest.approx(log_likelihood(x, fit), abs=1e-10 * len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = stats.t.logpdf(x, *stats.t.fit(x)).sum()
    assert fit.log_likelihood >= theirs - 1e-9 * len(x)


@given(st.integers(0, 10_000), st.sampled_from([0.8, 1.5, 3.0, 6.0, 30.0, np.inf]), st.sampled_from([30, 60, 250]))
def test_no_parameters_nearby_are_likelier(seed, dof, n):
    rng = np.random.default_rng(seed)
    x = 0.01 * (rng.standard_normal(n) if np.isinf(dof) else rng.standard_t(dof, n))
    fit = fit_student_t(x)
    dof = min(fit.dof, 1e7)
    for factor in (0.999, 1.001):
        for loc, scale, nu in (
            (fit.location + (factor - 1) * fit.scale, fit.scale, dof),
            (fit.location, fit.scale * factor, dof),
            (fit.location, fit.scale, max(dof * factor, 0.5)),
        ):
            assert stats.t.logpdf(x, nu, loc, scale).sum() <= fit.log_likelihood + 1e-7


@given(st.floats(1e-8, 1e8), st.floats(-5, 5))
def test_units_and_origin_do_not_matter(factor, shift):
    x = SAMPLES["typical"]
    base, moved = fit_student_t(x), fit_student_t((x + 0.01 * shift) * factor)
    assert moved.dof == pytest.approx(base.dof, rel=1e-6)
    assert moved.scale == pytest.approx(base.scale * factor, rel=1e-7)
    assert moved.location == pytest.approx((base.location + 0.01 * shift) * factor, rel=1e-6, abs=1e-8 * factor)


def test_var_and_es_are_those_of_the_fitted_law():
    fit = fit_student_t(SAMPLES["typical"])
    law = stats.t(fit.dof, loc=-fit.location, scale=fit.scale)
    for confidence in (0.95, 0.99, 0.999):
        found = fit.tail_risk(confidence)
        assert found.value_at_risk == pytest.approx(law.ppf(confidence), rel=1e-10)
        grid = confidence + (1 - confidence) * (np.arange(200_000) + 0.5) / 200_000
        assert found.expected_shortfall == pytest.approx(law.ppf(grid).mean(), rel=2e-3)
        assert found.lower < found.value_at_risk < found.upper
        assert found.expected_shortfall_lower < found.expected_shortfall < found.expected_shortfall_upper


def test_the_interval_covers_the_true_value_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    true = stats.t.ppf(0.95, 5)
    beyond = stats.t.pdf(true, 5) / 0.05 * (5 + true**2) / 4
    rows = [fit_student_t(rng.standard_t(5, 500)).tail_risk(0.95) for _ in range(400)]
    known = [row for row in rows if row.lower is not None]
    assert len(known) > 350
    assert 0.85 <= np.mean([row.lower <= true <= row.upper for row in known]) <= 0.95
    covered = [row.expected_shortfall_lower <= beyond <= row.expected_shortfall_upper for row in known]
    assert 0.85 <= np.mean(covered) <= 0.95


def test_without_a_mean_there_is_no_shortfall():
    fit = fit_student_t(0.01 * np.random.default_rng(1).standard_t(0.7, 800))
    assert fit.dof < 1.0
    found = fit.tail_risk(0.99)
    assert found.expected_shortfall is None
    assert "no mean" in found.expected_shortfall_reason
    assert found.value_at_risk > 0
    assert found.expected_shortfall_lower is None
    assert "no mean" in found.expected_shortfall_lower_reason
    barely = replace(fit, dof=1.00001).tail_risk(0.99)
    assert barely.expected_shortfall > barely.value_at_risk
    assert barely.lower is not None
    assert barely.expected_shortfall_upper is None
    assert "near to 1" in barely.expected_shortfall_upper_reason


def test_normal_data_are_reported_as_normal():
    fit = fit_student_t(SAMPLES["thinner than normal"])
    assert fit.practically_normal
    assert fit.tail_risk(0.99).value_at_risk == pytest.approx(stats.norm.ppf(0.99, -fit.location, fit.scale), rel=1e-3)


@pytest.mark.parametrize(
    ("returns", "error"),
    [
        (np.full(100, 0.01), Undefined),
        (np.append(np.zeros(60), 0.01 * np.arange(1.0, 41.0)), Undefined),
        ([0.1, 0.2, 0.3], InsufficientData),
        ([0.1, np.nan, 0.3, 0.2], InvalidArgument),
    ],
)
def test_samples_without_a_fit(returns, error):
    with pytest.raises(error):
        fit_student_t(returns)
