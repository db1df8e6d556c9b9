"""``rpm killswitch``: the kill switches."""

from typing import Annotated

import typer

from rpm_cli import options as common

app = typer.Typer(help="Kill switches: what their thresholds mean.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _killswitch() -> None:
    """Kill switches: what their thresholds mean."""


@app.command("simulate")
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
    from rpmcore.domain.plain import to_plain

    if history is not None and money is not None:
        replayed = control_jobs.replay_kill_switches(history, capital=money, settings=settings)
        if form is common.Format.TABLE:
            rendering.show_history(replayed, settings.digest)
        else:
            plain = {
                "simulation": None, "simulation_reason": "a history was replayed",
                "history": to_plain(replayed), "config_digest": settings.digest,
            }  # fmt: skip
            common.print_machine("killswitch", plain, form)
        return
    found = control_jobs.simulate_kill_switches(
        **behaviour, wanted=false_alarms, days=days, seed=seed, settings=settings  # type: ignore[arg-type]
    )  # fmt: skip
    if form is common.Format.TABLE:
        rendering.show(found, settings.digest)
    else:
        plain = {
            "simulation": to_plain(found), "history": None, "history_reason": "none was given",
            "config_digest": settings.digest,
        }  # fmt: skip
        common.print_machine("killswitch", plain, form)
