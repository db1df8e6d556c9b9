"""A report in a notebook: the answer in a sentence, a few short tables, what to be careful about.

Colours come from the page, so that it can be read on a light and on a dark one; nothing is loaded from anywhere.
"""

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from rpmcore.domain.report import Shown, amount, percent
from rpmcore.domain.report_tables import Row, tables_of

if TYPE_CHECKING:
    from rpmcore.domain.report import Report

SHORT = 22
"""Letters that stay on one line."""

LONGEST = 200
"""Letters of a cell that are shown; all are in `Report.to_dict`."""

WARNINGS = 4
"""Warnings that are shown; all are in `Report.to_dict`."""

FRACTIONS = frozenset({
    "weight", "share", "utilisation", "volatility", "value_at_risk", "expected_shortfall", "component_var",
    "confidence", "loss", "unmanaged_loss", "holding_return", "rate", "net", "gross", "fraction",
    "rejected_share", "passed_share", "drawdown", "false_halt", "market_shock", "risk_per_trade",
})  # fmt: skip
"""Columns that are shown in per cent."""

MONEY = frozenset({
    "market_value", "value", "loss_money", "value_at_risk_money", "expected_shortfall_money", "capital", "equity",
    "pnl", "money", "requested_value", "approved_value",
})  # fmt: skip
"""Columns of money, shown without decimals."""

GOOD = frozenset(["ok", "pass", "passed", "approved", "enabled", "green", "identical", "active"])
POOR = frozenset(["warning", "cut", "probation", "yellow", "throttle", "reduced", "reducing"])
BAD = frozenset(["breach", "fail", "failed", "reject", "rejected", "disabled", "red", "halt", "halted", "liquidate"])

STYLE = (
    ".rpm{font:13px/1.45 system-ui,sans-serif;max-width:60rem}"
    ".rpm p{margin:.2em 0 .7em}.rpm .rpm-name{opacity:.65;margin:0}"
    ".rpm table{border-collapse:collapse;margin:.2em 0 1em;font-size:12px}"
    ".rpm caption{text-align:left;font-weight:600;padding:.2em 0;caption-side:top;color:inherit}"
    ".rpm th,.rpm td{padding:.2em .9em .2em 0;text-align:left;vertical-align:top;background:none;border:0;"
    "border-bottom:1px solid rgba(128,128,128,.25);max-width:26em;overflow-wrap:break-word;white-space:normal}"
    ".rpm th{font-weight:500;opacity:.65}"
    ".rpm .rpm-n{text-align:right;font-variant-numeric:tabular-nums}"
    ".rpm td.rpm-n,.rpm td.rpm-s{white-space:nowrap}.rpm div{overflow-x:auto}"
    ".rpm b.rpm-good,.rpm b.rpm-poor,.rpm b.rpm-bad{font-weight:600;border-radius:3px;padding:0 .4em}"
    ".rpm b.rpm-good{background:rgba(46,160,67,.22)}.rpm b.rpm-poor{background:rgba(210,153,34,.28)}"
    ".rpm b.rpm-bad{background:rgba(229,72,77,.32)}"
    ".rpm ul{margin:.2em 0 .6em;padding-left:1.2em}.rpm small{opacity:.65}"
)


def html_of(report: "Report") -> str:
    """Return the HTML of a report; all text in it is escaped."""
    found = tables_of(report)
    parts = [f"<p class='rpm-name'>{escape(report.SCHEMA.partition('/')[0].replace('.', ' ').replace('_', ' '))}</p>"]
    parts.append(f"<p>{escape(report.headline())}</p>")
    filled = (shown for shown in report.SHOWN if shown.table in found and found[shown.table].rows)
    parts.extend(_table(shown, found[shown.table].rows) for shown in filled)
    if "warnings" in found:
        parts.append(_warnings(found["warnings"].rows))
    if found:
        names = escape(", ".join(found))
        parts.append(f"<small>to_dict() · to_arrow(…): {names}</small>")
    return f"<div class='rpm'><style>{STYLE}</style>{''.join(parts)}</div>"


def _table(shown: Shown, rows: list[Row]) -> str:
    columns = [name for name in shown.columns if any(_told(name, row) for row in rows)]
    numeric = {
        name for name in columns
        if all(type(row.get(name)) in (int, float, type(None)) for row in rows) and not _is_time(name)
    }  # fmt: skip
    heads = "".join(_head(name, name in numeric) for name in columns)
    body = "".join(
        f"<tr>{''.join(_cell(name, row, name in numeric) for name in columns)}</tr>" for row in rows[: shown.rows]
    )
    rest = len(rows) - shown.rows
    more = f"<p><small>and {rest:,} more: to_arrow({escape(repr(shown.table))})</small></p>" if rest > 0 else ""
    head = f"<caption>{escape(shown.title)}</caption><thead><tr>{heads}</tr></thead>"
    return f"<div><table>{head}<tbody>{body}</tbody></table></div>{more}"


def _told(name: str, row: Row) -> bool:
    """Return whether a row has something to say under a heading, if only why it has no value."""
    return row.get(name) is not None or bool(row.get(f"{name}_reason"))


def _head(name: str, numeric: bool) -> str:
    text = escape(name.rpartition(".")[2].replace("_", " "))
    return f"<th class='rpm-n'>{text}</th>" if numeric else f"<th>{text}</th>"


def _cell(name: str, row: Row, numeric: bool) -> str:
    """Return a cell: numbers stand at the right, and short words are not broken."""
    value = row.get(name)
    text = "–" if value is None else _written(name, value)
    mark, reason = _mark(name, value), row.get(f"{name}_reason") if value is None else None
    inside = f"<b class='rpm-{mark}'>{escape(text)}</b>" if mark else escape(text)
    look = " class='rpm-n'" if numeric else " class='rpm-s'" if len(text) <= SHORT else ""
    why = f" title='{escape(str(reason))}'" if reason else ""
    return f"<td{look}{why}>{inside}</td>"


def _written(name: str, value: Any) -> str:
    last = name.rpartition(".")[2]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_written(name, one) for one in value)
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if _is_time(last):
        return datetime.fromtimestamp(value // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if last == "confidence":
        return f"{100.0 * value:.4g}%"
    if last in FRACTIONS:
        return percent(value)
    if last in MONEY:
        return amount(value)
    if last.endswith("_pct"):
        return f"{value:.2f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _is_time(name: str) -> bool:
    return name == "at" or name.endswith("_at")


def _mark(name: str, value: Any) -> str:
    """Return how a verdict is coloured; empty for what is none."""
    last = name.rpartition(".")[2]
    if last in ("passed", "ok", "enabled", "arrived") and isinstance(value, bool):
        return "good" if value else "bad"
    if last not in ("status", "verdict", "zone", "severity", "recorded_verdict") or not isinstance(value, str):
        return ""
    word = value.casefold()
    return "good" if word in GOOD else "poor" if word in POOR else "bad" if word in BAD else ""


def _warnings(rows: list[Row]) -> str:
    if not rows:
        return ""
    items = "".join(f"<li>{escape(str(row.get('message', row.get('text', ''))))}</li>" for row in rows[:WARNINGS])
    rest = len(rows) - WARNINGS
    more = f"<li><small>and {rest} more in to_dict()['warnings']</small></li>" if rest > 0 else ""
    return f"<p class='rpm-name'>Note</p><ul>{items}{more}</ul>"
