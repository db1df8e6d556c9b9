"""Factors between 0 and 1 on the size of a trade."""

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.sizing.kelly import check_average, check_win_rate


def expectancy(win_rate: float, average_win: float, average_loss: float) -> float:
    """Return (p·b − q·a)/a: what a trade is expected to make, in average losses.

    Raises
    ------
    InvalidArgument
        As `rpmcore.risk.sizing.kelly.kelly_fraction`.
    """
    check_win_rate(win_rate)
    check_average("average win", average_win)
    check_average("average loss", average_loss)
    return win_rate * average_win / average_loss - (1.0 - win_rate)


def expectancy_multiplier(found: float, full: float) -> float:
    """Return found / full between 0 and 1: a trade that is expected to lose gets nothing.

    Parameters
    ----------
    found, full
        Expectancies in average losses; `full` is positive.
    """
    return min(max(found / full, 0.0), 1.0)


def drawdown_multiplier(drawdown: float, start: float, end: float) -> float:
    """Return 1 up to a drawdown of `start`, 0 from `end` on, and a straight line between.

    Grossman and Zhou (1993), Mathematical Finance 3, hold the position in proportion to what is left above a floor; so
    does this between the two.

    Parameters
    ----------
    drawdown
        (peak − equity)/peak, in [0, 1].
    start, end
        The same, start < end.

    Raises
    ------
    InvalidArgument
        If the drawdown lies outside [0, 1].
    """
    if not 0.0 <= drawdown <= 1.0:
        hint = f"; did you mean {drawdown / 100:g}?" if 2.0 <= drawdown <= 100.0 else ""
        raise InvalidArgument(f"the drawdown must lie in [0, 1], but is {drawdown!r}{hint}")
    return min(max((end - drawdown) / (end - start), 0.0), 1.0)
