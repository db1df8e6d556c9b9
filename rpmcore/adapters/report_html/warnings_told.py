"""The warnings of all parts of the report, each told once."""

from typing import Any

from rpmcore.adapters.report_html.contents import RiskReport

SKIPPED = "mode_skipped"
"""Code of the warning that a crisis could not be made in a mode."""

WARNINGS_OF = (
    ("evaluation", "risk"), ("exposure", "exposures"), ("stress", "crises"), ("backtest", "model"),
    ("limits", "limits"), ("strategies", "strategies"),
)  # fmt: skip
"""Results that carry warnings, and how the page calls them."""


def warnings_told(report: RiskReport) -> tuple[tuple[str, str], ...]:
    """Return the warnings, each with the parts that it is of: in the words of the first part that gives it."""
    told: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for name, called in WARNINGS_OF:
        result: Any = getattr(report, name)
        for notice in () if result is None else result.warnings:
            if notice.code == SKIPPED:
                continue  # the crises tell it themselves
            of = parts.setdefault(notice.code, [])
            if called not in of:
                of.append(called)
            if of[0] == called:
                told.setdefault(notice.code, []).append(notice.message)
    return tuple((message, ", ".join(parts[code])) for code, messages in told.items() for message in messages)
