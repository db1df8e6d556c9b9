"""``rpm killswitch``: the kill switches."""

from enum import StrEnum
from typing import Annotated

import typer

from rpm_cli import operators
from rpm_cli import options as common

app = typer.Typer(
    help="Kill switches: how they stand, to trip and to reset them, and what their thresholds mean.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ScopeOption = Annotated[str, typer.Option("--scope", metavar="SCOPE", help="The account, or the id of a strategy.")]


class Tripped(StrEnum):
    """How severe a trip is."""

    WARNING = "warning"
    THROTTLE = "throttle"
    HALT = "halt"
    LIQUIDATE = "liquidate"


@app.callback()
def _killswitch() -> None:
    """Kill switches: how they stand, to trip and to reset them, and what their thresholds mean."""


@app.command("status", short_help="How do they stand, and why?")
def status(
    ledger: common.LedgerArgument,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """How the kill switches of a gate stand, and why; the ledger is read only, also while a gate holds it.

    Example: `rpm killswitch status desk.ledger`.
    """
    form = common.chosen_format(output, as_json)

    from rpmcore.gate_status import killswitch_status

    found = killswitch_status(ledger)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import gate as rendering

        rendering.show_switches(found)
    else:
        common.print_report(found, form)


@app.command("trip", short_help="Stop the account or a strategy now.")
def trip(
    ledger: common.LedgerArgument,
    severity: Annotated[Tripped, typer.Option("--severity", help="How severe.")],
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    scope: ScopeOption = "account",
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Stop the account or a strategy now: recorded at once, or by the gate that holds the ledger.

    Where a gate holds the ledger it is asked and has two seconds to answer; if it does not, the request stands, and the
    exit code is 4.

    Example: `rpm killswitch trip desk.ledger --severity halt --operator "A. Person" --reason "fat finger"`.
    """
    operators.say(
        ledger, "trip", operator=operator, reason=reason, output=output, as_json=as_json, scope=scope,
        value=severity.value,
    )  # fmt: skip


@app.command("reset", short_help="Clear the account or a strategy.")
def reset(
    ledger: common.LedgerArgument,
    operator: operators.OperatorOption,
    reason: operators.ReasonOption,
    scope: ScopeOption = "account",
    measure_anew: Annotated[
        bool, typer.Option("--measure-anew", help="Accept what was lost, and measure from here.")
    ] = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Clear the switches of the account or of a strategy; what is still true stays.

    Example: `rpm killswitch reset desk.ledger --operator "A. Person" --reason "order was cancelled, checked"`.
    """
    operators.say(
        ledger, "reset", operator=operator, reason=reason, output=output, as_json=as_json, scope=scope,
        measure_anew=measure_anew,
    )  # fmt: skip


@app.command("simulate", short_help="What do their thresholds mean?")
def simulate(
    trades: Annotated[
        int | None, typer.Option("--trades", metavar="N", help="Closed trades a day. [default: 100]")
    ] = None,
    rejections: Annotated[
        float | None,
        typer.Option("--rejections", metavar="SHARE", help="Share of orders that are rejected. [default: 0.15]"),
    ] = None,
    wins: Annotated[
        float | None, typer.Option("--wins", metavar="SHARE", help="Share of trades that gain. [default: 0.5]")
    ] = None,
    trade_size: Annotated[
        float | None,
        typer.Option("--trade-size", help="Gain or loss of a trade, as a share of capital. [default: 0.005]"),
    ] = None,
    session: Annotated[
        float | None, typer.Option("--session", metavar="MINUTES", help="Length of the day. [default: 390]")
    ] = None,
    storm: Annotated[
        float | None, typer.Option("--storm", metavar="RATE", help="Rejections a minute in a runaway. [default: 60]")
    ] = None,
    growth: Annotated[
        float | None,
        typer.Option("--growth", metavar="RATE", help="Growth of exposure a minute in a runaway. [default: 0.2]"),
    ] = None,
    false_alarms: Annotated[
        float,
        typer.Option("--false-alarms", metavar="SHARE", help="Days with a false halt that thresholds should allow."),
    ] = 0.01,
    days: Annotated[int, typer.Option("--days", help="Simulated days.")] = 10_000,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the simulation.")] = None,
    history: Annotated[
        str | None,
        typer.Option("--history", metavar="FILE", help="Replay trades and rejections (CSV) instead; needs --capital."),
    ] = None,
    capital: common.CapitalOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
) -> None:
    """How often would the kill switches halt for nothing, and how soon would they see a runaway?

    Examples: `rpm killswitch simulate --trades 1000 --rejections 0.25`;
    `rpm killswitch simulate --set kill_switches.rejection_velocity.max_rejections=20`;
    `rpm killswitch simulate --history events.csv --capital 100000`.
    """
    form = common.chosen_format(output, as_json)
    money = common.money_option(capital)
    behaviour = {
        "trades_a_day": trades, "rejection_rate": rejections, "win_rate": wins, "trade_size": trade_size,
        "session_minutes": session, "storm": storm, "runaway_growth": growth,
    }  # fmt: skip
    if (history is None) != (money is None):
        raise typer.BadParameter("--history and --capital go together", param_hint="--history")
    if history is not None and any(value is not None for value in behaviour.values()):
        raise typer.BadParameter("a history tells the behaviour: leave out the options that do", param_hint="--history")
    settings = common.settings_from(config, assignments, {})

    from rpm_cli.rendering import killswitch as rendering
    from rpmcore import control_jobs

    if history is not None and money is not None:
        replayed = control_jobs.replay_kill_switches(history, capital=money, settings=settings)
        if form is common.Format.TABLE:
            rendering.show_history(replayed, settings.digest)
        else:
            common.print_report(replayed, form)
        return
    found = control_jobs.simulate_kill_switches(
        **behaviour, wanted=false_alarms, days=days, seed=seed, settings=settings  # type: ignore[arg-type]
    )  # fmt: skip
    if form is common.Format.TABLE:
        rendering.show(found, settings.digest)
    else:
        common.print_report(found, form)
