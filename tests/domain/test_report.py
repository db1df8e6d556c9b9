"""A report of any content: its tables hold what it holds, in types that do not depend on it, and its page is a page."""

import json
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from typing import Literal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument
from rpmcore.domain.report import ConfiguredReport, Report, Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    label: str
    value: float | None
    value_reason: str | None = "nobody knows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    status: Literal["ok", "breach"]
    share: float | None
    share_reason: str | None = "nothing to share"
    n: int
    day: date | None
    held: bool | None
    marks: tuple[str, ...]
    nested: Leaf | None
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    days: tuple[date, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Some(ConfiguredReport):
    rows: tuple[Row, ...]
    series: Series
    edges: tuple[float, ...] = (0.0, 1.0)

    SCHEMA = "rpm.some/1"
    MAIN = "rows"
    SHOWN = (Shown(table="rows", title="<Rows>", columns=("name", "status", "share", "day", "marks", "n"), rows=3),)

    def headline(self) -> str:
        return f"{len(self.rows)} rows & no more"


numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
leaves = st.builds(Leaf, label=texts, value=st.none() | numbers)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
rows = st.builds(
    Row, name=texts, status=st.sampled_from(["ok", "breach"]), share=st.none() | numbers,
    n=st.integers(-(2**63), 2**63 - 1), day=st.none() | days, held=st.none() | st.booleans(),
    marks=st.lists(texts, max_size=3).map(tuple), nested=st.none() | leaves,
    leaves=st.lists(leaves, max_size=3).map(tuple),
)  # fmt: skip
series = st.lists(st.tuples(days, st.none() | numbers), max_size=5).map(
    lambda pairs: Series(days=tuple(d for d, _ in pairs), values=tuple(v for _, v in pairs))
)
reports = st.builds(Some, rows=st.lists(rows, max_size=6).map(tuple), series=series)

TYPES = {
    "name": pa.string(), "status": pa.string(), "share": pa.float64(), "n": pa.int64(), "day": pa.date32(),
    "held": pa.bool_(), "marks": pa.list_(pa.string()),
}  # fmt: skip


@given(reports)
def test_a_table_holds_the_rows_in_the_types_that_they_declare(report):
    table = report.to_arrow()
    table.validate(full=True)
    assert table.num_rows == len(report.rows)
    assert {name: table.schema.field(name).type for name in TYPES} == TYPES
    for name in TYPES:
        held = [getattr(row, name) for row in report.rows]
        assert table[name].to_pylist() == [list(cell) if isinstance(cell, tuple) else cell for cell in held]
    column = table["nested.value"]
    assert column.type == pa.float64()
    assert column.to_pylist() == [None if row.nested is None else row.nested.value for row in report.rows]
    assert "nested" not in table.column_names
    assert "leaves" not in table.column_names


@given(reports)
def test_a_list_within_rows_is_a_table_that_can_be_joined(report):
    table = report.to_arrow("rows.leaves")
    want = [(i, row.name, leaf.label, leaf.value) for i, row in enumerate(report.rows) for leaf in row.leaves]
    names = ("row", "rows.name", "label", "value")
    assert [tuple(found[name] for name in names) for found in table.to_pylist()] == want


@given(reports)
def test_lists_side_by_side_are_columns(report):
    if not report.series.days:
        return
    table = report.to_arrow("series")
    assert table.schema.types == [pa.date32(), pa.float64()]
    assert table["days"].to_pylist() == list(report.series.days)
    assert table["values"].to_pylist() == list(report.series.values)


@given(reports)
def test_the_object_is_json_with_its_schema_first_and_the_digest_last(report):
    plain = report.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    names = list(plain)
    assert names[0] == "schema"
    assert names[-2:] == ["config_digest", "config_digest_reason"]


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "title"}
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] += data


@given(reports)
def test_the_page_shows_the_text_and_nothing_of_it_is_markup(report):
    page = Page()
    page.feed(report._repr_html_())
    page.close()
    assert not page.open
    assert page.tags <= {"div", "style", "p", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "small"}
    shown = report.rows[:3]
    columns = len(page.cells) // len(shown) if shown else 1
    assert not shown or columns in (5, 6)  # days alone are undefined without saying why
    assert page.cells[::columns] == [row.name for row in shown]
    assert page.cells[1::columns] == [row.status for row in shown]


def test_what_there_is_not_is_told():
    report = Some(rows=(), series=Series(days=(), values=()))
    with pytest.raises(InvalidArgument, match="no table 'row'; did you mean 'rows'"):
        report.to_arrow("row")
    assert report.to_arrow("rows.leaves").num_rows == 0
    assert repr(report) == "<Some: 0 rows & no more>"
    assert "0 rows &amp; no more" in report._repr_html_()


def test_a_report_without_lists_has_no_tables():
    @dataclass(frozen=True, slots=True, kw_only=True, repr=False)
    class Bare(Report):
        figure: float

        SCHEMA = "rpm.bare/1"

        def headline(self) -> str:
            return f"{self.figure:g}"

    report = Bare(figure=2.5)
    assert report.tables == ()
    assert report.to_dict() == {"schema": "rpm.bare/1", "figure": 2.5}
    with pytest.raises(InvalidArgument, match="Bare has no main table; it has none"):
        report.to_arrow()
