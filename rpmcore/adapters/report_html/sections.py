"""The sections of the page, in their order; what was not given has none."""

from dataclasses import dataclass

from rpmcore.adapters.report_html.contents import RiskReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: its name in the page (``#name``) and of its template, and its heading."""

    name: str
    title: str


SECTIONS = (
    Section(name="summary", title="Summary"),
    Section(name="limits", title="Limits"),
    Section(name="tail", title="Tail risk"),
    Section(name="history", title="P&L history"),
    Section(name="distribution", title="Distribution"),
    Section(name="contributions", title="Where the risk sits"),
    Section(name="correlation", title="Correlations"),
    Section(name="exposures", title="Exposures"),
    Section(name="crises", title="Crises"),
    Section(name="validation", title="Was the model right?"),
    Section(name="strategies", title="Strategies"),
    Section(name="decisions", title="Decisions"),
    Section(name="data", title="Data"),
    Section(name="configuration", title="Configuration"),
    Section(name="methods", title="How the figures are made"),
)


def sections(report: RiskReport) -> tuple[Section, ...]:
    """Return the sections of a report."""
    left_out = set()
    if report.strategies is None:
        left_out.add("strategies")
    if report.gate is None:
        left_out.add("decisions")
    return tuple(section for section in SECTIONS if section.name not in left_out)
