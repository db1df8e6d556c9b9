"""A broker that lives in memory: for simulations without faults, and for tests with every fault there is."""

from collections.abc import Collection, Mapping

from rpmcore.adapters.in_memory_broker.faults import Faults
from rpmcore.adapters.in_memory_broker.venue import Venue, VenueOrder
from rpmcore.domain.broker import (
    BrokerAccount,
    BrokerEvent,
    BrokerOrder,
    BrokerPosition,
    BrokerUnavailable,
    EventKind,
)
from rpmcore.domain.releases import Fence, ReleasedTrade, ReleaseRefused, ReleaseVerifier

BASIS_POINT = 1e-4


class InMemoryBroker:
    """Fills what was released at the next price of its symbol, half the spread away; a `BrokerPort`.

    Without faults it forgets nothing and invents nothing. It reads no clock: time moves with `trade`.

    Parameters
    ----------
    verifier
        Lets releases pass: ``gate.release_verifier()``.
    venue
        The far side; a new and empty one if None. It outlives this object, as a venue outlives an adapter.
    faults
        What goes wrong; nothing if None.
    currency
        Of the account.
    spread_bps, default_spread_bps
        Full bid-ask spread by symbol, and of all others, in basis points of the price.
    fee_bps
        Of the value of each fill, in basis points.
    """

    name = "memory"

    def __init__(
        self, verifier: ReleaseVerifier, *, venue: Venue | None = None, faults: Faults | None = None,
        currency: str = "USD", spread_bps: Mapping[str, float] | None = None, default_spread_bps: float = 2.0,
        fee_bps: float = 0.0,
    ) -> None:  # fmt: skip
        self._verifier, self._currency, self._fee_bps = verifier, currency, fee_bps
        self.venue = Venue() if venue is None else venue
        self.faults = Faults() if faults is None else faults
        self._spreads, self._default = dict(spread_bps or {}), default_spread_bps
        self._down = 0

    # As a broker

    def account(self) -> BrokerAccount:
        """Return the money."""
        self._line()
        return BrokerAccount(currency=self._currency, cash=self.venue.cash)

    def positions(self) -> tuple[BrokerPosition, ...]:
        """Return what is held, by strategy."""
        self._line()
        return tuple(
            BrokerPosition(symbol=symbol, quantity=held, strategy_id=strategy)
            for (strategy, symbol), held in sorted(self.venue.positions.items())
        )

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """Return every working order, in the order in which they came."""
        self._line()
        return tuple(order.told() for order in self.venue.working)

    def order(self, order_id: str) -> BrokerOrder | None:
        """Return an order by its client id; None where there is none."""
        self._line()
        found = self.venue.orders.get(order_id)
        return None if found is None else found.told()

    def submit(self, release: ReleasedTrade, *, at: int) -> BrokerOrder:
        """Send a released order; see `BrokerPort.submit`."""
        known = self.venue.orders.get(release.order_id)
        self._verifier.verify(release, at=at, known=known is not None)
        if known is not None and known.release.signature != release.signature:
            raise ReleaseRefused(f"an order {release.order_id!r} was taken before, and it is another one")
        self._line()
        if known is not None:
            return known.told()
        if self.faults.strikes("lost_submission"):
            raise BrokerUnavailable("no answer to a submission")
        if self.faults.strikes("late_submission"):
            self.venue.under_way.append(release)
            raise BrokerUnavailable("no answer to a submission")
        order = self._arrived(release, at)
        if self.faults.strikes("lost_acknowledgement"):
            raise BrokerUnavailable("no answer to a submission")
        return order.told()

    def cancel(self, order_id: str, *, at: int) -> None:
        """Ask for the rest of an order to be cancelled."""
        self._line()
        order = self.venue.orders.get(order_id)
        if order is None or not order.works or self.faults.strikes("lost_cancel"):
            return
        if self.faults.strikes("slow_cancel"):
            self.venue.slow_cancels.append(order_id)
            return
        self.venue.end(order, EventKind.CANCELLED, "as asked", at=at)

    def cancel_all(self, strategy_id: str | None = None, *, keep: Collection[str] = (), at: int) -> None:
        """Ask for every working order to be cancelled, of a strategy or of the account."""
        self._line()
        for order in self.venue.working:
            release = order.release
            if release.order_id not in keep and strategy_id in (None, release.strategy_id):
                self.cancel(release.order_id, at=at)

    def fence(self, fence: Fence) -> None:
        """Let nothing pass any more that was released before."""
        self._verifier.fence(fence)

    def cursor(self) -> int:
        """Return how much has happened."""
        self._line()
        return len(self.venue.events)

    def events(self, after: int) -> tuple[BrokerEvent, ...]:
        """Return what has happened behind a cursor."""
        self._line()
        told, faults = self.venue.events, self.faults
        until = len(told)
        if until > after and faults.strikes("delayed_events"):
            until = faults.random.randint(after, until)
        answer = told[after:until]
        if after and faults.strikes("repeated_events"):
            answer += told[max(0, after - faults.random.randint(1, 10)) : until]
        if faults.strikes("shuffled_events"):
            faults.random.shuffle(answer)
        return tuple(answer)

    # As a simulation

    @property
    def working(self) -> tuple[ReleasedTrade, ...]:
        """The orders that wait for a price, in the order in which they came."""
        return tuple(order.release for order in self.venue.working)

    def trade(self, prices: Mapping[str, float], *, at: int) -> tuple[BrokerEvent, ...]:
        """Let the market trade at prices: what was on its way arrives, orders are filled, and slow cancels work.

        Returns
        -------
        tuple
            What happened, as it happened.
        """
        before = len(self.venue.events)
        under_way, self.venue.under_way = self.venue.under_way, []
        for release in under_way:
            if self.faults.strikes("later_still"):
                self.venue.under_way.append(release)
            elif at < release.expires_at:
                self._arrived(release, at)
        for order in self.venue.working:
            price = prices.get(order.release.symbol)
            if price is not None:
                self._match(order, price, at)
        for order_id in self.venue.slow_cancels:
            self.venue.end(self.venue.orders[order_id], EventKind.CANCELLED, "as asked", at=at)
        self.venue.slow_cancels.clear()
        return tuple(self.venue.events[before:])

    def mend(self) -> None:
        """Let the line be up again."""
        self._down = 0

    def _arrived(self, release: ReleasedTrade, at: int) -> VenueOrder:
        new = release.order_id not in self.venue.orders
        order = self.venue.take(release, at=at)
        if new and self.faults.strikes("rejection"):
            self.venue.end(order, EventKind.REJECTED, "the venue does not want it", at=at)
        return order

    def _match(self, order: VenueOrder, price: float, at: int) -> None:
        symbol, faults = order.release.symbol, self.faults
        if faults.strikes("withdrawn"):
            self.venue.end(order, EventKind.CANCELLED, "withdrawn by the venue", at=at)
            return
        worse = 0.5 * self._spreads.get(symbol, self._default) * BASIS_POINT + faults.slippage()
        got = price * (1.0 + worse if order.release.side == "buy" else 1.0 - worse)
        quantity = order.open_quantity
        if faults.strikes("partial"):
            quantity = faults.part(quantity)
        fees = float(quantity) * got * self.venue.worth(symbol) * self._fee_bps * BASIS_POINT
        self.venue.fill(order, quantity, got, fees=fees, at=at)

    def _line(self) -> None:
        """Fail where the line is down; it is up again after some calls."""
        if not self._down and self.faults.strikes("disconnect"):
            self._down = self.faults.settings.outage
        if self._down:
            self._down -= 1
            raise BrokerUnavailable("the line is down")
