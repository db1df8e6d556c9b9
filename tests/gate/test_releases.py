"""What a gate releases is signed for one ledger and one purpose, and whoever has the key can tell."""

from dataclasses import replace

import pytest

from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal
from rpmcore.domain.releases import Epoch, ReleaseRefused, ReleaseVerifier
from rpmcore.gate import RiskGate
from tests.decision import worlds
from tests.gate.conftest import KEY


def released(gate, quantity=100.0, order_id="s1", side="buy", symbol="CVX"):
    at = gate.engine.last_at + worlds.SECOND
    signal = Signal(
        signal_id=order_id, strategy_id="trend", symbol=symbol, side=side, at=at, quantity=quantity,
        entry=worlds.last(gate.engine, symbol),
    )  # fmt: skip
    return gate.release(gate.approve_trade(signal, at=at), at=at)


@pytest.fixture
def gate(tmp_path):
    with RiskGate.create(tmp_path / "desk.ledger", worlds.genesis(), KEY, clock=lambda: 0, timer=None) as made:
        yield made


def test_a_process_that_has_the_key_and_the_id_can_verify(gate):
    release = released(gate)
    elsewhere = ReleaseVerifier(KEY.for_("release"), gate.ledger_id)
    elsewhere.verify(release, at=release.released_at)
    assert (release.quantity, release.symbol, release.side, release.reducing) == (100.0, "CVX", "buy", False)
    assert release.sequence == gate.engine.sequence


def test_what_has_expired_lives_by_no_clock_that_is_set_back(gate):
    verifier, release = gate.release_verifier(), released(gate)
    with pytest.raises(ReleaseRefused, match="expired"):
        verifier.verify(release, at=release.expires_at)
    with pytest.raises(ReleaseRefused, match="expired"):
        verifier.verify(release, at=release.expires_at - worlds.SECOND)


def test_the_signature_of_an_approval_is_no_release(gate):
    at = gate.engine.last_at + worlds.SECOND
    signal = Signal(signal_id="s1", strategy_id="trend", symbol="CVX", side="buy", at=at, quantity=100.0,
                    entry=worlds.last(gate.engine, "CVX"))  # fmt: skip
    approved = gate.approve_trade(signal, at=at)
    release = gate.release(approved, at=at)
    with pytest.raises(ReleaseRefused, match="signature"):
        gate.release_verifier().verify(replace(release, signature=approved.signature), at=at)


def test_what_another_ledger_of_the_same_key_released_is_refused(gate, tmp_path):
    with RiskGate.create(tmp_path / "other.ledger", worlds.genesis(), KEY, clock=lambda: 0, timer=None) as other:
        release = released(other)
    with pytest.raises(ReleaseRefused, match="another ledger"):
        gate.release_verifier().verify(release, at=release.released_at)


def test_a_simulation_signs_the_same_bits_again_and_another_one_others():
    def run(**changes):
        return RiskGate.in_memory(worlds.genesis(**changes), clock=lambda: 0)

    first, again, other = run(), run(), run(positions=(("trend", "XOM", "5"),))
    assert released(first) == released(again)
    release = released(other)
    with pytest.raises(ReleaseRefused, match="signature"):
        first.release_verifier().verify(release, at=release.released_at)


def test_a_release_tells_what_only_reduces_and_how_often_there_was_a_halt():
    gate = RiskGate.in_memory(worlds.genesis(positions=(("trend", "XOM", "500"),)), clock=lambda: 0)
    gate.operate("trip", operator="A. Head", reason="drill", value="halt", scope="trend", at=gate.engine.last_at)
    reduces = released(gate, symbol="XOM", side="sell")
    assert (reduces.reducing, reduces.epoch) == (True, Epoch(strategy=1))


def test_part_of_an_approval_is_released_in_part(gate):
    at = gate.engine.last_at + worlds.SECOND
    signal = Signal(signal_id="s1", strategy_id="trend", symbol="CVX", side="buy", at=at, quantity=100.0,
                    entry=worlds.last(gate.engine, "CVX"))  # fmt: skip
    assert gate.release(gate.approve_trade(signal, at=at).scaled(0.3), at=at).quantity == 30.0


def test_there_is_no_verifier_for_any_ledger():
    with pytest.raises(InvalidArgument, match="its id is needed"):
        ReleaseVerifier(KEY.for_("release"), "")


def test_nothing_that_is_no_release_passes(gate):
    verifier = gate.release_verifier()
    release = released(gate)
    for odd in (None, replace(release, quantity=float("nan")), replace(release, signature="no hex"),
                replace(release, epoch=None)):  # fmt: skip
        with pytest.raises(ReleaseRefused):
            verifier.verify(odd, at=release.released_at)


def test_a_ledger_of_another_format_is_refused_by_name(tmp_path):
    plain = {**worlds.genesis().to_plain(), "schema": "rpm.genesis/1"}
    Ledger.create(tmp_path / "old.ledger", KEY, canonical_bytes(plain)).close()
    with pytest.raises(InvalidArgument, match=r"'rpm.genesis/1', and this version of rpm reads 'rpm.genesis/2'"):
        RiskGate.open(tmp_path / "old.ledger", KEY)
