"""How far a book on a path must be brought down to what a gate allows now, and how far it may be brought back.

The gate decides one order at a time: the first in line would take all the room, and the last be turned down. A desk
therefore scales the whole book first, and asks for what fits.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.arrays import Vector
from rpmcore.risk.limits import exceeds

STEPS = 30
"""Halvings of the share that is brought back: it is known to a billionth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A measure of the whole book, of the first degree in its weights: half the book has half of it.

    Attributes
    ----------
    control
        Name of the limit, as the gate's checks call it.
    observed
        The measure.
    trigger, goal
        Beyond the first the book is brought down to the second.
    why
        How it was measured, or where the limit comes from.
    """

    control: str
    observed: float
    trigger: float
    goal: float
    why: str

    @property
    def name(self) -> str:
        """The control in words."""
        return self.control.replace("_", " ")


def bounds(engine: DecisionEngine, at: int, weights: Vector) -> list[Bound]:
    """Return what is limited of a book and moves with the market: exposure by the limits of today, and risk.

    What stands still (net exposure, sectors, names, factors) stops orders that add, and forces nobody to sell. Risk
    that cannot be measured bounds nothing here: the gate lets nothing be added then.

    Parameters
    ----------
    engine
        Of the gate.
    at
        UTC nanoseconds.
    weights
        (n_assets,) signed market value / equity, in the order of the engine's instruments.
    """
    limits, gross = engine.limits(at), float(np.abs(weights).sum())
    missing = " and ".join(step.name for step in limits.steps if step.source == "missing")
    why = f"regime {limits.regime}, × {limits.multiplier:.2f} for volatility and stress"
    why += f"; no reading of {missing}: the worst is assumed" if missing else ""
    found = [
        Bound(control=control, observed=gross, trigger=limit, goal=limit, why=why)
        for control, limit in (("gross_exposure", limits.gross_exposure), ("leverage", limits.leverage))
    ]
    view, model = engine.view(at), engine.market.model
    if view.worst_case is None or model is None:
        return found
    placed = np.zeros(len(model.index))
    for weight, symbol in zip(weights.tolist(), engine.market.instruments, strict=True):
        if symbol in model.index:
            placed[model.index[symbol]] = weight
    case = view.worst_case.anew(placed)
    chosen = engine.settings.limits
    goal = chosen.target_volatility
    steered = case.volatility_impact(0, 1.0, 0.0, limit=goal, text="per year")
    trigger = min(goal * (1.0 + chosen.rebalance_threshold), chosen.maximum_volatility)
    for impact, control, limit, aim, text in (
        *((one, one.name, one.limit, one.limit, one.measure) for one in case.impacts(0, 1.0, 0.0)),
        (steered, "volatility_target", trigger, goal, "per year"),
    ):
        if impact.now is not None and isfinite(impact.now):
            found.append(Bound(control=control, observed=impact.now, trigger=limit, goal=aim, why=text))
    return found


def beyond(found: list[Bound]) -> list[Bound]:
    """Return the bounds that are broken, the one that asks for the smallest book first."""
    return sorted((b for b in found if exceeds(b.observed, b.trigger)), key=lambda b: b.goal / b.observed)


def share_back(engine: DecisionEngine, at: int, held: Vector, proposed: Vector) -> tuple[float, Bound | None]:
    """Return the largest share of a proposal that no bound forbids, in [0, 1], and what forbids more.

    A measure may rise to its goal; one that is above it, but not above what triggers, may not rise. Gross exposure may
    grow as fast as the kill switch on its velocity leaves room for.

    Parameters
    ----------
    engine, at
        As in `bounds`.
    held, proposed
        (n_assets,) weights, and changes of them, each away from zero.
    """
    now = {b.control: max(b.goal, b.observed) for b in bounds(engine, at, held)}
    growth, room = float(np.abs(proposed).sum()), engine.headroom(at) / engine.account.equity
    why = "what may still be approved within minutes"
    velocity = Bound(control="exposure_growth", observed=growth, trigger=room, goal=room, why=why)

    def forbids(share: float) -> Bound | None:
        broken = [b for b in bounds(engine, at, held + share * proposed) if exceeds(b.observed, now[b.control])]
        return max(broken, key=lambda b: b.observed / now[b.control], default=None)

    high, binding = (1.0, None) if growth <= room else (room / growth, velocity)
    found = forbids(high)
    if found is None:
        return high, binding
    low = 0.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        tried = forbids(middle)
        if tried is None:
            low = middle
        else:
            high, found = middle, tried
    return low, found
