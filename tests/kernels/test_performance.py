import numpy as np
import pytest

from rpmcore.kernels import performance as kernels
from tests.oracles import bootstrap as resamples
from tests.oracles import performance as oracle

PNL = np.random.default_rng(1).normal(0.5, 10.0, 23)
SEED = np.uint64(9)


@pytest.fixture(params=["compiled", "plain"])
def form(request, plain):
    return (lambda kernel: kernel) if request.param == "compiled" else plain


def drawn(replicate):
    return PNL[resamples.rows(23, 9, replicate, 1)]


def test_studentised_means(form):
    out = np.empty(40)
    form(kernels.studentised_means)(PNL, SEED, out)
    np.testing.assert_allclose(out, oracle.studentised(PNL.tolist(), 9, 40), rtol=1e-10, atol=1e-12)


def test_a_resample_of_equal_rows_is_infinitely_far(form):
    rows, out = np.array([1.0, 3.0]), np.empty(50)
    form(kernels.studentised_means)(rows, SEED, out)
    for replicate in range(50):
        chosen = rows[resamples.rows(2, 9, replicate, 1)]
        assert out[replicate] == (0.0 if chosen[0] != chosen[1] else np.inf if chosen[0] == 3.0 else -np.inf)


def test_figures_of_resampled_trades(form):
    out = np.empty((20, 3))
    form(kernels.resampled_trades)(PNL, SEED, 100.0, out)
    for replicate in range(20):
        x = drawn(replicate)
        np.testing.assert_allclose(out[replicate, 0] / out[replicate, 1], oracle.profit_factor(x), rtol=1e-12)
        np.testing.assert_allclose(out[replicate, 2], oracle.drawdowns(x, 100.0)[0], rtol=1e-12)


def test_figures_of_resampled_returns(form):
    returns, out = 0.01 * PNL, np.empty((20, 4))
    form(kernels.resampled_returns)(returns, SEED, out)
    for replicate in range(20):
        x = returns[resamples.rows(23, 9, replicate, 1)]
        mean, growth, deepest, downside = out[replicate]
        np.testing.assert_allclose(np.sqrt(252) * mean / downside, oracle.sortino(x), rtol=1e-10)
        np.testing.assert_allclose(np.expm1(growth * 252 / 23) / deepest, oracle.calmar(x), rtol=1e-10)
