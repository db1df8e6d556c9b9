"""Write what the documents quote from the program, so that neither can drift from the other.

python docs/generated.py            rewrites the table of settings and the output in the README
python docs/generated.py --check    exits with 1 and names what is not up to date
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from rpmcore.risk.settings import RiskSettings

ROOT = Path(__file__).resolve().parent.parent
README_WIDTH = "100"


def settings_page(text: str) -> str:
    """Return the page with a table for each section of the configuration."""
    mark = "<!-- settings:start -->\n"
    lines = []
    for section, field in RiskSettings.model_fields.items():
        model = field.annotation
        if not isinstance(model, type):
            raise TypeError(f"{section} is no section: {model}")
        lines += [f"\n## `{section}`\n", f"{model.__doc__}\n", "| setting | default | unit | what it does |"]
        lines.append("|---|---|---|---|")
        for name, setting in model.model_fields.items():
            unit = setting.json_schema_extra["unit"]
            default = "null" if setting.default is None else str(setting.default)
            lines.append(f"| `{name}` | {default} | {unit} | {setting.description} |")
    return text.partition(mark)[0] + mark + "\n".join(lines) + "\n"


def readme(text: str) -> str:
    """Return the README with what the command that it shows prints now."""
    command = "evaluate data/portfolio.parquet"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "rpmcore", *command.split(), "--quiet"],
        capture_output=True, check=True, cwd=ROOT, encoding="utf-8", env={**os.environ, "COLUMNS": README_WIDTH},
    )  # fmt: skip
    output = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    block = f"<!-- output -->\n```text\n$ rpm {command}\n{output}\n```\n"
    return re.sub(r"<!-- output -->\n```.*?\n```\n", lambda _: block, text, flags=re.DOTALL)


def main() -> None:
    """Rewrite the documents, or check them."""
    stale = []
    for page, generate in ((ROOT / "docs" / "settings.md", settings_page), (ROOT / "README.md", readme)):
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
