"""A stand-in for the ``MetaTrader5`` module, with its names, numbers and answers as its documentation has them.

It was written, not recorded: no terminal of ours has been asked.
"""

from collections import namedtuple
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

AccountInfo = namedtuple("AccountInfo", "login margin_mode currency balance credit profit equity server name company")
SymbolInfo = namedtuple(
    "SymbolInfo",
    "name visible trade_contract_size volume_min volume_max volume_step filling_mode point digits bid ask",
)
Tick = namedtuple("Tick", "time bid ask last volume time_msc flags volume_real")
TradePosition = namedtuple(
    "TradePosition",
    "ticket time time_msc type magic identifier volume price_open sl tp price_current swap profit symbol comment",
)
TradeOrder = namedtuple(
    "TradeOrder",
    "ticket time_setup time_setup_msc time_done time_done_msc type type_time type_filling state magic position_id "
    "volume_initial volume_current price_open sl tp price_current symbol comment external_id",
)
TradeDeal = namedtuple(
    "TradeDeal",
    "ticket order time time_msc type entry magic position_id volume price commission swap profit fee symbol comment",
)
OrderSendResult = namedtuple("OrderSendResult", "retcode deal order volume price bid ask comment request_id")

CONSTANTS = {
    "ACCOUNT_MARGIN_MODE_RETAIL_NETTING": 0, "ACCOUNT_MARGIN_MODE_EXCHANGE": 1, "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING": 2,
    "DEAL_TYPE_BUY": 0, "DEAL_TYPE_SELL": 1, "DEAL_TYPE_BALANCE": 2,
    "ORDER_FILLING_FOK": 0, "ORDER_FILLING_IOC": 1, "ORDER_FILLING_RETURN": 2,
    "ORDER_STATE_STARTED": 0, "ORDER_STATE_PLACED": 1, "ORDER_STATE_CANCELED": 2, "ORDER_STATE_PARTIAL": 3,
    "ORDER_STATE_FILLED": 4, "ORDER_STATE_REJECTED": 5, "ORDER_STATE_EXPIRED": 6, "ORDER_STATE_REQUEST_ADD": 7,
    "ORDER_STATE_REQUEST_MODIFY": 8, "ORDER_STATE_REQUEST_CANCEL": 9,
    "ORDER_TIME_GTC": 0,
    "ORDER_TYPE_BUY": 0, "ORDER_TYPE_SELL": 1, "ORDER_TYPE_BUY_LIMIT": 2, "ORDER_TYPE_SELL_LIMIT": 3,
    "ORDER_TYPE_BUY_STOP": 4, "ORDER_TYPE_SELL_STOP": 5, "ORDER_TYPE_BUY_STOP_LIMIT": 6,
    "ORDER_TYPE_SELL_STOP_LIMIT": 7,
    "POSITION_TYPE_BUY": 0, "POSITION_TYPE_SELL": 1,
    "TRADE_ACTION_DEAL": 1, "TRADE_ACTION_PENDING": 5, "TRADE_ACTION_REMOVE": 8,
    "TRADE_RETCODE_REQUOTE": 10004, "TRADE_RETCODE_REJECT": 10006, "TRADE_RETCODE_CANCEL": 10007,
    "TRADE_RETCODE_PLACED": 10008, "TRADE_RETCODE_DONE": 10009, "TRADE_RETCODE_DONE_PARTIAL": 10010,
    "TRADE_RETCODE_ERROR": 10011, "TRADE_RETCODE_TIMEOUT": 10012, "TRADE_RETCODE_INVALID": 10013,
    "TRADE_RETCODE_INVALID_VOLUME": 10014, "TRADE_RETCODE_INVALID_PRICE": 10015, "TRADE_RETCODE_NO_MONEY": 10019,
    "TRADE_RETCODE_CONNECTION": 10031, "TRADE_RETCODE_INVALID_ORDER": 10035,
}  # fmt: skip
SERVER = ZoneInfo("Europe/Athens")
FAILED = (-10004, "No IPC connection")


class Mt5Terminal:
    """The module, and the server behind it."""

    def __init__(self, now=1_767_268_800 * 10**9, margin_mode=0):
        for name, value in CONSTANTS.items():
            setattr(self, name, value)
        self.now, self.ahead = now, 0
        self.connected, self.holding, self.lose = True, False, None
        self.login, self.margin_mode, self.retcode = 5001234, margin_mode, None
        self.prices = {"EURUSD.m": (1.0, 1.2), "GBPUSD.m": (1.0, 1.2)}
        self.filling_mode, self.equity = 2, 10_000.0
        self.working, self.past, self.executions, self.held, self.waiting = {}, {}, [], {}, []
        self.last_ticket, self.requests = 1000, []

    # The module

    def last_error(self):
        return (1, "Success") if self.connected else FAILED

    def account_info(self):
        if not self.connected:
            return None
        return AccountInfo(
            self.login, self.margin_mode, "USD", self.equity, 0.0, 0.0, self.equity, "Sample-Demo", "Sample", "Sample"
        )

    def symbol_info(self, name):
        if not self.connected or name not in self.prices:
            return None
        return SymbolInfo(name, True, 100_000.0, 0.01, 50.0, 0.01, self.filling_mode, 1e-05, 5, *self.prices[name])

    def symbol_select(self, _name, _show):
        return self.connected

    def symbol_info_tick(self, name):
        if not self.connected:
            return None
        bid, ask = self.prices[name]
        return Tick(self._ms() // 1000, bid, ask, 0.0, 0, self._ms(), 6, 0.0)

    def positions_get(self):
        return self._told(
            TradePosition(
                n, 0, 0, 0 if lots > 0 else 1, 0, n, abs(round(lots, 2)), 1.1, 0.0, 0.0, 1.1, 0.0, 0.0, name, ""
            )
            for n, (name, lots) in enumerate(self.held.items(), 1)
            if round(lots, 8)
        )

    def orders_get(self):
        return self._told(self.working.values())

    def history_orders_get(self, _since, _until):
        return self._told(self.past.values())

    def history_deals_get(self, _since, _until):
        deposit = TradeDeal(1, 0, 0, 0, 2, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 10_000.0, 0.0, "", "deposit")
        return self._told([deposit, *self.executions])

    def order_send(self, request):
        if not self.connected:
            return None
        if self.retcode is not None:
            return self._result(self.retcode)
        if request["action"] == self.TRADE_ACTION_REMOVE:
            return self._removed(request["order"])
        self.requests.append(request)
        assert len(request["comment"]) <= 31
        lose, self.lose = self.lose, None
        if lose == "request":
            return None
        if request["action"] == self.TRADE_ACTION_PENDING:
            bid, ask = self.prices[request["symbol"]]
            buys = request["type"] == self.ORDER_TYPE_BUY_LIMIT
            if (request["price"] >= ask) if buys else (request["price"] <= bid):
                return self._result(self.TRADE_RETCODE_INVALID_PRICE)
        ticket = self._take(request)
        if request["action"] == self.TRADE_ACTION_DEAL:
            self.fill(ticket, request["volume"], request["price"])
        return None if lose == "answer" else self._result(self.TRADE_RETCODE_DONE, order=ticket)

    # The server

    def take_by_hand(self, name, lots):
        """Let somebody else trade on the account."""
        ticket = self._take({"type": 0 if lots > 0 else 1, "type_filling": 2, "magic": 0, "volume": abs(lots),
                             "price": 1.1, "symbol": name, "comment": "by hand"})  # fmt: skip
        self.fill(ticket, abs(lots), 1.1)

    def fill(self, ticket, lots, price):
        order = self.working.get(ticket)
        if order is None:
            return
        left = round(order.volume_current - lots, 8)
        sign = 1 if order.type % 2 == 0 else -1
        self.held[order.symbol] = self.held.get(order.symbol, 0.0) + sign * lots
        self.executions.append(
            TradeDeal(self._ticket(), ticket, self._ms() // 1000, self._ms(), order.type % 2, 0, order.magic, ticket,
                      lots, price, -0.35, 0.0, 0.0, -0.05, order.symbol, order.comment)
        )  # fmt: skip
        state = self.ORDER_STATE_PARTIAL if left else self.ORDER_STATE_FILLED
        if order.state == self.ORDER_STATE_REQUEST_CANCEL and left:
            state = order.state
        self.working[ticket] = order._replace(volume_current=left, state=state)
        if not left:
            self._end(ticket, self.ORDER_STATE_FILLED)

    def settle(self):
        for ticket in self.waiting:
            self._end(ticket, self.ORDER_STATE_CANCELED)
        self.waiting, self.holding = [], False

    def _removed(self, ticket):
        if ticket not in self.working:
            return self._result(self.TRADE_RETCODE_INVALID)
        if self.holding:
            self.waiting.append(ticket)
            self.working[ticket] = self.working[ticket]._replace(state=self.ORDER_STATE_REQUEST_CANCEL)
            return self._result(self.TRADE_RETCODE_PLACED)
        self._end(ticket, self.ORDER_STATE_CANCELED)
        return self._result(self.TRADE_RETCODE_DONE)

    def _take(self, request):
        ticket = self._ticket()
        self.working[ticket] = TradeOrder(
            ticket, self._ms() // 1000, self._ms(), 0, 0, request["type"], 0, request["type_filling"],
            self.ORDER_STATE_PLACED, request["magic"], 0, request["volume"], request["volume"], request["price"], 0.0,
            0.0, request["price"], request["symbol"], request["comment"], "",
        )  # fmt: skip
        return ticket

    def _end(self, ticket, state):
        order = self.working.pop(ticket, None)
        if order is not None:
            self.past[ticket] = order._replace(state=state, time_done=self._ms() // 1000, time_done_msc=self._ms())

    def _ticket(self):
        self.last_ticket += 1
        return self.last_ticket

    def _ms(self):
        """The server's clock, which the module counts as if it were UTC."""
        at = datetime.fromtimestamp((self.now + self.ahead) // 10**9, UTC)
        return round((at + (at.astimezone(SERVER).utcoffset() or timedelta(0))).timestamp() * 1000)

    def _told(self, rows):
        return tuple(rows) if self.connected else None

    def _result(self, retcode, order=0):
        return OrderSendResult(retcode, 0, order, 0.0, 0.0, 0.0, 0.0, "", 1)
