"""Which strategy a position belongs to: by its comment, or one name for all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rpmcore.adapters.statements.symbols import first_match
from rpmcore.domain.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRules:
    """How a comment names a strategy.

    Attributes
    ----------
    default
        For what fits no rule; None if there must be a rule.
    by_comment
        Strategy by comment, or by a pattern with ``*``; the first that fits.
    """

    default: str | None = None
    by_comment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, comment: str, row: int, source: str) -> str:
        """Return the strategy.

        Raises
        ------
        InputError
            If no rule fits, and there is no default.
        """
        found = first_match(comment, self.by_comment) if comment else None
        if found is None:
            found = self.default
        if found is None:
            example = comment or "its comment"
            raise InputError(
                "nothing says which strategy it belongs to", source=source, column="comment", row=row, value=comment,
                remedy=f"say --strategy NAME for all, or --strategy-rule '{example}=NAME' ('*' stands for anything)",
            )  # fmt: skip
        return found
