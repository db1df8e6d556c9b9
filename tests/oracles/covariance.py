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


def constant_correlation(returns):
    """Appendices A and B of "Honey, I shrunk the sample covariance matrix", sum by sum."""
    n, p = returns.shape
    y = returns - returns.mean(axis=0)
    s = y.T @ y / n
    root = np.sqrt(np.diag(s))
    r = s / np.outer(root, root)
    mean_r = sum(r[i, j] for i in range(p) for j in range(i + 1, p)) * 2 / (p * (p - 1))
    f = mean_r * np.outer(root, root)
    np.fill_diagonal(f, np.diag(s))
    pi = np.array([[np.mean((y[:, i] * y[:, j] - s[i, j]) ** 2) for j in range(p)] for i in range(p)])

    def theta(k, i, j):
        return np.mean((y[:, k] ** 2 - s[k, k]) * (y[:, i] * y[:, j] - s[i, j]))

    rho = np.trace(pi) + sum(
        mean_r / 2 * (root[j] / root[i] * theta(i, i, j) + root[i] / root[j] * theta(j, i, j))
        for i in range(p)
        for j in range(p)
        if i != j
    )
    gamma = np.sum((f - s) ** 2)
    delta = max(0.0, min((pi.sum() - rho) / gamma / n, 1.0))
    return delta * f + (1 - delta) * s, delta


def nonlinear(returns):
    """Ledoit and Wolf (2020): the density by its kernel, and its Hilbert transform by numerical principal values."""
    from scipy.integrate import quad

    t, p = returns.shape
    n = t - 1
    x = returns - returns.mean(axis=0)
    lam, u = np.linalg.eigh(x.T @ x / n)
    lam, null = lam[max(0, p - n) :], max(0, p - n)
    h = n ** (-1 / 3)
    half = np.sqrt(5.0)

    def kernel(z):
        return 0.75 / half * max(1 - z * z / 5, 0.0)

    def hilbert_of_kernel(at):
        """(1/π) PV ∫ k(z)/(z − at) dz."""
        if abs(at) < half:
            value, _ = quad(kernel, -half, half, weight="cauchy", wvar=at, epsabs=1e-12)
        else:
            value, _ = quad(lambda z: kernel(z) / (z - at), -half, half, epsabs=1e-12)
        return value / np.pi

    c = p / n
    out = []
    for value in lam:
        f = np.mean([kernel((value - other) / (h * other)) / (h * other) for other in lam])
        g = np.mean([hilbert_of_kernel((value - other) / (h * other)) / (h * other) for other in lam])
        if p <= n:
            out.append(value / ((np.pi * c * value * f) ** 2 + (1 - c - np.pi * c * value * g) ** 2))
        else:
            out.append(value / (np.pi**2 * value**2 * (f**2 + g**2)))
    if null:
        at_zero = np.mean([hilbert_of_kernel(-1 / h) / (h * other) for other in lam])
        out = [1 / (np.pi * null / n * at_zero)] * null + out
    return (u * np.array(out)) @ u.T


def is_covariance(matrix):
    """Finite, symmetric to 1e-8 of the largest element, no negative variance."""
    if not np.isfinite(matrix).all():
        return False
    symmetric = np.abs(matrix - matrix.T).max() <= 1e-8 * np.abs(matrix).max()
    return bool(symmetric and np.diagonal(matrix).min() >= 0.0)
