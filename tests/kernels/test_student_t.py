import numpy as np
import pytest
from scipy import special, stats

from rpmcore.kernels import student_t

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
    compiled, plain = student_t.fit(returns), getattr(student_t.fit, "py_func", student_t.fit)(returns)
    np.testing.assert_allclose(compiled[:4], plain[:4], rtol=1e-7)
    np.testing.assert_allclose(compiled[4], plain[4], rtol=1e-5)
