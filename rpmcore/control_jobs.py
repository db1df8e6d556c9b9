"""The jobs on controls: what the thresholds of the kill switches mean."""

from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults

if TYPE_CHECKING:
    from rpmcore.controls.operating_characteristics import OperatingCharacteristics
    from rpmcore.controls.replayed_history import ReplayedHistory


def simulate_kill_switches(
    *,
    trades_a_day: int | None = None,
    rejection_rate: float | None = None,
    win_rate: float | None = None,
    trade_size: float | None = None,
    session_minutes: float | None = None,
    storm: float | None = None,
    runaway_growth: float | None = None,
    wanted: float = 0.01,
    days: int = 10_000,
    seed: int | None = None,
    settings: Settings | None = None,
) -> "OperatingCharacteristics":
    """Return how often the kill switches would halt for nothing, and how soon they see a runaway.

    Parameters
    ----------
    trades_a_day, rejection_rate, win_rate, trade_size, session_minutes, storm, runaway_growth
        See `Behaviour`; None takes its default.
    wanted
        Probability of a false halt a day that thresholds are asked for.
    days, seed
        Of the simulation; without a seed that of the settings.
    settings
        Thresholds.

    Raises
    ------
    InvalidArgument
        If a number is out of its range.
    """
    from rpmcore.controls.operating_characteristics import Behaviour, operating_characteristics

    chosen = settings_or_defaults(settings, Settings)
    given = {
        "trades_a_day": trades_a_day, "rejection_rate": rejection_rate, "win_rate": win_rate, "trade_size": trade_size,
        "session_minutes": session_minutes, "storm": storm, "runaway_growth": runaway_growth,
    }  # fmt: skip
    behaviour = Behaviour(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    found = operating_characteristics(
        behaviour, chosen.kill_switches, wanted=wanted, days=days,
        seed=chosen.simulation.seed if seed is None else seed,
    )  # fmt: skip
    return replace(found, config_digest=chosen.digest)


def replay_kill_switches(
    history: str | PathLike[str], *, capital: float, settings: Settings | None = None
) -> "ReplayedHistory":
    """Return on how many days of a history the kill switches would have halted.

    Parameters
    ----------
    history
        CSV file with ``at, kind, strategy_id`` and, by kind, ``pnl`` or ``symbol, reason``.
    capital
        Of each strategy, in account currency.
    settings
        Thresholds.

    Raises
    ------
    InputError, InvalidArgument
        If the file cannot be used, or a number is out of its range.
    """
    from rpmcore.adapters.control_history import read_control_history
    from rpmcore.controls.replayed_history import replay_history

    chosen = settings_or_defaults(settings, Settings)
    found = replay_history(read_control_history(history), capital, chosen.kill_switches)
    return replace(found, config_digest=chosen.digest)
