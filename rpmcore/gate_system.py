"""The gate under a stress test, on a book that no gate runs yet."""

from rpmcore.adapters.configuration.loading import Settings, settings_or_defaults
from rpmcore.gate import RiskGate
from rpmcore.gate_path import PathGates
from rpmcore.gate_path_start import PathGround
from rpmcore.risk.stress.system import RunningSystem, Start
from rpmcore.risk.valuation import BookInputs


class GateSystem:
    """The gate as a risk system: every path is carried through a gate of its own, in memory.

    The gate knows the book's instruments in account currency, the strategies that hold them, and its past prices. After
    each close the book is brought down to what the gate allows now, by orders that only reduce: everything is closed at
    LIQUIDATE; else exposure by the limits of the day, volatility to its target, and VaR, ES and volatility under
    stressed correlations to their limits. On a day without reductions the desk asks to bring back what was taken, in
    the share that fits, and the gate decides each order. Nobody resets a kill switch on a path.

    Currency pairs count as one asset in account currency, so that limits on currencies do not act; the regime is read
    from ``factors.market`` where it is held, else from the mean return of what is; and no trade of a strategy is told
    as closed, so that its own health and switches stand still.

    Parameters
    ----------
    inputs
        The book, with daily prices.
    settings
        Of the gate and of all that it rests on; the defaults if None.
    """

    name = "gate"

    def __init__(self, inputs: BookInputs, settings: Settings | None = None) -> None:
        chosen = settings_or_defaults(settings, Settings)
        self._paths = PathGates(PathGround.of_inputs(inputs, chosen, chosen.digest), RiskGate.of_engine)

    def start(self, start: Start) -> RunningSystem:
        """Return a gate that holds the book of `start`, at the last close of the prices.

        Raises
        ------
        InvalidArgument
            If a symbol is not one of the book's.
        InputError
            If the prices are nearer than a day apart.
        InsufficientData
            If there are no two days with all prices.
        """
        return self._paths.start(start)
