"""The crisis library as tables."""

from collections.abc import Sequence

from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.domain.crises import Crisis


def show_library(crises: Sequence[Crisis]) -> None:
    """Print a line per crisis."""
    console = draw.console()
    table = draw.table()
    table.add_column("Name", no_wrap=True)
    if console.width >= draw.WIDE:
        table.add_column("What happened", overflow="fold")
    for heading in ("Shock", "Vol.", "Corr.", "Spread", "Volume", "Gap", "Days"):
        table.add_column(heading, justify="right", no_wrap=True)
    for crisis in crises:
        title: list[Text | str] = [crisis.title] if console.width >= draw.WIDE else []
        table.add_row(
            crisis.name,
            *title,
            f"{crisis.market_shock:+.1%}",
            f"{crisis.volatility_multiplier:g}×",
            "–" if crisis.correlation is None else f"{crisis.correlation:.0%}",
            f"{crisis.spread_multiplier:g}×",
            f"−{crisis.volume_reduction:.0%}" if crisis.volume_reduction else "–",
            "–" if crisis.gap is None else f"{crisis.gap.size:.0%}",
            str(crisis.duration_days),
        )
    console.print(table)


def show_crisis(crisis: Crisis) -> None:
    """Print one crisis in full, each parameter with its source."""
    console = draw.console()
    console.print(Text(f"{crisis.title} ({crisis.name})", style="bold"))
    console.print(f"{crisis.window.start} to {crisis.window.end}")
    console.print(Text(crisis.description))
    console.print()
    table = draw.table()
    for heading in ("Parameter", "Value", "Source"):
        table.add_column(heading, overflow="fold")
    for key, value in crisis.parameters.items():
        table.add_row(key, "none" if value is None else str(value), crisis.sources[key])
    console.print(table)
