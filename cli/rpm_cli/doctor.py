"""``rpm doctor``: is this installation sound?"""

import typer

from rpm_cli import options as common


def doctor(output: common.FormatOption = None, as_json: common.JsonOption = False) -> None:
    """Check the installation: versions, kernel cache, sample data, one known answer. Exit code 1 on failure."""
    from rpmcore import api
    from rpmcore.doctor import self_check

    form = common.chosen_format(output, as_json)
    checks = self_check()
    if form is common.Format.TABLE:
        from rich.table import Table
        from rich.text import Text

        from rpm_cli.rendering import terminal as draw

        table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0))
        for heading in ("", "Check", "Found"):
            table.add_column(heading, overflow="fold")
        for check in checks:
            mark = Text("ok", style="green") if check.passed else Text("FAILED", style="bold red")
            table.add_row(mark, check.name, Text(check.found))
        draw.console().print(table)
    else:
        common.print_machine("doctor", {"checks": api.to_plain(checks)}, form)
    if not all(check.passed for check in checks):
        raise typer.Exit(1)
