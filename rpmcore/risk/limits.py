"""Limits on the risk of a whole book, judged in one place for the report and for the gate."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

Status = Literal["ok", "warning", "breach"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCheck:
    """One measure held against its limit.

    Attributes
    ----------
    name
        What is limited, such as ``value_at_risk``.
    measure
        How it was measured, in words a reader can check.
    observed
        The measure, in the unit of `limit`; None where it is undefined, which counts as a breach.
    limit
        The largest value allowed.
    utilisation
        observed / limit; None where `observed` is.
    status
        ``breach`` above the limit, ``warning`` from the warning utilisation on, else ``ok``.
    """

    name: str
    measure: str
    observed: float | None
    observed_reason: str | None = None
    limit: float
    utilisation: float | None
    utilisation_reason: str | None = None
    status: Status


ROUNDING = 1e-12
"""A measure above its limit by no more than this share is at it: weights of 0.1 and 0.2 sum to 0.30000000000000004."""


def exceeds(observed: float, limit: float) -> bool:
    """Tell whether a measure is above its limit by more than the rounding of sums."""
    return observed > limit * (1.0 + ROUNDING)


def check_limit(
    name: str,
    measure: str,
    observed: float | None,
    limit: float,
    *,
    warning_utilisation: float,
    reason: str | None = None,
) -> LimitCheck:
    """Return the verdict on one measure; a measure that is undefined, for `reason`, or not finite fails closed."""
    if observed is not None and not isfinite(observed):
        observed, reason = None, f"the measure is {observed}"
    if observed is None:
        return LimitCheck(
            name=name, measure=measure, observed=None, observed_reason=reason, limit=limit,
            utilisation=None, utilisation_reason=reason, status="breach",
        )  # fmt: skip
    utilisation = observed / limit
    status: Status = "ok" if utilisation < warning_utilisation else "warning"
    if exceeds(observed, limit):
        status = "breach"
    return LimitCheck(
        name=name, measure=measure, observed=observed, limit=limit, utilisation=utilisation, status=status
    )
