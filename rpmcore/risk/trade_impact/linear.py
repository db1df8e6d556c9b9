"""Measures that are sums of absolute values, each linear in the weights: exposures, after one more trade.

With working orders the values are known to lie in intervals [lo_k, hi_k], and each is taken at its worst by itself:
m(δ) = Σ_k max(|lo_k + δ c_k|, |hi_k + δ c_k|) = Σ_k (|mid_k + δ c_k| + half_k), which is never below what any outcome
of the orders gives, and equal to the worst of them where the sum has one term.
"""

from collections.abc import Mapping, Sequence
from math import inf

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.exposure.limits import MEASURED_BY, Measure
from rpmcore.risk.trade_impact.impact import TradeImpact, check_sizes, target

Span = tuple[float, float]
"""Changes between which the slopes hold; beyond its ends the measure stays."""

EVERYWHERE: Span = (-inf, inf)

SHRINKINGS = 48
"""How often a size that rounding took above its target is made smaller, each time by twice as much."""

Terms = tuple[float, list[tuple[float, float]]]
"""What no change moves, and middle and slope of each term that moves: m(δ) = rest + Σ|m + δ c|."""


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
    if not span[0] <= span[1]:
        raise InvalidArgument(f"span must run from low to high, but is {span!r}")
    terms = _terms(lows, highs, slopes)
    now = _at(terms, 0.0)
    return TradeImpact(
        name=name,
        measure=measure,
        now=now,
        after=_at(terms, _within(side * size, span)),
        limit=limit,
        largest=_largest(terms, target(now, limit), side, smallest, span),
    )


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
    lows: Sequence[float] = held.values
    highs: Sequence[float] = held.values
    if working:
        lows, highs = list(lows), list(highs)
        for other, (down, up) in working.items():
            for k, c in enumerate(held.slopes.get(other, ())):
                lows[k] += min(c * down, c * up)
                highs[k] += max(c * down, c * up)
    slopes = held.slopes.get(symbol) or (0.0,) * len(lows)
    return linear_impact(held.name, measured, lows, highs, slopes, held.limit, side, size, smallest=smallest, span=span)


def _terms(lows: Sequence[float], highs: Sequence[float], slopes: Sequence[float]) -> Terms:
    if not len(lows) == len(highs) == len(slopes):
        raise InvalidArgument(
            f"lows, highs and slopes must be of one length, but have {len(lows)}, {len(highs)} and {len(slopes)}"
        )
    rest, moving = 0.0, []
    for low, high, c in zip(lows, highs, slopes, strict=True):
        if not (-inf < low <= high < inf and -inf < c < inf):
            raise InvalidArgument(
                f"a term must have finite ends low ≤ high and slope, but has {low!r}, {high!r}, {c!r}"
            )
        if c == 0.0:
            rest += max(abs(low), abs(high))
        elif low == high:
            moving.append((low, c))
        else:
            rest += 0.5 * (high - low)
            moving.append((0.5 * (low + high), c))
    return rest, moving


def _at(terms: Terms, change: float) -> float:
    """Return the measure; plain sums in the order of the terms, of which there are few."""
    total, moving = terms
    for m, c in moving:
        total += abs(m + change * c)
    return total


def _within(change: float, span: Span) -> float:
    """Return how much of a change falls into the span."""
    if span is EVERYWHERE:
        return change
    low, high = span
    return min(max(change, low), high) - min(max(0.0, low), high)


def _largest(terms: Terms, aim: float, side: float, smallest: float, span: Span) -> float:
    """Return the largest size at which the measure does not exceed `aim`, see `TradeImpact.largest`; exact.

    The measure is convex and piecewise linear: Newton's method from a size that is too large takes one step for each
    piece at most.
    """
    if smallest > 0.0 and _at(terms, _within(side * smallest, span)) > aim:
        return 0.0
    # Where the slopes begin to hold, and where they end, in sizes.
    start, stop = sorted((side * span[0], side * span[1]))
    if not terms[1] or stop <= 0.0:
        return inf if _at(terms, 0.0) <= aim else 0.0
    found = _upper_root(terms, aim, side)
    if start > 0.0:
        # Nothing moves before it: in breach, small sizes do not fall.
        if _at(terms, 0.0) > aim:
            return 0.0
        found = max(found, 0.0) + start
    if found >= stop:
        return inf
    step = 2.0**-53
    for _ in range(SHRINKINGS):
        if found <= smallest:
            break
        if _at(terms, _within(side * found, span)) <= aim:
            return found
        found -= found * step
        step *= 2.0
    return smallest


def _upper_root(terms: Terms, aim: float, side: float) -> float:
    """Return the upper root x of rest + Σ|m + s x c| = aim; negative for none right of 0."""
    rest, moving = terms
    room = aim - rest
    if len(moving) == 1:
        ((m, c),) = moving
        c *= side
        return (room - (m if c > 0.0 else -m)) / abs(c) if room >= 0.0 else -1.0
    # Σ|m + x c| ≥ x Σ|c| − Σ|m| gives a size that is too large.
    height = steepness = 0.0
    for m, c in moving:
        height += abs(m)
        steepness += abs(c)
    size = (room + height) / steepness
    while size >= 0.0:
        slope = constant = 0.0
        for m, c in moving:
            c *= side
            if m + size * c < 0.0:
                m, c = -m, -c
            slope += c
            constant += m
        if slope <= 0.0:
            return size if constant + size * slope <= room else -1.0
        root = (room - constant) / slope
        if root >= size:
            break
        size = root
    return size
