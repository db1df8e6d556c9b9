"""A book made ready to be carried through many days: the prices that move it, and how they move together."""

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.crises import Gap
from rpmcore.domain.portfolio import Holding
from rpmcore.risk.asset_shocks import even
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.simulation_model import factor
from rpmcore.risk.stress.shocks import Propagation, gap_victims
from rpmcore.risk.valuation import BookInputs, ReturnPanel, return_panel, value

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StressedBook:
    """What a path needs of a book; A assets, and F prices that move it.

    Attributes
    ----------
    symbols, weights
        Of the assets: (A,) signed market value / capital, summed over rows.
    capital
        In account currency; 1 where the book names none.
    covariance
        (A, A) calm, of the assets' returns in account currency, per day.
    prices
        Symbols of the F prices: the assets' own, then currency pairs that only convert.
    price_covariance, loadings
        (F, F) calm, of the prices' own returns, and its factor L with an even number of columns.
    sides
        (F,) sign of the book's linear exposure to each price; 1 where it has none.
    exposures
        (F,) b: what each price answers to a market return of one.
    legs, divide, own, pair
        See `rpmcore.kernels.stress_paths.revalue`.
    half_spreads, volumes
        (A,) half the bid-ask spread as a fraction of the price, and daily volume / capital; 0 and infinite where the
        book tells none: a cost that is not known is not charged.
    without_beta
        Assets that the market shock is taken against, because nobody knows their beta.
    """

    inputs: BookInputs
    symbols: tuple[str, ...]
    weights: Vector
    capital: float
    covariance: Matrix
    prices: tuple[str, ...]
    price_covariance: Matrix
    loadings: Matrix
    sides: Vector
    exposures: Vector
    legs: Places
    divide: Places
    own: Places
    pair: Places
    half_spreads: Vector
    volumes: Vector
    without_beta: tuple[str, ...]

    @property
    def direction(self) -> Vector:
        """The weights a = b / b'b (F,): a'r is the market return that fits price returns r best; 0 where b is 0."""
        square = float(np.sum(self.exposures * self.exposures))
        return self.exposures / square if square > 0.0 else np.zeros_like(self.exposures)

    @property
    def adverse(self) -> Vector:
        """The direction d = s √diag Σ (F,) in which every stressed correlation points."""
        return self.sides * np.sqrt(np.diagonal(self.price_covariance))

    def gap(self, gap: Gap | None) -> Vector:
        """Return (F,) the sign of the position times the gap of each price that it hits, else 0."""
        found = np.zeros(len(self.prices))
        if gap is not None:
            held = [Holding(symbol=symbol, size=0.0) for symbol in self.symbols]
            victims = gap_victims(gap, held, self.weights.tolist(), self.inputs.instruments)
            for asset, symbol in enumerate(self.symbols):
                if symbol in victims:
                    found[asset] = gap.size if self.weights[asset] >= 0.0 else -gap.size
        return found


def stressed_book(inputs: BookInputs, settings: RiskSettings) -> StressedBook:
    """Return the book of `inputs`, valued at its last prices.

    Both covariances are the calm ones of the settings: a stressed method is replaced by the exponentially weighted
    one, so that no scenario is stressed twice.

    Raises
    ------
    InsufficientData, InputError
        See `return_panel` and `value`.
    """
    chosen = settings.covariance
    method = "ewma" if chosen.method == "stressed" else chosen.method
    estimator = CovarianceMatrixEstimator(chosen, method=method)
    panel = return_panel(
        inputs.history,
        inputs.instruments,
        inputs.ways,
        lookback=chosen.lookback,
        minimum=chosen.minimum,
        return_days=settings.data.return_days,
    )
    valuation = value(inputs.book, inputs.instruments, panel, inputs.account)
    symbols, weights = panel.symbols, valuation.weights
    prices = tuple(dict.fromkeys((*symbols, *(leg.symbol for s in symbols for leg in inputs.ways[s]))))
    own_returns = _price_returns(inputs, panel, prices)
    moved = estimator.estimate(own_returns, symbols=prices, return_days=panel.return_days).matrix
    holdings = estimator.estimate(panel.returns, symbols=symbols, return_days=panel.return_days).matrix
    legs, divide = _legs(inputs, symbols, prices)
    pair = np.array([inputs.instruments[s].base_currency is not None for s in symbols], dtype=np.int64)
    exposures, without = _exposures(inputs, symbols, prices, weights, settings.stress.propagation)
    capital = inputs.book.capital
    spreads, volumes = _liquidity(inputs, symbols, capital)
    return StressedBook(
        inputs=inputs,
        symbols=symbols,
        weights=weights,
        capital=1.0 if capital is None else capital,
        covariance=holdings,
        prices=prices,
        price_covariance=moved,
        loadings=_padded(factor(moved)),
        sides=_sides(weights, legs, divide, pair, len(prices)),
        exposures=exposures,
        legs=legs,
        divide=divide,
        own=np.arange(len(symbols), dtype=np.int64),
        pair=pair,
        half_spreads=spreads,
        volumes=volumes,
        without_beta=without,
    )


def _price_returns(inputs: BookInputs, panel: ReturnPanel, prices: tuple[str, ...]) -> Matrix:
    history = inputs.history
    rows = np.searchsorted(history.dates, panel.dates)
    closes = history.closes[rows][:, [history.symbols.index(symbol) for symbol in prices]]
    return np.ascontiguousarray(closes[panel.return_days :] / closes[: -panel.return_days] - 1.0)


def _legs(inputs: BookInputs, symbols: tuple[str, ...], prices: tuple[str, ...]) -> tuple[Places, Places]:
    longest = max(1, *(len(inputs.ways[symbol]) for symbol in symbols)) if len(symbols) else 1
    legs = np.full((len(symbols), longest), -1, dtype=np.int64)
    divide = np.zeros((len(symbols), longest), dtype=np.int64)
    for asset, symbol in enumerate(symbols):
        for place, leg in enumerate(inputs.ways[symbol]):
            legs[asset, place], divide[asset, place] = prices.index(leg.symbol), leg.divide
    return legs, divide


def _sides(weights: Vector, legs: Places, divide: Places, pair: Places, n_prices: int) -> Vector:
    """Return the sign of ∂(return of the book)/∂(price return) at zero: a pair's gain feels its rate only squared."""
    linear = np.zeros(n_prices)
    linear[: len(weights)] = weights
    for asset in np.flatnonzero(pair == 0):
        for leg, by in zip(legs[asset], divide[asset], strict=True):
            if leg >= 0:
                linear[leg] += -weights[asset] if by else weights[asset]
    return np.where(linear < 0.0, -1.0, 1.0)


def _exposures(
    inputs: BookInputs, symbols: tuple[str, ...], prices: tuple[str, ...], weights: Vector, propagation: Propagation
) -> tuple[Vector, tuple[str, ...]]:
    """Return b (F,) as `rpmcore.risk.stress.shocks.price_move` propagates a falling market, and who has no beta."""
    found, without = np.zeros(len(prices)), []
    for place, symbol in enumerate(prices):
        if place >= len(symbols):
            found[place] = (inputs.pair_betas.get(symbol) or 0.0) if propagation == "beta" else 0.0
            continue
        beta = inputs.instruments[symbol].beta
        if propagation == "uniform":
            found[place] = 1.0
        elif propagation == "beta" and beta is not None:
            found[place] = beta
        else:
            found[place] = 1.0 if weights[place] >= 0.0 else -1.0
            if propagation == "beta":
                without.append(symbol)
    return found, tuple(without)


def _liquidity(inputs: BookInputs, symbols: tuple[str, ...], capital: float | None) -> tuple[Vector, Vector]:
    """Return what the first row of each symbol that tells it says."""

    def told(symbol: str, name: str) -> Any:
        rows = (getattr(h, name) for h in inputs.book.holdings if h.symbol == symbol)
        return next((number for number in rows if number is not None), None)

    spreads = [told(symbol, "spread_bps") for symbol in symbols]
    volumes = [told(symbol, "adv") for symbol in symbols]
    return (
        np.array([0.0 if spread is None else 0.5e-4 * spread for spread in spreads]),
        np.array([inf if adv is None or capital is None else adv / capital for adv in volumes]),
    )


def _padded(loadings: Matrix) -> Matrix:
    padded = np.zeros((loadings.shape[0], even(loadings.shape[1])))
    padded[:, : loadings.shape[1]] = loadings
    return padded
