"""Plain Python against the compiled form: the oracle holds the compiled one in tests/risk/test_stress_path.py."""

import numpy as np
import pytest

from rpmcore.kernels import asset_shocks, random_numbers, simulation, stress_paths

SEED = np.uint64(5)
DURATIONS = np.array([3, 1, 2], dtype=np.int64)


def run(kernels, dof):
    """Two prices and two assets, of which the second is a pair converted by the first, on three paths."""
    shape = (3, 3)
    volatility, theta = np.full(shape, 5.0), np.full(shape, 0.4)
    scales, market, moves = np.ones(shape), np.zeros(shape), np.zeros((*shape, 2))
    loadings = np.array([[0.010, 0.0], [0.005, 0.008]])
    adverse = np.array([0.010, -np.hypot(0.005, 0.008)])
    exposures = np.array([1.0, 0.5])
    direction = exposures / 1.25
    paths = np.array([0, 9, 2**33], np.uint64)
    kernels.shocked_days(paths, dof, SEED, loadings, adverse, volatility, theta, DURATIONS, scales, moves)
    gaps = np.zeros((3, 2))
    gaps[1] = 0.1, -0.1
    own = float(np.sum((direction @ loadings) ** 2))
    logs = np.log1p([-0.1, -0.2, -0.3])
    kernels.tie_market(
        scales, volatility, theta, DURATIONS, exposures, direction, gaps, own, float(direction @ adverse) ** 2, logs,
        market, moves,
    )  # fmt: skip
    returns, growth = np.zeros((*shape, 2)), np.ones((*shape, 2))
    legs, divide = np.array([[-1], [0]]), np.array([[0], [1]])
    kernels.revalue(moves, DURATIONS, legs, divide, np.array([0, 1]), np.array([0, 1]), returns, growth)
    equity, breaches = np.ones((2, *shape)), np.zeros((2, *shape))
    acted = np.zeros((3, 2), dtype=np.int64)
    kernels.run_books(
        returns, growth, DURATIONS, np.array([1.0, -0.5]), np.eye(2) * 1e-4, 0.94, 2.33, np.array([[0.012, 0.010]]),
        0.1, np.array([1e-3, 0.0]), np.array([2.0, np.inf]), np.array([0.01, 0.01]), np.full(shape, 10.0),
        np.full(shape, 0.5), volatility, 0.1, 1.0, equity, breaches, acted,
    )  # fmt: skip
    return market, moves, returns, growth, equity, breaches, acted


@pytest.mark.parametrize("dof", [np.inf, 3.0])
def test_plain_and_compiled_agree(dof, plain, monkeypatch):
    compiled = run(stress_paths, dof)
    for module in (random_numbers, asset_shocks, simulation, stress_paths):
        for name, function in vars(module).copy().items():
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, plain(function))
    for one, other in zip(compiled, run(stress_paths, dof), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
    assert compiled[-1][:, 0].any()


def test_days_beyond_the_duration_stay_untouched():
    market, moves, *_ = run(stress_paths, 3.0)
    assert not market[1, 1:].any()
    assert not moves[2, 2:].any()
    assert moves[0, 2:].all()


@pytest.mark.parametrize("form", ["compiled", "plain"])
def test_a_trade_by_hand(form, plain):
    """Half spreads of 10 and 20 bp five times as wide; a tenth of half the volume of 2 can be sold of the first."""
    kernel = stress_paths.trade if form == "compiled" else plain(stress_paths.trade)
    held, goal = np.array([0.5, -0.3, 0.2]), np.array([0.0, 0.0, 0.2])
    volumes, spreads = np.array([2.0, np.inf, 1.0]), np.array([0.001, 0.002, 0.5])
    cost = kernel(held, goal, spreads, volumes, np.array([0.01, 0.02, 0.03]), 5.0, 0.5, 4.0, 0.1, 1.5)
    np.testing.assert_allclose(held, [0.4, 0.0, 0.2], rtol=1e-15)
    impact = 1.5 * 0.01 * 4.0 * np.sqrt(0.1 / 1.0)
    assert cost == pytest.approx(0.1 * (0.005 + impact) + 0.3 * 0.010, rel=1e-14)


@pytest.mark.parametrize("form", ["compiled", "plain"])
def test_a_breach_is_a_loss_over_its_forecast(form, plain):
    kernel = stress_paths.breach if form == "compiled" else plain(stress_paths.breach)
    assert kernel(-0.03, 1e-4, 2.0) == pytest.approx(1.5)
    assert kernel(0.03, 1e-4, 2.0) == pytest.approx(-1.5)
    assert kernel(-0.03, 0.0, 2.0) == np.inf
    assert kernel(0.0, 0.0, 2.0) == -np.inf
