"""The result of ``rpm size``."""

from dataclasses import dataclass

from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary
from rpmcore.risk.sizing.answer import SizingAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingReport:
    """How large a trade may be, in which book, and what a careful colleague would say about the data.

    `notes` say what was changed in the prices on the way in.
    """

    book: BookSummary | None
    trade: SizingAnswer
    warnings: tuple[Notice, ...] = ()
    notes: tuple[str, ...] = ()
    book_reason: str = "no book given"
