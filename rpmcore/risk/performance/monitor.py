"""Evidence for an edge that may be looked at after every trade.

The null hypothesis is that no trade has a positive mean, given the trades before it. Wealth that bets on each trade
with a stake chosen beforehand, E_t = Π(1 + λ_s·x_s/B), is then a non-negative supermartingale, as x ≥ −B and λ < 1; and
the probability that it *ever* reaches 1/α is at most α (Ville's inequality). No number of looks changes that.

The betting rule is aGRAPA with a prior: λ_t = clip(μ/(σ² + μ²), 0, ½) with y = x/B of the trades before t,
μ = Σy/t and σ² = (¼ + Σ(y_s − μ)²)/t, where t − 1 trades are known and one more, of mean 0 and variance ¼, is supposed.

References
----------
I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", *JRSS B* 86 (2024): the
betting martingale, and aGRAPA among the predictable plug-ins.
"""

from dataclasses import dataclass, replace
from math import isfinite, log, log1p
from typing import Any

from rpmcore.domain.arrays import as_vector
from rpmcore.domain.errors import InvalidArgument

PRIOR_VARIANCE = 0.25
LARGEST_BET = 0.5
ROUNDING = 1e-9
"""What a loss may exceed the bound by, relatively: a tenth of 0.7 is 0.06999999999999999. With bets of at most ½ the
wealth stays positive all the same, and the guarantee holds."""

LARGEST_GAIN = 1e6
"""In loss bounds. A larger gain counts as this: that lowers the evidence, and keeps every sum a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeMonitor:
    """The state of the monitor; `after` gives the next, and changes nothing.

    Attributes
    ----------
    loss_bound
        B > 0: the largest loss that a trade can make, declared before the first, in the unit of the P&L.
    significance
        α in (0, 1).
    n
        Trades seen while the guarantee held.
    log_evidence
        ln E_n.
    total, squares
        Σy and Σy² with y = x/B.
    alarm_at
        The number of the first trade, counted from 1, at which E reached 1/α; None if none, or if the guarantee is
        void.
    void_at, void_loss
        The number of the first trade that lost more than B, and what it lost. The guarantee then never held: an alarm
        before it is withdrawn, later trades are not counted, and a new monitor with a true bound has to begin.
    """

    loss_bound: float
    significance: float = 0.05
    n: int = 0
    log_evidence: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    alarm_at: int | None = None
    void_at: int | None = None
    void_loss: float | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.loss_bound) and self.loss_bound > 0.0):
            raise InvalidArgument(f"loss_bound must be finite and greater than 0, but is {self.loss_bound!r}")
        if not 0.0 < self.significance < 1.0:
            raise InvalidArgument(f"significance must lie in (0, 1), but is {self.significance!r}")

    @property
    def bet(self) -> float:
        """λ of the next trade."""
        t = self.n + 1
        mean = self.total / t
        variance = (PRIOR_VARIANCE + max(0.0, self.squares - mean * (2.0 * self.total - self.n * mean))) / t
        return min(max(mean / (variance + mean * mean), 0.0), LARGEST_BET)

    def after(self, pnl: float) -> "EdgeMonitor":
        """Return the monitor after one more closed trade.

        Parameters
        ----------
        pnl
            After costs, in the unit of the loss bound.

        Raises
        ------
        InvalidArgument
            If it is not finite.
        """
        if not isfinite(pnl):
            raise InvalidArgument(f"pnl must be finite, but is {pnl!r}")
        if self.void_at is not None:
            return self
        if pnl < -self.loss_bound * (1.0 + ROUNDING):
            return replace(self, alarm_at=None, void_at=self.n + 1, void_loss=-pnl)
        y = min(pnl / self.loss_bound, LARGEST_GAIN)
        n, evidence = self.n + 1, self.log_evidence + log1p(self.bet * y)
        alarm = self.alarm_at
        if alarm is None and evidence >= -log(self.significance):
            alarm = n
        return replace(
            self, n=n, log_evidence=evidence, total=self.total + y, squares=self.squares + y * y, alarm_at=alarm
        )


def edge_monitor(pnl: Any, *, loss_bound: float, significance: float = 0.05) -> EdgeMonitor:
    """Return the monitor after the trades of a series, one after the other.

    Parameters
    ----------
    pnl
        (n_trades,) P&L after costs, in time order, without NaN.
    loss_bound
        B > 0, declared before the first trade, in the same unit.
    significance
        α in (0, 1).

    Raises
    ------
    InvalidArgument
        If an argument is out of its range.
    """
    state = EdgeMonitor(loss_bound=loss_bound, significance=significance)
    for x in as_vector(pnl, "pnl").tolist():
        state = state.after(x)
    return state
