"""Covariance estimators as their papers write them, in plain loops."""

import numpy as np


def sample(returns, ddof=1):
    return np.cov(returns, rowvar=False, ddof=ddof).reshape(returns.shape[1], returns.shape[1])


def ewma_by_recursion(returns, decay):
    """RiskMetrics' recursion from a zero start, divided by the weight that a finite window lacks."""
    cov = np.zeros((returns.shape[1], returns.shape[1]))
    for row in returns:
        cov = decay * cov + (1.0 - decay) * np.outer(row, row)
    return cov / (1.0 - decay ** len(returns))


def ledoit_wolf(returns):
    """Section 3.2 of Ledoit and Wolf (2004), with the double sum over observations spelt out."""
    n, p = returns.shape
    x = returns - returns.mean(axis=0)
    s = x.T @ x / n
    m = np.trace(s) / p
    d2 = np.sum((s - m * np.eye(p)) ** 2) / p
    b2 = sum(np.sum((np.outer(row, row) - s) ** 2) for row in x) / (p * n**2)
    b2 = min(b2, d2)
    delta = b2 / d2 if d2 > 0 else 0.0
    return delta * m * np.eye(p) + (1 - delta) * s, delta


def stressed(cov, multiplier, theta, signs):
    """C* = (1 - θ) C + θ s sᵀ on correlations, then volatilities times the multiplier."""
    vol = np.sqrt(np.diag(cov))
    corr = cov / np.outer(vol, vol)
    mixed = (1 - theta) * corr + theta * np.outer(signs, signs)
    np.fill_diagonal(mixed, 1.0)
    return mixed * np.outer(vol, vol) * multiplier**2
