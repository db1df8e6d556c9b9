"""Replay of a crisis: the returns of its days on the positions of today, revalued in full."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.domain.crises import Crisis
from rpmcore.domain.errors import InsufficientData, Undefined
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator
from rpmcore.risk.evaluation import money
from rpmcore.risk.report import NO_CAPITAL
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.criteria import failed_loss, failed_ratio
from rpmcore.risk.stress.engine import SEE_PARAMETRIC
from rpmcore.risk.stress.window_prices import HISTORY, WindowPrices, window_prices
from rpmcore.risk.valuation import BookInputs, Valuation, day, holding_returns
from rpmcore.risk.value_at_risk import normal
from rpmcore.risk.volatility import portfolio_volatility


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReplay:
    """One book row in a replay, as fractions of capital; a loss is positive.

    Attributes
    ----------
    origin
        ``history``, or the proxy that stands for the instrument.
    price_move
        Relative change of the price in its own currency, from the start to the trough of the book.
    loss, final_loss
        At the trough of the book, and at the end of the window.
    """

    symbol: str
    strategy_id: str | None
    weight: float
    origin: str
    price_move: float
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    final_loss: float
    final_loss_money: float | None
    final_loss_money_reason: str | None = NO_CAPITAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """A book in the days of one crisis, as fractions of capital; a loss is positive.

    Attributes
    ----------
    window_start, window_end
        As the crisis names them.
    start
        The day of the close before the window, at which the book holds the positions of today.
    dates, loss_path
        Each day of the window, and the fall below the capital at the start by its close.
    loss, trough
        The largest of `loss_path`, and its day; negative for a book that stays above its capital on every day.
    final_loss
        The last of `loss_path`.
    worst_day, worst_day_loss
        The day with the largest fall from the close before, and that fall.
    value_at_risk
        For each day the one-day normal VaR at ``stress.confidence``, forecast at the close before: zero mean, the
        covariance of the settings (the unstressed one for the method ``stressed``) from the returns up to that close,
        and the exposures of that close, which are the quantities of today at its prices.
    var_breach_ratio, breach_day
        The largest over days of the day's fall over its VaR, and the day.
    proxies
        What stands for instruments without prices in the window.
    dropped_rows, missing
        Days of the window left out because some price was missing, and for which prices how many.
    failed_criteria
        Empty if the book passes.
    """

    name: str
    title: str
    mode: str
    window_start: date
    window_end: date
    start: date
    dates: tuple[date, ...]
    loss_path: tuple[float, ...]
    loss: float
    loss_money: float | None
    loss_money_reason: str | None = NO_CAPITAL
    trough: date
    final_loss: float
    worst_day: date
    worst_day_loss: float
    value_at_risk: tuple[float, ...] | None
    value_at_risk_reason: str | None
    var_breach_ratio: float | None
    var_breach_ratio_reason: str | None
    breach_day: date | None
    breach_day_reason: str | None
    proxies: dict[str, str]
    dropped_rows: int
    missing: dict[str, int]
    stressed_var: float | None = None
    stressed_var_reason: str | None = SEE_PARAMETRIC
    liquidation_cost: float | None = None
    liquidation_cost_reason: str | None = SEE_PARAMETRIC
    days_to_liquidate: float | None = None
    days_to_liquidate_reason: str | None = SEE_PARAMETRIC
    passed: bool
    failed_criteria: tuple[str, ...]
    positions: tuple[PositionReplay, ...]


def replay_crisis(
    inputs: BookInputs, valuation: Valuation, history: PriceHistory, crisis: Crisis, settings: RiskSettings
) -> ReplayResult:
    """Return what the positions of today would have lost in the days of a crisis.

    Quantities stay as they are today, and every price and exchange rate moves from its value of today by the relative
    changes of the window. After each day the P&L is revalued in full: that of a currency pair, quantity · (S1 − S0) in
    QUOTE, at the new rate to the account; any other holding changes by P1X1/(P0X0) − 1 of its value. Nothing is
    traded, and no interest is counted.

    Parameters
    ----------
    inputs
        The book of today; its own history is not used here.
    valuation
        Its weights, as `rpmcore.risk.evaluation.assess` gives them.
    history
        Prices that cover the window and, for the VaR forecasts, ``covariance.minimum`` returns before it; see
        `rpmcore.risk.stress.window_prices.symbols_for_replay`.
    crisis
        Gives the window; its parameters are not used.
    settings
        Covariance, market, the largest gap between days, confidence and criteria.

    Returns
    -------
    ReplayResult
        With too little history before the window there are no VaR forecasts, and the reason stands in their place.

    Raises
    ------
    InputError
        If the prices do not cover the window, or an instrument has neither prices nor a proxy there.
    """
    chosen, capital = settings.stress, inputs.book.capital
    found = window_prices(
        history,
        inputs,
        crisis,
        market=settings.factors.market,
        maximum_gap=settings.data.maximum_gap,
        before=settings.covariance.lookback + settings.data.return_days,
    )
    gains = _gains(found)
    path: Vector = 0.0 - gains @ valuation.weights  # which leaves no negative zero
    falls = path - np.concatenate(([0.0], path[:-1]))
    dates = tuple(day(moment) for moment in found.dates[found.start + 1 :])
    trough, worst = int(path.argmax()), int(falls.argmax())
    forecasts, no_forecasts = _forecasts(found, valuation.weights, settings)
    ratio, breach, no_ratio = _breach(falls, forecasts, dates, no_forecasts)
    loss = float(path[trough])
    failed = failed_loss(loss, chosen) + failed_ratio(loss, ratio, chosen, daily=True)
    return ReplayResult(
        name=crisis.name,
        title=crisis.title,
        mode="replay",
        window_start=crisis.window.start,
        window_end=crisis.window.end,
        start=day(found.dates[found.start]),
        dates=dates,
        loss_path=tuple(path.tolist()),
        loss=loss,
        loss_money=money(loss, capital),
        trough=dates[trough],
        final_loss=float(path[-1]),
        worst_day=dates[worst],
        worst_day_loss=float(falls[worst]),
        value_at_risk=forecasts,
        value_at_risk_reason=no_forecasts,
        var_breach_ratio=ratio,
        var_breach_ratio_reason=no_ratio,
        breach_day=None if breach is None else dates[breach],
        breach_day_reason=no_ratio,
        proxies={symbol: origin for symbol, origin in found.origins.items() if origin != HISTORY},
        dropped_rows=found.dropped_rows,
        missing=found.missing,
        passed=not failed,
        failed_criteria=failed,
        positions=_positions(inputs, valuation, found, gains, trough),
    )


def _gains(found: WindowPrices) -> Matrix:
    """Return the gain of each holding since the start over its value then, (n_days, n_assets)."""
    prices, rates = found.prices[found.start :], found.rates[found.start :]
    before = prices[0] * rates[0]
    # The start of a pair is a debt in QUOTE: it is converted at the new rate, as its P&L is.
    cost = np.where(found.pair, prices[0] * rates[1:], before)
    gains: Matrix = (prices[1:] * rates[1:] - cost) / before
    return gains


def _forecasts(
    found: WindowPrices, weights: Vector, settings: RiskSettings
) -> tuple[tuple[float, ...] | None, str | None]:
    """Return the VaR of each day as forecast at the close before, or None and the reason."""
    span, chosen = settings.data.return_days, settings.covariance
    method = "ewma" if chosen.method == "stressed" else chosen.method
    estimator = CovarianceMatrixEstimator(chosen, method=method)
    values = found.prices * found.rates
    exposures = weights * values / values[found.start]
    forecasts = []
    for close in range(found.start, len(found.dates) - 1):
        try:
            rows = slice(max(0, close - chosen.lookback - span + 1), close + 1)
            if rows.stop - rows.start <= span:
                raise InsufficientData("there are no returns before it")
            returns = holding_returns(found.prices[rows], found.rates[rows], found.pair, span)
            cov = estimator.estimate(returns, symbols=tuple(found.origins), return_days=span).matrix
        except (InsufficientData, Undefined) as error:
            return None, f"no VaR can be forecast for {day(found.dates[close + 1])}: {error}"
        volatility = float(portfolio_volatility(exposures[close], cov))
        forecasts.append(normal(volatility, settings.stress.confidence).value_at_risk)
    return tuple(forecasts), None


def _breach(
    falls: Vector, forecasts: tuple[float, ...] | None, dates: tuple[date, ...], reason: str | None
) -> tuple[float | None, int | None, str | None]:
    """Return the largest ratio of a day's fall to its forecast and the day, or None twice and the reason."""
    if forecasts is None:
        return None, None, reason
    ratios = {}
    for i, (fall, forecast) in enumerate(zip(falls.tolist(), forecasts, strict=True)):
        if forecast > 0.0:
            ratios[i] = fall / forecast
        elif fall > 0.0:
            return None, None, f"the VaR forecast for {dates[i]} is zero, but there is a loss"
    if not ratios:
        return None, None, "the VaR forecast for every day is zero"
    breach = max(ratios, key=lambda i: ratios[i])
    return ratios[breach], breach, None


def _positions(
    inputs: BookInputs, valuation: Valuation, found: WindowPrices, gains: Matrix, trough: int
) -> tuple[PositionReplay, ...]:
    moves = found.prices[found.start + 1 + trough] / found.prices[found.start] - 1.0
    capital = inputs.book.capital
    rows = []
    for holding, weight, asset in zip(
        inputs.book.holdings, valuation.row_weights.tolist(), valuation.row_assets.tolist(), strict=True
    ):
        loss, final = -weight * float(gains[trough, asset]), -weight * float(gains[-1, asset])
        rows.append(
            PositionReplay(
                symbol=holding.symbol,
                strategy_id=holding.strategy_id,
                weight=weight,
                origin=found.origins[holding.symbol],
                price_move=float(moves[asset]),
                loss=loss,
                loss_money=money(loss, capital),
                final_loss=final,
                final_loss_money=money(final, capital),
            )
        )
    return tuple(rows)
