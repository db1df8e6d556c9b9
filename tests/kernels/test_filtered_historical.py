import numpy as np
import pytest

from rpmcore.kernels import filtered_historical as kernels
from tests.oracles import filtered_historical as oracle
from tests.samples import correlated_returns

RETURNS = correlated_returns(45, 3, seed=4)
WEIGHTS = np.array([0.5, -0.25, 1.0])


def standardised(returns, decay=0.9, burn_in=5):
    z, variances = np.empty((len(returns) - burn_in, returns.shape[1])), np.empty(returns.shape[1])
    return z, variances, kernels.standardise(returns, decay, burn_in, z, variances)


@pytest.mark.parametrize(("decay", "burn_in"), [(0.9, 1), (0.94, 30), (0.5, 5)])
def test_each_return_over_the_volatility_known_before_it(decay, burn_in):
    z, variances, wrong = standardised(RETURNS, decay, burn_in)
    expected, last = oracle.standardised(RETURNS.tolist(), decay, burn_in)
    assert wrong == -1
    # The recursion and the weighted sum round differently, by a few units in the last place of 45 terms.
    np.testing.assert_allclose(z, expected, rtol=1e-12)
    np.testing.assert_allclose(variances, last, rtol=1e-12)


def test_a_series_that_stands_still_stays_still_and_one_that_wakes_is_named():
    returns = RETURNS.copy()
    returns[:, 1] = 0.0
    z, variances, wrong = standardised(returns)
    assert wrong == -1
    assert not z[:, 1].any()
    assert variances[1] == 0.0
    returns[20, 1] = 0.01
    assert standardised(returns)[2] == 1


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_paths_are_those_of_the_definition(horizon):
    z, variances, _ = standardised(RETURNS)
    losses = np.empty(5)
    seed, first = np.uint64(2**63 + 1), np.uint64(1000)
    growth = np.sqrt(0.9 + 0.1 * z**2)
    arguments = (z, growth, np.sqrt(variances), WEIGHTS, horizon)
    assert kernels.path_losses(*arguments, seed, first, -np.inf, losses) == 5
    expected = [oracle.path_loss(z.tolist(), variances, WEIGHTS, 0.9, horizon, int(seed), 1000 + p) for p in range(5)]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_only_losses_at_or_beyond_the_pivot_are_kept_in_their_order():
    z, variances, _ = standardised(RETURNS)
    growth = np.sqrt(0.9 + 0.1 * z**2)
    arguments = (z, growth, np.sqrt(variances), WEIGHTS, 3, np.uint64(1), np.uint64(0))
    everything, some = np.empty(50), np.empty(50)
    kernels.path_losses(*arguments, -np.inf, everything)
    pivot = float(np.sort(everything)[40])
    count = kernels.path_losses(*arguments, pivot, some)
    np.testing.assert_array_equal(some[:count], everything[everything >= pivot])
