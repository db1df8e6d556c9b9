"""What a service says of its gate, asked over HTTP."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rpmcore.adapters.private_files import read_private
from rpmcore.adapters.service_client.events import events_of
from rpmcore.domain.errors import ConfigurationError, Unavailable

VARIABLE = "RPM_API_KEY_FILE"
LARGEST_KEY = 4096
CONNECTING = 5.0
"""Seconds until a server that takes no connection is taken for gone."""

SILENCE = 30.0
"""Seconds without a byte after which a connection is taken for dead; a state comes more often."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSED = (401, 403)


def load_api_key(named: str | None) -> str | None:
    """Return the API key of the file named, else of the one that ``RPM_API_KEY_FILE`` names; None for neither.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, others may read it, or it holds no key.
    """
    path = named or os.environ.get(VARIABLE)
    if not path:
        return None
    raw = read_private(Path(path), what="API key file", largest=LARGEST_KEY)
    if not raw or not raw.isascii() or not raw.decode("ascii").isprintable() or b" " in raw:
        raise ConfigurationError(f"the API key file {path} holds no key: one line of printable characters is expected")
    return raw.decode("ascii")


class ServiceClient:
    """Reads the state of a service.

    Parameters
    ----------
    url
        Of the service, such as ``http://127.0.0.1:8321``.
    key
        An API key with the scope ``read``; None for none.

    Raises
    ------
    ConfigurationError
        If httpx is not installed, the address is none, or a key would leave this machine unencrypted.
    """

    def __init__(self, url: str, *, key: str | None = None) -> None:
        try:
            import httpx
        except ImportError:
            raise ConfigurationError(
                "talking to a service needs more packages. Install them by: pip install 'rpmcore[serve]'"
            ) from None
        self.url, local = _checked(url, key)
        self._httpx = httpx
        # Proxies of the environment are for other machines.
        self._client = httpx.Client(
            headers={} if key is None else {"Authorization": f"Bearer {key}"}, trust_env=not local,
            timeout=httpx.Timeout(SILENCE, connect=CONNECTING),
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return ``rpm.state/1``.

        Raises
        ------
        Unavailable
            If no server answers, or it cannot now.
        ConfigurationError
            If it wants another key.
        """
        return self._get("v1/state")

    def stress(self) -> dict[str, Any]:
        """Return ``rpm.stress/1`` of the book that is held; raises as `state`."""
        return self._get("v1/stress")

    def states(self, *, silence: float = SILENCE) -> Iterator[dict[str, Any]]:
        """Yield states as they come, until the stream ends or no byte came for so many seconds; raises as `state`."""
        timeout = self._httpx.Timeout(silence, connect=CONNECTING)
        with self._failures(), self._client.stream("GET", f"{self.url}/v1/events", timeout=timeout) as answer:
            self._check(answer)
            for event in events_of(answer.iter_bytes()):
                if event.name == "state":
                    yield _object(event.data, self.url)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str) -> dict[str, Any]:
        with self._failures():
            answer = self._client.get(f"{self.url}/{path}")
            self._check(answer)
            return _object(answer.text, self.url)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except self._httpx.TimeoutException:
            raise Unavailable(f"{self.url} does not answer") from None
        except self._httpx.ConnectError as error:
            raise Unavailable(f"{self.url} cannot be reached: {error}") from None
        except (self._httpx.HTTPError, self._httpx.StreamError, self._httpx.InvalidURL) as error:
            raise Unavailable(f"the connection to {self.url} broke ({type(error).__name__})") from None

    def _check(self, answer: Any) -> None:
        if answer.is_success:
            return
        answer.read()
        told = f"{self.url} answers {answer.status_code}: {_problem(answer.text)}"
        if answer.status_code in _REFUSED:
            raise ConfigurationError(f"{told}. A key is read from --key-file, or from the file that {VARIABLE} names")
        raise Unavailable(told)


def _checked(url: str, key: str | None) -> tuple[str, bool]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise ConfigurationError(f"{url!r} is no address of a service; one is like http://127.0.0.1:8321")
    if parts.username or parts.password:
        raise ConfigurationError("an address must hold no password: others can read the command line. Use --key-file")
    local = host in _LOOPBACK
    if key is not None and parts.scheme == "http" and not local:
        raise ConfigurationError(f"a key would go to {host} unencrypted: use https, or a tunnel to this machine")
    return url.rstrip("/"), local


def _object(text: str, url: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(f"{url} answers with something else than a state: is it a service of rpm?")
    return found


def _problem(text: str) -> str:
    try:
        told = json.loads(text)
        return str(told.get("detail") or told["title"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return "it does not say why"
