"""The Monte Carlo path by path, with the functions of Python's own math module."""

import math

import numpy as np

from tests.oracles.philox import words

ASSETS, MIXING, BOOK, PURPOSES = 0, 1, 2, 4


def uniform(word):
    return ((word >> 12) + 0.5) / 2**52


def polar(square, word):
    """Return r cos φ and r sin φ with φ = 2π word / 2⁶⁴."""
    angle = 2.0 * math.pi * (word / 2**64)
    return math.sqrt(square) * math.cos(angle), math.sqrt(square) * math.sin(angle)


def normal_pair(low, high):
    """Box and Muller."""
    return polar(-2.0 * math.log(uniform(low)), high)


def student_t(low, high, dof):
    """Bailey's polar method, scaled to unit variance."""
    t = polar(dof * math.expm1(-2.0 / dof * math.log(uniform(low))), high)[0]
    return t * math.sqrt((dof - 2.0) / dof)


def mixing_scale(path, stream, seed, dof):
    """√((ν − 2)/χ²), the χ² by Marsaglia and Tsang."""
    d = dof / 2.0 - 1.0 / 3.0
    attempt = 0
    while True:
        x = normal_pair(*words(path, 2 * attempt, stream, seed))[0]
        u = uniform(words(path, 2 * attempt + 1, stream, seed)[0])
        v = (1.0 + x / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return math.sqrt((dof - 2.0) / (2.0 * d * v))
        attempt += 1


def asset_losses(weights, cov, dof, horizon, seed, first, n_paths):
    """−w'r with r = L z, each asset by itself; `dof` None is normal."""
    root = np.linalg.cholesky(cov)
    n = len(weights)
    losses = []
    for path in range(first, first + n_paths):
        loss = 0.0
        for day in range(horizon):
            z = []
            for pair in range((n + 1) // 2):
                z += normal_pair(*words(path, pair, PURPOSES * day + ASSETS, seed))
            scale = 1.0 if dof is None else mixing_scale(path, PURPOSES * day + MIXING, seed, dof)
            loss -= float(np.dot(weights, root @ np.array(z[:n]))) * scale
        losses.append(loss)
    return np.array(losses)


def pair_words(pair, stream, seed):
    """Return the words for radius and angle: two pairs share one draw of radii and the next of angles."""
    return tuple(words(pair // 2, index, stream, seed)[pair % 2] for index in (0, 1))


def normal_losses(volatility, seed, first, n_paths):
    return np.array(
        [
            volatility * normal_pair(*pair_words(path // 2, BOOK, seed))[path % 2]
            for path in range(first, first + n_paths)
        ]
    )


def student_t_losses(volatility, dof, horizon, seed, first, n_paths):
    return np.array(
        [
            sum(volatility * student_t(*pair_words(path, PURPOSES * day + BOOK, seed), dof) for day in range(horizon))
            for path in range(first, first + n_paths)
        ]
    )


def value_and_shortfall(losses, confidence):
    """Value at risk and expected shortfall from all losses, by sorting them."""
    k = round((1.0 - confidence) * len(losses), 9)
    worst = sorted((float(x) for x in losses), reverse=True)
    whole = math.floor(k)
    rest = (k - whole) * worst[whole] if whole < len(worst) else 0.0
    return worst[math.ceil(k) - 1], (math.fsum(worst[:whole]) + rest) / k


def tail_risk(losses, confidence):
    """Value at risk, expected shortfall and their standard errors from all losses, by sorting them."""
    n = len(losses)
    k = round((1.0 - confidence) * n, 9)
    worst = sorted((float(x) for x in losses), reverse=True)
    value, shortfall = value_and_shortfall(losses, confidence)
    away = math.sqrt(n * (1.0 - confidence) * confidence)
    value_error = (worst[math.ceil(k - away) - 1] - worst[math.ceil(k + away) - 1]) / 2.0
    tail = worst[: math.ceil(k)]
    mean = math.fsum(tail) / len(tail)
    variance = math.fsum((x - mean) ** 2 for x in tail) / (len(tail) - 1)
    return value, shortfall, value_error, math.sqrt((variance + confidence * (shortfall - value) ** 2) / k)
