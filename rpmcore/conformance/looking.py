"""How the suite looks at what an adapter says."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from rpmcore.conformance.driver import BrokerDriver
from rpmcore.domain.broker import BrokerEvent, BrokerOrder
from rpmcore.domain.orders import WORKING
from rpmcore.domain.releases import ReleasedTrade


def expect(found: bool, otherwise: str) -> None:
    """Fail a test, and say what is wrong with the adapter."""
    if not found:
        pytest.fail(otherwise, pytrace=False)


def same_order(found: BrokerOrder, release: ReleasedTrade, driver: BrokerDriver) -> bool:
    """Return whether an order works as it was released."""
    return (
        (found.order_id, found.symbol, found.side, found.quantity, found.filled)
        == (release.order_id, driver.symbol, release.side, whole(release), Decimal(0))
        and bool(found.venue_order_id)
        and found.state in WORKING
    )


def whole(release: ReleasedTrade) -> Decimal:
    """Return the quantity of a release, exactly."""
    return Decimal(repr(release.quantity))


def events_of(events: Iterable[BrokerEvent], release: ReleasedTrade) -> list[BrokerEvent]:
    """Return the events of an order, in their order."""
    return [event for event in by_cursor(events) if event.order_id == release.order_id]


def fills_of(events: Iterable[BrokerEvent]) -> list[BrokerEvent]:
    """Return the fills among events, in their order."""
    return [event for event in by_cursor(events) if event.execution_id]


def by_cursor(events: Iterable[BrokerEvent]) -> list[BrokerEvent]:
    """Return events in their order, each once."""
    return sorted({event.cursor: event for event in events}.values(), key=lambda event: event.cursor)
