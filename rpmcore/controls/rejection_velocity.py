"""Too many rejections in too short a time: something is wrong, and nobody knows yet what."""

from collections import deque
from math import ceil
from types import MappingProxyType
from typing import Any, get_args

from rpmcore.controls.kill_switch_settings import RejectionVelocitySettings
from rpmcore.controls.latch import HALT, MINUTE, THROTTLE, Latch
from rpmcore.domain.controls import ControlEvent, RejectionCause
from rpmcore.domain.crises import Regime
from rpmcore.domain.errors import InvalidArgument, nearest

Key = tuple[str, str, str]


class RejectionVelocityKillSwitch:
    """N rejections in M minutes: THROTTLE at 60 % of N, HALT at N.

    The window is (t − M, t]: a rejection exactly M minutes old has left it. A rejection by a risk limit counts once per
    strategy, symbol and reason in a window; one that an active kill switch caused must not be recorded at all (the
    manager sees to it). Only as many rejections are held as the highest threshold asks for; a count beyond is told as
    that number.

    Parameters
    ----------
    settings
        Defaults: 10 rejections in 5 minutes, × 1.5 when volatile, × 0.5 when stressed.
    clear
        Share of the threshold below which THROTTLE ends.
    """

    def __init__(self, settings: RejectionVelocitySettings | None = None, *, clear: float = 0.4) -> None:
        self.settings = chosen = settings or RejectionVelocitySettings()
        self._multipliers = MappingProxyType(
            {
                "trending": 1.0,
                "ranging": 1.0,
                "volatile": chosen.volatile_multiplier,
                "stressed": chosen.stressed_multiplier,
            }
        )
        self._window = round(chosen.window_minutes * MINUTE)
        self._capacity = max(ceil(chosen.max_rejections * factor) for factor in self._multipliers.values())
        self._counted: deque[tuple[int, Key | None]] = deque()
        self._keys: set[Key] = set()
        self.regime: Regime | None = "ranging"
        levels = ((chosen.throttle_share, THROTTLE), (1.0, HALT))
        self.latch = Latch("rejection_velocity", "rejections in the window", levels, clear)

    @property
    def threshold(self) -> float:
        """Rejections in the window that halt in the present regime; of an unknown one, the fewest of all."""
        factors = self._multipliers
        return self.settings.max_rejections * (min(factors.values()) if self.regime is None else factors[self.regime])

    def record(
        self, strategy_id: str, symbol: str, reason: str, cause: RejectionCause = RejectionCause.OTHER, *, at: int,
        correlation_id: str = "",
    ) -> tuple[bool, tuple[ControlEvent, ...]]:  # fmt: skip
        """Take one rejection; return whether it counted, and what changed."""
        self._drop(at)
        key = (strategy_id, symbol, reason) if cause is RejectionCause.RISK_LIMIT else None
        counts = key is None or key not in self._keys
        if counts:
            if len(self._counted) == self._capacity:
                self._forget()
            self._counted.append((at, key))
            if key is not None:
                self._keys.add(key)
        return counts, self.latch.update(at, float(len(self._counted)), self.threshold, correlation_id)

    def evaluate(self, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Let time pass: what is older than the window leaves it."""
        self._drop(at)
        return self.latch.update(at, float(len(self._counted)), self.threshold, correlation_id)

    def set_regime(self, regime: str | None, *, at: int, correlation_id: str = "") -> tuple[ControlEvent, ...]:
        """Take the regime of the market; None is one that nobody knows, and is judged as the strictest.

        Raises
        ------
        InvalidArgument
            If there is no such regime.
        """
        for known in get_args(Regime):
            if regime is not None and str(regime).lower() == known:  # the specification writes them in capitals
                self.regime = known
                break
        else:
            if regime is not None:
                meant = nearest(str(regime), get_args(Regime))
                hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(get_args(Regime))}"
                raise InvalidArgument(f"regime {regime!r} is not known; {hint}")
            self.regime = None
        return self.evaluate(at, correlation_id)

    def _drop(self, at: int) -> None:
        while self._counted and self._counted[0][0] <= at - self._window:
            self._forget()

    def _forget(self) -> None:
        key = self._counted.popleft()[1]
        if key is not None:
            self._keys.discard(key)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        counted = [[at, None if key is None else list(key)] for at, key in self._counted]
        return {"counted": counted, "regime": self.regime, "latch": self.latch.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; of more rejections than the settings can ask for, the last."""
        counted = state["counted"][-self._capacity :]
        self._counted = deque((int(at), None if key is None else (key[0], key[1], key[2])) for at, key in counted)
        self._keys = {key for _, key in self._counted if key is not None}
        self.regime = state["regime"]
        if self.regime is not None and self.regime not in self._multipliers:
            raise InvalidArgument(f"the saved state is of the regime {self.regime!r}, which is not known")
        self.latch.restore(state["latch"])
