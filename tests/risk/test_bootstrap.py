import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap, IIDBootstrap

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.bootstrap import bootstrap_intervals
from rpmcore.risk.value_at_risk import value_at_risk_and_shortfall

RETURNS = 0.01 * np.random.default_rng(0).standard_t(5, size=500)


def both(pnl):
    return value_at_risk_and_shortfall(pnl, 0.95)


def mean(rows):
    return (float(rows.mean()),)


@pytest.mark.parametrize(("block", "peer"), [(1, IIDBootstrap), (10, CircularBlockBootstrap)])
def test_the_intervals_agree_with_another_bootstrap(block, peer):
    ours = np.array(bootstrap_intervals(both, RETURNS, resamples=4000, block=block, seed=1))
    theirs = peer(RETURNS, seed=2) if block == 1 else peer(block, RETURNS, seed=2)
    found = theirs.conf_int(lambda x: np.array(both(np.ascontiguousarray(x))), 4000, method="percentile", size=0.9)
    # Bounds are 5 % quantiles of 4,000 figures: their Monte Carlo errors are some 2 % of the interval's width each.
    width = (ours[:, 1] - ours[:, 0])[:, None]
    assert (np.abs(ours - found.T) < 0.12 * width).all()


def test_the_interval_of_a_mean_covers_it():
    rng = np.random.default_rng(3)
    hits = 0
    for trial in range(400):
        ((low, high),) = bootstrap_intervals(mean, rng.standard_normal(60), resamples=300, seed=trial)
        hits += low <= 0.0 <= high
    # Nominal 90 %; 60 rows and 300 resamples lose one or two per cent, three standard errors are 4.5.
    assert 0.84 <= hits / 400 <= 0.95


def test_blocks_keep_what_overlapping_rows_share():
    """The mean of two-day sums has twice the deviation that independent rows would give it."""
    rng = np.random.default_rng(4)
    shocks = rng.standard_normal(1001)
    rows = shocks[1:] + shocks[:-1]
    widths = {}
    for block in (1, 12):
        ((low, high),) = bootstrap_intervals(mean, rows, resamples=2000, block=block, seed=5)
        widths[block] = high - low
    # √(4/2) = 1.41 in theory, 1.38 with blocks of twelve.
    assert 1.25 < widths[12] / widths[1] < 1.5


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    one = bootstrap_intervals(both, RETURNS, resamples=200, seed=7)
    assert one == bootstrap_intervals(both, RETURNS.copy(), resamples=200, seed=7)
    assert one != bootstrap_intervals(both, RETURNS, resamples=200, seed=8)


def test_more_resamples_begin_with_the_same_ones():
    seen = {}
    for resamples in (20, 40):
        seen[resamples] = []
        bootstrap_intervals(lambda r, kept=seen[resamples]: (kept.append(r.sum()), 0.0)[1:], RETURNS,
                            resamples=resamples, seed=1)  # fmt: skip
    assert seen[40][:20] == seen[20]


def test_shortfall_bounds_lie_beyond_var_bounds():
    (var_low, var_high), (es_low, es_high) = bootstrap_intervals(both, RETURNS, seed=1)
    assert es_low >= var_low
    assert es_high >= var_high


@pytest.mark.parametrize(
    "change", [{"coverage": 1.0}, {"resamples": 19}, {"block": 0}, {"block": 501}, {"seed": -1}, {"seed": 1.5}]
)
def test_misuse(change):
    with pytest.raises(InvalidArgument):
        bootstrap_intervals(mean, RETURNS, **{"seed": 1, **change})


def test_a_resample_without_the_figure_leaves_no_interval():
    with pytest.raises(Undefined, match="no such figure"):
        bootstrap_intervals(lambda rows: (float("nan") if rows[0] > 0 else 1.0,), RETURNS, seed=1)
