"""What a gate has let go: a signed release, and the one who looks at it before an order leaves for a venue."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.errors import InvalidArgument, RpmError
from rpmcore.domain.signing_key import Subkey
from rpmcore.domain.trades import Side

SCHEMA = "rpm.release/1"


class ReleaseRefused(RpmError):
    """A positive no: this release was not taken by the broker, and will not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """How often everything that stops an order had happened when it was released.

    Attributes
    ----------
    integrity
        Times that trading was HALTED: the ledger, a reconciliation or another thing that books stand on had failed.
    account, strategy
        Times that a kill switch halted the account, and the order's own strategy.
    """

    integrity: int = 0
    account: int = 0
    strategy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """The newest epoch of a gate, handed to a broker with every halt: what was released before does not pass it.

    Attributes
    ----------
    integrity, account
        As of `Epoch`.
    strategies
        Halts by strategy; one that is not named had none.
    """

    integrity: int = 0
    account: int = 0
    strategies: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedTrade:
    """An order that the gate has released, for a broker: the only thing that can be submitted.

    Attributes
    ----------
    order_id
        The id of the signal, and the client order id at the broker: an order is one there, however often it is sent.
    sequence
        Number of the release in the ledger.
    ledger
        The ledger that holds it.
    quantity
        To be sent; unsigned, in units of the instrument.
    entry, stop, target
        As they were asked.
    reducing
        Whether all of it only shrinks the account's position, whatever becomes of other orders. Such an order is not
        stopped by the halt of a kill switch.
    released_at, expires_at
        UTC nanoseconds of the gate. From `expires_at` on no broker takes it that has not got it.
    epoch
        At the release.
    signature
        Over all of this, with the key's purpose ``release``, in hexadecimal digits.
    """

    order_id: str
    sequence: int
    ledger: str
    strategy_id: str
    symbol: str
    side: Side
    quantity: float
    entry: float
    stop: float | None
    target: float | None
    reduce_only: bool
    reducing: bool
    released_at: int
    expires_at: int
    epoch: Epoch
    signature: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {**asdict(self), "schema": SCHEMA}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the release that `to_plain` wrote; whether it is the gate's, its signature says.

        Raises
        ------
        InvalidArgument
            If it is none.
        """
        try:
            given = {each.name: plain[each.name] for each in fields(cls)}
            if plain["schema"] != SCHEMA:
                raise ValueError(f"its schema is {plain['schema']!r}")
            return cls(**{**given, "epoch": Epoch(**plain["epoch"])})
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArgument(f"this is no release ({type(error).__name__}: {error})") from error

    def signed_fields(self) -> dict[str, Any]:
        """Return what the signature is over."""
        return {
            "order_id": self.order_id, "sequence": self.sequence, "ledger": self.ledger,
            "strategy_id": self.strategy_id, "symbol": self.symbol, "side": self.side, "quantity": self.quantity,
            "entry": self.entry, "stop": self.stop, "target": self.target, "reduce_only": self.reduce_only,
            "reducing": self.reducing, "released_at": self.released_at, "expires_at": self.expires_at,
            "integrity": self.epoch.integrity, "account": self.epoch.account, "strategy": self.epoch.strategy,
        }  # fmt: skip


class ReleaseVerifier:
    """Lets releases of one ledger pass to a broker. Every adapter asks it before an order leaves.

    It is told the time and reads none. What it remembers is the newest epoch, the latest time (what has expired lives
    by no clock that is set back) and what it let pass; a new one, after a restart, knows none of it, so that an adapter
    also asks its venue whether it has an order of that id.

    Parameters
    ----------
    key
        ``SigningKey.for_("release")``: there is no verifier without a key, and so no broker that takes anything.
    ledger
        The id of the ledger (``RiskGate.ledger_id``).
    """

    def __init__(self, key: Subkey, ledger: str) -> None:
        if not ledger:
            raise InvalidArgument("releases are verified for one ledger: its id is needed")
        self._key, self._ledger = key, ledger
        self._integrity = self._account = self._latest = 0
        self._strategies: dict[str, int] = {}
        self._passed: dict[int, str] = {}

    def fence(self, fence: Fence) -> None:
        """Refuse from now on what was released in an older epoch; a fence older than the last changes nothing."""
        self._integrity = max(self._integrity, fence.integrity)
        self._account = max(self._account, fence.account)
        for strategy, halts in fence.strategies.items():
            self._strategies[strategy] = max(self._strategies.get(strategy, 0), halts)

    def verify(self, release: ReleasedTrade, *, at: int, known: bool = False) -> None:
        """Let a release pass, or say why not; the same one passes again.

        Parameters
        ----------
        release
            What is to be submitted.
        at
            The gate's time, UTC nanoseconds.
        known
            Whether the venue has an order of this id already: then nothing new leaves, so that neither expiry nor
            epoch stand against being told of it.

        Raises
        ------
        ReleaseRefused
            For a signature that is not the gate's, another ledger, a sequence that passed with another content, and,
            where it is not `known`, what has expired or was released before a halt.
        """
        self._check_signature(release)
        if release.ledger != self._ledger:
            raise ReleaseRefused(f"order {release.order_id!r} was released by another ledger")
        passed = self._passed.get(release.sequence)
        if passed is not None and passed != release.signature:
            raise ReleaseRefused(f"release {release.sequence} was taken before, and said something else")
        self._latest = max(self._latest, at, release.released_at)
        if not known:
            self._check_time(release, self._latest)
        self._passed[release.sequence] = release.signature
        self.fence(
            Fence(
                integrity=release.epoch.integrity, account=release.epoch.account,
                strategies={release.strategy_id: release.epoch.strategy},
            )
        )  # fmt: skip

    def _check_signature(self, release: ReleasedTrade) -> None:
        try:
            body, signature = canonical_bytes(release.signed_fields()), bytes.fromhex(release.signature)
        except (ValueError, TypeError, AttributeError):
            raise ReleaseRefused("this is no signed release") from None
        if not self._key.matches(body, signature):
            raise ReleaseRefused(
                f"order {release.order_id!r} was not released by this gate, or it was changed since: its signature "
                "does not fit"
            )

    def _check_time(self, release: ReleasedTrade, at: int) -> None:
        if at >= release.expires_at:
            raise ReleaseRefused(f"the release of order {release.order_id!r} has expired")
        epoch = release.epoch
        if epoch.integrity < self._integrity:
            raise ReleaseRefused(f"trading was halted since order {release.order_id!r} was released")
        halted = epoch.account < self._account or epoch.strategy < self._strategies.get(release.strategy_id, 0)
        if halted and not release.reducing:
            raise ReleaseRefused(f"there was a halt since order {release.order_id!r} was released")
