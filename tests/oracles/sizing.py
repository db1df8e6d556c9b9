"""Sizes found by search and by rational arithmetic. Nothing of ours is imported."""

from fractions import Fraction
from math import floor, log, sqrt

import numpy as np


def growth(stake, win_rate, win, loss):
    return win_rate * log(1 + win * stake) + (1 - win_rate) * log(1 - loss * stake)


def best_stake(win_rate, win, loss):
    """Return the stake of the largest growth, by a grid that is refined around its best point."""
    low, high = -0.999 / win, 0.999999 / loss
    for _ in range(30):
        grid = np.linspace(low, high, 41)
        rates = [growth(f, win_rate, win, loss) for f in grid]
        best = int(np.argmax(rates))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    return (low + high) / 2


def best_weights(means, cov):
    """Return the weights of the largest continuous growth μ·w − wᵀΣw/2, by climbing one weight at a time."""
    means, cov = np.asarray(means), np.asarray(cov)
    w = np.zeros(len(means))
    for _ in range(20_000):
        for i in range(len(w)):
            w[i] += (means[i] - cov[i] @ w) / cov[i, i]
    return w


def volatility_after(weights, cov, asset, change):
    w = np.array(weights, float)
    w[asset] += change
    return sqrt(max(w @ np.asarray(cov) @ w, 0.0))


def largest_by_bisection(weights, cov, asset, target, sign, far=1e3):
    """Return the largest size up to which every size passes: at the target, or below today's volatility."""
    today = volatility_after(weights, cov, asset, 0.0)
    grid = np.concatenate([[0.0], np.geomspace(1e-9, far, 4001)])
    passes = [volatility_after(weights, cov, asset, sign * d) <= max(target, 0.0) for d in grid]
    if today <= target:
        first_fail = passes.index(False) if False in passes else None
        if first_fail is None:
            return np.inf
        low, high = grid[first_fail - 1], grid[first_fail]
        for _ in range(200):
            middle = (low + high) / 2
            if volatility_after(weights, cov, asset, sign * middle) <= target:
                low = middle
            else:
                high = middle
        return low
    # Above the target: the top of what reaches it, else the size of least volatility.
    low, high = 0.0, far
    for _ in range(300):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if volatility_after(weights, cov, asset, sign * a) < volatility_after(weights, cov, asset, sign * b):
            high = b
        else:
            low = a
    least = (low + high) / 2
    if volatility_after(weights, cov, asset, sign * least) > target:
        return least
    low, high = least, far
    for _ in range(300):
        middle = (low + high) / 2
        if volatility_after(weights, cov, asset, sign * middle) <= target:
            low = middle
        else:
            high = middle
    return low


def lots_at_risk(capital, risk, entry, stop, step, contract="1", rate="1", inverse=False):
    """Return whole lots by rational arithmetic on numbers as they are written; `inverse` converts at 1/stop."""
    capital, risk, entry, stop, step, contract, rate = (
        Fraction(str(x)) for x in (capital, risk, entry, stop, step, contract, rate)
    )
    loss = contract * abs(entry - stop) * (1 / stop if inverse else rate)
    return floor(capital * risk / loss / step)


def lots_of_value(capital, weight, value, step):
    """Return the whole lots that are worth at most that part of the capital, a quantity of one being worth `value`."""
    return floor(Fraction(str(capital)) * Fraction(str(weight)) / Fraction(str(value)) / Fraction(str(step)))
