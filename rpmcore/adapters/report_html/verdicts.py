"""The verdicts of the summary, each from the result that it names. What could not be judged passes for nothing."""

from collections.abc import Iterator, Sequence

from rpmcore.adapters.report_html.contents import Level, RiskReport, Verdict
from rpmcore.adapters.report_html.warnings_told import SKIPPED, warnings_told
from rpmcore.domain.wording import LIMIT_NAMES, TEST_NAMES, measured, percent, printable
from rpmcore.risk.limits import LimitCheck

NOT_JUDGED = "NOT JUDGED"


def verdicts(report: RiskReport) -> tuple[Verdict, ...]:
    """Return the verdicts on limits, crises, model and data, and on strategies and gate where they were given."""
    return tuple(_verdicts(report))


def _verdicts(report: RiskReport) -> Iterator[Verdict]:
    level, label = _of_limits(report.evaluation.limits)
    yield Verdict(
        name="limits", title="Limits of the book", level=level, label=label, section="limits",
        text=_limits_in_words(report.evaluation.limits),
    )  # fmt: skip
    yield _adaptive(report)
    yield _crises(report)
    yield _model(report)
    if report.strategies is not None:
        yield _strategies(report)
    if report.gate is not None:
        yield _gate(report)
    yield _data(report)


def _of_limits(checks: Sequence[LimitCheck]) -> tuple[Level, str]:
    if any(check.status == "breach" for check in checks):
        return "fail", "BREACH"
    if any(check.status == "warning" for check in checks):
        return "warning", "WARNING"
    return "ok", "OK"


def _limits_in_words(checks: Sequence[LimitCheck]) -> str:
    beyond = [check for check in checks if check.status == "breach"]
    near = [check for check in checks if check.status == "warning"]
    if beyond:
        told = "; ".join(_against(check) for check in beyond)
        return f"{len(beyond)} of {len(checks)} limits {'is' if len(beyond) == 1 else 'are'} breached: {told}."
    if near:
        told = ", ".join(f"{LIMIT_NAMES[c.name]} {percent(c.utilisation, 0)}" for c in _fullest(near))
        return f"All {len(checks)} hold; little is left of {len(near)}: {told} used."
    fullest = _fullest(checks)[:1]
    told = "".join(f"; the fullest is {LIMIT_NAMES[c.name]}, {percent(c.utilisation, 0)} used" for c in fullest)
    return f"All {len(checks)} hold{told}."


def _fullest(checks: Sequence[LimitCheck]) -> list[LimitCheck]:
    return sorted(checks, key=lambda check: -(check.utilisation or 0.0))


def _against(check: LimitCheck) -> str:
    name = LIMIT_NAMES[check.name]
    if check.observed is None:
        return f"{name} is not known ({printable(str(check.observed_reason))})"
    # Of a sector, a currency or a single name the measure says which one.
    which = (
        f" ({printable(check.measure.split(',')[0])})" if check.name in ("sector", "currency", "single_name") else ""
    )
    return f"{name}{which} {measured(check.name, check.observed)} of {measured(check.name, check.limit)}"


def _adaptive(report: RiskReport) -> Verdict:
    found = report.limits
    if found is None:
        return _unknown("adaptive_limits", "Limits of the market", "limits", report.limits_reason)
    level, label = _of_limits(found.checks)
    told = (
        f"The market is {found.limits.regime}: for the day after {found.data.last} it allows "
        f"{percent(found.limits.gross_exposure, 1)} gross and {found.limits.leverage:.2f}× leverage. "
    )
    return Verdict(
        name="adaptive_limits", title="Limits of the market", level=level, label=label, section="limits",
        text=told + _limits_in_words(found.checks),
    )  # fmt: skip


def _crises(report: RiskReport) -> Verdict:
    found = report.stress
    if found is None:
        return _unknown("crises", "Crises", "crises", report.stress_reason)
    failed = list(dict.fromkeys(s.name for s in found.scenarios if not s.passed))
    names = list(dict.fromkeys(s.name for s in found.scenarios))
    worst = max(found.scenarios, key=lambda s: s.loss)
    cost = f"The worst, {printable(worst.name)}, would cost {percent(worst.loss)}."
    skipped = sum(notice.code == SKIPPED for notice in found.warnings)
    how = "by every method" if not skipped else f"by every method that the data allow; they do not allow {skipped}"
    if not failed:
        return Verdict(
            name="crises", title="Crises", level="ok", label="PASS", section="crises",
            text=f"All {len(names)} pass {how}. {cost}",
        )  # fmt: skip
    told = f"{len(failed)} of {len(names)} {'fails' if len(failed) == 1 else 'fail'} by one method at least: "
    return Verdict(
        name="crises", title="Crises", level="fail", label="FAIL", section="crises",
        text=f"{told}{', '.join(map(printable, failed))}. {cost}",
    )  # fmt: skip


def _model(report: RiskReport) -> Verdict:
    found = report.backtest
    if found is None:
        return _unknown("model", "Risk model", "validation", report.backtest_reason)
    counted = f"{found.violations} violations in {found.n:,} days where {found.expected:.1f} were expected"
    failed, untested = found.failed, [n for n, test in found.tests.items() if test.verdict == "untested"]
    judged = len(found.tests) - len(untested)
    if failed:
        told = f"{len(failed)} of {judged} tests {'fails' if len(failed) == 1 else 'fail'}: "
        return Verdict(
            name="model", title="Risk model", level="fail", label="FAIL", section="validation",
            text=f"{counted}; {told}{', '.join(TEST_NAMES[name] for name in failed)}.",
        )  # fmt: skip
    if not judged:
        return _unknown("model", "Risk model", "validation", f"{counted}; no test can judge them")
    warned = any(test.verdict == "warn" for test in found.tests.values())
    return Verdict(
        name="model", title="Risk model", level="warning" if warned else "ok", label="WARNING" if warned else "PASS",
        section="validation", text=f"{counted}; all {judged} tests that can judge pass.",
    )  # fmt: skip


def _strategies(report: RiskReport) -> Verdict:
    found = report.strategies
    assert found is not None  # noqa: S101 - the caller looked
    disabled, n = found.disabled, len(found.strategies)
    told = f"{n - len(disabled)} of {n} may trade"
    if disabled:
        told += f"; disabled: {', '.join(printable(name) for name in disabled[:5])}"
        told += f" and {len(disabled) - 5} more" if len(disabled) > 5 else ""
    return Verdict(
        name="strategies", title="Strategies", level="fail" if disabled else "ok",
        label="DISABLED" if disabled else "ENABLED", section="strategies", text=f"{told}.",
    )  # fmt: skip


def _gate(report: RiskReport) -> Verdict:
    assert report.gate is not None  # noqa: S101 - the caller looked
    status = report.gate.status
    why = [reason for scope in status.scopes for reason in scope.reasons]
    told = "; ".join(printable(reason) for reason in (status.integrity, status.halted, *why[:3]) if reason)
    active = status.trading_state == "active"
    return Verdict(
        name="gate", title="Gate", level="ok" if active else "fail", label=status.trading_state.upper(),
        section="decisions",
        text=f"{report.gate.decisions:,} decisions, all verified{f'; {told}' if told else ''}.",
    )  # fmt: skip


def _data(report: RiskReport) -> Verdict:
    data, warnings = report.evaluation.data, warnings_told(report)
    rows = f"{data.tail_n_obs:,} returns up to {data.last}, the last {data.n_obs} for the covariance"
    rows += f"; {data.dropped_rows} row{'s' * (data.dropped_rows != 1)} left out"
    warned = f"; {len(warnings)} warning{'s' * (len(warnings) != 1)}" if warnings else "; no warnings"
    return Verdict(
        name="data", title="Data", level="warning" if warnings else "ok", label="WARNING" if warnings else "OK",
        section="data", text=f"{rows}{warned}.",
    )  # fmt: skip


def _unknown(name: str, title: str, section: str, reason: str | None) -> Verdict:
    return Verdict(
        name=name, title=title, level="unknown", label=NOT_JUDGED, section=section, text=printable(str(reason)) + "."
    )
