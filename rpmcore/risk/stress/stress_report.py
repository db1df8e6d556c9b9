"""Results of stress tests as plain numbers and texts, ready for JSON."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.settings import StressSettings
from rpmcore.risk.stress.path import NO_ACTION, told, why
from rpmcore.risk.stress.suite import SuiteResult
from rpmcore.risk.stress.system import NOT_MEASURED

if TYPE_CHECKING:
    from rpmcore.risk.stress.stress_test_engine import CrisisTestResult

WORST = 10
"""How many of the largest losses a report lists."""


def stress_report(results: "SuiteResult | Sequence[CrisisTestResult]", settings: StressSettings) -> dict[str, Any]:
    """Return a report of plain types; percentages say so in their names, a loss is positive.

    ``summary`` counts simulations, or scenarios for crises of the library, and holds ``pass_rate_pct``; ``criteria`` is
    what they were held against. A suite adds ``kinds``, ``controls`` (who acted, how often, on which day, and what it
    avoided) and ``worst``; crises add ``scenarios``.

    Raises
    ------
    InvalidArgument
        If there is no result.
    """
    criteria = {
        "maximum_loss_pct": 100.0 * settings.maximum_loss,
        "maximum_var_ratio": settings.maximum_var_ratio,
        "slowest_decision_ms": settings.maximum_decision_ms,
    }
    if isinstance(results, SuiteResult):
        return {"summary": _suite_summary(results), "criteria": criteria, **_suite_parts(results)}
    if not results:
        raise InvalidArgument("there is no result to report on")
    return {"summary": _crisis_summary(results), "criteria": criteria, "scenarios": [_crisis(one) for one in results]}


def _suite_summary(suite: SuiteResult) -> dict[str, Any]:
    n, passed = len(suite.loss), int(suite.passed.sum())
    ratio = float(suite.var_breach_ratio.max())
    return {
        "system": suite.system,
        "seed": suite.seed,
        "n_simulations": n,
        "n_passed": passed,
        "n_failed": n - passed,
        "pass_rate_pct": 100.0 * passed / n,
        "passed": passed == n,
        "mean_loss_pct": _percent(suite.loss.mean()),
        "worst_loss_pct": _percent(suite.loss.max()),
        "mean_unmanaged_loss_pct": _percent(suite.unmanaged_loss.mean()),
        "worst_unmanaged_loss_pct": _percent(suite.unmanaged_loss.max()),
        "mean_loss_avoided_pct": _percent(suite.loss_avoided.mean()),
        **_ratio("worst_var_breach_ratio", ratio),
        **_decision(suite.slowest_decision),
    }


def _suite_parts(suite: SuiteResult) -> dict[str, Any]:
    kinds, controls = np.array(suite.kinds), np.array([control or "" for control in suite.controls])
    worst = np.argsort(-suite.loss, kind="stable")[:WORST].tolist()
    return {
        "kinds": [
            {
                "kind": kind,
                "n": int(rows.sum()),
                "pass_rate_pct": 100.0 * float(suite.passed[rows].mean()),
                "mean_loss_pct": _percent(suite.loss[rows].mean()),
                "worst_loss_pct": _percent(suite.loss[rows].max()),
                "mean_unmanaged_loss_pct": _percent(suite.unmanaged_loss[rows].mean()),
            }
            for kind in dict.fromkeys(suite.kinds)
            for rows in (kinds == kind,)
        ],
        "controls": [
            {
                "control": control,
                "n_acted_first": int(rows.sum()),
                "median_day": float(np.median(suite.action_days[rows])),
                "mean_loss_avoided_pct": _percent(suite.loss_avoided[rows].mean()),
            }
            for control in dict.fromkeys(c for c in suite.controls if c is not None)
            for rows in (controls == control,)
        ],
        "worst": [
            {
                "simulation": i,
                "name": suite.names[i],
                "duration_days": int(suite.durations[i]),
                "loss_pct": _percent(suite.loss[i]),
                "unmanaged_loss_pct": _percent(suite.unmanaged_loss[i]),
                **_ratio("var_breach_ratio", float(suite.var_breach_ratio[i])),
                **_stated("control", suite.controls[i], NO_ACTION),
                **_stated("action_day", int(suite.action_days[i]) or None, NO_ACTION),
                "passed": bool(suite.passed[i]),
                "failed_criteria": list(suite.failed_criteria[i]),
            }
            for i in worst
        ],
    }


def _crisis_summary(results: "Sequence[CrisisTestResult]") -> dict[str, Any]:
    n, passed = len(results), sum(result.passed for result in results)
    paths = [result.path for result in results]
    return {
        "system": paths[0].system,
        "seed": paths[0].seed,
        "n_scenarios": n,
        "n_passed": passed,
        "n_failed": n - passed,
        "pass_rate_pct": 100.0 * passed / n,
        "passed": passed == n,
        "worst_loss_pct": _percent(max(max(r.parametric.loss, r.path.loss) for r in results)),
        "mean_loss_avoided_pct": _percent(sum(path.loss_avoided for path in paths) / n),
        **_decision(_largest(path.slowest_decision for path in paths)),
    }


def _crisis(result: "CrisisTestResult") -> dict[str, Any]:
    parametric, path = result.parametric, result.path
    return {
        "name": result.name,
        "title": result.title,
        "passed": result.passed,
        "failed_criteria": list(result.failed_criteria),
        "parametric_loss_pct": _percent(parametric.loss),
        **_stated("parametric_var_breach_ratio", parametric.var_breach_ratio, parametric.var_breach_ratio_reason),
        "path_loss_pct": _percent(path.loss),
        "path_unmanaged_loss_pct": _percent(path.unmanaged_loss),
        "path_loss_avoided_pct": _percent(path.loss_avoided),
        **_stated("path_var_breach_ratio", path.var_breach_ratio, path.var_breach_ratio_reason),
        **_stated("control", path.control, NO_ACTION),
        **_stated("acted_because", None if path.action is None else path.action.reason, NO_ACTION),
        **_stated("action_day", path.action_day, NO_ACTION),
        **_decision(path.slowest_decision),
    }


def _percent(fraction: Any) -> float:
    return 100.0 * float(fraction)


def _stated(name: str, value: Any, reason: str | None) -> dict[str, Any]:
    """Return a value by its name, and beside one that does not exist the reason."""
    return {name: value} if value is not None else {name: None, f"{name}_reason": reason}


def _ratio(name: str, ratio: float) -> dict[str, Any]:
    return _stated(name, told(ratio), why(ratio))


def _decision(slowest: float | None) -> dict[str, Any]:
    return _stated("slowest_decision_ms", None if slowest is None else 1e3 * slowest, NOT_MEASURED)


def _largest(seconds: Iterable[float | None]) -> float | None:
    known = [second for second in seconds if second is not None]
    return max(known) if known else None
