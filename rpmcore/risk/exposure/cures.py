"""Breaches of the limits on exposure, and the smallest trade that cures each.

A trade of δ in one instrument moves the values a_k of a measure by δ c_k. The sum of their absolute values is convex
and piecewise linear in δ, so that the smallest δ that brings it back to its limit is found exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

from rpmcore.risk.exposure.limits import Measure
from rpmcore.risk.limits import exceeds

ROUNDING = 1e-12
"""Two trades, or a measure and its limit, that differ by less are the same."""

MOST_CANDIDATES = 50
"""So many of the smallest trades are tried for one that breaks no other limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """The smallest trade in a held instrument that brings a measure back to its limit.

    Attributes
    ----------
    symbol
        What to trade.
    change
        Signed change of its weight; negative sells.
    crosses_zero
        Whether the position changes its sign.
    breaks
        Other limits that the trade would break; empty unless every trade that was tried breaks one.
    """

    symbol: str
    change: float
    crosses_zero: bool
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A measure above its limit, by how much, and what would cure it."""

    name: str
    subject: str
    observed: float | None
    observed_reason: str | None = None
    limit: float
    overshoot: float | None
    overshoot_reason: str | None = None
    cure: Cure | None
    cure_reason: str | None = None


def breaches(found: tuple[Measure, ...], weights: Mapping[str, float]) -> tuple[Breach, ...]:
    """Return every measure above its limit, each with the smallest trade that cures it; of a sector the worst one."""
    beyond: dict[object, Measure] = {}
    for i, measure in enumerate(found):
        if measure.reason is None and not exceeds(measure.observed, measure.limit):
            continue
        key = i if measure.sector is None else measure.sector
        held = beyond.get(key)
        if held is None or measure.observed > held.observed:
            beyond[key] = measure
    return tuple(_breach(measure, found, weights) for measure in beyond.values())


def _breach(measure: Measure, found: tuple[Measure, ...], weights: Mapping[str, float]) -> Breach:
    if measure.reason is not None:
        return Breach(
            name=measure.name, subject=measure.subject, observed=None, observed_reason=measure.reason,
            limit=measure.limit, overshoot=None, overshoot_reason=measure.reason, cure=None,
            cure_reason=measure.reason,
        )  # fmt: skip
    cure = smallest_cure(measure, found, weights)
    return Breach(
        name=measure.name, subject=measure.subject, observed=measure.observed, limit=measure.limit,
        overshoot=measure.observed - measure.limit, cure=cure,
        cure_reason=None if cure else "no trade in a single instrument that is held brings it back",
    )  # fmt: skip


def smallest_cure(measure: Measure, found: tuple[Measure, ...], weights: Mapping[str, float]) -> Cure | None:
    """Return the smallest trade in a held instrument that cures a breach and breaks no other limit.

    Among trades of one size a reduction is taken before one that crosses zero, then the larger position. Where all that
    are tried break another limit, the smallest is returned with what it breaks; None where none cures.
    """
    candidates = []
    for symbol, slopes in measure.slopes.items():
        # The last bit of a rounded sum would leave the book in breach after the trade that was named as its cure.
        change = smallest_step(measure.values, slopes, max(measure.limit - ROUNDING, 0.0))
        if change is None:
            continue
        crosses = weights[symbol] * (weights[symbol] + change) < -ROUNDING
        if not (crosses and symbol in measure.one_sided):
            candidates.append((round(abs(change), 12), crosses, -abs(weights[symbol]), symbol, change))
    candidates.sort()
    touching: dict[str, list[Measure]] = {}
    for other in found:
        for symbol in other.slopes:
            touching.setdefault(symbol, []).append(other)
    smallest = None
    for _, crosses, _, symbol, change in candidates[:MOST_CANDIDATES]:
        broken = [m for m in touching[symbol] if m is not measure and _breaks(m, symbol, change)]
        cure = Cure(
            symbol=symbol, change=change, crosses_zero=crosses,
            breaks=tuple(f"{m.name} {m.subject}".strip() for m in broken),
        )  # fmt: skip
        if not broken:
            return cure
        smallest = smallest or cure
    return smallest


def _breaks(measure: Measure, symbol: str, change: float) -> bool:
    after = measure.after(symbol, change)
    return after > measure.limit + ROUNDING and after > measure.observed + ROUNDING


def smallest_step(values: tuple[float, ...], slopes: tuple[float, ...], limit: float) -> float | None:
    """Return the δ of smallest size with Σ|a_k + δ c_k| ≤ limit, or None where there is none.

    The sum is convex in δ and linear between the points −a_k/c_k, so that from zero it is followed from one to the
    next, in the direction in which it falls, until it meets the limit or starts to rise.
    """
    if fsum(map(abs, values)) <= limit:
        return 0.0
    for sign in (1.0, -1.0):
        at, height = 0.0, fsum(map(abs, values))
        moving = [(a, sign * c) for a, c in zip(values, slopes, strict=True) if c != 0.0]
        for turn in sorted({-a / c for a, c in moving if -a / c > 0.0}):
            there = fsum(abs(a + sign * turn * c) for a, c in zip(values, slopes, strict=True))
            if there >= height:
                break
            if there <= limit:
                return sign * (at + (turn - at) * (height - limit) / (height - there))
            at, height = turn, there
    return None


IN_FRACTIONS = frozenset({"sector", "currency", "single_name"})
"""The limits that are fractions of capital; the others are sums of loadings."""


def told(breach: Breach) -> str:
    """Return a breach and its cure as one sentence without a full stop."""
    what = f"{breach.name} {breach.subject}".strip()
    if breach.observed is None or breach.overshoot is None:
        return f"{what} is undefined: {breach.observed_reason}"
    form = "{:.2%}".format if breach.name in IN_FRACTIONS else "{:.3f}".format
    text = f"{what} {form(breach.observed)} exceeds its limit of {form(breach.limit)} by {form(breach.overshoot)}"
    return f"{text}: {advice(breach)}"


def advice(breach: Breach) -> str:
    """Return the cure of a breach in words."""
    cure = breach.cure
    if cure is None:
        return str(breach.cure_reason)
    side = "sell" if cure.change < 0.0 else "buy"
    text = f"{side} {abs(cure.change):.2%} of capital of {cure.symbol}"
    if cure.crosses_zero:
        text += f", which turns it {'short' if cure.change < 0.0 else 'long'}"
    return f"{text}, but that would break {', '.join(cure.breaks)}" if cure.breaks else text
