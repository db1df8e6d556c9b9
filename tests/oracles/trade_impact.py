"""Measures of a book from scratch, and what passes by trying sizes: NumPy alone."""

import itertools

import numpy as np

ROUNDING = 1e-12


def passes(now, after, limit):
    """Within the limit, or in breach and lower than before; either up to the rounding of sums."""
    within = after <= limit * (1 + ROUNDING)
    return within | ((now > limit * (1 + ROUNDING)) & (now > after * (1 + ROUNDING)))


def volatility(weights, cov, theta):
    """The root of wᵀΣ*w with Σ* built element by element: correlations drawn toward the product of the signs."""
    deviations = np.sqrt(np.diag(cov))
    signs = np.sign(weights)
    stressed = (1 - theta) * cov + theta * np.outer(deviations * signs, deviations * signs)
    return np.sqrt(max(weights @ stressed @ weights, 0.0))


def sorted_losses(pnl):
    return np.sort(-np.asarray(pnl))[::-1]


def value_at_risk(pnl, k):
    return sorted_losses(pnl)[int(np.ceil(k)) - 1]


def interpolated(pnl, tail):
    return -np.quantile(pnl, tail)


def expected_shortfall(pnl, k):
    losses, whole = sorted_losses(pnl), int(np.floor(k))
    beyond = (k - whole) * losses[whole] if k > whole else 0.0
    return (losses[:whole].sum() + beyond) / k


def shortfall_with_error(pnl, k, width):
    """Manistre and Hancock 2005, equation 3, around the ⌈k⌉-th loss."""
    beyond = sorted_losses(pnl)[: int(np.ceil(k))]
    shortfall = expected_shortfall(pnl, k)
    apart = shortfall - beyond[-1]
    return shortfall + width * np.sqrt((np.var(beyond, ddof=1) + (1 - k / len(pnl)) * apart**2) / k)


def linear(lows, highs, slopes, change):
    return sum(max(abs(a + change * c), abs(b + change * c)) for a, b, c in zip(lows, highs, slopes, strict=True))


def outcomes(weights, orders):
    """Every book that the orders can leave, each filled wholly or not at all."""
    flat = [(asset, weight) for asset, many in orders.items() for weight in many]
    for taken in itertools.product((False, True), repeat=len(flat)):
        book = np.array(weights, dtype=float)
        for filled, (asset, weight) in zip(taken, flat, strict=True):
            book[asset] += weight if filled else 0.0
        yield book
