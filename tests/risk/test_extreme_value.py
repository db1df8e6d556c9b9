import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.risk import extreme_value as module
from rpmcore.risk.extreme_value import (
    extreme_value,
    extreme_value_marginals,
    fit_generalised_pareto,
    threshold_excesses,
)
from tests.oracles import extreme_value as oracle

RNG = np.random.default_rng(17)
SAMPLES = {
    "exponential": RNG.exponential(size=100),
    "heavy": stats.genpareto.rvs(0.7, size=100, random_state=RNG),
    "no mean": stats.genpareto.rvs(1.8, size=60, random_state=RNG),
    "short": stats.genpareto.rvs(-0.35, size=80, random_state=RNG),
    "beyond the border": stats.genpareto.rvs(-0.9, size=60, random_state=RNG),
    "uniform": RNG.uniform(size=40),
    "humped": RNG.gamma(4.0, size=50),
    "near zero and heavy": RNG.gamma(0.2, size=50),
    "outlier": np.append(RNG.exponential(size=39), 60.0),
    "two clusters": np.concatenate([RNG.normal(1.0, 0.02, 25), RNG.normal(30.0, 0.5, 25)]),
    "rounded": np.round(RNG.exponential(size=80), 1) + 0.1,
    "fewest": RNG.exponential(size=20),
}


def of_student_t(dof, n):
    """The losses at the middles of n equal slices of a Student-t law, in percent: data without chance."""
    return 0.01 * stats.t.ppf((np.arange(n) + 0.5) / n, dof)


@pytest.mark.parametrize("name", SAMPLES)
def test_never_less_likely_than_scipys_or_a_grid(name):
    x = SAMPLES[name]
    fit = fit_generalised_pareto(x)
    assert fit.log_likelihood == pytest.approx(oracle.log_likelihood(x, fit.shape, fit.scale), abs=1e-10 * len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shape, _, scale = stats.genpareto.fit(x, floc=0)
    if shape >= -0.5:
        assert fit.log_likelihood >= oracle.log_likelihood(x, shape, scale) - 1e-9 * len(x)
    searched = oracle.highest_likelihood(x)
    assert fit.log_likelihood >= searched - 1e-9 * len(x)
    # The last grid is some 1e-6 apart in the shape, and the border is its first point.
    assert fit.log_likelihood == pytest.approx(searched, abs=1e-7 * len(x))


@given(st.integers(0, 100_000), st.floats(-0.8, 2.0), st.sampled_from([20, 25, 60]), st.booleans())
def test_no_parameters_are_likelier(seed, shape, n, mixed):
    rng = np.random.default_rng(seed)
    x = stats.genpareto.rvs(shape, size=n, random_state=rng)
    if mixed:
        x[: n // 2] *= 20.0
    fit = fit_generalised_pareto(x)
    shapes = np.concatenate([np.linspace(-0.5, 4.0, 19), fit.shape + np.array([-1e-3, 1e-3])])
    scales = np.append(np.geomspace(0.02, 50.0, 15) * x.mean(), fit.scale * np.array([0.999, 1.0, 1.001]))
    for other in shapes[shapes >= -0.5]:
        assert oracle.log_likelihoods(x, other, scales).max() <= fit.log_likelihood + 1e-9 * n


def test_the_fit_on_the_border_keeps_the_likeliest_scale_and_has_no_covariance():
    x = SAMPLES["beyond the border"]
    fit = fit_generalised_pareto(x)
    assert fit.shape == -0.5
    assert fit.scale > 0.5 * x.max()
    assert fit.covariance is None
    assert "−0.5" in fit.covariance_reason
    for factor in (0.999, 1.001):
        assert oracle.log_likelihood(x, -0.5, fit.scale * factor) < fit.log_likelihood
    losses = np.concatenate([-RNG.random(540), x])
    found = extreme_value(-losses, 0.99)
    assert found.expected_shortfall > found.value_at_risk
    assert found.lower is found.upper is found.value_at_risk_error is found.expected_shortfall_error is None
    assert "−0.5" in found.lower_reason
    assert "−0.5" in found.expected_shortfall_upper_reason


@pytest.mark.parametrize("factor", [1e-150, 1e-8, 1e150])
def test_units_do_not_matter(factor):
    for x in SAMPLES.values():
        base, moved = fit_generalised_pareto(x), fit_generalised_pareto(x * factor)
        assert moved.shape == pytest.approx(base.shape, rel=1e-9, abs=1e-12)
        assert moved.scale == pytest.approx(base.scale * factor, rel=1e-9)
        if base.covariance is not None:
            np.testing.assert_allclose(moved.covariance, base.covariance, rtol=1e-7)


def test_through_the_exponential_law_nothing_cancels():
    # The middles of slices of an exponential law, moved by a power that makes the most likely shape cross zero.
    y = -np.log1p(-(np.arange(200) + 0.5) / 200)
    shapes = np.array([fit_generalised_pareto(y**power).shape for power in np.linspace(0.98, 1.04, 61)])
    assert shapes[0] < 0.0 < shapes[-1]
    # A smooth curve: its third differences are of order h³, and rounding would show as noise of random sign.
    assert np.abs(np.diff(shapes, 3)).max() < 2e-7
    assert np.all(np.diff(shapes) > 0.0)


@pytest.mark.parametrize("shape", [-1e-3, -1e-6, -1e-12, 0.0, 1e-12, 1e-6, 1e-3])
def test_figures_and_errors_are_continuous_through_zero(shape):
    fit = replace(
        fit_generalised_pareto(SAMPLES["exponential"]), shape=shape, covariance=((0.02, -0.01), (-0.01, 0.02))
    )

    def at(xi):
        found = module._tail_risk(replace(fit, shape=xi), 1.0, 2.5, 0.1, 0.99, 1.6)
        return [
            found.value_at_risk,
            found.expected_shortfall,
            found.value_at_risk_error,
            found.expected_shortfall_error,
            found.upper,
            found.expected_shortfall_lower,
        ]

    # A chord over a distance of 0.002 or less; the curvature leaves 1e-5.
    middle = 0.5 * (np.array(at(shape - 1e-3)) + np.array(at(shape + 1e-3)))
    np.testing.assert_allclose(at(shape), middle, rtol=2e-5)


@pytest.mark.parametrize("name", ["exponential", "heavy", "short", "rounded"])
@pytest.mark.parametrize("confidence", [0.95, 0.99, 0.9995])
def test_figures_and_errors_are_those_of_numerical_derivatives(name, confidence):
    excesses = 0.01 * SAMPLES[name]
    n = 10 * len(excesses)
    returns = np.concatenate([np.linspace(0.0, 0.05, n - len(excesses)), -excesses])
    found, fit = extreme_value(returns, confidence), fit_generalised_pareto(excesses)
    share, tail = len(excesses) / n, 1.0 - confidence
    expected = oracle.figures(0.0, fit.shape, np.log(fit.scale), share, tail)
    assert (found.value_at_risk, found.expected_shortfall) == pytest.approx(expected, rel=1e-6)
    errors = oracle.errors(excesses, 0.0, fit.shape, fit.scale, share, tail)
    assert found.value_at_risk_error == pytest.approx(errors[0], rel=1e-4)
    if found.expected_shortfall_error is not None:
        assert found.expected_shortfall_error == pytest.approx(errors[1], rel=1e-4)
    else:
        assert "reaches 1" in found.expected_shortfall_lower_reason
        assert name == "heavy"


# R 4.2.2, on x = 0.01·qt(p, 3) with p = (1:500 − 0.5)/500 and on x = 0.01·qnorm(p) with 1,000, u the 51st and 101st
# largest. Scale, shape and deviance: evd 2.3-6.1, fpot(x, u, method = "BFGS", control = list(reltol = 1e-16, parscale
# = estimate)) from its own Nelder–Mead estimate. Variances: central differences with h = 1e-4 of sums of evd::dgpd(…,
# log = TRUE) in (shape, ln scale); those of fpot come from coarser steps of optim and are off by 0.5 and 29 %. Quantile
# and shortfall at 99, 99.5 and 99.9 %: fExtremes 4021.83, gpdRiskMeasures(gpdFit(x, u, type = "mle")), whose optimum is
# good to 3e-4.
R = [
    (
        3.0, 500, 0.01628038356345, 0.00981150228714406, 0.21232691695382386, -341.187298614848,
        (0.0299830055166345, -0.024834815990608, 0.0490813572549267),
        [(0.0454124001985673, 0.0657237903133133), (0.0573585611268577, 0.0808917859993244),
         (0.0929219157095952, 0.1260464438119107)],
    ),
    (
        np.inf, 1000, 0.012787077203199, 0.00561682065293283, -0.18117276289841019, -872.632446685239,
        (0.00778584286910662, -0.00926933683038495, 0.01745761216849839),
        [(0.0233630802614927, 0.0264971360728536), (0.0257743771399357, 0.0285386657082135),
         (0.0303325369711724, 0.0323978414328490)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dof", "n", "threshold", "scale", "shape", "deviance", "variances", "figures"), R)
def test_as_in_r(dof, n, threshold, scale, shape, deviance, variances, figures):
    losses = of_student_t(dof, n)
    excesses = losses[-n // 10 :] - threshold
    fit = fit_generalised_pareto(excesses)
    assert fit.shape == pytest.approx(shape, rel=2e-6)
    assert fit.scale == pytest.approx(scale, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-0.5 * deviance, abs=1e-9)
    np.testing.assert_allclose(np.array(fit.covariance).ravel()[[0, 1, 3]], variances, rtol=2e-5)
    for confidence, expected in zip((0.99, 0.995, 0.999), figures, strict=True):
        found = extreme_value(-losses, confidence)
        assert (found.value_at_risk, found.expected_shortfall) == pytest.approx(expected, rel=4e-4)


def test_the_interval_covers_nearly_as_often_as_it_says():
    """On an exact tail, so that only the law of the estimates is tried: 400 samples of 100 exceedances."""
    rng = np.random.default_rng(2)
    law = stats.genpareto(0.2)
    true = law.isf(0.01)
    beyond = (true + 1.0) / (1.0 - 0.2)
    rows = [extreme_value(-law.rvs(1000, random_state=rng), 0.99) for _ in range(400)]
    # ± 0.03 is two standard deviations of the share of 400 samples; the ES is known to be covered less.
    assert 0.85 <= np.mean([row.lower <= true <= row.upper for row in rows]) <= 0.94
    known = [row for row in rows if row.expected_shortfall_lower is not None]
    assert len(known) > 390
    covered = [row.expected_shortfall_lower <= beyond <= row.expected_shortfall_upper for row in known]
    assert 0.78 <= np.mean(covered) <= 0.94
    # The standard error is that of the estimates over the samples.
    errors = np.array([row.value_at_risk_error for row in rows])
    assert np.std([row.value_at_risk for row in rows]) == pytest.approx(np.mean(errors), rel=0.12)


@given(st.integers(0, 10_000), st.floats(1e-6, 1e6), st.floats(-3.0, 3.0), st.sampled_from([0.95, 0.99, 0.999]))
def test_figures_move_with_shift_and_scale(seed, factor, shift, confidence):
    """Returns a·x + b lose a·VaR − b."""
    x = np.random.default_rng(seed).standard_t(4, 300)
    base, moved = extreme_value(x, confidence), extreme_value(factor * (x + shift), confidence)
    for name in ("value_at_risk", "expected_shortfall", "lower", "upper", "expected_shortfall_lower",
                 "expected_shortfall_upper"):  # fmt: skip
        before, after = getattr(base, name), getattr(moved, name)
        assert (before is None) == (after is None)
        if before is not None:
            assert after == pytest.approx(factor * (before - shift), rel=1e-6, abs=1e-7 * factor)
    if base.value_at_risk_error is not None:
        assert moved.value_at_risk_error == pytest.approx(factor * base.value_at_risk_error, rel=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([250, 400]))
def test_figures_grow_with_confidence_and_do_not_depend_on_the_order_of_rows(seed, n):
    rng = np.random.default_rng(seed)
    x = 0.01 * rng.standard_t(5, n)
    rows = [extreme_value(x, confidence) for confidence in (0.92, 0.95, 0.99, 0.995, 0.9999)]
    assert np.all(np.diff([row.value_at_risk for row in rows]) > 0.0)
    for row in rows:
        assert row.method == "extreme_value"
        if row.expected_shortfall is not None:
            assert row.expected_shortfall > row.value_at_risk
        if row.lower is not None:
            assert row.lower < row.value_at_risk < row.upper
    assert extreme_value(rng.permutation(x), 0.99) == rows[2]


def test_the_figure_meets_the_threshold_where_the_tail_begins():
    x = 0.01 * np.random.default_rng(4).standard_t(4, 1000)
    u = np.sort(-x)[-101]
    assert extreme_value(x, 0.9 + 1e-9).value_at_risk == pytest.approx(u, rel=1e-6)
    with pytest.raises(Undefined, match="historical"):
        extreme_value(x, 0.9)
    # 20 of 1,000 exceed: 19.9 lie beyond the one quantile, 20 beyond the other, free of binary noise.
    assert extreme_value(x, 0.9801, tail_share=0.02).value_at_risk > np.sort(-x)[-21]
    with pytest.raises(Undefined, match="historical"):
        extreme_value(x, 0.98, tail_share=0.02)


def test_the_number_of_exceedances_is_free_of_binary_noise():
    x = np.arange(700.0)
    # 0.29 · 700 is 202.99999999999997 in binary.
    assert threshold_excesses(x, 0.29)[1].shape == (203,)
    assert threshold_excesses(x, 0.0285)[1].shape == (19,)


def test_losses_that_tie_with_the_threshold_do_not_exceed_it():
    losses = np.concatenate([np.zeros(900), 0.3 * (1.0 + 2e-16 * np.arange(60)), 0.3 + SAMPLES["exponential"][:40]])
    threshold, excesses = threshold_excesses(losses, 0.06)
    assert threshold == pytest.approx(0.3)
    assert len(excesses) == 40
    found = extreme_value(-losses, 0.99, 0.06)
    assert found.value_at_risk == pytest.approx(extreme_value(-losses, 0.99, 0.04).value_at_risk, rel=1e-9)


def test_without_a_mean_there_is_no_shortfall():
    losses = np.concatenate([np.zeros(540), SAMPLES["no mean"]])
    found = extreme_value(-losses, 0.99)
    assert found.expected_shortfall is found.expected_shortfall_upper is found.expected_shortfall_error is None
    assert "no mean" in found.expected_shortfall_reason
    assert "no mean" in found.expected_shortfall_lower_reason
    assert found.lower < found.value_at_risk < found.upper
    heavy = extreme_value(-np.concatenate([np.zeros(900), SAMPLES["heavy"]]), 0.99, interval=0.999)
    assert heavy.expected_shortfall > heavy.value_at_risk
    assert heavy.expected_shortfall_lower is heavy.expected_shortfall_error is None
    assert "reaches 1" in heavy.expected_shortfall_upper_reason


@pytest.mark.parametrize(
    ("returns", "error", "words"),
    [
        (np.full(500, 0.01), Undefined, "constant"),
        (np.append(np.zeros(850), np.full(150, -0.02)), InsufficientData, "0 of 1000"),
        (np.append(np.zeros(900), np.full(100, -0.02)), Undefined, "100 of the 100"),
        (np.append(np.zeros(900), -0.02 - 0.01 * (np.arange(100) < 49)), Undefined, "51 of the 100"),
        (0.01 * np.random.default_rng(0).standard_normal(199), InsufficientData, "at least 20"),
        (np.append(np.zeros(900), -np.geomspace(1e-9, 1e1, 100)), Undefined, "shape"),
        ([0.1, np.nan], InvalidArgument, "finite"),
    ],
)
def test_samples_without_a_figure(returns, error, words):
    with pytest.raises(error, match=words):
        extreme_value(returns, 1.0 - 1e-9 if words == "shape" else 0.99)


@pytest.mark.parametrize(
    ("excesses", "error"),
    [
        (np.full(50, 0.3), Undefined),
        (np.append(np.full(30, 0.3), np.arange(1.0, 21.0)), Undefined),
        (np.append(1e-14, np.arange(1.0, 30.0)), Undefined),
        (np.arange(1.0, 20.0), InsufficientData),
        (np.arange(0.0, 30.0), InvalidArgument),
        (np.array([]), InvalidArgument),
    ],
)
def test_excesses_without_a_fit(excesses, error):
    with pytest.raises(error):
        fit_generalised_pareto(excesses)


@pytest.mark.parametrize(
    "arguments",
    [{"confidence": 99}, {"tail_share": 0.0}, {"tail_share": 0.6}, {"tail_share": np.nan}, {"interval": 1.0}],
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(InvalidArgument, match=next(iter(arguments))):
        extreme_value(0.01 * np.random.default_rng(0).standard_normal(500), **({"confidence": 0.99} | arguments))


@given(st.integers(0, 10_000), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
@example(0, [1.0, 0.0, -0.5])
def test_marginals_sum_to_the_figures(seed, weights):
    assume(np.abs(weights).max() > 1e-3)
    x = 0.01 * np.random.default_rng(seed).standard_t(4, (300, 3))
    figure = extreme_value(x @ np.array(weights), 0.99)
    value_at_risk, shortfall = extreme_value_marginals(x, weights, 0.99)
    assert value_at_risk @ weights == pytest.approx(figure.value_at_risk, rel=1e-10)
    if figure.expected_shortfall is None:
        assert shortfall is None
    else:
        assert shortfall @ weights == pytest.approx(figure.expected_shortfall, rel=1e-10)


def test_marginals_of_elliptical_returns_are_the_share_of_the_volatility():
    rng = np.random.default_rng(8)
    cov = np.array([[1.0, 0.3, 0.0], [0.3, 2.0, -0.5], [0.0, -0.5, 0.5]])
    shocks = rng.standard_normal((40_000, 3)) @ np.linalg.cholesky(cov).T
    x = 0.01 * shocks / np.sqrt(rng.chisquare(5, (40_000, 1)) / 5)
    weights = np.array([0.5, -0.3, 1.0])
    share = cov @ weights / (weights @ cov @ weights)
    figure = extreme_value(x @ weights, 0.99)
    value_at_risk, shortfall = extreme_value_marginals(x, weights, 0.99)
    # 4,000 rows leave a relative error of about 1/√4,000 in each mean.
    np.testing.assert_allclose(value_at_risk / figure.value_at_risk, share, atol=0.05)
    np.testing.assert_allclose(shortfall / figure.expected_shortfall, share, atol=0.05)


def test_marginals_need_a_loss_and_fitting_shapes():
    x = 0.01 * np.random.default_rng(8).standard_normal((300, 2))
    with pytest.raises(Undefined, match="not positive"):
        extreme_value_marginals(x + 1.0, [1.0, 1.0], 0.99)
    with pytest.raises(InvalidArgument, match="3 element"):
        extreme_value_marginals(x, [1.0, 1.0, 1.0], 0.99)
