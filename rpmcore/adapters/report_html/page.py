"""The page: templates filled with the results, with the charts and the style sheet inside."""

from functools import partial
from importlib.resources import files
from pathlib import PurePath

from rpmcore.adapters.report_html.charts import book as book_charts
from rpmcore.adapters.report_html.charts import risk as risk_charts
from rpmcore.adapters.report_html.charts.drawing import Chart
from rpmcore.adapters.report_html.contents import RiskReport
from rpmcore.adapters.report_html.contributions import contributions
from rpmcore.adapters.report_html.method_notes import method_notes
from rpmcore.adapters.report_html.sections import sections
from rpmcore.adapters.report_html.sentences import figure, headline, sentences
from rpmcore.adapters.report_html.verdicts import verdicts
from rpmcore.adapters.report_html.warnings_told import SKIPPED, warnings_told
from rpmcore.domain import wording
from rpmcore.risk.clustering import ClusteredCorrelation
from rpmcore.risk.report import Evaluation

PACKAGE = "rpmcore.adapters.report_html"
MOST_PAIRS = 5
"""Pairs of instruments that are named at either end of the correlations."""

MOST_DECISIONS = 20
MOST_DAYS = 10
MOST_INSTRUMENTS = 20
MOST_ROWS = 40
"""Lines of a table, where there may be many; how many are left out is said."""


def render(report: RiskReport) -> str:
    """Return the page; the same report gives the same text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        percent=wording.percent,
        amount=wording.amount,
        moment=wording.moment,
        quantity=wording.quantity,
        probability=wording.probability,
        shown=wording.printable,
        figure=partial(figure, evaluation=report.evaluation),
        filename=_filename,
        fixed=_fixed,
        signed=_signed,
    )
    charts = {
        name: {"title": chart.title, "svg": Markup(chart.svg)}  # noqa: S704 - our own drawing, whose texts are escaped
        for name, chart in _charts(report).items()
    }
    style = Markup(files(PACKAGE).joinpath("page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    page: str = environment.get_template("page.html").render(
        report=report,
        style=style,
        sections=sections(report),
        verdicts=verdicts(report),
        sentences=sentences(report),
        headline=headline(report.evaluation),
        contributions=contributions(report.evaluation.components),
        charts=charts,
        pairs=_pairs(report.correlation),
        open_ends=_open_ends(report.evaluation),
        warnings=warnings_told(report),
        notes=method_notes(),
        wording=wording,
        skipped_code=SKIPPED,
        mode_names=book_charts.MODE_NAMES,
        recent_days=risk_charts.RECENT_DAYS,
        most={
            "decisions": MOST_DECISIONS, "days": MOST_DAYS, "instruments": MOST_INSTRUMENTS, "rows": MOST_ROWS,
            "labels": book_charts.MOST_LABELS, "strategies": len(book_charts.STRATEGY_LINES),
        },
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n"


def _charts(report: RiskReport) -> dict[str, Chart]:
    """Return the charts that the results allow, by name."""
    found: list[Chart | None] = [risk_charts.tail_chart(report.evaluation)]
    if report.backtest is not None:
        found += [risk_charts.history_chart(report.backtest), risk_charts.validation_chart(report.backtest)]
    if report.shape is not None:
        found.append(risk_charts.distribution_chart(report.shape, report.evaluation.methods.return_days))
    if report.correlation is not None:
        found.append(book_charts.correlation_chart(report.correlation))
    rows = tuple(row for row in contributions(report.evaluation.components) if not row.others)
    if any(row.share for row in rows):
        found.append(book_charts.contributions_chart(rows))
    if report.exposure is not None:
        found.append(book_charts.exposures_chart(report.exposure))
    if report.stress is not None:
        maximum = report.configuration.settings.stress.maximum_loss
        found.append(book_charts.crises_chart(report.stress, maximum))
    if report.strategies is not None:
        found.append(book_charts.strategies_chart(report.strategies))
    return {chart.name: chart for chart in found if chart is not None}


def _open_ends(evaluation: Evaluation) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return why ends of intervals are not known, each reason once, with the figures that it is of."""
    found: dict[str, list[str]] = {}
    for row in evaluation.tail_risk:
        if row.value_at_risk is None:
            continue
        name = f"{wording.METHOD_NAMES[row.method]} {row.confidence:.10g}"
        ends = [("VaR", row.lower, row.lower_reason), ("VaR", row.upper, row.upper_reason)]
        ends += [("CVaR", row.expected_shortfall_lower, row.expected_shortfall_lower_reason)]
        ends += [("CVaR", row.expected_shortfall_upper, row.expected_shortfall_upper_reason)]
        for figure_of, end, reason in ends:
            if end is None and reason is not None and row.value_at_risk_error is None:
                found.setdefault(reason, []).append(f"{figure_of} {name}")
    return tuple((reason, tuple(dict.fromkeys(of))) for reason, of in found.items())


def _pairs(found: ClusteredCorrelation | None) -> tuple[tuple[str, str, float], ...]:
    """Return the pairs that move together most, and those that move against each other most."""
    if found is None:
        return ()
    n = len(found.symbols)
    pairs = sorted(
        ((found.symbols[i], found.symbols[j], float(found.matrix[i, j])) for i in range(n) for j in range(i + 1, n)),
        key=lambda pair: -pair[2],
    )
    return tuple(pairs if len(pairs) <= 2 * MOST_PAIRS else pairs[:MOST_PAIRS] + pairs[-MOST_PAIRS:])


def _fixed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def _signed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:+,.{digits}f}"


def _filename(path: str) -> str:
    """Return the name of a file without its folder: a page that is mailed does not tell where its maker keeps files."""
    return PurePath(path).name or path
