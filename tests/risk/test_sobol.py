"""The Sobol sequence against SciPy's, and what its scrambling must leave and must change."""

import warnings

import numpy as np
import pytest
from scipy.stats import kstest, qmc, t

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import asset_shocks, simulation
from rpmcore.kernels import sobol as kernels
from rpmcore.risk.simulated_assets import simulate_asset_returns
from rpmcore.risk.simulation import simulate_losses, simulate_tail_risk
from rpmcore.risk.sobol import MOST_DIMENSIONS, RUNS, generator_matrices, scramblings

COMPILED = hasattr(kernels.sobol_words, "py_func")


def test_unscrambled_points_are_those_of_scipy():
    """SciPy walks along the Gray code and has 30 digits."""
    n = 1_024 if COMPILED else 64
    expected = qmc.Sobol(MOST_DIMENSIONS, scramble=False, bits=30).random(n)
    index = np.arange(n, dtype=np.uint64)
    points = index ^ (index >> np.uint64(1))
    columns = generator_matrices(MOST_DIMENSIONS)
    assert columns.shape == (64, 32)
    words = np.empty(n, np.uint64)
    for dimension in range(MOST_DIMENSIONS):
        kernels.sobol_words(points, columns[dimension], np.uint64(0), words)
        np.testing.assert_array_equal(words.astype(np.float64) * 2.0**-64, expected[:, dimension])


def test_points_far_along_are_those_of_scipy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence = qmc.Sobol(7, scramble=False, bits=30).fast_forward(1_000_003)
    expected = sequence.random(1)[0]
    point = np.array([1_000_003 ^ (1_000_003 >> 1)], np.uint64)
    words = np.empty(1, np.uint64)
    for dimension, columns in enumerate(generator_matrices(7)):
        kernels.sobol_words(point, columns, np.uint64(0), words)
        assert float(words[0]) * 2.0**-64 == expected[dimension]


@pytest.mark.parametrize("dimension", [0, 1, 40, 63])
def test_scrambling_leaves_one_point_in_each_cell_of_every_coordinate(dimension):
    points = np.arange(256, dtype=np.uint64)
    for sequence in scramblings(64, np.uint64(9)):
        cells = np.floor(sequence.uniforms(points, dimension) * 256.0)
        np.testing.assert_array_equal(np.sort(cells), np.arange(256.0))


def test_scrambling_leaves_the_plane_even():
    """The first two dimensions are a (0, m, 2)-net: one point in each box of area 2⁻ᵐ, whatever its shape."""
    points = np.arange(64, dtype=np.uint64)
    for sequence in scramblings(2, np.uint64(9)):
        x, y = sequence.uniforms(points, 0), sequence.uniforms(points, 1)
        for split in range(7):
            boxes = np.floor(x * 2**split) * 64 + np.floor(y * 2 ** (6 - split))
            assert np.unique(boxes).shape == (64,)


def test_every_scrambled_point_is_uniform():
    """Over many seeds both coordinates of point 5 of a run are uniform and independent: every run is unbiased."""
    seeds = 200 if COMPILED else 20
    point = np.array([5], np.uint64)
    draws = np.array(
        [
            [sequence.uniforms(point, dimension)[0] for dimension in (0, 1)]
            for seed in range(seeds)
            for sequence in scramblings(2, np.uint64(seed))
        ]
    )
    assert draws.shape == (RUNS * seeds, 2)
    for column in draws.T:
        assert kstest(column, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 4.0 / np.sqrt(RUNS * seeds)


def test_runs_and_seeds_differ():
    points = np.arange(16, dtype=np.uint64)
    first = [tuple(s.words(points, 0)) for seed in (1, 2) for s in scramblings(1, np.uint64(seed))]
    assert len(set(first)) == 2 * RUNS


@pytest.mark.parametrize("dof", [2.5, 4.5, 60.0])
def test_student_t_shocks_share_their_mixing_variable(dof):
    n_paths = 65_536 if COMPILED else 1_024
    returns = simulate_asset_returns(np.eye(2), n_paths, seed=4, distribution="student_t", dof=dof, sampling="sobol")
    scale = np.sqrt((dof - 2.0) / dof)
    for column in returns.T:
        assert kstest(column, t(dof, scale=scale).cdf).pvalue > 0.5  # evener than independent draws
    both = np.mean((np.abs(returns) > 2.0).all(axis=1))
    assert both > np.prod(np.mean(np.abs(returns) > 2.0, axis=0))


@pytest.mark.parametrize(
    ("n_assets", "horizon", "reduction", "distribution", "told"),
    [
        (65, 1, False, "normal", r"64 dimensions, but a path would take 65: 65 coordinate\(s\) for each of 1 day"),
        (64, 1, False, "student_t", "would take 65"),
        (13, 5, False, "normal", "would take 65: 13"),
        (1, 33, True, "student_t", "would take 66: two coordinates for each of 33"),
    ],
)
def test_more_coordinates_than_the_sequence_has_are_refused(n_assets, horizon, reduction, distribution, told):
    dof = 5.0 if distribution == "student_t" else None
    with pytest.raises(InvalidArgument, match=told):
        simulate_losses(
            np.ones(n_assets),
            np.eye(n_assets),
            32,
            seed=1,
            horizon=horizon,
            reduction=reduction,
            distribution=distribution,
            dof=dof,
            sampling="sobol",
        )


def test_all_the_coordinates_it_has_may_be_taken():
    losses = simulate_losses(np.ones(16), np.eye(16), 16, seed=1, horizon=4, sampling="sobol")
    assert np.isfinite(losses).all()
    one_dimension = simulate_tail_risk(
        np.ones(100), np.eye(100), [0.95], 1_024, seed=1, horizon=250, reduction=True, sampling="sobol"
    )
    assert one_dimension[0].value_at_risk == pytest.approx(1.645 * np.sqrt(25_000.0), rel=0.02)


def test_no_kernel_compiles_for_types_it_does_not_declare():
    """Compiled for another type, a kernel would compile in the middle of a run although warmed up."""
    for reduction, horizon in ((True, 2), (False, 1)):
        for distribution, dof in (("normal", None), ("student_t", 4.5)):
            model = {"seed": 1, "distribution": distribution, "dof": dof, "horizon": horizon, "sampling": "sobol"}
            simulate_tail_risk(np.ones(3), np.eye(3), [0.9], 64, **model, reduction=reduction)
    for sampling in ("pseudo", "antithetic", "sobol"):
        simulate_asset_returns(np.eye(3), 64, seed=1, distribution="student_t", dof=4.5, sampling=sampling)
    simulate_losses(np.ones(3), np.eye(3), 64, seed=1)
    simulate_tail_risk(np.ones(3), np.eye(3), [0.9], 64, seed=1)
    kernels_used = (
        kernels.sobol_words,
        kernels.normal_quantiles,
        asset_shocks.asset_shocks,
        asset_shocks.add_loaded,
        simulation.split,
        simulation.excess_sums,
    )
    for kernel in kernels_used:
        assert not COMPILED or len(kernel.signatures) == 1, kernel
