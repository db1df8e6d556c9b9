"""MetaTrader 5 as a broker, on an injected ``MetaTrader5`` module. Never run against a terminal by us.

It passes the conformance suite on a fake of the module that is written after its documentation. Before the first order:
run the suite against a demo account.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rpmcore.adapters.mt5_broker.history import OrderView, new_events, state_of
from rpmcore.adapters.mt5_broker.journal import Journal, Sent
from rpmcore.adapters.mt5_broker.tags import comment_of, split, tag_of
from rpmcore.adapters.mt5_broker.terminal import Terminal, exact
from rpmcore.adapters.server_time import ServerTime
from rpmcore.domain.broker import (
    BrokerAccount,
    BrokerEvent,
    BrokerOrder,
    BrokerPosition,
    BrokerUnavailable,
)
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.releases import Fence, ReleasedTrade, ReleaseRefused, ReleaseVerifier

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mt5Rules:
    """How a gate's words become the terminal's.

    Attributes
    ----------
    magics
        The ``magic`` of each strategy, a whole number above 0: an order of any other strategy is refused.
    server
        The clock of the server; its times are for people.
    since
        From when the account's history is looked at, by the server's clock: when rpm began with it.
    symbols
        The broker's name of a symbol, where it has another than the gate.
    hedging
        Whether an account is taken that holds several positions of a symbol. A gate thinks in net positions, and
        there an order that reduces opens a second one.
    """

    magics: Mapping[str, int]
    server: ServerTime
    since: datetime
    symbols: Mapping[str, str] = field(default_factory=dict)
    hedging: bool = False

    def __post_init__(self) -> None:
        if any(isinstance(m, bool) or not isinstance(m, int) or not 0 < m < 2**63 for m in self.magics.values()):
            raise InvalidArgument("a magic is a whole number from 1 to 2**63 - 1")
        for what, values in (("magic", self.magics.values()), ("symbol", self.symbols.values())):
            if len(set(values)) < len(values):
                raise InvalidArgument(f"two names have the same {what}: nobody could tell them apart at the broker")


class Mt5Broker:
    """A `BrokerPort` on a terminal.

    An order is a limit at the release's entry: it waits at the server, or, where the market is there already, is
    dealt at once for no worse than the entry (which servers of *market execution* do not promise). Stops and targets
    are not sent: what a server closes by itself no gate has decided.

    Parameters
    ----------
    module
        ``MetaTrader5``, initialised and logged in.
    verifier
        ``gate.release_verifier()``.
    journal
        File of this account's orders and events; see `Journal`.
    rules
        How names and times are read.
    read_only
        Whether the account is only looked at: then the journal is not written, and nothing is submitted.

    Raises
    ------
    BrokerUnavailable
        If the terminal does not answer.
    InvalidArgument
        If the account hedges, and the rules do not say that this is known.
    """

    def __init__(
        self, module: Any, verifier: ReleaseVerifier, *, journal: Path, rules: Mt5Rules, read_only: bool = False
    ) -> None:  # fmt: skip
        self._terminal = Terminal(module, rules.since)
        self._verifier, self._rules = verifier, rules
        account = self._terminal.account()
        if account.margin_mode == module.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING and not rules.hedging:
            raise InvalidArgument(
                f"account {account.login} holds several positions of a symbol (hedging): an order that reduces would "
                "open a second one. Use a netting account, or say that this is known (hedging=True)"
            )
        self._login = account.login
        self._read_only = read_only
        self._journal = Journal(journal, read_only=read_only)
        self._sizes: dict[str, Decimal] = {}
        self._names = {theirs: ours for ours, theirs in rules.symbols.items()}
        self._strategies = {magic: strategy for strategy, magic in rules.magics.items()}

    @property
    def name(self) -> str:
        """The account."""
        return f"mt5-{self._login}"

    def close(self) -> None:
        """Close the journal; the terminal is whoever's made the module ready."""
        self._journal.close()

    # What it says

    def account(self) -> BrokerAccount:
        """Return the money: the equity, for the balance of a margin account is no cash in the gate's sense."""
        found = self._checked_account()
        return BrokerAccount(currency=found.currency, equity=float(found.equity))

    def positions(self) -> tuple[BrokerPosition, ...]:
        """Return what is held, by symbol: a position carries the magic of its first order alone."""
        module, held = self._terminal.module, dict[str, Decimal]()
        self._checked_account()
        for row in self._terminal.positions():
            quantity = exact(row.volume) * self._size(row.symbol)
            symbol = self._names.get(row.symbol, row.symbol)
            held[symbol] = held.get(symbol, ZERO) + (quantity if row.type == module.POSITION_TYPE_BUY else -quantity)
        return tuple(BrokerPosition(symbol=s, quantity=q) for s, q in sorted(held.items()) if q)

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """Return every working order of the account."""
        self._checked_account()
        return tuple(self._told(order) for order in self._terminal.open_orders())

    def order(self, order_id: str) -> BrokerOrder | None:
        """Return an order by its client id; None where there is none."""
        found = self._find(order_id)
        return None if found is None else self._told(found)

    def cursor(self) -> int:
        """Return how much has happened."""
        self._look()
        return len(self._journal.events)

    def events(self, after: int) -> tuple[BrokerEvent, ...]:
        """Return what has happened behind a cursor."""
        self._look()
        return tuple(event for event in self._journal.events.values() if event.cursor > after)

    # What it does

    def submit(self, release: ReleasedTrade, *, at: int) -> BrokerOrder:
        """Send a released order; see `BrokerPort.submit`."""
        known = self._find(release.order_id)
        self._verifier.verify(release, at=at, known=known is not None)
        if known is not None:
            there = split(known.comment)
            if there is not None and there != split(comment_of(release)):
                raise ReleaseRefused(f"an order {release.order_id!r} was taken before, and it is another one")
            return self._told(known)
        if self._read_only:
            raise ReleaseRefused("this adapter only looks at the account")
        request = self._request(release)
        tag = tag_of(release.order_id)
        self._journal.note_sent(Sent(tag=tag, order_id=release.order_id, strategy_id=release.strategy_id))
        result = self._terminal.send(request)
        self._journal.note_ticket(result.order, tag)
        try:
            found = self._find(release.order_id)
            told = None if found is None else self._told(found)
        except BrokerUnavailable:
            told = None
        return told or BrokerOrder(
            order_id=release.order_id, venue_order_id=str(result.order), symbol=release.symbol, side=release.side,
            quantity=exact(release.quantity), strategy_id=release.strategy_id,
        )  # fmt: skip

    def cancel(self, order_id: str, *, at: int) -> None:  # noqa: ARG002 - the port's; a cancel needs no time here
        """Ask for the rest of an order to be cancelled."""
        tag = tag_of(order_id)
        self._checked_account()
        for order in self._terminal.open_orders():
            if self._tag(order) == tag:
                self._remove(order.ticket)

    def cancel_all(self, strategy_id: str | None = None, *, keep: Collection[str] = (), at: int) -> None:  # noqa: ARG002
        """Ask for every working order to be cancelled, of a strategy or of the account."""
        kept = {tag_of(order_id) for order_id in keep}
        self._checked_account()
        for order in self._terminal.open_orders():
            if self._tag(order) not in kept and strategy_id in (None, self._view(order).strategy_id):
                self._remove(order.ticket)

    def fence(self, fence: Fence) -> None:
        """Let nothing pass any more that was released before."""
        self._verifier.fence(fence)

    # Between the two

    def _checked_account(self) -> Any:
        """Return the account, which must be the one that this adapter began with: a terminal can be logged in anew."""
        found = self._terminal.account()
        if found.login != self._login:
            raise BrokerUnavailable(f"the terminal is logged in to {found.login}, and this is about {self._login}")
        return found

    def _request(self, release: ReleasedTrade) -> dict[str, Any]:
        """Return the order as the terminal takes it."""
        module, buys = self._terminal.module, release.side == "buy"
        magic = self._rules.magics.get(release.strategy_id)
        if magic is None:
            raise ReleaseRefused(f"strategy {release.strategy_id!r} has no magic number: add it to the rules")
        name = self._rules.symbols.get(release.symbol, release.symbol)
        known = self._terminal.symbol(name)
        tick = self._terminal.tick(name)
        common = {
            "symbol": name, "volume": float(self._volume(release, known)), "magic": magic,
            "comment": comment_of(release), "type_time": module.ORDER_TIME_GTC,
        }  # fmt: skip
        price = tick.ask if buys else tick.bid
        room = (release.entry - price) * (1 if buys else -1)
        if not price or room < 0:
            return {
                **common, "action": module.TRADE_ACTION_PENDING, "price": release.entry,
                "type": module.ORDER_TYPE_BUY_LIMIT if buys else module.ORDER_TYPE_SELL_LIMIT,
                "type_filling": module.ORDER_FILLING_RETURN,
            }  # fmt: skip
        return {
            **common, "action": module.TRADE_ACTION_DEAL, "price": price, "deviation": int(room / known.point + 1e-9),
            "type": module.ORDER_TYPE_BUY if buys else module.ORDER_TYPE_SELL, "type_filling": _filling(module, known),
        }  # fmt: skip

    def _volume(self, release: ReleasedTrade, known: Any) -> Decimal:
        size, step = exact(known.trade_contract_size), exact(known.volume_step)
        lots = exact(release.quantity) / size
        if lots % step or not exact(known.volume_min) <= lots <= exact(known.volume_max):
            raise ReleaseRefused(
                f"{release.quantity:g} of {release.symbol} are {lots.normalize():f} lots, and the broker takes "
                f"{known.volume_min:g} to {known.volume_max:g} by {known.volume_step:g}: set the lot step of the "
                f"instrument to {step * size:f} units"
            )
        return lots

    def _size(self, name: str) -> Decimal:
        """Return the units of a lot; asked for once, for a server does not change it while something is held."""
        if name not in self._sizes:
            try:
                self._sizes[name] = exact(self._terminal.symbol(name).trade_contract_size)
            except ReleaseRefused as error:  # of what is there already: no order was refused by this
                raise BrokerUnavailable(str(error)) from error
        return self._sizes[name]

    def _find(self, order_id: str) -> Any:
        """Return the terminal's order of a client id, working or over; None where there is none.

        Raises
        ------
        BrokerUnavailable
            Also where it was sent and an order of its strategy is there that nobody can name: its answer was lost, and
            its comment changed by the server. To send it again could be to send it twice.
        """
        tag = tag_of(order_id)
        self._checked_account()
        orders = {order.ticket: order for order in (*self._terminal.open_orders(), *self._terminal.past_orders())}
        found = next((order for order in orders.values() if self._tag(order) == tag), None)
        sent = self._journal.sent.get(tag)
        if found is None and sent is not None:
            magic = self._rules.magics.get(sent.strategy_id)
            nameless = next((o.ticket for o in orders.values() if o.magic == magic and not self._tag(o)), None)
            if nameless is not None:
                raise BrokerUnavailable(
                    f"order {order_id!r} may be {nameless} at the terminal, whose comment is not the one it was sent "
                    "with: cancel that one there, and reconcile"
                )
        return found

    def _tag(self, order: Any) -> str:
        """Return the tag of an order, by its ticket where a server has changed its comment; empty if not ours."""
        ours = split(order.comment)
        return ours[0] if ours is not None else self._journal.tickets.get(order.ticket, "")

    def _view(self, order: Any) -> OrderView:
        """Return whose an order is, and in which units it counts."""
        sent = self._journal.sent.get(self._tag(order))
        return OrderView(
            ours=bool(self._tag(order)),
            order_id="" if sent is None else sent.order_id,
            strategy_id=self._strategies.get(order.magic, "") if sent is None else sent.strategy_id,
            symbol=self._names.get(order.symbol, order.symbol),
            size=self._size(order.symbol),
        )

    def _told(self, order: Any) -> BrokerOrder:
        module, view = self._terminal.module, self._view(order)
        quantity = exact(order.volume_initial) * view.size
        filled = quantity - exact(order.volume_current) * view.size
        return BrokerOrder(
            order_id=view.order_id, venue_order_id=str(order.ticket), symbol=view.symbol,
            side="buy" if order.type in _buying(module) else "sell", quantity=quantity, filled=filled,
            state=state_of(module, order), strategy_id=view.strategy_id,
        )  # fmt: skip

    def _remove(self, ticket: int) -> None:
        refused = self._terminal.remove(ticket)
        if refused and any(order.ticket == ticket for order in self._terminal.open_orders()):
            raise BrokerUnavailable(f"order {ticket} could not be cancelled: {refused}")

    def _look(self) -> None:
        """Give what has happened since the last look its cursors, and remember them."""
        self._checked_account()
        found = new_events(
            self._terminal, self._rules.server, known=self._journal.events, view=self._view,
            first=len(self._journal.events) + 1,
        )  # fmt: skip
        self._journal.note_events(found)


def _buying(module: Any) -> tuple[int, ...]:
    return (
        module.ORDER_TYPE_BUY, module.ORDER_TYPE_BUY_LIMIT, module.ORDER_TYPE_BUY_STOP, module.ORDER_TYPE_BUY_STOP_LIMIT
    )  # fmt: skip


def _filling(module: Any, known: Any) -> int:
    """Return a way of filling that the symbol allows: bit 0 is *fill or kill*, bit 1 *immediate or cancel*."""
    if known.filling_mode & 2:
        return int(module.ORDER_FILLING_IOC)
    return int(module.ORDER_FILLING_FOK if known.filling_mode & 1 else module.ORDER_FILLING_RETURN)
