"""What the commands of operators have in common: who speaks, why, and how the ledger hears of it."""

from typing import Annotated, Any

import typer

from rpm_cli import options as common

OperatorOption = Annotated[str, typer.Option("--operator", metavar="NAME", help="Who says so.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words; it is recorded.")]


def say(
    ledger: str, action: Any, *, operator: str, reason: str, output: common.Format | None, as_json: bool, **said: Any
) -> None:
    """Have a ledger record what an operator says, and print what became of it."""
    form = common.chosen_format(output, as_json)
    for name, text in (("--operator", operator), ("--reason", reason)):
        if not text.strip():
            raise typer.BadParameter("a named operator and a written reason are needed", param_hint=name)

    from rpm_cli.rendering.progress import work_done
    from rpmcore.ledger_jobs import operate

    with work_done(False) as progress:
        done = operate(ledger, action, operator=operator, reason=reason, progress=progress, **said)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import gate as rendering

        rendering.show_obeyed(done)
    else:
        common.print_report(done, form)
