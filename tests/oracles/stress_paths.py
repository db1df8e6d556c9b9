"""A crisis day by day with NumPy: the stressed covariance in full, the market tied to its total, a book carried on.

Imports nothing of ours. Draws come in as arrays: `draws` takes them from the Philox oracle, path by path.
"""

import math

import numpy as np

from tests.oracles.philox import words
from tests.oracles.simulation import ASSETS, MIXING, PURPOSES, mixing_scale, normal_pair


def draws(paths, n_days, n_factors, dof, seed):
    """Return normals (paths, days, factors) and mixing scales (paths, days); `dof` None is normal."""
    normals = np.empty((len(paths), n_days, n_factors + n_factors % 2))
    scales = np.ones((len(paths), n_days))
    for i, path in enumerate(paths):
        for day in range(n_days):
            for pair in range(normals.shape[2] // 2):
                normals[i, day, 2 * pair : 2 * pair + 2] = normal_pair(
                    *words(path, pair, PURPOSES * day + ASSETS, seed)
                )
            if dof is not None:
                scales[i, day] = mixing_scale(path, PURPOSES * day + MIXING, seed, dof)
    return normals[:, :, :n_factors], scales


def stressed(cov, volatility, theta, signs):
    """v² D ((1−θ) C + θ s s') D from the correlations themselves."""
    deviations = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(deviations, deviations)
    mixed = (1 - theta) * correlation + theta * np.outer(signs, signs)
    return volatility**2 * mixed * np.outer(deviations, deviations)


def theta_of(cov, target, signs):
    """The smallest θ that lifts the mean adverse correlation to the target, by its definition over pairs."""
    deviations = np.sqrt(np.diag(cov))
    adverse = cov / np.outer(deviations, deviations) * np.outer(signs, signs)
    mean = adverse[np.triu_indices(len(cov), 1)].mean()
    return max(0.0, (target - mean) / (1 - mean))


def price_moves(shocks, scales, covariances, exposures, log_shock, gaps):
    """Moves (days, prices) and market returns (days,) from shocks (days, prices) of these daily covariances."""
    a = exposures / (exposures @ exposures)
    drawn = shocks @ a
    variances = scales**2 * np.array([a @ cov @ a for cov in covariances])
    logs = drawn + variances / variances.sum() * (log_shock - drawn.sum())
    market = np.exp(logs) - 1
    moves = np.maximum(np.outer(market, exposures) + shocks - np.outer(drawn, exposures), -0.99)
    for k, gap in enumerate(gaps):
        if gap > 0:
            moves[0, k] = min(moves[0, k], -gap)
        if gap < 0:
            moves[0, k] = max(moves[0, k], -gap)
    return moves, market


def holding_values(moves, prices, own, legs, pair, rates):
    """Gain over old value and growth of value from price levels, multiplied out: (days, assets) each.

    `legs` names per asset (price, divide) pairs; `prices` are the levels before the first day.
    """
    levels = prices * np.vstack([np.ones(len(prices)), np.cumprod(1 + moves, axis=0)])
    n_days, n_assets = len(moves), len(own)
    gains, growth = np.empty((n_days, n_assets)), np.empty((n_days, n_assets))
    for asset in range(n_assets):
        rate = np.full(n_days + 1, rates[asset], dtype=float)
        for leg, divide in legs[asset]:
            rate = rate / levels[:, leg] if divide else rate * levels[:, leg]
        level = levels[:, own[asset]]
        value = level * rate
        growth[:, asset] = value[1:] / value[:-1]
        gain = (level[1:] - level[:-1]) * rate[1:] if pair[asset] else value[1:] - value[:-1]
        gains[:, asset] = gain / value[:-1]
    return gains, growth


def carry(gains, growth, weights, cov, decay, z, share_of=None, trade=None):
    """Equity and loss over VaR per day. `share_of(day, equity, whole, cov)` scales the book, `trade` makes it so."""
    held, whole, cov, now = weights.copy(), weights.copy(), cov.copy(), 1.0
    equity, breaches = [], []
    for t in range(len(gains)):
        forecast = z * math.sqrt(held @ cov @ held)
        gain = float(held @ gains[t])
        breaches.append(-gain / forecast if forecast > 0 else -math.inf)
        now += gain
        held, whole = held * growth[t], whole * growth[t]
        cov = decay * cov + (1 - decay) * np.outer(gains[t], gains[t])
        if share_of is not None:
            share = share_of(now, whole, cov)
            if t < len(gains) - 1:
                held, cost = trade(t, held, share * whole)
                now -= cost
        equity.append(now)
    return np.array(equity), np.array(breaches)
