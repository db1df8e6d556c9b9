from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from rpmcore.kernels import generalised_pareto
from tests.oracles import extreme_value as oracle

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]
RNG = np.random.default_rng(3)
SAMPLES = {
    "exponential": RNG.exponential(size=40),
    "heavy": stats.genpareto.rvs(0.8, size=40, random_state=RNG),
    "short": stats.genpareto.rvs(-0.3, size=60, random_state=RNG),
}


@pytest.fixture(params=FORMS, ids=["compiled", "plain"])
def form(request):
    return request.param


def exact_logarithms(t):
    """The power series of a, b and c in rational arithmetic, for |t| ≤ 1/2."""
    t = Fraction(t)
    a = sum((-t) ** j / (j + 1) for j in range(60))
    b = sum((-t) ** j * Fraction(j + 1, j + 2) for j in range(60))
    c = sum((-t) ** j * Fraction((j + 1) * (j + 2), j + 3) for j in range(70))
    return [float(value) for value in (a, b, c)]


@pytest.mark.parametrize("t", [0.0, 1e-300, -1e-17, 1e-9, -1e-5, 0.01, 0.0999, -0.0999, 0.1001, -0.1001, 0.4, -0.4])
def test_logarithms_do_not_cancel(form, t):
    # Beyond the series the third loses up to some hundred roundings at |t| = 0.1.
    np.testing.assert_allclose(form(generalised_pareto.logarithms)(t), exact_logarithms(t), rtol=2e-13)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("theta", [-0.1, -1e-6, 0.0, 1e-9, 0.3, 50.0])
def test_averages_are_those_of_their_formulas(form, name, theta):
    x = SAMPLES[name] / SAMPLES[name].max()
    beta, shrunk, second = form(generalised_pareto.averages)(x, theta)
    assert shrunk == pytest.approx(np.mean(x / (1 + theta * x)), rel=1e-13)
    if abs(theta) < 1e-8:
        assert (beta, second) == pytest.approx((x.mean(), np.mean(x**2) / 2), rel=1e-8)
    else:
        # The plain formulas cancel, by 1/θ and 1/θ².
        logs = np.log1p(theta * x)
        assert beta == pytest.approx(np.mean(logs) / theta, rel=1e-12)
        apart = np.mean(logs - theta * x / (1 + theta * x)) / theta**2
        assert second == pytest.approx(apart, rel=1e-12 + 1e-15 / theta**2)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_fit_is_a_maximum_and_reports_its_likelihood(form, name):
    x = SAMPLES[name]
    shape, scale, value = form(generalised_pareto.fit)(x)
    assert value == pytest.approx(oracle.log_likelihood(x, shape, scale), abs=1e-11 * len(x))
    for turn in np.linspace(0.0, 2.0 * np.pi, 12):
        near = oracle.log_likelihood(x, shape + 1e-4 * np.cos(turn), scale * np.exp(1e-4 * np.sin(turn)))
        assert near <= value


def test_the_fit_is_the_same_compiled_and_plain():
    for x in SAMPLES.values():
        compiled = generalised_pareto.fit(x)
        plain = getattr(generalised_pareto.fit, "py_func", generalised_pareto.fit)(x)
        np.testing.assert_allclose(compiled, plain, rtol=1e-10)


@pytest.mark.parametrize("shape", [-0.4, -1e-3, 0.0, 1e-7, 0.2, 1.5])
def test_the_information_is_that_of_scipys_likelihood(form, shape):
    x = 0.01 * stats.genpareto.rvs(0.2, size=50, random_state=5)
    scale = 0.012 if shape >= 0.0 else max(0.012, -1.5 * shape * x.max())
    of_shape, mixed, of_scale = form(generalised_pareto.information)(x, shape, scale)
    expected = oracle.information(x, shape, np.log(scale))
    # Second differences with steps of 1e-4 hold six digits or so.
    np.testing.assert_allclose([[of_shape, mixed], [mixed, of_scale]], expected, rtol=2e-5, atol=2e-4)


def test_the_crossing_is_found_to_the_last_digit(form):
    x = SAMPLES["exponential"] / SAMPLES["exponential"].max()
    shape = form(generalised_pareto.crossing)(x, -np.log(42.0), 0.0, generalised_pareto.AT_LEAST_SHAPE)
    theta = np.expm1(shape)
    assert np.mean(1.0 / (1.0 + theta * x)) == pytest.approx(2.0, rel=1e-12)
