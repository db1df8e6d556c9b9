"""Feature flags: switched for a while, by somebody, until a day. None of them lets an order past a check."""

from datetime import date
from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from rpmcore.domain.settings import Section, setting


class Flag(Section):
    """What every flag has: who answers for it, and until when.

    A flag declares its `neutral` value, which is its default and changes nothing, and which way from there `tightens`.
    """

    neutral: ClassVar[float] = 1.0
    tightens: ClassVar[Literal["lower", "higher"]] = "lower"

    value: float = setting(1.0, "What the flag is set to.", unit="factor")
    owner: str | None = setting(None, "Who answers for it; needed once it is set.", unit="name", min_length=1)
    expires: str | None = setting(
        None, "Last day on which it stands, in UTC; needed once it is set.", unit="day as YYYY-MM-DD"
    )

    @field_validator("expires")
    @classmethod
    def _is_a_day(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                fits = date.fromisoformat(text).isoformat() == text
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(f"{text!r} is no day such as 2026-12-31")
        return text

    @model_validator(mode="after")
    def _somebody_answers(self) -> Self:
        if self.set and (self.owner is None or not self.owner.strip() or self.expires is None):
            raise ValueError(f"a flag that is set (value {self.value:g}) needs owner and expires")
        return self

    @property
    def set(self) -> bool:
        """Whether it changes anything."""
        return self.value != self.neutral

    @property
    def loosens(self) -> bool:
        """Whether it allows more than its neutral value does."""
        above = self.value > self.neutral
        return self.set and above == (self.tightens == "lower")

    def expired(self, day: date) -> bool:
        """Return whether it is set although its last day is over."""
        return self.set and self.expires is not None and date.fromisoformat(self.expires) < day


class RolloutFlag(Flag):
    """Gradual rollout of capital, such as 0.10, then 0.50, then 1: what is left of the approved size of what opens."""

    value: float = setting(1.0, "Factor on the approved size of what opens.", unit="factor", gt=0.0, le=1.0)


class FlagsSettings(Section):
    """Feature flags. In prod they can only tighten a control, and one that has expired is an error."""

    rollout: RolloutFlag = RolloutFlag()

    def by_name(self) -> dict[str, Flag]:
        """Return every flag by its name."""
        return {name: getattr(self, name) for name in type(self).model_fields}
