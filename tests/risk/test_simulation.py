"""Simulated losses against the laws they are drawn from, and tail risk against sorting them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm, t

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import simulation as kernels
from rpmcore.risk.simulation import simulate_losses, simulate_tail_risk
from tests.oracles import simulation as oracle

COMPILED = hasattr(kernels.asset_losses, "py_func")
PATHS = 200_000 if COMPILED else 2_000
BEYOND_PILOT = 600_001 if COMPILED else 1_001
LAWS = [("normal", None), ("student_t", 4.5)]
WEIGHTS = np.array([0.5, -0.3, 0.4])
COV = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]]) * 1e-4
VOLATILITY = float(np.sqrt(WEIGHTS @ COV @ WEIGHTS))


def law(distribution, dof, horizon=1, reduction=False, **others):
    return {
        "seed": 20_080_915,
        "distribution": distribution,
        "dof": dof,
        "horizon": horizon,
        "reduction": reduction,
        **others,
    }


every_law = pytest.mark.parametrize(("distribution", "dof"), LAWS)
every_level = pytest.mark.parametrize("reduction", [False, True], ids=["assets", "reduction"])


def exact(distribution, dof, confidence):
    """Value at risk and expected shortfall of one day in units of the volatility."""
    if distribution == "normal":
        z = norm.ppf(confidence)
        return z, norm.pdf(z) / (1.0 - confidence)
    scale, q = np.sqrt((dof - 2.0) / dof), t.ppf(confidence, dof)
    return scale * q, scale * t.pdf(q, dof) / (1.0 - confidence) * (dof + q * q) / (dof - 1.0)


@every_law
@every_level
def test_losses_follow_their_law(distribution, dof, reduction):
    losses = simulate_losses(WEIGHTS, COV, PATHS, **law(distribution, dof, reduction=reduction))
    assert losses.shape == (PATHS,)
    standard = norm() if dof is None else t(dof, scale=np.sqrt((dof - 2.0) / dof))
    assert kstest(losses / VOLATILITY, standard.cdf).pvalue > 1e-3


@every_law
@every_level
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_tail_risk_lies_within_four_standard_errors_of_the_exact_one(distribution, dof, reduction, confidence):
    (measured,) = simulate_tail_risk(WEIGHTS, COV, [confidence], PATHS, **law(distribution, dof, reduction=reduction))
    value, shortfall = exact(distribution, dof, confidence)
    assert abs(measured.value_at_risk - value * VOLATILITY) < 4.0 * measured.value_at_risk_error
    assert abs(measured.expected_shortfall - shortfall * VOLATILITY) < 4.0 * measured.expected_shortfall_error
    assert (measured.method, measured.confidence, measured.horizon) == ("monte_carlo", confidence, 1)


@every_law
def test_both_levels_agree_over_a_week(distribution, dof):
    assets, book = (
        simulate_tail_risk(WEIGHTS, COV, [0.99], PATHS, **law(distribution, dof, 5, reduction))[0]
        for reduction in (False, True)
    )
    for name in ("value_at_risk", "expected_shortfall"):
        error = np.hypot(getattr(assets, f"{name}_error"), getattr(book, f"{name}_error"))
        assert abs(getattr(assets, name) - getattr(book, name)) < 4.0 * error


@every_law
@every_level
def test_variance_grows_with_the_horizon(distribution, dof, reduction):
    losses = simulate_losses(WEIGHTS, COV, PATHS, **law(distribution, dof, 4, reduction))
    squares = (losses / VOLATILITY) ** 2
    assert abs(squares.mean() - 4.0) < 5.0 * squares.std() / np.sqrt(PATHS)


def test_mixing_is_drawn_anew_each_day():
    losses = simulate_losses(np.ones(1), np.eye(1), PATHS, **law("student_t", 5.5, 30))
    excess_kurtosis = np.mean(losses**4) / np.mean(losses**2) ** 2 - 3.0
    of_one_day = 6.0 / (5.5 - 4.0)
    assert abs(excess_kurtosis) < of_one_day / 4.0


@every_law
def test_assets_have_the_covariance_asked_for(distribution, dof):
    draws = [simulate_losses(unit, COV, PATHS, **law(distribution, dof)) for unit in np.eye(3)]
    products = np.array([[a * b for b in draws] for a in draws])
    errors = products.std(axis=2) / np.sqrt(PATHS)
    assert (np.abs(products.mean(axis=2) - COV) < 5.0 * errors).all()


def test_assets_share_their_extremes_under_student_t():
    one, other = (simulate_losses(unit, np.eye(2), PATHS, **law("student_t", 3.0)) for unit in np.eye(2))
    both = np.mean((np.abs(one) > 2.0) & (np.abs(other) > 2.0))
    assert both > 2.0 * np.mean(np.abs(one) > 2.0) * np.mean(np.abs(other) > 2.0)


@every_law
@every_level
@pytest.mark.parametrize("n_paths", [1, 7, 1_001])
def test_any_number_of_threads_gives_the_same_bits(distribution, dof, reduction, n_paths):
    one, two, three = (
        simulate_losses(WEIGHTS, COV, n_paths, **law(distribution, dof, 2, reduction), threads=threads)
        for threads in (1, 2, 3)
    )
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, three)


@every_law
@every_level
def test_threads_and_lost_paths_leave_no_trace_in_the_tail(distribution, dof, reduction):
    arguments = law(distribution, dof, reduction=reduction)
    confidences = (0.99, 0.95)
    runs = [
        simulate_tail_risk(WEIGHTS, COV, confidences, BEYOND_PILOT, **arguments, threads=threads)
        for threads in (1, 2, 3)
    ]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][:1] == simulate_tail_risk(WEIGHTS, COV, confidences[:1], BEYOND_PILOT, **arguments)
    losses = simulate_losses(WEIGHTS, COV, BEYOND_PILOT, **arguments)
    for measured in runs[0]:
        value, shortfall, value_error, shortfall_error = oracle.tail_risk(losses, measured.confidence)
        assert measured.value_at_risk == value
        assert measured.expected_shortfall == pytest.approx(shortfall, rel=1e-13)
        assert measured.value_at_risk_error == pytest.approx(value_error, rel=1e-12)
        assert measured.expected_shortfall_error == pytest.approx(shortfall_error, rel=1e-10)


@pytest.mark.parametrize(
    ("distribution", "dof", "reduction", "first", "last"),
    [
        ("normal", None, False, "-0x1.113bf08cabef4p-8", "0x1.f8decaed5e21ap-8"),
        ("normal", None, True, "0x1.0b55dc7dc49b6p-7", "0x1.20830f0f3c436p-10"),
        ("student_t", 4.5, False, "-0x1.6cd12bd4d43fap-8", "0x1.3f7a1460b38a6p-8"),
        ("student_t", 4.5, True, "-0x1.3f881caf6e1b6p-8", "0x1.3bc7eae98fe3dp-9"),
    ],
)
def test_a_seed_means_the_same_bits_on_every_machine(distribution, dof, reduction, first, last):
    losses = simulate_losses(WEIGHTS, COV, 100, **law(distribution, dof, 2, reduction))
    assert (float(losses[0]).hex(), float(losses[-1]).hex()) == (first, last)


@every_law
@every_level
def test_a_longer_run_begins_with_the_shorter_one(distribution, dof, reduction):
    longer = simulate_losses(WEIGHTS, COV, 1_100, **law(distribution, dof, 2, reduction))
    for n_paths in (1, 2, 513):
        shorter = simulate_losses(WEIGHTS, COV, n_paths, **law(distribution, dof, 2, reduction))
        np.testing.assert_array_equal(shorter, longer[:n_paths])


@every_level
def test_another_seed_gives_other_draws(reduction):
    one, other = (
        simulate_losses(WEIGHTS, COV, 100, **law("normal", None, reduction=reduction) | {"seed": seed})
        for seed in (0, 2**64 - 1)
    )
    assert not np.isin(one, other).any()


@given(
    st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    st.sampled_from(LAWS),
    st.integers(0, 2**64 - 1),
)
def test_the_opposite_book_loses_what_the_book_gains(weights, distribution_and_dof, seed):
    arguments = law(*distribution_and_dof) | {"seed": seed}
    losses = simulate_losses(weights, COV, 50, **arguments)
    np.testing.assert_array_equal(simulate_losses(-np.array(weights), COV, 50, **arguments), -losses)
    doubled = simulate_losses(2.0 * np.array(weights), COV, 50, **arguments)
    np.testing.assert_allclose(doubled, 2.0 * losses, rtol=0.0, atol=1e-300)


@given(
    st.integers(1, 400),
    st.floats(0.51, 0.999),
    st.sampled_from(LAWS),
    st.booleans(),
)
def test_expected_shortfall_is_at_least_the_value_at_risk(n_paths, confidence, distribution_and_dof, reduction):
    arguments = law(*distribution_and_dof, reduction=reduction)
    (measured,) = simulate_tail_risk(WEIGHTS, COV, [confidence], n_paths, **arguments)
    assert measured.expected_shortfall >= measured.value_at_risk - 1e-12
    losses = simulate_losses(WEIGHTS, COV, n_paths, **arguments)
    assert measured.value_at_risk in losses
    assert (measured.value_at_risk_error is None) == (measured.expected_shortfall_error is None)


def test_the_worked_example_of_the_historical_rule():
    (measured,) = simulate_tail_risk(np.ones(1), np.eye(1), [0.75], 10, seed=5)
    worst = np.sort(simulate_losses(np.ones(1), np.eye(1), 10, seed=5))[::-1]
    assert measured.value_at_risk == worst[2]
    assert measured.expected_shortfall == pytest.approx((worst[0] + worst[1] + 0.5 * worst[2]) / 2.5, rel=1e-14)


def test_standard_errors_measure_the_spread_between_seeds():
    runs, n_paths = (200, 4_000) if COMPILED else (40, 300)
    measured = [
        simulate_tail_risk(np.ones(1), np.eye(1), [0.95], n_paths, seed=seed, reduction=True)[0] for seed in range(runs)
    ]
    for name in ("value_at_risk", "expected_shortfall"):
        spread = np.std([getattr(m, name) for m in measured], ddof=1)
        errors = np.mean([getattr(m, f"{name}_error") for m in measured])
        assert errors == pytest.approx(spread, rel=0.2 if COMPILED else 0.5)


def test_standard_errors_need_more_than_one_path_in_the_tail():
    few, enough = (simulate_tail_risk(WEIGHTS, COV, [0.95], n_paths, seed=1)[0] for n_paths in (20, 21))
    assert few.value_at_risk_error is None
    assert few.expected_shortfall_error is None
    assert enough.value_at_risk_error > 0.0
    assert enough.expected_shortfall_error > 0.0


@every_law
@every_level
def test_a_book_without_positions_loses_nothing(distribution, dof, reduction):
    arguments = law(distribution, dof, reduction=reduction)
    np.testing.assert_array_equal(simulate_losses(np.zeros(3), COV, 10, **arguments), np.zeros(10))
    (measured,) = simulate_tail_risk(np.zeros(3), COV, [0.95], 1_000, **arguments)
    assert measured.value_at_risk == measured.expected_shortfall == 0.0
    assert measured.value_at_risk_error == measured.expected_shortfall_error == 0.0


@every_law
@every_level
def test_a_singular_covariance_is_simulated_in_its_own_space(distribution, dof, reduction):
    cov = np.outer([1.0, 2.0, 0.0], [1.0, 2.0, 0.0]) * 1e-4
    arguments = law(distribution, dof, reduction=reduction)
    hedged = simulate_losses([2.0, -1.0, 5.0], cov, 100, **arguments)
    np.testing.assert_allclose(hedged, 0.0, atol=1e-9)
    losses = simulate_losses([1.0, 1.0, 5.0], cov, PATHS, **arguments)
    squares = (losses / 0.03) ** 2
    assert abs(squares.mean() - 1.0) < 5.0 * squares.std() / np.sqrt(PATHS)


def test_large_degrees_of_freedom_approach_the_normal_law():
    (measured,) = simulate_tail_risk(WEIGHTS, COV, [0.975], PATHS, **law("student_t", 1e6, reduction=True))
    shortfall = exact("normal", None, 0.975)[1]
    assert abs(measured.expected_shortfall - shortfall * VOLATILITY) < 4.0 * measured.expected_shortfall_error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_paths": 0}, "n_paths must be a whole number from 1 to 1000000000"),
        ({"n_paths": 1_000_000_001}, "n_paths"),
        ({"n_paths": 1e5}, "n_paths must be a whole number"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": 1.5}, "horizon"),
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"distribution": "cauchy"}, "'normal' or 'student_t', but is 'cauchy'"),
        ({"distribution": "student_t"}, r"dof must lie in \(2, 1e\+06\].*None"),
        ({"distribution": "student_t", "dof": 2.0}, "no variance"),
        ({"distribution": "student_t", "dof": float("nan")}, "dof"),
        ({"dof": 5.0}, "student_t' alone"),
        ({"weights": [1.0, 2.0]}, r"weights has 2 element\(s\), but cov has 3"),
        ({"weights": [1.0, float("nan"), 0.0]}, "finite"),
        ({"weights": [1e200, 0.0, 0.0]}, r"beyond 1e\+100 times the capital"),
        ({"cov": [[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]}, "smallest eigenvalue is -1.0"),
    ],
)
@every_level
def test_misuse_is_named(change, message, reduction):
    arguments = {"weights": WEIGHTS, "cov": COV, "n_paths": 100, "seed": 1, "reduction": reduction} | change
    with pytest.raises(InvalidArgument, match=message):
        simulate_losses(**arguments)
    with pytest.raises(InvalidArgument, match=message):
        simulate_tail_risk(**arguments, confidences=[0.95])


@pytest.mark.parametrize(
    ("confidences", "message"), [([], "at least one"), ([95], "did you mean 0.95"), ([0.5], "0.5")]
)
def test_confidences_are_checked(confidences, message):
    with pytest.raises(InvalidArgument, match=message):
        simulate_tail_risk(WEIGHTS, COV, confidences, 100, seed=1)
