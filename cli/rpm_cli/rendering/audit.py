"""Records of a ledger as lines, and what a verification found."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.adapters.ledger.records import Record
from rpmcore.adapters.ledger.verification import Verification
from rpmcore.audit_jobs import body_of

KIND_STYLE = {"decision": "bold", "event": "yellow", "snapshot": "dim", "genesis": "dim"}


def show(records: Sequence[Record]) -> None:
    """Print records to stdout, one a line."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    table = draw.table()
    table.add_column("Record", justify="right", no_wrap=True)
    table.add_column("Command", justify="right", no_wrap=True)
    if wide:
        table.add_column("Time, UTC", no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("What", overflow="fold")
    for record in records:
        body = body_of(record)
        cells: list[str | Text] = [f"{record.position}", f"{record.sequence}"]
        if wide:
            at = body.get("at")
            cells.append(draw.moment(at) if type(at) is int else "")
        style = KIND_STYLE.get(record.kind, "")
        table.add_row(*cells, Text(record.kind, style=style), Text(draw.printable(_told(record.kind, body))))
    console.print(table)


def show_verification(ledger: str, found: Verification) -> None:
    """Print what a verification found to stdout."""
    verdict = Text("VERIFIED", style="green") if found.ok else Text("NOT VERIFIED", style="bold red")
    counts = ", ".join(f"{count:,} of kind {kind}" for kind, count in found.by_kind.items() if count)
    rows: list[tuple[str, str | Text]] = [("Ledger", draw.printable(ledger)), ("Verdict", verdict)]
    if not found.ok:
        named = found.bad_position is None or f"record {found.bad_position}" in str(found.why)
        where = "" if named else f"record {found.bad_position}: "
        rows.append(("What is wrong", draw.printable(f"{where}{found.why}")))
    rows += [("Records", f"{found.records:,} stand as they were written{': ' if counts else ''}{counts}")]
    rows += [("Anchors", f"{found.anchors} lie on the chain")]
    if found.head is not None:
        rows.append(("Head", f"record {found.head.position:,}, {found.head.mac.hex()[:16]}, signed"))
    draw.grid(draw.console(), rows)


def _told(kind: str, body: Mapping[str, Any]) -> str:
    """Return a record in a line; of one that is not what its kind promises, what stands there."""
    try:
        return _LINES[kind](body)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "  ".join(f"{name}={value}" for name, value in body.items())[:200]


def _genesis(body: Mapping[str, Any]) -> str:
    return (
        f"{draw.amount(body['equity'])} {body['account']}, {len(body['positions'])} positions, strategies "
        f"{', '.join(body['strategies'])}, settings {body['config_digest'][:12]}"
    )


def _command(body: Mapping[str, Any]) -> str:
    kind = body["kind"]
    if kind == "signal":
        signal = body["signal"]
        size = (
            draw.quantity(signal["quantity"]) if signal["quantity"] is not None else f"{signal['risk']:g} of equity in"
        )
        return (
            f"signal {signal['signal_id']}: {signal['strategy_id']} wants to {signal['side']} {size} "
            f"{signal['symbol']} at {signal['entry']:g}"
        )
    if kind == "fill":
        return (
            f"fill {body['command_id']} of {body['order_id']}: {body['side']} {draw.quantity(body['quantity'])} "
            f"{body['symbol']} at {body['price']:g}"
        )
    if kind == "operator":
        what = " ".join(word for word in (body["action"].replace("_", " "), body["value"]) if word)
        return f"operator {body['operator']}: {what} of {body['scope']}: {body['reason']}"
    return " ".join((kind, *_rest(body)))


def _rest(body: Mapping[str, Any]) -> list[str]:
    if body["kind"] == "bar":
        return [f"{body['day']}: {len(body['closes'])} closes"]
    if body["kind"] == "quotes":
        return [f"{len(body['prices'])} prices"]
    if body["kind"] == "trade":
        trade = body["trade"]
        return [f"{trade['trade_id']} of {trade['strategy_id']}: {trade['symbol']} {trade['pnl']:+,.2f}"]
    hidden = ("kind", "at", "command_id", "correlation_id")
    return [f"{name}={value}" for name, value in body.items() if name not in hidden and value not in ("", None)]


def _decision(body: Mapping[str, Any]) -> str:
    signal = body["signal"]
    size = f"{draw.quantity(body['approved'])} of {draw.quantity(body['requested'])}"
    why = "" if body["verdict"] == "approved" else f": {body['text']}"
    return f"{body['verdict']} {size} {signal['symbol']} for {signal['signal_id']}{why}"


def _event(body: Mapping[str, Any]) -> str:
    if body["type"] == "order":
        filled = f"{draw.quantity(body['filled'])} of {draw.quantity(body['quantity'])} filled"
        return f"order {body['order_id']} {body['state']}, {filled}"
    if body["type"] == "control":
        return f"{body['switch']} of {body['scope']}: {body['before']} → {body['after']}: {body['reason']}"
    rest = [f"{name}={value}" for name, value in body.items() if name != "type" and value not in ("", None)]
    return " ".join((body["type"].replace("_", " "), *rest))


def _snapshot(body: Mapping[str, Any]) -> str:
    return f"the state after command {body['sequence']}, equity {draw.amount(body['account']['equity'])}"


_LINES = {"genesis": _genesis, "command": _command, "decision": _decision, "event": _event, "snapshot": _snapshot}
