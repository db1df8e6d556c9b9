"""What `docs/migration.md` says of other libraries: each relation, with the library run beside rpm on the sample."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import norm

from rpmcore.risk.covariance import ewma_covariance, sample_covariance
from rpmcore.risk.decomposition import component_volatility
from rpmcore.risk.diversification import diversification_ratio, effective_number_of_positions
from rpmcore.risk.nearest_correlation import nearest_correlation
from rpmcore.risk.performance.downside import downside_ratios
from rpmcore.risk.performance.sharpe import sharpe_ratio
from rpmcore.risk.rolling import rolling_historical
from rpmcore.risk.shrinkage import ledoit_wolf, oas, shrink
from rpmcore.risk.sizing.kelly import kelly_fraction
from rpmcore.risk.tail_decomposition import historical_marginals
from rpmcore.risk.value_at_risk import excess_kurtosis, historical, normal, skewness

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
HELD = {"MSFT": 0.30, "JPM": 0.18, "UNH": 0.20, "XOM": 0.16, "HD": 0.14, "AAPL": -0.10, "BBY": -0.06, "WMT": -0.09}
EXACT = {"rtol": 1e-12, "atol": 1e-15}


@pytest.fixture(scope="module")
def prices():
    table = pq.read_table(ROOT / "data" / "prices.parquet", columns=["date", *HELD]).to_pandas()
    table["date"] = pd.to_datetime(table["date"])
    return table.set_index("date").dropna().iloc[-501:]


@pytest.fixture(scope="module")
def r(prices):
    return prices.pct_change().dropna()


@pytest.fixture(scope="module")
def x(r):
    return np.ascontiguousarray(r.to_numpy())


@pytest.fixture(scope="module")
def w():
    return np.array(list(HELD.values()))


@pytest.fixture(scope="module")
def pnl(x, w):
    return x @ w


@pytest.fixture(scope="module")
def s(r, pnl):
    return pd.Series(pnl, index=r.index)


@pytest.fixture(scope="module")
def rp():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        import riskfolio

        return riskfolio


@pytest.fixture(scope="module")
def sk():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import skfolio

        return skfolio


def test_quantstats_value_at_risk_is_the_normal_one_with_the_samples_mean(pnl):
    theirs = norm.ppf(0.05, pnl.mean(), pnl.std(ddof=1))
    ours = normal(pnl.std(ddof=1), 0.95, pnl.mean())
    np.testing.assert_allclose(ours.value_at_risk, -theirs, rtol=1e-12)
    shortfall = -pnl.mean() + pnl.std(ddof=1) * norm.pdf(norm.ppf(0.05)) / 0.05
    np.testing.assert_allclose(ours.expected_shortfall, shortfall, rtol=1e-12)


def test_quantstats_historical_cvar_is_the_same_where_the_tail_is_whole(pnl):
    def theirs(x):
        return -x[x <= np.quantile(x, 0.05)].mean()

    np.testing.assert_allclose(historical(pnl, 0.95).expected_shortfall, theirs(pnl), rtol=1e-12)
    assert abs(historical(pnl[:-10], 0.95).expected_shortfall - theirs(pnl[:-10])) > 1e-6


def test_quantstats_ratios(s, pnl):
    downside = np.sqrt((s[s < 0] ** 2).sum() / s.count())
    growth = np.prod(1 + pnl) ** (252 / len(pnl)) - 1
    wealth = np.concatenate(([1.0], np.cumprod(1 + pnl)))
    deepest = (wealth / np.maximum.accumulate(wealth)).min() - 1
    found = downside_ratios(pnl, seed=1)
    np.testing.assert_allclose(sharpe_ratio(pnl).value, s.mean() / s.std(ddof=1) * np.sqrt(252), rtol=1e-12)
    np.testing.assert_allclose(found.sortino.value, s.mean() / downside * np.sqrt(252), rtol=1e-12)
    np.testing.assert_allclose(found.calmar.value, growth / abs(deepest), rtol=1e-12)


def test_quantstats_kelly_is_ours_times_the_average_loss(pnl):
    p, b, a = (pnl > 0).mean(), pnl[pnl > 0].mean(), -pnl[pnl < 0].mean()
    np.testing.assert_allclose(kelly_fraction(p, b, a) * a, p - (1 - p) / (b / a), rtol=1e-12)


def test_riskfolio_historical(rp, s, pnl):
    ours = historical(pnl, 0.95)
    np.testing.assert_allclose(rp.VaR_Hist(s, alpha=0.05), ours.value_at_risk, **EXACT)
    np.testing.assert_allclose(rp.CVaR_Hist(s, alpha=0.05), ours.expected_shortfall, **EXACT)
    milder = np.sort(-pnl)[::-1][25]
    np.testing.assert_allclose(rp.VaR_Hist(s, alpha=1 - 0.95), milder, **EXACT)


def test_riskfolio_contributions(rp, r, x, w, pnl):
    cov = sample_covariance(x)
    theirs = np.ravel(rp.Risk_Contribution(w, r, cov, rm="MV"))
    np.testing.assert_allclose(theirs, component_volatility(w, cov), atol=1e-9)
    marginals = historical_marginals(x, w, 0.95)
    theirs = np.ravel(rp.Risk_Contribution(w, r, rm="CVaR", alpha=0.05))
    np.testing.assert_allclose(theirs, w * marginals.expected_shortfall, atol=1e-9)
    theirs = np.ravel(rp.Risk_Contribution(w, r, rm="VaR", alpha=0.05))
    one_day = np.argsort(-pnl)[::-1][24]
    np.testing.assert_allclose(theirs, -w * x[one_day], atol=1e-9)
    for parts in (theirs, w * marginals.value_at_risk):
        np.testing.assert_allclose(parts.sum(), historical(pnl, 0.95).value_at_risk, atol=1e-9)


def test_riskfolio_covariances_and_kurtosis(rp, r, x, s, pnl):
    from riskfolio.src.ParamsEstimation import covar_matrix

    np.testing.assert_allclose(np.asarray(covar_matrix(r, method="hist")), sample_covariance(x), **EXACT)
    np.testing.assert_allclose(np.asarray(covar_matrix(r, method="ledoit")), ledoit_wolf(x).covariance, **EXACT)
    pandas = r.ewm(alpha=0.06).cov().loc[r.index[-1]].to_numpy()
    np.testing.assert_allclose(np.asarray(covar_matrix(r, method="ewma1", d=0.94)), pandas, **EXACT)
    variance = np.mean((pnl - pnl.mean()) ** 2)
    np.testing.assert_allclose(rp.Kurtosis(s) ** 2 / variance**2 - 3, excess_kurtosis(pnl), rtol=1e-11)


@pytest.mark.usefixtures("sk")
def test_skfolio_tail(pnl):
    from skfolio.measures import cvar, value_at_risk

    worst = np.sort(-pnl)[::-1]
    np.testing.assert_allclose(historical(pnl, 0.95).value_at_risk, worst[24], **EXACT)
    np.testing.assert_allclose(value_at_risk(pnl, beta=0.95), worst[25], **EXACT)
    np.testing.assert_allclose(value_at_risk(pnl[:-10], beta=0.95), historical(pnl[:-10], 0.95).value_at_risk, **EXACT)
    for rows in (pnl, pnl[:-10]):
        np.testing.assert_allclose(cvar(rows, beta=0.95), historical(rows, 0.95).expected_shortfall, **EXACT)


@pytest.mark.usefixtures("sk")
def test_skfolio_covariances(r, x):
    from skfolio.moments import EWCovariance, LedoitWolf

    np.testing.assert_allclose(LedoitWolf().fit(r).covariance_, ledoit_wolf(x).covariance, **EXACT)
    half_life = np.log(0.5) / np.log(0.94)
    assert f"{half_life:.1f} days" in PAGE
    theirs = EWCovariance(half_life=half_life, assume_centered=True).fit(r).covariance_
    np.testing.assert_allclose(theirs, ewma_covariance(x, 0.94), **EXACT)


def test_skfolio_portfolio(sk, r, x, w, pnl):
    cov = sample_covariance(x)
    short, long = sk.Portfolio(X=r, weights=w), sk.Portfolio(X=r, weights=abs(w) / abs(w).sum())
    signed = w @ np.sqrt(np.diagonal(cov)) / np.sqrt(w @ cov @ w)
    np.testing.assert_allclose(short.diversification, signed, rtol=1e-12)
    assert short.diversification < diversification_ratio(w, cov)
    only_long = abs(w) / abs(w).sum()
    np.testing.assert_allclose(long.diversification, diversification_ratio(only_long, cov), rtol=1e-12)
    np.testing.assert_allclose(short.effective_number_assets, 1 / (w @ w), rtol=1e-12)
    np.testing.assert_allclose(long.effective_number_assets, effective_number_of_positions(w), rtol=1e-12)
    np.testing.assert_allclose(short.annualized_sharpe_ratio, sharpe_ratio(pnl).value, rtol=1e-12)


def test_pyportfolioopt(prices, x):
    from pypfopt import risk_models

    shrinkage = risk_models.CovarianceShrinkage(prices)
    for theirs, ours in (
        (risk_models.sample_cov(prices), sample_covariance(x)),
        (risk_models.exp_cov(prices, span=180), ewma_covariance(x - x.mean(0), 1 - 2 / 181)),
        (shrinkage.shrunk_covariance(0.1), shrink(sample_covariance(x), 0.1)),
        (shrinkage.ledoit_wolf(), ledoit_wolf(x).covariance),
        (shrinkage.oracle_approximating(), oas(x).covariance),
    ):
        np.testing.assert_allclose(theirs.to_numpy() / 252, ours, **EXACT)
    theirs = shrinkage.ledoit_wolf("constant_correlation").to_numpy() / 252
    ours = ledoit_wolf(x, "constant_correlation").covariance
    assert 1e-9 < abs(theirs - ours).max() < 0.01 * ours.max()


def test_pyportfolioopt_repairs_a_matrix_that_is_no_correlation():
    from pypfopt import risk_models

    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it amends eigenvalues, and that this did not do
        theirs = risk_models.fix_nonpositive_semidefinite(impossible)
    assert abs(np.diagonal(theirs) - 1).max() > 0.1
    np.testing.assert_allclose(np.diagonal(nearest_correlation(impossible).matrix), 1.0)


def test_pandas(r, x, s, pnl):
    np.testing.assert_allclose(r.cov().to_numpy(), sample_covariance(x), **EXACT)
    biased = r.ewm(alpha=0.06).cov(bias=True).loc[r.index[-1]].to_numpy()
    mean = r.ewm(alpha=0.06).mean().iloc[-1].to_numpy()
    np.testing.assert_allclose(biased + np.outer(mean, mean), ewma_covariance(x, 0.94), **EXACT)
    weights = 0.94 ** np.arange(len(x))
    weights /= weights.sum()
    default = r.ewm(alpha=0.06).cov().loc[r.index[-1]].to_numpy()
    np.testing.assert_allclose(default, biased / (1 - weights @ weights), rtol=1e-11)
    np.testing.assert_allclose(historical(pnl, 0.95, quantile="type7").value_at_risk, -s.quantile(0.05), **EXACT)
    n, g1, g2 = len(s), skewness(pnl), excess_kurtosis(pnl)
    np.testing.assert_allclose(s.skew(), g1 * np.sqrt(n * (n - 1)) / (n - 2), rtol=1e-10)
    np.testing.assert_allclose(s.kurt(), (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6), rtol=1e-10)
    # Of 250 returns the observed one below the interpolated quantile is the 13th worst, which is ours.
    observed = s.rolling(250).quantile(0.05, interpolation="lower").dropna().to_numpy()
    np.testing.assert_allclose(rolling_historical(pnl, 0.95, 250).value_at_risk, -observed, **EXACT)


def test_the_report_has_the_returns_of_pandas(rpm, r, tmp_path):
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\n" + "".join(f"{symbol},{weight}\n" for symbol, weight in HELD.items()))
    options = "--covariance sample --shrinkage none --lookback 500 --format csv --quiet --base-currency USD"
    done = rpm("evaluate", book, "--prices", ROOT / "data" / "prices.parquet", *options.split())
    assert done.code == 0, done.err
    annual = float(re.search(r"^volatility,\d*,annual,(.+)$", done.out, re.MULTILINE)[1])
    pnl = r.to_numpy() @ np.array(list(HELD.values()))
    np.testing.assert_allclose(annual, pnl.std(ddof=1) * np.sqrt(252), rtol=1e-10)


def test_empyrical(s, pnl):
    import empyrical

    found = downside_ratios(pnl, seed=1)
    ours = historical(pnl, 0.95, quantile="type7").value_at_risk
    np.testing.assert_allclose(ours, -empyrical.value_at_risk(s), **EXACT)
    shortfall = historical(pnl, 0.95).expected_shortfall
    np.testing.assert_allclose(shortfall, -empyrical.conditional_value_at_risk(s), **EXACT)
    np.testing.assert_allclose(sharpe_ratio(pnl).value, empyrical.sharpe_ratio(s), rtol=1e-12)
    np.testing.assert_allclose(found.sortino.value, empyrical.sortino_ratio(s), rtol=1e-12)
    np.testing.assert_allclose(found.calmar.value, empyrical.calmar_ratio(s), rtol=1e-12)


def test_the_figures_of_the_page(rp, sk, r, x, w, s, pnl):
    from skfolio.measures import value_at_risk

    ours, portfolio = historical(pnl, 0.95), sk.Portfolio(X=r, weights=w)
    cov, mean = sample_covariance(x), normal(pnl.std(ddof=1), 0.95, pnl.mean()).value_at_risk
    rows = (
        f"| {100 * ours.value_at_risk:.4f} % | Riskfolio-Lib {100 * rp.VaR_Hist(s, alpha=0.05):.4f} %, skfolio "
        f"{100 * value_at_risk(pnl, beta=0.95):.4f} %, pandas and empyrical −{-100 * s.quantile(0.05):.4f} % |",
        f"| {100 * mean:.4f} % | quantstats −{-100 * norm.ppf(0.05, s.mean(), s.std()):.4f} % |",
        f"| {100 * ours.expected_shortfall:.4f} % | Riskfolio-Lib, skfolio {100 * rp.CVaR_Hist(s, alpha=0.05):.4f} %",
        f"| {diversification_ratio(w, cov):.4f} | skfolio {portfolio.diversification:.4f} |",
        f"| {effective_number_of_positions(w):.4f} | skfolio {portfolio.effective_number_assets:.4f} |",
        f"| {excess_kurtosis(pnl):.4f} | pandas {s.kurt():.4f} |",
    )
    assert [row for row in rows if row not in PAGE] == []
