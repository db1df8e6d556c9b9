"""What a gate signs: approvals, which it looks at itself, and releases, which brokers look at."""

from dataclasses import replace
from hashlib import sha256

from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.canonical import canonical_bytes, digest
from rpmcore.domain.decisions import Decision
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import ApprovedTrade
from rpmcore.domain.releases import ReleasedTrade
from rpmcore.domain.signing_key import SigningKey, Subkey
from rpmcore.gate_store import MemoryStore, Store


def release_keys(store: Store, key: SigningKey | None) -> tuple[str, Subkey]:
    """Return the id of a ledger and the key that signs its releases.

    A simulation in memory has no secret. Its key is made from its genesis: the same run gives the same bits; nothing
    that another gate released passes at its broker. It keeps nobody out who knows the genesis, and so no broker of the
    world is ever handed one: those are made with a key from a file.
    """
    if isinstance(store, MemoryStore):
        genesis = store.genesis
        secret = sha256(b"rpm simulated releases " + genesis).digest()
        return f"memory:{digest(genesis)[:32]}", (key or SigningKey(secret)).for_("release")
    if key is None:
        raise InvalidArgument("a gate on a ledger needs its key")
    return (store.head.ledger if isinstance(store, Ledger) else f"store:{key.id}"), key.for_("release")


def approved_trade(decision: Decision) -> ApprovedTrade:
    """Return what an approval lets be sent.

    Raises
    ------
    InvalidArgument
        If nothing is approved.
    """
    if not decision.approved or decision.expires_at is None:
        raise InvalidArgument(f"decision {decision.sequence} approves nothing: {decision.text}")
    signal = decision.signal
    return ApprovedTrade(
        order_id=signal.signal_id, sequence=decision.sequence, strategy_id=signal.strategy_id, symbol=signal.symbol,
        side=signal.side, quantity=decision.approved, approved_quantity=decision.approved, entry=signal.entry,
        stop=signal.stop, target=signal.target, reduce_only=signal.reduce_only, config_digest=decision.config_digest,
        expires_at=decision.expires_at, signature=decision.signature or "",
    )  # fmt: skip


def approval_bytes(decision: Decision, ledger: str) -> bytes:
    """Return what the signature of an approval is over: its fields, and the ledger that holds it."""
    return canonical_bytes({**approved_trade(decision).signed_fields(), "ledger": ledger})


def released_trade(engine: DecisionEngine, approved: ApprovedTrade, ledger: str, key: Subkey) -> ReleasedTrade:
    """Return the signed release of an order that an engine has released with its last command."""
    order = engine.account.orders[approved.order_id]
    unsigned = ReleasedTrade(
        order_id=order.order_id, sequence=engine.sequence, ledger=ledger, strategy_id=order.strategy_id,
        symbol=order.symbol, side=approved.side, quantity=float(order.quantity), entry=approved.entry,
        stop=approved.stop, target=approved.target, reduce_only=approved.reduce_only, reducing=order.reducing,
        released_at=engine.last_at, expires_at=order.expires_at, epoch=engine.epoch_of(order.strategy_id),
    )  # fmt: skip
    return replace(unsigned, signature=key.mac(canonical_bytes(unsigned.signed_fields())).hex())
