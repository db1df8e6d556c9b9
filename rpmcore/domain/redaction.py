"""Secrets by their names and by how they look: neither a log nor an alert shows them."""

import re
from functools import lru_cache

REDACTED = "[redacted]"

_SECRET_PARTS = frozenset({
    "key", "keys", "apikey", "auth", "pwd", "pass", "passphrase", "cookie", "cookies", "bearer", "dsn", "otp",
})  # fmt: skip
_SECRET = re.compile("token|secret|passw|authorization|webhook|credential|routingkey|privatekey|apikey")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

# What gives itself away in a text: credentials in an address, a bearer token, the address of a Slack webhook.
_IN_TEXT = re.compile(r"(?<=://)[^\s/]+(?=@)|(?<=earer )[^\s\"',]+|(?<=hooks\.slack\.com/)[^\s\"',)]+", re.IGNORECASE)

# And what stands behind the name of a secret: `api_key='…'` of an object that shows itself, `?token=…` of an address.
_NAMED = re.compile(
    r"((?:token|secret|passw(?:or)?d|passphrase|authorization|credentials?|webhook(?:_url)?"
    r"|(?:api|routing|private|access|signing)[-_ ]?key)[\"']? ?[=:] ?(?:(?:basic|bearer|digest|token) )?+)"
    r"(?!\[redacted\])(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^\s\"',;&)}\]]+)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Return whether what goes by this name is a secret: ``api_key``, ``Authorization``, ``slackWebhook``."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    return not _SECRET_PARTS.isdisjoint(parts) or _SECRET.search("".join(parts)) is not None


def redacted(text: str) -> str:
    """Return a text without the secrets that give themselves away in it."""
    if "://" in text or "earer " in text or "hooks.slack.com" in text:
        text = _IN_TEXT.sub(REDACTED, text)
    if ("=" in text or ":" in text) and _may_name_a_secret(text.lower()):
        text = _NAMED.sub(rf"\1{REDACTED}", text)
    return text


def _may_name_a_secret(text: str) -> bool:
    """Return whether a text in lower case is worth a closer look: most are not, and this is ten times as fast."""
    return (
        "key" in text or "token" in text or "secret" in text or "passw" in text or "passphrase" in text
        or "authorization" in text or "credential" in text or "webhook" in text
    )  # fmt: skip
