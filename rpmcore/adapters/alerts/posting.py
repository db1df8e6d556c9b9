"""One POST of JSON: how it ended, in words that hold no address and no key."""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from time import time
from typing import Any
from urllib.parse import urlsplit

from rpmcore.adapters.alerts.channel import Sent
from rpmcore.adapters.alerts.credentials import Secret
from rpmcore.adapters.alerts.retries import retry_after
from rpmcore.domain.errors import ConfigurationError

_AGAIN = frozenset({408, 425, 429})
"""Answers below 500 after which another attempt can succeed."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_posting: ContextVar[bool] = ContextVar("posting", default=False)


class Poster:
    """Posts to one address.

    Parameters
    ----------
    address
        Secret, since that of a webhook is all that it takes to post there.
    called
        How messages call it.
    timeout
        Seconds of silence after which an attempt has failed.
    clock
        Seconds since 1970, UTC: what a date in ``Retry-After`` is held against.

    Raises
    ------
    ConfigurationError
        If httpx is not installed, or the address is not one of https.
    """

    def __init__(self, address: Secret, called: str, timeout: float, clock: Callable[[], float] = time) -> None:
        try:
            import httpx
        except ImportError:
            raise ConfigurationError(
                f'{called} is configured, and httpx is not installed. Install it by: pip install "rpmcore[alerts]"'
            ) from None
        _check(address, called)
        self._httpx, self._address, self._called, self._clock = httpx, address, called, clock
        self._silence, self._timeout = f"no answer within {timeout:g} s", timeout
        self._client: Any = None
        logging.getLogger("httpx").addFilter(_without_addresses)  # once: a filter that is there is not added again

    def post(self, body: dict[str, Any]) -> Sent:
        """Post, and return how it ended; whatever goes wrong is a value."""
        httpx, token = self._httpx, _posting.set(True)
        try:
            if self._client is None:
                self._client = httpx.Client(timeout=self._timeout)
            # The answer is its status and headers; its body could be endless, and is not read.
            with self._client.stream("POST", self._address.reveal(), json=body) as answer:
                return self._judged(answer.status_code, answer.headers.get("Retry-After"))
        except httpx.TimeoutException:
            return Sent(arrived=False, again=True, error=self._silence)
        except httpx.ConnectError:
            return Sent(arrived=False, again=True, error="no connection")
        except Exception as error:  # noqa: BLE001 - its text may hold the address; its name does not
            return Sent(arrived=False, again=True, error=f"the connection broke ({type(error).__name__})")
        finally:
            _posting.reset(token)

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _judged(self, status: int, wait: str | None) -> Sent:
        if 200 <= status < 300:
            return Sent(arrived=True)
        again = status >= 500 or status in _AGAIN
        pause = retry_after(wait, self._clock()) if again else None
        return Sent(arrived=False, again=again, error=f"answered {status}", pause=pause)


def _check(address: Secret, called: str) -> None:
    try:
        parts = urlsplit(address.reveal())
        host, scheme, _ = parts.hostname, parts.scheme, parts.port
    except ValueError:
        host, scheme = None, ""
    if not host or scheme not in ("https", "http") or (scheme == "http" and host not in _LOOPBACK):
        raise ConfigurationError(f"the address of {called} must begin with https:// and name a host")


class _WithoutAddresses(logging.Filter):
    """Drops what httpx logs of our requests: it names the address, and with it whoever reads the log could post."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return not _posting.get()


_without_addresses = _WithoutAddresses()
