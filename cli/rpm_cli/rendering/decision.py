"""A decision: the verdict, and every check behind it."""

from decimal import ROUND_DOWN, Decimal
from math import floor

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import terminal as draw
from rpm_cli.rendering.gate import VERDICT_STYLE
from rpmcore.domain.decisions import CheckResult, Decision

CHECK_STYLE = {"pass": "green", "cut": "yellow", "reject": "bold red"}

WITH_TEXT = 112
"""Width from which there is room to say what a check measures."""

SHARES = frozenset(
    {
        "gross_exposure", "net_exposure", "single_name", "sector", "currency", "risk_per_trade", "volatility",
        "volatility_target", "value_at_risk", "expected_shortfall", "price_collar", "order_value", "liquidity",
    }
)  # fmt: skip
"""Checks whose measure is a fraction; the others count, or are sums of their own."""


def show(decision: Decision, *, recorded: bool) -> None:
    """Print a decision to stdout."""
    console = draw.console()
    _header(console, decision, recorded)
    _checks(console, decision)


def _header(console: Console, decision: Decision, recorded: bool) -> None:
    signal = decision.signal
    verdict = Text(decision.verdict.upper(), style=VERDICT_STYLE[decision.verdict])
    verdict.append(f" – {draw.printable(decision.text)}" if decision.verdict != "approved" else "", style="")
    size = f"{draw.quantity(decision.approved)} of {draw.quantity(decision.requested)} asked"
    if decision.reducing:
        size += f"; {draw.quantity(decision.reducing)} of it only reduces"
    prices = [f"entry {signal.entry:g}"]
    prices += [f"{name} {value:g}" for name, value in (("stop", signal.stop), ("target", signal.target)) if value]
    rows: list[tuple[str, str | Text]] = [
        ("Verdict", verdict),
        ("Order", draw.printable(f"{signal.side} {signal.symbol} for {signal.strategy_id} · {', '.join(prices)}")),
        ("Size", size),
    ]
    if decision.binding is not None:
        rows.append(("Bound by", decision.binding))
    rows.append(("Adds", _incremental(decision)))
    at = f"{draw.moment(decision.at)} UTC"
    if not recorded:
        rows.append(("Recorded", f"nothing: what if, at {at}"))
    else:
        until = "" if decision.expires_at is None else f", to be released before {draw.moment(decision.expires_at)}"
        rows.append(("Recorded", f"as command {decision.sequence} at {at}{until}"))
    rows.append(("Signal", draw.printable(f"{signal.signal_id} · settings {decision.config_digest[:12]}")))
    draw.grid(console, rows)


def _incremental(decision: Decision) -> str:
    added = decision.incremental
    if added is None:
        return f"– ({draw.printable(decision.incremental_reason)})"
    return (
        f"volatility {_signed(added.volatility)} a year · VaR {_signed(added.value_at_risk)} · "
        f"CVaR {_signed(added.expected_shortfall)} a day, of equity"
    )


def _signed(value: float) -> str:
    return f"{round(value, 5) + 0.0:+.3%}"


def _checks(console: Console, decision: Decision) -> None:
    draw.title(console, "Checks")
    shown = [check for check in decision.checks if not _in_short(check)]
    if shown:
        console.print(_table(console.width, shown, decision.binding))
    texts = {
        "pass": "Passed", "exempt": "Not held against what only reduces",
        "skipped": "Not asked, as another check had the answer or there is nothing to ask",
    }  # fmt: skip
    for status, text in texts.items():
        names = [check.name for check in decision.checks if _in_short(check) and check.status == status]
        if names:
            console.print(Text(f"{text}: {', '.join(names)}", style="dim"))


def _in_short(check: CheckResult) -> bool:
    return check.status in ("exempt", "skipped") or (check.status == "pass" and check.observed is None)


def _table(width: int, checks: list[CheckResult], binding: str | None) -> Table:
    """Return the checks with a bar from `draw.MEDIUM` columns on, and with what they measure from `WITH_TEXT` on."""
    table, bar_width = draw.table(), 14 if width >= draw.WIDE else 8 if width >= draw.MEDIUM else 0
    table.add_column("Check", no_wrap=bar_width > 0, overflow="fold")
    table.add_column("", no_wrap=True)
    for heading in ("Observed", "Limit", "Used"):
        table.add_column(heading, justify="right", no_wrap=True)
    if bar_width:
        table.add_column("", no_wrap=True)
    table.add_column("Passes up to", justify="right", no_wrap=True)
    if width >= WITH_TEXT:
        table.add_column("Measured by", overflow="fold")
    for check in checks:
        style = CHECK_STYLE[check.status]
        cells: list[str | Text] = [
            Text(check.name, style="bold" if check.name == binding else ""), Text(check.status, style=style),
            _value(check, check.observed), _value(check, check.limit), draw.percent(check.utilisation, 0),
        ]  # fmt: skip
        if bar_width:
            cells.append(draw.bar(check.utilisation or 0.0, bar_width, style))
        cells.append("any size" if check.largest_passing is None else _passing(check.largest_passing))
        if width >= WITH_TEXT:
            cells.append(Text(draw.printable(check.text)))
        table.add_row(*cells)
    return table


def _passing(quantity: float) -> str:
    """Return a size cut after a whole unit, or four decimals below a thousand: what is read as passing must pass."""
    if quantity >= 1000.0:
        return f"{floor(quantity):,}"
    cut = Decimal(repr(quantity)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
    return draw.quantity(float(cut))


def _value(check: CheckResult, value: float | None) -> str:
    if value is None:
        return "–"
    if check.name in SHARES:
        return draw.percent(value)
    return draw.amount(value) if abs(value) >= 1000.0 else f"{value:.4g}"
