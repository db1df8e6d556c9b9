from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.dynamic_quantile import dynamic_quantile
from tests.oracles import backtesting as oracle


def garch(n_obs, rng):
    """Losses and their standard deviations, which are known the day before."""
    z, sigma, losses = rng.standard_normal(n_obs), np.ones(n_obs), np.empty(n_obs)
    for t in range(n_obs):
        losses[t] = sigma[t] * z[t]
        if t + 1 < n_obs:
            sigma[t + 1] = np.sqrt(0.05 + 0.1 * losses[t] ** 2 + 0.85 * sigma[t] ** 2)
    return losses, sigma


def run(losses, var, confidence, **more):
    return dynamic_quantile(losses, var, confidence=confidence, seed=1, replications=999, **more)


@pytest.mark.parametrize(("n_obs", "confidence"), [(40, 0.9), (250, 0.99), (1000, 0.95), (1000, 0.7)])
@pytest.mark.parametrize("constant", [False, True])
def test_it_is_a_least_squares_fit(n_obs, confidence, constant):
    losses, sigma = garch(n_obs, np.random.default_rng(n_obs))
    var = NormalDist().inv_cdf(confidence) * (np.ones(n_obs) if constant else sigma)
    found = run(losses, var, confidence)
    statistic, rank = oracle.dynamic_quantile(losses, var, 1.0 - confidence)
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.detail["rank"] == rank
    assert found.p_value_asymptotic == pytest.approx(stats.chi2.sf(statistic, rank), rel=1e-7)


def test_a_constant_value_at_risk_adds_no_regressor_and_says_so():
    wild = np.arange(1000) % 100 < 20
    losses = np.random.default_rng(4).standard_normal(1000) * np.where(wild, 2.5, 0.8)
    found = run(losses, np.full(1000, 1.8), 0.95)
    assert found.detail["collinear"] is True
    assert found.detail["rank"] == 6
    assert found.note == "only 6 of 7 regressors are independent"
    # Losses with calm and wild times against one and the same forecast: violations can be foreseen.
    assert found.verdict == "fail"


@pytest.mark.parametrize(("level", "verdict"), [(9.0, "pass"), (-9.0, "fail")])
def test_no_violation_and_nothing_but_violations(level, verdict):
    losses, _ = garch(60, np.random.default_rng(2))
    found = run(losses, np.full(60, level), 0.95)
    assert found.detail["rank"] == 2  # a constant and the squared returns
    hit = (1.0 if level < 0.0 else 0.0) - 0.05
    assert found.statistic == pytest.approx(56 * hit**2 / (0.05 * 0.95))
    assert found.verdict == verdict


def test_too_few_days_are_not_tested():
    assert run(np.arange(11.0), np.full(11, 5.0), 0.95).verdict == "untested"
    assert run(np.arange(12.0), np.full(12, 20.0), 0.95).verdict == "pass"
    assert "0 day(s)" in run([1.0], [2.0], 0.95).p_value_reason


def test_returns_of_their_own_take_the_place_of_losses():
    losses, sigma = garch(300, np.random.default_rng(3))
    var = 1.645 * sigma
    plain = run(losses, var, 0.95)
    assert run(losses, var, 0.95, returns=-losses) == plain
    assert run(losses, var, 0.95, returns=np.roll(losses, 7)) != plain
    assert run(losses, var, 0.95, returns=np.zeros(300)).detail["rank"] == 6
    with pytest.raises(InvalidArgument, match="returns has 2"):
        run(losses, var, 0.95, returns=[0.1, 0.2])


def test_the_simulated_size_holds_where_the_asymptotic_does_not():
    """GARCH losses and their true value at risk at 99 %: χ² fails more than one right model in ten."""
    rng, simulated, asymptotic = np.random.default_rng(9), 0, 0
    for seed in range(300):
        losses, sigma = garch(250, rng)
        var = NormalDist().inv_cdf(0.99) * sigma
        found = dynamic_quantile(losses, var, confidence=0.99, seed=seed, replications=199)
        simulated += found.verdict == "fail"
        asymptotic += found.p_value_asymptotic <= 0.05
    assert simulated / 300 == pytest.approx(0.05, abs=0.035)
    assert asymptotic / 300 > 0.075
