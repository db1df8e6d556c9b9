"""What each part of a screen shows of a state; all that others name is printed as text that a terminal cannot obey."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rpm_cli.rendering import gate
from rpm_cli.rendering import limits as names
from rpm_cli.rendering import terminal as draw
from rpmcore.adapters.service_client.feed import Seen

STATE_STYLE = {
    "active": "bold white on dark_green", "reducing": "bold black on yellow", "halted": "bold white on red3",
}  # fmt: skip
SIGNS = {"active": "●", "reducing": "▲", "halted": "■"}
MEANS = {
    "active": "new risk may be taken, within the limits",
    "reducing": "only orders that reduce risk are let through",
    "halted": "nothing is released until ledger and book were reconciled (rpm gate clear-integrity)",
}
SHORTEST_BAR, LONGEST_BAR = 6, 24
FIGURES = 42
"""Columns that the figures beside a bar take."""

ROOMY = 70
"""Width from which there is room for quantities."""


def banner(seen: Seen, state: dict[str, Any]) -> list[RenderableType]:
    """Return whether trading is on, why, and whether this is live."""
    trading = str(state.get("trading_state", "unknown"))
    sign = SIGNS.get(trading, "?")
    server = state.get("server") or {}
    line = Text()
    if seen.problem:
        line.append(f" {sign} WAS {trading.upper()} ", style="reverse dim")
    else:
        line.append(f" {sign} {trading.upper()} ", style=STATE_STYLE.get(trading, "reverse"))
        line.append(f"  {MEANS.get(trading, '')}")
    found: list[RenderableType] = [line]
    if seen.problem:
        since = "" if seen.since is None else f" since {seen.since:%H:%M:%S} UTC: what you see is {_age(seen.age)} old"
        found.insert(
            0, Text(draw.printable(f"CONNECTION LOST{since} – {seen.problem}; trying again"), style="bold reverse")
        )
    found += [Text(draw.printable(f"  {why}")) for why in reasons(state)]
    equity, fall = draw.amount(state.get("equity")), draw.percent(state.get("drawdown"))
    told = [
        f"{equity} {state.get('currency', '')}, {fall} below peak",
        f"state of {str(state.get('published_at', '–'))[11:19]} UTC, command {state.get('revision', 0):,}",
        str(server.get("ledger") or state.get("ledger", "")),
        *(["dry run"] if server.get("dry_run") else []),
        *([f"sample: {server['sample']}"] if server.get("sample") else []),
    ]
    found.append(Text(draw.printable(" · ".join(told)), style="dim", no_wrap=True, overflow="ellipsis"))
    return found


def reasons(state: dict[str, Any]) -> list[str]:
    """Return why trading is as it is, the account first."""
    found = [str(state[name]) for name in ("halted", "integrity") if state.get(name)]
    tripped = [one for one in state.get("scopes", ()) if one["severity"] != "none"]
    tripped.sort(key=lambda one: one["scope"] != "account")
    found += [f"{one['scope']}: {one['severity'].upper()} – {'; '.join(one['reasons'])}" for one in tripped]
    return found or ["No kill switch is tripped."]


def notices(state: dict[str, Any]) -> list[RenderableType]:
    """Return what somebody must act on."""
    server = state.get("server") or {}
    found = [f"not ready: {why}" for why in server.get("ready_reasons") or ()]
    if server.get("reload_problem"):
        found.append(f"the settings were not reloaded: {server['reload_problem']}")
    if state.get("pending"):
        found.append(f"{state['pending']} request(s) of an operator wait")
    return [Text(draw.printable(f"! {text}"), style="yellow") for text in found]


def limits_by_use(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the limits, the nearest first; what is not known comes before all."""
    return sorted(state.get("uses", ()), key=lambda use: (use["utilisation"] is not None, -(use["utilisation"] or 0.0)))


def _panel(name: str, *parts: RenderableType) -> RenderableType:
    return Group(Text(draw.printable(name), style="bold"), *parts)


def _table(*columns: tuple[str, str]) -> Table:
    table = draw.table()
    for heading, kind in columns:
        if kind == "number":
            table.add_column(heading, justify="right", no_wrap=True)
        elif kind == "name":
            table.add_column(heading)  # a table that is too wide takes from these first: a number that is cut is wrong
        elif kind == "text":
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, no_wrap=True, overflow="ellipsis")
    return table


def _styled(word: str, styles: dict[str, str]) -> Text:
    return Text(draw.printable(word.upper()), style=styles.get(word, ""))


def _name(text: str) -> Text:
    return Text(draw.printable(text), no_wrap=True, overflow="ellipsis")


def _bar_width(width: int) -> int:
    return min(max(width - FIGURES, SHORTEST_BAR), LONGEST_BAR)


def limits(state: dict[str, Any], width: int) -> RenderableType:
    """Return the limits as bars."""
    table = _table(("Limit", "word"), ("Observed", "number"), ("Limit", "number"), ("Used", "number"), ("", "word"))
    unknown = []
    for use in limits_by_use(state):
        share, name = use["utilisation"], str(use["name"])
        called = gate.USES.get(name, name)
        if share is None:
            unknown.append(f"{called}: {use.get('observed_reason') or use.get('utilisation_reason')}")
        style = "red" if share is None or share > 1.0 else "yellow" if share >= gate.WARNS_FROM else "green"
        table.add_row(
            Text(draw.printable(called)), names.measured(name, use["observed"]), names.measured(name, use["limit"]),
            draw.percent(share, 0), draw.bar(share or 0.0, _bar_width(width), style),
        )  # fmt: skip
    return _panel("Limits in use", table, *(Text(draw.printable(f"! {why}"), style="red") for why in unknown))


def regime(state: dict[str, Any]) -> RenderableType:
    """Return the regime, and how the limits follow from it."""
    now = state.get("limits") or {}
    steps = []
    for step in now.get("steps", ()):
        factor = "" if step["name"] == "regime" else f" ×{step['multiplier']:.3g}"
        source = f" ({step['source']})" if step["source"] in ("missing", "pinned", "given") else ""
        steps.append(f"{'stress ' if step['name'] == 'stress' else ''}{step['verdict']}{factor}{source}")
    name = (state.get("regime") or {}).get("name") or now.get("regime", "–")
    lines = [Text(draw.printable(" → ".join(steps)))]
    lines += [Text(draw.printable(step["note"]), style="dim") for step in now.get("steps", ()) if step["note"]]
    risk, gross = draw.percent(now.get("risk_per_trade"), 3), draw.percent(now.get("gross_exposure"), 1)
    lines.append(Text(f"risk a trade {risk} · gross {gross}"))
    return _panel(f"Regime: {name}", *lines)


def strategies(state: dict[str, Any], *, short: bool) -> RenderableType:
    """Return the account and the strategies, each with health and kill switch; `short` cuts the reasons to a line."""
    scopes = {one["scope"]: one for one in state.get("scopes", ())}
    table = _table(("Scope", "name"), ("Health", "word"), ("Size ×", "number"), ("Switch", "word"),
                   ("Why", "name" if short else "text"))  # fmt: skip
    told = _name if short else lambda text: Text(draw.printable(text))
    account = scopes.get("account", {"severity": "none", "reasons": []})
    table.add_row(
        "account", "–", "–", _styled(account["severity"], gate.SEVERITY_STYLE),
        told("; ".join(account["reasons"])),
    )  # fmt: skip
    for one in state.get("strategies", ()):
        why = [*scopes.get(one["strategy_id"], {"reasons": []})["reasons"], one["reason"]]
        table.add_row(
            _name(one["strategy_id"]), _styled(one["status"], gate.STATUS_STYLE),
            f"{one['multiplier']:.3g}", _styled(one["severity"], gate.SEVERITY_STYLE),
            told("; ".join(filter(None, why))),
        )  # fmt: skip
    return _panel("Strategies and kill switches", table)


def _rest(every: Sequence[Any], most: int, what: str) -> list[RenderableType]:
    left = len(every) - most
    return [Text(f"and {left} more {what}", style="dim")] if left > 0 else []


def decisions(state: dict[str, Any], most: int) -> RenderableType:
    """Return the last decisions, the newest first."""
    found = list(reversed(state.get("decisions", ())))
    if not found:
        return _panel("Last decisions", Text("Nothing was decided yet.", style="dim"))
    table = _table(("UTC", "word"), ("Asked", "text"), ("Verdict", "word"), ("Approved", "number"), ("Why", "text"))
    for one in found[:most]:
        table.add_row(
            draw.moment(one["at"])[11:],
            Text(draw.printable(f"{one['side']} {draw.quantity(one['requested'])} {one['symbol']}")),
            _styled(one["verdict"], gate.VERDICT_STYLE), draw.quantity(one["approved"]),
            Text(draw.printable(str(one["reason"] or one["binding"] or "").replace("_", " "))),
        )  # fmt: skip
    return _panel("Last decisions", table, *_rest(found, most, "are in the ledger"))


def book(state: dict[str, Any], width: int, most: int) -> RenderableType:
    """Return the positions by their part in the risk."""
    found = sorted(state.get("positions", ()), key=lambda one: -abs(one.get("share") or one["weight"] or 0.0))
    if not found:
        return _panel("Book", Text("Nothing is held.", style="dim"))
    roomy = width >= ROOMY
    picture = "− hedges │ adds +" if roomy else ""
    table = _table(("Symbol", "name"), ("Strategy", "name"), *([("Quantity", "number")] if roomy else []),
                   ("Weight", "number"), ("Risk", "number"), (picture, "word"))  # fmt: skip
    scale = max(abs(one.get("share") or 0.0) for one in found)
    for one in found[:most]:
        share = one.get("share")
        table.add_row(
            _name(one["symbol"]), _name(one["strategy_id"]),
            *([draw.quantity(one["quantity"])] if roomy else []), draw.percent(one["weight"]), draw.percent(share, 1),
            draw.signed_bar(share or 0.0, scale, _bar_width(width) // 2 * 2),
        )  # fmt: skip
    why = next((one.get("share_reason") for one in found if one.get("share") is None), None)
    unknown = [Text(draw.printable(f"! no risk share: {why}"), style="red")] if why else []
    return _panel("Book", table, *_rest(found, most, "positions"), *unknown)


def orders(state: dict[str, Any], most: int) -> RenderableType:
    """Return the orders that may still be filled."""
    found = state.get("orders", ())
    if not found:
        return _panel("Working orders", Text("None.", style="dim"))
    table = _table(("Order", "text"), ("Asked", "text"), ("State", "word"), ("Filled", "number"))
    for one in found[:most]:
        asked = f"{one['side']} {draw.quantity(one['quantity'])} {one['symbol']}"
        table.add_row(
            Text(draw.printable(one["order_id"])),
            Text(draw.printable(asked)),
            one["state"],
            draw.quantity(one["filled"]),
        )
    return _panel("Working orders", table, *_rest(found, most, "orders"))


def stress(seen: Seen, width: int) -> RenderableType:
    """Return the crises by their loss."""
    if seen.stress is None:
        return _panel("If a crisis came now", Text(draw.printable(f"Not computed: {seen.stress_problem}"), style="dim"))
    found = sorted(seen.stress.get("scenarios", ()), key=lambda one: -one["loss"])
    table = _table(("Crisis", "text"), ("Loss", "number"), ("Verdict", "word"), ("", "word"))
    scale = max((one["loss"] for one in found), default=0.0)
    for one in found:
        passed, share = one["passed"], one["loss"] / scale if scale > 0.0 else 0.0
        table.add_row(
            Text(draw.printable(str(one.get("title") or one["name"]))), draw.percent(one["loss"]),
            Text("PASSED" if passed else "FAILED", style="green" if passed else "bold red"),
            draw.bar(min(share, 1.0), _bar_width(width) // 2, "green" if passed else "red"),
        )  # fmt: skip
    return _panel("If a crisis came now", table)


def timing(state: dict[str, Any]) -> RenderableType:
    """Return how long decisions take."""
    times = state.get("decision_time_ms") or {"n": 0}
    if not times.get("n"):
        return _panel("Decision time", Text("This server has decided nothing yet.", style="dim"))
    told = " · ".join(f"{name} {times[name]:.2f} ms" for name in ("median", "p95", "p99", "maximum"))
    return _panel("Decision time", Text(f"{told} (last {times['n']:,})"))


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{seconds / 60.0:.0f} min"
