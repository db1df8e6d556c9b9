"""A unit of money in which nothing overflows."""

from math import frexp, ldexp
from typing import Any

import numpy as np


def unit_of(*amounts: Any) -> float:
    """Return the power of two in (m/2, m], where m is the largest magnitude of all amounts; 1 where all are 0.

    Divided by it, amounts keep every bit, and neither their squares nor their sums overflow or vanish: what does not
    depend on the unit of money is then the same for any.
    """
    largest = max(float(np.abs(amount).max(initial=0.0)) for amount in amounts)
    return ldexp(1.0, frexp(largest)[1] - 1) if largest > 0.0 else 1.0
