"""A crisis day by day as tables: what was lost with and without a system, and which of its controls acted when."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpmcore.risk.stress.path import PathResult
from rpmcore.risk.stress.path_study import CrisisPaths
from rpmcore.risk.stress.system import Action

CHART_HEIGHT = 8

MOST_DAYS = 30
"""Days on which controls acted that are listed; JSON has them all."""


def show_path(console: Console, paths: CrisisPaths) -> None:
    """Print one crisis: the paths, and the one that stands at the quantile."""
    path = paths.path
    console.print()
    law = "normal" if path.dof is None else f"Student-t ν={path.dof:g}"
    console.print(
        Text(
            f"{path.title}: {path.duration_days} day(s), {law} shocks, seed {path.seed}, "
            f"market {path.market_return:+.1%}",
            style="bold",
        )
    )
    alone = paths.paths_of == "unmanaged"
    stands = path.unmanaged_loss if alone else paths.loss
    console.print(
        f"{paths.n_paths} paths{' of the book left alone' if alone else ''}: {paths.quantile:.0%} lose no more than "
        f"{draw.percent(stands)}, half no more than {draw.percent(paths.median_loss)}, the worst "
        f"{draw.percent(paths.worst_loss)}; {paths.share_passed:.0%} pass"
    )
    told = f", carried through under the {path.system}" if alone else ""
    console.print(f"Path {path.path}, which stands there{told}:")
    if path.system != "unmanaged":
        console.print(
            f"With {path.system} {draw.percent(path.loss)}, without {draw.percent(path.unmanaged_loss)}: "
            f"{draw.percent(path.loss_avoided)} avoided"
        )
        _who_acted(console, path)
    fall(console, [1.0 - day.equity for day in path.days], "day 1", f"day {len(path.days)}")


def _who_acted(console: Console, path: PathResult) -> None:
    """Print each day on which a control acted, with equity before and after, and the reasons."""
    days = [day for day in path.days if day.actions]
    if not days:
        console.print("No control acted")
        return
    table = draw.table()
    table.add_column("Day", justify="right", no_wrap=True)
    for heading in ("Without", "With", "Ahead"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Control, and why", overflow="fold")
    for day in days[:MOST_DAYS]:
        cells: list[Text | str] = [str(day.day), draw.percent(day.unmanaged_equity), draw.percent(day.equity)]
        cells.append(draw.percent(day.equity - day.unmanaged_equity))
        told = Text()
        for action in day.actions:
            told.append("\n" if told else "")
            told.append(draw.printable(_control(action)), style="bold red" if _stops(action) else "bold")
            told.append(draw.printable(f": {action.reason}"))
        table.add_row(*cells, told)
    console.print(table)
    rest = len(days) - MOST_DAYS
    if rest > 0:
        console.print(f"and {rest} more day(s); --json has them all")


def show_first_actions(console: Console, crises: Sequence[CrisisPaths]) -> None:
    """Print a line for each crisis under a system: what it avoided, and which control acted first."""
    managed = [paths.path for paths in crises if paths.path.system != "unmanaged"]
    if not managed:
        return
    system = managed[0].system
    draw.title(
        console, f"What {'the gate' if system == 'gate' else system} did, on the path that stands at the quantile"
    )
    table = draw.table()
    table.add_column("Scenario", no_wrap=True, overflow="ellipsis", max_width=20)
    for heading in ("Without", "With", "Avoided", "Day"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Control, and why", overflow="fold")
    for path in managed:
        firsts = _firsts(path)
        for i, (day, action) in enumerate(firsts or [(None, None)]):
            losses = (path.unmanaged_loss, path.loss, path.loss_avoided)
            cells: list[Text | str] = [Text(draw.printable(path.name)), *(draw.percent(loss) for loss in losses)]
            told = Text("no control acted")
            if action is not None:
                told = Text(draw.printable(_control(action)), style="bold red" if _stops(action) else "bold")
                told.append(draw.printable(f": {action.reason}"), style="not bold default")
            table.add_row(*(cells if i == 0 else ["", "", "", ""]), "–" if day is None else str(day), told)
    console.print(table)


def _firsts(path: PathResult) -> list[tuple[int, Action]]:
    """Return the first time that each control acted, in the order of time."""
    found: dict[str, tuple[int, Action]] = {}
    for day in path.days:
        for action in day.actions:
            found.setdefault(action.control, (day.day, action))
    return list(found.values())


def _control(action: Action) -> str:
    return action.control.replace("_", " ").replace(":", " ")


def _stops(action: Action) -> bool:
    return action.control.startswith("kill_switch")


def fall(console: Console, losses: Sequence[float], first: str, last: str) -> None:
    """Draw a path of losses as columns that hang from the capital at the start."""
    width = min(console.width - 8, len(losses), 100)
    n = len(losses)
    deepest = [max(losses[i * n // width : (i + 1) * n // width]) for i in range(width)]
    bottom = max(deepest)
    if bottom <= 0.0:
        return
    console.print()
    for level in range(1, CHART_HEIGHT + 1):
        label = f"-{bottom * level / CHART_HEIGHT:.1%}" if level in (CHART_HEIGHT // 2, CHART_HEIGHT) else ""
        line = "".join("█" if loss / bottom * CHART_HEIGHT > level - 0.5 else " " for loss in deepest)
        console.print(Text(f"{label:>7} ").append(line, style="red"))
    console.print(f"{'':>8}{first}{last:>{max(width - len(first), len(last) + 1)}}")
