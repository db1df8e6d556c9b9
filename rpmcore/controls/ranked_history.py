"""What today is held against: all earlier values of a measure, in order."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from math import floor

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.tail_count import tail_count


def upper_quantile(ordered: Sequence[float], percentile: float) -> float:
    """Return the inverse empirical cdf: the smallest value with at least `percentile` of all at or below it.

    Parameters
    ----------
    ordered
        Ascending, at least one.
    percentile
        In (0.5, 1). The count beyond it is `rpmcore.risk.tail_count.tail_count`, free of binary noise: of 100 values
        the 95th is the 95 % quantile, though 0.95 × 100 is not 95 in binary.

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    beyond = floor(tail_count(len(ordered), percentile))
    return ordered[len(ordered) - 1 - beyond]


class RankedHistory:
    """All values so far of one measure; it only grows, by one a day."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._ordered = sorted(values)

    def __len__(self) -> int:
        return len(self._ordered)

    @property
    def ordered(self) -> Sequence[float]:
        """The values, ascending."""
        return self._ordered

    def rank(self, value: float) -> float:
        """Return the share of the values at or below `value`, in [0, 1].

        Raises
        ------
        InvalidArgument
            If there are no values.
        """
        if not self._ordered:
            raise InvalidArgument("a rank needs a history, but there is none")
        return bisect_right(self._ordered, value) / len(self._ordered)

    def add(self, value: float) -> None:
        """Add a value."""
        insort(self._ordered, value)
