"""Losses and shocks from a scrambled Sobol sequence in place of random numbers.

Each of `RUNS` runs scrambles the sequence by itself: a random lower triangular matrix on the binary digits of every
coordinate, then a random shift of the digits. Every point is then uniform, so that every run is unbiased, while the
points of a run still fill the cube evenly. The runs are independent: their spread is the standard error.

References
----------
S. Joe and F. Kuo, "Constructing Sobol sequences with better two-dimensional projections", *SIAM Journal on Scientific
Computing* 30 (2008); the table is the head of their file ``new-joe-kuo-6.21201``.
J. Matoušek, "On the L2-discrepancy for anchored boxes", *Journal of Complexity* 14 (1998): the scrambling.
A. Owen, "Variance with alternative scramblings of digital nets", *ACM TOMACS* 13 (2003): its variance is that of
nested uniform scrambling.
R. Bailey, "Polar generation of random variates with the t-distribution", *Mathematics of Computation* 62 (1994).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import random_numbers
from rpmcore.kernels import sobol as kernels
from rpmcore.kernels.simulation import PURPOSES, exceedances
from rpmcore.risk.asset_shocks import Shocks, Words, even, load
from rpmcore.risk.simulated_tail import Draw
from rpmcore.risk.sobol_table import PRIMITIVE_POLYNOMIALS

RUNS = 16
"""Independent scramblings. Their spread is known to 1/√(2·15), some 18 %: fewer would tell little of it, more would
leave less of the sequence's evenness to each."""

MOST_DIMENSIONS = len(PRIMITIVE_POLYNOMIALS) + 1
"""64: the first dimensions are the most even ones."""

INDEX_DIGITS = 32
"""A run has fewer than 2³² points."""

SCRAMBLING = np.uint64(3)
"""Purpose of the draws that scramble, beside those of `rpmcore.kernels.simulation`."""

PIECE = 4_096
"""Paths whose coordinates are held at a time."""


def generator_matrices(n_dimensions: int) -> Words:
    """Return the columns of the generator matrices (n_dimensions, 32), the first digit in the highest bit.

    Joe and Kuo, equation 3: m_k = 2a₁m_{k−1} ⊕ … ⊕ 2^(s−1)a_{s−1}m_{k−s+1} ⊕ 2^s m_{k−s} ⊕ m_{k−s}.
    """
    columns = np.empty((n_dimensions, INDEX_DIGITS), np.uint64)
    for dimension, (polynomial, initial) in enumerate(((0, [1]), *PRIMITIVE_POLYNOMIALS)[:n_dimensions]):
        degree, m = polynomial.bit_length() - 1, list(initial)
        for k in range(len(m), INDEX_DIGITS):
            value = m[k - degree] if dimension else 1
            for i in range(1, degree + 1):
                value ^= ((polynomial >> (degree - i)) & 1) * (m[k - i] << i)
            m.append(value)
        columns[dimension] = [value << (63 - k) for k, value in enumerate(m)]
    return columns


@dataclass(frozen=True, slots=True)
class Scrambled:
    """One scrambled sequence: columns (n_dimensions, 32) and shifts (n_dimensions,)."""

    columns: Words
    shifts: Words

    def words(self, points: Words, dimension: int) -> Words:
        """Return one coordinate of each point, times 2⁶⁴."""
        words = np.empty_like(points)
        kernels.sobol_words(points, self.columns[dimension], self.shifts[dimension], words)
        return words

    def uniforms(self, points: Words, dimension: int) -> Vector:
        """Return one coordinate of each point, in the open interval (0, 1)."""
        return random_numbers.uniforms(self.words(points, dimension))


def scramblings(n_dimensions: int, seed: np.uint64) -> tuple[Scrambled, ...]:
    """Return `RUNS` sequences, each scrambled by random digits of its own under `seed`."""
    plain = generator_matrices(n_dimensions)
    rows = np.arange(64, dtype=np.uint64)
    digit = np.uint64(1) << (np.uint64(63) - rows)
    earlier = ~((digit << np.uint64(1)) - np.uint64(1))
    low, high = np.empty(64, np.uint64), np.empty(64, np.uint64)
    sequences = []
    for run in range(RUNS):
        columns, shifts = np.empty_like(plain), np.empty(n_dimensions, np.uint64)
        for dimension in range(n_dimensions):
            stream = PURPOSES * np.uint64(run) + SCRAMBLING
            random_numbers.random_words(rows, np.uint64(dimension), stream, seed, low, high)
            triangle = (low & earlier) | digit
            odd = np.bitwise_count(triangle[:, None] & plain[dimension]) & 1
            columns[dimension] = np.bitwise_or.reduce(np.where(odd == 1, digit[:, None], np.uint64(0)), axis=0)
            shifts[dimension] = high[0]
        sequences.append(Scrambled(columns, shifts))
    return tuple(sequences)


def loss_draws(exposures: Vector, dof: float, horizon: int, seed: np.uint64) -> tuple[Draw, ...]:
    """Return how each run draws −Σ over `horizon` days of a'z with a = `exposures`; `dof` is infinite for normal z.

    Raises
    ------
    InvalidArgument
        If a path takes more than 64 coordinates.
    """
    loadings = np.zeros((1, even(exposures.shape[0])))
    loadings[0, : exposures.shape[0]] = -exposures
    sources = shock_sources(exposures.shape[0], dof, horizon, seed)

    def losses_of(source: Shocks, paths: Words, losses: Vector) -> None:
        load(source, loadings, horizon, paths, losses[:, None])

    return tuple(partial(_draw, partial(losses_of, source)) for source in sources)


def book_draws(volatility: float, dof: float, horizon: int, seed: np.uint64) -> tuple[Draw, ...]:
    """Return how each run draws `volatility` times the sum of `horizon` Student-t of unit variance.

    Bailey's polar method on two coordinates a day, as the quantile of Student-t has no closed form.

    Raises
    ------
    InvalidArgument
        If a path takes more than 64 coordinates.
    """
    check_dimensions(2 * horizon, f"two coordinates for each of {horizon} day(s)")

    def losses_of(sequence: Scrambled, paths: Words, losses: Vector) -> None:
        t, scratch = np.empty(paths.shape[0]), np.empty(paths.shape[0])
        losses[:] = 0.0
        for day in range(horizon):
            radius, angle = sequence.words(paths, 2 * day), sequence.words(paths, 2 * day + 1)
            random_numbers.student_t(radius, angle, dof, t, scratch)
            losses += volatility * t

    return tuple(partial(_draw, partial(losses_of, sequence)) for sequence in scramblings(2 * horizon, seed))


def _draw(losses_of: Callable[[Words, Vector], None], first: np.uint64, pivot: float, losses: Vector) -> int:
    for start in range(0, losses.shape[0], PIECE):
        piece = losses[start : start + PIECE]
        losses_of(np.arange(piece.shape[0], dtype=np.uint64) + (first + np.uint64(start)), piece)
    return exceedances(losses, pivot, losses)


def shock_sources(n_assets: int, dof: float, horizon: int, seed: np.uint64) -> tuple[Shocks, ...]:
    """Return how each run draws the independent shocks of its paths, one coordinate per asset and day.

    Under Student-t shocks each day begins with one more for the mixing variable: χ² by its quantile.

    Raises
    ------
    InvalidArgument
        If a path takes more than 64 coordinates.
    """
    per_day = n_assets + (dof < inf)
    check_dimensions(per_day * horizon, f"{per_day} coordinate(s) for each of {horizon} day(s)")

    def shocks_of(sequence: Scrambled, paths: Words, day: int, shocks: Matrix) -> None:
        scratch = np.empty(paths.shape[0])
        last = per_day * (day + 1)
        for k in range(n_assets):
            shocks[k] = sequence.uniforms(paths, last - n_assets + k)
            kernels.normal_quantiles(shocks[k], scratch)
        shocks[n_assets:] = 0.0
        if dof < inf:
            from scipy.special import gammaincinv

            shocks *= np.sqrt((0.5 * dof - 1.0) / gammaincinv(0.5 * dof, sequence.uniforms(paths, last - per_day)))

    return tuple(partial(shocks_of, sequence) for sequence in scramblings(per_day * horizon, seed))


def check_dimensions(n_dimensions: int, reason: str) -> None:
    """Refuse what the sequence has no dimensions for.

    Raises
    ------
    InvalidArgument
        If `n_dimensions` is above 64.
    """
    if n_dimensions > MOST_DIMENSIONS:
        raise InvalidArgument(
            f"sampling='sobol' has {MOST_DIMENSIONS} dimensions, but a path would take {n_dimensions}: {reason}; "
            "take pseudo sampling, or draw the book alone (shocks of the book, reduction=True)"
        )
