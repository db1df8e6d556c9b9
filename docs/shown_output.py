"""Run the commands that pages quote, and put what they print below them.

A page names a command by `<!-- output: COMMAND -->`, and gets what `rpm COMMAND` prints; or it tells a session: blocks
of shell below `<!-- run -->`, which are run one after the other in one shell and one folder, and what they print below
`<!-- prints -->`. Behind either may stand which paragraphs are shown, by their first words, and which lines are not:
`; shows Limits, Volatility; without Ledger`. An ellipsis stands for what is left out.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE_WIDTH, WIDE = 80, 100
"""Columns that fit into a page of the site, and into the README."""

SHOWN = r"(?:; shows (?P<shows>[^;>]*?))?(?:; without (?P<without>[^;>]*?))?"
OUTPUT = re.compile(rf"(?P<head><!-- output: (?P<command>[^;>]+?){SHOWN} -->\n)```text\n.*?```\n", re.DOTALL)
STEP = re.compile(
    r"<!-- run(?:: exit code (?P<code>\d))? -->\n```bash\n(?P<block>.*?)```\n"
    rf"(?:(?P<gap>\n)(?P<head><!-- prints{SHOWN} -->\n)```text\n(?P<told>.*?)```\n)?",
    re.DOTALL,
)
BETWEEN = "\x1e"
"""Stands in the output of a session between one block and the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A block of a session: what stands in the page, what it printed and how it ended."""

    block: str
    wanted_code: int
    out: str
    err: str
    code: int


def with_output(text: str, width: int = PAGE_WIDTH) -> str:
    """Return the page with what each of its commands prints now, in so many columns."""

    def shown(found: re.Match[str]) -> str:
        command = found["command"]
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "rpmcore", *shlex.split(command), "--quiet"],
            capture_output=True, check=True, cwd=ROOT, encoding="utf-8", env=environment(COLUMNS=str(width)),
        )  # fmt: skip
        told = chosen(done.stdout, found["shows"], found["without"])
        return f"{found['head']}```text\n$ rpm {command}\n{told}\n```\n"

    return OUTPUT.sub(shown, text)


def with_session(text: str, folder: Path, *, before: str = "") -> str:
    """Return the page with what the blocks of its session print now, run in `folder` after those of another text."""
    ran = iter(session(before + text, folder)[len(STEP.findall(before)) :])

    def shown(found: re.Match[str]) -> str:
        done = next(ran)
        if done.code != done.wanted_code:
            raise SystemExit(f"ended with {done.code}, not {done.wanted_code}:\n{done.block}\n{done.out}\n{done.err}")
        if found["head"] is None:
            return found[0]
        before = found[0][: found.start("told") - found.start()]
        return f"{before}{chosen(done.out, found['shows'], found['without'])}\n```\n"

    return STEP.sub(shown, text)


def session(text: str, folder: Path) -> list[Ran]:
    """Run the blocks of a page in one shell in `folder`, which gets the sample data and `rpm` on its path."""
    blocks = [(found["block"], int(found["code"] or 0)) for found in STEP.finditer(text)]
    programs = folder / "programs"
    programs.mkdir()
    rpm = programs / "rpm"
    rpm.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rpmcore "$@"\n', encoding="utf-8")
    rpm.chmod(0o700)
    place = folder / "desk"
    place.mkdir()
    (place / "data").symlink_to(ROOT / "data")
    mark = f"code=$?; printf '{BETWEEN}%s{BETWEEN}' $code; printf '{BETWEEN}' >&2\n"
    script = "".join(f"{block}{mark}" for block, _ in blocks)
    found = environment(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "cli")]),
        XDG_CONFIG_HOME=str(folder / "configuration"),
    )
    done = subprocess.run(  # noqa: S603 - our own page
        ["bash", "-c", script],  # noqa: S607
        capture_output=True, check=False, cwd=place, encoding="utf-8", env=found,
    )  # fmt: skip
    out, err = done.stdout.split(BETWEEN), done.stderr.split(BETWEEN)
    return [
        Ran(block=block, wanted_code=code, out=out[2 * i], code=int(out[2 * i + 1]), err=err[i])
        for i, (block, code) in enumerate(blocks)
    ]


def ledger_steps() -> str:
    """Return the steps of Getting started that make a key and a ledger."""
    text = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    steps = [found[0] for found in STEP.finditer(text) if re.match(r"mkdir -m 700|rpm gate run", found["block"])]
    return "\n".join(steps)


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a command: what this shell sets for rpm itself does not reach the page."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RPM_")}
    return {**kept, "COLUMNS": str(PAGE_WIDTH), "NO_COLOR": "1", **more}


def chosen(output: str, shows: str | None, without: str | None) -> str:
    """Return the paragraphs that begin with one of these words, without the lines that begin with one of those."""
    dropped = tuple(word.strip() for word in without.split(",")) if without else ()
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    paragraphs = "\n".join(line for line in lines if not (dropped and line.startswith(dropped))).split("\n\n")
    if shows is None:
        return "\n\n".join(paragraphs)
    first = [word.strip() for word in shows.split(",")]
    absent = [word for word in first if not any(paragraph.startswith(word) for paragraph in paragraphs)]
    if absent:
        raise SystemExit(f"no paragraph begins with {', '.join(absent)}:\n{output}")
    kept = [paragraph if paragraph.startswith(tuple(first)) else "…" for paragraph in paragraphs]
    return "\n\n".join(p for i, p in enumerate(kept) if p != "…" or i == 0 or kept[i - 1] != "…")
