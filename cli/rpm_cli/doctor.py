"""``rpm doctor``: what is wrong with this installation, this machine, this ledger?"""

from pathlib import Path
from typing import Annotated

import typer

from rpm_cli import options as common

PROBLEM = 1


def doctor(
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="LEDGER", help="Look at this ledger and its disk, too.")
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Say of every check what is expected. [default: where it is not met]"),
    ] = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Check installation, machine, settings and key, each with what was found and what to do. Exit code 1 on a problem.

    A note is worth knowing and changes no exit code. A ledger is only read, also while a gate holds it.

    Examples: `rpm doctor`; `rpm doctor --ledger desk.ledger --json`.
    """
    from rpmcore.doctor.examination import examine

    form = common.chosen_format(output, as_json)
    found = examine(None if ledger is None else Path(ledger))
    if form is common.Format.TABLE:
        from rpm_cli.rendering import doctor as rendering

        rendering.show(found.checks, verbose=verbose)
    else:
        common.print_report(found, form)
    if not found.sound:
        raise typer.Exit(PROBLEM)
