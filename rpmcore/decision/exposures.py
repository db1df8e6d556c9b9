"""What the account is exposed to at worst, and how one more trade moves it: gross, net, sector, factor, currency.

Every measure is a sum of absolute values, each linear in the weights: Σ_k |a_k| ≤ limit. A working order may be filled
or not, so that a_k is an interval, and the worse end of it counts.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.factor_profiles import FACTORS, AssetFactorProfile
from rpmcore.risk.exposure.positions import UNCLASSIFIED, currency_legs


class ExposureMeasure(NamedTuple):
    """A limited measure as one instrument moves it.

    Attributes
    ----------
    name, subject
        The limit, and whom it concerns: ``sector`` and ``Energy``.
    limit
        The largest sum allowed, as a fraction of equity.
    lowest, highest
        Of each a_k, with working orders filled or not.
    slopes
        Change of each a_k for a weight of one more.
    reason
        Why it is not known, where it is not.
    bounded
        Whether the sum of the worse ends is only a bound: no one outcome of the working orders may lead to all of them.
    """

    name: str
    subject: str
    limit: float
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    slopes: tuple[float, ...]
    reason: str = ""
    bounded: bool = False


class ExposureMap:
    """Who is exposed to what: fixed by the instruments, made once.

    Parameters
    ----------
    profiles
        Of everything that may be traded, by symbol.
    account
        ISO code of the account currency, which has no limit.
    """

    def __init__(self, profiles: Mapping[str, AssetFactorProfile], account: str) -> None:
        self.place = {symbol: i for i, symbol in enumerate(profiles)}
        self.profiles = profiles
        rows: dict[tuple[str, str], dict[int, float]] = {("net", ""): dict.fromkeys(range(len(profiles)), 1.0)}
        self.without_beta = tuple(s for s, profile in profiles.items() if "beta" not in profile.loadings)
        for i, (_, profile) in enumerate(profiles.items()):
            rows.setdefault(("sector", profile.instrument.sector or UNCLASSIFIED), {})[i] = 1.0
            for currency, leg in currency_legs(profile).items():
                if currency != account:
                    rows.setdefault(("currency", currency), {})[i] = leg
            for factor, loading in profile.loadings.items():
                rows.setdefault(("factor", factor), {})[i] = loading.value
        for factor in FACTORS:
            rows.setdefault(("factor", factor), {})
        self.rows = {key: row for row, key in enumerate(rows)}
        self.slopes = np.zeros((len(rows), len(profiles)))
        for row, members in enumerate(rows.values()):
            for column, slope in members.items():
                self.slopes[row, column] = slope
        self.steps: list[list[float]] = self.slopes.tolist()
        self._up, self._down = np.maximum(self.slopes, 0.0), np.minimum(self.slopes, 0.0)

    def intervals(self, lowest: Vector, highest: Vector) -> tuple[list[float], list[float]]:
        """Return the ends of every row's sum, for weights (n,) that lie between two ends."""
        low = (self._up * lowest).sum(axis=1) + (self._down * highest).sum(axis=1)
        high = (self._up * highest).sum(axis=1) + (self._down * lowest).sum(axis=1)
        return low.tolist(), high.tolist()


class Exposures:
    """The account's exposures at one moment.

    Parameters
    ----------
    exposure_map
        Of the instruments.
    lowest, highest
        (n,) weights with working sells filled and working buys filled, in the order of the map.
    """

    def __init__(self, exposure_map: ExposureMap, lowest: Vector, highest: Vector) -> None:
        self._map = exposure_map
        self._low, self._high = exposure_map.intervals(lowest, highest)
        self._ends = list(zip(lowest.tolist(), highest.tolist(), strict=True))
        self._worst: list[float] = np.maximum(np.abs(lowest), np.abs(highest)).tolist()

    def gross(self, symbol: str, name: str, subject: str, limit: float) -> ExposureMeasure:
        """Return Σ |weight| as one instrument moves it: gross exposure, and leverage."""
        i = self._map.place[symbol]
        others = sum(self._worst[:i]) + sum(self._worst[i + 1 :])
        low, high = self._ends[i]
        return ExposureMeasure(
            name=name, subject=subject, limit=limit, lowest=(others, low), highest=(others, high), slopes=(0.0, 1.0)
        )

    def ends(self, symbol: str) -> tuple[float, float]:
        """Return the weight of an instrument with its working sells filled, and with its working buys filled."""
        return self._ends[self._map.place[symbol]]

    def net(self, symbol: str, limit: float) -> ExposureMeasure:
        """Return the sum of all weights."""
        i = self._map.place[symbol]
        return self._row("net_exposure", "|Σ market value| / equity", ("net", ""), i, limit)

    def single_name(self, symbol: str, limit: float) -> ExposureMeasure:
        """Return the position in one instrument."""
        low, high = self._ends[self._map.place[symbol]]
        return ExposureMeasure(
            name="single_name", subject=symbol, limit=limit, lowest=(low,), highest=(high,), slopes=(1.0,)
        )

    def sectors(self, symbol: str, limit: float) -> list[ExposureMeasure]:
        """Return the sector of an instrument; whatever is unclassified counts as if all of it belonged there.

        An unclassified instrument is held against every sector.
        """
        i, profiles = self._map.place[symbol], self._map.profiles
        own = profiles[symbol].instrument.sector or UNCLASSIFIED
        unknown = [
            k for s, k in self._map.place.items()
            if profiles[s].instrument.sector is None and (self._ends[k] != (0.0, 0.0) or s == symbol)
        ]  # fmt: skip
        names = [n for kind, n in self._map.rows if kind == "sector"] if own == UNCLASSIFIED else [own]
        found = []
        for name in names:
            row = self._map.rows["sector", name]
            classified = name != UNCLASSIFIED
            parts = [(self._low[row], self._high[row], self._map.steps[row][i])] if classified else []
            parts += [(*self._ends[k], float(k == i)) for k in unknown]
            low, high, slopes = zip(*parts, strict=True)
            told = ", with all that is unclassified" if unknown and classified else ""
            found.append(
                ExposureMeasure(
                    name="sector", subject=name + told, limit=limit, lowest=low, highest=high, slopes=slopes
                )
            )
        return found

    def currencies(self, symbol: str, limit: float) -> list[ExposureMeasure]:
        """Return the net exposure to each currency that an instrument moves, but the account's."""
        i = self._map.place[symbol]
        return [
            self._row("currency", key[1], key, i, limit)
            for key, row in self._map.rows.items()
            if key[0] == "currency" and self._map.steps[row][i]
        ]

    def beta(self, symbol: str, limit: float) -> ExposureMeasure:
        """Return the market beta of the book; where that of an instrument is not known, neither is this."""
        i = self._map.place[symbol]
        measure = self._row("beta", "|Σ weight × beta|", ("factor", "beta"), i, limit)
        return _unknown(measure, self._unknown_beta(symbol))

    def factor_exposure(self, symbol: str, limit: float) -> ExposureMeasure:
        """Return the sum over factors; where a beta is not known, neither is this."""
        i = self._map.place[symbol]
        rows = [self._map.rows["factor", factor] for factor in FACTORS]
        measure = ExposureMeasure(
            name="factor_exposure", subject="Σ |exposure| over the profiles' factors", limit=limit,
            lowest=tuple([self._low[r] for r in rows]), highest=tuple([self._high[r] for r in rows]),
            slopes=tuple([self._map.steps[r][i] for r in rows]),
            bounded=sum(self._low[r] != self._high[r] for r in rows) > 1,
        )  # fmt: skip
        return _unknown(measure, self._unknown_beta(symbol))

    def _unknown_beta(self, symbol: str) -> str:
        missing = [s for s in self._map.without_beta if s == symbol or self._ends[self._map.place[s]] != (0.0, 0.0)]
        return f"no market beta is known for {', '.join(missing[:8])}" if missing else ""

    def _row(self, name: str, subject: str, key: tuple[str, str], column: int, limit: float) -> ExposureMeasure:
        row = self._map.rows[key]
        return ExposureMeasure(
            name=name, subject=subject, limit=limit, lowest=(self._low[row],), highest=(self._high[row],),
            slopes=(self._map.steps[row][column],),
        )  # fmt: skip


def _unknown(measure: ExposureMeasure, reason: str) -> ExposureMeasure:
    """Return the measure, or what stands in its place where it is not known, for a reason."""
    return measure._replace(lowest=(), highest=(), slopes=(), reason=reason) if reason else measure
