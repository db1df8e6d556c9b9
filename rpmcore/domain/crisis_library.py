"""The crises that can be asked for by name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from rpmcore.domain import reference
from rpmcore.domain.crises import Crisis
from rpmcore.domain.errors import ConfigurationError, nearest
from rpmcore.domain.plain import to_plain
from rpmcore.domain.report import Report, Shown

_REQUIRED = object()


class HistoricalCrisisLibrary(Report, Mapping[str, Crisis]):
    """The crises that come with rpm, and a desk's own, by name.

    Unlike in a dict, a name that is not there is a `ConfigurationError` with the nearest one that is. A member of
    `rpmcore.domain.crises.CrisisScenario` is a name.

    Parameters
    ----------
    own
        Crises of the desk, such as `rpmcore.adapters.scenario_files.read_scenario_file` gives. One of the name of a
        shipped crisis stands in its place; others follow the shipped ones.

    Raises
    ------
    ConfigurationError
        If two of `own` have one name.
    """

    SCHEMA = "rpm.scenarios/1"
    MAIN = "scenarios"
    ROWS: ClassVar[dict[str, type]] = {"scenarios": Crisis}
    SHOWN = (
        Shown(
            table="scenarios", title="Crises", rows=40,
            columns=(
                "name", "title", "window.start", "window.end", "market_shock", "volatility_multiplier", "regime",
                "duration_days",
            ),
        ),
    )  # fmt: skip

    def __init__(self, own: Iterable[Crisis] = ()) -> None:
        added: dict[str, Crisis] = {}
        for crisis in own:
            if crisis.name in added:
                raise ConfigurationError(f"two scenarios have the name {crisis.name!r}; rename one of them")
            added[crisis.name] = crisis
        self._crises = {**reference.crises(), **added}

    def __getitem__(self, name: str) -> Crisis:
        if name not in self._crises:
            meant = nearest(str(name), list(self._crises))
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(self._crises)}"
            raise ConfigurationError(f"there is no scenario {str(name)!r}; {hint}")
        return self._crises[name]

    def __contains__(self, name: object) -> bool:
        return name in self._crises

    def __iter__(self) -> Iterator[str]:
        return iter(self._crises)

    def __len__(self) -> int:
        return len(self._crises)

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        return {"scenarios": to_plain(tuple(self.values()))}

    def headline(self) -> str:
        """Return the names in a sentence."""
        return f"{len(self)} crises: {', '.join(self)}"

    def get(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return the crisis of this name.

        Parameters
        ----------
        name
            A name, or a `rpmcore.domain.crises.CrisisScenario`.
        default
            Returned for a name that is not there; without it that is an error.

        Raises
        ------
        ConfigurationError
            If there is no such name, with the nearest that there is.
        """
        return self[name] if default is _REQUIRED or name in self else default
