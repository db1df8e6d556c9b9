"""Brokers that are broken on purpose, each in one way; `test_broken_brokers.py` runs the suite against them."""

from dataclasses import replace

from rpmcore.adapters.in_memory_broker.broker import InMemoryBroker
from rpmcore.adapters.in_memory_broker.venue import Venue
from rpmcore.conformance.in_memory import InMemoryDriver
from rpmcore.conformance.suite import BrokerConformance
from rpmcore.domain.broker import BrokerUnavailable, EventKind


class SendsAgain(InMemoryBroker):
    """It does not look whether the venue has an order before it sends it."""

    def submit(self, release, *, at):
        known = self.venue.orders.pop(release.order_id, None)
        if known is not None:
            self.venue.orders[f"{release.order_id} again"] = known
        return super().submit(release, at=at)


class ForgetsParts(InMemoryBroker):
    """It tells of whole fills alone."""

    def events(self, after):
        return tuple(event for event in super().events(after) if event.kind is not EventKind.PARTIAL)


class DeadMenWalk(Venue):
    """It says that an order is cancelled, and goes on filling it."""

    def end(self, order, kind, reason, *, at):
        super().end(order, kind, reason, at=at)
        order.state = EventKind.ACCEPTED  # which is no state of an order, and so it is not over
        self._open[order.release.order_id] = order


class TrustsAnybody(InMemoryBroker):
    """It sends whatever it is handed."""

    def submit(self, release, *, at):
        return self.venue.take(release, at=at).told()


class MissesWhatHappened(InMemoryBroker):
    """It hears events while the line is up, and asks for none that came while it was down."""

    heard = 0

    def _line(self):
        try:
            super()._line()
        except BrokerUnavailable:
            self.heard = len(self.venue.events) + 1
            raise

    def events(self, after):
        return tuple(event for event in super().events(after) if not self.heard or event.cursor > self.heard)


class CountsAnew(InMemoryBroker):
    """Its ids of fills begin anew with the process."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self._at_start = len(self.venue.events)

    def events(self, after):
        return tuple(
            replace(event, execution_id=f"{event.execution_id}-{self._at_start}") if event.execution_id else event
            for event in super().events(after)
        )


class CancelsEverybody(InMemoryBroker):
    """To cancel the orders of one strategy, it cancels all."""

    def cancel_all(self, _strategy_id=None, *, keep=(), at):
        super().cancel_all(None, keep=keep, at=at)


class HasAnotherClock(InMemoryBroker):
    """It holds expiry against the venue's clock."""

    def submit(self, release, *, at):
        return super().submit(release, at=at + self.venue.clock_ahead)


class SaysNothingWorks(InMemoryBroker):
    """Where it cannot ask, it says that nothing is there."""

    def open_orders(self):
        try:
            return super().open_orders()
        except BrokerUnavailable:
            return ()


class _Of(BrokerConformance):
    adapter, venue = InMemoryBroker, Venue

    def make_driver(self, releases):
        return InMemoryDriver(releases, self.adapter, self.venue)


class TestSendsAgain(_Of):
    adapter = SendsAgain


class TestForgetsParts(_Of):
    adapter = ForgetsParts


class TestDeadMenWalk(_Of):
    venue = DeadMenWalk


class TestTrustsAnybody(_Of):
    adapter = TrustsAnybody


class TestMissesWhatHappened(_Of):
    adapter = MissesWhatHappened


class TestCountsAnew(_Of):
    adapter = CountsAnew


class TestCancelsEverybody(_Of):
    adapter = CancelsEverybody


class TestHasAnotherClock(_Of):
    adapter = HasAnotherClock


class TestSaysNothingWorks(_Of):
    adapter = SaysNothingWorks
