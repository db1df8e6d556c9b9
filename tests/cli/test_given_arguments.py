"""Arguments that look right and are not: none is taken for something else, and each is told with what would be."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import rpmcore
from rpmcore.domain import reference
from rpmcore.domain.errors import ConfigurationError, InputError, InvalidArgument

SAMPLE = str(reference.sample_path("portfolio.parquet"))
TRADES = str(reference.sample_path("trades.parquet"))
WEIGHTS = pa.table({"symbol": ["MSFT", "JPM"], "weight": [0.5, 0.5]})


@pytest.mark.parametrize("capital", [-1, 0, float("nan"), float("inf"), "1000000", True])
@pytest.mark.parametrize("source", [SAMPLE, WEIGHTS])
def test_capital_is_held_against_the_same_rule_for_a_book_that_was_read_before(capital, source):
    for book in (source, rpmcore.read_book(source)):
        with pytest.raises(InputError, match="the capital given must be positive and finite"):
            rpmcore.evaluate(book, capital=capital)


@pytest.mark.parametrize("code", ["usd", "", 3])
def test_so_is_a_currency(code):
    for book in (SAMPLE, rpmcore.read_book(SAMPLE)):
        with pytest.raises(InputError, match="the base currency given is not one"):
            rpmcore.evaluate(book, base_currency=code)


def test_and_so_are_both_for_trades():
    for trades in (TRADES, rpmcore.read_trades(TRADES)):
        with pytest.raises(InputError, match="the capital given"):
            rpmcore.strategies(trades, capital=0.0)
        with pytest.raises(InputError, match="the base currency given"):
            rpmcore.strategies(trades, base_currency="")


def test_a_numpy_number_is_a_capital():
    book = rpmcore.read_book(WEIGHTS)
    assert rpmcore.evaluate(book, capital=np.float64(2e6)).book.capital == 2e6
    assert rpmcore.evaluate(book, capital=np.int64(2_000_000)).book.capital == 2e6


@pytest.mark.parametrize("day", [20200101, "2020-01-01", "01/02/2020", np.datetime64("2020-01-01")])
def test_what_is_no_day_is_not_counted_as_one(day):
    for job in (rpmcore.evaluate, rpmcore.limits, rpmcore.strategies, rpmcore.gate_run, rpmcore.new_gate):
        with pytest.raises(
            InvalidArgument, match=r"^as_of must be a day such as datetime\.date\(2022, 12, 28\), but is "
        ):
            job(as_of=day)
    with pytest.raises(InvalidArgument, match=r"^until must be a day"):
        rpmcore.gate_run(until=day)


def test_a_moment_counts_as_its_day():
    want = rpmcore.evaluate(as_of=date(2020, 1, 2)).to_dict()
    for moment in (datetime(2020, 1, 2, 15, 30), pd.Timestamp("2020-01-02 09:00")):
        assert rpmcore.evaluate(as_of=moment).to_dict() == want


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (lambda: rpmcore.evaluate(decompose="historical"), "decompose"),
        (lambda: rpmcore.chosen_crises("historical"), "names"),
        (lambda: rpmcore.chosen_crises(["lehman2008"], "historical"), "changes"),
        (lambda: rpmcore.stress(crises=rpmcore.chosen_crises(), modes="historical"), "modes"),
        (lambda: rpmcore.exposure(hedge=True, hedge_with="historical"), "hedge_with"),
        (lambda: rpmcore.read_prices(reference.sample_path("prices.parquet"), "historical"), "symbols"),
    ],
)
def test_a_text_is_no_list_of_its_letters(job, name):
    with pytest.raises(
        InvalidArgument, match=rf"^{name} must be a list of texts such as \['historical'\], but is 'historical'$"
    ):
        job()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, r"nothing to run: give crises, such as chosen_crises\(\) for all, or shocks$"),
        ({"crises": rpmcore.chosen_crises(), "modes": []}, "nothing to run: give modes$"),
        ({"crises": ["lehman2008"]}, r"what chosen_crises returns, such as .*, but are \['lehman2008'\]$"),
        ({"crises": rpmcore.chosen_crises()[0]}, "what chosen_crises returns"),
        ({"crises": None}, "what chosen_crises returns"),
        ({"shocks": {"MSFT": -2.0}}, "the shock of 'MSFT' must be a return above -1, such as -0.1, but is -2.0"),
    ],
)
def test_crises_are_crises_and_no_price_falls_below_zero(asked, told):
    with pytest.raises(InvalidArgument, match=told):
        rpmcore.stress(**asked)


def test_a_name_that_is_no_text_is_unknown():
    with pytest.raises(ConfigurationError, match="no method None; known are"):
        rpmcore.backtest(method=None)
    with pytest.raises(InvalidArgument, match="no table 3; there are"):
        rpmcore.evaluate().to_arrow(3)


def test_a_ledger_to_examine_may_be_named_by_text():
    found = {check.name: check for check in rpmcore.examine("nowhere.ledger").checks}
    assert "no ledger at" in found["ledger"].found


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"symbol": [1, "MSFT"], "weight": [0.5, 0.5]}), "column symbol"),
        (pd.DataFrame([["MSFT", 0.5, "x"]], columns=["symbol", "weight", "symbol"]), "Duplicate column names"),
        (pa.chunked_array([["MSFT"]]), "describes non-struct type"),
    ],
)
def test_what_arrow_cannot_take_is_told_with_its_words(frame, told):
    with pytest.raises(
        InputError, match=f"^the table given: Arrow cannot take it: .*{told}.* Give a frame whose columns"
    ):
        rpmcore.evaluate(frame)


def test_a_class_is_no_table_and_no_column_is_told_as_none():
    with pytest.raises(InvalidArgument, match=r"but is type$"):
        rpmcore.evaluate(pd.DataFrame)
    with pytest.raises(InputError, match="there are none"):
        rpmcore.evaluate(pd.DataFrame())
