"""A sector that a book names is one of those that exposures are counted by."""

import pyarrow as pa
import pytest

import rpmcore
from rpmcore.domain.errors import InputError


def book(sector: str | None) -> pa.Table:
    return pa.table({"symbol": ["MSFT", "XOM"], "weight": [0.5, 0.5], "sector": pa.array([None, sector], pa.string())})


@pytest.mark.parametrize(
    ("sector", "taken"),
    [(None, "Energy"), ("ENERGY", "Energy"), ("information technology", "Information Technology")],
)
def test_a_known_sector_in_any_case_is_taken(sector: str | None, taken: str) -> None:
    # Exposures are summed by name: two spellings would be two sectors.
    found = {c.symbol: c.sector for c in rpmcore.evaluate(book(sector)).components}
    assert found["XOM"] == taken


@pytest.mark.parametrize(
    ("sector", "remedy"),
    [
        ("Technology", "Did you mean 'Information Technology'?"),
        ("Financial", "Did you mean 'Financials'?"),
        ("xyz", "Write one of them, or leave the cell empty"),
    ],
)
def test_another_is_refused_with_the_nearest(sector: str, remedy: str) -> None:
    with pytest.raises(InputError) as refused:
        rpmcore.evaluate(book(sector))
    for part in ["column 'sector'", "row 2", f"found {sector!r}", "Real Estate", remedy]:
        assert part in str(refused.value)
