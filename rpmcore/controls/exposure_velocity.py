"""Exposure that grows faster than anybody approved."""

from collections import deque
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
from rpmcore.domain.controls import ControlEvent
from rpmcore.domain.errors import InvalidArgument

Point = tuple[int, float, float]
"""Time, value of the path, and gross exposure then."""

GRAIN = 1000
"""Points nearer than this part of the window are held as one, which bounds the memory."""


class LowWater:
    """The lowest point of a path within a window that includes both its ends, in amortised O(1).

    If nothing lies within the window the point before it is the lowest, however old. Of points nearer than a thousandth
    of the window the lower value is held with the later time, so that growth is never told too low.
    """

    __slots__ = ("_grain", "_last", "_rising", "_window")

    def __init__(self, window: int) -> None:
        self._window, self._grain = window, max(window // GRAIN, 1)
        self._rising: deque[Point] = deque()
        self._last: Point | None = None

    def lowest(self, at: int) -> Point | None:
        """Return the lowest of what was pushed, or None if that is nothing."""
        while self._rising and self._rising[0][0] < at - self._window:
            self._rising.popleft()
        return self._rising[0] if self._rising else self._last

    def push(self, at: int, value: float, gross: float) -> None:
        """Add the newest point."""
        self._last = (at, value, gross)
        while self._rising and self._rising[-1][1] >= value:
            self._rising.pop()
        if self._rising and at // self._grain == self._rising[-1][0] // self._grain:
            self._rising[-1] = (at, *self._rising[-1][1:])
        else:
            self._rising.append(self._last)

    def state(self) -> list[Any]:
        """Return what `restore` needs, in JSON's types."""
        return [list(map(list, self._rising)), None if self._last is None else list(self._last)]

    def restore(self, state: list[Any]) -> None:
        """Continue from what `state` returned."""
        self._rising = deque((int(at), value, gross) for at, value, gross in state[0])
        self._last = None if state[1] is None else (int(state[1][0]), state[1][1], state[1][2])


class ExposureVelocityKillSwitch:
    """Growth of gross exposure and of gross leverage a minute, on irregular snapshots.

    growth = (G_t − G_s) / max(G_s, equity) / max(t − s, snapshot interval), at constant prices, for the snapshot s that
    stood lowest within one interval before t (both ends included), or the one before it if that is older. Leverage
    grows by (G_t − G_s) / equity in the same time.

    - **Approved** growth warns from 60 % of a limit, and throttles beyond 100 %; `headroom` is what may still be
      approved. **Unapproved** growth throttles from 60 %, and halts from 100 %.
    - A **late** snapshot (more than an interval after s) tells the mean rate alone. If that reaches the limit: HALT.
      If the whole growth within one interval would reach it, nobody can tell: THROTTLE, until one in time clears it.
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
            If a number is not finite, or exposure is negative.
        """
        gross = check_number(gross_exposure, "gross_exposure", least=0.0)
        net = check_number(net_leverage, "net_leverage")
        money = check_number(equity, "equity")
        effect = check_number(price_effect, "price_effect")
        self._lapse(at)
        low, low_unapproved = self._all.lowest(at), self._unapproved.lowest(at)
        if low is not None:
            change = gross - self.gross - effect
            self._path += change
            self._unapproved_path += change - self._use(change) if change > 0.0 else change
        self.gross, self.equity, self.net_leverage = gross, money, net
        self._all.push(at, self._path, gross)
        self._unapproved.push(at, self._unapproved_path, gross)
        if money <= 0.0:
            return self._without_equity(at, correlation_id)
        return self._judge(
            at, low or (at, self._path, gross), low_unapproved or (at, self._path, gross), correlation_id
        )

    def _judge(self, at: int, low: Point, low_unapproved: Point, correlation_id: str) -> tuple[ControlEvent, ...]:
        rise, base = self._unapproved_path - low_unapproved[1], max(low_unapproved[2], self.equity)
        late = at - low_unapproved[0] > self._interval
        minutes = max(at - low_unapproved[0], self._interval) / MINUTE
        total_minutes = max(at - low[0], self._interval) / MINUTE
        events: tuple[ControlEvent, ...] = ()
        for latch, limit, unit, total_unit in (
            (self.growth, self.settings.max_growth, base, max(low[2], self.equity)),
            (self.leverage, self.settings.max_leverage_growth, self.equity, self.equity),
        ):
            total = (self._path - low[1]) / total_unit / total_minutes / limit
            least, note = NONE, ""
            if total > 1.0 + TOLERANCE:
                least, note = THROTTLE, "with what was approved it is beyond the limit"
            elif reached(total, self.settings.throttle_share):
                least, note = WARNING, "with what was approved it nears the limit"
            if late and reached(rise / unit / self.settings.snapshot_minutes / limit, 1.0):
                least, note = THROTTLE, "a late snapshot cannot tell how fast it grew"
            events += latch.update(at, max(rise, 0.0) / unit / minutes, limit, correlation_id, least=least, note=note)
        return events

    def _without_equity(self, at: int, correlation_id: str) -> tuple[ControlEvent, ...]:
        limit = self.settings.max_leverage_growth
        note = f"equity is {self.equity:g}: leverage does not exist"
        return self.leverage.update(at, 0.0, limit, correlation_id, least=HALT, note=note)

    def headroom(self, *, at: int) -> float:
        """Return how much more gross exposure may be approved now, in money, for all growth to stay within the limits.

        Raises
        ------
        InvalidArgument
            If there is no snapshot yet.
        """
        low = self._all.lowest(at)
        if low is None:
            raise InvalidArgument("headroom needs a snapshot: record one first")
        self._lapse(at)
        if self.equity <= 0.0:
            return 0.0
        rate = min(self.settings.max_growth * max(low[2], self.equity), self.settings.max_leverage_growth * self.equity)
        grown = max(self._path - low[1], 0.0)
        return max(rate * self.settings.snapshot_minutes - grown - self._approved, 0.0)

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
            "growth": self.growth.state(), "leverage": self.leverage.state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._all.restore(state["all"])
        self._unapproved.restore(state["unapproved"])
        self._approvals = deque((int(at), amount) for at, amount in state["approvals"])
        self.gross, self.equity, self.net_leverage, self._path, self._unapproved_path, self._approved = state["numbers"]
        self.growth.restore(state["growth"])
        self.leverage.restore(state["leverage"])

    def evaluate(self, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Judge the last snapshot again: a rise that has left the window is no longer true."""
        low, low_unapproved = self._all.lowest(at), self._unapproved.lowest(at)
        if low is None or low_unapproved is None:
            return ()
        if self.equity <= 0.0:
            return self._without_equity(at, correlation_id)
        return self._judge(at, low, low_unapproved, correlation_id)
