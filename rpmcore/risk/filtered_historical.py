"""Filtered historical simulation: what past shocks would do at today's volatility.

References
----------
J. Hull and A. White, "Incorporating volatility updating into the historical simulation method for value-at-risk",
*Journal of Risk* 1 (1998), section 2: one day. G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without
correlations for portfolios of derivative securities", *Journal of Futures Markets* 19 (1999): several days, here with
exponentially weighted volatilities in place of GARCH.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.kernels import filtered_historical as kernels
from rpmcore.risk.simulated_tail import Progress
from rpmcore.risk.simulation import measure
from rpmcore.risk.simulation_model import checked_law, whole
from rpmcore.risk.value_at_risk import Quantile, historical

BURN_IN = 30
"""Rows that only start the filter: at λ = 0.94 they carry five sixths of the weight that a long history would."""


def filtered_returns(returns: Any, decay: float = 0.94, burn_in: int = BURN_IN) -> Matrix:
    """Return past returns at today's volatility, (n_obs − burn_in, n_assets): σ_{T+1} r_t/σ_{t|t−1} for each asset.

    σ_{t|t−1} is the exponentially weighted volatility around zero of the rows before t; the rows stay together, and
    with them the dependence between the assets.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns per period, oldest first, without NaN; not overlapping.
    decay
        λ in (0, 1).
    burn_in
        Rows that only start the filter, at least 1.

    Raises
    ------
    Undefined
        If an asset moves after a stretch without any movement, from which no volatility can be told; or if a rescaled
        return is −100 % or less, as when a peg broke.
    InsufficientData
        If no row is left after the burn-in.
    InvalidArgument
        If an argument is out of its range.
    """
    z, variances = _standardised(returns, decay, burn_in)
    filtered: Matrix = z * np.sqrt(variances)
    worst = filtered.min(axis=0)
    if worst.min() <= -1.0:
        asset = int(worst.argmin())
        raise Undefined(
            f"asset {asset}: a past move, at the volatility of tomorrow, would be {worst[asset]:.0%}; a price cannot "
            "fall by more than all of itself, so its shocks do not scale with its volatility"
        )
    return filtered


def filtered_historical(
    returns: Any, weights: Any, confidence: float, *, decay: float = 0.94, burn_in: int = BURN_IN,
    interval: float = 0.90, quantile: Quantile = "inverse_cdf",
) -> TailRisk:  # fmt: skip
    """Return the historical VaR and ES of `filtered_returns`, over one period.

    Parameters
    ----------
    returns, decay, burn_in
        As in `filtered_returns`.
    weights
        (n_assets,) signed market value / capital.
    confidence, interval, quantile
        As in `rpmcore.risk.value_at_risk.historical`. The interval takes the volatilities for known.

    Raises
    ------
    Undefined, InsufficientData, InvalidArgument
        As `filtered_returns`; or if an argument is out of its range.
    """
    held = as_vector(weights, "weights")
    rows = filtered_returns(returns, decay, burn_in)
    _check_sizes(held, rows)
    return replace(historical(rows @ held, confidence, interval, quantile), method="filtered_historical")


def simulate_filtered(
    returns: Any,
    weights: Any,
    confidences: Sequence[float],
    n_paths: int,
    *,
    horizon: int,
    seed: int,
    decay: float = 0.94,
    burn_in: int = BURN_IN,
    mean: Literal["zero", "sample"] = "zero",
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[TailRisk, ...]:
    """Return VaR and ES over several days, one per confidence, with the standard errors of the simulation.

    Each day of a path draws one whole row of standardised past returns and scales it by the volatilities of the path,
    which then follow what was drawn. The standardised returns of each asset are first brought to a mean square of one:
    past shocks larger than the filter expected would otherwise multiply the variance day by day. Losses are the sum of
    the days' −w'r: the positions are kept, not rebalanced in money, and simple returns add up as in the other methods.

    Parameters
    ----------
    returns, weights, decay, burn_in
        As in `filtered_historical`.
    confidences
        Each in (0.5, 1); at least one.
    n_paths
        From 1 to 1e9.
    horizon
        Days, from 1 to the number of past returns: beyond, the past that is drawn from says nothing.
    mean
        Whether the drift of the past is taken out of the draws, or kept.
    seed
        In [0, 2**64): the same seed gives the same bits, for any number of threads.
    threads
        How many share the paths.
    progress
        Told how many paths are drawn, and of how many.

    Raises
    ------
    Undefined, InsufficientData, InvalidArgument
        As `filtered_historical`.
    """
    held = as_vector(weights, "weights")
    z, variances = _standardised(returns, decay, burn_in)
    _check_sizes(held, z)
    if horizon > z.shape[0]:
        raise InsufficientData(
            f"{horizon} days ahead are more than the {z.shape[0]} past returns that are drawn from; give more history"
        )
    if mean == "zero":
        z -= z.mean(axis=0)
    scale = np.sqrt(np.mean(z**2, axis=0))
    z /= np.where(scale > 0.0, scale, 1.0)
    law = checked_law(seed, "normal", None, horizon, "pseudo")
    growth = np.sqrt(decay + (1.0 - decay) * z**2)
    draw = partial(kernels.path_losses, z, growth, np.sqrt(variances), held, law.horizon, law.seed)
    risks = measure(
        [draw] if held.any() else [],
        law,
        confidences,
        law.check_paths(n_paths),
        whole("threads", threads, 1, 1024),
        progress,
    )
    reason = "a simulation knows its own standard error, not the uncertainty of the past it draws from"
    return tuple(
        replace(
            risk, method="filtered_historical", n_paths=n_paths, lower_reason=reason, upper_reason=reason,
            expected_shortfall_lower_reason=reason, expected_shortfall_upper_reason=reason,
        )
        for risk in risks
    )  # fmt: skip


def _standardised(returns: Any, decay: float, burn_in: int) -> tuple[Matrix, Vector]:
    """Return the standardised rows after the burn-in, and each asset's variance for the day after the last."""
    x = as_matrix(returns, "returns")
    if not 0.0 < decay < 1.0:
        raise InvalidArgument(f"decay must lie in (0, 1), but is {decay!r}")
    if burn_in < 1:
        raise InvalidArgument(f"burn_in must be at least 1, but is {burn_in}")
    if x.shape[0] <= burn_in:
        raise InsufficientData(f"a filter with a burn-in of {burn_in} needs more returns, but there are {x.shape[0]}")
    z, variances = np.empty((x.shape[0] - burn_in, x.shape[1])), np.empty(x.shape[1])
    wrong = kernels.standardise(x, decay, burn_in, z, variances)
    if wrong >= 0:
        raise Undefined(
            f"asset {wrong} moves after {burn_in} or more returns of zero: no volatility can be told to filter it by"
        )
    return z, variances


def _check_sizes(weights: Vector, rows: Matrix) -> None:
    if weights.shape[0] != rows.shape[1]:
        raise InvalidArgument(f"weights has {weights.shape[0]} element(s), but returns has {rows.shape[1]} column(s)")
