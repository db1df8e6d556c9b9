"""The same commands under other settings: what flips, and what of the fills reaches the alternative account."""

import pytest

from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.adapters.ledger.errors import LedgerDamaged
from rpmcore.domain.orders import Signal
from rpmcore.gate import RiskGate
from rpmcore.policy_diff import genesis_settings, policy_diff
from tests.decision import worlds
from tests.gate.conftest import KEY
from tests.small_gate import rewrite, write_small_ledger


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_ledger(tmp_path_factory.mktemp("ledger") / "desk.ledger")


def diff(small, *changes):
    settings = load_settings(None, changes, base=genesis_settings(small))
    return policy_diff(small, settings, settings.digest)


def test_the_ledger_s_own_settings_change_nothing(small):
    found = diff(small)
    assert (found.changed, found.flips, found.reasons) == ((), (), found.reasons)
    assert found.config_digest == found.alternative_digest
    assert found.recorded == found.alternative
    assert found.recorded.fills == 3
    assert found.recorded.pnl == pytest.approx(79_408, abs=1.0)
    assert all(row.recorded == row.alternative for row in found.reasons)


def test_a_tighter_limit_rejects_and_its_fills_are_left_out(small):
    found = diff(small, "gate.maximum_order_quantity=10")
    flips = {flip.signal_id: flip for flip in found.flips}
    assert found.changed == (("gate.maximum_order_quantity", 10_000_000.0, 10.0),)
    assert flips["s1"].kind == flips["s2"].kind == flips["s4"].kind == "rejected"
    assert (flips["s1"].recorded_approved, flips["s1"].binding) == (100_000.0, "order_quantity")
    assert found.decisions == 6
    # What was bought in two fills is not there, so that nothing is left for the third to reduce.
    assert (found.recorded.fills, found.alternative.fills, found.left_out, found.scaled) == (3, 0, 3, 0)
    assert {row.reason: row.alternative for row in found.reasons}["order_quantity"] == 3


def test_a_cut_order_is_filled_in_proportion_to_the_last_unit(small):
    found = diff(small, "limits.currency=0.005")
    flip = next(flip for flip in found.flips if flip.signal_id == "s1")
    assert (flip.kind, flip.binding) == ("smaller", "currency")
    assert flip.approved == 43_000.0  # of 10,000,000 USD × 0.005 / 1.138, in lots of 1,000
    assert found.alternative.fills == found.recorded.fills
    assert found.scaled == 3
    # 100,000 EUR from 1.138 to 1.122, less fees of 4: a loss, of which the other account bears its share.
    share = flip.approved / 100_000.0
    assert found.alternative.pnl - found.recorded.pnl == pytest.approx((1.0 - share) * 1604.0, rel=1e-3)


def test_what_only_the_alternative_approves_is_never_filled(small):
    found = diff(small, "gate.price_collar=0.5")
    flip = next(flip for flip in found.flips if flip.signal_id == "s3")
    assert (flip.kind, flip.recorded_verdict, flip.recorded_binding) == ("approved", "rejected", "price_collar")
    assert found.unknown_fills == 1
    assert found.alternative.fills == found.recorded.fills
    assert found.counts == {"approved": 1}


def test_a_ledger_that_does_not_follow_from_itself_is_not_compared(small, tmp_path):
    def other(kind, sequence, body):
        return {**body, "verdict": "approved"} if (kind, sequence) == ("decision", 20) else body

    path = rewrite(small, tmp_path / "altered.ledger", other)
    with pytest.raises(LedgerDamaged, match="command 20"):
        diff(path, "gate.price_collar=0.5")


def test_a_reconciliation_halts_both_accounts_as_it_did_and_compares_neither_with_the_broker(tmp_path):
    path = tmp_path / "desk.ledger"
    with RiskGate.create(path, worlds.genesis(), KEY, clock=lambda: 0, timer=None) as gate:

        def ask(number):
            at = gate.engine.last_at + worlds.SECOND
            price = worlds.last(gate.engine, "CVX")
            return gate.decide(
                Signal(signal_id=f"s{number}", strategy_id="trend", symbol="CVX", side="buy", entry=price, at=at,
                       quantity=100.0),
                at=at,
            )  # fmt: skip

        ask(1)
        gate.reconcile(worlds.broker_book(gate.engine, positions=[("XOM", "7", "")]), at=gate.engine.last_at)
        halted = ask(2)
        gate.operate(
            "adopt_gate", operator="A. Head", reason="not ours", value=str(gate.engine.reconciliation["sequence"]),
            at=gate.engine.last_at,
        )  # fmt: skip
        after = ask(3)
    assert (halted.reason, after.verdict) == ("halted", "approved")
    same = diff(path)
    assert (same.flips, same.decisions) == ((), 3)
    tighter = diff(path, "gate.maximum_order_quantity=10")
    assert {flip.signal_id: flip.kind for flip in tighter.flips} == {"s1": "rejected", "s3": "rejected"}
