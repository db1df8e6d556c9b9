"""What every job returns has in common: its JSON, its tables, and how it looks in a session and in a notebook."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rpmcore.domain.plain import to_plain

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A table that a notebook shows of a report.

    Attributes
    ----------
    table
        Its name, see `Report.to_arrow`.
    title
        Above it.
    columns
        In their order; those that the table lacks are left out.
    rows
        The most that are shown.
    """

    table: str
    title: str
    columns: tuple[str, ...]
    rows: int = 10


class Report:
    """A result of a job.

    Attributes
    ----------
    SCHEMA
        Of its JSON.
    MAIN
        The table that `to_arrow` returns without a name; empty where there is none.
    SHOWN
        What a notebook shows.
    ROWS
        Rows of tables that no field declares, because `to_plain` makes them: the dataclass of each, by name of table.
    """

    __slots__ = ()

    SCHEMA: ClassVar[str]
    MAIN: ClassVar[str] = ""
    SHOWN: ClassVar[tuple[Shown, ...]] = ()
    ROWS: ClassVar[dict[str, type]] = {}

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    def lists(self) -> dict[str, Any]:
        """Return where `to_arrow` looks for lists: the JSON, with what is a list in all but name written as one."""
        return self.to_plain()

    def to_dict(self) -> dict[str, Any]:
        """Return the object that the command prints with ``--json``.

        Numbers are unrounded; what is undefined is None beside ``…_reason``, and nothing is NaN or infinite. Dates are
        texts.
        """
        return {"schema": self.SCHEMA, **self.to_plain()}

    @property
    def tables(self) -> tuple[str, ...]:
        """Names that `to_arrow` takes: the lists of its JSON, in their order."""
        from rpmcore.domain.report_tables import tables_of

        return tuple(tables_of(self))

    def to_arrow(self, table: str | None = None) -> "pa.Table":
        """Return one of the tables of the result.

        Parameters
        ----------
        table
            One of `tables`; the main one if None. A list within the rows of another is a table too, such as
            ``scenarios.positions``: its rows begin with the number of the row that they belong to, from 0, and the
            first text of that row. Lists of lists stand in `to_dict` alone.

        Returns
        -------
        pyarrow.Table
            Numbers are float64 and whole ones int64, dates date32; what is undefined is null. A field of an object
            within a row has the names of both, such as ``during.signals``.

        Raises
        ------
        InvalidArgument
            If there is no such table; the message names those that there are.
        """
        from rpmcore.domain.report_tables import arrow_table

        return arrow_table(self, table)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the main table to whatever speaks Arrow."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def headline(self) -> str:
        """Return the answer in a sentence."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        from rpmcore.domain.report_html import html_of

        return html_of(self)

    def __str__(self) -> str:
        return self.headline()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline()}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConfiguredReport(Report):
    """A report that says by which settings it was made.

    Attributes
    ----------
    config_digest
        `Settings.digest`; None where a study was called without the job around it.
    """

    config_digest: str | None = None
    config_digest_reason: str = "a study was called without its job"

    def to_plain(self) -> dict[str, Any]:
        """Return it in JSON's types, without its schema; the digest stands last."""
        return {**self.figures(), **self.digest()}

    def figures(self) -> dict[str, Any]:
        """Return all but the digest."""
        return {name: value for name, value in to_plain(self).items() if name not in _DIGEST}

    def digest(self) -> dict[str, Any]:
        """Return the digest, or why there is none."""
        return {name: value for name, value in to_plain(self).items() if name in _DIGEST}


_DIGEST = ("config_digest", "config_digest_reason")


def percent(value: float | None, digits: int = 2) -> str:
    """Return a fraction as per cent, or a dash."""
    return "–" if value is None else f"{round(value, digits + 2) + 0.0:.{digits}%}"


def amount(value: float | None) -> str:
    """Return money with separators and no decimals, or a dash."""
    return "–" if value is None else f"{value:,.0f}"


def counted(count: int, what: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 limit`` or ``no limits``."""
    if count == 1:
        return f"1 {what}"
    return f"{f'{count:,}' if count else 'no'} {plural or what + 's'}"
