"""The variance of a book while one position at a time changes: the decision path.

With σ², Σw and diag Σ at hand a changed position costs three products, whatever the size of the book. For single
numbers plain Python floats beat both NumPy scalars and a call of a compiled kernel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Self

from rpmcore.domain.arrays import Matrix, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.volatility import not_negative, variance_and_product
