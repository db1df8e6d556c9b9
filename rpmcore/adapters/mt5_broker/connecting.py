"""From a file of rules to a connected adapter: the terminal is the one that runs, and its login is the user's own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from rpmcore.adapters.mt5_broker.broker import Mt5Broker, Mt5Rules
from rpmcore.adapters.server_time import server_time
from rpmcore.adapters.strict_yaml import Document, parse
from rpmcore.domain.broker import BrokerUnavailable
from rpmcore.domain.errors import ConfigurationError, InvalidArgument, nearest
from rpmcore.domain.releases import ReleaseVerifier

_KEYS = ("magics", "time_zone", "since", "symbols", "journal", "hedging")
_LARGEST = 256 * 1024


def connect(path: str | PathLike[str], verifier: ReleaseVerifier, *, read_only: bool = False) -> Mt5Broker:
    """Return the adapter of the terminal that runs on this machine, by the rules of a YAML file.

    Its keys are ``magics`` (whole number by strategy), ``time_zone`` (of the server), ``since`` (the day from which its
    history counts), ``journal`` (a file), and, where wanted, ``symbols`` (the broker's name by the gate's) and
    ``hedging: true``. No password passes through rpm: the terminal is logged in by whoever started it.

    Raises
    ------
    ConfigurationError
        If the rules cannot be used; names line and key.
    BrokerUnavailable
        If the package is not there, or no terminal answers.
    """
    rules, journal = _rules(path)
    try:
        module = import_module("MetaTrader5")
    except ImportError as error:
        raise BrokerUnavailable(
            "the package MetaTrader5 is not installed; it exists for Windows alone: pip install 'rpmcore[mt5]'"
        ) from error
    if not module.initialize():
        code, text = module.last_error()
        raise BrokerUnavailable(f"no terminal answers: {text} ({code}). Start it, log in, and allow algo trading")
    return Mt5Broker(module, verifier, journal=journal, rules=rules, read_only=read_only)


def _rules(path: str | PathLike[str]) -> tuple[Mt5Rules, Path]:
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ConfigurationError(f"{name}: larger than {_LARGEST // 1024} kB, the most that rules may take")
        document = parse(content.decode("utf-8-sig"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}: it cannot be read: {error}") from error
    values = document.values
    for key in values:
        if key not in _KEYS:
            meant = nearest(key, _KEYS)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(_KEYS)}"
            raise _error(document, name, key, f"there is no such key; {hint}")
    for key in ("magics", "time_zone", "since", "journal"):
        if values.get(key) is None:
            raise ConfigurationError(f"{name}: the key {key!r} is needed")
    try:
        since = datetime.strptime(str(values["since"]), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise _error(document, name, "since", "it is a day, YYYY-MM-DD") from None
    for key in ("magics", "symbols"):
        if not isinstance(values.get(key, {}), Mapping):
            raise _error(document, name, key, "it holds values by names")
    if not isinstance(values.get("hedging", False), bool):
        raise _error(document, name, "hedging", "it is true or false")
    try:
        made = Mt5Rules(
            magics=dict(values["magics"]), server=server_time(str(values["time_zone"]), f"{name}, time_zone"),
            since=since, symbols=dict(values.get("symbols", {})), hedging=values.get("hedging", False),
        )  # fmt: skip
    except InvalidArgument as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return made, Path(path).parent / str(values["journal"])


def _error(document: Document, name: str, key: str, problem: str) -> ConfigurationError:
    line: Any = document.lines.get((key,), "?")
    return ConfigurationError(f"{name}, line {line}: {key}: {problem}")
