"""Historical crises as parameters of a stress, each value with the source it is from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, get_args

from rpmcore.domain.errors import ConfigurationError, InputError, nearest
from rpmcore.domain.instruments import CURRENCIES
from rpmcore.domain.report import Report, counted, percent

Regime = Literal["trending", "ranging", "volatile", "stressed"]
"""The state of a market, as the adaptive limits name it."""


class CrisisScenario(StrEnum):
    """The crises of the library, by name."""

    LEHMAN_2008 = "lehman2008"
    FLASH_CRASH_2010 = "flashcrash2010"
    COVID_2020 = "covid2020"
    BREXIT_2016 = "brexit2016"
    ARCHEGOS_2021 = "archegos2021"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The first and the last day whose returns belong to a crisis."""

    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A jump in price with no trade on the way: a floor on the adverse move of its victims.

    Attributes
    ----------
    size
        Fraction of the price, in (0, 1).
    victims
        ``equities``: shares and indices; ``largest_equity``: the largest position in a single share;
        ``currency:GBP``: whatever has exposure to that currency.
    """

    size: float
    victims: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Crisis(Report):
    """One crisis: what the market did, and when.

    Attributes
    ----------
    name, title, description
        The name on the command line, the one in a heading, and a paragraph.
    window
        When it was.
    market_shock
        Return of the market, in (-1, 0).
    volatility_multiplier, spread_multiplier
        Stressed over calm volatility and bid-ask spread, at least 1.
    correlation
        Mean correlation to be reached, in [0, 1]; None leaves correlations as they are.
    volume_reduction
        The fraction of daily volume that is gone, in [0, 1).
    gap
        None where prices moved without one.
    regime
        The state that the market is in during the crisis.
    duration_days
        Trading days over which the shock is spread.
    sources
        For each key of `parameters`: ``specification``; ``estimated`` from data of the window; ``neutral``
        where it could not be measured; or ``given`` by the caller.
    """

    name: str
    title: str
    description: str
    window: Window
    market_shock: float
    volatility_multiplier: float
    correlation: float | None
    spread_multiplier: float
    volume_reduction: float
    gap: Gap | None
    regime: Regime
    duration_days: int
    sources: Mapping[str, str]

    SCHEMA = "rpm.scenario/1"

    def headline(self) -> str:
        """Return the answer in a sentence."""
        return (
            f"{self.title} ({self.name}), {self.window.start} to {self.window.end}: market "
            f"{percent(self.market_shock, 0)} in {counted(self.duration_days, 'day')}"
        )

    @property
    def parameters(self) -> dict[str, float | str | None]:
        """The parameters by the keys of the file, where the gap is ``gap_size`` and ``gap_victims``."""
        gap = {
            "gap_size": self.gap.size if self.gap else None,
            "gap_victims": self.gap.victims if self.gap else None,
        }
        return {key: gap[key] if key in gap else getattr(self, key) for key in _PARAMETERS}


def crisis_from_mapping(
    mapping: Mapping[str, Any],
    source: str,
    *,
    own: bool = False,
    lines: Mapping[tuple[str, ...], int] | None = None,
) -> Crisis:
    """Return the crisis that a parsed file describes.

    Parameters
    ----------
    mapping
        ``name``, ``title``, ``description``, ``window: {start, end}``, and each of `Crisis.parameters` as
        ``{value, source}``.
    source
        What messages call the file.
    own
        Whether it is a desk's file: a plain value then stands for ``{value, source: given}``, and no value can be from
        the specification.
    lines
        The line of each key by its path, such as ``("window", "start")``, for messages.

    Raises
    ------
    InputError
        If a key is missing, unknown or misspelt, or a value is out of its range or contradicts another; names the line
        where `lines` are given.
    """
    place = _Place(source, lines or {})
    _check_keys(mapping, (), (*_TEXTS, "window", *_PARAMETERS), place)
    for key, text in ((key, mapping[key]) for key in _TEXTS):
        if not isinstance(text, str) or not text.strip() or not all(c.isprintable() or c == "\n" for c in text):
            raise InputError(f"key {key!r} must be a text", source=place.of(key), value=text)
    if not _NAME.fullmatch(mapping["name"].strip()):
        raise InputError(
            "key 'name' must be letters, digits, '-', '_' and '.', and begin with a letter or digit",
            source=place.of("name"),
            value=mapping["name"],
        )
    values: dict[str, Any] = {}
    sources = {}
    for key, domain in _PARAMETERS.items():
        node = mapping[key]
        if own and not isinstance(node, Mapping):
            node = {"value": node, "source": "given"}
        _check_keys(node, (key,), ("value", "source"), place)
        _check_value(node["value"], (key,), domain, place)
        _check_value(node["source"], (key, "source"), _OWN_SOURCES if own else _SOURCES, place)
        values[key], sources[key] = domain.canonical(node["value"]), node["source"]
    size, victims = values.pop("gap_size"), values.pop("gap_victims")
    if (size is None) != (victims is None):
        raise InputError(
            "keys 'gap_size' and 'gap_victims' must both have a value or both be null",
            source=place.of("gap_victims" if victims is None else "gap_size"),
        )
    return Crisis(
        **{key: mapping[key].strip() for key in _TEXTS},
        **values,
        window=_window(mapping["window"], place),
        gap=None if size is None else Gap(size=size, victims=victims),
        sources=sources,
    )


def with_parameters(crisis: Crisis, changes: Mapping[str, str]) -> Crisis:
    """Return a crisis with some of its numbers replaced; their source becomes ``given``.

    Parameters
    ----------
    crisis
        Stays as it is.
    changes
        Numbers as text by key, such as ``{"market_shock": "-0.2"}``.

    Raises
    ------
    ConfigurationError
        If a key is not a number of the crisis (with the nearest that is), or a value is out of its range.
    """
    numeric = {key: domain for key, domain in _PARAMETERS.items() if isinstance(domain, _Number)}
    values: dict[str, Any] = {}
    for key, text in changes.items():
        if key not in numeric:
            raise ConfigurationError(f"a scenario has no number {key!r}; {_hint(key, tuple(numeric))}")
        try:
            value = int(text) if numeric[key].whole else float(text)
        except ValueError:
            value = None
        if value is None or not numeric[key].admits(value):
            raise ConfigurationError(f"{key} of a scenario must be {numeric[key]}, but is {text!r}")
        values[key] = value
    sources = {**crisis.sources, **dict.fromkeys(values, "given")}
    if "gap_size" in values:
        if crisis.gap is None:
            raise ConfigurationError(f"gap_size cannot be changed: {crisis.name} has no gap")
        values["gap"] = replace(crisis.gap, size=values.pop("gap_size"))
    return replace(crisis, **values, sources=sources)


@dataclass(frozen=True, slots=True)
class _Number:
    """The numbers between two bounds, each of which may be left out."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    optional: bool = False

    def admits(self, value: object) -> bool:
        if value is None:
            return self.optional
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        above = self.low < value if self.low_open else self.low <= value
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def canonical(self, value: Any) -> Any:
        return value if self.whole or value is None else float(value)

    def __str__(self) -> str:
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} in {left}{self.low:g}, {self.high:g}{right}{' or null' * self.optional}"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A few words."""

    words: tuple[str | None, ...]
    meaning: str

    def admits(self, value: object) -> bool:
        return value in self.words

    def canonical(self, value: Any) -> Any:
        return value

    def __str__(self) -> str:
        return self.meaning


@dataclass(frozen=True, slots=True)
class _Place:
    """A file, and the line of each of its keys where they are known."""

    source: str
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def of(self, *path: str) -> str:
        """Return what messages call the place of a key: its line, that of the key around it, or the first of all."""
        for n in range(len(path), 0, -1):
            if path[:n] in self.lines:
                return f"{self.source}, line {self.lines[path[:n]]}"
        return f"{self.source}, line {min(self.lines.values())}" if self.lines else self.source


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TEXTS = ("name", "title", "description")
_SOURCES = _Choice(("specification", "estimated", "neutral"), meaning="one of specification, estimated, neutral")
_OWN_SOURCES = _Choice(
    ("given", "estimated", "neutral"),
    meaning="one of given, estimated, neutral: the specification speaks only of the crises that come with rpm",
)
_PARAMETERS: dict[str, _Number | _Choice] = {
    "market_shock": _Number(-1, 0, low_open=True, high_open=True),
    "volatility_multiplier": _Number(1, 100),
    "correlation": _Number(0, 1, optional=True),
    "spread_multiplier": _Number(1, 1000),
    "volume_reduction": _Number(0, 1, high_open=True),
    "gap_size": _Number(0, 1, low_open=True, high_open=True, optional=True),
    "gap_victims": _Choice(
        (None, "equities", "largest_equity", *(f"currency:{code}" for code in sorted(CURRENCIES))),
        meaning="equities, largest_equity, an ISO code after 'currency:', or null",
    ),
    "regime": _Choice(get_args(Regime), meaning=f"one of {', '.join(get_args(Regime))}"),
    "duration_days": _Number(1, 2520, whole=True),
}


def _check_keys(node: object, path: tuple[str, ...], expected: tuple[str, ...], place: _Place) -> None:
    """Raise unless `node`, the value of the key at `path` or the whole file, is a mapping with exactly these keys."""
    what = f"key {'.'.join(path)!r}" if path else "the file"
    if not isinstance(node, Mapping):
        raise InputError(f"{what} must hold the keys {', '.join(expected)}", source=place.of(*path), value=node)
    for name in node:
        if name not in expected:
            key = (*path, str(name))
            problem = f"key {'.'.join(key)!r} is not known"
            raise InputError(problem, source=place.of(*key), remedy=_hint(str(name), expected))
    for name in expected:
        if name not in node:
            raise InputError(f"key {'.'.join((*path, name))!r} is missing", source=place.of(*path))


def _check_value(value: object, path: tuple[str, ...], domain: _Number | _Choice, place: _Place) -> None:
    if not domain.admits(value):
        raise InputError(f"key {'.'.join(path)!r} must be {domain}", source=place.of(*path), value=value)


def _window(node: object, place: _Place) -> Window:
    _check_keys(node, ("window",), ("start", "end"), place)
    days = {key: _day(value, key, place) for key, value in dict(node).items()}  # type: ignore[call-overload]
    window = Window(**days)
    if window.start > window.end:
        raise InputError(
            f"key 'window.end' must not be before 'window.start', {window.start}",
            source=place.of("window", "end"),
            value=str(window.end),
        )
    return window


def _day(value: object, key: str, place: _Place) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        found = date.fromisoformat(str(value))
    except ValueError:
        found = None
    # `fromisoformat` knows week dates and dates without hyphens too; a crisis is dated in one way.
    if found is None or str(found) != value:
        raise InputError(
            f"key 'window.{key}' must be a date such as 2008-09-15", source=place.of("window", key), value=value
        )
    return found


def _hint(name: str, known: tuple[str, ...]) -> str:
    meant = nearest(name, known)
    return f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
