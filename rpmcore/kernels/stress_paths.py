"""A block of crises day by day: shocks of every price, the market tied to its total, and a book carried through."""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.asset_shocks import add_loaded, asset_shocks
from rpmcore.kernels.random_numbers import exponential_less_one, mixing_scales
from rpmcore.kernels.simulation import MIXING, PURPOSES, fill

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Cube = NDArray[np.float64]
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

LOWEST_MOVE = -0.99
"""No price falls further in a day: a rate of zero has no inverse to convert with."""

LARGEST_EXPONENT = 40.0
"""Where `exponential_less_one` ends; a market that moves by a factor of e⁴⁰ in a day is no market."""

STOPPED = 1
"""The control of `run_books` that stands before its rules."""


@kernel("(u8[::1], f8, u8, f8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], i8[::1], f8[:, ::1], f8[:, :, ::1])")
def shocked_days(
    paths: Words,
    dof: float,
    seed: np.uint64,
    loadings: Matrix,
    adverse: Vector,
    volatility: Matrix,
    correlation: Matrix,
    durations: Places,
    scales: Matrix,
    moves: Cube,
) -> None:
    """Write the stressed shocks of every price into `moves` (paths, days, prices), and the scales behind them.

    x = v (√(1−θ) L z + √θ d y): of covariance v² ((1−θ) Σ + θ d dᵀ), Σ = LLᵀ and d = s √diag Σ, which is the
    stressed covariance without a factor of it for each θ.

    Parameters
    ----------
    loadings
        L (prices, factors), with an even number of factors.
    adverse
        d (prices,).
    volatility, correlation
        v and θ (paths, days).
    durations
        (paths,) days of each path; later ones are left as they are.
    scales
        (paths, days) of the mixing variable, 1 for normal shocks.
    """
    m, n = moves.shape[0], moves.shape[2]
    n_factors = loadings.shape[1]
    shocks, loaded, scale = np.empty((n_factors + 2, m)), np.empty((m, n)), np.empty(m)
    longest = 0
    for i in range(m):
        longest = max(longest, durations[i])
    for day in range(longest):
        asset_shocks(paths, dof, np.uint64(day), seed, shocks)
        for i in range(m):
            for k in range(n):
                loaded[i, k] = 0.0
        add_loaded(loadings, shocks[:n_factors], loaded)
        if dof < np.inf:
            mixing_scales(paths, PURPOSES * np.uint64(day) + MIXING, seed, dof, scale)
        else:
            fill(scale, 1.0)
        for i in range(m):
            if day < durations[i]:
                scales[i, day] = scale[i]
                own = volatility[i, day] * math.sqrt(1.0 - correlation[i, day])
                shared = volatility[i, day] * math.sqrt(correlation[i, day]) * shocks[n_factors, i]
                for k in range(n):
                    moves[i, day, k] = own * loaded[i, k] + shared * adverse[k]


@kernel(
    "(f8[:, ::1], f8[:, ::1], f8[:, ::1], i8[::1], f8[::1], f8[::1], f8[:, ::1], f8, f8, f8[::1], f8[:, ::1],"
    " f8[:, :, ::1])"
)
def tie_market(
    scales: Matrix,
    volatility: Matrix,
    correlation: Matrix,
    durations: Places,
    exposures: Vector,
    direction: Vector,
    gaps: Matrix,
    own_variance: float,
    shared_variance: float,
    log_shocks: Vector,
    market: Matrix,
    moves: Cube,
) -> None:
    """Turn shocks into price moves whose market compounds to its shock, in place; write the market's returns.

    ℓ(t) = a'x(t) of variance V(t) = s² v² ((1−θ) a'Σa + θ (a'd)²) becomes ℓ + V(t)/ΣV (B − Σℓ), the market's return
    m = e^ℓ − 1, and the move of a price b m + (x − b a'x).

    Parameters
    ----------
    exposures, direction
        b and a (prices,); a'b = 1, or a = 0 where no price knows the market.
    gaps
        (paths, prices) sign of the position times the size of the gap on the first day; 0 for none.
    own_variance, shared_variance
        a'Σa and (a'd)².
    log_shocks
        B (paths,): ln(1 + market shock).
    """
    m, n = moves.shape[0], moves.shape[2]
    for i in range(m):
        days = durations[i]
        drawn, bridged = np.empty(days), np.empty(days)
        total, whole = 0.0, 0.0
        for t in range(days):
            along = 0.0
            for k in range(n):
                along += direction[k] * moves[i, t, k]
            spread = scales[i, t] * volatility[i, t]
            theta = correlation[i, t]
            drawn[t] = along
            bridged[t] = spread * spread * ((1.0 - theta) * own_variance + theta * shared_variance)
            total += along
            whole += bridged[t]
        for t in range(days):
            share = bridged[t] / whole if whole > 0.0 else 1.0 / days
            bridged[t] = drawn[t] + share * (log_shocks[i] - total)
            market[i, t] = min(abs(bridged[t]), LARGEST_EXPONENT)
        exponential_less_one(market[i, :days])
        for t in range(days):
            if bridged[t] < 0.0:
                market[i, t] = -market[i, t] / (1.0 + market[i, t])
            change = market[i, t] - drawn[t]
            for k in range(n):
                moves[i, t, k] = max(moves[i, t, k] + exposures[k] * change, LOWEST_MOVE)
        for k in range(n):
            if gaps[i, k] > 0.0:
                moves[i, 0, k] = min(moves[i, 0, k], -gaps[i, k])
            elif gaps[i, k] < 0.0:
                moves[i, 0, k] = max(moves[i, 0, k], -gaps[i, k])


@kernel("(f8[:, :, ::1], i8[::1], i8[:, ::1], i8[:, ::1], i8[::1], i8[::1], f8[:, :, ::1], f8[:, :, ::1])")
def revalue(
    moves: Cube,
    durations: Places,
    legs: Places,
    divide: Places,
    own: Places,
    pair: Places,
    returns: Cube,
    growth: Cube,
) -> None:
    """Write what the price moves do to each holding in account currency (paths, days, assets).

    `returns` is the gain over the old value and `growth` the new market value over the old one; they differ by one but
    for a currency pair, whose gain is converted at the new rate while its market value moves by both.

    Parameters
    ----------
    legs, divide
        (assets, longest way): which prices convert, −1 for none, and whether they divide.
    own, pair
        (assets,): the asset's own price, and 1 for a currency pair.
    """
    for i in range(moves.shape[0]):
        for t in range(durations[i]):
            move = moves[i, t]
            for a in range(own.shape[0]):
                rate = 1.0
                for j in range(legs.shape[1]):
                    if legs[a, j] >= 0:
                        factor = 1.0 + move[legs[a, j]]
                        rate = rate / factor if divide[a, j] == 1 else rate * factor
                growth[i, t, a] = (1.0 + move[own[a]]) * rate
                returns[i, t, a] = move[own[a]] * rate if pair[a] == 1 else growth[i, t, a] - 1.0


@kernel("(f8[::1], f8[:, ::1], f8[::1])")
def variance_of(held: Vector, cov: Matrix, product: Vector) -> float:
    """Return wᵀΣw of what is known to be a covariance, from its upper half; `product` is for what is right of it.

    The inner loop adds a scaled row and vectorises without reordering any sum.
    """
    n = held.shape[0]
    fill(product, 0.0)
    for a in range(n):
        row, right = cov[a, a:], product[a:]
        w = held[a]
        for b in range(row.shape[0]):
            right[b] += w * row[b]
    total = 0.0
    for a in range(n):
        # Above the diagonal every product counts twice, on it once.
        total += held[a] * (2.0 * product[a] - held[a] * cov[a, a])
    return total


@kernel("(f8[::1], f8, f8[:, ::1])")
def learn(returns: Vector, decay: float, cov: Matrix) -> None:
    """Make the upper half of `cov` the exponentially weighted covariance that knows these returns as well."""
    for a in range(returns.shape[0]):
        row, later = cov[a, a:], returns[a:]
        fresh = (1.0 - decay) * later[0]
        for b in range(row.shape[0]):
            row[b] = decay * row[b] + fresh * later[b]


@kernel("(f8[::1], f8[::1], f8[::1])")
def grow(returns: Vector, growth: Vector, held: Vector) -> float:
    """Carry market values over one day, in place, and return their gain."""
    gain = 0.0
    for a in range(held.shape[0]):
        gain += held[a] * returns[a]
        held[a] *= growth[a]
    return gain


@kernel("(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8, f8, f8, f8, f8)")
def trade(
    held: Vector,
    goal: Vector,
    half_spreads: Vector,
    volumes: Vector,
    volatilities: Vector,
    spread: float,
    left: float,
    volatility: float,
    participation: float,
    impact: float,
) -> float:
    """Bring a book as near to `goal` as the market lets it, in place; return what that costs.

    At most volume × `left` × `participation` of each asset; half the spread × `spread`, and impact × stressed
    volatility × √(size / volume left), on what is traded. An infinite volume bounds nothing and has no impact.
    """
    cost = 0.0
    for a in range(held.shape[0]):
        volume = volumes[a] * left
        room = volume * participation
        size = min(max(goal[a] - held[a], -room), room)
        if size != 0.0:
            each = half_spreads[a] * spread
            if volume < np.inf:
                each += impact * volatilities[a] * volatility * math.sqrt(abs(size) / volume)
            cost += each * abs(size)
            held[a] += size
    return cost


@kernel("(f8, f8, f8)")
def breach(gain: float, variance: float, z: float) -> float:
    """Return loss / VaR: infinite for a loss that no VaR was forecast for, −∞ where there was neither."""
    value_at_risk = z * math.sqrt(max(variance, 0.0))
    if value_at_risk > 0.0:
        return -gain / value_at_risk
    return np.inf if gain < 0.0 else -np.inf


@kernel(
    "(f8[:, :, ::1], f8[:, :, ::1], i8[::1], f8[::1], f8[:, ::1], f8, f8, f8[:, ::1], f8, f8[::1], f8[::1], f8[::1],"
    " f8[:, ::1], f8[:, ::1], f8[:, ::1], f8, f8, f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1])"
)
def run_books(
    returns: Cube,
    growth: Cube,
    durations: Places,
    weights: Vector,
    cov: Matrix,
    decay: float,
    z: float,
    rules: Matrix,
    maximum_loss: float,
    half_spreads: Vector,
    volumes: Vector,
    volatilities: Vector,
    spread: Matrix,
    reduction: Matrix,
    volatility: Matrix,
    participation: float,
    impact: float,
    equity: Cube,
    breaches: Cube,
    acted: Places,
) -> None:
    """Carry a book through every path, alone and under rules that scale it, in fractions of its initial equity.

    After each close the book alone has the volatility σ, as a fraction of the equity under rules. Every rule
    (trigger, goal) whose trigger σ exceeds asks for goal/σ of that book, and the smallest share holds; from the close
    on which the loss reaches `maximum_loss`, the share is zero. The trades are made at that close, but for the last.

    Parameters
    ----------
    weights, cov
        (assets,) and (assets, assets), calm.
    decay, z
        Of the covariance forecast, and the normal quantile of its value at risk.
    rules
        (rules, 2): trigger and goal, volatilities per day as fractions of equity. None, with an infinite
        `maximum_loss`, leaves the book alone.
    half_spreads, volumes, volatilities
        (assets,) calm: fraction of the price, fraction of initial equity per day, per day.
    spread, reduction, volatility
        (paths, days): the scenario's spread multiplier, volume reduction and volatility multiplier.
    equity, breaches
        Written, (2, paths, days), alone and under rules: equity after the close, and the loss of the day over the VaR
        forecast for it.
    acted
        Written, (paths, 2): the day (from 1) and the control of the first reduction: 0 for none, 1 for the loss,
        2 onward for the rules.
    """
    n = weights.shape[0]
    held, whole, goal = np.empty(n), np.empty(n), np.empty(n)
    product, forecast = np.empty(n), np.empty((n, n))
    calm = variance_of(weights, cov, product)
    for i in range(returns.shape[0]):
        for a in range(n):
            held[a] = whole[a] = weights[a]
            for b in range(a, n):
                forecast[a, b] = cov[a, b]
        alone, now, stopped = 1.0, 1.0, False
        variance, held_variance = calm, calm
        acted[i, 0], acted[i, 1] = 0, 0
        for t in range(durations[i]):
            loose = grow(returns[i, t], growth[i, t], whole)
            gain = loose
            if acted[i, 0] > 0:
                gain = grow(returns[i, t], growth[i, t], held)
            breaches[0, i, t] = breach(loose, variance, z)
            breaches[1, i, t] = breach(gain, held_variance, z)
            alone += loose
            now += gain
            learn(returns[i, t], decay, forecast)
            variance = variance_of(whole, forecast, product)
            stopped = stopped or now <= 1.0 - maximum_loss
            share, control = 1.0, 0
            if stopped:
                share, control = 0.0, STOPPED
            elif rules.shape[0] > 0:
                deviation = math.sqrt(max(variance, 0.0)) / now
                least = np.inf
                for rule in range(rules.shape[0]):
                    if deviation > rules[rule, 0] and rules[rule, 1] < least:
                        least, control = rules[rule, 1], STOPPED + 1 + rule
                        share = least / deviation
            if control > 0 and acted[i, 0] == 0:
                acted[i, 0], acted[i, 1] = t + 1, control
                for a in range(n):
                    held[a] = whole[a]
            held_variance = variance
            # Until a rule acts, the two books are one.
            if acted[i, 0] > 0 and t < durations[i] - 1:
                for a in range(n):
                    goal[a] = share * whole[a]
                now -= trade(
                    held, goal, half_spreads, volumes, volatilities, spread[i, t], 1.0 - reduction[i, t],
                    volatility[i, t], participation, impact,
                )  # fmt: skip
                held_variance = variance_of(held, forecast, product)
            equity[0, i, t], equity[1, i, t] = alone, now
