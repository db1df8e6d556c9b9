"""Hypothesis strategies and small data sets that several tests share."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def returns_matrices(min_rows=3, max_rows=70, max_assets=12):
    """Daily returns between -50 % and +50 % on a grid fine enough to be real and coarse enough to shrink."""
    shapes = st.tuples(st.integers(min_rows, max_rows), st.integers(1, max_assets))
    cells = st.integers(-5000, 5000).map(lambda ticks: ticks / 10_000)
    return shapes.flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=cells))


def weights_for(n_assets):
    return hnp.arrays(np.float64, n_assets, elements=st.integers(-300, 300).map(lambda w: w / 100))


def correlated_returns(n_obs, n_assets, seed=0, scale=0.01):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_assets, n_assets)) / np.sqrt(n_assets) + np.eye(n_assets)
    return scale * rng.standard_t(5, size=(n_obs, n_assets)) @ mixing


def rough_days(seed, n_days, n_series):
    """Rows of positive readings that cluster, as those of markets do, on a grid that has ties; one in 25 is None."""
    rng = np.random.default_rng(seed)
    levels = np.exp(np.cumsum(0.3 * rng.standard_normal((n_days, n_series)), axis=0) * 0.5)
    grid = np.round(levels / levels.max(axis=0), 2)
    return [tuple(None if rng.random() < 0.04 else float(v) for v in row) for row in grid]
