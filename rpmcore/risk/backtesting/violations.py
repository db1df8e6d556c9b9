"""On which days the loss was greater than the value at risk."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Vector, as_vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.tail_count import check_confidence

Hits = NDArray[np.bool_]
"""One dimension of truth values, oldest first: True on a day of violation."""


def violations(losses: Any, value_at_risk: Any) -> Hits:
    """Return on which days the loss was *strictly* greater than the value at risk.

    Parameters
    ----------
    losses
        (n_obs,), positive for a loss, oldest first, without NaN.
    value_at_risk
        (n_obs,), each day's forecast from what was known the day before, in the unit of `losses`; positive for a loss.

    Raises
    ------
    InvalidArgument
        If the shapes differ, or a value is not finite.
    """
    lost, forecast = paired(losses, value_at_risk, "value_at_risk")
    return lost > forecast


def paired(losses: Any, forecasts: Any, name: str) -> tuple[Vector, Vector]:
    """Return losses and forecasts as vectors of one length.

    Raises
    ------
    InvalidArgument
        If the shapes differ, or a value is not finite.
    """
    lost, forecast = as_vector(losses, "losses"), as_vector(forecasts, name)
    if lost.shape != forecast.shape:
        raise InvalidArgument(
            f"{name} has {forecast.shape[0]} element(s), but losses has {lost.shape[0]}: give one forecast a day"
        )
    return lost, forecast


def as_hits(hits: Any) -> Hits:
    """Return a series of violations as truth values.

    Raises
    ------
    InvalidArgument
        If it is empty, not one-dimensional, or holds anything but 0 and 1, False and True.
    """
    given = np.asarray(hits)
    if given.dtype != np.bool_:
        given = as_vector(hits, "hits")
        other = (given != 0.0) & (given != 1.0)
        if other.any():
            raise InvalidArgument(f"hits must hold 0 and 1, but holds {float(given[other][0])!r}")
        given = given == 1.0
    if given.ndim != 1 or given.size == 0:
        raise InvalidArgument(f"hits must be a series of one or more days, but its shape is {given.shape}")
    return given


def tail_of(confidence: float) -> float:
    """Return 1 − confidence without binary noise: 0.01 for 0.99, not 0.010000000000000009.

    Raises
    ------
    InvalidArgument
        If `confidence` does not lie in (0.5, 1).
    """
    return max(round(1.0 - check_confidence(confidence), 15), 1e-15)
