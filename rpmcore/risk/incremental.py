"""The variance of a book while one position at a time changes: the decision path.

With σ², Σw and diag Σ at hand a change of one position costs three products, whatever the size of the book. For single
numbers plain Python floats beat both NumPy's scalars and the call of a compiled kernel.
"""

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any, Self

import numpy as np

from rpmcore.domain.arrays import Matrix, shaped
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.volatility import not_negative, variance_and_product

REBUILD_AFTER = 1000
"""After so many commits Σw and σ² are computed anew. Until then rounding adds up to less than 1e-13 of (Σ|w_i|σ_i)²."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookVariance:
    """A book and its variance, ready to say what one more trade would make of it. Made by `BookVariance.of`.

    Immutable: `commit` gives another book, so that a decision in progress never sees half of an update.

    Attributes
    ----------
    weights
        Signed market value / capital of each asset.
    variance
        σ² = wᵀΣw, per period of the covariance.
    products
        (Σw)_i, half the gradient of the variance.
    variances
        Σ_ii.
    covariance
        (n_assets, n_assets), our own read-only copy.
    commits
        Commits since everything was last computed anew.
    """

    weights: tuple[float, ...]
    variance: float
    products: tuple[float, ...]
    variances: tuple[float, ...]
    covariance: Matrix
    commits: int = 0

    @classmethod
    def of(cls, weights: Any, cov: Any) -> Self:
        """Return the book with these weights (n_assets,) under `cov` (n_assets, n_assets).

        Raises
        ------
        InvalidArgument
            As `rpmcore.risk.volatility.portfolio_variance`.
        """
        held, matrix = shaped(weights, "weights", 1), shaped(cov, "cov", 2).copy()
        variance, product = variance_and_product(held, matrix)
        variances = tuple(np.diagonal(matrix).tolist())
        matrix.setflags(write=False)
        return cls(
            weights=tuple(held.tolist()),
            variance=variance,
            products=tuple(product.tolist()),
            variances=variances,
            covariance=matrix,
        )

    def variance_after(self, asset: int, change: float) -> float:
        """Return σ² + 2δ(Σw)_i + δ²Σ_ii, per period, were `change` added to the weight of `asset`. In O(1).

        Parameters
        ----------
        asset
            Index of the asset, from 0.
        change
            δ, signed market value / capital.

        Raises
        ------
        InvalidArgument
            If there is no such asset, `change` is not finite, or the covariance turns out not to be positive
            semidefinite. Zero is returned where rounding took a perfect hedge just below it.
        """
        if not 0 <= asset < len(self.products):
            raise InvalidArgument(f"asset must lie in 0 … {len(self.products) - 1}, but is {asset!r}")
        variance = self.variance + change * (2.0 * self.products[asset] + change * self.variances[asset])
        if 0.0 <= variance < inf:
            return variance
        if not isfinite(variance):
            raise InvalidArgument(f"change must be finite, also when squared, but is {change!r}")
        return not_negative(variance, np.array(self._weights_after(asset, change)), self.covariance)

    def volatility_after(self, asset: int, change: float) -> float:
        """Return the root of `variance_after`, with its arguments and errors."""
        return sqrt(self.variance_after(asset, change))

    def commit(self, asset: int, change: float) -> Self:
        """Return the book after the trade; arguments and errors as in `variance_after`.

        O(n_assets), and its variance is what `variance_after` said, to the bit. Every `REBUILD_AFTER` commits
        everything is computed anew from weights and covariance, in O(n_assets²).
        """
        variance, weights = self.variance_after(asset, change), self._weights_after(asset, change)
        if self.commits + 1 == REBUILD_AFTER:
            return type(self).of(weights, self.covariance)
        column = self.covariance[asset].tolist()
        return type(self)(
            weights=weights,
            variance=variance,
            products=tuple([p + change * c for p, c in zip(self.products, column, strict=True)]),
            variances=self.variances,
            covariance=self.covariance,
            commits=self.commits + 1,
        )

    def _weights_after(self, asset: int, change: float) -> tuple[float, ...]:
        return (*self.weights[:asset], self.weights[asset] + change, *self.weights[asset + 1 :])
