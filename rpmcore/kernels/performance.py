"""Figures of a series of trades, and the same figures of its resamples."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.bootstrap import resample

TIE = 1e-9
"""Statistics of resamples nearer to each other than this are equal but for rounding."""

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@kernel("(f8[::1],)")
def mean_and_deviation(x: Vector) -> tuple[float, float]:
    """Return the mean, and the standard deviation with divisor n − 1; exactly 0 where all rows are equal."""
    n = x.shape[0]
    total, equal = 0.0, True
    for i in range(n):
        total += x[i]
        equal = equal and x[i] == x[0]
    if equal:
        return x[0], 0.0
    mean = total / n
    squares = 0.0
    for i in range(n):
        squares += (x[i] - mean) ** 2
    return mean, math.sqrt(squares / (n - 1))


@kernel("(f8[::1], u8, f8[::1])")
def studentised_means(rows: Vector, seed: np.uint64, out: Vector) -> None:
    """Write t* = (mean* − mean)/(sd*/√n) of one resample per element of `out`.

    A resample of equal rows has no deviation: t* is then infinite with the sign of mean* − mean, or 0 where they are
    equal but for rounding.
    """
    n = rows.shape[0]
    mean, spread = mean_and_deviation(rows)
    drawn = np.empty(n)
    for replicate in range(out.shape[0]):
        resample(rows, seed, np.uint64(replicate), 1, drawn)
        centre, deviation = mean_and_deviation(drawn)
        if deviation > 0.0:
            out[replicate] = (centre - mean) / (deviation / math.sqrt(n))
        elif abs(centre - mean) <= TIE * spread:
            out[replicate] = 0.0
        else:
            out[replicate] = math.inf if centre > mean else -math.inf


@kernel("(f8[::1], f8, f8)")
def drawdowns(pnl: Vector, capital: float, peak: float) -> tuple[float, float]:
    """Return the deepest and the last (peak − E)/peak of E = capital + cumulated P&L, from `peak` ≥ capital on."""
    equity, current = capital, (peak - capital) / peak
    deepest = current
    for i in range(pnl.shape[0]):
        equity += pnl[i]
        peak = max(peak, equity)
        current = (peak - equity) / peak
        deepest = max(deepest, current)
    return deepest, current


@kernel("(f8[::1],)")
def gains_and_losses(pnl: Vector) -> tuple[float, float]:
    """Return the sum of the gains and the sum of the losses, both positive."""
    gains, losses = 0.0, 0.0
    for i in range(pnl.shape[0]):
        if pnl[i] > 0.0:
            gains += pnl[i]
        else:
            losses -= pnl[i]
    return gains, losses


@kernel("(f8[::1], u8, f8, f8[:, ::1])")
def resampled_trades(pnl: Vector, seed: np.uint64, capital: float, out: Matrix) -> None:
    """Write gains, losses and the deepest drawdown of one resample per row of `out`."""
    drawn = np.empty(pnl.shape[0])
    for replicate in range(out.shape[0]):
        resample(pnl, seed, np.uint64(replicate), 1, drawn)
        out[replicate, 0], out[replicate, 1] = gains_and_losses(drawn)
        out[replicate, 2], _ = drawdowns(drawn, capital, capital)


@kernel("(f8[::1],)")
def compounded(returns: Vector) -> tuple[float, float, float]:
    """Return the sum of ln(1 + r), the deepest drawdown of the compounded wealth, and the root mean square loss.

    The mean runs over all rows, gains counted as 0. A return of −1 or less ends the wealth: the first is then −∞.
    """
    n = returns.shape[0]
    growth, top, deepest, squares = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        squares += min(returns[i], 0.0) ** 2
        growth += math.log1p(returns[i]) if returns[i] > -1.0 else -math.inf
        top = max(top, growth)
        deepest = max(deepest, -math.expm1(growth - top))
    return growth, deepest, math.sqrt(squares / n)


@kernel("(f8[::1], u8, f8[:, ::1])")
def resampled_returns(returns: Vector, seed: np.uint64, out: Matrix) -> None:
    """Write mean, growth, deepest drawdown and downside deviation of one resample per row of `out`."""
    drawn = np.empty(returns.shape[0])
    for replicate in range(out.shape[0]):
        resample(returns, seed, np.uint64(replicate), 1, drawn)
        out[replicate, 0], _ = mean_and_deviation(drawn)
        out[replicate, 1], out[replicate, 2], out[replicate, 3] = compounded(drawn)
