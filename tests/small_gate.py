"""A small ledger of a gate: some forty commands on the opening book of the sample, for those who read ledgers."""

import os
from contextlib import suppress
from pathlib import Path

from rpmcore.adapters.ledger.ledger import Ledger
from rpmcore.adapters.ledger.reader import LedgerReader
from rpmcore.adapters.ledger.records import NewRecord
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.decisions import RejectionException, decision_of_plain
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.orders import Signal
from rpmcore.domain.trades import ClosedTrade
from rpmcore.gate import RiskGate, approved_trade
from rpmcore.gate_signatures import approval_bytes
from rpmcore.gate_start import close_time, gate_prices
from tests.gate.conftest import KEY, make_genesis

SECOND = 1_000_000_000
SECRET = b"a key for tests, of more than 32 bytes"
"""What `KEY` is made of."""


def write_key(folder: Path) -> Path:
    """Write the key of the small ledger where no ledger is, and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / "ledger.key"
    path.write_bytes(SECRET)
    os.chmod(path, 0o600)  # noqa: PTH101
    return path


def write_small_ledger(path: Path) -> Path:
    """Write the ledger, with a restart and so a snapshot in its middle, and return its path.

    Signals ``s1`` … ``s6`` of the strategy ``trend``: ``s1`` is filled in two parts, ``s2`` is cut and cancelled,
    ``s3`` is rejected by the price collar, ``s4`` expires, ``s5`` is rejected by a kill switch that ``A. Person`` trips
    and resets, ``s6`` reduces.
    """
    genesis = make_genesis()
    last = {symbol: price for symbol, price, _ in genesis.last}
    start = genesis.at + SECOND
    with RiskGate.create(path, genesis, KEY, clock=lambda: start, timer=None) as gate:
        _first_day(gate, last, start)
    with RiskGate.open(path, KEY, clock=lambda: start, timer=None) as gate:
        _second_day(gate, last)
    return path


def _ask(gate, number, at, last, symbol="EURUSD", **changes):
    given = {
        "signal_id": f"s{number}", "strategy_id": "trend", "symbol": symbol, "side": "buy", "entry": last[symbol],
        "at": at, "quantity": 100_000.0, "correlation_id": f"c{number}", **changes,
    }  # fmt: skip
    return gate.decide(Signal(**given), at=at)


def _first_day(gate, last, at):
    first = _ask(gate, 1, at, last)
    gate.release(approved_trade(first), at=at + SECOND)
    for part in (1, 2):
        gate.fill(
            f"f{part}", "s1", strategy_id="trend", symbol="EURUSD", side="buy", quantity=first.approved / 2,
            price=last["EURUSD"], fees=2.0, at=at + (1 + part) * SECOND,
        )  # fmt: skip
    second = _ask(gate, 2, at + 10 * SECOND, last, "MSFT", quantity=30_000.0, stop=last["MSFT"] * 0.95)
    gate.release(approved_trade(second), at=at + 11 * SECOND)
    gate.order_closed("s2", "cancelled", reason="end of the day", at=at + 12 * SECOND)
    _ask(gate, 3, at + 20 * SECOND, last, entry=last["EURUSD"] * 1.2)
    _ask(gate, 4, at + 30 * SECOND, last, "GBPUSD", quantity=20_000.0)
    gate.tick(at=at + 300 * SECOND)


def _second_day(gate, last):
    prices = gate_prices(None)
    days = [day.item() for day in prices.dates if str(day) > "2019-06-28"][:8]
    for day in days:
        row = int((prices.dates == day).argmax())
        closes = {
            symbol: float(close)
            for symbol, close in zip(prices.symbols, prices.closes[row], strict=True)
            if symbol in last and close == close
        }
        gate.price_bar(str(day), closes, at=close_time(day))
        last.update(closes)
    at = close_time(days[-1]) + 60 * SECOND
    gate.operate("trip", operator="A. Person", reason="drill", scope="trend", value="halt", at=at)
    _ask(gate, 5, at + SECOND, last)
    gate.operate("reset", operator="A. Person", reason="the drill is over", scope="trend", at=at + 2 * SECOND)
    with suppress(InvalidArgument):
        gate.operate("enable_strategy", operator="A. Person", reason="it is not disabled", scope="trend", at=at)
    reduced = _ask(gate, 6, at + 3 * SECOND, last, side="sell", quantity=50_000.0, reduce_only=True)
    with suppress(RejectionException):
        gate.release(approved_trade(reduced), at=at + 4 * SECOND)
    gate.fill(
        "f3", "s6", strategy_id="trend", symbol="EURUSD", side="sell", quantity=reduced.approved,
        price=last["EURUSD"], at=at + 5 * SECOND,
    )  # fmt: skip
    gate.trade_closed(
        ClosedTrade(
            trade_id="t1", strategy_id="trend", symbol="EURUSD", side="buy", opened_at=at - 3600 * SECOND,
            closed_at=at + 5 * SECOND, pnl=-120.0,
        ),
        at=at + 6 * SECOND,
    )  # fmt: skip
    gate.tick(at=at + 7 * SECOND)


def rewrite(source: Path, target: Path, change) -> Path:
    """Write a ledger anew under the same key, chained soundly, each body as `change(kind, sequence, body)` gives it.

    None leaves a record out. Approvals are signed for the new ledger, but where the change is one of the signature.
    """
    with LedgerReader.open(source) as reader:
        records = [(r.kind, r.sequence, r.key, parse(r.body)) for r in reader.records()]
    bodies = [(kind, sequence, key, change(kind, sequence, body)) for kind, sequence, key, body in records]
    with Ledger.create(target, KEY, canonical_bytes(bodies[0][3])) as ledger:
        given = {sequence: body for kind, sequence, _, body in records if kind == "decision" and body["approved"]}
        for kind, sequence, key, body in bodies[1:]:
            old = given.get(sequence)
            if kind == "decision" and body and old and body["signature"] == old["signature"]:
                signed = approval_bytes(decision_of_plain(old), ledger.head.ledger)
                body = {**body, "signature": KEY.for_("approval").mac(signed).hex()}
            if body is not None:
                ledger.append([NewRecord(kind=kind, sequence=sequence, key=key, body=canonical_bytes(body))])
    return target
