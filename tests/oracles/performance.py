"""Figures of trades in plain Python, by their definitions, and scipy.stats where it knows them."""

from math import sqrt
from statistics import fmean, stdev

from scipy import stats

from tests.oracles import bootstrap


def wilson(wins, n, coverage):
    found = stats.binomtest(wins, n).proportion_ci(coverage, method="wilson")
    return found.low, found.high


def binomial_greater(wins, n, rate):
    return stats.binomtest(wins, n, rate, alternative="greater").pvalue


def studentised(rows, seed, replicates):
    """t* of each resample."""
    n, mean, found = len(rows), fmean(rows), []
    for replicate in range(replicates):
        drawn = [rows[i] for i in bootstrap.rows(n, seed, replicate, 1)]
        found.append((fmean(drawn) - mean) / (stdev(drawn) / sqrt(n)))
    return found


def drawdowns(pnl, capital):
    """Deepest and last fraction below the running peak of wealth."""
    wealth = [capital]
    for x in pnl:
        wealth.append(wealth[-1] + x)
    below = [(max(wealth[: i + 1]) - e) / max(wealth[: i + 1]) for i, e in enumerate(wealth)]
    return max(below), below[-1]


def profit_factor(pnl):
    return sum(x for x in pnl if x > 0) / -sum(x for x in pnl if x < 0)


def longest_losing_run(pnl):
    """By its definition: the longest slice that holds losses alone."""
    n = len(pnl)
    return max(j - i for i in range(n + 1) for j in range(i, n + 1) if all(x < 0 for x in pnl[i:j]))


def sharpe(returns):
    return fmean(returns) / stdev(returns) * sqrt(252)


def sortino(returns):
    return fmean(returns) / sqrt(fmean(min(r, 0.0) ** 2 for r in returns)) * sqrt(252)


def calmar(returns):
    wealth = [1.0]
    for r in returns:
        wealth.append(wealth[-1] * (1 + r))
    deepest = max(1 - e / max(wealth[: i + 1]) for i, e in enumerate(wealth))
    return (wealth[-1] ** (252 / len(returns)) - 1) / deepest


def monitor(pnl, bound, significance):
    """Wealth after each trade, and the first trade at which it reached 1/α."""
    wealth, path = 1.0, []
    for t in range(1, len(pnl) + 1):
        known = [x / bound for x in pnl[: t - 1]]
        mean = sum(known) / t
        variance = (0.25 + sum((y - mean) ** 2 for y in known)) / t
        wealth *= 1 + min(max(mean / (variance + mean**2), 0.0), 0.5) * pnl[t - 1] / bound
        path.append(wealth)
    return path, next((t + 1 for t, e in enumerate(path) if e >= 1 / significance), None)
