"""The Monte Carlo of crises beside the same in NumPy: every step over all simulations of a block at once."""

from dataclasses import replace
from math import log
from statistics import NormalDist
from typing import Any

import numpy as np

BLOCK = 100
"""Simulations that NumPy carries together: their covariances of 50 assets take two megabytes."""


def stressed_book_of(n_assets: int) -> Any:
    """Return a long-short book of shares at gross leverage 1.5, on prices in memory."""
    from rpmcore.domain.factor_profiles import Loading, profile_of
    from rpmcore.domain.instruments import Instrument
    from rpmcore.domain.portfolio import Book, Holding
    from rpmcore.domain.prices import PriceHistory
    from rpmcore.risk.settings import RiskSettings
    from rpmcore.risk.stress.stressed_book import stressed_book
    from rpmcore.risk.valuation import BookInputs

    rng = np.random.default_rng(n_assets)
    steps = 0.01 * (rng.standard_normal((120, n_assets)) + rng.standard_normal((120, 1)))
    symbols = tuple(f"S{i}" for i in range(n_assets))
    shares = [
        Instrument(symbol=s, name=s, kind="equity", currency="USD", beta=0.5 + i / n_assets)
        for i, s in enumerate(symbols)
    ]
    rows = tuple(Holding(symbol=s, size=(1.5 if i % 3 else -1.5) / n_assets) for i, s in enumerate(symbols))
    inputs = BookInputs(
        book=Book(holdings=rows, sizing="weight", source="memory", path=None, capital=1e6),
        history=PriceHistory(
            dates=np.arange("2022-01-01", 120, dtype="datetime64[D]"),
            symbols=symbols,
            closes=100 * np.exp(np.cumsum(steps, axis=0)),
            path="memory",
        ),
        account="USD",
        account_assumed=False,
        profiles={i.symbol: profile_of(i, {"beta": Loading(value=i.beta, source="given")}, "given") for i in shares},
        ways=dict.fromkeys(symbols, ()),
        pair_betas={},
    )
    return stressed_book(inputs, RiskSettings())


def stress_suite(n_simulations: int, n_days: int, n_assets: int) -> Any:
    """Return ours and the peer: Lehman's parameters over so many days, with and without the plain limits."""
    from rpmcore.domain import reference
    from rpmcore.risk.settings import RiskSettings
    from rpmcore.risk.stress.daily import theta_of
    from rpmcore.risk.stress.suite import run_suite
    from rpmcore.risk.stress.system import LimitSystem

    book, settings, system = stressed_book_of(n_assets), RiskSettings(), LimitSystem()
    crisis = replace(reference.crises()["lehman2008"], duration_days=n_days, gap=None)
    theta, dof = theta_of(book, crisis), settings.simulation.dof
    rules = [(rule.trigger, rule.goal) for rule in system.rules]

    def theirs() -> Any:
        rng, losses = np.random.default_rng(1), []
        for start in range(0, n_simulations, BLOCK):
            m = min(BLOCK, n_simulations - start)
            moves = numpy_moves(book, rng, (m, n_days), theta, dof, crisis.volatility_multiplier, crisis.market_shock)
            losses.append([numpy_losses(book, moves, rules, limit) for limit in (None, system.maximum_loss)])
        return np.concatenate(losses, axis=-1)

    return lambda: run_suite(book, [crisis] * n_simulations, settings, system=system, seed=1), theirs


def numpy_moves(
    book: Any, rng: Any, shape: tuple[int, int], theta: float, dof: float, multiplier: float, shock: float
) -> Any:
    """Return price moves (simulations, days, assets) whose market compounds to the shock."""
    cov, b = book.price_covariance, book.exposures
    d = book.sides * np.sqrt(np.diagonal(cov))
    root = np.linalg.cholesky(multiplier**2 * ((1.0 - theta) * cov + theta * np.outer(d, d)))
    scales = np.sqrt((dof - 2.0) / rng.chisquare(dof, shape))
    x = scales[:, :, None] * (rng.standard_normal((*shape, len(b))) @ root.T)
    drawn = x @ (b / (b @ b))
    variances = scales**2
    tied = drawn + variances / variances.sum(axis=1, keepdims=True) * (log(1.0 + shock) - drawn.sum(axis=1))[:, None]
    return np.maximum(x + (np.expm1(tied) - drawn)[:, :, None] * b, -0.99)


def numpy_losses(book: Any, moves: Any, rules: Any, limit: float | None) -> Any:
    """Return the largest fall and the largest loss / VaR of each simulation, (2, simulations)."""
    m, n_days = moves.shape[:2]
    z = NormalDist().inv_cdf(0.99)
    held, whole = np.tile(book.weights, (m, 1)), np.tile(book.weights, (m, 1))
    cov, equity, stopped = np.tile(book.covariance, (m, 1, 1)), np.ones(m), np.zeros(m, dtype=bool)
    lowest, worst = np.full(m, np.inf), np.full(m, -np.inf)
    for t in range(n_days):
        r = moves[:, t]
        forecast = z * np.sqrt(np.einsum("ia,ia->i", held, np.matmul(cov, held[:, :, None])[:, :, 0]))
        gain = np.einsum("ia,ia->i", held, r)
        with np.errstate(divide="ignore", invalid="ignore"):
            worst = np.fmax(worst, -gain / forecast)
        equity = equity + gain
        held, whole = held * (1.0 + r), whole * (1.0 + r)
        cov *= 0.94
        cov += 0.06 * r[:, :, None] * r[:, None, :]
        if limit is not None:
            stopped |= equity <= 1.0 - limit
            variance = np.einsum("ia,ia->i", whole, np.matmul(cov, whole[:, :, None])[:, :, 0])
            sigma = np.sqrt(variance) / np.where(stopped, 1.0, equity)
            share = np.ones(m)
            for trigger, goal in rules:
                share = np.where(sigma > trigger, np.minimum(share, goal / sigma), share)
            held = np.where(stopped, 0.0, share)[:, None] * whole
        lowest = np.minimum(lowest, equity)
    return np.stack([1.0 - lowest, worst])
