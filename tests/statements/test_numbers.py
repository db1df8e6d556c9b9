"""Numbers as people write them; the oracle writes them, and knows what it wrote."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.statements.numbers import decimal_mark, parse_number

WRITTEN = st.tuples(
    st.integers(-(10**12), 10**12),
    st.integers(0, 5),
    st.sampled_from([".", ","]),
    st.sampled_from(["", "other", " ", "\u00a0", "\u202f", "'"]),
    st.sampled_from(["-{}", "- {}", "−{}", "{}-", "({})"]),
)


def in_words(units, decimals, mark, group, minus):
    whole, part = divmod(abs(units), 10**decimals)
    group = {"other": "," if mark == "." else "."}.get(group, group)
    text = f"{whole:,}".replace(",", group) + (f"{mark}{part:0{decimals}d}" if decimals else "")
    return minus.format(text) if units < 0 else text


@given(WRITTEN)
def test_whatever_is_written_is_read_exactly(how):
    units, decimals, mark, *_ = how
    assert parse_number(in_words(*how), mark) == Decimal(units).scaleb(-decimals)


@given(st.lists(WRITTEN, min_size=1, max_size=5), st.sampled_from([".", ","]))
def test_the_mark_is_found_or_there_is_none_to_find(amounts, mark):
    texts = [in_words(units, decimals, mark, group, minus) for units, decimals, _, group, minus in amounts]
    found, doubtful = decimal_mark(texts)
    if found is not None:
        assert found == mark
    elif doubtful is None:
        assert all("." not in text and "," not in text for text in texts)


@pytest.mark.parametrize(
    "text",
    ["", "-", "1,2,3", "1.2.3", "--5", "-5-", "(5", "5)", "(-5)", "1 23", "12 34.5", "0x10", "1e5", "nan", "inf", "٣",
     "5 USD", "1_000", "1" * 41, "1 ,5"],
)  # fmt: skip
def test_what_is_no_number_is_none(text):
    assert parse_number(text, ".") is None


def test_one_text_can_be_two_numbers():
    assert decimal_mark(["1.234", "5"]) == (None, "1.234")
    assert (parse_number("1.234", "."), parse_number("1.234", ",")) == (Decimal("1.234"), Decimal(1234))
    assert decimal_mark(["1.234", "0.5"])[0] == "."
    assert decimal_mark(["1.234", "1.234.567"])[0] == ","
    assert decimal_mark(["1 234.567"])[0] == "."
