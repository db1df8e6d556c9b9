"""Prices as the gate knows them: the last of each instrument, and the past from which risk is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.market_readings import MarketReadings, latest_readings
from rpmcore.decision.magnitude import check_positive
from rpmcore.domain.arrays import Matrix
from rpmcore.domain.errors import InsufficientData, InvalidArgument, Undefined
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.currencies import Leg
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.trade_impact.rules import Rules
from rpmcore.risk.trade_impact.worst_case import WorstCase
from rpmcore.risk.valuation import return_panel

GATE_HISTORY = "the prices of the gate"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskModel:
    """What risk is measured with until the next close.

    Attributes
    ----------
    index
        Place of each instrument whose risk can be measured.
    covariance
        (n, n) of the settings' method, per period.
    ewma
        (n, n) behind the normal value at risk; the same object where the method is ewma.
    returns
        (n_obs, n) for the historical measures, in account currency.
    n_effective
        Rows behind `ewma`, counted by their weights.
    volatilities
        (n,) per period, by `covariance`.
    unmoved
        Places of instruments whose price never moved within `returns`: past P&L says nothing of their risk.
    """

    index: Mapping[str, int]
    covariance: Matrix
    ewma: Matrix
    returns: Matrix
    n_effective: float
    volatilities: tuple[float, ...]
    unmoved: frozenset[int]


class Market:
    """Closes by day, last prices with their times, and the risk model that rests on them.

    The covariance spans every instrument that the gate may trade, held or not, so that what it is shrunk toward does
    not change with the book.

    Parameters
    ----------
    instruments
        What may be traded, by symbol.
    ways
        From the currency of each to the account's.
    account
        ISO code of the account currency.
    settings
        The sections ``data``, ``covariance`` and ``tail_risk``.
    minimum_history
        Returns that an instrument needs.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        ways: Mapping[str, Sequence[Leg]],
        account: str,
        settings: RiskSettings,
        minimum_history: int,
    ) -> None:
        self.instruments, self.ways, self.account = instruments, ways, account
        self._settings, self._minimum = settings, minimum_history
        legs = (leg.symbol for way in ways.values() for leg in way)
        self.symbols = tuple(dict.fromkeys((*instruments, *legs)))
        longest = max(settings.covariance.lookback, settings.tail_risk.lookback, minimum_history)
        self._rows = longest + settings.data.return_days
        self._dates: list[str] = []
        self._closes: list[list[float]] = []
        self.last: dict[str, tuple[float, int]] = {}
        self._unit_values: dict[str, float | None] = {}
        self.model: RiskModel | None = None
        self._empty_book: tuple[float, WorstCase] | None = None
        self.model_reason = "there is no history of prices"

    # What is asked

    @property
    def last_day(self) -> str | None:
        """The day of the last closes, None before any."""
        return self._dates[-1] if self._dates else None

    def price(self, symbol: str) -> tuple[float, int] | None:
        """Return the last price of an instrument and its time, or None."""
        return self.last.get(symbol)

    def rate(self, symbol: str) -> tuple[float, int] | None:
        """Return the account's currency for one unit of the instrument's, and the time of its oldest leg, or None.

        The time is that of the instrument's own price where no rate is needed.
        """
        total, oldest = 1.0, None
        for leg in self.ways[symbol]:
            found = self.last.get(leg.symbol)
            if found is None:
                return None
            total = total / found[0] if leg.divide else total * found[0]
            oldest = found[1] if oldest is None else min(oldest, found[1])
        if oldest is None:
            own = self.last.get(symbol)
            return None if own is None else (1.0, own[1])
        return total, oldest

    def unit_value(self, symbol: str) -> float | None:
        """Return what a quantity of one is worth in account currency at the last prices, or None."""
        if symbol not in self._unit_values:
            self._unit_values[symbol] = self._unit_value(symbol)
        return self._unit_values[symbol]

    def _unit_value(self, symbol: str) -> float | None:
        instrument = self.instruments[symbol]
        if instrument.base_currency == self.account:
            return instrument.contract_size
        price, rate = self.last.get(symbol), self.rate(symbol)
        return None if price is None or rate is None else instrument.contract_size * price[0] * rate[0]

    def empty_book(self, stress: float) -> WorstCase:
        """Return a book that holds nothing, from which any other is made (`WorstCase.anew`).

        Parameters
        ----------
        stress
            θ of the regime.

        Raises
        ------
        Undefined
            If there is no risk model, for `model_reason`.
        InvalidArgument
            If its numbers are none.
        """
        model = self.model
        if model is None:
            raise Undefined(self.model_reason)
        if self._empty_book is None or self._empty_book[0] != stress:
            rules = Rules.of(self._settings, len(model.returns), model.n_effective, stress)
            book = WorstCase.of(
                np.zeros(len(model.index)), model.covariance, model.returns, rules,
                ewma=None if model.ewma is model.covariance else model.ewma,
            )  # fmt: skip
            self._empty_book = (stress, book)
        return self._empty_book[1]

    # What happens

    def check(self, prices: Mapping[str, float]) -> None:
        """Refuse prices that are none.

        Raises
        ------
        InvalidArgument
            If one is not positive, not finite or out of all proportion, or its instrument is not known; names the
            first.
        """
        for symbol, price in prices.items():
            if symbol not in self.symbols:
                raise InvalidArgument(f"price of {symbol!r}, which is not among the instruments of this gate")
            check_positive(price, f"price of {symbol!r}")

    def check_day(self, day: str) -> None:
        """Refuse closes of a day that is none, or not later than the last.

        Raises
        ------
        InvalidArgument
            With what was found.
        """
        try:
            found = date.fromisoformat(day).isoformat()
        except (TypeError, ValueError):
            raise InvalidArgument(f"closes of {day!r}: a day such as 2020-03-16 is needed") from None
        if self._dates and found <= self._dates[-1]:
            raise InvalidArgument(f"closes of {day} after those of {self._dates[-1]}: one row a day, in order")

    def quote(self, prices: Mapping[str, float], at: int) -> None:
        """Take last prices."""
        for symbol, price in prices.items():
            self.last[symbol] = (float(price), at)
        self._unit_values.clear()

    def add_closes(self, day: str, closes: Mapping[str, float]) -> None:
        """Take the closes of a day that was checked into the past, and measure risk anew."""
        self._append(day, closes)
        self.measure()

    def start(self, days: Sequence[str], closes: Sequence[Sequence[float | None]], symbols: Sequence[str]) -> None:
        """Take the past: one row a day, None where there is no price; last prices are not known from it."""
        for day, row in zip(days, closes, strict=True):
            self.check_day(day)
            self._append(day, {s: p for s, p in zip(symbols, row, strict=True) if p is not None})
        self.measure()

    def _append(self, day: str, closes: Mapping[str, float]) -> None:
        self._dates.append(day)
        self._closes.append([float(closes.get(symbol, np.nan)) for symbol in self.symbols])
        # Rows that lack a price are not used, so that more than the window must be kept.
        if len(self._dates) > 2 * self._rows:
            del self._dates[0], self._closes[0]

    def readings(self, market: str, adaptive: AdaptiveSettings) -> MarketReadings:
        """Return the state of the market after the last close, from the window of the risk model."""
        if self.model is None:
            return MarketReadings()
        found = self.model.returns
        column = self.model.index.get(market)
        of_market = found.mean(axis=1) if column is None else np.ascontiguousarray(found[:, column])
        return latest_readings(found, of_market, adaptive)

    def measure(self) -> None:
        """Build the risk model of the closes at hand; where there is none, say why."""
        self._empty_book = None
        closes = np.array(self._closes)
        enough = np.isfinite(closes).sum(axis=0) > self._minimum if len(closes) else np.zeros(len(self.symbols), bool)
        having = {symbol for symbol, ok in zip(self.symbols, enough, strict=True) if ok}
        chosen = {
            symbol: instrument
            for symbol, instrument in self.instruments.items()
            if symbol in having and all(leg.symbol in having for leg in self.ways[symbol])
        }
        if not chosen:
            self.model, self.model_reason = None, f"no instrument has {self._minimum} returns"
            return
        needed = tuple(dict.fromkeys((*chosen, *(leg.symbol for s in chosen for leg in self.ways[s]))))
        history = PriceHistory(
            dates=np.array(self._dates, dtype="datetime64[D]"),
            symbols=needed,
            closes=np.ascontiguousarray(closes[:, [self.symbols.index(symbol) for symbol in needed]]),
            path=GATE_HISTORY,
        )
        try:
            self.model = self._model(history, chosen)
        except (InsufficientData, Undefined, InvalidArgument) as error:
            self.model, self.model_reason = None, str(error)

    def _model(self, history: PriceHistory, chosen: Mapping[str, Instrument]) -> RiskModel:
        settings, days = self._settings, self._settings.data.return_days
        panel = return_panel(
            history, chosen, {s: self.ways[s] for s in chosen},
            lookback=max(settings.covariance.lookback, settings.tail_risk.lookback),
            minimum=max(settings.covariance.minimum, settings.tail_risk.minimum), return_days=days,
        )  # fmt: skip
        ewma = CovarianceMatrixEstimator(settings.covariance, method="ewma").estimate(
            panel.returns, symbols=panel.symbols, return_days=days
        )
        matrix, chosen_method = ewma.matrix, settings.covariance.method
        if chosen_method == "stressed":
            # Its signs follow the weights, so that its correlations are stressed where the book is known.
            matrix = matrix * settings.covariance.volatility_multiplier**2
        elif chosen_method != "ewma":
            estimator = CovarianceMatrixEstimator(settings.covariance)
            matrix = estimator.estimate(panel.returns, symbols=panel.symbols, return_days=days).matrix
        window = np.ascontiguousarray(panel.returns[-settings.tail_risk.lookback :])
        return RiskModel(
            index={symbol: i for i, symbol in enumerate(panel.symbols)},
            covariance=matrix,
            ewma=ewma.matrix,
            returns=window,
            n_effective=ewma.n_effective,
            volatilities=tuple(float(v) for v in np.sqrt(np.diagonal(matrix))),
            unmoved=frozenset(np.flatnonzero(~window.any(axis=0)).tolist()),
        )

    def state(self) -> dict[str, Any]:
        """Return everything in JSON's types, exactly; None is a missing close."""
        return {
            "dates": list(self._dates),
            "closes": [[price if price == price else None for price in row] for row in self._closes],
            "last": {symbol: [price, at] for symbol, (price, at) in self.last.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self._dates = list(state["dates"])
        self._closes = [[np.nan if price is None else price for price in row] for row in state["closes"]]
        self.last = {symbol: (price, at) for symbol, (price, at) in state["last"].items()}
        self._unit_values.clear()
        self.measure()
