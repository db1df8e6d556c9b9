"""A clock that moves when it is told to, and alerting on it."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from rpmcore.adapters.alerts.alerting import AlertingSystem
from rpmcore.adapters.alerts.outbox import Outbox
from rpmcore.adapters.alerts.settings import AlertSettings

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests talk to is on this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path / "alerts.outbox")
    yield opened
    opened.close()


@pytest.fixture
def alerting(outbox: Outbox, clock: Clock) -> Callable[..., AlertingSystem]:
    numbers = count(1)

    def make(*, channels: tuple[str, ...] = ("slack", "pagerduty"), **settings: object) -> AlertingSystem:
        chosen = AlertSettings(**settings)
        return AlertingSystem(
            outbox, settings=chosen, channels=channels, clock=clock, new_id=lambda: f"a{next(numbers)}"
        )

    return make
