"""What a user should know of an import."""

from collections import defaultdict
from collections.abc import Mapping

from rpmcore.adapters.server_time import Clock
from rpmcore.adapters.statements.footing import uncompared
from rpmcore.adapters.statements.results import ImportedHolding, ImportedTrade
from rpmcore.adapters.statements.statement import Statement
from rpmcore.adapters.statements.symbols import known
from rpmcore.risk.notices import Notice

_LISTED = 5


def import_notices(
    read: Statement,
    ours: Mapping[str, str],
    clock: Clock,
    made: tuple[ImportedTrade, ...],
    held: tuple[ImportedHolding, ...],
    *,
    partial: bool,
) -> tuple[Notice, ...]:
    """Return what was merged, left open or not compared.

    Parameters
    ----------
    read, clock
        The statement, and what its times were read by.
    ours
        Our symbol by the broker's.
    made, held
        What came out of it.
    partial
        Whether the report ends before today.
    """
    found = [("clock_set_back", note) for note in clock.notes()]
    netted = [f"{row.symbol} ({row.n_positions})" for row in held if row.n_positions > 1]
    if netted:
        found.append(("netted", f"several positions of a symbol are one row of the book: {_listed(netted)}"))
    merged: dict[str, list[str]] = defaultdict(list)
    for raw, name in ours.items():
        merged[name].append(raw)
    twice = [f"{' and '.join(raws)} as {name}" for name, raws in merged.items() if len(raws) > 1]
    if twice:
        found.append(("symbols_merged", f"several symbols of the broker are one: {_listed(twice)}"))
    unknown = sorted({name for name in ours.values() if not known(name)})
    if unknown:
        found.append(
            ("unknown_symbols", f"rpm knows nothing of {_listed(unknown)}: --assets or --currency says what they are")
        )
    unsized = sorted({trade.symbol for trade in made if trade.quantity is None})
    if unsized:
        found.append(
            ("quantity_unknown", f"trades of {_listed(unsized)} have no quantity: --contract-size says what a lot is")
        )
    apart = uncompared(read) if {"positions", "deals"} <= read.sections else frozenset()
    if apart & {row.symbol for row in read.closed}:
        found.append(
            ("not_compared", f"trades of {_listed(sorted(apart))} were not compared with their deals: part of those "
             "belongs to positions that are open, or lies before the report begins")
        )  # fmt: skip
    if partial:
        found.append(("partial", "the balance of the account was not compared: the report ends before today"))
    if read.as_of is None:
        found.append(("day_unknown", "the report does not say when it was made; the book has no day"))
    return tuple(Notice(code=code, message=message) for code, message in found)


def _listed(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
