"""What every adapter of a broker must do, as tests to inherit; a desk runs them against its own.

.. code-block:: python

    from rpmcore.conformance.suite import BrokerConformance


    class TestOurBroker(BrokerConformance):
        def make_driver(self, releases):
            return OurDriver(releases)  # see rpmcore.conformance.driver

Each test gets a driver of its own. The suite waits for nothing: `BrokerDriver.settle` returns when the venue has done
what waits and the adapter has heard of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from rpmcore.conformance.driver import LIFE, SECOND, BrokerDriver, Releases
from rpmcore.conformance.looking import by_cursor, events_of, expect, fills_of, same_order, whole
from rpmcore.domain.broker import BrokerUnavailable, EventKind
from rpmcore.domain.orders import OrderState
from rpmcore.domain.releases import Epoch, Fence, ReleasedTrade, ReleaseRefused
from rpmcore.domain.signing_key import SigningKey

NOON = 1_767_268_800 * SECOND
"""2026-01-01 12:00 UTC, the time of the suite where a desk gives no other."""

HOUR = 3600 * SECOND


class BrokerConformance:
    """The suite; `make_driver` is to be given, and `now` where the venue does not take orders of `NOON`."""

    now = NOON

    def make_driver(self, releases: Releases) -> BrokerDriver:
        """Return a driver whose adapter verifies with ``releases.verifier()``, with no order and no position."""
        raise NotImplementedError("give the suite a driver: see rpmcore.conformance.driver")

    @pytest.fixture
    def releases(self) -> Releases:
        """What makes releases."""
        return Releases(self.now)

    @pytest.fixture
    def driver(self, releases: Releases) -> Iterator[BrokerDriver]:
        """A driver for one test."""
        made = self.make_driver(releases)
        yield made
        made.close()

    # What is taken

    def test_a_released_order_is_taken_and_told(self, driver: BrokerDriver, releases: Releases) -> None:
        """It works at the venue under its client id, as it was released."""
        release = releases.make(driver)
        submitted = driver.broker.submit(release, at=releases.now)
        driver.settle()
        told, working = driver.broker.order(release.order_id), driver.broker.open_orders()
        expect(driver.venue_orders(release.order_id) == 1, "the venue has not got the order")
        for found in (submitted, told, *working):
            expect(found is not None and same_order(found, release, driver), f"the order is shown as {found}")
        expect(len(working) == 1, f"{len(working)} orders work after one was submitted")
        kinds = [event.kind for event in driver.broker.events(0)]
        expect(EventKind.ACCEPTED in kinds, f"no event says that the order was accepted: {kinds}")

    def test_the_same_release_again_is_the_same_order(self, driver: BrokerDriver, releases: Releases) -> None:
        """Submission is idempotent."""
        release = releases.make(driver)
        first = driver.broker.submit(release, at=releases.now)
        again = driver.broker.submit(release, at=releases.now)
        driver.settle()
        expect(driver.venue_orders(release.order_id) == 1, "an order was sent twice")
        expect(first.venue_order_id == again.venue_order_id, "the same order has two ids at the venue")

    def test_a_lost_acknowledgement_makes_no_second_order(self, driver: BrokerDriver, releases: Releases) -> None:
        """The order is found by its client id, and submitting it again sends nothing."""
        release = releases.make(driver)
        driver.lose_next_answer(taken=True)
        with pytest.raises(BrokerUnavailable):
            driver.broker.submit(release, at=releases.now)
        expect(driver.broker.order(release.order_id) is not None, "the order that was taken is not found")
        driver.broker.submit(release, at=releases.now)
        driver.settle()
        expect(driver.venue_orders(release.order_id) == 1, "an order was sent twice after a lost acknowledgement")

    def test_a_lost_submission_can_be_sent_again(self, driver: BrokerDriver, releases: Releases) -> None:
        """An order that never arrived is not found, and is taken when it is submitted again."""
        release = releases.make(driver)
        driver.lose_next_answer(taken=False)
        with pytest.raises(BrokerUnavailable):
            driver.broker.submit(release, at=releases.now)
        expect(driver.broker.order(release.order_id) is None, "an order is shown that never arrived")
        driver.broker.submit(release, at=releases.now)
        expect(driver.venue_orders(release.order_id) == 1, "the order did not arrive when it was sent again")

    def test_a_restart_sends_nothing_twice(self, driver: BrokerDriver, releases: Releases) -> None:
        """An adapter that has just begun asks its venue before it sends."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.restart()
        driver.broker.submit(release, at=releases.now)
        driver.settle()
        expect(driver.venue_orders(release.order_id) == 1, "an order was sent twice after a restart")

    def test_an_order_that_is_over_is_not_sent_again(self, driver: BrokerDriver, releases: Releases) -> None:
        """A release whose order was filled long ago is that order still."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.fill(release.order_id, whole(release))
        driver.settle()
        driver.restart()
        found = driver.broker.submit(release, at=releases.now + 2 * LIFE)
        expect(found.state is OrderState.FILLED, f"a filled order is shown as {found.state.value}")
        expect(driver.venue_orders(release.order_id) == 1, "an order that was filled was sent again")

    # What is refused

    @pytest.mark.parametrize(
        "change",
        [{"signature": ""}, {"signature": "00" * 32}, {"side": "sell"}, {"quantity": 1e6}, {"order_id": "another"},
         {"reducing": True}, {"expires_at": NOON + HOUR + HOUR}, {"epoch": Epoch(account=9)}],
        ids=lambda change: next(iter(change)) + ("" if next(iter(change.values())) else " empty"),
    )  # fmt: skip
    def test_what_the_gate_did_not_sign_is_refused(
        self, driver: BrokerDriver, releases: Releases, change: dict[str, object]
    ) -> None:
        """Not one field of a release can be changed."""
        release = replace(releases.make(driver), **change)  # type: ignore[arg-type]
        self._refused(driver, release, releases.now)

    def test_another_key_and_another_ledger_are_refused(self, driver: BrokerDriver, releases: Releases) -> None:
        """An adapter serves one ledger."""
        other = SigningKey(b"another key, which is long enough to be one")
        self._refused(driver, releases.signed(releases.make(driver), other), releases.now)
        self._refused(driver, releases.make(driver, ledger="another"), releases.now)

    def test_an_expired_release_is_refused(self, driver: BrokerDriver, releases: Releases) -> None:
        """It is taken up to its expiry by the gate's time, and not from then on."""
        late, in_time = releases.make(driver), releases.make(driver)
        driver.broker.submit(in_time, at=in_time.expires_at - 1)
        self._refused(driver, late, late.expires_at)

    @pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR], ids=["behind", "ahead"])
    def test_the_clock_of_the_venue_decides_nothing(self, driver: BrokerDriver, releases: Releases, ahead: int) -> None:
        """Its times are for information: expiry is the gate's."""
        driver.set_venue_clock(ahead)
        release, late = releases.make(driver), releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.fill(release.order_id, whole(release))
        driver.settle()
        expect(driver.venue_orders(release.order_id) == 1, "the venue's clock kept an order out")
        expect(len(fills_of(driver.broker.events(0))) == 1, "the venue's clock hides a fill")
        self._refused(driver, late, late.expires_at)

    def test_what_was_released_before_a_halt_is_refused(self, driver: BrokerDriver, releases: Releases) -> None:
        """A fence stops what opens, of the account or the strategy; what reduces passes it."""
        one, other = driver.strategies
        before, others = releases.make(driver), releases.make(driver, strategy_id=other)
        reduces = releases.make(driver, reducing=True)
        driver.broker.fence(Fence(strategies={one: 1}))
        self._refused(driver, before, releases.now)
        driver.broker.submit(others, at=releases.now)
        driver.broker.submit(reduces, at=releases.now)
        driver.broker.submit(releases.make(driver, epoch=Epoch(strategy=1)), at=releases.now)
        late = releases.make(driver, strategy_id=other)
        driver.broker.fence(Fence(account=1, strategies={}))
        self._refused(driver, late, releases.now)

    def test_nothing_passes_where_the_books_had_failed(self, driver: BrokerDriver, releases: Releases) -> None:
        """Nobody knows then what reduces."""
        reduces = releases.make(driver, reducing=True)
        driver.broker.fence(Fence(integrity=1, strategies={}))
        self._refused(driver, reduces, releases.now)

    def test_a_newer_release_is_a_fence_for_older_ones(self, driver: BrokerDriver, releases: Releases) -> None:
        """Also where the fence itself was lost."""
        old = releases.make(driver)
        driver.broker.submit(releases.make(driver, epoch=Epoch(account=1)), at=releases.now)
        self._refused(driver, old, releases.now)

    def test_an_id_is_one_order(self, driver: BrokerDriver, releases: Releases) -> None:
        """Another content under an id that was taken is refused, before and after a restart."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        other = releases.make(driver, lots=20, order_id=release.order_id)
        for _ in range(2):
            with pytest.raises(ReleaseRefused):
                driver.broker.submit(other, at=releases.now)
            driver.restart()
        driver.settle()
        found = driver.broker.order(release.order_id)
        expect(driver.venue_orders(release.order_id) == 1, "an id was taken for two orders")
        expect(found is not None and found.quantity == whole(release), f"the order was replaced: {found}")

    # Fills

    def test_every_part_is_told_once_and_counts(self, driver: BrokerDriver, releases: Releases) -> None:
        """Each fill has an id of its own; the order, the position and the events agree on what was filled."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        for lots, filled in ((3, 3), (3, 6), (4, 10)):
            driver.fill(release.order_id, lots * driver.lot)
            driver.settle()
            order = driver.broker.order(release.order_id)
            expect(order is not None and order.filled == filled * driver.lot, f"{filled} lots were filled: {order}")
            self._holds(driver, filled * driver.lot)
        fills = fills_of(driver.broker.events(0))
        expect(
            [event.quantity for event in fills] == [3 * driver.lot, 3 * driver.lot, 4 * driver.lot],
            f"the fills are told as {fills}",
        )
        expect(
            [event.cumulative for event in fills] == [3 * driver.lot, 6 * driver.lot, 10 * driver.lot],
            f"the fills count up as {[event.cumulative for event in fills]}",
        )
        kinds = [event.kind for event in fills]
        expect(kinds == [EventKind.PARTIAL, EventKind.PARTIAL, EventKind.FILLED], f"the fills are told as {kinds}")
        expect(len({event.execution_id for event in fills}) == 3, "fills share an execution id")
        expect(all(event.price > 0.0 for event in fills), "a fill has no price")
        expect(driver.broker.open_orders() == (), "a filled order still works")

    def test_a_sale_is_a_sale(self, driver: BrokerDriver, releases: Releases) -> None:
        """Positions carry a sign."""
        release = releases.make(driver, side="sell")
        driver.broker.submit(release, at=releases.now)
        driver.fill(release.order_id, whole(release))
        driver.settle()
        self._holds(driver, -whole(release))

    # Cancels

    def test_a_cancel_ends_the_rest(self, driver: BrokerDriver, releases: Releases) -> None:
        """What was filled stays; the end counts it; and nothing is filled behind it."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.fill(release.order_id, 4 * driver.lot)
        driver.broker.cancel(release.order_id, at=releases.now)
        driver.settle()
        driver.fill(release.order_id, 2 * driver.lot)
        driver.settle()
        events = events_of(driver.broker.events(0), release)
        ends = [event for event in events if event.kind is EventKind.CANCELLED]
        expect(len(ends) == 1, f"a cancelled order is told as {[event.kind.value for event in events]}")
        expect(ends[0].cumulative == 4 * driver.lot, f"the end counts {ends[0].cumulative} filled")
        expect(not [e for e in fills_of(events) if e.cursor > ends[0].cursor], "an order was filled after its end")
        found = driver.broker.order(release.order_id)
        expect(found is not None and found.state is OrderState.CANCELLED, f"a cancelled order is shown as {found}")
        self._holds(driver, 4 * driver.lot)

    def test_a_fill_may_cross_a_cancel(self, driver: BrokerDriver, releases: Releases) -> None:
        """What is filled before the cancel arrives is told, and counted in the end."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.hold_cancels()
        driver.broker.cancel(release.order_id, at=releases.now)
        driver.fill(release.order_id, 3 * driver.lot)
        driver.settle()
        events = events_of(driver.broker.events(0), release)
        expect([e.quantity for e in fills_of(events)] == [3 * driver.lot], f"the fill is told as {events}")
        ends = [event.cumulative for event in events if event.kind is EventKind.CANCELLED]
        expect(ends == [3 * driver.lot], f"the end counts {ends}")

    def test_a_cancel_of_what_is_over_changes_nothing(self, driver: BrokerDriver, releases: Releases) -> None:
        """It crosses the last fill every day."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.fill(release.order_id, whole(release))
        driver.settle()
        before = driver.broker.events(0)
        driver.broker.cancel(release.order_id, at=releases.now)
        driver.broker.cancel("nobody", at=releases.now)
        driver.settle()
        expect(by_cursor(driver.broker.events(0)) == by_cursor(before), "a cancel of a filled order made events")

    def test_all_of_a_strategy_or_of_the_account_can_be_cancelled(
        self, driver: BrokerDriver, releases: Releases
    ) -> None:
        """And what is to be kept is kept."""
        one, other = driver.strategies
        mine, kept = releases.make(driver), releases.make(driver, symbol=driver.other_symbol)
        theirs = releases.make(driver, strategy_id=other)
        for release in (mine, kept, theirs):
            driver.broker.submit(release, at=releases.now)
        driver.broker.cancel_all(one, keep=(kept.order_id,), at=releases.now)
        driver.settle()
        self._works(driver, kept, theirs)
        driver.broker.cancel_all(keep=(kept.order_id,), at=releases.now)
        driver.settle()
        self._works(driver, kept)
        driver.broker.cancel_all(at=releases.now)
        driver.settle()
        self._works(driver)

    def test_all_can_be_cancelled_after_a_restart(self, driver: BrokerDriver, releases: Releases) -> None:
        """An adapter that has just begun knows whose orders are whose."""
        one, other = driver.strategies
        mine, theirs = releases.make(driver), releases.make(driver, strategy_id=other)
        for release in (mine, theirs):
            driver.broker.submit(release, at=releases.now)
        driver.restart()
        driver.broker.cancel_all(one, at=releases.now)
        driver.settle()
        self._works(driver, theirs)

    # Events and the line

    def test_events_are_the_same_whenever_they_are_asked_for(self, driver: BrokerDriver, releases: Releases) -> None:
        """From every cursor, all that came later; a restart changes no id."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        for _ in range(3):
            driver.fill(release.order_id, 2 * driver.lot)
        driver.broker.cancel(release.order_id, at=releases.now)
        driver.settle()
        whole = by_cursor(driver.broker.events(0))
        expect(len(whole) >= 5, f"events are missing: {[event.kind.value for event in whole]}")
        expect(whole[-1].cursor == driver.broker.cursor(), "the cursor is not that of the newest event")
        for event in whole:
            later = [each for each in whole if each.cursor > event.cursor]
            found = [each for each in by_cursor(driver.broker.events(event.cursor)) if each.cursor > event.cursor]
            expect(found == later, f"behind cursor {event.cursor} is told {found}, and not {later}")
        driver.restart()
        expect(by_cursor(driver.broker.events(0)) == whole, "events are others after a restart")

    def test_what_happened_while_the_line_was_down_is_told(self, driver: BrokerDriver, releases: Releases) -> None:
        """The venue goes on; whoever comes back asks from where he was."""
        release = releases.make(driver)
        driver.broker.submit(release, at=releases.now)
        driver.settle()
        seen = driver.broker.cursor()
        driver.disconnect()
        driver.fill(release.order_id, 4 * driver.lot)
        with pytest.raises(BrokerUnavailable):
            driver.broker.events(seen)
        driver.reconnect()
        driver.settle()
        fills = fills_of(driver.broker.events(seen))
        expect([event.quantity for event in fills] == [4 * driver.lot], f"after the line was down is told {fills}")
        self._holds(driver, 4 * driver.lot)

    def test_while_the_line_is_down_nobody_makes_answers_up(self, driver: BrokerDriver, releases: Releases) -> None:
        """Not knowing is said, and nothing is sent later that nobody waits for."""
        known, lost = releases.make(driver), releases.make(driver)
        driver.broker.submit(known, at=releases.now)
        driver.settle()
        driver.disconnect()
        broker = driver.broker
        for ask in (
            lambda: broker.submit(lost, at=releases.now), lambda: broker.cancel(known.order_id, at=releases.now),
            lambda: broker.cancel_all(at=releases.now), broker.positions, broker.open_orders, broker.account,
            lambda: broker.order(lost.order_id), broker.cursor, lambda: broker.events(0),
        ):  # fmt: skip
            with pytest.raises(BrokerUnavailable):
                ask()
        driver.reconnect()
        driver.settle()
        expect(driver.venue_orders(lost.order_id) == 0, "an order left long after its submission had failed")

    def test_it_says_who_it_is_and_in_what_it_counts(self, driver: BrokerDriver) -> None:
        """Fills are kept under its name: it is the same after a restart."""
        name, account = driver.broker.name, driver.broker.account()
        expect(bool(name), "the broker has no name")
        expect(len(account.currency) == 3 and account.currency.isupper(), f"currency is {account.currency!r}")
        expect(account.cash is not None or account.equity is not None, "it tells neither cash nor equity")
        driver.restart()
        expect(driver.broker.name == name, "the broker has another name after a restart")

    # What tests share

    def _refused(self, driver: BrokerDriver, release: ReleasedTrade, at: int) -> None:
        with pytest.raises(ReleaseRefused):
            driver.broker.submit(release, at=at)
        driver.settle()
        expect(driver.venue_orders(release.order_id) == 0, "an order was refused and sent all the same")

    def _holds(self, driver: BrokerDriver, quantity: Decimal) -> None:
        held = sum(each.quantity for each in driver.broker.positions() if each.symbol == driver.symbol)
        expect(held == quantity, f"{held} of {driver.symbol} is held, and not {quantity}")

    def _works(self, driver: BrokerDriver, *releases: ReleasedTrade) -> None:
        working = {order.order_id for order in driver.broker.open_orders()}
        expect(working == {release.order_id for release in releases}, f"what works is {sorted(working)}")
