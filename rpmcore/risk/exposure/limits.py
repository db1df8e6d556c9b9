"""Limits on what a book holds.

Every limited measure here is a sum of absolute values, each linear in the weights: Σ_k |a_k| ≤ limit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import fsum

from rpmcore.domain.factor_profiles import FACTORS, AssetFactorProfile
from rpmcore.risk.exposure.positions import (
    UNCLASSIFIED,
    CurrencyExposure,
    ProfileExposure,
    SectorExposure,
    currency_exposures,
    currency_legs,
    profile_exposures,
    sector_exposures,
)
from rpmcore.risk.limits import LimitCheck, check_limit
from rpmcore.risk.settings import LimitsSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A limited measure: the sum of the absolute `values`.

    Attributes
    ----------
    name, subject
        The limit, and whom it concerns: ``sector`` and ``Energy``.
    limit
        The largest sum allowed.
    values
        a_k.
    slopes
        For each held instrument that moves the measure, by symbol: the change of every a_k for a weight of one more.
    sector
        Of a limit on sectors, which has two measures where positions are unclassified: the worse one counts.
    one_sided
        Instruments whose slope holds only until their weight is zero.
    reason
        Why the values are not known, where they are not.
    """

    name: str
    subject: str
    limit: float
    values: tuple[float, ...]
    slopes: Mapping[str, tuple[float, ...]]
    sector: str | None = None
    one_sided: frozenset[str] = frozenset()
    reason: str | None = None

    def after(self, symbol: str, change: float) -> float:
        """Return the measure after `change` in the weight of one instrument."""
        slopes = self.slopes.get(symbol)
        if slopes is None:
            return self.observed
        return fsum(abs(a + change * c) for a, c in zip(self.values, slopes, strict=True))

    @property
    def observed(self) -> float:
        """The sum as it stands."""
        return fsum(map(abs, self.values))


def measures(
    weights: Mapping[str, float],
    profiles: Mapping[str, AssetFactorProfile],
    account: str,
    limits: LimitsSettings,
    factors: Iterable[ProfileExposure],
    sectors: Iterable[SectorExposure],
    currencies: Iterable[CurrencyExposure],
) -> tuple[Measure, ...]:
    """Return every measure that has a limit.

    Parameters
    ----------
    weights
        Signed market value / capital by symbol, none of them zero.
    profiles
        By symbol.
    account
        The account currency, which has no limit: a book in it runs no risk of exchange.
    limits
        Of which ``None`` turns one off.
    factors, sectors, currencies
        What `rpmcore.risk.exposure.positions` made of these weights.
    """
    found: list[Measure] = []
    if limits.sector is not None:
        found += _sectors(weights, profiles, limits.sector, {s.sector: s for s in sectors})
    exposures = {f.name: f for f in factors}
    if limits.beta is not None:
        found.append(_factors("beta", ("beta",), weights, profiles, limits.beta, exposures))
    if limits.factor_exposure is not None:
        found.append(_factors("factor_exposure", FACTORS, weights, profiles, limits.factor_exposure, exposures))
    if limits.currency is not None:
        legs = {symbol: currency_legs(profiles[symbol]) for symbol in weights}
        for c in currencies:
            if c.currency != account:
                slopes = {s: (leg[c.currency],) for s, leg in legs.items() if c.currency in leg}
                found.append(Measure(name="currency", subject=c.currency, limit=limits.currency, values=(c.net,),
                                     slopes=slopes))  # fmt: skip
    if limits.single_name is not None:
        found += [
            Measure(name="single_name", subject=s, limit=limits.single_name, values=(w,), slopes={s: (1.0,)})
            for s, w in weights.items()
            if profiles[s].instrument.kind == "equity"
        ]
    return tuple(found)


def limit_checks(
    weights: Mapping[str, float], profiles: Mapping[str, AssetFactorProfile], account: str, limits: LimitsSettings
) -> tuple[LimitCheck, ...]:
    """Return the verdicts alone, for a report that shows nothing else of exposures; arguments as in `measures`."""
    return checks(
        measures(
            weights,
            profiles,
            account,
            limits,
            profile_exposures(weights, profiles),
            sector_exposures(weights, profiles),
            currency_exposures(weights, profiles),
        ),
        limits,
    )


def _factors(
    name: str,
    factors: tuple[str, ...],
    weights: Mapping[str, float],
    profiles: Mapping[str, AssetFactorProfile],
    limit: float,
    exposures: Mapping[str, ProfileExposure],
) -> Measure:
    reasons = [exposures[f].exposure_reason for f in factors if exposures[f].exposure is None]
    if reasons:
        return Measure(name=name, subject="", limit=limit, values=(), slopes={}, reason=reasons[0])
    return Measure(
        name=name,
        subject="",
        limit=limit,
        values=tuple(exposures[f].exposure or 0.0 for f in factors),
        slopes={s: tuple(profiles[s].loadings[f].value for f in factors) for s in weights},
    )


def _sectors(
    weights: Mapping[str, float],
    profiles: Mapping[str, AssetFactorProfile],
    limit: float,
    sectors: Mapping[str, SectorExposure],
) -> Iterator[Measure]:
    """Yield the net of each sector, with every unclassified position on its side: at worst they all belong to it."""
    members: dict[str, list[str]] = {}
    for symbol in weights:
        members.setdefault(profiles[symbol].instrument.sector or UNCLASSIFIED, []).append(symbol)
    unknown = members.pop(UNCLASSIFIED, [])
    nets = {sector: sectors[sector].net for sector in members}
    if unknown:
        members[UNCLASSIFIED], nets[UNCLASSIFIED] = [], 0.0
    for sector, symbols in members.items():
        for sign in (1.0, -1.0):
            side = [s for s in unknown if sign * weights[s] > 0.0]
            told = ", with all that is unclassified" if side and sector != UNCLASSIFIED else ""
            if sector == UNCLASSIFIED:
                told = ", long" if sign > 0.0 else ", short"
            yield Measure(
                name="sector",
                subject=sector + told,
                sector=sector,
                limit=limit,
                values=(nets[sector] + fsum(weights[s] for s in side),),
                slopes=dict.fromkeys((*symbols, *side), (1.0,)),
                one_sided=frozenset(side),
            )
            if not unknown:
                break


def checks(found: Iterable[Measure], limits: LimitsSettings) -> tuple[LimitCheck, ...]:
    """Return one verdict a limit, on its worst measure, in the order in which the limits first stand."""
    worst: dict[str, Measure] = {}
    for measure in found:
        held = worst.get(measure.name)
        if held is None or (held.reason is None and (measure.reason is not None or measure.observed > held.observed)):
            worst[measure.name] = measure
    return tuple(
        check_limit(
            name,
            MEASURED_BY[name].format(subject=measure.subject),
            None if measure.reason is not None else measure.observed,
            measure.limit,
            warning_utilisation=limits.warning_utilisation,
            reason=measure.reason,
        )
        for name, measure in worst.items()
    )


MEASURED_BY = {
    "sector": "{subject}, |net|",
    "beta": "|Σ weight × beta|",
    "factor_exposure": "Σ |exposure| over the profiles' factors",
    "currency": "{subject}, |net|",
    "single_name": "{subject}, |net|",
}
"""How each measure is called in a report."""
