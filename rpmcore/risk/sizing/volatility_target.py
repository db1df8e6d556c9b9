"""The largest trade that keeps the volatility of the whole book at its target."""

from math import inf, isfinite, sqrt

from rpmcore.domain.errors import InvalidArgument


def largest_change(variance: float, product: float, asset_variance: float, target: float, sign: int) -> float:
    """Return the largest δ ≥ 0 for which σ(w + sign·δ·e_i) ≤ target, with every smaller trade passing too.

    σ² changes to σ² + 2δ·sign·(Σw)_i + δ²Σ_ii, so that the passing sizes are an interval whose ends solve a quadratic.
    A book that is above the target already passes while its volatility falls: the answer is then the upper end of the
    interval if the trade leads into it, else the size of least volatility, else 0.

    Parameters
    ----------
    variance
        σ² = wᵀΣw of the book.
    product
        (Σw)_i, the covariance of the book with the instrument.
    asset_variance
        Σ_ii.
    target
        Volatility, per the same period as the variances.
    sign
        1 to buy, −1 to sell.

    Returns
    -------
    float
        Absolute change of weight; infinity where any size passes.

    Raises
    ------
    InvalidArgument
        If a number is not finite, a variance or the target is negative, or the numbers are of no covariance matrix.
    """
    _check(variance, product, asset_variance, target, sign)
    slope, room = sign * product, target * target - variance
    if asset_variance == 0.0:
        return inf if room >= 0.0 else 0.0
    discriminant = slope * slope + asset_variance * room
    if room < 0.0 and slope >= 0.0:
        return 0.0
    if discriminant < 0.0:
        return -slope / asset_variance
    root = sqrt(discriminant)
    # The other form of the same root where this one would cancel.
    return room / (root + slope) if slope > 0.0 else (root - slope) / asset_variance


def _check(variance: float, product: float, asset_variance: float, target: float, sign: int) -> None:
    for name, value in (("variance", variance), ("asset_variance", asset_variance), ("target", target)):
        if not (isfinite(value) and value >= 0.0):
            raise InvalidArgument(f"{name} must be finite and not negative, but is {value!r}")
    if sign not in (1, -1):
        raise InvalidArgument(f"sign must be 1 or -1, but is {sign!r}")
    # In a book that is hedged entirely both are zero but for rounding, and the variance may be cut to zero.
    rounding = 1e-9 * (sqrt(variance) + sqrt(asset_variance)) * sqrt(asset_variance)
    if not abs(product) <= sqrt(variance) * sqrt(asset_variance) + rounding:
        raise InvalidArgument(
            f"product is {product!r}, but no covariance exceeds the product of both volatilities, "
            f"{sqrt(variance) * sqrt(asset_variance)!r}"
        )
