"""The data that come with the package: instruments, crises and the sample. Nothing else reads them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rpmcore.domain.crises import Crisis, CrisisScenario, crisis_from_mapping
from rpmcore.domain.errors import InputError, InvalidArgument
from rpmcore.domain.instruments import METALS, Clock, Instrument, parse_pair


@cache
def instruments() -> Mapping[str, Instrument]:
    """Return the instruments of the reference data by symbol."""
    content = _read("assets.yaml")
    clocks = {
        name: Clock(name=name, zone=clock["zone"], time=time.fromisoformat(clock["time"]))
        for name, clock in content["clocks"].items()
    }
    return MappingProxyType(
        {
            symbol: Instrument(
                symbol=symbol,
                **{
                    **entry,
                    "clock": clocks[entry["clock"]],
                    "contract_size": float(entry["contract_size"]),
                    "beta": entry["beta"]["value"],
                },
            )
            for symbol, entry in content["instruments"].items()
        }
    )


def instrument(
    symbol: str,
    *,
    account_currency: str,
    currency: str | None = None,
    sector: str | None = None,
    contract_size: float | None = None,
) -> Instrument:
    """Return what is known of a symbol: from the book, else the reference data, else its name.

    Parameters
    ----------
    symbol
        Any text. Two ISO currency codes side by side are a pair, whether or not the reference data list it.
    account_currency
        The currency of a symbol of which nothing is known; it is treated as a share.
    currency, sector, contract_size
        What the book says; it stands before the reference data.

    Raises
    ------
    InvalidArgument
        If `currency` is not the quote currency of a pair, or `contract_size` is not positive and finite.
    """
    found = instruments().get(symbol) or _from_symbol(symbol, account_currency)
    if currency is not None and currency != found.currency:
        if found.base_currency is not None:
            raise InvalidArgument(
                f"{symbol} is priced in {found.currency}, but the book says {currency!r}; "
                "leave the currency of a pair empty"
            )
        found = replace(found, currency=currency)
    if sector is not None:
        found = replace(found, sector=sector)
    if contract_size is not None:
        if not 0.0 < contract_size < float("inf"):
            raise InvalidArgument(
                f"the contract size of {symbol} must be positive and finite, but is {contract_size!r}"
            )
        found = replace(found, contract_size=contract_size)
    return found


def _from_symbol(symbol: str, account_currency: str) -> Instrument:
    pair = parse_pair(symbol)
    if pair is None:
        return Instrument(symbol=symbol, name=symbol, kind="equity", currency=account_currency, known=False)
    base, quote = pair
    metal = base in METALS
    return Instrument(
        symbol=symbol,
        name=f"{base} / {quote}",
        kind="metal" if metal else "fx",
        currency=quote,
        base_currency=base,
        sector="Commodities" if metal else "FX",
    )


@cache
def crises() -> Mapping[str, Crisis]:
    """Return the crisis library by name, in the order of `CrisisScenario`."""
    library = {}
    for scenario in CrisisScenario:
        file = f"crises/{scenario.value}.yaml"
        library[scenario.value] = crisis_from_mapping(_read(file), file)
    return MappingProxyType(library)


def sample_path(name: str) -> Path:
    """Return the path of a file of the sample, ``portfolio.parquet`` or ``prices.parquet``.

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
