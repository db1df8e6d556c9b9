"""The jobs on crises: scenarios, shocks, reverse stress, and synthetic crises by the thousand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from math import inf
from os import PathLike
from typing import TYPE_CHECKING

from rpmcore.adapters.configuration.loading import Settings, digest_of, settings_or_defaults
from rpmcore.adapters.tables.given import Given, GivenBook, GivenPrices
from rpmcore.adapters.tables.opening import rereadable
from rpmcore.domain.arguments import given_texts
from rpmcore.domain.crises import Crisis, with_parameters
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, nearest
from rpmcore.inputs import book_inputs, given_model, replay_prices
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.valuation import BookInputs

if TYPE_CHECKING:
    from rpmcore.domain.crisis_library import HistoricalCrisisLibrary
    from rpmcore.risk.stress.reverse_study import ReverseReport
    from rpmcore.risk.stress.study import StressReport
    from rpmcore.risk.stress.suite_study import SuiteReport
    from rpmcore.risk.stress.system import RiskSystem

SYSTEMS = ("unmanaged", "limits", "gate")
"""Who may act on a path."""

MOST_GATED = 10_000
"""Synthetic crises under the gate: each takes a quarter of a second or more."""


def stress(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    crises: tuple[Crisis, ...] = (),
    modes: Sequence[str] = ("parametric",),
    shocks: Mapping[str, float] | None = None,
    factors: Given | None = None,
    system: str = "unmanaged",
    threads: int = 1,
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
) -> "StressReport":
    """Return what a book loses in crises, and under shocks.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `evaluate`.
    crises
        See `chosen_crises`.
    modes
        ``parametric``, ``replay``, ``factor`` and ``path``; ``all`` for those that the data allow.
    shocks
        Relative price moves by symbol, such as ``{"SP500": -0.1}``, or returns by factor if there are `factors`; the
        rest of the book follows by conditional expectation.
    factors
        A file or table of factor returns, for shocks of factors.
    system
        Who may act on a path: ``unmanaged`` is nobody, ``limits`` the limits of the settings, held every day, ``gate``
        the whole gate; see `rpmcore.gate_system.GateSystem`.
    threads
        That share paths; the result does not depend on it.

    Raises
    ------
    InputError, InsufficientData
        As in `evaluate`, and if the data do not allow a mode.
    ConfigurationError
        If a mode or a system is unknown.
    InvalidArgument
        If there is nothing to run, `crises` are names, or shocks contradict each other.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    from rpmcore.risk.stress.study import MODES, StressInputs, run_stress

    wanted = MODES if modes == "all" or "all" in given_texts(modes, "modes") else tuple(dict.fromkeys(modes))
    _check_asked(crises, shocks, wanted)
    _check_known("--mode", wanted, MODES)
    _check_known("--system", (system,), SYSTEMS)
    book, prices, assets = rereadable(book), rereadable(prices), rereadable(assets)
    read = partial(
        book_inputs, book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets
    )
    alone = read()
    wide, model = alone, None
    if shocks or "factor" in wanted:
        named = () if factors is not None else tuple(shocks or ())
        wide = read(beside=named, if_there=(chosen.factors.market,))
    if factors is not None:
        model = given_model(wide, factors, chosen)
    market = chosen.factors.market
    found = run_stress(
        StressInputs(inputs=wide, alone=alone, replayed=lambda: replay_prices(alone, prices, market), model=model),
        crises,
        chosen,
        modes=wanted,
        skip="all" in modes,
        system=_system(system, chosen, alone),
        threads=threads,
        shocks=shocks,
    )
    return replace(found, config_digest=digest_of(chosen))


def _check_asked(crises: object, shocks: Mapping[str, float] | None, modes: tuple[str, ...]) -> None:
    if not (isinstance(crises, Sequence) and all(isinstance(crisis, Crisis) for crisis in crises)):
        raise InvalidArgument(
            f"crises must be what chosen_crises returns, such as chosen_crises(['lehman2008']), but are {crises!r}"
        )
    for name, shock in (shocks or {}).items():
        if not -1.0 < shock < inf:
            raise InvalidArgument(f"the shock of {name!r} must be a return above -1, such as -0.1, but is {shock!r}")
    if not (crises and modes) and not shocks:
        missing = "modes" if crises else "crises, such as chosen_crises() for all, or shocks"
        raise InvalidArgument(f"there is nothing to run: give {missing}")


def _system(name: str, settings: RiskSettings, inputs: BookInputs) -> "RiskSystem | None":
    if name == "unmanaged":
        return None
    if name == "gate":
        from rpmcore.gate_system import GateSystem

        # Settings without the gate's own sections leave those at their defaults.
        whole = settings if isinstance(settings, Settings) else Settings(**dict(settings))
        return GateSystem(inputs, whole)
    from rpmcore.risk.stress.system import LimitSystem

    return LimitSystem(settings)


def _check_known(option: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            meant = nearest(name, tuple(known))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
            raise ConfigurationError(f"{option}: {name!r} is not known; {hint}")


def reverse_stress(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    loss: float,
    factors: Given | None = None,
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
) -> "ReverseReport":
    """Return the most plausible day on which a book loses `loss`, a fraction of capital.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `evaluate`.
    loss
        Positive, such as 0.10.
    factors
        A file or table of factor returns: only they move. If None, every instrument may.

    Raises
    ------
    InputError, InsufficientData
        As in `evaluate`.
    InvalidArgument
        If `loss` is not positive.
    Undefined
        If nothing can make the book lose.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    inputs = book_inputs(book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets)
    model = None if factors is None else given_model(inputs, factors, chosen)
    from rpmcore.risk.stress.reverse_study import run_reverse

    return replace(run_reverse(inputs, loss, chosen, model), config_digest=digest_of(chosen))


def synthetic_stress(
    book: GivenBook | None = None,
    prices: GivenPrices | None = None,
    *,
    n_simulations: int,
    system: str = "unmanaged",
    settings: RiskSettings | None = None,
    capital: float | None = None,
    base_currency: str | None = None,
    as_of: date | None = None,
    assets: Given | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> "SuiteReport":
    """Return what synthetic crises do to a book, each on a path of its own.

    Parameters
    ----------
    book, prices, settings, capital, base_currency, as_of, assets
        As in `evaluate`; the seed is ``simulation.seed``.
    n_simulations
        From 1 to 1e6, under the gate to 10,000: liquidity freezes, breakdowns of correlation, flash crashes and
        transitions of regime in turn.
    system
        As in `stress`.
    threads
        That share the work; the result does not depend on it.
    progress
        Told how many simulations are done, and of how many.

    Raises
    ------
    InputError, InsufficientData
        As in `evaluate`.
    InvalidArgument
        If a number is out of its range.
    """
    chosen = settings_or_defaults(settings, RiskSettings)
    _check_known("--system", (system,), SYSTEMS)
    if system == "gate" and n_simulations > MOST_GATED:
        raise InvalidArgument(
            f"n_simulations must be at most {MOST_GATED:,} under the gate, but is {n_simulations:,}: each path "
            "passes it day by day, some four a second"
        )
    inputs = book_inputs(book, prices, chosen, capital=capital, base_currency=base_currency, as_of=as_of, assets=assets)
    from rpmcore.risk.stress.suite_study import run_synthetic

    found = run_synthetic(
        inputs, n_simulations, chosen, system=_system(system, chosen, inputs), threads=threads, progress=progress
    )
    return replace(found, config_digest=digest_of(chosen))


def scenarios(file: str | PathLike[str] | None = None) -> "HistoricalCrisisLibrary":
    """Return the crisis library by name, with those of a scenario file if one is given.

    Raises
    ------
    InputError, ConfigurationError
        If the file cannot be used; the message names line and field.
    """
    from rpmcore.adapters.scenario_files import read_scenario_file
    from rpmcore.domain.crisis_library import HistoricalCrisisLibrary

    return HistoricalCrisisLibrary(() if file is None else read_scenario_file(file))


def chosen_crises(
    names: Sequence[str] | None = None, changes: Sequence[str] = (), file: str | PathLike[str] | None = None
) -> tuple[Crisis, ...]:
    """Return crises of the library by name, all if None, with parameters changed.

    Parameters
    ----------
    names
        Such as ``["lehman2008"]``.
    changes
        Texts such as ``"shock=-0.2"``; ``shock`` is short for ``market_shock``.
    file
        A scenario file that adds to the library.

    Raises
    ------
    ConfigurationError
        If a name or a parameter is not known (with the nearest one), or a value is out of its range.
    InputError
        If the file cannot be used.
    """
    library = scenarios(file)
    asked = tuple(library) if names is None or not len(names) else given_texts(names, "names")
    chosen = [library[name] for name in dict.fromkeys(asked)]
    return tuple(_changed(crisis, given_texts(changes, "changes")) for crisis in chosen)


def _changed(crisis: Crisis, changes: Sequence[str]) -> Crisis:
    parsed = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {change}: expected parameter=value or section.key=value")
        parsed["market_shock" if key == "shock" else key] = text
    return with_parameters(crisis, parsed) if parsed else crisis
