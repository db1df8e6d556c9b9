import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rpmcore.kernels import trade_tail as kernels
from tests.oracles import trade_impact as oracle

FORMS = [lambda kernel: kernel, lambda kernel: getattr(kernel, "py_func", kernel)]
RNG = np.random.default_rng(42)


def returns(n, seed=0):
    return 0.01 * np.random.default_rng(seed).standard_t(4, n)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize(("n", "k"), [(30, 1.5), (60, 3.0), (250, 12.5), (500, 25.0), (1500, 75.0)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_measures_after_a_trade_and_the_largest_of_each(form, n, k, side):
    pnl, asset = returns(n, 1), returns(n, 2)
    books, size = pnl.reshape(1, -1), 0.3
    now = oracle.value_at_risk(pnl, k), oracle.expected_shortfall(pnl, k)
    targets = 2.0 * now[0], 1.7 * now[1]
    var, shortfall, *largest = form(kernels.after_and_largest)(
        books, 0, 1, asset, side, size, 0.0, k, -1.0, 0, 0.0, *targets
    )
    changed = pnl + side * size * asset
    assert var == oracle.value_at_risk(changed, k)
    assert shortfall == pytest.approx(oracle.expected_shortfall(changed, k), rel=1e-13)
    for measure, top, aim in zip((oracle.value_at_risk, oracle.expected_shortfall), largest, targets, strict=True):
        assert measure(pnl + side * top * asset, k) == pytest.approx(aim, rel=1e-13)
        assert measure(pnl + side * top * (1.0 + 1e-9) * asset, k) > aim


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("rank", [1, 3, 12, 25])
@pytest.mark.parametrize("seed", range(12))
def test_the_sweep_stops_at_the_first_size_that_fails(form, rank, seed):
    """On returns of whole numbers: many ties, many losses that rise and fall past the target at once."""
    rng = np.random.default_rng(seed)
    pnl, asset = rng.integers(-6, 7, 80).astype(float), rng.integers(-3, 4, 80).astype(float)
    # No target is a loss that occurs at a size on the grid.
    aim = float(oracle.sorted_losses(pnl)[rank - 1]) + 0.7123
    found = form(kernels.largest_by_sweep)(pnl, asset, 1.0, 0.0, rank, aim, np.empty(80))
    crossings = {(-aim - p) / r for p, r in zip(pnl, asset, strict=True) if r}
    steps = np.array(sorted(x for x in crossings if x > 0.0))
    middles = np.append(0.5 * (np.append(0.0, steps[:-1]) + steps), steps[-1] + 1.0)
    fails = [oracle.sorted_losses(pnl + x * asset)[rank - 1] > aim for x in middles]
    expected = math.inf if True not in fails else np.append(0.0, steps)[fails.index(True)]
    assert found == pytest.approx(expected, rel=1e-14)


def sweep(pnl, asset, smallest, rank, aim):
    return kernels.largest_by_sweep(np.array(pnl), np.array(asset), 1.0, smallest, rank, aim, np.empty(len(pnl)))


def test_the_interval_is_the_one_that_holds_the_smallest_size():
    """The second worst of the losses 7 − 2x, 1 + x and 0 is above 2 from 1 to 2.5."""
    pnl, asset = [-7.0, -1.0, 0.0], [2.0, -1.0, 0.0]
    assert sweep(pnl, asset, 0.0, 2, 2.0) == 1.0
    assert sweep(pnl, asset, 1.0, 2, 2.0) == 1.0
    assert sweep(pnl, asset, 2.0, 2, 2.0) == 0.0
    assert sweep(pnl, asset, 2.5, 2, 2.0) == math.inf
    # That of 3.5 − 2x, 1 + x and 0 never is: the first has fallen when the second has risen.
    assert sweep([-3.5, -1.0, 0.0], asset, 0.0, 2, 2.0) == math.inf
    assert sweep([-3.5, -1.0, 0.0], asset, 0.0, 1, 4.0) == 3.0


cells = st.integers(-60, 60).map(lambda x: x / 1000)


@given(
    st.integers(5, 60).flatmap(lambda n: hnp.arrays(np.float64, (2, n), elements=cells)),
    st.sampled_from([0.05, 0.1, 0.3]),
    st.integers(1, 80).map(lambda x: x / 1000),
    st.sampled_from([1.0, -1.0]),
    st.sampled_from([0.0, 0.01, 0.2]),
)
def test_every_size_up_to_the_largest_passes_and_none_right_above(rows, tail, limit, side, smallest):
    pnl, asset = rows
    n = pnl.shape[0]
    k = max(round(tail * n, 9), 1e-9)
    books = pnl.reshape(1, -1).copy()
    for which, measure in enumerate((oracle.value_at_risk, oracle.expected_shortfall)):
        now = measure(pnl, k)
        breach = now > limit * (1 + 1e-12)
        aim = now / (1 + 2e-12) if breach else max(now, limit)
        top = kernels.after_and_largest(books, 0, 1, asset.copy(), side, 0.1, smallest, k, -1.0, 0, 0.0, aim, aim)[
            2 + which
        ]

        def passes(size, measure=measure, now=now):
            return oracle.passes(now, measure(pnl + side * size * asset, k), limit)

        assert top == 0.0 or top >= smallest
        if top > 1e-9:
            # Below a share of 1e-6, what falls falls by no more than rounding.
            low = max(smallest, 1e-6)
            assert all(passes(size) for size in np.linspace(low, min(top, 1e3), 60) if size <= top)
        if top < math.inf:
            above = top + 1e-7 if top > 0.0 else max(smallest, 1e-7)
            # VaR may touch what it must not exceed, and turn.
            assert not passes(above) or measure(pnl + side * above * asset, k) > aim * (1 - 1e-5)


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("width", [0.0, 1.6448536269514722])
@pytest.mark.parametrize("place", [-1.0, 0.05 * 199])
@pytest.mark.parametrize("aim", [1.3, 2.0])
def test_a_march_stays_below_and_comes_near(form, width, place, aim):
    """An interpolated VaR and an ES with its error: never beyond the first size that fails, and within 2 % of it."""
    pnl, asset = returns(200, 5), returns(200, 6)
    k, books = 10.0, pnl.reshape(1, -1)
    measures = (
        (lambda p: oracle.value_at_risk(p, k)) if place < 0.0 else (lambda p: oracle.interpolated(p, 0.05)),
        (lambda p: oracle.shortfall_with_error(p, k, width)),
    )
    targets = [aim * measure(pnl) for measure in measures]
    found = form(kernels.after_and_largest)(books, 0, 1, asset, 1.0, 0.2, 0.0, k, place, 0, width, *targets)
    for i, measure in enumerate(measures):
        assert found[i] == pytest.approx(measure(pnl + 0.2 * asset), rel=1e-13)
        values = np.array([measure(pnl + x * asset) for x in np.linspace(0.0, found[2 + i], 200)])
        assert (values <= targets[i] * (1 + 1e-13)).all()
        assert measure(pnl + 1.02 * found[2 + i] * asset) > targets[i]


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
def test_the_worst_of_many_books_is_taken_over_the_rows_asked_for(form):
    books, asset, k = np.stack([returns(100, s) for s in range(4)]), returns(100, 9), 5.0
    each = [(oracle.value_at_risk(b, k), oracle.expected_shortfall(b, k)) for b in books]
    for var_from, es_to in ((0, 4), (3, 3), (0, 1)):
        var, shortfall = form(kernels.worst_figures)(books, var_from, es_to, k, -1.0, 0, 0.0)
        assert var == max(v for v, _ in each[var_from:])
        assert shortfall == pytest.approx(max(e for _, e in each[:es_to]), rel=1e-14)
        found = form(kernels.after_and_largest)(
            books, var_from, es_to, asset, 1.0, 0.0, 0.0, k, -1.0, 0, 0.0, 2 * var, 2 * shortfall
        )
        alone = [
            form(kernels.after_and_largest)(
                b.reshape(1, -1).copy(), 0, 1, asset, 1.0, 0.0, 0.0, k, -1.0, 0, 0.0, 2 * var, 2 * shortfall
            )
            for b in books
        ]
        assert found[:2] == (var, shortfall)
        assert found[2] == min(a[2] for a in alone[var_from:])
        assert found[3] == min(a[3] for a in alone[:es_to])


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nothing_passes_where_a_number_is_not_finite(form, bad):
    good, spoilt = returns(60), returns(60)
    spoilt[17] = bad
    for pnl, asset in ((good, spoilt), (spoilt, good)):
        with np.errstate(invalid="ignore"):
            found = form(kernels.after_and_largest)(
                pnl.reshape(1, -1).copy(), 0, 1, asset, 1.0, 0.1, 0.0, 3.0, -1.0, 0, 0.0, 9.0, 9.0
            )
        assert np.isnan(found[:2]).all()
        assert found[2:] == (0.0, 0.0)
    found = form(kernels.after_and_largest)(
        good.reshape(1, -1).copy(), 0, 1, good, 1.0, 0.1, 0.0, 3.0, -1.0, 0, 0.0, np.nan, np.nan
    )
    assert found[2:] == (0.0, 0.0)


def test_a_single_loss_in_the_tail_has_no_upper_shortfall():
    pnl = returns(20)
    var, shortfall, var_top, es_top = kernels.after_and_largest(
        pnl.reshape(1, -1).copy(), 0, 1, pnl, 1.0, 0.1, 0.0, 1.0, -1.0, 0, 1.6, 9.0, 9.0
    )
    assert np.isnan(shortfall)
    assert es_top == 0.0
    assert var < 9.0
    assert var_top > 0.0


@pytest.mark.parametrize("form", FORMS, ids=["compiled", "plain"])
def test_pnl_is_summed_in_the_order_of_the_assets(form):
    by_asset, weights = RNG.standard_normal((7, 50)), RNG.standard_normal(7)
    found, expected = np.empty(50), np.zeros(50)
    form(kernels.book_returns)(weights, by_asset, found)
    for w, row in zip(weights, by_asset, strict=True):
        expected += w * row
    np.testing.assert_array_equal(found, expected)
    form(kernels.add_worst)(found, by_asset[2], -0.5, 0.25, found)
    np.testing.assert_array_equal(found, expected + np.minimum(-0.5 * by_asset[2], 0.25 * by_asset[2]))
