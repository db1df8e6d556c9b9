"""Each window by itself, in plain NumPy and SciPy."""

import math

import numpy as np
from scipy import stats


def windows(returns, window):
    return np.lib.stride_tricks.sliding_window_view(np.asarray(returns), window)


def historical(returns, window, tail):
    """VaR and ES of each window; the same tail count k for all."""
    losses = -np.sort(windows(returns, window), axis=1)
    k = round(tail * window, 9)
    whole = math.floor(k)
    value_at_risk = losses[:, math.ceil(k) - 1]
    return value_at_risk, (losses[:, :whole].sum(axis=1) + (k - whole) * value_at_risk) / k


def normal(returns, window, confidence, sample_mean):
    rows = windows(returns, window)
    mean = rows.mean(axis=1) if sample_mean else np.zeros(len(rows))
    deviation = rows.std(axis=1, ddof=1)
    z = stats.norm.ppf(confidence)
    return -mean + deviation * z, -mean + deviation * stats.norm.pdf(z) / (1 - confidence)


def ewma(returns, confidence, decay):
    """By the weights (1−λ)λ^k / (1−λⁿ), date by date."""
    volatility = []
    for t in range(1, len(returns) + 1):
        weights = decay ** np.arange(t)[::-1]
        volatility.append(np.sqrt(weights @ np.asarray(returns[:t]) ** 2 / weights.sum()))
    z = stats.norm.ppf(confidence)
    return np.array(volatility) * z, np.array(volatility) * stats.norm.pdf(z) / (1 - confidence)
