"""What can go wrong, as one family. The command line maps each to an exit code."""

from difflib import get_close_matches


class RpmError(Exception):
    """Root of every error that rpm raises on purpose."""


class InvalidArgument(RpmError, ValueError):
    """An argument of a function is outside what the function is defined for."""


class InsufficientData(RpmError):
    """There are fewer observations than the estimate needs."""


class Undefined(RpmError):
    """The number asked for does not exist for these data, such as the mean of a law without one."""


class ConfigurationError(RpmError):
    """A setting is unknown, unreadable or out of its range."""


class Unavailable(RpmError):
    """Nothing can be answered now: what is needed has failed, is held by another, or is not there."""


class NotVerified(RpmError):
    """A record does not stand as it was written, or does not lead to what stands there."""


class InputError(RpmError):
    """A file, or a table handed over in memory, cannot be used.

    Parameters
    ----------
    problem
        What was found and what was expected, as one sentence without a full stop.
    source
        The file (or "the table given") that holds it.
    column, symbol, row
        Where in the file; `row` is a data row counted from 1, or a date.
    value
        What was found there.
    remedy
        What to do about it, as one sentence without a full stop.
    """

    def __init__(
        self,
        problem: str,
        *,
        source: str,
        column: str | None = None,
        symbol: str | None = None,
        row: int | str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        self.problem, self.source, self.remedy = problem, source, remedy
        self.column, self.symbol, self.row, self.value = column, symbol, row, value
        where = [source]
        if column is not None:
            where.append(f"column {column!r}")
        if symbol is not None and symbol != column:
            where.append(f"symbol {symbol!r}")
        if row is not None:
            where.append(f"row {row}")
        message = f"{', '.join(where)}: {problem}"
        if value is not None:
            message += f" (found {value!r})"
        if remedy is not None:
            message += f". {remedy[0].upper()}{remedy[1:]}"
        super().__init__(message)


def nearest(name: object, known: "list[str] | tuple[str, ...]") -> str | None:
    """Return the known name that `name` was probably meant to be: by case first, then by spelling."""
    name = str(name)
    folded = {item.casefold(): item for item in known}
    exact = folded.get(name.casefold())
    if exact is not None and exact != name:
        return exact
    matches = get_close_matches(name.casefold(), [item for item in folded if item != name.casefold()], n=1)
    return folded[matches[0]] if matches else None
