"""The answer to "what can be lost": value at risk and expected shortfall."""

from dataclasses import dataclass, replace
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRisk:
    """Value at risk and expected shortfall of one method at one confidence.

    A loss is positive; both are fractions of capital over `horizon` trading days.

    Attributes
    ----------
    method
        Such as ``historical``; a key of `rpmcore.risk.tail_methods.METHODS`.
    confidence
        In (0.5, 1); the tail is ``1 - confidence``.
    value_at_risk
        The loss that is exceeded with probability ``1 - confidence``.
    expected_shortfall
        The mean loss in that tail; None where it does not exist, with `expected_shortfall_reason`.
    lower, upper
        Confidence interval of the value at risk; None where it is not known, with `lower_reason` or
        `upper_reason`.
    expected_shortfall_lower, expected_shortfall_upper
        The same for the expected shortfall.
    value_at_risk_error, expected_shortfall_error
        Standard errors, of a simulation or of an extreme-value fit; None for every other method.
    n_paths
        Paths of a simulation; None for every other method.
    """

    method: str
    confidence: float
    horizon: int = 1
    value_at_risk: float
    expected_shortfall: float | None
    expected_shortfall_reason: str | None = None
    lower: float | None = None
    lower_reason: str | None = None
    upper: float | None = None
    upper_reason: str | None = None
    expected_shortfall_lower: float | None = None
    expected_shortfall_lower_reason: str | None = None
    expected_shortfall_upper: float | None = None
    expected_shortfall_upper_reason: str | None = None
    value_at_risk_error: float | None = None
    expected_shortfall_error: float | None = None
    n_paths: int | None = None

    def scaled(self, horizon: int) -> "TailRisk":
        """Return the measure over `horizon` days by the square root of time, from its own horizon."""
        return replace(self.times(sqrt(horizon / self.horizon)), horizon=horizon)

    def times(self, factor: float) -> "TailRisk":
        """Return the measure of a book `factor` ≥ 0 times as large."""

        def scaled(value: float | None) -> float | None:
            return None if value is None else value * factor

        return replace(
            self,
            value_at_risk=self.value_at_risk * factor,
            expected_shortfall=scaled(self.expected_shortfall),
            lower=scaled(self.lower),
            upper=scaled(self.upper),
            expected_shortfall_lower=scaled(self.expected_shortfall_lower),
            expected_shortfall_upper=scaled(self.expected_shortfall_upper),
            value_at_risk_error=scaled(self.value_at_risk_error),
            expected_shortfall_error=scaled(self.expected_shortfall_error),
        )
