"""How many observations lie in the tail: one function, so that no two places disagree by a row."""

from rpmcore.domain.errors import InvalidArgument


def tail_count(n_obs: int, confidence: float) -> float:
    """Return k = (1 - confidence) * n_obs, free of binary noise.

    (1 - 0.95) * 100 is 5.000000000000004 in binary; unguarded, its ceiling would take the sixth worst loss for
    the fifth. Rounding to nine decimals removes that and nothing a reader could have meant.

    Parameters
    ----------
    n_obs
        Number of observations, at least 1.
    confidence
        In (0.5, 1).

    Returns
    -------
    float
        k > 0: historical value at risk is the ceil(k)-th worst loss.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    if n_obs < 1:
        raise InvalidArgument(f"n_obs must be at least 1, but is {n_obs}")
    return max(round((1.0 - check_confidence(confidence)) * n_obs, 9), 1e-9)


def check_confidence(confidence: float) -> float:
    """Return `confidence` if it lies in (0.5, 1).

    Raises
    ------
    InvalidArgument
        Otherwise; 95 is answered with the 0.95 that was probably meant.
    """
    if 0.5 < confidence < 1.0:
        return confidence
    hint = f"; did you mean {confidence / 100:g}?" if 50.0 < confidence < 100.0 else ""
    raise InvalidArgument(f"confidence must lie in (0.5, 1), but is {confidence!r}{hint}")
