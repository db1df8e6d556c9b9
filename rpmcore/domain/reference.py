"""The data that come with the package: instruments, crises and the sample. Nothing else reads them."""

from collections.abc import Mapping
from datetime import time
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rpmcore.domain.crises import Crisis, CrisisScenario, crisis_from_mapping
from rpmcore.domain.errors import InputError
from rpmcore.domain.factor_profiles import AssetFactorProfile, Loading, profile_of
from rpmcore.domain.instruments import Clock, Instrument


@cache
def profiles() -> Mapping[str, AssetFactorProfile]:
    """Return the profiles of the reference data by symbol."""
    content = _read("assets.yaml")
    clocks = {
        name: Clock(name=name, zone=clock["zone"], time=time.fromisoformat(clock["time"]))
        for name, clock in content["clocks"].items()
    }
    return MappingProxyType(
        {symbol: _profile(symbol, entry, clocks) for symbol, entry in content["instruments"].items()}
    )


def _profile(symbol: str, entry: dict[str, Any], clocks: Mapping[str, Clock]) -> AssetFactorProfile:
    known = {**entry, "clock": clocks[entry["clock"]]}
    loadings = {name: Loading(**loading) for name, loading in known.pop("loadings").items()}
    for name in ("contract_size", "lot_step"):
        known[name] = float(known[name])
    return profile_of(Instrument(symbol=symbol, **known), loadings, "reference")


@cache
def crises() -> Mapping[str, Crisis]:
    """Return the crisis library by name, in the order of `CrisisScenario`."""
    library = {}
    for scenario in CrisisScenario:
        file = f"crises/{scenario.value}.yaml"
        library[scenario.value] = crisis_from_mapping(_read(file), file)
    return MappingProxyType(library)


def sample_path(name: str) -> Path:
    """Return the path of a file of the sample: ``portfolio``, ``prices`` or ``factors.parquet``.

    Raises
    ------
    InputError
        If neither the installed package nor the source checkout holds it.
    """
    package = Path(str(resources.files("rpmcore")))
    # A wheel carries the sample inside the package; an editable installation finds it in the checkout.
    candidates = (package / "sample" / name, package.parent / "data" / name)
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(
        f"the sample file is missing; looked for {' and '.join(map(str, candidates))}",
        source=name,
        remedy="install rpmcore again, or name a file of your own",
    )


def _read(name: str) -> Any:
    import yaml  # start-up: only the commands that need reference data pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files("rpmcore").joinpath("reference", name).read_text(encoding="utf-8")
    return yaml.load(text, loader)  # noqa: S506 - either loader is a safe one
