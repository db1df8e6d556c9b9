"""Which way each setting of a control tightens it: what a reload may do without an operator.

A setting that is not listed has no known direction: a change of it counts as loosening.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from rpmcore.domain.settings import Section

Effect = Literal["tightens", "loosens", "none", "unknown"]
Direction = Literal["lower", "higher", "none"] | tuple[str, ...]
"""Lower or higher values tighten; no value does; or names, the loosest first."""

_LOWER: Literal["lower"] = "lower"
_HIGHER: Literal["higher"] = "higher"
_NONE: Literal["none"] = "none"

_BY_SECTION: Mapping[str, Mapping[str, Direction]] = {
    "limits": {
        "bind_on": ("point", "upper"), "confidence": _HIGHER, "value_at_risk": _LOWER, "expected_shortfall": _LOWER,
        "target_volatility": _LOWER, "maximum_volatility": _LOWER, "beta": _LOWER, "factor_exposure": _LOWER,
        "sector": _LOWER, "currency": _LOWER, "single_name": _LOWER, "rebalance_threshold": _LOWER,
        "warning_utilisation": _LOWER,
    },
    "gate": {
        "deadline_ms": _LOWER, "approval_seconds": _LOWER, "maximum_signal_age_seconds": _LOWER,
        "clock_tolerance_seconds": _LOWER,
        "maximum_price_age_hours": _LOWER, "minimum_history": _HIGHER, "starting_history": _NONE,
        "price_collar": _LOWER, "maximum_order_quantity": _LOWER, "maximum_order_value": _LOWER,
        "max_messages": _LOWER, "message_window_seconds": _HIGHER, "net_exposure": _LOWER,
        "cancel_seconds": _LOWER, "cash_tolerance": _LOWER, "equity_tolerance": _LOWER,
    },
    "adaptive.regimes": {
        "stressed_from": _LOWER, "stressed_until": _LOWER,
        "correlated_from": _LOWER, "correlated_until": _LOWER, "extreme_from": _LOWER, "extreme_until": _LOWER,
        "trend_from": _HIGHER, "trend_until": _HIGHER, "minimum_history": _HIGHER, "maximum_age_days": _LOWER,
    },
    **{
        f"adaptive.regimes.{regime}": {
            "risk_per_trade": _LOWER, "gross_exposure": _LOWER, "leverage": _LOWER, "correlation_stress": _HIGHER,
        }
        for regime in ("trending", "ranging", "volatile", "stressed")
    },
    "adaptive.volatility": {
        "minimum": _HIGHER, "elevated_percentile": _LOWER, "extreme_percentile": _LOWER, "crisis_percentile": _LOWER,
        "elevated_multiplier": _LOWER, "extreme_multiplier": _LOWER, "crisis_multiplier": _LOWER,
        "history": ("window", "worse_of_both"), "loosen_days": _HIGHER, "maximum_age_days": _LOWER,
    },
    "adaptive.stress": {
        "reduction": _HIGHER, "calm_rank": _LOWER, "minimum_history": _HIGHER, "maximum_age_days": _LOWER,
    },
    "kill_switches": {
        "throttle_multiplier": _LOWER, "clear_share": _LOWER, "event_log": _NONE, "remembered_ids": _HIGHER,
    },
    "kill_switches.rejection_velocity": {
        "max_rejections": _LOWER, "window_minutes": _HIGHER, "volatile_multiplier": _LOWER,
        "stressed_multiplier": _LOWER, "throttle_share": _LOWER,
    },
    "kill_switches.exposure_velocity": {
        "max_growth": _LOWER, "max_leverage_growth": _LOWER, "throttle_share": _LOWER, "approval_minutes": _LOWER,
    },
    "kill_switches.per_strategy": {
        "max_drawdown": _LOWER, "max_consecutive_losses": _LOWER, "max_rejection_rate": _LOWER,
        "minimum_decisions": _LOWER, "warning_share": _LOWER,
    },
    "kill_switches.account": {
        "max_daily_loss": _LOWER, "max_drawdown": _LOWER, "liquidation_drawdown": _LOWER, "warning_share": _LOWER,
        "throttle_share": _LOWER,
    },
    "kill_switches.repeated_execution": {"max_executions": _LOWER, "window_minutes": _HIGHER},
    "sizing": {
        "risk_per_trade": _LOWER, "volatility_stop": _HIGHER, "kelly_fraction": _LOWER, "kelly_cap": _LOWER,
        "kelly_confidence": _HIGHER, "maximum_weight": _LOWER, "probation": _LOWER,
        "full_expectancy": _HIGHER, "drawdown_start": _LOWER, "drawdown_end": _LOWER, "participation": _LOWER,
        "spread_cost": _LOWER,
    },
    "strategies": {
        "disable_below": _HIGHER, "probation_multiplier": _LOWER, "suspension_days": _HIGHER,
    },
    "strategies.allocation": {
        "kelly_fraction": _NONE, "maximum": _NONE, "copy_correlation": _NONE, "minimum_days": _NONE,
    },
    "flags.rollout": {"value": _LOWER, "owner": _NONE, "expires": _NONE},
}  # fmt: skip

DIRECTIONS: Mapping[str, Direction] = MappingProxyType(
    {f"{section}.{name}": way for section, settings in _BY_SECTION.items() for name, way in settings.items()}
)
"""By dotted key."""

NO_DIRECTION: Mapping[str, str] = MappingProxyType(
    {
        "limits.method": "which of two measures is larger depends on the book",
        "adaptive.regimes.efficiency_days": "a longer window is slower both ways",
        "adaptive.regimes.volatile_from": "in the regime volatile limits are lower, and more rejections are taken",
        "adaptive.regimes.volatile_until": "in the regime volatile limits are lower, and more rejections are taken",
        "adaptive.regimes.dwell_days": "in the regime volatile limits are lower, and more rejections are taken",
        "adaptive.volatility.minimum_history": "a past that is not known is elevated, and one that is may be a crisis",
        "sizing.minimum_trades": "probation begins later, and so does Kelly",
        "adaptive.volatility.window": "a longer window is slower both ways",
        "adaptive.volatility.decay": "a slower average rises later and falls later",
        "adaptive.stress.long_decay": "clustering is held against another average",
        "adaptive.stress.correlation_decay": "a slower average rises later and falls later",
        "adaptive.stress.liquidity_decay": "a slower average rises later and falls later",
        "kill_switches.exposure_velocity.snapshot_minutes": "a longer interval dilutes a burst and holds a slow growth",
        "kill_switches.per_strategy.decisions": "a longer memory trips later and clears later",
        "kill_switches.account.day_starts_minute": "it moves a loss to another day",
        "strategies.capital": "it changes whose drawdown is measured on what",
        "strategies.lookback_days": "other trades count",
        "strategies.recent_days": "other trades count",
        "strategies.minimum_trades": "more trades mean longer on probation, and later disabled",
        "strategies.minimum_recent_trades": "a trend is told or not",
        "strategies.weights.win_rate": "another score",
        "strategies.weights.expectancy": "another score",
        "strategies.weights.maximum_drawdown": "another score",
        "strategies.weights.current_drawdown": "another score",
        "strategies.weights.trend": "another score",
        "strategies.weights.edge_confidence": "another score",
        "strategies.loss_bound": "the monitor rests on it, whatever it is",
        "strategies.interval": "it may enter a score",
        "strategies.resamples": "another draw, another score",
        "strategies.seed": "another draw, another score",
        "strategies.significance": "a looser test says sooner that there is an edge, and that there is none",
    }
)
"""Settings that tighten in some markets and loosen in others, and why: a change of one needs an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting that differs.

    Attributes
    ----------
    key
        Section and name with dots.
    before, after
        In JSON's types.
    effect
        On a control; ``none`` where it is no part of one, ``unknown`` where that depends.
    """

    key: str
    before: Any
    after: Any
    effect: Effect


def changes(before: BaseModel, after: BaseModel) -> tuple[Change, ...]:
    """Return what differs between two settings, in the sections that `after` has and in their order."""
    return tuple(_differing(before, after, ""))


def loosened(found: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes that only an operator makes: those that loosen a control, or may."""
    return tuple(change for change in found if change.effect in ("loosens", "unknown"))


def effect_of(key: str, before: Any, after: Any) -> Effect:
    """Return what a change of a setting does to its control; null stands for no limit."""
    way = DIRECTIONS.get(key)
    if way is None:
        return "unknown"
    if way == "none":
        return "none"
    if isinstance(way, tuple):
        tighter = way.index(after) > way.index(before)
    else:
        old, new = (inf if value is None else value for value in (before, after))
        tighter = new < old if way == "lower" else new > old
    return "tightens" if tighter else "loosens"


def _differing(before: BaseModel, after: BaseModel, prefix: str) -> Iterator[Change]:
    for name in type(after).model_fields:
        one, other = getattr(before, name), getattr(after, name)
        key = f"{prefix}{name}"
        if isinstance(one, Section):
            yield from _differing(one, other, f"{key}.")
        elif one != other:
            yield Change(key=key, before=_plain(one), after=_plain(other), effect=effect_of(key, one, other))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
