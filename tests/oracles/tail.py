"""The tail of a sample, in exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
from scipy import stats


def value_at_risk_and_shortfall(returns, tail):
    """`tail` is a Fraction; losses are the returns with their sign changed, exactly."""
    losses = sorted((-Fraction(float(r)) for r in returns), reverse=True)
    k = tail * len(losses)
    whole = math.floor(k)
    value_at_risk = losses[math.ceil(k) - 1]
    beyond = sum(losses[:whole]) + (k - whole) * (losses[whole] if whole < len(losses) else 0)
    return value_at_risk, beyond / k


def shortfall_error(returns, tail):
    """Manistre and Hancock 2005, equation 3, with the sample variance of the losses at or beyond VaR."""
    losses = np.sort(-np.asarray(returns))[::-1]
    k = tail * len(losses)
    beyond = losses[: math.ceil(k)]
    value_at_risk, shortfall = beyond[-1], (beyond[: math.floor(k)].sum() + (k - math.floor(k)) * beyond[-1]) / k
    return math.sqrt((np.var(beyond, ddof=1) + (1 - tail) * (shortfall - value_at_risk) ** 2) / k)


def interval_ranks(n, tail, error):
    """Ranks (milder, harsher) among the worst losses, from SciPy's binomial; 0 stands for none."""
    law = stats.binom(n, tail)
    harsher = max((a for a in range(1, n + 1) if law.cdf(a - 1) <= error), default=0)
    milder = min((b for b in range(1, n + 1) if law.sf(b - 1) <= error), default=0)
    return milder, harsher
