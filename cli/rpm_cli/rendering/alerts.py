"""Alerts and channels as tables."""

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.adapters.alerts.alert import Alert, AlertSeverity
from rpmcore.alert_jobs import AlertsStatus, TestedChannel, written_time

STYLES = {
    AlertSeverity.INFO: "", AlertSeverity.WARNING: "yellow", AlertSeverity.CRITICAL: "bold red",
    AlertSeverity.EMERGENCY: "bold white on red",
}  # fmt: skip


def show(found: AlertsStatus) -> None:
    """Print an outbox to stdout."""
    console = draw.console()
    console.print(Text(f"Active alerts: {len(found.active)}", style="bold"))
    for alert in found.active:
        _show_alert(console, alert)
    if found.recent:
        draw.title(console, "Resolved last")
        table = draw.table()
        for heading in ("At", "Severity", "By"):
            table.add_column(heading, no_wrap=True)
        table.add_column("Alert", overflow="fold")
        for alert in found.recent:
            at = written_time(alert.resolved_at or 0)
            table.add_row(at, alert.severity.name, draw.printable(alert.resolved_by or ""), draw.printable(alert.title))
        console.print(table)
    if found.channels:
        draw.title(console, "Channels")
        table = draw.table()
        table.add_column("Channel", no_wrap=True)
        for heading in ("Waiting", "Delivered", "Given up"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("Last error of what was not delivered", overflow="fold")
        for channel in found.channels:
            counts = (channel.pending, channel.delivered, channel.failed)
            table.add_row(channel.channel, *(f"{count:,}" for count in counts), draw.printable(channel.error))
        console.print(table)


def show_test(tested: tuple[TestedChannel, ...]) -> None:
    """Print which channels took a test alert."""
    console = draw.console()
    for channel in tested:
        mark = Text("ok", style="green") if channel.arrived else Text("FAILED", style="bold red")
        console.print(Text.assemble(mark, f"  {channel.channel}  {channel.error}".rstrip()))


def _show_alert(console: Console, alert: Alert) -> None:
    times = f", {alert.count:,} times" if alert.count > 1 else ""
    taken = f", acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    console.print()
    console.print(
        Text.assemble(
            (alert.severity.name, STYLES[alert.severity]), f"  {draw.printable(alert.title)}  ", (alert.id, "dim")
        )
    )
    console.print(Text(draw.printable(f"since {written_time(alert.raised_at)}{times}{taken}"), style="dim"))
    for line in alert.text.splitlines():
        console.print(Text(draw.printable(line)))
    if alert.runbook:
        console.print(Text(f"Runbook: {draw.printable(alert.runbook)}", style="dim"))
