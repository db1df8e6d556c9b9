"""``rpm scenarios``: the crisis library."""

from typing import Annotated

import typer

from rpm_cli import options as common

app = typer.Typer(help="The crises that `rpm stress` knows.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def list_scenarios(
    context: typer.Context,
    scenario_file: common.ScenarioFileOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """List the crises that `rpm stress` knows; `rpm scenarios show NAME` tells one in full."""
    if context.invoked_subcommand is not None:
        context.obj = scenario_file
        return
    form = common.chosen_format(output, as_json)

    from rpmcore import api

    crises = api.scenarios(scenario_file)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import scenarios as rendering

        rendering.show_library(tuple(crises.values()))
    else:
        common.print_report(crises, form)


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the crisis.")],
    scenario_file: common.ScenarioFileOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Tell one crisis in full: what happened, its parameters, and where each of them comes from."""
    form = common.chosen_format(output, as_json)

    from rpmcore import api

    (crisis,) = api.chosen_crises([name], file=scenario_file or context.obj)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import scenarios as rendering

        rendering.show_crisis(crisis)
    else:
        common.print_report(crisis, form)
