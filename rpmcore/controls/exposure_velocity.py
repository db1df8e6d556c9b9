"""Exposure that grows faster than anybody approved."""

from collections import deque
from math import isfinite, ulp
from typing import Any

from rpmcore.controls.kill_switch_settings import ExposureVelocitySettings
from rpmcore.controls.latch import (
    HALT,
    MINUTE,
    NONE,
    THROTTLE,
    TOLERANCE,
    WARNING,
    Latch,
    check_number,
    reached,
)  # fmt: skip
from rpmcore.controls.low_water import LowWater, Point
from rpmcore.domain.controls import ControlEvent
from rpmcore.domain.errors import InvalidArgument

GRAIN = 1000
"""Approvals nearer than this part of their lifetime are held as one, which bounds the memory."""


class ExposureVelocityKillSwitch:
    """Growth of gross exposure and of gross leverage a minute, on irregular snapshots.

    growth = (G_t − G_s) / max(G_s, equity) / max(t − s, snapshot interval), at constant prices: the larger of that
    since the lowest snapshot within one interval before t (both ends included), and that since the newest at or
    before the beginning of that interval. Leverage grows by (G_t − G_s) / equity in the same time.

    - **Approved** growth warns from 60 % of a limit, and throttles beyond 100 %; `headroom` is what may still be
      approved. **Unapproved** growth throttles from 60 %, and halts from 100 %.
    - A **late** snapshot (more than an interval after the one before) tells the mean rate alone. If that reaches the
      limit: HALT. If the whole growth within one interval would reach it, nobody can tell: THROTTLE, until one in time
      clears it.
      A step of the clock forward looks like a late snapshot, and is treated as one.
    - The first snapshot is the baseline; a first position is measured against equity.
    - Equity of zero or below halts.

    Parameters
    ----------
    settings
        Defaults: 5 % of exposure and 0.1 of leverage a minute, snapshots every 5 minutes.
    clear
        Share of a limit below which WARNING and THROTTLE end.
    """

    def __init__(self, settings: ExposureVelocitySettings | None = None, *, clear: float = 0.4) -> None:
        self.settings = chosen = settings or ExposureVelocitySettings()
        self._interval = round(chosen.snapshot_minutes * MINUTE)
        self._lifetime = round(chosen.approval_minutes * MINUTE)
        self._grain = max(self._lifetime // GRAIN, 1)
        self._all, self._unapproved = LowWater(self._interval), LowWater(self._interval)
        self._approvals: deque[tuple[int, float]] = deque()
        self.gross = self.equity = self.net_leverage = 0.0
        self._path = self._unapproved_path = self._approved = 0.0
        self._started = False
        levels = ((chosen.throttle_share, THROTTLE), (1.0, HALT))
        self.growth = Latch("exposure_velocity", "unapproved growth of exposure a minute", levels, clear)
        self.leverage = Latch("exposure_velocity", "unapproved growth of leverage a minute", levels, clear)

    @property
    def latches(self) -> tuple[Latch, Latch]:
        """Of growth and of leverage."""
        return self.growth, self.leverage

    @property
    def approved(self) -> float:
        """Approved growth that has not been seen yet, in money."""
        return self._approved

    def record_approval(self, gross_increase: float, *, at: int) -> None:
        """Take note that gross exposure may grow by so much.

        Raises
        ------
        InvalidArgument
            If it is negative or not finite.
        """
        amount = check_number(gross_increase, "gross_increase", least=0.0)
        self._lapse(at)
        if not amount:
            return
        self._approved += amount
        if self._approvals and at // self._grain == self._approvals[-1][0] // self._grain:
            amount += self._approvals.pop()[1]
        self._approvals.append((at, amount))

    def record_withdrawal(self, gross_increase: float, *, at: int) -> None:
        """Take note that so much of what was approved will not come: orders were cancelled, refused or expired.

        Raises
        ------
        InvalidArgument
            If it is negative or not finite.
        """
        amount = check_number(gross_increase, "gross_increase", least=0.0)
        self._lapse(at)
        self._use(amount)

    def record(
        self, gross_exposure: float, net_leverage: float, equity: float, *, price_effect: float = 0.0, at: int,
        correlation_id: str = "",
    ) -> tuple[ControlEvent, ...]:  # fmt: skip
        """Take a snapshot.

        Parameters
        ----------
        gross_exposure
            Σ|market value|, in account currency.
        net_leverage
            Net exposure / equity, with or without its sign; recorded, not judged.
        equity
            In account currency.
        price_effect
            Part of the change of gross exposure since the snapshot before that prices made. Left out, a move of prices
            counts as growth.
        at
            Nanoseconds, UTC.
        correlation_id
            Of the command.

        Raises
        ------
        InvalidArgument
            If a number is not finite, exposure is negative, or the price effect is so large that growth would be lost
            in the rounding beside it.
        """
        gross, net, money, change = self.checked(gross_exposure, net_leverage, equity, price_effect)
        self._lapse(at)
        if self._started:
            self._path += change
            self._unapproved_path += change - self._use(change) if change > 0.0 else change
        self.gross, self.equity, self.net_leverage = gross, money, net
        events = self._judge(at, correlation_id)
        self._started = True
        self._all.push(at, self._path, gross)
        self._unapproved.push(at, self._unapproved_path, gross)
        return events

    def checked(
        self, gross_exposure: float, net_leverage: float, equity: float, price_effect: float
    ) -> tuple[float, float, float, float]:
        """Return gross exposure, net leverage, equity and the growth at constant prices of a snapshot, if it is one.

        Nothing is changed by asking.

        Raises
        ------
        InvalidArgument
            As `record`.
        """
        gross = check_number(gross_exposure, "gross_exposure", least=0.0)
        net = check_number(net_leverage, "net_leverage")
        money = check_number(equity, "equity")
        effect = check_number(price_effect, "price_effect")
        change = gross - self.gross - effect if self._started else 0.0
        _check_resolved(self._path + change, self._unapproved_path + change, least=max(gross, money))
        return gross, net, money, change

    def evaluate(self, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Judge the last snapshot again: a rise that has left the window is no longer true."""
        return self._judge(at, correlation_id) if self._started else ()

    def _judge(self, at: int, correlation_id: str) -> tuple[ControlEvent, ...]:
        if self.equity <= 0.0:
            return self._without_equity(at, correlation_id)
        low, before = self._unapproved.within(at), self._unapproved.before(at)
        growth, leverage = self._rates(self._unapproved_path, at, low, before)
        total = self._rates(self._path, at, self._all.within(at), self._all.before(at))
        # Nothing within the interval: what grew since the snapshot before may have grown in a moment.
        sudden = (0.0, 0.0)
        if low is None and before is not None:
            sudden = self._rates(self._unapproved_path, at, (at, *before[1:]), None)
        events: tuple[ControlEvent, ...] = ()
        for latch, limit, rate, whole, burst in (
            (self.growth, self.settings.max_growth, growth, total[0], sudden[0]),
            (self.leverage, self.settings.max_leverage_growth, leverage, total[1], sudden[1]),
        ):
            least, note = NONE, ""
            if whole / limit > 1.0 + TOLERANCE:
                least, note = THROTTLE, "with what was approved it is beyond the limit"
            elif reached(whole / limit, self.settings.throttle_share):
                least, note = WARNING, "with what was approved it nears the limit"
            if reached(burst / limit, 1.0):
                least, note = THROTTLE, "a late snapshot cannot tell how fast it grew"
            events += latch.update(at, rate, limit, correlation_id, least=least, note=note)
        return events

    def _rates(self, value: float, at: int, *points: Point | None) -> tuple[float, float]:
        """Return the highest growth of exposure and of leverage a minute since any of the points, at least 0."""
        growth = leverage = 0.0
        for point in points:
            if point is not None:
                a_minute = (value - point[1]) * MINUTE / max(at - point[0], self._interval)
                growth = max(growth, a_minute / max(point[2], self.equity))
                leverage = max(leverage, a_minute / self.equity)
        return growth, leverage

    def _without_equity(self, at: int, correlation_id: str) -> tuple[ControlEvent, ...]:
        limit = self.settings.max_leverage_growth
        note = f"equity is {self.equity:g}: leverage does not exist"
        return self.leverage.update(at, 0.0, limit, correlation_id, least=HALT, note=note)

    def headroom(self, *, at: int) -> float:
        """Return how much more gross exposure may be approved now, in money, for all growth to stay within the limits.

        Nothing is changed by asking.

        Raises
        ------
        InvalidArgument
            If there is no snapshot yet.
        """
        if not self._started:
            raise InvalidArgument("headroom needs a snapshot: record one first")
        if self.equity <= 0.0:
            return 0.0
        room, here = float("inf"), (at, self._path, self.gross)
        for point in (self._all.within(at) or here, self._all.before(at) or here):
            rate = min(
                self.settings.max_growth * max(point[2], self.equity), self.settings.max_leverage_growth * self.equity
            )
            grown = max(self._path - point[1], 0.0)
            room = min(room, rate * max(at - point[0], self._interval) / MINUTE - grown)
        still = sum(amount for when, amount in self._approvals if when > at - self._lifetime)
        return max(room - still, 0.0)

    def _lapse(self, at: int) -> None:
        while self._approvals and self._approvals[0][0] <= at - self._lifetime:
            self._use(self._approvals[0][1])

    def _use(self, wanted: float) -> float:
        """Take up to `wanted` from the approvals, the oldest first, and return what was taken."""
        left = wanted
        while left > 0.0 and self._approvals:
            at, amount = self._approvals[0]
            taken = min(amount, left)
            left -= taken
            if taken == amount:
                self._approvals.popleft()
            else:
                self._approvals[0] = (at, amount - taken)
            self._approved -= taken
        if not self._approvals:
            self._approved = 0.0
        return wanted - left

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "all": self._all.state(), "unapproved": self._unapproved.state(),
            "approvals": [list(item) for item in self._approvals],
            "numbers": [
                self.gross, self.equity, self.net_leverage, self._path, self._unapproved_path, self._approved
            ],
            "started": self._started, "growth": self.growth.state(), "leverage": self.leverage.state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._all.restore(state["all"])
        self._unapproved.restore(state["unapproved"])
        self._approvals = deque((int(at), amount) for at, amount in state["approvals"])
        self.gross, self.equity, self.net_leverage, self._path, self._unapproved_path, self._approved = state["numbers"]
        self._started = state["started"]
        self.growth.restore(state["growth"])
        self.leverage.restore(state["leverage"])


def _check_resolved(*paths: float, least: float) -> None:
    """Refuse a path beside which a millionth of the book is lost in rounding: growth on it would never show."""
    for path in paths:
        if not isfinite(path) or (least > 0.0 and ulp(path) > 1e-6 * least):
            raise InvalidArgument(
                f"exposure at constant prices would be {path:g} for a book of {least:g}: the price effect is wrong, "
                "fix its source and record it again"
            )
