"""What a gate starts from: everything that its decisions will ever depend on, beside the commands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import time
from typing import Any, Self

from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.factor_profiles import AssetFactorProfile, Loading
from rpmcore.domain.instruments import Clock, Instrument
from rpmcore.risk.currencies import Leg

SCHEMA = "rpm.genesis/2"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Genesis:
    """The beginning of a ledger.

    Attributes
    ----------
    at
        UTC nanoseconds.
    settings
        Of all decisions.
    config_digest
        Of the settings that they were made from.
    account
        ISO code of the account currency.
    equity
        In account currency.
    strategies
        Capital by strategy, in account currency: those who may trade.
    positions
        Rows of (strategy, symbol, signed quantity as a decimal text).
    profiles
        Of every instrument that may be traded, by symbol.
    ways
        From the currency of each to the account's.
    adv, spread_bps
        By symbol, where known; the volume in account currency.
    days, symbols, closes
        The past: a row a day, a column for each of `symbols`, None where there is no close.
    last
        Last prices, and when they were made: rows of (symbol, price, UTC nanoseconds).
    platform
        What the last digits of results depend on where it was made, by name; empty where nobody told. No decision
        depends on it.
    """

    at: int
    settings: DecisionSettings
    config_digest: str
    account: str
    equity: float
    strategies: Mapping[str, float]
    positions: tuple[tuple[str, str, str], ...]
    profiles: Mapping[str, AssetFactorProfile]
    ways: Mapping[str, tuple[Leg, ...]]
    adv: Mapping[str, float]
    spread_bps: Mapping[str, float]
    days: tuple[str, ...]
    symbols: tuple[str, ...]
    closes: tuple[tuple[float | None, ...], ...]
    last: tuple[tuple[str, float, int], ...]
    platform: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, exactly."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **plain,
            "schema": SCHEMA,
            "settings": self.settings.model_dump(mode="json", include=set(DecisionSettings.model_fields)),
            "strategies": dict(self.strategies),
            "positions": [list(row) for row in self.positions],
            "profiles": {symbol: _plain_profile(profile) for symbol, profile in self.profiles.items()},
            "ways": {symbol: [[leg.symbol, leg.divide] for leg in way] for symbol, way in self.ways.items()},
            "order": list(self.profiles),
            "adv": dict(self.adv),
            "spread_bps": dict(self.spread_bps),
            "days": list(self.days),
            "symbols": list(self.symbols),
            "closes": [list(row) for row in self.closes],
            "last": [list(row) for row in self.last],
            "platform": dict(self.platform),
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], settings: DecisionSettings | None = None) -> Self:
        """Return the genesis that `to_plain` wrote; `settings` stand in place of its own, to ask what if.

        Raises
        ------
        InvalidArgument
            If it is none.
        """
        if plain.get("schema") != SCHEMA:
            raise InvalidArgument(
                f"the genesis is {plain.get('schema')!r}, and this version of rpm reads {SCHEMA!r}: replay the ledger "
                "with the version that wrote it, and begin a new one"
            )
        values = {name: value for name, value in plain.items() if name not in ("schema", "order")}
        order = plain["order"]
        return cls(
            **{
                **values,
                "settings": settings or DecisionSettings.model_validate(plain["settings"], strict=False),
                "positions": tuple((s, symbol, held) for s, symbol, held in plain["positions"]),
                "profiles": {symbol: _profile_of(plain["profiles"][symbol]) for symbol in order},
                "ways": {symbol: tuple(Leg(s, divide=d) for s, d in plain["ways"][symbol]) for symbol in order},
                "days": tuple(plain["days"]),
                "symbols": tuple(plain["symbols"]),
                "closes": tuple(tuple(row) for row in plain["closes"]),
                "last": tuple((s, price, at) for s, price, at in plain["last"]),
            }
        )


def _plain_profile(profile: AssetFactorProfile) -> dict[str, Any]:
    instrument = asdict(profile.instrument)
    clock = profile.instrument.clock
    if clock is not None:
        instrument["clock"] = {"name": clock.name, "zone": clock.zone, "time": clock.time.isoformat()}
    return {
        "instrument": instrument,
        "loadings": {name: [loading.value, loading.source] for name, loading in profile.loadings.items()},
        "origin": profile.origin,
    }


def _profile_of(plain: Mapping[str, Any]) -> AssetFactorProfile:
    instrument = dict(plain["instrument"])
    if instrument["clock"] is not None:
        instrument["clock"] = Clock(**{**instrument["clock"], "time": time.fromisoformat(instrument["clock"]["time"])})
    loadings = {name: Loading(value=value, source=source) for name, (value, source) in plain["loadings"].items()}
    return AssetFactorProfile(instrument=Instrument(**instrument), loadings=loadings, origin=plain["origin"])
