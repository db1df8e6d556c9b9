"""Measures that are sums of absolute values, each linear in the weights: exposures, after one more trade.

With working orders the values are known to lie in intervals [lo_k, hi_k], and each is taken at its worst by itself:
m(δ) = Σ_k max(|lo_k + δ c_k|, |hi_k + δ c_k|) = Σ_k (|mid_k + δ c_k| + half_k), which is never below what any outcome
of the orders gives, and equal to the worst of them where the sum has one term.
"""

from collections.abc import Callable, Mapping, Sequence
from math import fsum, inf

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.exposure.limits import MEASURED_BY, Measure
from rpmcore.risk.trade_impact.impact import TradeImpact, check_sizes, target

Span = tuple[float, float]
"""Changes between which the slopes hold; beyond its ends the measure stays."""

EVERYWHERE: Span = (-inf, inf)

SHRINKINGS = 48


def worst(lows: Sequence[float], highs: Sequence[float], slopes: Sequence[float], change: float) -> float:
    """Return Σ_k max(|lo_k + δ c_k|, |hi_k + δ c_k|), correctly rounded from its terms."""
    return fsum(
        max(abs(low + change * c), abs(high + change * c)) for low, high, c in zip(lows, highs, slopes, strict=True)
    )


def linear_impact(
    name: str,
    measure: str,
    lows: Sequence[float],
    highs: Sequence[float],
    slopes: Sequence[float],
    limit: float,
    side: float,
    size: float,
    *,
    smallest: float = 0.0,
    span: Span = EVERYWHERE,
) -> TradeImpact:
    """Return the impact of a trade on Σ_k |a_k + δ c_k|, a_k anywhere in [lo_k, hi_k].

    Parameters
    ----------
    name, measure, limit
        As in `TradeImpact`.
    lows, highs
        Ends of a_k over the outcomes of the working orders; equal where none moves it.
    slopes
        c_k, the change of a_k for a weight of one more.
    side, size, smallest
        s = ±1 and x ≥ 0 of δ = s x, in weight, and the smallest size that can be traded.
    span
        Changes of the weight between which the slopes hold; an end may be infinite. The value of a short position
        that counts only while it is short, for instance, moves between −inf and minus its weight.

    Raises
    ------
    InvalidArgument
        If the sequences differ in length, an interval is empty, or an argument is not finite.
    """
    check_sizes(side, size, smallest)
    _check_terms(lows, highs, slopes, span)
    if len(slopes) == 1 and slopes[0] != 0.0 and span is EVERYWHERE:
        return _one_term(name, measure, lows[0], highs[0], slopes[0], limit, side, size, smallest)
    now = worst(lows, highs, slopes, 0.0)
    after = worst(lows, highs, slopes, _within(side * size, span))
    return TradeImpact(
        name=name,
        measure=measure,
        now=now,
        after=after,
        limit=limit,
        largest=largest_linear(lows, highs, slopes, target(now, limit), side, smallest=smallest, span=span),
    )


def _one_term(
    name: str, measure: str, low: float, high: float, slope: float, limit: float, side: float, size: float,
    smallest: float,
) -> TradeImpact:  # fmt: skip
    """Return the impact on one value: most measures have one, and the gate asks for them with every order."""
    step = side * slope
    now, after = max(abs(low), abs(high)), max(abs(low + size * step), abs(high + size * step))
    aim = target(now, limit)
    if smallest > 0.0 and max(abs(low + smallest * step), abs(high + smallest * step)) > aim:
        found = 0.0
    else:
        # The end that the trade drives away from zero reaches the aim last.
        found = max((aim - high) / step if step > 0.0 else (aim + low) / -step, smallest)
        if smallest == 0.0 and now > aim and max(abs(low + found * step), abs(high + found * step)) > aim:
            found = 0.0
        found = _shrunk(lambda x: max(abs(low + x * step), abs(high + x * step)), found, aim, smallest)
    return TradeImpact(name=name, measure=measure, now=now, after=after, limit=limit, largest=found)


def largest_linear(
    lows: Sequence[float],
    highs: Sequence[float],
    slopes: Sequence[float],
    aim: float,
    side: float,
    *,
    smallest: float = 0.0,
    span: Span = EVERYWHERE,
) -> float:
    """Return the largest size at which the measure does not exceed `aim`, see `TradeImpact.largest`; exact.

    The measure is convex and piecewise linear: Newton's method from a size that is too large takes one step for each
    piece at most.
    """

    def measured(size: float) -> float:
        return worst(lows, highs, slopes, _within(side * size, span))

    if smallest > 0.0 and measured(smallest) > aim:
        return 0.0
    rest, moving = _split(lows, highs, slopes, side)
    steepest = fsum(abs(c) for _, c in moving)
    if steepest == 0.0:
        return inf if measured(0.0) <= aim else 0.0
    # Where the slopes begin to hold, and where they end, in sizes.
    start, stop = sorted((side * span[0], side * span[1]))
    if stop <= 0.0:
        return inf if measured(0.0) <= aim else 0.0
    found = _newton(rest, moving, aim, (aim - rest + fsum(abs(m) for m, _ in moving)) / steepest)
    if start > 0.0:
        # Nothing moves before it: in breach, small sizes do not fall.
        if measured(0.0) > aim:
            return 0.0
        found = max(found, 0.0) + start
    if found >= stop:
        return inf
    return _shrunk(measured, found, aim, smallest)


def _shrunk(measured: Callable[[float], float], size: float, aim: float, smallest: float) -> float:
    """Return the size, or what is left of it where rounding took its measure above `aim`."""
    step = 2.0**-53
    for _ in range(SHRINKINGS):
        if size <= smallest:
            break
        if measured(size) <= aim:
            return size
        size -= size * step
        step *= 2.0
    return smallest


def measure_impact(
    held: Measure,
    symbol: str,
    side: float,
    size: float,
    *,
    smallest: float = 0.0,
    working: Mapping[str, tuple[float, float]] | None = None,
    span: Span = EVERYWHERE,
) -> TradeImpact:
    """Return the impact of a trade in `symbol` on an exposure that has a limit.

    Parameters
    ----------
    held
        Of `rpmcore.risk.exposure.limits.measures`, with slopes for the traded and all working symbols that move it.
    symbol, side, size, smallest, span
        As in `linear_impact`. For a symbol in `held.one_sided` the span is where its position keeps its sign.
    working
        By symbol, how far its working orders can move its weight: (−what is sold, what is bought).
    """
    measured = MEASURED_BY[held.name].format(subject=held.subject)
    if held.reason is not None:
        return TradeImpact(
            name=held.name, measure=measured, now=None, after=None, limit=held.limit, largest=0.0, reason=held.reason
        )
    lows, highs = list(held.values), list(held.values)
    for other, (down, up) in (working or {}).items():
        for k, c in enumerate(held.slopes.get(other, ())):
            lows[k] += min(c * down, c * up)
            highs[k] += max(c * down, c * up)
    slopes = held.slopes.get(symbol, (0.0,) * len(lows))
    return linear_impact(held.name, measured, lows, highs, slopes, held.limit, side, size, smallest=smallest, span=span)


def _within(change: float, span: Span) -> float:
    """Return how much of a change falls into the span."""
    low, high = span
    return min(max(change, low), high) - min(max(0.0, low), high)


def _split(
    lows: Sequence[float], highs: Sequence[float], slopes: Sequence[float], side: float
) -> tuple[float, list[tuple[float, float]]]:
    """Return what no size moves, and middle and slope in the size of each term that moves."""
    rest, moving = [], []
    for low, high, c in zip(lows, highs, slopes, strict=True):
        if c == 0.0:
            rest.append(max(abs(low), abs(high)))
        else:
            rest.append(0.5 * (high - low))
            moving.append((0.5 * (low + high), side * c))
    return fsum(rest), moving


def _newton(rest: float, moving: Sequence[tuple[float, float]], aim: float, size: float) -> float:
    """Return the upper root of rest + Σ|m + x c| = aim from a size above it; negative for none right of 0."""
    while size >= 0.0:
        slope = constant = 0.0
        for m, c in moving:
            if m + size * c < 0.0:
                m, c = -m, -c
            slope += c
            constant += m
        if slope <= 0.0:
            return size if rest + constant + size * slope <= aim else -1.0
        root = (aim - rest - constant) / slope
        if root >= size:
            break
        size = root
    return size


def _check_terms(lows: Sequence[float], highs: Sequence[float], slopes: Sequence[float], span: Span) -> None:
    if not len(lows) == len(highs) == len(slopes):
        raise InvalidArgument(
            f"lows, highs and slopes must be of one length, but have {len(lows)}, {len(highs)} and {len(slopes)}"
        )
    for low, high, c in zip(lows, highs, slopes, strict=True):
        if not (-inf < low <= high < inf and -inf < c < inf):
            raise InvalidArgument(
                f"a term must have finite ends low ≤ high and slope, but has {low!r}, {high!r}, {c!r}"
            )
    if not span[0] <= span[1]:
        raise InvalidArgument(f"span must run from low to high, but is {span!r}")
