"""The summary in sentences, as one would say it to somebody who will not read the tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from rpmcore.adapters.report_html.contents import RiskReport
from rpmcore.domain.wording import METHOD_NAMES, TEST_NAMES, amount, percent, printable, probability
from rpmcore.risk.report import Evaluation, TailRiskRow

MOST_NAMED = 3
"""Positions that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A statement, the section that shows where it comes from, and its note."""

    text: str
    section: str
    note: str


def sentences(report: RiskReport) -> tuple[Sentence, ...]:
    """Return the summary."""
    found = [*_tail(report.evaluation), *_volatility(report.evaluation), *_carriers(report)]
    return (*found, *_crises(report), *_model(report))


def figure(fraction: float | None, evaluation: Evaluation) -> str:
    """Return a fraction of capital, with the money that it is where the capital is known."""
    capital = evaluation.book.capital
    if fraction is None or capital is None:
        return percent(fraction)
    return f"{percent(fraction)} ({amount(fraction * capital)} {evaluation.book.base_currency})"


def headline(evaluation: Evaluation) -> tuple[TailRiskRow, ...]:
    """Return the tail risk that the summary tells: of the historical method, or of the first that has an answer."""
    answered = [row for row in evaluation.tail_risk if row.value_at_risk is not None]
    methods = [row.method for row in answered]
    chosen = "historical" if "historical" in methods else methods[0] if methods else None
    return tuple(sorted((row for row in answered if row.method == chosen), key=lambda row: row.confidence))


def _tail(evaluation: Evaluation) -> Iterator[Sentence]:
    rows = headline(evaluation)
    if not rows:
        yield Sentence(text="No method of value at risk has an answer for this book.", section="tail", note="tail")
        return
    span = "day" if rows[0].horizon == 1 else f"span of {rows[0].horizon} days"
    parts = [
        f"on one {span if i == 0 else ''}".rstrip() + f" in {_odds(row.confidence)} more than "
        f"{figure(row.value_at_risk, evaluation)}"
        for i, row in enumerate(rows)
    ]
    last = rows[-1]
    beyond = ""
    if last.expected_shortfall is not None:
        beyond = f"; on such a {span} {figure(last.expected_shortfall, evaluation)} on average"
    method = METHOD_NAMES[last.method]
    text = f"By the {method} method this book loses {', '.join(parts)}{beyond}."
    yield Sentence(text=text, section="tail", note=f"method-{last.method}")


def _odds(confidence: float) -> str:
    odds = 1.0 / (1.0 - confidence)
    return f"{odds:,.0f}" if abs(odds - round(odds)) < 1e-6 else f"{odds:,.1f}"


def _volatility(evaluation: Evaluation) -> Iterator[Sentence]:
    vol, scaling = evaluation.volatility, evaluation.scaling
    advice = "there is no need to scale" if scaling.factor == 1.0 else f"scale every position × {scaling.factor:.3f}"
    yield Sentence(
        text=f"Its volatility is {percent(vol.annual)} a year, with a target of {percent(vol.target, 0)} and a maximum "
        f"of {percent(vol.maximum, 0)}: {advice}.",
        section="limits", note="scaling",
    )  # fmt: skip


def _carriers(report: RiskReport) -> Iterator[Sentence]:
    known = [c for c in report.evaluation.components if c.share is not None]
    adding = sorted((c for c in known if (c.share or 0.0) > 0.0), key=lambda c: -(c.share or 0.0))
    if not adding:
        return
    others = "".join(f", {printable(c.symbol)} {percent(c.share, 1)}" for c in adding[1:MOST_NAMED])
    hedged = -sum(c.share or 0.0 for c in known if (c.share or 0.0) < 0.0)
    tail = f"; hedges take {percent(hedged, 1)} away" if hedged > 0.0 else ""
    yield Sentence(
        text=f"{printable(adding[0].symbol)} carries {percent(adding[0].share, 1)} of the variance{others}{tail}.",
        section="contributions",
        note="component",
    )
    if report.exposure is not None and report.exposure.factors and report.exposure.specific.share is not None:
        largest = max(report.exposure.factors, key=lambda row: abs(row.share or 0.0))
        yield Sentence(
            text=f"{percent(largest.share, 1)} of the variance comes from the factor {printable(largest.name)}; "
            f"{percent(report.exposure.specific.share, 1)} is specific to single names.",
            section="exposures", note="factors",
        )  # fmt: skip


def _crises(report: RiskReport) -> Iterator[Sentence]:
    if report.stress is None:
        return
    parametric = [s for s in report.stress.scenarios if s.mode == "parametric"] or list(report.stress.scenarios)
    worst = max(report.stress.scenarios, key=lambda s: s.loss)
    lehman = next((s for s in parametric if s.name == "lehman2008"), None)
    if lehman is not None:
        yield Sentence(
            text=f"{printable(lehman.title)} in one step would have cost {figure(lehman.loss, report.evaluation)}, "
            f"which {'passes' if lehman.passed else 'fails'}.",
            section="crises", note="crisis-parametric",
        )  # fmt: skip
    if worst is not lehman:
        fails = f"fails: {'; '.join(worst.failed_criteria)}" if worst.failed_criteria else "passes"
        yield Sentence(
            text=f"The worst of all is {printable(worst.title)} ({_mode(worst.mode)}): "
            f"{figure(worst.loss, report.evaluation)}, which {fails}.",
            section="crises", note=f"crisis-{worst.mode}",
        )  # fmt: skip


def _mode(mode: str) -> str:
    from rpmcore.adapters.report_html.charts.book import MODE_NAMES

    return MODE_NAMES[mode]


def _model(report: RiskReport) -> Iterator[Sentence]:
    found = report.backtest
    if found is None:
        return
    kupiec = found.tests["kupiec"]
    wrong = "too many" if found.violations > found.expected else "too few"
    number = {"pass": "had about as many violations as it should", "fail": f"had {wrong} violations"}.get(
        kupiec.verdict, "had a number of violations that no test can judge"
    )
    others = [name for name in found.failed if name != "kupiec"]
    also = "It also fails" if "kupiec" in found.failed else "But it fails"
    but = f" {also} {', '.join(TEST_NAMES[name] for name in others)}." if others else ""
    yield Sentence(
        text=f"The model {number}: {found.violations} in {found.n:,} days where {found.expected:.1f} were expected "
        f"(Kupiec p = {probability(kupiec.p_value)}).{but}",
        section="validation", note="test-kupiec",
    )  # fmt: skip
