import numpy as np
import pytest
from scipy import special, stats

from rpmcore.kernels import student_t, student_t_fit

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]
DOFS = [0.5, 0.9, 1.0, 2.0, 2.5, 4.0, 7.3, 30.0, 200.0, 1e4, 1e8]


@pytest.fixture(params=FORMS, ids=["compiled", "plain"])
def form(request):
    return request.param


@pytest.mark.parametrize("dof", DOFS)
@pytest.mark.parametrize("tail", [1e-6, 1e-4, 0.005, 0.01, 0.05, 0.1, 0.25, 0.49])
def test_the_quantile_is_scipys(form, dof, tail):
    q = form(student_t.upper_quantile)(tail, dof)
    # SciPy's own inverse is held against its cdf, which is the more accurate of the two.
    assert special.stdtr(dof, -q) == pytest.approx(tail, rel=1e-10)
    assert q == pytest.approx(-special.stdtrit(dof, tail), rel=1e-7)


def test_the_normal_limit(form):
    for tail in (1e-6, 0.01, 0.3):
        assert form(student_t.upper_quantile)(tail, np.inf) == pytest.approx(-special.ndtri(tail), rel=1e-12)


@pytest.mark.parametrize("dof", DOFS)
def test_density_and_tail_are_scipys(form, dof):
    for q in (0.0, 0.3, 1.7, 6.0, 40.0):
        assert form(student_t.log_density)(q, dof) == pytest.approx(stats.t.logpdf(q, dof), rel=1e-9, abs=1e-11)
        assert form(student_t.tail_probability)(q, dof) == pytest.approx(special.stdtr(dof, -q), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("z", [0.25, 0.5, 1.0, 3.7, 11.9, 12.0, 50.0, 1e3, 1e7])
def test_the_gamma_ratio_and_its_derivatives(form, z):
    value, first, second = form(student_t.log_gamma_ratio)(z)
    exact = special.gammaln(z + 0.5) - special.gammaln(z) - 0.5 * np.log(z)
    # Differences of SciPy's functions lose digits as z grows; ours do not.
    assert value == pytest.approx(exact, abs=1e-15 * max(1.0, abs(special.gammaln(z))) * 4)
    assert first == pytest.approx(special.digamma(z + 0.5) - special.digamma(z) - 0.5 / z, abs=4e-15 * max(1, 1 / z))
    trigamma = special.polygamma(1, z + 0.5) - special.polygamma(1, z) + 0.5 / z**2
    assert second == pytest.approx(trigamma, abs=1e-13 * max(1.0, 1 / z**2))


def test_the_fit_is_the_same_compiled_and_plain():
    returns = 0.01 * np.random.default_rng(2).standard_t(4, 80)
    compiled, plain = student_t_fit.fit(returns), getattr(student_t_fit.fit, "py_func", student_t_fit.fit)(returns)
    np.testing.assert_allclose(compiled[:4], plain[:4], rtol=1e-7)
    np.testing.assert_allclose(compiled[4], plain[4], rtol=1e-5)


@pytest.mark.parametrize("theta", [(0.1, 0.2, 0.4), (0.0, 0.0, 0.15), (0.3, -0.5, 1.7)])
def test_likelihood_gradient_and_information(form, theta):
    x = np.random.default_rng(4).standard_t(3, 100)

    def at(location, log_scale, kappa):
        gradient, information = np.empty(3), np.empty((3, 3))
        point, scratch = np.array([location, log_scale, kappa]), np.empty(len(x))
        value = form(student_t_fit.log_likelihood)(x, np.abs(x).max(), point, scratch, gradient, information)
        return value, gradient, information

    location, log_scale, kappa = theta
    value, gradient, information = at(*theta)
    assert value == pytest.approx(stats.t.logpdf(x, 1 / kappa, location, np.exp(log_scale)).sum(), rel=1e-12)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-5
        (above, gradient_above, _), (below, gradient_below, _) = at(*(theta + step)), at(*(theta - step))
        assert (above - below) / 2e-5 == pytest.approx(gradient[i], rel=1e-6, abs=1e-5)
        np.testing.assert_allclose((gradient_below - gradient_above) / 2e-5, information[i], atol=2e-3, rtol=1e-5)


def test_the_covariance_inverts_the_information(form):
    root = np.random.default_rng(6).standard_normal((3, 3))
    plain_units = root @ root.T + np.eye(3)
    units = np.diag([1e8, 1.0, 1e-3])
    inverse = np.empty((3, 3))
    assert form(student_t_fit.covariance)(units @ plain_units @ units, inverse)
    np.testing.assert_allclose(units @ inverse @ units, np.linalg.inv(plain_units), rtol=1e-10, atol=1e-12)
    assert not form(student_t_fit.covariance)(np.diag([1.0, -1.0, 1.0]), inverse)


@pytest.mark.parametrize(("n", "repeated"), [(9, 3), (9, 4), (100, 33), (100, 34), (100, 100)])
def test_ties_of_more_than_a_third_are_found(form, n, repeated):
    rng = np.random.default_rng(n)
    for _ in range(20):
        x = rng.permutation(np.append(np.full(repeated, 0.5), rng.standard_normal(n - repeated)))
        assert form(student_t_fit.commonest_above_a_third)(x) == (repeated if 3 * repeated > n else 0)
