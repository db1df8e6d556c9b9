"""Settings as aligned text. Rich is left out: it would take as long to load as everything else of ``rpm config``."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

from rpmcore.adapters.configuration.commented import in_yaml
from rpmcore.adapters.configuration.loading import Configuration
from rpmcore.configuration_jobs import Comparison, Explanation, SettingView, Validation

PIPE_WIDTH = 120
LONGEST_VALUE = 34


def show_settings(views: Sequence[SettingView], loaded: Configuration, *, origins: bool) -> None:
    """Print every setting, section by section; ``*`` marks what differs from its default."""
    files = ", ".join(map(str, loaded.files)) or "no file"
    _line(f"Settings {loaded.settings.digest[:12]} · {loaded.environment or 'no environment'} · {files}")
    section = None
    for view in views:
        head, _, name = view.key.rpartition(".")
        if head != section:
            _line(f"\n{head}")
            section = head
        changed = "*" if view.value != view.default else " "
        value = _cut(in_yaml(view.value), LONGEST_VALUE)
        _line(f"{changed} {name:<24} {value:<{LONGEST_VALUE}} {view.origin if origins else view.unit}".rstrip())


def show_explanation(found: Explanation) -> None:
    """Print one setting in full."""
    view = found.setting
    rows = [
        ("value", in_yaml(view.value)), ("from", view.origin), ("does", view.description), ("unit", view.unit),
        ("range", view.range), ("default", in_yaml(view.default)),
        ("tightens", found.tightens or "no part of a control"),
        ("variable", found.variable),
    ]  # fmt: skip
    if len(found.layers) > 2:
        rows.append(("layers", " < ".join(f"{in_yaml(value)} ({origin})" for origin, value in found.layers)))
    _line(view.key)
    for name, text in rows:
        lead = f"  {name:<9} "
        _line(textwrap.fill(text, width=_width(), initial_indent=lead, subsequent_indent=" " * len(lead)))


def show_validations(found: Sequence[Validation]) -> None:
    """Print each file with its verdict, and what is wrong."""
    for check in found:
        verdict = f"sound, {check.digest[:12]}" if check.digest is not None else "NOT SOUND"
        _line(f"{' + '.join(check.files)}: {verdict}")
        for line in (*check.problems, *check.warnings):
            _line(textwrap.fill(line, width=_width(), initial_indent="  ", subsequent_indent="    "))


def show_comparison(found: Comparison) -> None:
    """Print what differs, a setting a row."""
    _line(f"{found.a} {found.a_digest[:12]} → {found.b} {found.b_digest[:12]}")
    if not found.differences:
        _line("No setting differs.")
        return
    rows = [("setting", found.a, found.b, "control")]
    rows += [
        (d.key, _cut(in_yaml(d.a), LONGEST_VALUE), _cut(in_yaml(d.b), LONGEST_VALUE),
         {"tightens": "tightens", "loosens": "LOOSENS", "unknown": "not known", "none": "–"}[d.effect])
        for d in found.differences
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        _line("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _line(text: str) -> None:
    sys.stdout.write("".join(c if c.isprintable() or c == "\n" else "�" for c in text) + "\n")
