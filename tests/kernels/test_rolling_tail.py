import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rpmcore.kernels import rolling_tail as kernels
from rpmcore.kernels import tail
from tests.oracles import rolling_tail as oracle

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]
RNG = np.random.default_rng(21)
HISTORIES = {
    "heavy tails": 0.01 * RNG.standard_t(3, 700),
    "rising: the worst always goes": np.linspace(-1.0, 1.0, 700),
    "falling: the worst always comes": np.linspace(1.0, -1.0, 700),
    "ties": np.round(RNG.standard_normal(700), 0),
    "constant": np.full(700, 0.01),
    "zeros of both signs": np.where(RNG.random(700) < 0.5, 0.0, -0.0),
    "waves": np.sin(np.arange(700.0) / 9.0),
    "calm after an outlier": np.where(np.arange(700) == 100, -1e6, 0.01 * RNG.standard_normal(700)),
}


def run(kernel, returns, window, *arguments):
    first, second = np.empty(len(returns) - window + 1), np.empty(len(returns) - window + 1)
    kernel(returns, window, *arguments, first, second)
    return first, second


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize(
    ("window", "probability"), [(1, 0.05), (2, 0.3), (60, 0.05), (250, 0.01), (400, 0.2), (700, 0.05)]
)
def test_every_window_is_the_one_by_itself(form, name, window, probability):
    returns, k = HISTORIES[name], round(probability * window, 9)
    found = run(form(kernels.historical), returns, window, k, -1.0)
    value_at_risk, shortfall = oracle.historical(returns, window, probability)
    np.testing.assert_array_equal(found[0], value_at_risk)
    # Sums of up to 80 losses in another order; the outlier stands among them in the windows that hold it.
    np.testing.assert_allclose(found[1], shortfall, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@given(
    returns=hnp.arrays(np.float64, st.integers(1, 120), elements=st.integers(-20, 20).map(float)),
    part=st.floats(0.0, 1.0),
    probability=st.floats(0.001, 0.499),
    interpolate=st.booleans(),
)
def test_the_bits_are_those_of_the_single_window(form, returns, part, probability, interpolate):
    window = max(1, round(part * len(returns)))
    k, place = max(round(probability * window, 9), 1e-9), probability * (window - 1) if interpolate else -1.0
    found = run(form(kernels.historical), returns, window, k, place)
    for t in range(len(returns) - window + 1):
        single = form(tail.value_at_risk_and_shortfall)(returns[t : t + window], k, place)
        assert (found[0][t], found[1][t]) == single


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("window", [2, 3, 60, 250, 699, 700])
def test_moments_are_those_of_every_window(form, name, window):
    returns = HISTORIES[name]
    means, variances = run(form(kernels.moments), returns, window)
    rows = oracle.windows(returns, window)
    # The outlier leaves nothing behind: where it has gone, the tolerance is that of the calm.
    size = np.abs(rows).max(axis=1)
    assert (np.abs(means - rows.mean(axis=1)) <= 1e-14 * size).all()
    assert (np.abs(variances - rows.var(axis=1, ddof=1)) <= 1e-13 * size**2).all()


def test_equal_returns_have_exactly_no_variance():
    means, variances = run(kernels.moments, np.full(100, 0.1), 7)
    assert (means == 0.1).all()
    assert (variances == 0.0).all()


def test_student_t_compiled_and_plain(plain):
    returns = HISTORIES["heavy tails"][:70]
    results = []
    for kernel in (kernels.student_t, plain(kernels.student_t)):
        value_at_risk, shortfall, codes = np.empty(11), np.empty(11), np.empty(11, dtype=np.int64)
        kernel(returns, 60, 0.05, value_at_risk, shortfall, codes)
        results.append((value_at_risk, shortfall, codes))
    for compiled, interpreted in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, interpreted, rtol=1e-9)
