"""The answer of one measure about one trade, and what a trade may make of a measure."""

from dataclasses import dataclass
from math import isfinite, isnan

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.limits import ROUNDING, exceeds


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeImpact:
    """One measure before and after a trade, with all that is still working at its worst.

    Attributes
    ----------
    name
        What is limited, such as ``value_at_risk``.
    measure
        How it was measured, in words a reader can check.
    now, after
        The measure at the worst outcome of the working orders, without the trade and with it, in the unit of `limit`;
        None where it is undefined, for `reason`, which lets nothing pass.
    limit
        The largest value allowed.
    largest
        Size in weight, never negative: the top of the interval of passing sizes that holds the smallest; ``inf``
        where no size reaches the limit, 0 where the smallest does not pass.
    reason
        Why the measure is undefined.
    """

    name: str
    measure: str
    now: float | None
    after: float | None
    limit: float
    largest: float
    reason: str | None = None

    @property
    def incremental(self) -> float | None:
        """m(δ) − m(0), never the marginal measure times δ; None where either is undefined."""
        return None if self.now is None or self.after is None else self.after - self.now

    @property
    def passes(self) -> bool:
        """Whether the trade passes: it leaves the measure within its limit, or in breach but lower than it was."""
        return self.now is not None and self.after is not None and passes(self.now, self.after, self.limit)


def passes(now: float, after: float, limit: float) -> bool:
    """Tell whether a trade that takes a measure from `now` to `after` passes.

    It does where `after` does not exceed the limit. Where `now` exceeds it, the trade also passes if the measure falls:
    if `now` exceeds `after` by more than the rounding of sums.
    """
    if not (isfinite(now) and isfinite(after)):
        return False
    return not exceeds(after, limit) or (exceeds(now, limit) and exceeds(now, after))


def target(now: float, limit: float) -> float:
    """Return the largest value that a trade may leave, so that it passes when the measure is taken from scratch.

    The limit itself, not what `exceeds` forgives beyond it, so that rounding is left to what re-measures. A measure
    that stands within the rounding above its limit may stay there. In breach, the measure must fall by more than
    rounding, twice over for the same reason: now/(1 + 2e-12). NaN for a measure that is NaN.
    """
    if isnan(now):
        return now
    return now / (1.0 + 2.0 * ROUNDING) if exceeds(now, limit) else max(now, limit)


def check_trade(asset: int, n_assets: int, side: float, size: float, smallest: float) -> None:
    """Refuse a trade that is none.

    Raises
    ------
    InvalidArgument
        If there is no such asset, the side is not ±1, or a size is negative or not finite.
    """
    if not 0 <= asset < n_assets:
        raise InvalidArgument(f"asset must lie in 0 … {n_assets - 1}, but is {asset!r}")
    check_sizes(side, size, smallest)


def check_sizes(side: float, size: float, smallest: float) -> None:
    """Refuse a side other than ±1, and sizes that are negative or not finite, with `InvalidArgument`."""
    if side not in (1, -1):
        raise InvalidArgument(f"side must be 1 to buy or -1 to sell, but is {side!r}")
    for name, value in (("size", size), ("smallest", smallest)):
        if not (isfinite(value) and value >= 0.0):
            raise InvalidArgument(f"{name} must be finite and not negative, but is {value!r}")
