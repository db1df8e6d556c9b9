"""For every number of the report: its formula, who it is from, and the page of the manual that says more."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NOTES_FILE = "method_notes.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodNote:
    """A note: `name` is its anchor (``#note-name``), `page` and `heading` where the manual says more."""

    name: str
    title: str
    formula: str
    source: str
    page: str
    heading: str


@cache
def method_notes() -> tuple[MethodNote, ...]:
    """Return the notes in the order of the page."""
    import yaml  # start-up: nobody else needs it to make a page

    text = files("rpmcore.adapters.report_html").joinpath(NOTES_FILE).read_text(encoding="utf-8")
    return tuple(MethodNote(**note) for note in yaml.safe_load(text))
