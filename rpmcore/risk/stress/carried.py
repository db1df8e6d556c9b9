"""A book carried day by day through one path, under any risk system."""

from dataclasses import dataclass

import numpy as np

from rpmcore.domain.arrays import Vector
from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import stress_paths as kernels
from rpmcore.risk.settings import StressSettings
from rpmcore.risk.stress.daily import Days, Simulated
from rpmcore.risk.stress.stressed_book import StressedBook
from rpmcore.risk.stress.system import Action, Marks, RiskSystem, Start, Timer

TOLERANCE = 1e-9
"""How far a decision may stray beyond what was proposed, as a fraction of capital: rounding, no more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """What became of the book, as fractions of initial equity; a loss is positive.

    Attributes
    ----------
    equity
        (days,) after each close and the trades at it.
    breaches
        (days,) loss of the day over the VaR that was forecast for it from data before: infinite for a loss without
        a VaR, −∞ for neither.
    actions
        (days) what acted at each close.
    slowest_decision
        In seconds; None without a timer.
    """

    equity: Vector
    breaches: Vector
    actions: tuple[tuple[Action, ...], ...]
    slowest_decision: float | None


def carry(
    book: StressedBook,
    simulated: Simulated,
    days: Days,
    row: int,
    system: RiskSystem,
    settings: StressSettings,
    *,
    decay: float,
    z: float,
    timer: Timer | None = None,
) -> Carried:
    """Return what becomes of a book under a risk system on one path of a simulation.

    The arithmetic of a day is that of `rpmcore.kernels.stress_paths.run_books`; here any system may decide.

    Raises
    ------
    InvalidArgument
        If a decision is not finite, or opens or enlarges a position beyond what was proposed.
    """
    n_days = int(days.durations[row])
    returns, growth = simulated.returns[row], simulated.growth[row]
    held, whole, forecast = book.weights.copy(), book.weights.copy(), book.covariance.copy()
    product, volatilities = np.empty_like(held), np.sqrt(np.diagonal(book.covariance))
    running = system.start(
        Start(
            symbols=book.symbols,
            capital=book.capital,
            market_values=held * book.capital,
            covariance=book.covariance.copy(),
        )
    )
    shown = returns.view()
    shown.flags.writeable = False  # a system sees the path, it does not write it
    equity, breaches, actions = np.empty(n_days), np.empty(n_days), list[tuple[Action, ...]]()
    now, slowest = 1.0, 0.0
    for t in range(n_days):
        variance = kernels.variance_of(held, forecast, product)
        gain = kernels.grow(returns[t], growth[t], held)
        kernels.grow(returns[t], growth[t], whole)
        kernels.learn(returns[t], decay, forecast)
        breaches[t] = kernels.breach(gain, variance, z)
        now += gain
        marks = Marks(
            day=t + 1,
            returns=shown[: t + 1],
            equity=now * book.capital,
            market_values=held * book.capital,
        )
        proposed = (whole - held) * book.capital
        began = 0.0 if timer is None else timer()
        decided = running.decide(marks, proposed)
        slowest = slowest if timer is None else max(slowest, timer() - began)
        trades = _checked(decided.trades, t + 1, held * book.capital, whole * book.capital, system.name, book)
        actions.append(decided.actions)
        if t < n_days - 1:
            now -= kernels.trade(
                held, held + trades, book.half_spreads, book.volumes, volatilities, float(days.spread[row, t]),
                1.0 - float(days.reduction[row, t]), float(days.volatility[row, t]), settings.participation,
                settings.impact,
            )  # fmt: skip
        equity[t] = now
    return Carried(
        equity=equity,
        breaches=breaches,
        actions=tuple(actions),
        slowest_decision=None if timer is None else slowest,
    )


def _checked(given: Vector, day: int, before: Vector, after: Vector, name: str, book: StressedBook) -> Vector:
    """Return the trades as fractions of capital, if each ends between zero, `before` and `after`."""
    trades = np.asarray(given, dtype=np.float64)
    if trades.shape != before.shape or not np.isfinite(trades).all():
        raise InvalidArgument(
            f"risk system {name!r}, day {day}: trades must be {before.shape[0]} finite number(s), but are {given!r}"
        )
    ends = np.stack([np.zeros_like(before), before, after])
    slack = TOLERANCE * book.capital
    wrong = (before + trades < ends.min(axis=0) - slack) | (before + trades > ends.max(axis=0) + slack)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise InvalidArgument(
            f"risk system {name!r}, day {day}: the trade of {float(trades[i])!r} in {book.symbols[i]!r} opens more "
            f"than was proposed ({float(after[i] - before[i])!r} on a position of {float(before[i])!r}); a system may "
            "only let through or reduce"
        )
    return trades / book.capital
