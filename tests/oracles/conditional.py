"""Conditional expectation as regression: on a sample the two are one, as the sample covariance is the law."""

import numpy as np


def regressed(returns, weights, shocked, shocks):
    """Expected returns, and residual and whole volatility of a book, by least squares of each column on the shocked."""
    x = returns - returns.mean(axis=0)
    slopes, *_ = np.linalg.lstsq(x[:, shocked], x, rcond=None)
    residual = (x - x[:, shocked] @ slopes) @ weights
    n = len(x) - 1
    return shocks @ slopes, np.sqrt(residual @ residual / n), np.sqrt((x @ weights) @ (x @ weights) / n)


def mahalanobis(returns, cov):
    """The distance of a scenario, by the inverse."""
    return float(np.sqrt(returns @ np.linalg.inv(cov) @ returns))
