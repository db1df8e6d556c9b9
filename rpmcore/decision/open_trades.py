"""Trades of strategies from their fills: first in, first out; closed by opposite fills, stops and targets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from rpmcore.domain.instruments import Instrument
from rpmcore.domain.trades import ClosedTrade, Side
from rpmcore.risk.sizing.exact import exact

ZERO = Decimal(0)
OPPOSITE: Mapping[Side, Side] = {"buy": "sell", "sell": "buy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrade:
    """A position that one fill opened, or what is left of it.

    Attributes
    ----------
    trade_id
        The id of the order that opened it.
    quantity
        Unsigned.
    rate
        Account currency for one unit of the instrument's, when it was opened.
    risk
        What a quantity of one loses at the stop, in account currency; None without a stop.
    """

    trade_id: str
    strategy_id: str
    symbol: str
    side: Side
    opened_at: int
    quantity: Decimal
    entry: float
    rate: float
    stop: float | None
    target: float | None
    risk: float | None


class OpenTrades:
    """The open trades of all strategies, for whoever must tell the gate when one is over.

    Parameters
    ----------
    instruments
        By symbol.
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._open: dict[tuple[str, str], list[OpenTrade]] = {}
        self._closed = 0

    def held(self, strategy_id: str, symbol: str) -> Decimal:
        """Return a strategy's signed position from its open trades."""
        trades = self._open.get((strategy_id, symbol), ())
        return sum((t.quantity if t.side == "buy" else -t.quantity for t in trades), ZERO)

    def fill(self, trade: OpenTrade) -> list[ClosedTrade]:
        """Take a fill, as the trade that it would open: it closes opposite ones first, the oldest before the others."""
        key = (trade.strategy_id, trade.symbol)
        held = self._open.setdefault(key, [])
        left, closed = trade.quantity, []
        while left > ZERO and held and held[0].side != trade.side:
            part = min(left, held[0].quantity)
            closed.append(self._close(held[0], part, trade))
            left -= part
            if part == held[0].quantity:
                held.pop(0)
            else:
                held[0] = replace(held[0], quantity=held[0].quantity - part)
        if left > ZERO:
            held.append(replace(trade, quantity=left))
        if not held:
            del self._open[key]
        return closed

    def due(self, closes: Mapping[str, float]) -> Iterator[tuple[OpenTrade, str]]:
        """Yield the trades whose stop or target a close has reached, and which of the two."""
        for (_, symbol), trades in sorted(self._open.items()):
            close = closes.get(symbol)
            if close is None:
                continue
            for trade in trades:
                up = 1.0 if trade.side == "buy" else -1.0
                if trade.stop is not None and up * (close - trade.stop) <= 0.0:
                    yield trade, "stop"
                elif trade.target is not None and up * (close - trade.target) >= 0.0:
                    yield trade, "target"

    def _close(self, trade: OpenTrade, quantity: Decimal, by: OpenTrade) -> ClosedTrade:
        """Return the part of a trade that a fill closes; a pair earns at the new rate, a foreign asset its value."""
        self._closed += 1
        instrument, sign = self._instruments[trade.symbol], 1.0 if trade.side == "buy" else -1.0
        size = float(quantity) * instrument.contract_size
        if instrument.base_currency is None:
            pnl = sign * size * (by.entry * by.rate - trade.entry * trade.rate)
        else:
            pnl = sign * size * (by.entry - trade.entry) * by.rate
        return ClosedTrade(
            trade_id=f"{trade.trade_id}/{self._closed}", strategy_id=trade.strategy_id, symbol=trade.symbol,
            side=trade.side, opened_at=trade.opened_at, closed_at=by.opened_at, pnl=pnl, quantity=float(quantity),
            entry=trade.entry, exit=by.entry, risk=None if not trade.risk else float(exact(trade.risk) * quantity),
        )  # fmt: skip
