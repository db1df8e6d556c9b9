"""The positions that carry the risk: the largest by name, the others together."""

from dataclasses import dataclass

from rpmcore.risk.report import Component

MOST_POSITIONS = 25
"""Positions that are named; the others stand together in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A line of the contributions: a position, or the `others` together, whose volatility is not one number."""

    name: str
    strategy_id: str
    sector: str
    weight: float
    market_value: float | None
    volatility: float | None
    component_volatility: float | None
    component_var: float | None
    share: float | None
    others: int = 0


def contributions(components: tuple[Component, ...]) -> tuple[Contribution, ...]:
    """Return the positions by the size of their share, the largest first, and at the end the others together."""
    ordered = sorted(components, key=lambda c: -abs(c.share or 0.0))
    named = [
        Contribution(
            name=c.symbol,
            strategy_id=c.strategy_id or "–",
            sector=c.sector or "–",
            weight=c.weight,
            market_value=c.market_value,
            volatility=c.volatility,
            component_volatility=c.component_volatility,
            component_var=c.component_var,
            share=c.share,
        )
        for c in ordered[:MOST_POSITIONS]
    ]
    rest = ordered[MOST_POSITIONS:]
    return (*named, *((_together(rest),) if rest else ()))


def _together(rest: list[Component]) -> Contribution:
    return Contribution(
        name=f"the other {len(rest)} together",
        strategy_id="–",
        sector="–",
        weight=sum(c.weight for c in rest),
        market_value=_sum([c.market_value for c in rest]),
        volatility=None,
        component_volatility=_sum([c.component_volatility for c in rest]),
        component_var=_sum([c.component_var for c in rest]),
        share=_sum([c.share for c in rest]),
        others=len(rest),
    )


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
