"""Filtered historical simulation, asset by asset and day by day."""

import math

from tests.oracles.philox import words

STREAM = 0xF1172100


def variance(past, decay):
    """The exponentially weighted mean square of past returns, the latest last."""
    weights = [decay**age for age in range(len(past))]
    return sum(w * r * r for w, r in zip(weights, reversed(past), strict=True)) / sum(weights)


def standardised(returns, decay, burn_in):
    """Rows of z from `burn_in` on, and the variances for the day after the last, as lists."""
    columns = [list(column) for column in zip(*returns, strict=True)]
    z = [
        [c[t] / math.sqrt(variance(c[:t], decay)) if variance(c[:t], decay) > 0 else 0.0 for c in columns]
        for t in range(burn_in, len(returns))
    ]
    return z, [variance(c, decay) for c in columns]


def path_loss(z, variances, weights, decay, horizon, seed, path):
    variances, loss = list(variances), 0.0
    for day in range(horizon):
        low, _ = words(day, path, STREAM, seed)
        row = z[(low >> 32) * len(z) >> 32]
        for i, weight in enumerate(weights):
            r = math.sqrt(variances[i]) * row[i]
            loss -= weight * r
            variances[i] = decay * variances[i] + (1 - decay) * r * r
    return loss
