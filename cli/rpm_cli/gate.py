"""``rpm gate``: the gate over a stream of signals."""

import typer

from rpm_cli import gate_run

app = typer.Typer(
    help="The gate that every order passes.", no_args_is_help=True, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
app.command("run", short_help="What does the gate make of these signals?")(gate_run.run)
