"""What each regime of the market allows."""

from dataclasses import dataclass
from typing import get_args

from rpmcore.controls.adaptive_settings import RegimesSettings
from rpmcore.domain.crises import Regime
from rpmcore.domain.errors import InvalidArgument, nearest

REGIMES: tuple[Regime, ...] = get_args(Regime)
"""From the loosest limits to the tightest."""

STRESSED = REGIMES.index("stressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Limits as fractions of equity.

    Attributes
    ----------
    risk_per_trade
        Loss that one trade may risk, of equity.
    gross_exposure
        Σ|market value| over equity.
    leverage
        Gross leverage; the same measure as `gross_exposure`, and the smaller of both binds.
    correlation_stress
        θ of the stressed covariance (`rpmcore.risk.covariance.stressed_covariance`): it is no limit, and grows in
        stress.
    """

    risk_per_trade: float
    gross_exposure: float
    leverage: float
    correlation_stress: float

    def times(self, multiplier: float) -> "RiskLimits":
        """Return the limits times a multiplier in [0, 1]; the correlation stress stays.

        Raises
        ------
        InvalidArgument
            If the multiplier would loosen them, or is NaN.
        """
        if not 0.0 <= multiplier <= 1.0:
            raise InvalidArgument(f"a multiplier of limits must lie in [0, 1], but is {multiplier!r}")
        return RiskLimits(
            risk_per_trade=self.risk_per_trade * multiplier,
            gross_exposure=self.gross_exposure * multiplier,
            leverage=self.leverage * multiplier,
            correlation_stress=self.correlation_stress,
        )


def regime_named(name: str) -> Regime:
    """Return the regime of that name, in lower or upper case.

    Raises
    ------
    InvalidArgument
        If there is none; it names the nearest.
    """
    if isinstance(name, str):
        for regime in REGIMES:
            if name in (regime, regime.upper()):
                return regime
    meant = nearest(name, REGIMES) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(REGIMES)}"
    raise InvalidArgument(f"there is no regime {name!r}; {hint}")


class RegimeAwareRiskLimits:
    """The four profiles of limits, one for each regime.

    Parameters
    ----------
    settings
        The specification's numbers if None.
    """

    def __init__(self, settings: RegimesSettings | None = None) -> None:
        chosen = settings or RegimesSettings()
        self._table = {regime: RiskLimits(**getattr(chosen, regime).model_dump()) for regime in REGIMES}

    def get_limits(self, regime: str) -> RiskLimits:
        """Return the limits of a regime; its name may be in upper case, as the specification writes it.

        Raises
        ------
        InvalidArgument
            If there is no such regime.
        """
        return self._table[regime_named(regime)]
