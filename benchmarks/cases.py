"""What is measured: each task of ours beside the peer that a desk would otherwise use, on the same data.

``target`` is what we aim at; ``floor`` is about half of what was measured, because machines are noisy, and CI fails
below it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Pair = tuple[Callable[[], Any], Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table. `build` gives (ours, peer); `long` ones are left out of the short mode."""

    name: str
    peer: str
    build: Callable[[], Pair]
    target: float
    floor: float
    long: bool = False


def returns(n_obs: int, n_assets: int) -> Any:
    rng = np.random.default_rng(n_obs * 1000 + n_assets)
    market = rng.standard_t(5, size=(n_obs, 1))
    return 0.01 * (0.5 * market + rng.standard_t(5, size=(n_obs, n_assets)))


def ledoit_wolf(n_obs: int, n_assets: int) -> Pair:
    from sklearn.covariance import ledoit_wolf as theirs

    from rpmcore.risk.covariance import ledoit_wolf as ours

    x = returns(n_obs, n_assets)
    return lambda: ours(x), lambda: theirs(x)


def ewma(n_obs: int, n_assets: int) -> Pair:
    from skfolio.moments import EWCovariance

    from rpmcore.risk.covariance import ewma_covariance

    x = returns(n_obs, n_assets)
    return lambda: ewma_covariance(x, 0.94), lambda: EWCovariance(half_life=11.2).fit(x)


def historical(n_obs: int, *, full: bool = False) -> Pair:
    from rpmcore.risk.value_at_risk import historical as report
    from rpmcore.risk.value_at_risk import value_at_risk_and_shortfall as ours

    pnl = returns(n_obs, 1)[:, 0].copy()
    k = round(0.05 * n_obs, 9)

    def theirs() -> tuple[float, float]:
        rank = int(np.ceil(k))
        worst = np.partition(pnl, rank - 1)[:rank]
        return -worst.max(), -worst.mean()

    return (lambda: report(pnl, 0.95)) if full else (lambda: ours(pnl, 0.95)), theirs


def rolling_historical(n_obs: int, window: int) -> Pair:
    import polars as pl

    from rpmcore.risk.rolling import rolling_historical as ours

    pnl = returns(n_obs, 1)[:, 0].copy()
    series = pl.Series(pnl)
    return (
        lambda: ours(pnl, 0.95, window),
        lambda: series.rolling_quantile(0.05, interpolation="lower", window_size=window),
    )


def rolling_normal(n_obs: int, window: int) -> Pair:
    import polars as pl

    from rpmcore.risk.rolling import rolling_normal as ours

    pnl = returns(n_obs, 1)[:, 0].copy()
    series = pl.Series(pnl)
    return lambda: ours(pnl, 0.95, window), lambda: series.rolling_std(window)


def student_t(n_obs: int) -> Pair:
    from scipy.stats import t

    from rpmcore.risk.student_t import fit_student_t

    pnl = returns(n_obs, 1)[:, 0].copy()
    return lambda: fit_student_t(pnl), lambda: t.fit(pnl)


def simulate_assets(n_paths: int, n_assets: int) -> Pair:
    from rpmcore.risk.covariance import ledoit_wolf as estimate
    from rpmcore.risk.simulation import simulate_losses

    cov = estimate(returns(252, n_assets)).covariance
    weights = np.full(n_assets, 1.0 / n_assets)

    def theirs() -> Any:
        rng, factor = np.random.default_rng(1), np.linalg.cholesky(cov)
        blocks = [-(rng.standard_normal((10_000, n_assets)) @ factor.T) @ weights for _ in range(n_paths // 10_000)]
        return np.concatenate(blocks)

    return lambda: simulate_losses(weights, cov, n_paths, seed=1), theirs


def simulate_reduced(n_paths: int) -> Pair:
    from rpmcore.risk.simulation import simulate_tail_risk

    cov, weights = np.array([[1e-4]]), np.ones(1)

    def theirs() -> tuple[float, float]:
        losses = 0.01 * np.random.default_rng(1).standard_normal(n_paths)
        rank = n_paths // 100
        worst = np.partition(losses, n_paths - rank)[n_paths - rank :]
        return worst.min(), worst.mean()

    return lambda: simulate_tail_risk(weights, cov, [0.99], n_paths, seed=1, reduction=True), theirs


def simulate_on_two_threads(n_paths: int) -> Pair:
    """Ours beside ours: what the second thread gains."""
    from rpmcore.risk.simulation import simulate_tail_risk

    def run(threads: int) -> Any:
        return simulate_tail_risk(
            np.ones(1), np.array([[1e-4]]), [0.99], n_paths, seed=1, reduction=True, threads=threads
        )

    return lambda: run(2), lambda: run(1)


def simulate_by_sobol(precision: float, dof: float | None) -> Pair:
    """Ours beside ours: one day of a linear book down to the same relative standard error."""
    from rpmcore.risk.simulation import Sampling, simulate_to_precision

    def run(sampling: Sampling) -> Any:
        law: Any = {"distribution": "normal"} if dof is None else {"distribution": "student_t", "dof": dof}
        return simulate_to_precision(
            np.ones(1), np.array([[1e-4]]), [0.99], precision, seed=1, reduction=True, sampling=sampling, **law
        )

    return lambda: run("sobol"), lambda: run("pseudo")


def component_risk(n_assets: int) -> Pair:
    import pandas as pd
    import riskfolio as rf

    from rpmcore.risk.covariance import sample_covariance
    from rpmcore.risk.decomposition import component_value_at_risk

    x = returns(500, n_assets)
    weights = np.full(n_assets, 1.0 / n_assets)
    cov = sample_covariance(x)
    frame, w, c = pd.DataFrame(x), pd.DataFrame(weights), pd.DataFrame(cov)
    return (
        lambda: component_value_at_risk(weights, cov, 0.95),
        lambda: rf.Risk_Contribution(w, frame, c, rm="CVaR", alpha=0.05),
    )


def ewma_with_numbagg(n_obs: int, n_assets: int) -> Pair:
    from numbagg import move_exp_nancov

    from rpmcore.risk.covariance_paths import ewma_covariance_path

    x = returns(n_obs, n_assets)
    by_asset = np.ascontiguousarray(x.T)
    return (
        lambda: ewma_covariance_path(x, 0.94),
        lambda: move_exp_nancov(by_asset[:, None, :], by_asset[None, :, :], alpha=0.06),
    )


def ewma_with_pandas(n_obs: int, n_assets: int) -> Pair:
    import pandas as pd

    from rpmcore.risk.covariance_paths import ewma_covariance_path

    x = returns(n_obs, n_assets)
    frame = pd.DataFrame(x)
    return lambda: ewma_covariance_path(x, 0.94), lambda: frame.ewm(alpha=0.06).cov()


def ewma_volatilities(n_obs: int) -> Pair:
    import pandas as pd

    from rpmcore.risk.covariance_paths import ewma_volatility_path

    pnl = returns(n_obs, 1)[:, 0].copy()
    series = pd.Series(pnl)
    return lambda: ewma_volatility_path(pnl, 0.94), lambda: series.ewm(alpha=0.06).var()


def rolling_ledoit_wolf(n_obs: int, n_assets: int, window: int = 252) -> Pair:
    from sklearn.covariance import ledoit_wolf as estimate

    from rpmcore.risk.covariance_paths import rolling_ledoit_wolf_volatility

    x, weights = returns(n_obs, n_assets), np.full(n_assets, 1.0 / n_assets)

    def theirs() -> list[float]:
        covs = (estimate(x[last - window : last])[0] for last in range(window, n_obs + 1))
        return [float(np.sqrt(weights @ cov @ weights)) for cov in covs]

    return lambda: rolling_ledoit_wolf_volatility(x, weights, window), theirs


def factor_model(n_assets: int, n_factors: int) -> Any:
    from rpmcore.risk.factor_model import FactorModel

    rng = np.random.default_rng(n_assets)
    return FactorModel(
        symbols=tuple(map(str, range(n_assets))),
        factor_names=tuple(map(str, range(n_factors))),
        exposures=rng.standard_normal((n_assets, n_factors)),
        factor_covariance=np.cov(returns(500, n_factors), rowvar=False),
        specific_variances=1e-4 * rng.random(n_assets),
    )


def factor_risk(n_assets: int, n_factors: int) -> Pair:
    from rpmcore.risk.factor_model import factor_contributions

    model, weights = factor_model(n_assets, n_factors), np.full(n_assets, 1.0 / n_assets)
    b, f, d = model.exposures, model.factor_covariance, model.specific_variances

    def theirs() -> tuple[Any, ...]:
        cov = b @ f @ b.T
        cov[np.diag_indices_from(cov)] += d
        product, exposures = cov @ weights, b.T @ weights
        variance = weights @ product
        return exposures, exposures * (f @ exposures) / variance, product / np.sqrt(variance)

    return lambda: factor_contributions(weights, model), theirs


def factor_risk_with_riskfolio(n_assets: int, n_factors: int) -> Pair:
    import pandas as pd
    import riskfolio as rf

    from rpmcore.risk.factor_model import factor_contributions

    model, weights = factor_model(n_assets, n_factors), np.full(n_assets, 1.0 / n_assets)
    x, f = pd.DataFrame(returns(500, n_assets)), pd.DataFrame(returns(500, n_factors))
    w, loadings, cov = pd.DataFrame(weights), pd.DataFrame(model.exposures), x.cov()
    return (
        lambda: factor_contributions(weights, model),
        lambda: rf.Factors_Risk_Contribution(w, x, f, cov=cov, B=loadings, rm="MV"),
    )


def regressions(n_obs: int, n_assets: int, n_factors: int) -> Pair:
    import statsmodels.api as sm

    from rpmcore.risk.regression import newey_west_lags, regress

    factors = returns(n_obs, n_factors)
    x = factors @ np.random.default_rng(1).standard_normal((n_factors, n_assets)) + returns(n_obs, n_assets)
    how = {"maxlags": newey_west_lags(n_obs), "use_correction": False}

    def theirs() -> list[Any]:
        design = sm.add_constant(factors)
        fits = (sm.OLS(y, design).fit(cov_type="HAC", cov_kwds=how) for y in x.T)
        return [(fit.params, fit.bse, fit.rsquared) for fit in fits]

    return lambda: regress(x, factors), theirs


def pre_trade_check(n_assets: int) -> Pair:
    from rpmcore.risk.covariance import sample_covariance
    from rpmcore.risk.incremental import BookVariance

    cov, weights = sample_covariance(returns(60, n_assets)), np.full(n_assets, 1.0 / n_assets)
    book = BookVariance.of(weights, cov)
    variance, product, variances = weights @ cov @ weights, cov @ weights, np.diagonal(cov).copy()

    def theirs(asset: int, change: float) -> Any:
        return np.sqrt(max(variance + change * (2.0 * product[asset] + change * variances[asset]), 0.0))

    return lambda: book.volatility_after(7, 0.01), lambda: theirs(7, 0.01)


def one_more_trade(n_assets: int, n_obs: int) -> Pair:
    """VaR, ES and volatility before and after a trade, and the largest size of each, by trying in the peer."""
    from rpmcore.risk.settings import LimitsSettings, RiskSettings
    from rpmcore.risk.trade_impact.worst_case import WorstCase

    x, weights = returns(n_obs, n_assets), np.full(n_assets, 1.0 / n_assets)
    case = WorstCase.of_returns(x, weights, RiskSettings(limits=LimitsSettings(method="historical")))
    cov, k, limits = case.estimate.covariance, round(0.05 * n_obs, 9), np.array([0.02, 0.03, 0.25])
    rank = int(np.ceil(k))

    def measures(size: float) -> Any:
        after = weights.copy()
        after[7] += size
        worst = np.partition(x @ after, rank - 1)[:rank]
        return np.array([-worst.max(), -worst.mean(), np.sqrt(252.0 * (after @ cov @ after))])

    def theirs() -> Any:
        now, after, low, high = measures(0.0), measures(0.01), np.zeros(3), np.full(3, 64.0)
        for i in range(3):
            for _ in range(40):
                middle = 0.5 * (low[i] + high[i])
                if measures(middle)[i] <= limits[i]:
                    low[i] = middle
                else:
                    high[i] = middle
        return now, after, low

    found = case.impacts(7, 1, 0.01)
    assert np.allclose([i.largest for i in found], theirs()[2], rtol=1e-9)
    return lambda: case.impacts(7, 1, 0.01), theirs


def whole_decision(n_assets: int) -> Pair:
    """Every check of an order with its largest size, beside a script that tries sizes until all measures pass.

    The script knows the weights; it measures covariance, volatility, VaR, ES and exposures from returns, as ours did
    with the last close.
    """
    from benchmarks.gate_figures import genesis_with, signals_on
    from rpmcore.decision.engine import DecisionEngine
    from rpmcore.domain.commands import SignalReceived

    genesis = genesis_with(n_assets)
    engine = DecisionEngine(genesis)
    model = engine.market.model
    assert model is not None
    x, decay = np.ascontiguousarray(model.returns), 0.94 ** np.arange(60)[::-1]
    weights = np.array([float(q) * p for (_, _, q), (_, p, _) in zip(genesis.positions, genesis.last, strict=True)])
    weights /= genesis.equity
    sectors = np.array([[i % 5 == k for i in range(n_assets)] for k in range(5)], dtype=float)
    rank = int(np.ceil(round(0.05 * len(x), 9)))

    limits = np.array([0.25, 0.02, 0.03, 2.0, 1.0, 0.4])

    def theirs() -> Any:
        window = x[-60:] * np.sqrt(decay / decay.sum())[:, None]
        cov = 0.9 * window.T @ window
        cov[np.diag_indices(n_assets)] += 0.1 / 0.9 * np.trace(cov) / n_assets
        deviations = np.sqrt(np.diagonal(cov))

        def measures(size: float) -> Any:
            book = weights.copy()
            book[7] += size
            worst = np.partition(x @ book, rank - 1)[:rank]
            volatility = np.sqrt(252.0 * (0.9 * (book @ cov @ book) + 0.1 * (np.abs(book) @ deviations) ** 2))
            exposures = np.abs(book).sum(), abs(book.sum()), np.abs(sectors @ book).max()
            return np.array([volatility, -worst.max(), -worst.mean(), *exposures])

        now, after, low, high = measures(0.0), measures(1e-5), 0.0, 64.0
        for _ in range(30):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.all(measures(middle) <= limits) else (low, middle)
        return now, after, low

    asked = SignalReceived(at=genesis.at, signal=next(signals_on(genesis, 1)))
    assert engine.decide(asked).verdict == "approved"
    return lambda: engine.decide(asked), theirs


def position_size() -> Pair:
    """Every constraint with its reason and exact lots, beside the same constraints as bare floats."""
    from math import floor, sqrt

    from rpmcore.domain.instruments import Instrument
    from rpmcore.risk.sizing.lots import LotRules
    from rpmcore.risk.sizing.request import BookRisk, SizingRequest, TradeRecord
    from rpmcore.risk.sizing.sizer import PositionSizer

    sizer = PositionSizer()
    request = SizingRequest(
        instrument=Instrument(symbol="EURUSD", name="", kind="fx", currency="USD", base_currency="EUR"), side="buy",
        entry=1.1, stop=1.09, capital=1e6, account="USD", lots=LotRules.of(1000.0), annual_volatility=0.1,
        daily_volatility=0.0063, book=BookRisk(variance=0.01, product=0.002), adv=1e9, spread_bps=1.0,
        record=TradeRecord(win_rate=0.55, average_win=0.02, average_loss=0.015, trades=200), regime=0.5, drawdown=0.1,
    )  # fmt: skip

    def theirs(capital: float = 1e6, entry: float = 1.1, stop: float = 1.09, p: float = 0.55, n: int = 200) -> int:
        z = 1.2815515655446004
        low = (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
        wanted = capital * 0.01 / (entry - stop) * min((p * 0.02 / 0.015 - (1 - p)) / 0.2, 1.0)
        wanted = min(wanted, min(0.25 * (low / 0.015 - (1 - low) / 0.02), 1.0) * capital / entry) * 0.5 * (2 / 3)
        room = (sqrt(0.002**2 + 0.01 * (0.15**2 - 0.01)) - 0.002) / 0.01 * capital / entry
        return floor(min(wanted, room, 1e9 * 0.1 / entry, capital * 0.001 / (entry * 1e-4)) / 1000.0)

    assert sizer.size(request).lots == theirs()
    return lambda: sizer.size(request), theirs


def backtest_ledoit_wolf(n_days: int, n_assets: int, lookback: int = 60) -> Pair:
    """Forecast every day by a Ledoit–Wolf covariance of the days before: the report's model and scikit-learn's."""
    from sklearn.covariance import ledoit_wolf as shrink

    from rpmcore.risk.backtesting.forecasts import rolling_forecasts
    from rpmcore.risk.settings import CovarianceSettings, RiskSettings
    from rpmcore.risk.valuation import ReturnPanel

    x = returns(n_days + lookback, n_assets)
    weights = np.full(n_assets, 1.0 / n_assets)
    settings = RiskSettings(covariance=CovarianceSettings(method="ledoit_wolf", lookback=lookback))
    panel = ReturnPanel(
        dates=np.datetime64("2000-01-01") + np.arange(len(x) + 1), symbols=tuple(map(str, range(n_assets))), returns=x,
        return_days=1, rates=np.ones(n_assets), last_closes=np.ones(n_assets),
        unchanged_days=np.zeros(n_assets, np.intp), dropped_rows=0, missing={},
    )  # fmt: skip

    def theirs() -> Any:
        found = np.empty(n_days)
        for i in range(n_days):
            cov = shrink(x[i : i + lookback])[0]
            found[i] = 2.3263478740408408 * np.sqrt(weights @ cov @ weights)
        return found

    return lambda: rolling_forecasts("normal", panel, weights, settings, 0.99, window=lookback), theirs


def kill_switches(question: bool) -> Pair:
    """A rejection recorded, or trading asked for, a thousand times; the peer holds a deque of times alone."""
    from collections import deque

    from rpmcore.controls.manager import AdvancedKillSwitchManager

    manager, held, at = AdvancedKillSwitchManager(equity=1e6, strategies={"a": 1e5}), deque[int](), [0]

    def ours() -> None:
        for _ in range(1000):
            at[0] += 10**11
            if question:
                manager.is_trading_allowed("a", at=at[0])
            else:
                manager.record_rejection("a", "EURUSD", "bad price", at=at[0])

    def theirs() -> bool:
        answer = True
        for _ in range(1000):
            at[0] += 10**11
            if not question:
                held.append(at[0])
            while held and held[0] <= at[0] - 3 * 10**11:
                held.popleft()
            answer = len(held) < 10
        return answer

    return ours, theirs


def strategy_figures(n_strategies: int, n_trades: int) -> Pair:
    """Wins, mean, deviation, profit factor and drawdown of every strategy in one table of trades."""
    import pandas as pd

    from rpmcore.kernels.performance import drawdowns, gains_and_losses, mean_and_deviation

    rng, capital = np.random.default_rng(5), 1e6
    ids = np.repeat(np.arange(n_strategies), n_trades)
    pnl, order = rng.normal(5.0, 1000.0, ids.shape[0]), rng.permutation(ids.shape[0])
    frame = pd.DataFrame({"strategy": ids[order], "pnl": pnl[order]})

    def ours() -> Any:
        keys, values = frame["strategy"].to_numpy(), frame["pnl"].to_numpy()
        place = np.argsort(keys.astype(np.int16), kind="stable")  # a radix sort: ids are codes of a dictionary
        ordered = values[place]
        ends = np.flatnonzero(np.diff(keys[place], append=-1)) + 1
        out, start = np.empty((ends.shape[0], 5)), 0
        for row, end in zip(out, ends.tolist(), strict=True):
            own = ordered[start:end]
            row[0] = np.count_nonzero(own > 0.0) / (end - start)
            row[1], row[2] = mean_and_deviation(own)
            gains, losses = gains_and_losses(own)
            row[3], row[4] = gains / losses, drawdowns(own, capital, capital)[0]
            start = end
        return out

    def theirs() -> Any:
        groups = frame.groupby("strategy")["pnl"]
        equity = capital + groups.cumsum()
        peak = equity.groupby(frame["strategy"]).cummax().clip(lower=capital)
        gains = frame["pnl"].clip(lower=0.0).groupby(frame["strategy"]).sum()
        losses = -frame["pnl"].clip(upper=0.0).groupby(frame["strategy"]).sum()
        wins = (frame["pnl"] > 0.0).groupby(frame["strategy"]).mean()
        deepest = ((peak - equity) / peak).groupby(frame["strategy"]).max()
        found = pd.DataFrame({"wins": wins, "mean": groups.mean(), "sd": groups.std()})
        return found.assign(factor=gains / losses, drawdown=deepest).to_numpy()

    np.testing.assert_allclose(ours(), theirs(), rtol=1e-9)
    return ours, theirs


def strategy_ratios(n_days: int, resamples: int) -> Pair:
    """Sharpe, Sortino and Calmar of one strategy, and of its resamples where an interval is wanted."""
    import empyrical

    from rpmcore.kernels.performance import compounded, mean_and_deviation
    from rpmcore.risk.performance.downside import downside_ratios
    from rpmcore.risk.performance.sharpe import sharpe_ratio

    x = np.random.default_rng(6).normal(0.0005, 0.01, n_days)
    annual = np.sqrt(252.0)

    def figures() -> Any:
        mean, deviation = mean_and_deviation(x)
        growth, deepest, downside = compounded(x)
        return annual * mean / deviation, annual * mean / downside, np.expm1(growth * 252.0 / n_days) / deepest

    def with_intervals() -> Any:
        sortino, calmar = downside_ratios(x, resamples=resamples, seed=1)
        return sharpe_ratio(x).value, sortino.value, calmar.value

    def peer(rows: Any = x) -> Any:
        return empyrical.sharpe_ratio(rows), empyrical.sortino_ratio(rows), empyrical.calmar_ratio(rows)

    def resampled() -> Any:
        rng = np.random.default_rng(1)
        drawn = [peer(x[rng.integers(0, n_days, n_days)]) for _ in range(resamples)]
        return np.quantile(drawn, [0.05, 0.95], axis=0)

    np.testing.assert_allclose(figures(), peer(), rtol=1e-9)
    if not resamples:
        return figures, peer
    np.testing.assert_allclose(with_intervals(), peer(), rtol=1e-9)
    return with_intervals, resampled


def stress_suite(n_simulations: int, n_days: int, n_assets: int) -> Pair:
    from benchmarks.stress_suite import stress_suite as build

    pair: Pair = build(n_simulations, n_days, n_assets)
    return pair


def settings_file() -> Pair:
    import re
    import tempfile
    from pathlib import Path

    import yaml

    from rpmcore.adapters.configuration.commented import commented
    from rpmcore.adapters.configuration.loading import Settings, load_settings

    path = Path(tempfile.mkdtemp()) / "rpm.yaml"
    path.write_text(re.sub(r"(?m)^( *)#(?=\w)", r"\1", commented(Settings)), encoding="utf-8")

    def theirs() -> Settings:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))

    assert load_settings(path) == theirs()
    return lambda: load_settings(path), theirs


def ledger_append() -> Pair:
    from benchmarks.ledger import appends

    return appends()


def ledger_verify(decisions: int) -> Pair:
    from benchmarks.ledger import verification

    return verification(decisions)


def log_lines(lines: int) -> Pair:
    from benchmarks.telemetry import log_lines as build

    return build(lines)


def seen_decisions(decisions: int) -> Pair:
    from benchmarks.telemetry import seen_decisions as build

    return build(decisions)


CASES = (
    Case("Ledoit–Wolf 60 × 6", "scikit-learn", lambda: ledoit_wolf(60, 6), target=150, floor=75),
    Case("Ledoit–Wolf 60 × 50", "scikit-learn", lambda: ledoit_wolf(60, 50), target=30, floor=17),
    Case("Ledoit–Wolf 252 × 50", "scikit-learn", lambda: ledoit_wolf(252, 50), target=10, floor=7),
    Case("Ledoit–Wolf 1260 × 500", "scikit-learn", lambda: ledoit_wolf(1260, 500), target=3, floor=1.4),
    Case("EWMA covariance 60 × 6", "skfolio", lambda: ewma(60, 6), target=12, floor=12),
    Case("EWMA covariance 1260 × 500", "skfolio", lambda: ewma(1260, 500), target=2.5, floor=9),
    Case("historical VaR + ES, 250", "NumPy", lambda: historical(250), target=6, floor=2.2),
    Case("historical VaR + ES, 1e5", "NumPy", lambda: historical(100_000), target=8, floor=1.4),
    Case("historical VaR + ES, 1e7", "NumPy", lambda: historical(10_000_000), target=9, floor=1.5, long=True),
    Case("historical with its intervals, 250", "NumPy", lambda: historical(250, full=True), target=6, floor=0.65),
    Case("rolling VaR + ES, window 250", "polars, VaR", lambda: rolling_historical(10_000, 250), target=3, floor=2.7),
    Case("rolling VaR + ES, window 1000", "polars, VaR", lambda: rolling_historical(10_000, 1000), target=3, floor=2.7),
    Case("rolling normal VaR + ES, 250", "polars, σ", lambda: rolling_normal(10_000, 250), target=1, floor=0.75),
    Case("Student-t fit, 250", "SciPy", lambda: student_t(250), target=2000, floor=370),
    Case("Student-t fit, 1,000", "SciPy", lambda: student_t(1000), target=2000, floor=480),
    Case("Student-t fit, 10,000", "SciPy", lambda: student_t(10_000), target=800, floor=500),
    Case("Monte Carlo 1e5 × 500 assets", "NumPy", lambda: simulate_assets(100_000, 500), target=15, floor=4),
    Case("Monte Carlo 1e7, one dimension", "NumPy", lambda: simulate_reduced(10_000_000), target=7, floor=4, long=True),
    Case("component VaR, 50 assets", "Riskfolio-Lib", lambda: component_risk(50), target=1000, floor=450),
    Case("EWMA covariance, all dates 1260 × 50", "numbagg", lambda: ewma_with_numbagg(1260, 50), target=8, floor=6),
    Case(
        "EWMA covariance, all dates, data frame 1260 × 50",
        "pandas",
        lambda: ewma_with_pandas(1260, 50),
        target=250,
        floor=80,
    ),
    Case("EWMA volatility path 1260", "pandas", lambda: ewma_volatilities(1260), target=5, floor=3.5),
    Case("rolling Ledoit–Wolf 1260 × 50", "scikit-learn", lambda: rolling_ledoit_wolf(1260, 50), target=90, floor=50),
    Case(
        "rolling Ledoit–Wolf 1260 × 500",
        "scikit-learn",
        lambda: rolling_ledoit_wolf(1260, 500),
        target=300,
        floor=200,
        long=True,
    ),
    Case(
        "factor shares and marginals, 5,000 × 50",
        "NumPy, full covariance",
        lambda: factor_risk(5000, 50),
        target=500,
        floor=200,
        long=True,
    ),
    Case(
        "factor shares, 500 × 20",
        "Riskfolio-Lib",
        lambda: factor_risk_with_riskfolio(500, 20),
        target=1000,
        floor=2000,
    ),
    Case(
        "Newey–West regressions, 500 on 6 × 1260",
        "statsmodels loop",
        lambda: regressions(1260, 500, 6),
        target=50,
        floor=24,
    ),
    Case("pre-trade check, 50 positions", "NumPy scalars", lambda: pre_trade_check(50), target=2, floor=1.2),
    Case("whole decision of the gate, 50 positions", "NumPy", lambda: whole_decision(50), target=2.5, floor=1.2),
    Case("one more trade, largest by VaR, ES, σ", "NumPy", lambda: one_more_trade(50, 500), target=50, floor=40),
    Case("kill switches: a rejection", "bare deque", lambda: kill_switches(False), target=0.03, floor=0.009),
    Case("kill switches: may I trade?", "bare deque", lambda: kill_switches(True), target=0.25, floor=0.12),
    Case("position size, 14 constraints with reasons", "bare floats", position_size, target=0.01, floor=0.005),
    Case(
        "strategies, 1,000 × 1,000 trades", "pandas groupby", lambda: strategy_figures(1000, 1000), target=3, floor=1.6
    ),
    Case("one strategy, three ratios, 1,000 days", "empyrical", lambda: strategy_ratios(1000, 0), target=3, floor=2),
    Case("the same with 1,000 resamples", "empyrical", lambda: strategy_ratios(1000, 1000), target=3, floor=1.9),
    Case(
        "backtest of 5,000 days, Ledoit–Wolf 60 × 14",
        "scikit-learn",
        lambda: backtest_ledoit_wolf(5000, 14),
        target=10,
        floor=6,
        long=True,
    ),
    Case(
        "crises, 1,000 × 60 days × 50 positions",
        "NumPy",
        lambda: stress_suite(1000, 60, 50),
        target=4,
        floor=2,
    ),
    Case(
        "Monte Carlo 1e7, two threads",
        "one thread",
        lambda: simulate_on_two_threads(10_000_000),
        target=1.8,
        floor=0.9,
        long=True,
    ),
    Case(
        "VaR 99 % to 0.02 %, normal, Sobol",
        "independent paths",
        lambda: simulate_by_sobol(2e-4, None),
        target=20,
        floor=15,
        long=True,
    ),
    Case(
        "VaR 99 % to 0.1 %, Student-t, Sobol",
        "independent paths",
        lambda: simulate_by_sobol(1e-3, 4.5),
        target=3,
        floor=2,
        long=True,
    ),
    Case("settings: read and check a file of all", "PyYAML + pydantic", settings_file, target=0.8, floor=0.6),
    Case("ledger: append of a decision, 4 records", "bare SQLite", ledger_append, target=0.6, floor=0.27),
    Case("ledger: verify 2,000 decisions", "bare SHA-256", lambda: ledger_verify(2000), target=0.5, floor=0.27),
    Case("100,000 log lines", "stdlib logging, JSON", lambda: log_lines(100_000), target=1, floor=0.8, long=True),
    Case("what is told of 100 decisions", "the decisions", lambda: seen_decisions(100), target=4, floor=4),
)
