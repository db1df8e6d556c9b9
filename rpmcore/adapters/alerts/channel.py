"""What a channel is to the delivery: it sends one thing, and says what became of it."""

from dataclasses import dataclass
from typing import Protocol

from rpmcore.adapters.alerts.alert import Alert, AlertAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of an attempt.

    Attributes
    ----------
    arrived
        Whether the endpoint has taken it.
    again
        Whether another attempt can succeed.
    error
        In words, without an address or a key; empty where it arrived.
    pause
        Seconds for which the endpoint asked to be left alone; None where it did not.
    """

    arrived: bool
    again: bool = False
    error: str = ""
    pause: float | None = None


class Channel(Protocol):
    """Somewhere alerts are sent to."""

    @property
    def name(self) -> str:
        """Of the channel, from a closed set: it is a label of a metric."""

    def send(self, alert: Alert, action: AlertAction) -> Sent:
        """Send one thing; `alert` is as it is now."""

    def close(self) -> None:
        """Give back the connection; the next `send` opens another."""
