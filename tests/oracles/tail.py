"""The tail of a sample, in exact rational arithmetic."""

import math
from fractions import Fraction

from scipy import stats


def value_at_risk_and_shortfall(returns, tail):
    """`tail` is a Fraction; losses are the returns with their sign changed, exactly."""
    losses = sorted((-Fraction(float(r)) for r in returns), reverse=True)
    k = tail * len(losses)
    whole = math.floor(k)
    value_at_risk = losses[math.ceil(k) - 1]
    beyond = sum(losses[:whole]) + (k - whole) * (losses[whole] if whole < len(losses) else 0)
    return value_at_risk, beyond / k


def interval_ranks(n, tail, error):
    """Ranks (milder, harsher) among the worst losses, from SciPy's binomial; 0 stands for none."""
    law = stats.binom(n, tail)
    harsher = max((a for a in range(1, n + 1) if law.cdf(a - 1) <= error), default=0)
    milder = min((b for b in range(1, n + 1) if law.sf(b - 1) <= error), default=0)
    return milder, harsher
