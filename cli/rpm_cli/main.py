"""The command ``rpm``: parse, one call of the core, render."""

import gc
import os
import sys
from typing import Annotated

import typer

from rpm_cli import (
    alerts,
    audit,
    backtest,
    config,
    decide,
    demo,
    doctor,
    evaluate,
    exposure,
    gate,
    import_,
    keys,
    killswitch,
    limits,
    options,
    reconcile,
    regime,
    replay,
    report,
    scenarios,
    serve,
    size,
    strategies,
    stress,
    top,
    warmup,
)

FAILED, BAD_INPUT, UNAVAILABLE, NOT_VERIFIED = 1, 2, 4, 5

app = typer.Typer(
    name="rpm",
    help="Risk and portfolio manager: what can this book lose?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the decorated help costs as much start-up as all the rest of it
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("evaluate", short_help="What can this book lose?")(evaluate.evaluate)
app.command("stress", short_help="What does it lose in a crisis?")(stress.stress)
app.command("exposure", short_help="Where does the risk come from?")(exposure.exposure)
app.command("limits", short_help="What may it hold today?")(limits.limits)
app.command("regime", short_help="What state is the market in?")(regime.regime)
app.command("backtest", short_help="Was the risk model right?")(backtest.backtest)
app.command("report", short_help="One page of it all, to mail and print.")(report.report)
app.command("strategies", short_help="Which strategies may trade?")(strategies.strategies)
app.command("size", short_help="How large may this trade be?")(size.size)
app.command("decide", short_help="May this trade be sent?")(decide.decide)
app.add_typer(gate.app, name="gate")
app.command("reconcile", short_help="Does the broker hold what the gate does?")(reconcile.reconcile)
app.command("replay", short_help="Does the ledger lead to its decisions?")(replay.replay)
app.command("serve", short_help="The gate as a service.")(serve.serve)
app.command("top", short_help="The state of a service, live.")(top.top)
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(killswitch.app, name="killswitch")
app.add_typer(alerts.app, name="alerts")
app.add_typer(config.app, name="config")
app.add_typer(import_.app, name="import")
app.command("demo", short_help="Two minutes with the sample book.")(demo.demo)
app.command("warmup", short_help="Compile the numeric kernels.")(warmup.warmup)
app.command("doctor", short_help="Check the installation.")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rpm {version('rpmcore')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
    environment: Annotated[
        options.Environment | None,
        typer.Option("--environment", help="Whose settings lie above the others. [default: RPM_ENVIRONMENT]"),
    ] = None,
) -> None:
    """Risk and portfolio manager: what can this book lose?"""
    if environment is not None:
        os.environ["RPM_ENVIRONMENT"] = environment.value


def _leave_out_other_commands(words: list[str]) -> None:
    """Where the first word names a command, build no parser for the others: that takes as long as reading settings."""
    if not words or os.environ.get("_RPM_COMPLETE"):
        return
    commands = [command for command in app.registered_commands if command.name == words[0]]
    groups = [group for group in app.registered_groups if group.name == words[0]]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def run() -> None:
    """Run the command line; every error that rpm raises on purpose becomes one message and an exit code."""
    # No plugin of another package takes part in reading settings; looking for one reads every package's metadata.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # a command is over before a collection could pay; the many imports would trigger dozens
    _leave_out_other_commands(sys.argv[1:])
    try:
        app(prog_name="rpm")
    except Exception as error:
        from rpmcore.domain.errors import NotVerified, RpmError, Unavailable

        if isinstance(error, RpmError):
            typer.echo(f"rpm: {error}", err=True)
            codes = ((Unavailable, UNAVAILABLE), (NotVerified, NOT_VERIFIED))
            raise SystemExit(next((code for kind, code in codes if isinstance(error, kind)), BAD_INPUT)) from None
        if isinstance(error, BrokenPipeError):
            # The reader of our pipe (head, less) has seen enough; Python must not complain when it flushes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(FAILED) from None
        if os.environ.get("RPM_DEBUG"):
            raise
        typer.echo(f"rpm failed: {type(error).__name__}: {error} (RPM_DEBUG=1 shows where)", err=True)
        raise SystemExit(FAILED) from None
    finally:
        gc.freeze()  # Python ends by looking for garbage among all that was imported: a fifth of a short command
