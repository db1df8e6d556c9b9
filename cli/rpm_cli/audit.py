"""``rpm audit``: does the ledger stand as it was written, and what does it say?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rpm_cli import options as common
from rpm_cli.decide import parse_time

NOT_VERIFIED = 5
SHOWN = 30
"""Records that are shown where no filter was given."""

app = typer.Typer(
    help="The audit trail: show it, verify it, export it, anchor it.", no_args_is_help=True, rich_markup_mode=None
)


class Kind(StrEnum):
    """What a record is."""

    GENESIS = "genesis"
    COMMAND = "command"
    DECISION = "decision"
    EVENT = "event"
    SNAPSHOT = "snapshot"


class ExportFormat(StrEnum):
    """How a ledger is exported."""

    JSONL = "jsonl"
    PARQUET = "parquet"


OutOption = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write.")]


@app.callback()
def _audit() -> None:
    """The audit trail: show it, verify it, export it, anchor it."""


@app.command("show", short_help="What happened, record by record?")
def show(
    ledger: common.LedgerArgument,
    last: Annotated[int | None, typer.Option("--last", metavar="N", min=1, help="Only so many, from the end.")] = None,
    signal: Annotated[
        str | None, typer.Option("--signal", metavar="ID", help="Only what belongs to this signal.")
    ] = None,
    correlation: Annotated[
        str | None, typer.Option("--correlation", metavar="ID", help="Only what carries this correlation id.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only records of this kind.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only from this UTC time on, such as 2020-03-16T14:00.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only before this UTC time.")] = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """What happened, record by record. Nothing is verified: `rpm audit verify` does that.

    Examples: `rpm audit show desk.ledger`; `rpm audit show desk.ledger --signal S00017`;
    `rpm audit show desk.ledger --kind decision --from 2020-03-16 --to 2020-03-17 --json`.
    """
    form = common.chosen_format(output, as_json)
    filters = (signal, correlation, kind, since, until, last)
    count = SHOWN if all(item is None for item in filters) else last

    from rpmcore.audit_jobs import audit_show

    trail = audit_show(
        ledger, kind=None if kind is None else kind.value, signal=signal, correlation=correlation, last=count,
        since=None if since is None else parse_time(since, "--from"),
        until=None if until is None else parse_time(until, "--to"),
    )  # fmt: skip
    if count == SHOWN and last is None and len(trail.records) == SHOWN and not quiet:
        typer.echo(f"The last {SHOWN} records; --last N shows more.", err=True)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import audit as rendering

        rendering.show(trail.records)
    else:
        common.print_report(trail, form)


@app.command("verify", short_help="Does it stand as it was written?")
def verify(
    ledger: common.LedgerArgument,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(
            "--anchor", metavar="FILE", help="A head of `rpm audit head` that must lie on the chain; may be repeated."
        ),
    ] = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Verify every record, the signed head, the file and the anchors; exits with 5 where one does not stand.

    Examples: `rpm audit verify desk.ledger`; `rpm audit verify desk.ledger --anchor 2020-03-16.head`.
    """
    form = common.chosen_format(output, as_json)
    heads = [_anchor(path) for path in anchors or ()]

    from rpm_cli.rendering.progress import work_done
    from rpmcore.audit_jobs import audit_verify

    with work_done(quiet) as progress:
        found = audit_verify(ledger, anchors=heads, progress=progress)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import audit as rendering

        rendering.show_verification(ledger, found.found)
    else:
        common.print_report(found, form)
    if not found.ok:
        raise typer.Exit(NOT_VERIFIED)


@app.command("export", short_help="Write all records for other tools.")
def export(
    ledger: common.LedgerArgument,
    out: OutOption,
    form: Annotated[
        ExportFormat | None, typer.Option("--format", help="How. [default: by the name of the file, else jsonl]")
    ] = None,
    quiet: common.QuietOption = False,
) -> None:
    """Write all records to a file for other tools, as JSON lines or Parquet.

    Examples: `rpm audit export desk.ledger -o desk.parquet`; `rpm audit export desk.ledger -o desk.jsonl`.
    """
    from rpmcore.audit_jobs import audit_export

    count = audit_export(ledger, out, None if form is None else form.value)
    if not quiet:
        typer.echo(f"{count:,} records in {out}", err=True)


@app.command("head", short_help="Write the signed head, to be kept elsewhere.")
def head(ledger: common.LedgerArgument, out: OutOption, quiet: common.QuietOption = False) -> None:
    """Write the signed head of a ledger, to be kept where whoever may alter the ledger cannot.

    `rpm audit verify --anchor` then notices a ledger that was cut short, replaced or set back.

    Example: `rpm audit head desk.ledger -o 2020-03-16.head`.
    """
    from rpmcore.audit_jobs import audit_head
    from rpmcore.domain.errors import InputError

    content = audit_head(ledger)
    try:
        out.write_bytes(content + b"\n")
    except OSError as error:
        raise InputError(f"it cannot be written: {error.strerror or error}", source=str(out)) from error
    if not quiet:
        typer.echo(f"The signed head is in {out}: keep it where the ledger is not.", err=True)


def _anchor(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror or error}", param_hint="--anchor") from error
