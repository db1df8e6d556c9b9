"""Which position the value at risk and the expected shortfall of a method come from, and what it would be without it.

Both are homogeneous of degree one in the weights, so that by Euler's theorem Σ w_i ∂VaR/∂w_i = VaR; and
∂VaR/∂w_i = E[−r_i | L = VaR], ∂ES/∂w_i = E[−r_i | L ≥ VaR]. The methods differ in how they know these means.

References
----------
D. Tasche, "Capital allocation to business units and sub-portfolios: the Euler principle", 2007, sections 2 and 4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist
from typing import Any

import numpy as np

from rpmcore.domain.arrays import Vector, as_matrix, as_vector
from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.domain.portfolio import Holding
from rpmcore.domain.tail_risk import TailRisk
from rpmcore.risk.incremental import BookVariance
from rpmcore.risk.tail_count import tail_count
from rpmcore.risk.tail_inputs import Absent, TailInputs
from rpmcore.risk.tail_methods import filtered, measure, rows_added
from rpmcore.risk.valuation import Valuation
from rpmcore.risk.value_at_risk import Quantile, historical
from rpmcore.risk.volatility import covariance_times


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TailMarginals:
    """What one more unit of weight adds, (n_assets,) each; times the weights they sum to the figure.

    Attributes
    ----------
    value_at_risk
        ∂VaR/∂w_i.
    expected_shortfall
        ∂ES/∂w_i; None where the method has no expected shortfall.
    """

    value_at_risk: Vector
    expected_shortfall: Vector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Value at risk and expected shortfall as fractions of capital, or why there is none."""

    value_at_risk: float | None
    value_at_risk_reason: str | None = None
    expected_shortfall: float | None
    expected_shortfall_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TailComponent:
    """One book row and its part of one figure.

    Attributes
    ----------
    component
        Its Euler parts, which sum to the figures over the rows.
    incremental
        The figures of the book less those without the row. Not the component: a position that hedges as it grows may
        still be one without which the book would lose less.
    if_halved, if_dropped
        The figures of the book with half of the row, and without it.
    """

    symbol: str
    strategy_id: str | None
    weight: float
    component: Figures
    incremental: Figures
    if_halved: Figures
    if_dropped: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class TailDecomposition:
    """One method at one confidence, row by row; `rule` says how the parts are known."""

    method: str
    confidence: float
    horizon: int
    rule: str
    total: Figures
    components: tuple[TailComponent, ...]


def historical_marginals(
    returns: Any, weights: Any, confidence: float, quantile: Quantile = "inverse_cdf"
) -> TailMarginals:
    """Return ∂VaR/∂w and ∂ES/∂w of the historical method.

    The asset losses are averaged over the rows of the tail for the expected shortfall, the last row counted by its
    fraction as in the figure itself. For the value at risk they are regressed on the loss of the book, locally around
    the VaR (a straight line, Gaussian weights, Silverman's bandwidth): the loss of one row alone would be noise, and
    a plain weighted average is pulled toward the centre, where there are more rows. A straight line reproduces the sum
    of the parts, which is the loss itself, so that the parts sum to the VaR without rescaling.

    Parameters
    ----------
    returns
        (n_obs, n_assets) simple returns, oldest first, without NaN.
    weights
        (n_assets,) signed market value / capital.
    confidence
        In (0.5, 1).
    quantile
        As in `rpmcore.risk.value_at_risk.historical`.

    Raises
    ------
    Undefined
        If the P&L does not vary.
    InvalidArgument
        If shapes do not fit, a value is not finite or `confidence` is out of its range.

    References
    ----------
    D. Tasche, "Capital allocation for credit portfolios with kernel estimators", *Quantitative Finance* 9 (2009),
    section 3; J. Fan and I. Gijbels, *Local Polynomial Modelling and Its Applications*, 1996, section 3.2;
    B.W. Silverman, *Density Estimation*, 1986, equation 3.31.
    """
    x, held = as_matrix(returns, "returns"), as_vector(weights, "weights")
    if held.shape[0] != x.shape[1]:
        raise InvalidArgument(f"weights has {held.shape[0]} element(s), but returns has {x.shape[1]} column(s)")
    losses = -(x @ held)
    value_at_risk = historical(-losses, confidence, quantile=quantile).value_at_risk
    return TailMarginals(
        value_at_risk=-_local_line(losses, value_at_risk) @ x,
        expected_shortfall=-_tail_shares(losses, confidence) @ x,
    )


def _tail_shares(losses: Vector, confidence: float) -> Vector:
    """Return the weight of each row in the expected shortfall: 1/k in the tail, the last by its fraction."""
    k = tail_count(losses.shape[0], confidence)
    whole = int(k)
    worst = np.argsort(-losses, kind="stable")
    shares = np.zeros(losses.shape[0])
    shares[worst[:whole]] = 1.0 / k
    if k > whole:
        shares[worst[whole]] = (k - whole) / k
    return shares


def _local_line(losses: Vector, at: float) -> Vector:
    """Return the weights with which a local straight line through (loss, y) reads y at the loss `at`.

    Where a lone loss lies far from the others, the bandwidth reaches its nearest neighbours.
    """
    n = losses.shape[0]
    quartiles = np.percentile(losses, [25.0, 75.0])
    spread = min(float(losses.std()), float(quartiles[1] - quartiles[0]) / 1.349) or float(losses.std())
    if spread <= 1e-12 * float(np.abs(losses).max()):
        raise Undefined("the P&L does not vary, so no position has a share of its tail")
    neighbours = min(n - 1, max(5, ceil(0.5 * n**0.5)))
    reach = float(np.partition(np.abs(losses - at), neighbours)[neighbours])
    apart = (losses - at) / max(0.9 * spread * n**-0.2, reach)
    kernel = np.exp(-0.5 * apart**2)
    first, second = float(kernel @ apart), float(kernel @ apart**2)
    line = kernel * (second - first * apart)
    total = float(line.sum())
    if not total > 0.0:
        raise Undefined("too few losses differ from the value at risk, so no position has a share of it")
    weights: Vector = line / total
    return weights


def decompose(
    method: str, inputs: TailInputs, holdings: Sequence[Holding], valuation: Valuation, confidences: Sequence[float]
) -> tuple[TailDecomposition, ...]:
    """Return the parts of each book row in one method's figures, one decomposition per confidence.

    Parameters
    ----------
    method
        A key of `RULES`.
    inputs
        Of the book; figures are over the horizon of its settings.
    holdings, valuation
        The rows of the book and their weights.
    confidences
        Each in (0.5, 1).

    Raises
    ------
    InvalidArgument
        If the method is unknown or an argument is out of its range.
    """
    if method not in RULES:
        raise InvalidArgument(f"method must be one of {', '.join(RULES)}, but is {method!r}")
    figures = measure(method, inputs, confidences)
    marginals = [_marginals(method, inputs, figure) for figure in figures]
    rows = list(zip(holdings, valuation.row_weights.tolist(), valuation.row_assets.tolist(), strict=True))
    halved, dropped = (
        _without(method, inputs, figures, [(asset, -part * weight) for _, weight, asset in rows]) for part in (0.5, 1.0)
    )
    return tuple(
        TailDecomposition(
            method=method,
            confidence=figure.confidence,
            horizon=inputs.settings.tail_risk.horizon,
            rule=RULES[method][1],
            total=_figures(figure),
            components=tuple(
                TailComponent(
                    symbol=holding.symbol,
                    strategy_id=holding.strategy_id,
                    weight=weight,
                    component=_part(figure, marginals[place], asset, weight),
                    incremental=_difference(_figures(figure), _figures(dropped[row][place])),
                    if_halved=_figures(halved[row][place]),
                    if_dropped=_figures(dropped[row][place]),
                )
                for row, (holding, weight, asset) in enumerate(rows)
            ),
        )
        for place, figure in enumerate(figures)
    )


Figure = TailRisk | Absent


def _figures(figure: Figure) -> Figures:
    if isinstance(figure, Absent):
        return _none(figure.reason)
    return Figures(
        value_at_risk=figure.value_at_risk,
        expected_shortfall=figure.expected_shortfall,
        expected_shortfall_reason=figure.expected_shortfall_reason,
    )


def _none(reason: str) -> Figures:
    return Figures(
        value_at_risk=None, value_at_risk_reason=reason, expected_shortfall=None, expected_shortfall_reason=reason
    )


def _part(figure: Figure, marginals: TailMarginals | str, asset: int, weight: float) -> Figures:
    if isinstance(marginals, str):
        return _none(marginals)
    shortfall = marginals.expected_shortfall
    return Figures(
        value_at_risk=weight * float(marginals.value_at_risk[asset]),
        expected_shortfall=None if shortfall is None else weight * float(shortfall[asset]),
        expected_shortfall_reason=_figures(figure).expected_shortfall_reason,
    )


def _difference(whole: Figures, without: Figures) -> Figures:
    def less(of: str) -> tuple[float | None, str | None]:
        one, other = getattr(whole, of), getattr(without, of)
        reason = getattr(whole, f"{of}_reason") or getattr(without, f"{of}_reason")
        return (None, reason) if one is None or other is None else (one - other, None)

    (var, why_var), (shortfall, why_shortfall) = less("value_at_risk"), less("expected_shortfall")
    return Figures(
        value_at_risk=var,
        value_at_risk_reason=why_var,
        expected_shortfall=shortfall,
        expected_shortfall_reason=why_shortfall,
    )


def _marginals(method: str, inputs: TailInputs, figure: Figure) -> TailMarginals | str:
    """Return the marginals of one figure, or why there are none."""
    if isinstance(figure, Absent):
        return figure.reason
    try:
        return RULES[method][0](inputs, figure)
    except Undefined as error:
        return str(error)


def _without(
    method: str, inputs: TailInputs, figures: Sequence[Figure], changes: Sequence[tuple[int, float]]
) -> list[list[Figure]]:
    """Return, for each (asset, change of its weight), the figures of the book after it.

    What does not depend on the weights is done once: the filter; and the paths of a simulation, because a linear book
    under elliptical shocks moves with its volatility alone.
    """
    if all(isinstance(figure, Absent) for figure in figures):
        return [list(figures) for _ in changes]
    confidences = [figure.confidence for figure in figures]
    if method == "filtered_historical" and inputs.settings.tail_risk.horizon == 1:
        method, inputs = "historical", filtered(inputs)
    book, before = BookVariance.of(inputs.weights, inputs.covariance.matrix), inputs.volatility
    found = []
    for asset, change in changes:
        volatility = book.volatility_after(asset, change)
        if method == "monte_carlo":
            factor = volatility / before if before > 0.0 else 0.0
            found.append([f if isinstance(f, Absent) else f.times(factor) for f in figures])
        else:
            found.append(measure(method, inputs.after(asset, change, volatility), confidences))
    return found


def _of_historical(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    chosen = inputs.settings
    factor = (chosen.tail_risk.horizon / chosen.data.return_days) ** 0.5
    one = historical_marginals(inputs.returns, inputs.weights, figure.confidence, chosen.tail_risk.quantile)
    return _times(one, factor)


def _of_filtered(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    if inputs.settings.tail_risk.horizon > 1:
        raise Undefined("the parts of a filtered simulation are known for one day only")
    return _of_historical(filtered(inputs), figure)


def _of_normal(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    chosen = inputs.settings
    horizon = chosen.tail_risk.horizon
    slope = _slope(inputs) * horizon**0.5
    mean = np.zeros(slope.shape[0])
    if chosen.tail_risk.mean == "sample":
        mean = inputs.returns.mean(axis=0) / chosen.data.return_days * horizon
    law, tail = NormalDist(), 1.0 - figure.confidence
    z = law.inv_cdf(figure.confidence)
    return TailMarginals(value_at_risk=z * slope - mean, expected_shortfall=law.pdf(z) / tail * slope - mean)


def _of_simulation(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    share = _slope(inputs) / inputs.volatility
    es = figure.expected_shortfall
    return TailMarginals(
        value_at_risk=share * figure.value_at_risk, expected_shortfall=None if es is None else share * es
    )


def _slope(inputs: TailInputs) -> Vector:
    """Return ∂σ/∂w = Σw/σ."""
    sigma = inputs.volatility
    if sigma <= 0.0:
        raise Undefined("the book has no volatility, so no position has a share of it")
    slope: Vector = covariance_times(inputs.weights, inputs.covariance.matrix) / sigma
    return slope


def _of_student_t(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    """E[−r_i | L = l] = −m_i + b_i (l + m), which is exact for elliptical returns: b = cov(r_i, P)/var(P)."""
    chosen = inputs.settings
    factor = (chosen.tail_risk.horizon / chosen.data.return_days) ** 0.5
    pnl, mean = inputs.pnl, inputs.returns.mean(axis=0)
    centred = pnl - pnl.mean()
    variance = float(centred @ centred)
    if variance == 0.0:
        raise Undefined("the P&L does not vary, so no position has a share of it")
    slope = centred @ inputs.returns / variance
    middle = float(mean @ inputs.weights)

    def at(loss: float | None) -> Vector | None:
        return None if loss is None else factor * (slope * (loss / factor + middle) - mean)

    value_at_risk = at(figure.value_at_risk)
    assert value_at_risk is not None  # noqa: S101 - a figure has one
    return TailMarginals(value_at_risk=value_at_risk, expected_shortfall=at(figure.expected_shortfall))


def _of_cornish_fisher(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    from rpmcore.risk.cornish_fisher import cornish_fisher_marginals

    chosen = inputs.settings
    rows = rows_added(chosen)
    value_at_risk, shortfall = cornish_fisher_marginals(inputs.returns, inputs.weights, figure.confidence, days=rows)
    factor = (chosen.tail_risk.horizon / (rows * chosen.data.return_days)) ** 0.5
    drift = np.zeros(inputs.weights.shape[0])
    if chosen.tail_risk.mean == "sample":
        drift = inputs.returns.mean(axis=0) * chosen.tail_risk.horizon / chosen.data.return_days
    return TailMarginals(value_at_risk=value_at_risk * factor - drift, expected_shortfall=shortfall * factor - drift)


def _of_extreme_value(inputs: TailInputs, figure: TailRisk) -> TailMarginals:
    from rpmcore.risk.extreme_value import extreme_value_marginals

    chosen = inputs.settings
    value_at_risk, shortfall = extreme_value_marginals(
        inputs.returns, inputs.weights, figure.confidence, chosen.tail_risk.tail_share
    )
    factor = (chosen.tail_risk.horizon / chosen.data.return_days) ** 0.5
    return _times(TailMarginals(value_at_risk=value_at_risk, expected_shortfall=shortfall), factor)


def _times(marginals: TailMarginals, factor: float) -> TailMarginals:
    es = marginals.expected_shortfall
    return TailMarginals(
        value_at_risk=marginals.value_at_risk * factor, expected_shortfall=None if es is None else es * factor
    )


RULES: Mapping[str, tuple[Callable[[TailInputs, TailRisk], TailMarginals], str]] = {
    "historical": (_of_historical, "CVaR: mean of the tail rows; VaR: local linear regression on the loss"),
    "filtered_historical": (_of_filtered, "as historical, on the filtered rows"),
    "normal": (_of_normal, "exact: share of the volatility"),
    "student_t": (_of_student_t, "regression on the P&L, exact for elliptical returns"),
    "cornish_fisher": (_of_cornish_fisher, "exact: slopes of volatility, skewness and kurtosis"),
    "extreme_value": (_of_extreme_value, "approximate: mean of the rows beyond the threshold, scaled to the figure"),
    "monte_carlo": (_of_simulation, "exact: share of the volatility"),
}
"""For each method its marginals, and how a report calls them."""
