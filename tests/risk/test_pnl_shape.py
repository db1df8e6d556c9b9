import numpy as np
import pytest
from scipy import stats

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.pnl_shape import (
    generalised_pareto_density,
    normal_density,
    pnl_shape,
    student_t_density,
)
from rpmcore.risk.student_t import StudentTFit, fit_student_t


def shaped(pnl, **changes):
    counts, edges = np.histogram(pnl, bins=41)
    given = {
        "edges": tuple(edges.tolist()), "counts": tuple(counts.tolist()), "volatility": float(pnl.std()),
        "fit": fit_student_t(pnl), "fit_reason": None, "tail_share": 0.1, "confidence": 0.99,
    }  # fmt: skip
    return pnl_shape(pnl, **{**given, **changes})


@pytest.fixture(scope="module")
def pnl():
    return 0.01 * np.random.default_rng(3).standard_t(4, size=2000)


@pytest.mark.parametrize(("shape", "scale"), [(0.3, 0.01), (0.0, 0.02), (-0.3, 0.01)])
def test_densities_are_those_of_scipy(shape, scale):
    x = np.linspace(-0.05, 0.05, 101)
    np.testing.assert_allclose(normal_density(x, 0.01), stats.norm.pdf(x, scale=0.01), rtol=1e-12)
    fit = StudentTFit(dof=3.7, location=0.001, scale=0.008, log_likelihood=0.0, n_obs=100)
    np.testing.assert_allclose(student_t_density(x, fit), stats.t.pdf(x, 3.7, 0.001, 0.008), rtol=1e-12)
    y = np.linspace(0.0, 0.08, 101)
    np.testing.assert_allclose(
        generalised_pareto_density(y, shape, scale), stats.genpareto.pdf(y, shape, scale=scale), rtol=1e-9, atol=1e-12
    )


def test_a_law_that_is_practically_normal_has_the_normal_density():
    fit = StudentTFit(dof=np.inf, location=0.001, scale=0.008, log_likelihood=0.0, n_obs=100)
    x = np.linspace(-0.05, 0.05, 11)
    np.testing.assert_allclose(student_t_density(x, fit), stats.norm.pdf(x, 0.001, 0.008), rtol=1e-12)


def test_curves_expect_as_many_returns_as_there_are(pnl):
    found = shaped(pnl)
    width = found.edges[1] - found.edges[0]
    step = found.grid[1] - found.grid[0]
    for curve in (found.normal, found.student_t):
        assert sum(curve) * step / width == pytest.approx(len(pnl), rel=0.01)
    tail = [value for value in found.tail if value is not None]
    assert sum(tail) * step / width == pytest.approx(200, rel=0.06)
    beyond = [x for x, value in zip(found.grid, found.tail, strict=True) if value is not None]
    assert max(beyond) <= found.threshold
    assert found.threshold < 0.0


def test_var_and_shortfall_are_the_historical_ones(pnl):
    found, losses = shaped(pnl), np.sort(-pnl)[::-1]
    assert found.value_at_risk == losses[19]
    assert found.expected_shortfall == pytest.approx(losses[:20].mean(), rel=1e-12)


def test_what_cannot_be_fitted_says_why(pnl):
    short = shaped(pnl[:100])
    assert short.tail is None
    assert "excesses" in short.tail_reason
    assert shaped(pnl, volatility=0.0).normal is None
    assert shaped(pnl, fit=None, fit_reason="it is so").student_t_reason == "it is so"


def test_misuse(pnl):
    with pytest.raises(Undefined, match="never moves"):
        pnl_shape(
            np.zeros(50), edges=(0.0, 1.0), counts=(50,), volatility=0.0, fit=None, fit_reason="", tail_share=0.1,
            confidence=0.99,
        )  # fmt: skip
    with pytest.raises(InvalidArgument, match="do not fit"):
        shaped(pnl, counts=(1, 2, 3))
