"""Slow, obvious forms of the limits that adapt. Nothing here comes from the package."""

import itertools
import math
from fractions import Fraction

CLASSES = ("normal", "elevated", "extreme", "crisis")
REGIMES = ("trending", "ranging", "volatile", "stressed")
PROFILES = {  # risk per trade, gross exposure, leverage, correlation stress
    "trending": (0.01, 2.0, 2.0, 0.0),
    "ranging": (0.01, 1.5, 1.5, 0.10),
    "volatile": (0.005, 1.0, 1.0, 0.30),
    "stressed": (0.002, 0.5, 0.5, 0.50),
}


def inverse_cdf(values, percentile):
    """The smallest value with at least that share of all at or below it, in exact arithmetic."""
    ordered = sorted(values)
    share = Fraction(str(percentile))
    return next(v for k, v in enumerate(ordered, start=1) if Fraction(k, len(ordered)) >= share)


def day_class(today, earlier):
    """0 to 3: how many of the 90th, 95th and 99th percentile today exceeds."""
    return sum(today > inverse_cdf(earlier, p) for p in (0.90, 0.95, 0.99))


def volatility_classes(values, window=60, minimum=30, minimum_history=500, loosen_days=5, expanding=True):
    """The class that holds on each day; None among the values is a missing day."""
    seen, levels, held = [], [], []
    for today in values:
        if today is None or len(seen) < minimum:
            held.append(3)
        else:
            level = day_class(today, seen[-window:])
            if expanding and len(seen) >= minimum_history:
                level = max(level, day_class(today, seen))
            levels.append(level)
            worst = max(levels[-loosen_days:])
            held.append(max(worst, 1) if expanding and len(seen) < minimum_history else worst)
        if today is not None:
            seen.append(today)
    return [CLASSES[level] for level in held]


def rank(value, earlier):
    return sum(v <= value for v in earlier) / len(earlier)


def stress_scores(days, minimum_history=500, calm=0.75):
    """The score of each day of (clustering, correlation, liquidity); None is missing."""
    seen, scores = ([], [], []), []
    for day in days:
        parts = []
        for value, earlier in zip(day, seen, strict=True):
            if value is None or len(earlier) < minimum_history:
                parts.append(1.0)
            else:
                parts.append(max(0.0, (rank(value, earlier) - calm) / (1.0 - calm)))
        scores.append(sum(parts) / 3)
        for value, earlier in zip(day, seen, strict=True):
            if value is not None:
                earlier.append(value)
    return scores


def regimes(days, minimum_history=500, dwell=10):
    """The regime that holds on each day of (efficiency, volatility, correlation); None is missing."""
    volatilities, correlations, levels, held = [], [], [], []
    on = {"trend": False, "volatile": False, "stressed": False, "extreme": False, "correlated": False}
    bounds = {
        "trend": (0.35, 0.25),
        "volatile": (0.80, 0.75),
        "stressed": (0.90, 0.85),
        "extreme": (0.98, 0.95),
        "correlated": (0.80, 0.70),
    }
    for efficiency, volatility, correlation in days:
        if volatility is None or len(volatilities) < minimum_history:
            held.append(3)
        else:
            v = rank(volatility, volatilities)
            known = correlation is not None and len(correlations) >= minimum_history
            measures = {
                "trend": efficiency,
                "volatile": v,
                "stressed": v,
                "extreme": v,
                "correlated": rank(correlation, correlations) if known else None,
            }
            for name, measure in measures.items():
                begins, ends = bounds[name]
                if measure is None:
                    on[name] = name == "correlated"
                else:
                    on[name] = measure >= begins or (on[name] and measure >= ends)
            if on["extreme"] or (on["stressed"] and on["correlated"]):
                levels.append(3)
            elif on["volatile"]:
                levels.append(2)
            else:
                levels.append(0 if on["trend"] else 1)
            held.append(max(levels[-dwell:]))
        if volatility is not None:
            volatilities.append(volatility)
        if correlation is not None:
            correlations.append(correlation)
    return [REGIMES[level] for level in held]


def limits(regime, volatility_class, score):
    """Risk per trade, gross exposure and leverage: base, times class, times stress; and the correlation stress."""
    *base, theta = PROFILES[regime]
    factor = {"normal": 1.0, "elevated": 0.8, "extreme": 0.5, "crisis": 0.2}[volatility_class]
    return (*(b * factor * (1.0 - 0.8 * score) for b in base), theta)


def efficiency(prices, days):
    """Kaufman's ratio over the last moves."""
    last = prices[-days - 1 :]
    way = sum(abs(b - a) for a, b in itertools.pairwise(last))
    return abs(last[-1] - last[0]) / way


def ewma(products, decay):
    """The mean of products with weights λ^k, the latest first."""
    weights = [decay**k for k in range(len(products))]
    return sum(w * p for w, p in zip(weights, reversed(products), strict=True)) / sum(weights)


def average_correlation(rows, decay):
    n = len(rows[0])
    total, pairs = 0.0, 0
    for i in range(n):
        for j in range(i):
            cov = ewma([row[i] * row[j] for row in rows], decay)
            scale = ewma([row[i] ** 2 for row in rows], decay) * ewma([row[j] ** 2 for row in rows], decay)
            total += abs(cov) / math.sqrt(scale)
            pairs += 1
    return total / pairs


def roll_spread(rows, decay):
    found = []
    for series in zip(*rows, strict=True):
        cov = ewma([a * b for a, b in itertools.pairwise(series)], decay)
        found.append(2.0 * math.sqrt(max(0.0, -cov)))
    return sum(found) / len(found)
