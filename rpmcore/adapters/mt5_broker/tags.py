"""What an order carries to the terminal: 31 characters of comment, and a whole number."""

import base64
import hashlib

from rpmcore.domain.releases import ReleasedTrade

MARK = "rpm"
_TAG, _SEAL = 16, 10
LONGEST_COMMENT = 31
"""Characters that MetaTrader keeps of a comment."""


def tag_of(order_id: str) -> str:
    """Return 80 bits of the hash of a client order id: ids are longer than a comment, and hold any character."""
    return _hashed(order_id, _TAG)


def comment_of(release: ReleasedTrade) -> str:
    """Return the comment of an order: a mark, its tag, and 50 bits of the hash of its release's signature.

    The last part tells another order of the same id, without any memory of the first.
    """
    return f"{MARK}{tag_of(release.order_id)}{_hashed(release.signature, _SEAL)}"


def split(comment: str) -> tuple[str, str] | None:
    """Return tag and seal of a comment; None where it is none of ours, or a server has changed it."""
    text = comment.removeprefix(MARK)
    if text == comment or len(text) != _TAG + _SEAL or not text.isalnum():
        return None
    return text[:_TAG], text[_TAG:]


def _hashed(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]
