"""What the prices of a market tell of its state, for every day of a history."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.saved_state import measured
from rpmcore.domain.arrays import Matrix, Vector, as_matrix, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.covariance import ewma_covariance
from rpmcore.risk.covariance_paths import ewma_volatility_path

WARM_UP = 30
"""Returns that an average needs before it is a reading: the first of them would be noise in all later ranks."""


STILL = 5
"""Returns of exactly zero in a row after which a market is not calm: its prices have stopped, and tell nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketReadings:
    """The state of a market on a day; None is a reading that is missing.

    Attributes
    ----------
    efficiency
        Kaufman's ratio of the market, in [0, 1]: 1 is a straight line.
    volatility
        Of the market, per period.
    correlation
        Mean absolute correlation of the pairs of what is traded, in [0, 1].
    clustering
        Short over long variance of the market.
    liquidity
        Mean of Roll's implied spreads, as a fraction of the price.

    Raises
    ------
    InvalidArgument
        If one is negative, NaN or infinite.
    """

    efficiency: float | None = None
    volatility: float | None = None
    correlation: float | None = None
    clustering: float | None = None
    liquidity: float | None = None

    def __post_init__(self) -> None:
        for part in fields(self):
            measured(getattr(self, part.name), part.name)


def market_readings(returns: Any, market: Any, settings: AdaptiveSettings) -> list[MarketReadings]:
    """Return the readings after each day: element t rests on the returns up to and with row t, and is for day t+1.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns of what is traded, oldest first, without NaN.
    market
        (n_obs,) those of the market.
    settings
        The decays and the days of the efficiency ratio.

    Returns
    -------
    list of MarketReadings
        n_obs long. What cannot be measured yet, or of a market that has stood for `STILL` days, is None: a feed that
        repeats its last price must not look like a calm market.

    Raises
    ------
    InvalidArgument
        If shapes do not fit or a value is not finite.

    References
    ----------
    See `rpmcore.controls.regime.RegimeDetector` and `rpmcore.controls.stress_limits.StressAdjustedLimits`. Correlations
    count without their sign, because that of a currency pair only says which way round it is quoted.
    """
    x, m = as_matrix(returns, "returns"), as_vector(market, "market")
    if x.shape[0] != m.shape[0]:
        raise InvalidArgument(f"returns has {x.shape[0]} row(s), but market has {m.shape[0]}")
    short = ewma_volatility_path(m, settings.volatility.decay)
    long = ewma_volatility_path(m, settings.stress.long_decay)
    paths = (
        efficiency_path(m, settings.regimes.efficiency_days),
        short,
        correlation_path(x, settings.stress.correlation_decay),
        np.divide(short * short, long * long, out=np.full(len(m), np.nan), where=long > 0.0),
        roll_spread_path(x, settings.stress.liquidity_decay),
    )
    for path in paths[1:]:
        path[: WARM_UP - 1] = np.nan
    for path in (paths[0], short, paths[3]):
        path[still_path(m) >= STILL] = np.nan
    names = ("efficiency", "volatility", "correlation", "clustering", "liquidity")
    return [
        MarketReadings(**{n: v if v == v else None for n, v in zip(names, row, strict=True)})
        for row in zip(*(path.tolist() for path in paths), strict=True)
    ]


def latest_readings(returns: Any, market: Any, settings: AdaptiveSettings) -> MarketReadings:
    """Return the last of `market_readings`, without those before it; arguments and errors are the same.

    Fewer than `WARM_UP` rows give readings that are all missing but efficiency.
    """
    x, m = as_matrix(returns, "returns"), as_vector(market, "market")
    n_obs = x.shape[0]
    if n_obs != m.shape[0]:
        raise InvalidArgument(f"returns has {n_obs} row(s), but market has {m.shape[0]}")
    still = float(still_path(m)[-1]) >= STILL
    efficiency = float(efficiency_path(m, settings.regimes.efficiency_days)[-1])
    found = {"efficiency": None if still or efficiency != efficiency else efficiency}
    if n_obs < WARM_UP:
        return MarketReadings(**found)
    if not still:
        short = float(ewma_volatility_path(m, settings.volatility.decay)[-1])
        long = float(ewma_volatility_path(m, settings.stress.long_decay)[-1])
        found |= {"volatility": short, "clustering": short * short / (long * long) if long > 0.0 else None}
    return MarketReadings(
        **found,
        correlation=_mean_correlation(ewma_covariance(x, settings.stress.correlation_decay)),
        liquidity=_latest_roll_spread(x, settings.stress.liquidity_decay),
    )


def _mean_correlation(total: Matrix) -> float | None:
    """Return the mean |ρ| over pairs of a covariance of any scale; None with fewer than two assets that have moved."""
    variance = np.diagonal(total)
    alive = variance > 0.0
    k = int(alive.sum())
    if k < 2:
        return None
    scale = np.where(alive, 1.0 / np.sqrt(np.where(alive, variance, 1.0)), 0.0)
    together = float(scale @ np.abs(total) @ scale)
    return min(max((together - k) / (k * (k - 1)), 0.0), 1.0)


def _latest_roll_spread(returns: Matrix, decay: float) -> float:
    """Return the last of `roll_spread_path`."""
    products = returns[1:] * returns[:-1]
    weights = (1.0 - decay) * decay ** np.arange(len(products) - 1, -1, -1)
    total = (weights[:, None] * products).sum(axis=0)
    left = decay ** len(products)
    return float(np.mean(2.0 * np.sqrt(np.maximum(0.0, -total / (1.0 - left)))))


def still_path(market: Vector) -> Vector:
    """Return (n_obs,) how many returns in a row, up to and with each, are exactly zero."""
    rows = np.arange(len(market))
    moved = np.maximum.accumulate(np.where(market != 0.0, rows, -1))
    found: Vector = (rows - moved).astype(np.float64)
    return found


def efficiency_path(market: Vector, days: int) -> Vector:
    """Return (n_obs,) |p_t − p_{t−days}| / Σ|p_s − p_{s−1}| of the market's value p; NaN before, and where it stood."""
    value = np.concatenate(([1.0], np.cumprod(1.0 + market)))
    out = np.full(len(market), np.nan)
    if len(market) < days:
        return out
    moves = np.lib.stride_tricks.sliding_window_view(np.abs(np.diff(value)), days).sum(axis=1)
    moved = np.abs(value[days:] - value[:-days])
    np.divide(moved, moves, out=out[days - 1 :], where=moves > 0.0)
    out[:] = np.minimum(out, 1.0)  # the rounding of a straight line
    return out


def correlation_path(returns: Matrix, decay: float) -> Vector:
    """Return (n_obs,) the mean |ρ| over pairs under EWMA; NaN with fewer than two assets that have moved.

    A covariance at a time: the path of all of them would not fit into memory for a large book.
    """
    n_obs, n = returns.shape
    total, out = np.zeros((n, n)), np.full(n_obs, np.nan)
    for t in range(1, n_obs):
        if t == 1:
            total = (1.0 - decay) * np.outer(returns[0], returns[0])
        total *= decay
        total += (1.0 - decay) * np.outer(returns[t], returns[t])
        found = _mean_correlation(total)
        if found is not None:
            out[t] = found
    return out


def roll_spread_path(returns: Matrix, decay: float) -> Vector:
    """Return (n_obs,) the mean over assets of 2 √max(0, −cov(r_t, r_{t−1})) under EWMA around zero; NaN on the first.

    A price that bounces between bid and ask makes successive returns move against each other, by a quarter of the
    squared spread. Where they move together instead, the spread cannot be told from nothing (Roll 1984).
    """
    out = np.full(len(returns), np.nan)
    total, left = np.zeros(returns.shape[1]), 1.0
    for t in range(1, len(returns)):
        total = decay * total + (1.0 - decay) * returns[t] * returns[t - 1]
        left *= decay
        out[t] = float(np.mean(2.0 * np.sqrt(np.maximum(0.0, -total / (1.0 - left)))))
    return out
