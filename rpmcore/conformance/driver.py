"""What a desk writes so that the conformance suite can work with its adapter: a hand on the far side of it."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from rpmcore.domain.broker import BrokerPort
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.releases import Epoch, ReleasedTrade, ReleaseVerifier
from rpmcore.domain.signing_key import SigningKey

SECOND = 1_000_000_000
LIFE = 30 * SECOND
"""From a release of the suite to its expiry."""

_KEY = SigningKey(b"the conformance suite signs with a key that is no secret")
_LEDGER = "conformance"


class BrokerDriver(Protocol):
    """An adapter, and a hand on its venue: a simulator, the broker's demo account, or a fake of its library.

    Attributes
    ----------
    symbol, other_symbol
        Two that the venue trades.
    lot
        The smallest quantity of both, in units.
    price
        At which the suite's orders stand and are filled.
    strategies
        Two ids under which orders are sent.
    """

    symbol: str
    other_symbol: str
    lot: Decimal
    price: float
    strategies: tuple[str, str]

    @property
    def broker(self) -> BrokerPort:
        """The adapter under test; after `restart` another one."""

    def restart(self) -> None:
        """Let the adapter's process end at once and begin anew on the same venue: a new object, and a new verifier."""

    def venue_orders(self, order_id: str) -> int:
        """Return how many orders the venue has ever taken that were sent for a client order id, by its own log."""

    def fill(self, order_id: str, quantity: Decimal) -> None:
        """Let the venue fill so much of an order at `price`, if it still works."""

    def lose_next_answer(self, *, taken: bool) -> None:
        """Let the answer to the next submission be lost, with the order at the venue or without."""

    def hold_cancels(self) -> None:
        """Let the venue look at cancels when `settle` is called, and not before."""

    def settle(self) -> None:
        """Let the venue do what waits, and the adapter hear of it."""

    def disconnect(self) -> None:
        """Cut the line between adapter and venue, which goes on."""

    def reconnect(self) -> None:
        """Mend the line."""

    def set_venue_clock(self, ahead: int) -> None:
        """Set the venue's clock ahead of the suite's by nanoseconds; behind if negative."""

    def close(self) -> None:
        """Clean up after a test."""


@dataclass(slots=True)
class Releases:
    """Makes releases as a gate does; `now` is the gate's time in UTC nanoseconds."""

    now: int
    epoch: Epoch = field(default_factory=Epoch)
    count: int = 0

    def verifier(self) -> ReleaseVerifier:
        """Return a new verifier, for the adapter that is tested."""
        return ReleaseVerifier(_KEY.for_("release"), _LEDGER)

    def make(self, driver: BrokerDriver, lots: int = 10, **changes: Any) -> ReleasedTrade:
        """Return a release of so many lots, bought for the driver's first strategy where nothing else is said."""
        self.count += 1
        given: dict[str, Any] = {
            "order_id": f"conformance-{self.now}-{self.count}", "sequence": self.count, "ledger": _LEDGER,
            "strategy_id": driver.strategies[0], "symbol": driver.symbol, "side": "buy",
            "quantity": float(lots * driver.lot), "entry": driver.price, "stop": None, "target": None,
            "reduce_only": False, "reducing": False, "released_at": self.now, "expires_at": self.now + LIFE,
            "epoch": self.epoch, **changes,
        }  # fmt: skip
        return self.signed(ReleasedTrade(**given))

    def signed(self, release: ReleasedTrade, key: SigningKey = _KEY) -> ReleasedTrade:
        """Return a release with the signature of its content."""
        return replace(release, signature=key.for_("release").mac(canonical_bytes(release.signed_fields())).hex())
