"""What the account may lose in a day, and from its peak."""

from typing import Any

from rpmcore.controls.kill_switch_settings import AccountLossSettings
from rpmcore.controls.latch import HALT, LIQUIDATE, MINUTE, NONE, THROTTLE, WARNING, Latch, check_number
from rpmcore.domain.controls import ControlEvent, Severity
from rpmcore.domain.errors import InvalidArgument

DAY = 1440 * MINUTE


class AccountLossKillSwitch:
    """Loss of the day and drawdown of the account.

    The day begins at midnight UTC, or `day_starts_minute` after it, with the last equity known before: what is lost
    over night is lost on the new day. Paying in or out changes neither figure. Equity of zero or below halts.

    Parameters
    ----------
    settings
        Defaults: 3 % in a day, 15 % from the peak; WARNING at 60 %, THROTTLE at 80 %.
    clear
        Share of a limit below which WARNING and THROTTLE end.
    """

    def __init__(self, settings: AccountLossSettings | None = None, *, clear: float = 0.4) -> None:
        self.settings = chosen = settings or AccountLossSettings()
        self.equity: float | None = None
        self._day, self._first, self._peak = 0, 0.0, 0.0
        levels: tuple[tuple[float, Severity], ...] = (
            (chosen.warning_share, WARNING),
            (chosen.throttle_share, THROTTLE),
            (1.0, HALT),
        )
        self.daily = Latch("account", "loss of the day", levels, clear)
        if chosen.liquidation_drawdown is not None:
            levels = (*levels, (chosen.liquidation_drawdown / chosen.max_drawdown, LIQUIDATE))
        self.drawdown = Latch("account", "drawdown", levels, clear)

    @property
    def latches(self) -> tuple[Latch, Latch]:
        """Of the day's loss and of the drawdown."""
        return self.daily, self.drawdown

    def record_equity(self, equity: float, *, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Take the equity of the account, in account currency.

        Raises
        ------
        InvalidArgument
            If it is not finite, or the first one is not positive.
        """
        money = check_number(equity, "equity")
        day = (at - self.settings.day_starts_minute * MINUTE) // DAY
        if self.equity is None:
            if money <= 0.0:
                raise InvalidArgument(f"equity begins at {money!r}: losses need a positive amount to start from")
            self._day, self._first, self._peak = day, money, money
        elif day > self._day:
            # A day that begins with nothing keeps the base of the day before: its loss stays beyond every limit.
            self._day, self._first = day, self.equity if self.equity > 0.0 else self._first
        self.equity = money
        self._peak = max(self._peak, money)
        return self.evaluate(at, correlation_id)

    def record_cash_flow(self, amount: float) -> None:
        """Take note that so much was paid in (positive) or out, in account currency.

        Day's first equity and peak are scaled by (equity + amount)/equity, so that a payment is neither gain nor loss.

        Raises
        ------
        InvalidArgument
            If it is not finite, no equity is known, or equity before or after is not positive.
        """
        flow = check_number(amount, "amount")
        if self.equity is None:
            raise InvalidArgument("a cash flow needs an equity to flow from: record the equity first")
        if self.equity <= 0.0 or self.equity + flow <= 0.0:
            raise InvalidArgument(
                f"a cash flow of {flow:g} on equity of {self.equity:g}: both before and after it must be positive; "
                "correct it, or measure anew by an operator's reset once equity is"
            )
        factor = (self.equity + flow) / self.equity
        self.equity, self._first, self._peak = self.equity + flow, self._first * factor, self._peak * factor

    def measure_anew(self) -> None:
        """Accept what was lost: the day and the peak begin again from the present equity.

        Raises
        ------
        InvalidArgument
            If equity is not positive.
        """
        if self.equity is None or self.equity <= 0.0:
            raise InvalidArgument(f"equity is {self.equity!r}: losses need a positive amount to start from")
        self._first = self._peak = self.equity

    def evaluate(self, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Judge the last equity."""
        if self.equity is None:
            return ()
        lost, note = (HALT, "nothing is left") if self.equity <= 0.0 else (NONE, "")
        return (
            *self.daily.update(
                at, (self._first - self.equity) / self._first, self.settings.max_daily_loss, correlation_id
            ),
            *self.drawdown.update(
                at, (self._peak - self.equity) / self._peak, self.settings.max_drawdown, correlation_id, least=lost,
                note=note,
            ),
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "equity": self.equity, "day": self._day, "first": self._first, "peak": self._peak,
            "daily": self.daily.state(), "drawdown": self.drawdown.state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.equity, self._day, self._first, self._peak = (state[key] for key in ("equity", "day", "first", "peak"))
        self.daily.restore(state["daily"])
        self.drawdown.restore(state["drawdown"])
