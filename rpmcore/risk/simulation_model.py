"""What a simulation draws: the arguments checked once, and made into draws."""

from dataclasses import dataclass
from functools import partial
from math import inf, sqrt
from typing import Any, Literal

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_covariance, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import simulation as kernels
from rpmcore.risk.simulated_tail import Draw
from rpmcore.risk.volatility import portfolio_volatility

Distribution = Literal["normal", "student_t"]
"""The law of the daily shocks."""

Sampling = Literal["pseudo", "antithetic", "sobol"]
"""How the paths are drawn: independently, as pairs of a shock and its mirror image, or from 16 scrambled Sobol
sequences."""

MOST_PATHS = 1_000_000_000
MOST_THREADS = 1024
LONGEST_HORIZON = 100_000
LARGEST_DOF = 1e6
LARGEST_LOSS = 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The law of the shocks and the key of their draws; `dof` is infinite for normal shocks."""

    seed: np.uint64
    dof: float
    horizon: int
    sampling: Sampling

    @property
    def lot(self) -> int:
        """What the number of paths must be a multiple of: how many mirror images or runs share them."""
        return {"pseudo": 1, "antithetic": 2, "sobol": 16}[self.sampling]

    def check_paths(self, n_paths: int) -> int:
        """Return the number of paths if this law can draw so many.

        Raises
        ------
        InvalidArgument
            Otherwise.
        """
        n_paths = whole("n_paths", n_paths, 1, MOST_PATHS)
        if n_paths % self.lot:
            raise InvalidArgument(
                f"n_paths must be a multiple of {self.lot} for sampling={self.sampling!r}, but is {n_paths}"
            )
        return n_paths


def checked_law(seed: int, distribution: Distribution, dof: float | None, horizon: int, sampling: Sampling) -> Law:
    """Return the law that these arguments describe.

    Raises
    ------
    InvalidArgument
        If one of them is out of its range.
    """
    if sampling not in ("pseudo", "antithetic", "sobol"):
        raise InvalidArgument(f"sampling must be 'pseudo', 'antithetic' or 'sobol', but is {sampling!r}")
    return Law(
        seed=np.uint64(whole("seed", seed, 0, 2**64 - 1)),
        dof=_checked_dof(distribution, dof),
        horizon=whole("horizon", horizon, 1, LONGEST_HORIZON),
        sampling=sampling,
    )


def loss_draws(weights: Any, cov: Any, law: Law, reduction: bool) -> tuple[Draw, ...]:
    """Return how the losses of a linear book are drawn, one draw per independent run; none if it cannot lose.

    Raises
    ------
    InvalidArgument
        If shapes do not fit, a value is not finite, `cov` is not positive semidefinite, or the sampling is not to be
        had for this book.
    """
    held, matrix = as_vector(weights, "weights"), as_covariance(cov)
    check_sizes(held, matrix)
    if reduction and law.sampling == "antithetic":
        raise InvalidArgument(
            "sampling='antithetic' has nothing to save with reduction=True, where paths that miss the tail are never "
            "finished: take sampling='sobol' or 'pseudo'"
        )
    exposures = _exposures(matrix, held)
    if not float(np.abs(exposures).sum()) <= LARGEST_LOSS:
        raise InvalidArgument(
            f"weights and cov give losses beyond {LARGEST_LOSS:g} times the capital, too much to sum: check units"
        )
    volatility = portfolio_volatility(held, matrix) if reduction else inf
    if volatility == 0.0 or not exposures.any():
        return ()
    if law.sampling == "sobol":
        from rpmcore.risk import sobol

        if not reduction:
            return sobol.loss_draws(exposures, law.dof, law.horizon, law.seed)
        if law.dof == inf:
            return sobol.loss_draws(np.array([-volatility * sqrt(law.horizon)]), inf, 1, law.seed)
        return sobol.book_draws(volatility, law.dof, law.horizon, law.seed)
    if reduction:
        if law.dof == inf:
            return (partial(kernels.normal_losses, volatility * sqrt(law.horizon), law.seed),)
        return (partial(kernels.student_t_losses, volatility, law.dof, law.horizon, law.seed),)
    padded = np.append(exposures, np.zeros(exposures.shape[0] % 2))
    draw = partial(kernels.asset_losses, padded, law.dof, law.horizon, law.seed)
    return (partial(_mirrored, draw) if law.sampling == "antithetic" else draw,)


def _mirrored(draw: Draw, first: np.uint64, pivot: float, losses: Vector) -> int:
    """Draw paths of which 2m and 2m + 1 are mirror images: path m of `draw`, and the same with the sign turned."""
    half = np.empty((losses.shape[0] + 1) // 2)
    draw(first // np.uint64(2), -inf, half)
    losses[0::2] = half
    losses[1::2] = -half[: losses.shape[0] // 2]
    return kernels.exceedances(losses, pivot, losses)


def check_sizes(weights: Vector, cov: Matrix) -> None:
    """Raise InvalidArgument if there is not one weight per asset."""
    if weights.shape[0] != cov.shape[0]:
        raise InvalidArgument(f"weights has {weights.shape[0]} element(s), but cov has {cov.shape[0]} asset(s)")


def _exposures(cov: Matrix, weights: Vector) -> Vector:
    """Return Lᵀw (n_assets,) for the factor Σ = LLᵀ of `factor`."""
    exposures, _, positive_definite = kernels.factor_exposures(cov, weights)
    if positive_definite:
        return exposures
    from_eigenvalues: Vector = np.einsum("i,ij->j", weights, _eigenvalue_factor(cov))
    return from_eigenvalues


def factor(cov: Matrix) -> Matrix:
    """Return L (n_assets, n_assets) with Σ = LLᵀ: Cholesky's, or the eigenvalue factor of a singular matrix."""
    _, upper, positive_definite = kernels.factor_exposures(cov, np.zeros(cov.shape[0]))
    return np.triu(upper).T if positive_definite else _eigenvalue_factor(cov)


def _eigenvalue_factor(cov: Matrix) -> Matrix:
    eigenvalues, eigenvectors = np.linalg.eigh(cov)
    if eigenvalues[0] < -1e-10 * abs(eigenvalues[-1]):
        raise InvalidArgument(
            f"cov is not positive semidefinite: its smallest eigenvalue is {float(eigenvalues[0])!r}; "
            "repair it with the nearest correlation matrix"
        )
    scaled: Matrix = eigenvectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    return scaled


def whole(name: str, value: int, smallest: int, largest: int) -> int:
    """Return `value` if it is a whole number of that range.

    Raises
    ------
    InvalidArgument
        Otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not smallest <= value <= largest:
        raise InvalidArgument(f"{name} must be a whole number from {smallest} to {largest}, but is {value!r}")
    return int(value)


def _checked_dof(distribution: Distribution, dof: float | None) -> float:
    """Return the degrees of freedom, infinite for the normal law."""
    if distribution == "normal":
        if dof is not None:
            raise InvalidArgument(f"dof belongs to distribution='student_t' alone, but is {dof!r} for 'normal'")
        return inf
    if distribution != "student_t":
        raise InvalidArgument(f"distribution must be 'normal' or 'student_t', but is {distribution!r}")
    if dof is None or not 2.0 < dof <= LARGEST_DOF:
        raise InvalidArgument(
            f"dof must lie in (2, {LARGEST_DOF:g}] for distribution='student_t', but is {dof!r}: at 2 and below "
            "there is no variance to match"
        )
    return float(dof)
