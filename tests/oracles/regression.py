"""Weighted least squares by the normal equations, and Newey and West's equation 5 term by term."""

import numpy as np


def bartlett(scores, lags):
    """S = Γ_0 + Σ_l (1 − l/(L+1)) (Γ_l + Γ_lᵀ), Γ_l the sum of products of rows l apart."""
    total = scores.T @ scores
    for lag in range(1, lags + 1):
        gamma = scores[lag:].T @ scores[:-lag] if lag < len(scores) else np.zeros_like(total)
        total = total + (1 - lag / (lags + 1)) * (gamma + gamma.T)
    return total


def regression(y, factors, lags, weights):
    """Return coefficients (intercept first) and their errors for one asset."""
    x = np.column_stack((np.ones(len(y)), factors))
    inverse = np.linalg.inv(x.T @ (weights[:, None] * x))
    coefficients = inverse @ x.T @ (weights * y)
    scores = x * (weights * (y - x @ coefficients))[:, None]
    return coefficients, np.sqrt(np.diag(inverse @ bartlett(scores, lags) @ inverse))
