"""What a backtest found: one shape for all tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rpmcore.domain.errors import InvalidArgument

Verdict = Literal["pass", "warn", "fail", "untested"]
"""``warn`` is the yellow zone of the traffic light; ``untested``: the series cannot tell, and the reason says why."""

Basis = Literal["chi-squared", "Monte Carlo", "bootstrap", "binomial", "none"]

SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """One test of value at risk or expected shortfall.

    Attributes
    ----------
    name
        What was tested.
    statistic
        None where it does not exist.
    p_value
        Probability, if the model is right, of a statistic at least as bad: the one that the verdict rests on.
    p_value_basis
        The law that `p_value` comes from.
    p_value_asymptotic
        By the law that holds in long series; beside `p_value`, or the same number where the verdict rests on it.
    verdict
        ``fail`` where `p_value` ≤ `significance`.
    significance
        How often a model that is right may fail.
    detail
        The figures that the statistic is made of.
    note
        What a reader should know to read the verdict rightly.
    """

    name: str
    statistic: float | None
    statistic_reason: str | None = None
    p_value: float | None
    p_value_reason: str | None = None
    p_value_basis: Basis
    p_value_asymptotic: float | None
    p_value_asymptotic_reason: str | None = None
    verdict: Verdict
    significance: float
    detail: Mapping[str, Any]
    note: str | None = None


def judged(
    name: str,
    *,
    statistic: float,
    p_value: float,
    basis: Basis,
    asymptotic: float | None,
    asymptotic_reason: str | None = None,
    significance: float,
    detail: Mapping[str, Any],
    note: str | None = None,
) -> BacktestResult:
    """Return a result whose verdict is ``fail`` where `p_value` ≤ `significance`, and else ``pass``."""
    return BacktestResult(
        name=name,
        statistic=statistic,
        p_value=p_value,
        p_value_basis=basis,
        p_value_asymptotic=asymptotic,
        p_value_asymptotic_reason=asymptotic_reason,
        verdict="fail" if p_value <= significance else "pass",
        significance=significance,
        detail=detail,
        note=note,
    )


def untested(
    name: str,
    reason: str,
    *,
    statistic: float | None = None,
    significance: float,
    detail: Mapping[str, Any] | None = None,
) -> BacktestResult:
    """Return a result without a verdict, and why."""
    return BacktestResult(
        name=name,
        statistic=statistic,
        statistic_reason=reason,
        p_value=None,
        p_value_reason=reason,
        p_value_basis="none",
        p_value_asymptotic=None,
        p_value_asymptotic_reason=reason,
        verdict="untested",
        significance=significance,
        detail=detail or {},
        note=reason,
    )


def check_significance(significance: float) -> float:
    """Return `significance` if it lies in (0, 0.5].

    Raises
    ------
    InvalidArgument
        Otherwise.
    """
    if not 0.0 < significance <= 0.5:
        raise InvalidArgument(f"significance must lie in (0, 0.5], but is {significance!r}")
    return significance
