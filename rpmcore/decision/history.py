"""What an engine takes in before its first command: positions, and the state of the market."""

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from rpmcore.controls.command_time import DAY
from rpmcore.controls.market_readings import WARM_UP, MarketReadings, market_readings
from rpmcore.decision.genesis import Genesis
from rpmcore.domain.errors import InsufficientData
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.valuation import return_panel

if TYPE_CHECKING:
    from rpmcore.decision.engine import DecisionEngine


def positions_of(genesis: Genesis) -> dict[tuple[str, str], Decimal]:
    """Return signed quantities by strategy and symbol."""
    found: dict[tuple[str, str], Decimal] = {}
    for strategy_id, symbol, held in genesis.positions:
        key = (strategy_id, symbol)
        found[key] = found.get(key, Decimal(0)) + Decimal(held)
    return found


def begin(engine: "DecisionEngine") -> None:
    """Show the past to the limits that adapt, and the first snapshot to the kill switches."""
    genesis = engine.genesis
    for day, readings in _past_readings(genesis):
        engine.adaptive.update_market(readings, at=day)
    engine.kill_switches.set_regime(engine.limits(genesis.at).regime, at=genesis.at)
    engine.snapshot(genesis.at, price_effect=0.0, correlation="genesis")


def _past_readings(genesis: Genesis) -> list[tuple[int, MarketReadings]]:
    """Return the days and the readings after them, of the instruments whose risk can be measured."""
    least = genesis.settings.gate.minimum_history
    closes = np.array(
        [[np.nan if price is None else price for price in row] for row in genesis.closes], dtype=np.float64
    ).reshape(len(genesis.days), len(genesis.symbols))
    having = {s for s, n in zip(genesis.symbols, np.isfinite(closes).sum(axis=0), strict=True) if n > least}
    chosen = {
        symbol: profile.instrument
        for symbol, profile in genesis.profiles.items()
        if symbol in having and all(leg.symbol in having for leg in genesis.ways[symbol])
    }
    if not chosen:
        return []
    needed = tuple(dict.fromkeys((*chosen, *(leg.symbol for s in chosen for leg in genesis.ways[s]))))
    history = PriceHistory(
        dates=np.array(genesis.days, dtype="datetime64[D]"),
        symbols=needed,
        closes=np.ascontiguousarray(closes[:, [genesis.symbols.index(symbol) for symbol in needed]]),
        path="the past prices of the gate",
    )
    ways = {symbol: genesis.ways[symbol] for symbol in chosen}
    try:
        panel = return_panel(history, chosen, ways, lookback=len(genesis.days), minimum=WARM_UP)
    except InsufficientData:
        return []
    market = genesis.settings.factors.market
    column = panel.returns.mean(axis=1)
    if market in panel.symbols:
        column = np.ascontiguousarray(panel.returns[:, panel.symbols.index(market)])
    found = market_readings(panel.returns, column, genesis.settings.adaptive)
    days = [int(day.astype("datetime64[D]").astype(int)) * DAY for day in panel.dates[1:]]
    return list(zip(days, found, strict=True))
