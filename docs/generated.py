"""Write what the documents quote from the program, so that neither can drift from the other.

python docs/generated.py            rewrites settings, metrics, health, the help of commands, and output that pages show
python docs/generated.py --check    exits with 1 and names what is not up to date
"""

import json
import re
import sys
import tempfile
from functools import partial
from pathlib import Path

import cli_reference
import health_figure
import shown_output
import terminal_figure

from rpmcore import configuration_jobs
from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.metrics.catalogue import METRICS
from rpmcore.decision.checks.table import CHECKS
from rpmcore.domain.orders import ORDER_STATES
from rpmcore.domain.reasons import REASONS
from rpmcore.domain.settings import Section

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("| setting | default | unit | what it does |", "|---|---|---|---|")


def settings_page(text: str) -> str:
    """Return the page with a table for each section of the configuration."""
    mark = "<!-- settings:start -->\n"
    lines: list[str] = []
    for section, field in Settings.model_fields.items():
        lines += _tables(section, field.annotation)
    return text.partition(mark)[0] + mark + "\n".join(lines) + "\n"


def _tables(name: str, model: object) -> list[str]:
    """Return the heading and the table of a section, and of the sections within it."""
    if not (isinstance(model, type) and issubclass(model, Section)):
        raise TypeError(f"{name} is no section: {model}")
    lines, rows, within = [f"\n## `{name}`\n", f"{model.__doc__.splitlines()[0]}\n"], [], []
    for key, setting in model.model_fields.items():
        if isinstance(setting.default, Section):
            within += _tables(f"{name}.{key}", setting.annotation)
            continue
        unit = setting.json_schema_extra["unit"]
        default = "null" if setting.default is None else str(setting.default)
        rows.append(f"| `{key}` | {default} | {unit} | {setting.description} |")
    return lines + ([*HEAD, *rows] if rows else []) + within


def getting_started(text: str) -> str:
    """Return the page with what its session prints now."""
    with tempfile.TemporaryDirectory() as folder:
        return shown_output.with_session(text, Path(folder))


def operations(text: str) -> str:
    """Return the page with what backup and restore print now, on the ledger of Getting started."""
    with tempfile.TemporaryDirectory() as folder:
        return shown_output.with_session(text, Path(folder), before=shown_output.ledger_steps())


def strategies_page(text: str) -> str:
    """Return the page with the table of the mappings that the health of a strategy is made of."""
    table = "\n".join(health_figure.table())
    block = f"<!-- mappings -->\n{table}\n\n"
    return re.sub(r"<!-- mappings -->\n(\|.*\n)*\n", lambda _: block, text)


def gate_page(text: str) -> str:
    """Return the page with the tables of checks, of reasons and of the states of an order."""
    checks = ["| | check | asks | stops what only reduces |", "|---|---|---|---|"]
    for number, check in enumerate(CHECKS, 1):
        told = _cell(str(check.ask.__doc__).splitlines()[0])
        checks.append(f"| {number} | `{check.reason.value}` | {told} | {'yes' if check.binds_reducing else ''} |")
    reasons = ["| reason | FIX | counts as | means |", "|---|---|---|---|"]
    for reason, said in REASONS.items():
        counts = said.cause.value.replace("_", " ")
        reasons.append(f"| `{reason.value}` | {said.fix} | {counts} | {_cell(said.text)} |")
    orders = ["| from | step | to |", "|---|---|---|"]
    for (state, step), after in ORDER_STATES.items():
        orders.append(f"| {state.name} | {step.value.replace('_', ' ')} | {after.name} |")
    for name, rows in (("checks", checks), ("reasons", reasons), ("orders", orders)):
        block = f"<!-- {name} -->\n{chr(10).join(rows)}\n\n"
        text = re.sub(rf"<!-- {name} -->\n(\|.*\n)*\n", lambda _, new=block: new, text)
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def observability_page(text: str) -> str:
    """Return the page with the table of all metrics."""
    rows = ["| metric | kind | labels | what it tells |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{name}`" for name in metric.labels)
        told = metric.help.replace("|", r"\|")
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {told} |")
    block = "<!-- metrics -->\n" + "\n".join(rows) + "\n\n"
    return re.sub(r"<!-- metrics -->\n(\|.*\n)*\n", lambda _: block, text)


def schema_file(_: str) -> str:
    """Return the JSON schema of settings files, for editors."""
    return json.dumps(configuration_jobs.json_schema(), indent=2, ensure_ascii=False) + "\n"


def health_drawing(_: str) -> str:
    """Return the drawing of the mappings."""
    return health_figure.figure()


def terminal_drawing(_: str) -> str:
    """Return the drawing of a terminal for the README."""
    return terminal_figure.figure()


def main() -> None:
    """Rewrite the documents, or check them."""
    stale = []
    docs = ROOT / "docs"
    for page, generate in (
        (docs / "settings.md", settings_page),
        (docs / "strategies.md", strategies_page),
        (docs / "gate.md", gate_page),
        (docs / "health.svg", health_drawing),
        (docs / "terminal.svg", terminal_drawing),
        (docs / "observability.md", observability_page),
        (docs / "cli.md", cli_reference.page),
        (docs / "getting-started.md", getting_started),
        (docs / "operations.md", operations),
        (docs / "sizing.md", shown_output.with_output),
        (ROOT / "README.md", partial(shown_output.with_output, width=shown_output.WIDE)),
        (ROOT / "rpmcore" / "reference" / "rpm.schema.json", schema_file),
    ):
        text = page.read_text(encoding="utf-8")
        wanted = generate(text)
        if text != wanted:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(wanted, encoding="utf-8")
    if "--check" in sys.argv and stale:
        raise SystemExit(f"not up to date, run python docs/generated.py: {', '.join(stale)}")


if __name__ == "__main__":
    main()
