"""What came out of a replay: the proof, or the difference that other settings make."""

from typing import Any

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.decision.differences import TOLERANCE
from rpmcore.policy_diff import AccountPath, PolicyDiff
from rpmcore.proof import DifferingRecord, Proof

FIELDS = 4
"""Fields of a differing record that are shown."""

RECORDS = 5
"""Differing records that are shown."""

KINDS = {
    "rejected": "rejected, was approved",
    "approved": "approved, was rejected",
    "larger": "a larger size",
    "smaller": "a smaller size",
    "reason": "rejected for another reason",
}


def show_proof(proof: Proof) -> None:
    """Print a proof to stdout."""
    console = draw.console()
    verdict = Text("PROVEN", style="green") if proof.ok else Text("NOT PROVEN", style="bold red")
    draw.grid(
        console,
        (
            ("Ledger", draw.printable(f"{proof.path} · {proof.records:,} records, every one verified")),
            ("Verdict", verdict.append(f" – {_how(proof)}", style="")),
            ("Replayed", f"{proof.commands:,} commands from the genesis: {proof.decisions:,} decisions, "
             f"{proof.events:,} events, {proof.snapshots:,} snapshots on the way"),
            ("Outcome", f"{proof.identical:,} to the byte, {proof.near:,} but for rounding, "
             f"{proof.different:,} different"),
            ("Platform", "the same as when the ledger was begun" if proof.same_platform else
             draw.printable("another: " + "; ".join(proof.platform_differences))),
        ),
    )  # fmt: skip
    if proof.differing:
        draw.title(console, "First differences")
        for one in proof.differing[:RECORDS]:
            _differing(console, one)


def _how(proof: Proof) -> str:
    if not proof.ok:
        if proof.different:
            return f"{proof.different:,} records do not follow from the commands"
        return "numbers differ by rounding although the platform is the same: did another state of rpm write them?"
    if proof.near:
        return f"verdicts, sizes and reasons exactly, numbers within {TOLERANCE:g}: this is another platform"
    return "byte for byte"


def _differing(console: Console, one: DifferingRecord) -> None:
    where = "a record that the ledger lacks" if one.position is None else f"record {one.position:,}"
    rounding = ", by rounding alone" if one.near else ""
    console.print(Text(f"{one.kind} of command {one.sequence:,}, {where}{rounding}", style="bold"))
    # What differs by more than rounding comes first: it is what went wrong.
    fields = sorted(one.fields, key=lambda field: field.near)
    for field in fields[:FIELDS]:
        console.print(
            Text(draw.printable(f"  {field.field}: {_short(field.recorded)} stands, {_short(field.replayed)} came out"))
        )
    if len(fields) > FIELDS:
        console.print(Text(f"  and {len(fields) - FIELDS} more fields", style="dim"))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def show_policy(found: PolicyDiff, last: int) -> None:
    """Print the difference that other settings make, with at most `last` of the flipped decisions."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    flipped = len(found.flips)
    share = f" ({flipped / found.decisions:.1%})" if found.decisions else ""
    kinds = ", ".join(f"{count:,} {KINDS[kind]}" for kind, count in sorted(found.counts.items()))
    draw.grid(
        console,
        (
            ("Ledger", draw.printable(f"{found.path} · settings {found.config_digest[:12]}")),
            ("Under", f"settings {found.alternative_digest[:12]}: {len(found.changed)} of them differ"),
            ("Flipped", f"{flipped:,} of {found.decisions:,} decisions{share}" + (f": {kinds}" if kinds else "")),
        ),
    )
    _settings(console, found)
    _accounts(console, found)
    _reasons(console, found)
    _flips(console, found, last, wide)


def _settings(console: Console, found: PolicyDiff) -> None:
    draw.title(console, "Settings that differ")
    if not found.changed:
        console.print(Text("None.", style="dim"))
        return
    table = draw.table()
    table.add_column("Setting", overflow="fold")
    table.add_column("Recorded", justify="right", overflow="fold")
    table.add_column("Alternative", justify="right", overflow="fold")
    for name, was, now in found.changed:
        table.add_row(name, Text(draw.printable(str(was))), Text(draw.printable(str(now))))
    console.print(table)


def _accounts(console: Console, found: PolicyDiff) -> None:
    draw.title(console, "The account, to the first order")
    table = draw.table()
    table.add_column("", no_wrap=True)
    for heading in ("Recorded", "Alternative", "Difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    one, other = found.recorded, found.alternative
    table.add_row("P&L", draw.amount(one.pnl), draw.amount(other.pnl), f"{other.pnl - one.pnl:+,.0f}")
    for name, label in (
        ("drawdown", "Largest drawdown"),
        ("highest_gross", "Highest gross"),
        ("mean_gross", "Mean gross"),
    ):
        was, now = _of(one, name), _of(other, name)
        table.add_row(label, draw.percent(was), draw.percent(now), f"{round(now - was, 4) + 0.0:+.2%}")
    table.add_row("Fills", f"{one.fills:,}", f"{other.fills:,}", f"{other.fills - one.fills:+,}")
    console.print(table)
    console.print(
        Text(
            "An estimate: the same signals and prices; fills of orders approved in another size are scaled "
            f"({found.scaled:,}), those of orders that are rejected left out ({found.left_out:,}), and orders that "
            f"only the alternative approves never filled ({found.unknown_fills:,}). A strategy that holds less would "
            "have sent other signals.",
            style="dim",
        )
    )


def _of(path: AccountPath, name: str) -> float:
    value: float = getattr(path, name)
    return value


def _reasons(console: Console, found: PolicyDiff) -> None:
    rows = [row for row in found.reasons if row.recorded != row.alternative]
    if not rows:
        return
    draw.title(console, "Decisions that each check bound")
    table = draw.table()
    table.add_column("Check", no_wrap=True)
    for heading in ("Recorded", "Alternative", "Difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.reason, f"{row.recorded:,}", f"{row.alternative:,}", f"{row.alternative - row.recorded:+,}")
    console.print(table)


def _flips(console: Console, found: PolicyDiff, last: int, wide: bool) -> None:
    if not found.flips:
        return
    draw.title(console, "Flipped decisions")
    table = draw.table()
    table.add_column("", justify="right", no_wrap=True)
    if wide:
        table.add_column("Time, UTC", no_wrap=True)
        table.add_column("Strategy", overflow="fold")
    table.add_column("Order", no_wrap=True)
    for heading in ("Was", "Now"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Bound by", "Now by"):
        table.add_column(heading, overflow="fold")
    # Sizes that change tell more than one rejection in place of another.
    ordered = sorted(found.flips, key=lambda flip: (flip.kind == "reason", flip.sequence))
    for flip in ordered[:last]:
        cells: list[str | Text] = [f"{flip.sequence}"]
        if wide:
            cells += [draw.moment(flip.at), Text(draw.printable(flip.strategy_id))]
        cells += [
            Text(draw.printable(f"{flip.side} {draw.quantity(flip.requested)} {flip.symbol}")),
            draw.quantity(flip.recorded_approved), draw.quantity(flip.approved),
            flip.recorded_binding or "–", flip.binding or "–",
        ]  # fmt: skip
        table.add_row(*cells)
    console.print(table)
    if len(ordered) > last:
        console.print(Text(f"and {len(ordered) - last:,} more: --last N, or --json for all", style="dim"))
