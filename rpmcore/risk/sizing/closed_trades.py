"""What the closed trades of a strategy say of the next one."""

from collections.abc import Sequence
from math import isfinite, sqrt
from statistics import fmean, stdev

from rpmcore.domain.errors import InsufficientData
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.sizing.request import TradeRecord
from rpmcore.risk.sizing.units import Side, check_stop

FEWEST = 2
"""Wins, and losses, without which an average has no standard error."""


def record_of(trades: Sequence[ClosedTrade], stake: float) -> TradeRecord:
    """Return win rate and averages, for a trade that loses `stake` of its value at its stop.

    Trades of all instruments and sizes are made comparable by their risk: one that won twice what it had at risk would
    have won 2·stake of the value of the next (Van Tharp's R multiples, *Trade Your Way to Financial Freedom*, 2nd ed.
    2007). A trade at exactly 0 does not win, and is in neither average.

    Parameters
    ----------
    trades
        Of one strategy.
    stake
        See `stake_at_stop`; positive.

    Raises
    ------
    InsufficientData
        If a trade says no risk or next to none, or there are fewer than two wins or two losses.
    """
    multiples = [trade.pnl / trade.risk for trade in trades if trade.risk is not None]
    if len(multiples) < len(trades):
        raise InsufficientData(f"{len(trades) - len(multiples)} of {len(trades)} trades say no risk")
    if not all(map(isfinite, multiples)):
        raise InsufficientData("the P&L of a trade over its risk is too large to be a number")
    wins, losses = [r for r in multiples if r > 0.0], [-r for r in multiples if r < 0.0]
    if min(len(wins), len(losses)) < FEWEST:
        raise InsufficientData(
            f"{len(wins)} wins and {len(losses)} losses in {len(trades)} trades, {FEWEST} of each are needed"
        )
    return TradeRecord(
        win_rate=len(wins) / len(trades),
        average_win=stake * fmean(wins),
        average_loss=stake * fmean(losses),
        trades=len(trades),
        win_error=stake * stdev(wins) / sqrt(len(wins)),
        loss_error=stake * stdev(losses) / sqrt(len(losses)),
    )


def stake_at_stop(instrument: Instrument, side: Side, entry: float, stop: float, account: str) -> float:
    """Return what a position loses at its stop as a fraction of its value, by the move of its own price alone.

    Raises
    ------
    InvalidArgument
        If a price is not positive, or the stop at the entry or on its wrong side.
    """
    check_stop(side, entry, stop)
    # In the account's own currency a unit of the base is worth 1 throughout, and its loss is converted at the stop.
    return abs(entry - stop) / (stop if instrument.base_currency == account else entry)
