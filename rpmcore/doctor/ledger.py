"""Can a gate rely on this ledger and on the disk below it? Nothing of the past is verified here."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rpmcore.doctor.environment import NETWORK, VOLATILE, Environment
from rpmcore.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from rpmcore.doctor.ledger_facts import LedgerFacts  # loads what may be broken

LEAST_FREE, LITTLE_FREE = 16 << 20, 1 << 30
"""Bytes on the disk below which a gate is about to halt, and below which somebody should look."""

LARGE_LOG = 64 << 20
"""Bytes of a write-ahead log that some reader keeps from being folded into the ledger."""


def readable(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Can it be read?"""
    name, expected = "ledger", "a ledger of rpm that can be read"
    if ledger.error is not None:
        return problem(
            name, ledger.error, expected, "name the right file; what a copy is worth `rpm audit verify` tells"
        )
    count = "no command yet" if not ledger.commands else f"{ledger.commands} commands"
    return ok(
        name,
        f"{ledger.path}, {count}",
        expected,
        f"whether it stands as it was written: rpm audit verify {ledger.path}",
    )


def disk(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Does it lie on a disk of this machine?"""
    name, expected, kind = "ledger disk", "a file system on a disk of this machine", ledger.file_system
    if kind in NETWORK:
        return problem(
            name, f"{kind}: another machine serves it, and locks and the order of writes cannot be relied on", expected,
            "stop the gate and move the ledger with all the files beside it to a local disk",
        )  # fmt: skip
    if kind in VOLATILE:
        return note(
            name, f"{kind}: it lies in memory and goes with the power", expected, "create ledgers that count on a disk"
        )  # fmt: skip
    return ok(name, kind or "the system does not tell its type", expected)


def durable(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Can its folder be written, down to the disk?"""
    name, expected = "ledger folder", "a file can be written beside it, and fsync brings it to the disk"
    if ledger.unsynced is not None:
        return problem(
            name, f"nothing can be written beside it: {ledger.unsynced}", expected,
            "give the gate's user the folder and the disk room; to read alone, this is no matter",
        )  # fmt: skip
    return ok(name, "written and synced", expected)


def room(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Is there room for what comes?"""
    name, expected, free = "ledger room", f"at least {_size(LITTLE_FREE)} free", ledger.free
    if free is None:
        return ok(name, "the system does not tell", expected)
    if free < LEAST_FREE:
        return problem(
            name, f"{_size(free)} free: the gate halts when an append fails", expected,
            "make room on the disk; do not remove what lies beside the ledger",
        )  # fmt: skip
    if free < LITTLE_FREE:
        return note(name, f"{_size(free)} free", expected, "make room on the disk")
    return ok(name, f"{_size(free)} free", expected)


def ballast(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Is there room set aside to write a halt on a full disk?"""
    name, expected = "ledger ballast", "the file .ballast beside it, which leaves room to write a halt on a full disk"
    if not ledger.ballast:
        return note(name, "it is missing, or not whole", expected, "the next gate that opens the ledger lays it anew")
    return ok(name, "there", expected)


def write_ahead_log(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Is the write-ahead log as a running or an orderly closed gate leaves it?"""
    name, expected, size = (
        "ledger log",
        "a small -wal file while a gate runs, an empty one or none otherwise",
        ledger.log_bytes,
    )
    if size and ledger.holder is None:
        return note(
            name, f"{_size(size)} although nobody holds the ledger: the last gate was killed", expected,
            "never remove the -wal file, it holds decisions; the next gate that opens the ledger takes them in",
        )  # fmt: skip
    if size > LARGE_LOG:
        return note(
            name, f"{_size(size)}: a program that has been reading for long keeps it from being folded in", expected,
            "end the programs that read the ledger, such as a report that hangs",
        )  # fmt: skip
    return ok(name, _size(size) if size else "empty", expected)


def witness(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Would a ledger that went back in time be noticed?"""
    name, expected = "ledger witness", "the file .witness beside it, which notices an older copy put in its place"
    if not ledger.witness:
        return note(
            name, "it is missing: an older copy in place of the ledger would not be noticed", expected,
            "compare with an exported head: rpm audit verify --anchor FILE",
        )  # fmt: skip
    return ok(name, "there", expected)


def halted(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Did an append fail?"""
    name, expected = "ledger halt", "no file .halted beside it"
    if ledger.halted is not None:
        return problem(
            name, f"halted at {ledger.halted}", expected,
            "reconcile with the broker, then: rpm gate clear-integrity",
        )  # fmt: skip
    return ok(name, "not halted", expected)


def holder(ledger: "LedgerFacts", _environment: Environment) -> Finding:
    """Who writes to it?"""
    name, expected, who = "ledger holder", "one gate, or nobody", ledger.holder
    if who is None:
        return ok(name, "nobody", expected)
    return ok(
        name, f"process {who.pid} on {who.host} since {who.since}", expected,
        "to write to it yourself, stop that process first; `rpm killswitch` reaches it while it runs",
    )  # fmt: skip


def key(ledger: "LedgerFacts", environment: Environment) -> Finding:
    """Is the user's key the one that signs this ledger?"""
    from rpmcore.adapters.signing_key import VARIABLE, load_signing_key
    from rpmcore.domain.errors import ConfigurationError

    name, expected = "ledger key", "the key that signs this ledger, in another folder than the ledger"
    named = environment.variables.get(VARIABLE)
    if named is None and not environment.key_file.exists():
        return problem(
            name, f"there is no signing key in {environment.key_file}", expected,
            f"name the file of the ledger's key in {VARIABLE}",
        )  # fmt: skip
    path = str(environment.key_file) if named is None else named
    try:
        loaded = load_signing_key(ledger=ledger.path, environment={VARIABLE: path}, create=False)
    except ConfigurationError as error:
        return problem(name, str(error), expected, f"name the file of the ledger's key in {VARIABLE}")
    if ledger.key_id is not None and loaded.key.id != ledger.key_id:
        return problem(
            name, f"key {ledger.key_id} signs the ledger, and {path} holds key {loaded.key.id}", expected,
            f"name the file of the ledger's key in {VARIABLE}",
        )  # fmt: skip
    return ok(name, f"key {loaded.key.id}", expected)


def clock(ledger: "LedgerFacts", environment: Environment) -> Finding:
    """Does the system's clock stand behind the ledger?"""
    name, expected = "ledger clock", "the newest command is not later than the system's clock"
    newest = ledger.newest
    if newest is not None and newest > environment.now:
        behind = (newest - environment.now) / 1e9
        return problem(
            name, f"the newest command is of {_moment(newest)}, and the clock says {_moment(environment.now)}, "
            f"{behind:,.0f} s before: every signal is rejected with the reason clock_reversed", expected,
            "set the clock right (a time service); where the command came with a wrong time, wait until it has passed",
        )  # fmt: skip
    return ok(name, "no command yet" if newest is None else f"the newest command is of {_moment(newest)}", expected)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{count / (1 << 20):.1f} MB"


CHECKS: "tuple[Callable[[LedgerFacts, Environment], Finding], ...]" = (
    readable, disk, durable, room, ballast, write_ahead_log, witness, halted, holder, key, clock,
)  # fmt: skip
