"""Volatility after one more trade under adverse correlations, and the largest trade that keeps it below a target.

σ*²(w) = (1−θ) wᵀΣw + θ (Σ_i |w_i| σ_i)²: the variance under `rpmcore.risk.covariance.stressed_covariance` with the
adverse signs of these very weights. Its root is a norm (the Euclidean norm of two seminorms), so it is convex in every
weight and obeys the triangle inequality.
"""

from dataclasses import dataclass
from math import inf, sqrt

from rpmcore.domain.errors import InvalidArgument

SHRINKINGS = 48
"""How often a size that rounding took above its target is made smaller, each time by twice as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAsset:
    """All of a book that its volatility needs to know while one weight changes.

    Attributes
    ----------
    weight
        Of the asset.
    variance
        wᵀΣw of the book, per period.
    product
        (Σw)_i.
    own
        Σ_ii.
    gross
        Σ_j |w_j| σ_j of the whole book.
    stress
        θ in [0, 1].
    """

    weight: float
    variance: float
    product: float
    own: float
    gross: float
    stress: float

    def after(self, change: float) -> float:
        """Return σ* per period after `change` in the weight, in O(1).

        Raises
        ------
        InvalidArgument
            If the change is not finite, also when squared, or the covariance turns out not to be positive
            semidefinite. Zero stands where rounding took the variance of a perfect hedge just below it.
        """
        volatility = self._after(change)
        if not volatility < inf:
            raise InvalidArgument(f"change must be finite, also when squared, but is {change!r}")
        return volatility

    def _after(self, change: float) -> float:
        variance = self.variance + change * (2.0 * self.product + change * self.own)
        if variance < 0.0:
            variance = self._zero_for(variance, change)
        if self.stress == 0.0:
            return sqrt(variance)
        gross = self.gross + (abs(self.weight + change) - abs(self.weight)) * sqrt(self.own)
        return sqrt((1.0 - self.stress) * variance + self.stress * gross * gross)

    def largest(self, side: float, target: float, smallest: float = 0.0) -> float:
        """Return the largest size x with σ*(s x) ≤ `target`, see `TradeImpact.largest`.

        σ*² is a parabola on either side of the size at which the position is closed. It is convex, so that the upper
        root right of that size is the answer if there is one, else the upper root left of it.
        """
        if target < 0.0 or (smallest > 0.0 and self._after(side * smallest) > target):
            return 0.0
        if self.own <= 0.0:
            return inf if self._after(0.0) <= target else 0.0
        held = side * self.weight
        closing = max(0.0, -held)
        found = self._upper_root(side, 1.0, target)
        if found is None or found < closing:
            found = self._upper_root(side, -1.0, target) if closing > 0.0 else None
            found = None if found is None else min(found, closing)
        if found is None:
            return smallest
        step = 2.0**-53
        for _ in range(SHRINKINGS):
            if found <= smallest:
                break
            if self._after(side * found) <= target:
                return found
            found -= found * step
            step *= 2.0
        return smallest

    def _upper_root(self, side: float, sign: float, target: float) -> float | None:
        """Return the upper root of σ*²(s x) − target² where s·weight + x has this sign; None where it has none."""
        deviation, theta = sqrt(self.own), self.stress
        level = self.gross - abs(self.weight) * deviation + sign * side * self.weight * deviation
        half = (1.0 - theta) * side * self.product + theta * sign * deviation * level
        constant = (1.0 - theta) * self.variance + theta * level * level - target * target
        inside = half * half - self.own * constant
        if inside < 0.0:
            return None
        root = sqrt(inside)
        # Of two ways to write the root, the one that does not cancel.
        return (root - half) / self.own if half <= 0.0 else -constant / (root + half)

    def _zero_for(self, variance: float, change: float) -> float:
        gross = self.gross + abs(change) * sqrt(self.own)
        if not variance >= -1e-10 * gross * gross:
            raise InvalidArgument(
                f"cov is not positive semidefinite: the variance after this change is {variance!r}; "
                "repair it with the nearest correlation matrix"
            )
        return 0.0
