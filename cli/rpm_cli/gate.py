"""``rpm gate``: the gate over a stream of signals, its state, and what operators say to it."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from rpm_cli import gate_run, operators
from rpm_cli import options as common

app = typer.Typer(
    help="The gate that every order passes: a run of signals, its state, and what operators say to it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Regime(StrEnum):
    """States of the market."""

    TRENDING = "trending"
    RANGING = "ranging"
    VOLATILE = "volatile"
    STRESSED = "stressed"


app.command("run", short_help="What does the gate make of these signals?")(gate_run.run)


@app.command("status", short_help="What does a gate hold and allow now?")
def status(
    ledger: common.LedgerArgument,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="How many decisions to show.")] = 5,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """What a gate holds and allows now: trading state, limits, exposures, positions, orders, last decisions.

    The ledger is read only, also while a gate holds it. Nothing of the past is verified: `rpm audit verify` does that.

    Examples: `rpm gate status desk.ledger`; `rpm gate status desk.ledger --last 20 --json`.
    """
    form = common.chosen_format(output, as_json)

    from rpmcore.gate_status import gate_status

    found = gate_status(ledger, last=last)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import gate as rendering

        rendering.show(found)
    else:
        common.print_report(found, form)


@app.command("enable-strategy", short_help="Bring back a strategy disabled for its health.")
def enable_strategy(
    ledger: common.LedgerArgument,
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", help="The strategy that may trade again.")],
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Bring back a strategy that was disabled for its health, on probation.

    Example: `rpm gate enable-strategy desk.ledger trend --operator "A. Person" --reason "costs were wrong until May"`.
    """
    _say(ledger, "enable_strategy", operator, reason, output, as_json, scope=strategy)


@app.command("pin-regime", short_help="Hold the regime, whatever is measured.")
def pin_regime(
    ledger: common.LedgerArgument,
    regime: Annotated[Regime, typer.Argument(metavar="REGIME", help="trending, ranging, volatile or stressed.")],
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Hold the regime of the market, whatever is measured, until it is released.

    Example: `rpm gate pin-regime desk.ledger stressed --operator "A. Person" --reason "election night"`.
    """
    _say(ledger, "pin_regime", operator, reason, output, as_json, value=regime.value)


@app.command("release-regime", short_help="Let the market decide its regime again.")
def release_regime(
    ledger: common.LedgerArgument,
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Let the market decide about its regime again.

    Example: `rpm gate release-regime desk.ledger --operator "A. Person" --reason "the election is over"`.
    """
    _say(ledger, "release_pin", operator, reason, output, as_json)


@app.command("clear-integrity", short_help="End HALTED, after reconciling.")
def clear_integrity(
    ledger: common.LedgerArgument,
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """End HALTED, after ledger, positions and orders were reconciled.

    Example: `rpm gate clear-integrity desk.ledger --operator "A. Person" --reason "disk replaced, book reconciled"`.
    """
    _say(ledger, "clear_integrity", operator, reason, output, as_json)


@app.command("reload", short_help="Decide by other settings from now on.")
def reload(
    ledger: common.LedgerArgument,
    operator: Annotated[
        str, typer.Option("--operator", metavar="NAME", help="Who says so; needed to loosen a control.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words; with --operator.")] = "",
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Decide by other settings from the next decision on, also in a gate that runs; a restart goes on under them.

    Without --operator and --reason they may only tighten controls; what would loosen one is refused by name.

    Examples: `rpm gate reload desk.ledger --config rpm.yaml`; `rpm gate reload desk.ledger --set
    limits.value_at_risk=0.025 --operator "A. Person" --reason "risk committee of Monday"`.
    """
    form = common.chosen_format(output, as_json)
    settings = common.settings_from(config, assignments, {}, quiet=quiet)

    from rpm_cli.rendering.progress import work_done
    from rpmcore import ledger_jobs

    with work_done(quiet) as progress:
        done = ledger_jobs.reload(ledger, settings, operator=operator, reason=reason, progress=progress)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import gate as rendering

        rendering.show_reloaded(done)
    else:
        common.print_report(done, form)


def _say(
    ledger: str, action: Any, operator: str, reason: str, output: common.Format | None, as_json: bool, **said: str
) -> None:
    operators.say(ledger, action, operator=operator, reason=reason, output=output, as_json=as_json, **said)
