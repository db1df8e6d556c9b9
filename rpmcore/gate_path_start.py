"""What a gate starts from on the path of a stress test: what is held, in account currency, with its past."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import floor, log10
from typing import Self

import numpy as np

from rpmcore.controls.command_time import close_time
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.errors import InputError, InvalidArgument, nearest
from rpmcore.domain.factor_profiles import AssetFactorProfile
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.currencies import Leg
from rpmcore.risk.sizing.exact import exact
from rpmcore.risk.stress.system import Start
from rpmcore.risk.valuation import BookInputs, return_panel

LEAST_GROWTH = 0.01
"""No price falls by more than 99 % in a day: a holding's return may be −100 % and below, as of USDJPY in dollars."""

GRAIN = 1e-11
"""Value of the smallest lot as a fraction of capital, at most: a path holds fractions of shares."""

NOBODY = "book"
"""Who trades what no strategy holds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathGround:
    """What is the same for every path. Made by `of_inputs` or `of_engine`.

    Attributes
    ----------
    settings, config_digest
        Of all decisions.
    account
        ISO code of the account currency.
    profiles, ways
        Of what may be held, by symbol, and from its currency to the account's.
    history
        Daily closes of these and of the pairs on their ways.
    holders
        Strategy by symbol; where several hold it, the one that holds most.
    adv, spread_bps
        By symbol, where known; the volume in account currency.
    """

    settings: DecisionSettings
    config_digest: str
    account: str
    profiles: Mapping[str, AssetFactorProfile]
    ways: Mapping[str, tuple[Leg, ...]]
    history: PriceHistory
    holders: Mapping[str, str]
    adv: Mapping[str, float]
    spread_bps: Mapping[str, float]

    @classmethod
    def of_inputs(cls, inputs: BookInputs, settings: DecisionSettings, config_digest: str) -> Self:
        """Return the ground of a book."""
        rows = inputs.book.holdings
        sizes: dict[str, dict[str, float]] = {}
        for row in rows:
            by_strategy = sizes.setdefault(row.symbol, {})
            name = row.strategy_id or NOBODY
            by_strategy[name] = by_strategy.get(name, 0.0) + abs(row.size)
        priced = inputs.book.capital is not None  # a volume in money is no part of a capital that nobody knows
        return cls(
            settings=settings, config_digest=config_digest, account=inputs.account, profiles=inputs.profiles,
            ways=inputs.ways, history=inputs.history,
            holders={symbol: max(held, key=held.__getitem__) for symbol, held in sizes.items()},
            adv={row.symbol: row.adv for row in rows if row.adv is not None and priced},
            spread_bps={row.symbol: row.spread_bps for row in rows if row.spread_bps is not None},
        )  # fmt: skip

    @classmethod
    def of_engine(cls, engine: DecisionEngine) -> Self:
        """Return the ground of a gate: its instruments and settings, and its past up to now."""
        genesis, held = engine.genesis, dict[str, tuple[float, str]]()
        for (strategy, symbol), quantity in engine.account.positions.items():
            size = abs(float(quantity))
            if symbol not in held or size > held[symbol][0]:
                held[symbol] = size, strategy
        anyone = next(iter(genesis.strategies))
        return cls(
            settings=engine.settings, config_digest=genesis.config_digest, account=genesis.account,
            profiles=genesis.profiles, ways=genesis.ways, history=_past(engine),
            holders={s: held[s][1] if s in held else anyone for s in genesis.profiles},
            adv=genesis.adv, spread_bps=genesis.spread_bps,
        )  # fmt: skip

    def genesis(self, start: Start) -> Genesis:
        """Return what a gate starts from that holds what a path starts with.

        Every asset is an instrument in account currency, whose price is what a quantity of one is worth and moves by
        the returns of the holding. Kind, sector and factor loadings are kept; a pair is no longer two currencies.

        Raises
        ------
        InvalidArgument
            If a symbol is not known.
        InputError
            If the closes are not daily.
        InsufficientData
            If no two days have all prices.
        """
        days, prices, closes = self._closes(start.symbols)
        steps = {s: 10.0 ** floor(log10(GRAIN * start.capital / p)) for s, p in prices.items()}
        at = close_time(days[-1])
        quantities = start.market_values / np.array(list(prices.values()))
        names = tuple(dict.fromkeys(self.holders.get(s, NOBODY) for s in start.symbols))
        return Genesis(
            at=at,
            settings=self.settings,
            config_digest=self.config_digest,
            account=self.account,
            equity=start.capital,
            strategies=dict.fromkeys(names, start.capital / len(names)),
            positions=tuple(
                (self.holders.get(symbol, NOBODY), symbol, format(exact(quantity), "f"))
                for symbol, quantity in zip(start.symbols, quantities.tolist(), strict=True)
                if quantity
            ),
            profiles={s: _in_account(self.profiles[s], self.account, steps[s]) for s in start.symbols},
            ways=dict.fromkeys(start.symbols, ()),
            adv={s: self.adv[s] for s in start.symbols if s in self.adv},
            spread_bps={s: self.spread_bps[s] for s in start.symbols if s in self.spread_bps},
            days=tuple(str(day) for day in days),
            symbols=start.symbols,
            closes=tuple(tuple(row) for row in closes.tolist()),
            last=tuple((symbol, price, at) for symbol, price in prices.items()),
        )

    def _closes(self, symbols: tuple[str, ...]) -> tuple[list[date], dict[str, float], Matrix]:
        """Return the days, the last prices, and the prices on these days (n_days, n_assets)."""
        for symbol in symbols:
            if symbol not in self.profiles:
                meant = nearest(symbol, list(self.profiles))
                raise InvalidArgument(
                    f"the gate does not know {symbol!r}; "
                    + (f"did you mean {meant!r}?" if meant else "give its prices")
                )
        ways = {symbol: self.ways[symbol] for symbol in symbols}
        history = self.history.read(tuple(dict.fromkeys((*symbols, *(leg.symbol for w in ways.values() for leg in w)))))
        if history.intraday:
            raise InputError(
                "a gate measures risk by the day, but rows are nearer than a day apart", source=history.path,
                remedy="give daily closes",
            )  # fmt: skip
        instruments = {symbol: self.profiles[symbol].instrument for symbol in symbols}
        panel = return_panel(history, instruments, ways, lookback=self.settings.gate.starting_history, minimum=1)
        sizes = np.array([instruments[symbol].contract_size for symbol in symbols])
        last = panel.last_closes * panel.rates * sizes
        path = np.cumprod(grown(panel.returns), axis=0)
        whole = np.vstack([np.ones((1, len(symbols))), path])
        days = [day.astype("datetime64[D]").item() for day in panel.dates]
        return days, dict(zip(symbols, last.tolist(), strict=True)), whole * (last / whole[-1])


def grown(returns: Matrix | Vector) -> Matrix:
    """Return 1 + returns, no less than `LEAST_GROWTH`."""
    found: Matrix = np.maximum(1.0 + returns, LEAST_GROWTH)
    return found


def _in_account(profile: AssetFactorProfile, account: str, lot_step: float) -> AssetFactorProfile:
    instrument = replace(profile.instrument, currency=account, base_currency=None, contract_size=1.0, lot_step=lot_step)
    return replace(profile, instrument=instrument)


def _past(engine: DecisionEngine) -> PriceHistory:
    """Return the closes that a gate began with and those that came since, as far as it still has them."""
    genesis, kept = engine.genesis, engine.market.state()
    symbols = engine.market.symbols
    early = [
        (day, dict(zip(genesis.symbols, row, strict=True)))
        for day, row in zip(genesis.days, genesis.closes, strict=True)
        # A gate that has forgotten days after its genesis has forgotten all before them.
        if kept["dates"] and kept["dates"][0] <= genesis.days[-1] and day < kept["dates"][0]
    ]
    rows = [[row.get(symbol) for symbol in symbols] for _, row in early] + kept["closes"]
    return PriceHistory(
        dates=np.array([*(day for day, _ in early), *kept["dates"]], dtype="datetime64[D]"),
        symbols=symbols,
        closes=np.array([[np.nan if price is None else price for price in row] for row in rows], dtype=np.float64),
        path="the prices of the gate",
    )
