"""What the book that is held now would lose in the crises: ``rpm.stress/1``, outside the thread that decides."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from rpmcore.crises import chosen_crises
from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.gate import RiskGate
from rpmcore.gate_path_start import PathGround
from rpmcore.inputs import asset_database
from rpmcore.risk.stress.study import StressInputs, run_stress
from rpmcore.risk.valuation import BookInputs
from rpmcore.server.desk import Desk
from rpmcore.server.published import Published, State


class HeldStress:
    """Stress tests of what is held, each kept until the book has changed and some time has passed.

    Parameters
    ----------
    desk, published
        Of the service.
    gate
        Read here once, before the desk begins.
    seconds
        Between two tests, at least.
    clock
        Seconds that never run backwards.
    """

    def __init__(
        self, desk: Desk, published: Published, gate: RiskGate, seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._desk, self._published, self._seconds, self._clock = desk, published, seconds, clock
        self._ground = _key(gate.engine), PathGround.of_engine(gate.engine)
        self._kept: tuple[dict[str, Any], float] | None = None
        self._one = asyncio.Lock()

    async def report(self) -> Mapping[str, Any]:
        """Return ``rpm.stress/1`` of the book that is held, with the revision that it was held at.

        Raises
        ------
        RpmError
            If it cannot be valued, or the history is too short.
        """
        async with self._one:
            state = self._published.state
            if self._kept is not None:
                found, at = self._kept
                if found["revision"] == state.revision or self._clock() - at < self._seconds:
                    return found
            ground = await self._ground_of(state)
            found = await asyncio.to_thread(stressed, state, ground)
            self._kept = found, self._clock()
            return found

    async def _ground_of(self, state: State) -> PathGround:
        """Return prices, profiles and settings; they are read anew after closes or other settings alone."""
        if (state.plain["last_bar"], state.plain["config_digest"]) != self._ground[0]:
            self._ground = await self._desk.ask(lambda gate: (_key(gate.engine), PathGround.of_engine(gate.engine)))
        return self._ground[1]


def stressed(state: State, ground: PathGround) -> dict[str, Any]:
    """Return ``rpm.stress/1`` of the positions of a state, in all crises, by the parametric mode.

    Raises
    ------
    RpmError
        If a position cannot be valued, or the history is too short.
    """
    inputs = _inputs(state.plain, ground)
    given = StressInputs(inputs=inputs, alone=inputs, replayed=lambda: ground.history)
    report = to_plain(run_stress(given, chosen_crises(), ground.settings))
    return {"schema": "rpm.stress/1", "revision": state.revision, "config_digest": ground.config_digest, **report}


def _key(engine: DecisionEngine) -> tuple[str | None, str]:
    return engine.market.last_day, engine.genesis.config_digest


def _inputs(plain: Mapping[str, Any], ground: PathGround) -> BookInputs:
    positions, equity = plain["positions"], plain["equity"]
    if not positions:
        raise InvalidArgument("nothing is held: there is nothing to lose")
    unknown = [position["symbol"] for position in positions if position["value"] is None]
    if unknown or equity <= 0.0:
        raise InvalidArgument(f"no price or rate of {', '.join(unknown)} is known" if unknown else "no equity is left")
    holdings = tuple(
        Holding(
            symbol=position["symbol"], size=position["value"], strategy_id=position["strategy_id"],
            adv=ground.adv.get(position["symbol"]), spread_bps=ground.spread_bps.get(position["symbol"]),
        )
        for position in positions
    )  # fmt: skip
    book = Book(
        holdings=holdings, sizing="market_value", source="memory", path=None, capital=equity,
        base_currency=ground.account,
    )  # fmt: skip
    symbols = tuple(dict.fromkeys(holding.symbol for holding in holdings))
    ways = {symbol: ground.ways[symbol] for symbol in symbols}
    legs = {leg.symbol for way in ways.values() for leg in way}
    database = asset_database(None)
    return BookInputs(
        book=book, history=ground.history.read(tuple(dict.fromkeys((*symbols, *sorted(legs))))), account=ground.account,
        account_assumed=False, profiles={symbol: ground.profiles[symbol] for symbol in symbols}, ways=ways,
        pair_betas={leg: database.resolve(leg).instrument.beta for leg in legs},
    )  # fmt: skip
