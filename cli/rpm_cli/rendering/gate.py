"""The state of a gate, at 80 columns and wider, and what became of an operator's word."""

from rich.console import Console
from rich.text import Text

from rpm_cli.rendering import limits
from rpm_cli.rendering import terminal as draw
from rpmcore.gate_status import DecisionLine, GateStatus, KillSwitchStatus, Use
from rpmcore.ledger_jobs import Obeyed

STATE_STYLE = {"active": "green", "reducing": "yellow", "halted": "bold red"}
SEVERITY_STYLE = {"none": "dim", "warning": "yellow", "throttle": "yellow", "halt": "bold red", "liquidate": "bold red"}
VERDICT_STYLE = {"approved": "green", "cut": "yellow", "rejected": "red"}
STATUS_STYLE = {"enabled": "green", "probation": "yellow", "disabled": "bold red"}
USES = {**limits.NAMES, "net_exposure": "Net"}

WARNS_FROM = 0.8
"""Share of a limit from which its bar is yellow."""


def show(found: GateStatus) -> None:
    """Print the state of a gate to stdout."""
    console = draw.console()
    wide = console.width >= draw.WIDE
    _header(console, found)
    _switches(console, found, every=False)
    _limits(console, found)
    _uses(console, found.uses)
    _positions(console, found, wide)
    _orders(console, found, wide)
    _strategies(console, found, wide)
    _decisions(console, found.decisions, wide)


def show_switches(found: GateStatus | KillSwitchStatus) -> None:
    """Print how the kill switches of a gate stand."""
    console = draw.console()
    draw.grid(console, (*_state(found), ("As of", f"{draw.moment(found.at)} UTC, the last command")))
    _switches(console, found, every=True)


def show_obeyed(done: Obeyed) -> None:
    """Print what became of an operator's word."""
    console = draw.console()
    what = " ".join(word for word in (done.action.replace("_", " "), done.value) if word)
    number = "" if done.sequence is None else f" as command {done.sequence}"
    console.print(
        Text(draw.printable(f"{what} of {done.scope} by {done.operator}: recorded by {done.by}{number}: {done.reason}"))
    )
    console.print(Text.assemble("Trading state: ", _styled(done.trading_state, STATE_STYLE)))


def show_reloaded(done: Obeyed) -> None:
    """Print what became of other settings."""
    console = draw.console()
    became = done.sequence_reason if done.sequence is None else f"recorded by {done.by} as command {done.sequence}"
    whose = f", by {done.operator}: {done.reason}" if done.operator else ""
    console.print(Text(draw.printable(f"Settings {done.value}: {became}{whose}")))
    console.print(Text.assemble("Trading state: ", _styled(done.trading_state, STATE_STYLE)))


def _styled(word: str, styles: dict[str, str]) -> Text:
    return Text(word.upper(), style=styles.get(word, ""))


def _state(found: GateStatus | KillSwitchStatus) -> list[tuple[str, str | Text]]:
    state = _styled(found.trading_state, STATE_STYLE)
    for why in (found.integrity, found.halted):
        if why:
            state.append(f" – {draw.printable(why)}", style="")
    held = "by nobody"
    if found.held_by is not None:
        held = draw.printable(f"by process {found.held_by.pid} on {found.held_by.host} since {found.held_by.since}")
    if found.pending:
        requests = "1 request of an operator waits" if found.pending == 1 else f"{found.pending} requests wait"
        held += f"; {requests}"
    return [("Trading", state), ("Held", held)]


def _header(console: Console, found: GateStatus) -> None:
    fall = f"peak {draw.amount(found.peak)}, drawdown {draw.percent(found.drawdown)}"
    draw.grid(
        console,
        (
            ("Ledger", draw.printable(f"{found.ledger} · {found.commands:,} commands, {found.records:,} records")),
            *_state(found),
            ("As of", f"{draw.moment(found.at)} UTC, the last command · last closes {found.last_bar or 'none'}"),
            ("Equity", f"{draw.amount(found.equity)} {found.currency} · {fall}"),
            ("Head", f"{found.head[:16]} · settings {found.config_digest[:12]}"),
        ),
    )


def _switches(console: Console, found: GateStatus | KillSwitchStatus, *, every: bool) -> None:
    draw.title(console, "Kill switches")
    table = draw.table()
    table.add_column("Scope", no_wrap=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for scope in found.scopes:
        if every or scope.scope == "account" or scope.severity != "none":
            why = "; ".join(scope.reasons) or "–"
            table.add_row(
                Text(draw.printable(scope.scope)), _styled(scope.severity, SEVERITY_STYLE), Text(draw.printable(why))
            )
    console.print(table)
    calm = sum(scope.severity == "none" for scope in found.scopes if scope.scope != "account")
    if calm and not every:
        console.print(Text("1 strategy is at NONE." if calm == 1 else f"{calm} strategies are at NONE.", style="dim"))


def _limits(console: Console, found: GateStatus) -> None:
    now = found.limits
    draw.title(console, f"Limits of the day: {now.regime}")
    steps = []
    for step in now.steps:
        factor = "" if step.name == "regime" else f" ×{step.multiplier:.3g}"
        missing = " (missing: taken at its worst)" if step.source == "missing" else ""
        pinned = " (pinned)" if step.source == "pinned" else ""
        steps.append(f"{step.verdict if step.name != 'stress' else 'stress ' + step.verdict}{factor}{missing}{pinned}")
    draw.grid(
        console,
        (
            ("Derivation", " → ".join(steps)),
            ("Allowed", f"risk a trade {draw.percent(now.risk_per_trade, 3)} · "
             f"gross {draw.percent(now.gross_exposure, 1)} · leverage {now.leverage:.2f}× · "
             f"correlation stress {draw.percent(now.correlation_stress, 0)}"),
        ),
    )  # fmt: skip


def _uses(console: Console, uses: tuple[Use, ...]) -> None:
    draw.title(console, "In use")
    table = draw.table()
    table.add_column("Limit", no_wrap=True)
    for heading in ("Observed", "Limit", "Used"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for use in uses:
        share = use.utilisation or 0.0
        style = "red" if share > 1.0 else "yellow" if share >= WARNS_FROM else "green"
        table.add_row(
            USES[use.name], limits.measured(use.name, use.observed), limits.measured(use.name, use.limit),
            draw.percent(use.utilisation, 0), draw.bar(share, 24, style),
        )  # fmt: skip
    console.print(table)
    for reason in dict.fromkeys(use.observed_reason for use in uses if use.observed is None and use.observed_reason):
        names = ", ".join(USES[use.name] for use in uses if use.observed is None and use.observed_reason == reason)
        console.print(Text(draw.printable(f"{names}: {reason}")))


def _positions(console: Console, found: GateStatus, wide: bool) -> None:
    if not found.positions:
        return
    draw.title(console, "Positions")
    table = draw.table()
    table.add_column("Symbol", no_wrap=True)
    table.add_column("Strategy", overflow="fold")
    table.add_column("Quantity", justify="right", no_wrap=True)
    if wide:
        table.add_column(f"Value, {found.currency}", justify="right", no_wrap=True)
    table.add_column("of equity", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    largest = max((abs(p.weight or 0.0) for p in found.positions), default=0.0)
    ordered = sorted(found.positions, key=lambda p: -abs(p.weight or 0.0))
    for position in ordered[: draw.MOST_POSITIONS]:
        cells: list[str | Text] = [
            Text(draw.printable(position.symbol)), Text(draw.printable(position.strategy_id)),
            draw.quantity(position.quantity),
        ]  # fmt: skip
        if wide:
            cells.append(draw.amount(position.value))
        cells += [
            draw.percent(position.weight),
            draw.signed_bar(position.weight or 0.0, largest, 16, left="", right=""),
        ]
        table.add_row(*cells)
    console.print(table)
    rest = len(ordered) - draw.MOST_POSITIONS
    if rest > 0:
        console.print(Text(f"and {rest} more; --json has them all", style="dim"))


def _orders(console: Console, found: GateStatus, wide: bool) -> None:
    draw.title(console, "Working orders")
    if not found.orders:
        console.print(Text("None.", style="dim"))
        return
    table = draw.table()
    table.add_column("Order", overflow="fold")
    if wide:
        table.add_column("Strategy", overflow="fold")
    for heading in ("Side", "Symbol", "State"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Quantity", "Filled"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("Expires, UTC", no_wrap=True)
    for order in found.orders:
        cells: list[str | Text] = [Text(draw.printable(order.order_id))]
        if wide:
            cells.append(Text(draw.printable(order.strategy_id)))
        cells += [
            order.side, Text(draw.printable(order.symbol)), order.state, draw.quantity(order.quantity),
            draw.quantity(order.filled),
        ]  # fmt: skip
        if wide:
            cells.append("never" if order.expires_at is None else draw.moment(order.expires_at))
        table.add_row(*cells)
    console.print(table)


def _strategies(console: Console, found: GateStatus, wide: bool) -> None:
    draw.title(console, "Strategies")
    table = draw.table()
    table.add_column("Strategy", overflow="fold")
    table.add_column("Status", no_wrap=True)
    table.add_column("Size ×", justify="right", no_wrap=True)
    table.add_column("Switch", no_wrap=True)
    if wide:
        table.add_column(f"Capital, {found.currency}", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for line in found.strategies:
        cells: list[str | Text] = [
            Text(draw.printable(line.strategy_id)), _styled(line.status, STATUS_STYLE), f"{line.multiplier:g}",
            _styled(line.severity, SEVERITY_STYLE),
        ]  # fmt: skip
        if wide:
            cells.append(draw.amount(line.capital))
        table.add_row(*cells, Text(draw.printable(line.reason)))
    console.print(table)


def _decisions(console: Console, decisions: tuple[DecisionLine, ...], wide: bool) -> None:
    draw.title(console, "Last decisions")
    if not decisions:
        console.print(Text("None.", style="dim"))
        return
    table = draw.table()
    table.add_column("", justify="right", no_wrap=True)
    if wide:
        table.add_column("Time, UTC", no_wrap=True)
        table.add_column("Strategy", overflow="fold")
    table.add_column("Order", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Approved", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for line in decisions:
        cells: list[str | Text] = [f"{line.sequence}"]
        if wide:
            cells += [draw.moment(line.at), Text(draw.printable(line.strategy_id))]
        cells += [
            Text(draw.printable(f"{line.side} {draw.quantity(line.requested)} {line.symbol}")),
            _styled(line.verdict, VERDICT_STYLE), draw.quantity(line.approved),
            Text(draw.printable(line.text)) if wide else Text(line.reason or line.binding or ""),
        ]  # fmt: skip
        table.add_row(*cells)
    console.print(table)
