"""Write the table of all settings into settings.md, so that documentation and code cannot drift apart."""

import sys
from pathlib import Path

from rpmcore.risk.settings import RiskSettings

MARK = "<!-- settings:start -->\n"


def table() -> str:
    """Return a section for each section of the configuration, with a row for each setting."""
    lines = []
    for section, field in RiskSettings.model_fields.items():
        model = field.annotation
        if not isinstance(model, type):
            raise TypeError(f"{section} is no section: {model}")
        lines += [
            f"\n## `{section}`\n",
            f"{model.__doc__}\n",
            "| setting | default | unit | what it does |",
            "|---|---|---|---|",
        ]
        for name, setting in model.model_fields.items():
            unit = setting.json_schema_extra["unit"]
            default = "null" if setting.default is None else str(setting.default)
            lines.append(f"| `{name}` | {default} | {unit} | {setting.description} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrite the page, or with ``--check`` exit with 1 if it is not what the code says."""
    page = Path(__file__).with_name("settings.md")
    head = page.read_text(encoding="utf-8").partition(MARK)[0]
    wanted = head + MARK + table()
    if "--check" in sys.argv:
        raise SystemExit(page.read_text(encoding="utf-8") != wanted)
    page.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
