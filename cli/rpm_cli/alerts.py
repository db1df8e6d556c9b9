"""``rpm alerts``: what has been alerted, who has taken it, and whether alerts arrive."""

from typing import Annotated

import typer

from rpm_cli import options as common

NOT_DELIVERED = 4

app = typer.Typer(
    help="Alerts: what is active, who has taken it, do they arrive?", no_args_is_help=True, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

OutboxArgument = Annotated[str, typer.Argument(metavar="OUTBOX", help="The gate's outbox of alerts.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Of the alert, as status shows it.")]
OperatorOption = Annotated[str, typer.Option("--operator", metavar="NAME", help="Who says so.")]


@app.command("status", short_help="What is active, and has it been delivered?")
def status(outbox: OutboxArgument, output: common.FormatOption = None, as_json: common.JsonOption = False) -> None:
    """Show the alerts that nobody has resolved, the last that somebody has, and how each channel stands.

    Example: `rpm alerts status desk.outbox`.
    """
    form = common.chosen_format(output, as_json)

    from rpmcore import alert_jobs

    found = alert_jobs.alerts_status(outbox)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import alerts as rendering

        rendering.show(found)
    else:
        common.print_report(found, form)


@app.command("ack", short_help="Say that you are at work on an alert.")
def ack(outbox: OutboxArgument, alert: IdArgument, operator: OperatorOption) -> None:
    """Acknowledge an alert: the channels that were told of it are told who has it.

    Example: `rpm alerts ack desk.outbox 3f9a1c --operator "A. Name"`.
    """
    _answer(outbox, alert, operator, resolved=False)


@app.command("resolve", short_help="Say that an alert is over.")
def resolve(outbox: OutboxArgument, alert: IdArgument, operator: OperatorOption) -> None:
    """Resolve an alert. This clears no kill switch: an alert of a switch ends with its reset, by itself.

    Example: `rpm alerts resolve desk.outbox 3f9a1c --operator "A. Name"`.
    """
    _answer(outbox, alert, operator, resolved=True)


@app.command("test", short_help="Do alerts arrive?")
def try_out(
    operator: OperatorOption,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
) -> None:
    """Send a test alert, and its resolution, to each configured channel. Exit code 4 if one does not take it.

    A channel is configured by its secret in the environment: RPM_SLACK_WEBHOOK_URL, RPM_PAGERDUTY_ROUTING_KEY, or a
    file that only you can read in RPM_SLACK_WEBHOOK_URL_FILE, RPM_PAGERDUTY_ROUTING_KEY_FILE.

    Example: `rpm alerts test --operator "A. Name"`.
    """
    form = common.chosen_format(output, as_json)
    settings = common.settings_from(config, assignments, {})

    from rpmcore import alert_jobs

    tested = alert_jobs.send_test_alert(operator, settings=settings.alerts)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import alerts as rendering

        rendering.show_test(tested)
    else:
        from rpmcore.domain.plain import to_plain

        common.print_machine("alerts.test", {"channels": to_plain(tested)}, form)
    if not all(channel.arrived for channel in tested):
        raise typer.Exit(NOT_DELIVERED)


def _answer(outbox: str, alert_id: str, operator: str, *, resolved: bool) -> None:
    from rpmcore import alert_jobs

    alert = alert_jobs.answer_alert(outbox, alert_id, operator, resolved=resolved)
    done, who = ("resolved", alert.resolved_by) if resolved else ("acknowledged", alert.acknowledged_by)
    typer.echo(f"{alert.title}: {done} by {who}")
