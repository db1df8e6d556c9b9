"""The result of ``rpm size``."""

from dataclasses import dataclass

from rpmcore.domain.report import ConfiguredReport, Shown, amount, percent
from rpmcore.risk.notices import Notice
from rpmcore.risk.report import BookSummary
from rpmcore.risk.sizing.answer import SizingAnswer


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SizingReport(ConfiguredReport):
    """How large a trade may be, in which book, and what a careful colleague would say about the data.

    `notes` say what was changed in the prices on the way in.
    """

    book: BookSummary | None
    trade: SizingAnswer
    warnings: tuple[Notice, ...] = ()
    notes: tuple[str, ...] = ()
    book_reason: str = "no book given"

    SCHEMA = "rpm.size/1"
    MAIN = "trade.constraints"
    SHOWN = (
        Shown(
            table="trade.constraints", title="Constraints", rows=20,
            columns=("name", "quantity", "money", "weight", "multiplier", "binding", "why"),
        ),
    )  # fmt: skip

    def headline(self) -> str:
        """Return the answer in a sentence."""
        trade = self.trade
        return (
            f"{trade.side} {trade.quantity:,} {trade.symbol} at {trade.entry:g}: {amount(trade.money)} "
            f"{trade.account}, {percent(trade.weight)} of capital; {trade.reason}"
        )
