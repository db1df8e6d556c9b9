"""The driver of the in-memory broker: an example of a driver, and the proof that the suite can be passed."""

from decimal import Decimal

from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.adapters.in_memory_broker.faults import Faults, FaultSettings
from rpmcore.adapters.in_memory_broker.venue import Venue
from rpmcore.conformance.driver import Releases
from rpmcore.domain.broker import BrokerPort


class InMemoryDriver:
    """A hand on a venue in memory.

    Parameters
    ----------
    releases
        Of the suite: for time and verifiers.
    adapter, venue
        Other classes than ours, to be tested in place of them.
    """

    symbol, other_symbol, lot, price = "EURUSD", "XOM", Decimal("0.1"), 100.0
    strategies = ("trend", "carry")

    def __init__(
        self, releases: Releases, adapter: type[InMemoryBroker] = InMemoryBroker, venue: type[Venue] = Venue
    ) -> None:  # fmt: skip
        self._releases, self._adapter = releases, adapter
        self.venue, self._faults, self._hold = venue(), Faults(), False
        self._broker = self._made()

    @property
    def broker(self) -> BrokerPort:
        """The adapter under test."""
        return self._broker

    def _made(self) -> InMemoryBroker:
        return self._adapter(self._releases.verifier(), venue=self.venue, faults=self._faults)

    def restart(self) -> None:
        """Make another adapter on the same venue."""
        self._broker = self._made()

    def venue_orders(self, order_id: str) -> int:
        """Count orders by the venue's log."""
        return sum(order.release.order_id == order_id for order in self.venue.orders.values())

    def fill(self, order_id: str, quantity: Decimal) -> None:
        """Fill so much of an order that works."""
        for order in self.venue.working:
            if order.release.order_id == order_id:
                self.venue.fill(order, quantity, self.price, at=self._releases.now)

    def lose_next_answer(self, *, taken: bool) -> None:
        """Let the next submission go wrong."""
        self._faults.force("lost_acknowledgement" if taken else "lost_submission")

    def hold_cancels(self) -> None:
        """Let the next cancel wait."""
        self._faults.force("slow_cancel")

    def settle(self) -> None:
        """Carry out the cancels that wait."""
        self._broker.trade({}, at=self._releases.now)

    def disconnect(self) -> None:
        """Let every call fail."""
        self._faults.settings = FaultSettings(outage=1_000_000)
        self._faults.force("disconnect")

    def reconnect(self) -> None:
        """Let calls succeed again."""
        self._broker.mend()

    def set_venue_clock(self, ahead: int) -> None:
        """Set the venue's clock."""
        self.venue.clock_ahead = ahead

    def close(self) -> None:
        """Do nothing: there is nothing to clean up."""
