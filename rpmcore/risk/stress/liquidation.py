"""What it costs, and how long it takes, to leave a position when the market is thin."""

from math import sqrt

from rpmcore.domain.crises import Crisis
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.settings import StressSettings


def liquidation_cost(
    holding: Holding,
    weight: float,
    net_weight: float,
    capital: float | None,
    volatility: float,
    crisis: Crisis,
    settings: StressSettings,
) -> float | None:
    """Return the cost of closing a position as a fraction of capital, or None where the book tells no spread.

    Half the spread × its multiplier × |weight|, and with a daily volume the square-root impact
    impact × stressed daily volatility × √(|net mv| / stressed volume) × |weight|.

    Parameters
    ----------
    holding
        Gives spread (basis points) and average daily volume (account currency).
    weight
        Signed market value / capital of the row.
    net_weight
        The same of the instrument over all rows: rows share one market, so splitting a position saves nothing.
    capital
        In account currency; without it a volume in money cannot be compared, and there is no impact.
    volatility
        Of the instrument, per day, calm.
    crisis
        Multiplies spread and volatility and takes volume away.
    settings
        The impact coefficient.

    References
    ----------
    R. Almgren, C. Thum, E. Hauptmann and H. Li, "Direct estimation of equity market impact", *Risk* 18 (2005); the
    square-root form of J. Gatheral, "No-dynamic-arbitrage and market impact", *Quantitative Finance* 10 (2010),
    section 1.
    """
    if holding.spread_bps is None:
        return None
    size = abs(weight)
    cost = 0.5 * holding.spread_bps * 1e-4 * crisis.spread_multiplier * size
    if holding.adv is not None and capital is not None:
        volume = holding.adv * (1.0 - crisis.volume_reduction)
        stressed = volatility * crisis.volatility_multiplier
        cost += settings.impact * stressed * sqrt(abs(net_weight) * capital / volume) * size
    return cost


def days_to_liquidate(
    holding: Holding, net_weight: float, capital: float | None, crisis: Crisis, settings: StressSettings
) -> float | None:
    """Return |mv| / (volume × (1 − volume reduction) × participation), or None without a volume or capital."""
    if holding.adv is None or capital is None:
        return None
    return abs(net_weight) * capital / (holding.adv * (1.0 - crisis.volume_reduction) * settings.participation)
