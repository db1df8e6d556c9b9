"""The tail beyond a threshold by SciPy's generalised Pareto law, brute force and numerical differentiation."""

import numpy as np
from scipy import integrate, stats


def log_likelihood(excesses, shape, scale):
    return stats.genpareto.logpdf(excesses, shape, 0.0, scale).sum()


def log_likelihoods(excesses, shape, scales):
    """The same for many scales at once."""
    return stats.genpareto.logpdf(excesses[:, np.newaxis], shape, 0.0, scales).sum(axis=0)


def highest_likelihood(excesses, least_shape=-0.5):
    """The maximum over a grid of shapes, each with its scale from a grid of its own that is refined about the best."""

    def best_over_scales(shape):
        # The support must hold the largest excess.
        low, high = max(1e-6 * excesses.mean(), -shape * excesses.max() * (1 + 1e-12)), 20.0 * excesses.max()
        for _ in range(12):
            scales = np.geomspace(low, high, 40)
            values = log_likelihoods(excesses, shape, scales)
            best = int(np.argmax(values))
            low, high = scales[max(best - 1, 0)], scales[min(best + 1, 39)]
        return max(values)

    low, high = least_shape, 4.0
    for _ in range(6):
        shapes = np.linspace(low, high, 24)
        values = [best_over_scales(shape) for shape in shapes]
        best = int(np.argmax(values))
        low, high = shapes[max(best - 1, 0)], shapes[min(best + 1, 23)]
    return max(values)


def figures(threshold, shape, log_scale, share, tail):
    """VaR by SciPy's quantile; ES = VaR + the integral of the survival function beyond, over the tail."""
    law = stats.genpareto(shape, 0.0, np.exp(log_scale))
    beyond = law.isf(tail / share)
    # In units of the quantile's rank the integrand is smooth: ES is the mean quantile of the tail.
    mean = integrate.quad(lambda v: law.isf(v * tail / share), 0.0, 1.0, limit=400, epsabs=0, epsrel=1e-11)[0]
    return threshold + beyond, threshold + mean


def information(excesses, shape, log_scale, step=1e-4):
    """Observed information of (shape, ln scale) by central differences of SciPy's likelihood."""
    at = np.array([shape, log_scale])

    def value(change):
        return log_likelihood(excesses, (at + change)[0], np.exp((at + change)[1]))

    units = step * np.eye(2)
    hessian = [[value(a + b) - value(a - b) - value(b - a) + value(-a - b) for b in units] for a in units]
    return -np.array(hessian) / (4 * step**2)


def errors(excesses, threshold, shape, scale, share, tail, step=1e-5):
    """Standard errors of VaR and ES: delta method on (shape, ln scale, share), all derivatives numerical."""
    at = np.array([shape, np.log(scale), share])
    slopes = []
    for unit in step * np.diag([1.0, 1.0, share]):
        above, below = (np.array(figures(threshold, *(at + sign * unit), tail)) for sign in (1, -1))
        slopes.append((above - below) / (2 * unit.sum()))
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = np.linalg.inv(information(excesses, shape, np.log(scale)))
    covariance[2, 2] = share * (1 - share) / (len(excesses) / share)
    slopes = np.array(slopes)
    return np.sqrt(np.diag(slopes.T @ covariance @ slopes))
