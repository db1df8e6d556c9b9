"""The order of commands: their times, their ids, what they led to."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from rpmcore.domain.controls import ControlEvent, DuplicateCommand, TimeReversed
from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.plain import to_plain


class Journal:
    """Refuses commands out of order or given twice, and keeps the most recent events.

    Parameters
    ----------
    clock
        Returns nanoseconds UTC, for commands without a time.
    most_events, most_ids
        How many are kept.
    """

    def __init__(self, clock: Callable[[], int] | None, most_events: int, most_ids: int) -> None:
        self.clock, self._most_ids = clock, most_ids
        self._at: int | None = None
        self._ids: dict[str, None] = {}
        self.sequence = 0
        self.events: deque[ControlEvent] = deque(maxlen=most_events)
        self.counts: Counter[str] = Counter()

    def time(self, at: int | None, command_id: str | None = None) -> int:
        """Return the time of a command that may be taken.

        Raises
        ------
        InvalidArgument
            If there is neither `at` nor a clock, it is no integer, or earlier than the command before; or if the id was
            taken before.
        """
        if at is None:
            if self.clock is None:
                raise InvalidArgument("no time: give at=, nanoseconds UTC, or a clock to the manager")
            at = self.clock()
        if type(at) is not int:
            raise InvalidArgument(f"at is {at!r}: an integer of nanoseconds UTC is needed")
        if self._at is not None and at < self._at:
            raise TimeReversed(
                f"at is {at}, {self._at - at} ns before the command before it: deliver commands in the order of their "
                "times; if the clock was set back, send nothing new until it has caught up"
            )
        if command_id is not None and command_id in self._ids:
            raise DuplicateCommand(f"command {command_id!r} was taken before: send each one once")
        return at

    def correlation(self, given: str | None) -> str:
        """Return the correlation id given, or one made of the number of the command."""
        return given if given is not None else f"ks-{self.sequence + 1}"

    def take(self, at: int, command_id: str | None, events: tuple[ControlEvent, ...], what: str) -> None:
        """Write down a command that went through, and what it led to."""
        self._at = at
        self.sequence += 1
        self.counts[what] += 1
        if command_id is not None:
            self._ids[command_id] = None
            if len(self._ids) > self._most_ids:
                del self._ids[next(iter(self._ids))]
        for event in events:
            self.events.append(event)
            self.counts["events"] += 1
            if event.after > event.before:
                self.counts[f"{event.switch}.{event.after.value}"] += 1

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "at": self._at, "sequence": self.sequence, "ids": list(self._ids), "counts": dict(self.counts),
            "events": [to_plain(event) for event in self.events],
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._at, self.sequence = state["at"], state["sequence"]
        self._ids, self.counts = dict.fromkeys(state["ids"]), Counter(state["counts"])
        self.events = deque(map(ControlEvent.of_plain, state["events"]), maxlen=self.events.maxlen)
