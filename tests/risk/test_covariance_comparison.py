import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from rpmcore.domain.errors import InsufficientData, InvalidArgument
from rpmcore.risk import covariance as estimators
from rpmcore.risk.covariance_comparison import candidates, compare_covariances, mean_error
from rpmcore.risk.settings import CovarianceSettings
from tests.oracles import covariance_scores as oracle
from tests.samples import correlated_returns

WEIGHTS = np.array([0.4, -0.2, 0.3, 0.1])
RETURNS = correlated_returns(160, 4, seed=2)


def by_name(scores):
    return {score.name: score for score in scores}


@pytest.mark.parametrize("return_days", [1, 2, 3])
def test_the_scores_are_those_of_the_forecasts(return_days):
    found = by_name(compare_covariances(RETURNS, WEIGHTS, CovarianceSettings(), return_days=return_days))
    first = 60 + return_days - 1
    windows = [RETURNS[t - return_days + 1 - 60 : t - return_days + 1] for t in range(first, 160)]
    covariances = [estimators.ledoit_wolf(window).covariance for window in windows]
    variances = [WEIGHTS @ cov @ WEIGHTS for cov in covariances]
    pnl = RETURNS[first:] @ WEIGHTS
    score = found["LW identity"]
    assert score.n_forecasts == 160 - first
    assert score.qlike == pytest.approx(oracle.qlike(variances, pnl), rel=1e-12)
    assert score.bias == pytest.approx(np.sqrt(np.mean(pnl**2 / variances)), rel=1e-12)
    assert score.matrix_qlike == pytest.approx(oracle.matrix_score(covariances, RETURNS[first:]), rel=1e-10)
    for exceedance in score.exceedances:
        expected = oracle.exceedance(variances, pnl, stats.norm.ppf(exceedance.confidence))
        assert exceedance.rate == expected
        assert exceedance.expected == pytest.approx(1.0 - exceedance.confidence)


def test_best_first_with_what_the_others_lose_against_it():
    scores = compare_covariances(RETURNS, WEIGHTS, CovarianceSettings())
    assert scores[0].qlike_excess == 0.0
    assert scores[0].excess_error == 0.0
    values = [score.qlike for score in scores]
    assert values == sorted(values)
    for score in scores[1:]:
        assert score.qlike_excess == pytest.approx(score.qlike - scores[0].qlike, abs=1e-12)
        assert score.told_apart is (score.qlike_excess > 2.0 * score.excess_error)


def test_volatility_that_moves_is_better_followed_by_recent_days():
    """Half a year of calm, then four times the volatility: equal weights of 60 days lag behind."""
    rng = np.random.default_rng(4)
    level = np.where(np.arange(700) // 70 % 2 == 0, 0.005, 0.02)
    returns = level[:, None] * rng.standard_normal((700, 3))
    found = by_name(compare_covariances(returns, np.ones(3) / 3, CovarianceSettings()))
    assert found["sample"].qlike_excess > 2.0 * found["sample"].excess_error
    assert found["sample"].told_apart
    assert found["EWMA 0.94"].qlike < found["sample"].qlike


def test_with_many_assets_shrinkage_forecasts_the_matrix_better():
    returns = np.random.default_rng(6).standard_normal((200, 40)) * 0.01
    found = by_name(compare_covariances(returns, np.ones(40) / 40, CovarianceSettings()))
    assert found["LW identity"].matrix_qlike < found["sample"].matrix_qlike
    assert found["nonlinear shrinkage"].matrix_qlike < found["sample"].matrix_qlike


def test_a_singular_matrix_has_no_score_but_its_book_has():
    found = by_name(compare_covariances(correlated_returns(150, 70), np.ones(70) / 70, CovarianceSettings()))
    assert found["sample"].matrix_qlike is None
    assert "singular" in found["sample"].matrix_qlike_reason
    assert found["sample"].qlike is not None
    assert found["OAS"].matrix_qlike is not None


def test_a_book_that_cancels_out_is_not_scored():
    returns = np.repeat(correlated_returns(120, 1), 2, axis=1)
    scores = by_name(compare_covariances(returns, np.array([1.0, -1.0]), CovarianceSettings(shrinkage=None)))
    assert scores["sample"].qlike is None
    assert "no variance" in scores["sample"].qlike_reason


def test_the_settings_in_use_are_marked_once():
    for settings in (
        CovarianceSettings(),
        CovarianceSettings(method="oas"),
        CovarianceSettings(method="ledoit_wolf", target="constant_correlation"),
        CovarianceSettings(method="ewma", decay=0.9, shrinkage=0.3),
        CovarianceSettings(method="stressed"),
        CovarianceSettings(method="sample", shrinkage="ledoit_wolf"),
    ):
        assert sum(chosen == settings for chosen in candidates(settings).values()) == 1
        scores = compare_covariances(RETURNS, WEIGHTS, settings)
        assert sum(score.configured for score in scores) == 1


@pytest.mark.parametrize("at_least", [0, 1, 9])
def test_the_error_of_a_mean_is_newey_and_wests(at_least):
    rng = np.random.default_rng(9)
    x = np.convolve(rng.standard_normal(303), [1.0, 0.6, 0.3], mode="valid")
    lags = max(at_least, int(4 * (len(x) / 100) ** (2 / 9)))
    theirs = sm.OLS(x, np.ones(len(x))).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    assert mean_error(x, at_least) == pytest.approx(float(theirs.bse[0]), rel=1e-10)


def test_misuse():
    with pytest.raises(InsufficientData, match="at least 30 days after the first 60, but there are 20"):
        compare_covariances(RETURNS[:80], WEIGHTS, CovarianceSettings())
    with pytest.raises(InvalidArgument, match="3 element"):
        compare_covariances(RETURNS, np.ones(3), CovarianceSettings())
    with pytest.raises(InvalidArgument):
        mean_error([1.0, np.nan])
