"""Losses that follow each other."""

from typing import Any, NamedTuple

from rpmcore.domain.arrays import as_vector


class LosingRuns(NamedTuple):
    """The longest run of losses, and the one at the end of the series."""

    longest: int
    current: int


def losing_runs(pnl: Any) -> LosingRuns:
    """Return how many losses followed each other; a trade at exactly 0 ends a run.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs, in time order, without NaN.

    Raises
    ------
    InvalidArgument
        If it is empty or holds a number that is not finite.
    """
    longest = current = 0
    for lost in (as_vector(pnl, "pnl") < 0.0).tolist():
        current = current + 1 if lost else 0
        longest = max(longest, current)
    return LosingRuns(longest, current)
