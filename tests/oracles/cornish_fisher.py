"""Cornish and Fisher's expansion from its definition, and the mean of its quantiles by numerical integration."""

import numpy as np
from scipy import integrate, stats


def expansion(z, skewness, kurtosis):
    return z + (z**2 - 1) / 6 * skewness + (z**3 - 3 * z) / 24 * kurtosis - (2 * z**3 - 5 * z) / 36 * skewness**2


def value_at_risk(volatility, skewness, kurtosis, confidence, mean):
    return -mean - volatility * expansion(stats.norm.ppf(1 - confidence), skewness, kurtosis)


def expected_shortfall(volatility, skewness, kurtosis, confidence, mean):
    tail = 1 - confidence
    total, _ = integrate.quad(
        lambda p: expansion(stats.norm.ppf(p), skewness, kurtosis), 0.0, tail, epsabs=1e-14, epsrel=1e-12, limit=500
    )
    return -mean - volatility * total / tail


def rises(skewness, kurtosis):
    """Whether it rises between all points of a fine grid on |z| ≤ 5."""
    return bool((np.diff(expansion(np.linspace(-5.0, 5.0, 20_001), skewness, kurtosis)) > 0).all())
