"""The calls of the ``MetaTrader5`` package that are used, with one answer to a lost line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rpmcore.domain.broker import BrokerUnavailable
from rpmcore.domain.releases import ReleaseRefused

END = datetime(2037, 12, 31, tzinfo=UTC)
"""Until when history is asked for: whatever there is, by whichever clock."""

_TAKEN = ("TRADE_RETCODE_PLACED", "TRADE_RETCODE_DONE", "TRADE_RETCODE_DONE_PARTIAL")
_NOT_TAKEN = (
    "TRADE_RETCODE_REQUOTE", "TRADE_RETCODE_REJECT", "TRADE_RETCODE_CANCEL", "TRADE_RETCODE_INVALID",
    "TRADE_RETCODE_INVALID_VOLUME", "TRADE_RETCODE_INVALID_PRICE", "TRADE_RETCODE_INVALID_STOPS",
    "TRADE_RETCODE_TRADE_DISABLED", "TRADE_RETCODE_MARKET_CLOSED", "TRADE_RETCODE_NO_MONEY",
    "TRADE_RETCODE_PRICE_CHANGED", "TRADE_RETCODE_PRICE_OFF", "TRADE_RETCODE_INVALID_EXPIRATION",
    "TRADE_RETCODE_TOO_MANY_REQUESTS", "TRADE_RETCODE_SERVER_DISABLES_AT", "TRADE_RETCODE_CLIENT_DISABLES_AT",
    "TRADE_RETCODE_INVALID_FILL", "TRADE_RETCODE_ONLY_REAL", "TRADE_RETCODE_LIMIT_ORDERS",
    "TRADE_RETCODE_LIMIT_VOLUME", "TRADE_RETCODE_INVALID_ORDER", "TRADE_RETCODE_LONG_ONLY",
    "TRADE_RETCODE_SHORT_ONLY", "TRADE_RETCODE_CLOSE_ONLY", "TRADE_RETCODE_FIFO_CLOSE",
)  # fmt: skip
"""Answers after which surely nothing was sent on; every other one leaves that open."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, through the module that was injected.

    Attributes
    ----------
    module
        ``MetaTrader5``, or what stands for it.
    since
        From when its history is looked at, by the server's clock.
    """

    module: Any
    since: datetime

    def account(self) -> Any:
        """Return the account."""
        return self._answer(self.module.account_info(), "account_info")

    def positions(self) -> Sequence[Any]:
        """Return the open positions."""
        return self._rows(self.module.positions_get(), "positions_get")

    def open_orders(self) -> Sequence[Any]:
        """Return the working orders."""
        return self._rows(self.module.orders_get(), "orders_get")

    def past_orders(self) -> Sequence[Any]:
        """Return the orders that are over."""
        return self._rows(self.module.history_orders_get(self.since, END), "history_orders_get")

    def deals(self) -> Sequence[Any]:
        """Return the executions, without what only moves money."""
        found = self._rows(self.module.history_deals_get(self.since, END), "history_deals_get")
        sides = (self.module.DEAL_TYPE_BUY, self.module.DEAL_TYPE_SELL)
        return [deal for deal in found if deal.type in sides]

    def symbol(self, name: str) -> Any:
        """Return what the terminal knows of a symbol; it is shown in its list first, as trading needs it.

        Raises
        ------
        ReleaseRefused
            If the broker has none of that name.
        """
        found = self.module.symbol_info(name)
        if found is None:
            self._connected("symbol_info")
            raise ReleaseRefused(f"the broker has no symbol {name!r}: map it by its name there")
        if not found.visible and not self.module.symbol_select(name, True):
            raise BrokerUnavailable(f"the symbol {name} cannot be shown: {self._last()}")
        return found

    def tick(self, name: str) -> Any:
        """Return the last prices of a symbol."""
        return self._answer(self.module.symbol_info_tick(name), "symbol_info_tick")

    def send(self, request: dict[str, Any]) -> Any:
        """Send an order.

        Raises
        ------
        ReleaseRefused
            If the answer says that it was not taken.
        BrokerUnavailable
            If there is no answer, or one that leaves it open.
        """
        result = self.module.order_send(request)
        if result is None:
            raise BrokerUnavailable(f"no answer to an order: {self._last()}")
        name = self.named(result.retcode)
        if name in _TAKEN:
            return result
        said = f"{name} ({result.retcode}{', ' + result.comment if result.comment else ''})"
        if name in _NOT_TAKEN:
            raise ReleaseRefused(f"the terminal did not take it: {said}")
        raise BrokerUnavailable(f"the answer to an order leaves open what became of it: {said}")

    def remove(self, ticket: int) -> str:
        """Ask for an order to be removed, and return what was answered; empty where that is under way or done."""
        result = self.module.order_send({"action": self.module.TRADE_ACTION_REMOVE, "order": ticket})
        if result is None:
            raise BrokerUnavailable(f"no answer to a cancel: {self._last()}")
        name = self.named(result.retcode)
        return "" if name in _TAKEN else f"{name} ({result.retcode})"

    def named(self, retcode: int) -> str:
        """Return the name of an answer in the module."""
        for name in (*_TAKEN, *_NOT_TAKEN):
            if getattr(self.module, name, None) == retcode:
                return name
        return "answer"

    def _rows(self, found: Any, call: str) -> Sequence[Any]:
        rows: Sequence[Any] = self._answer(found, call)
        return rows

    def _answer(self, found: Any, call: str) -> Any:
        if found is None:
            raise BrokerUnavailable(f"{call} has no answer: {self._last()}")
        return found

    def _connected(self, call: str) -> None:
        """Raise where the last call failed for want of a terminal, and not for want of what was asked for."""
        if self.module.account_info() is None:
            raise BrokerUnavailable(f"{call} has no answer: {self._last()}")

    def _last(self) -> str:
        code, text = self.module.last_error()
        return f"{text} ({code})"


def exact(number: float) -> Decimal:
    """Return a number of the terminal as it is written."""
    return Decimal(repr(float(number)))
