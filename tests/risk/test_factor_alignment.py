from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InputError, InvalidArgument
from rpmcore.domain.factor_returns import FactorReturns
from rpmcore.risk.factor_alignment import align

NAN = float("nan")


def days(*january):
    return np.array([f"2022-01-{day:02}" for day in january], "M8[D]")


def factors(january, *columns):
    names = tuple("fghij"[: len(columns)])
    return FactorReturns(
        dates=days(*january), names=names, returns=np.column_stack(columns).astype(float), path="factors.csv"
    )


def aligned(given_factors, january, return_days=1, dropped_error=1.0, **options):
    return align(given_factors, days(*january), return_days, dropped_error=dropped_error, **options)


def test_the_same_days_give_the_same_returns():
    found = aligned(factors([3, 4, 5], [0.01, 0.02, -0.03], [0.1, 0.2, 0.3]), [3, 4, 5])
    assert found.rows.tolist() == [0, 1]
    assert found.returns.tolist() == [[0.02, 0.2], [-0.03, 0.3]]
    assert found.missing_dates == ()


def test_a_file_may_begin_one_return_later_than_the_prices():
    found = aligned(factors([4, 5], [0.02, -0.03]), [3, 4, 5])
    assert found.rows.tolist() == [0, 1]
    assert found.missing_dates == ()
    found = aligned(factors([4, 5], [0.02, -0.03]), [1, 2, 3, 4, 5])
    assert found.rows.tolist() == [2, 3]
    assert found.missing_dates == (date(2022, 1, 2), date(2022, 1, 3))


def test_returns_are_compounded_over_days_that_the_prices_lack():
    found = aligned(factors([3, 4, 5, 6], [9.0, 0.1, 0.2, -0.5]), [3, 5, 6])
    assert found.rows.tolist() == [0, 1]
    np.testing.assert_allclose(found.returns[:, 0], [1.1 * 1.2 - 1.0, -0.5], rtol=1e-15)


def test_returns_over_several_days_overlap():
    found = aligned(factors([3, 4, 5, 6], [9.0, 0.1, 0.2, -0.5]), [3, 4, 5, 6], return_days=2)
    assert found.rows.tolist() == [0, 1]
    np.testing.assert_allclose(found.returns[:, 0], [1.1 * 1.2 - 1.0, 1.2 * 0.5 - 1.0], rtol=1e-15)


def test_a_day_that_the_file_lacks_costs_the_return_that_ends_there_and_the_one_that_begins_there():
    file = factors([3, 4, 6, 7, 10], [0.0, 0.01, 0.02, 0.03, 0.04])
    found = aligned(file, [3, 4, 5, 6, 7, 10])
    assert found.rows.tolist() == [0, 3, 4]
    assert found.returns[:, 0].tolist() == [0.01, 0.03, 0.04]
    assert found.missing_dates == (date(2022, 1, 5),)
    assert aligned(file, [3, 4, 5, 6, 7, 10], return_days=2).rows.tolist() == [3]


def test_a_null_costs_the_return_that_ends_there_alone():
    file = factors([3, 4, 5, 6], [0.0, 0.01, 0.02, 0.03], [0.0, 0.01, NAN, 0.03])
    found = aligned(file, [3, 4, 5, 6])
    assert found.rows.tolist() == [0, 2]
    assert found.returns.tolist() == [[0.01, 0.01], [0.03, 0.03]]
    assert found.missing_dates == (date(2022, 1, 5),)


def test_a_null_on_a_day_between_two_prices_costs_the_return_over_it():
    file = factors([3, 4, 5, 6], [0.0, 0.01, 0.02, 0.03], [0.0, 0.01, NAN, 0.03])
    found = aligned(file, [3, 4, 6])
    assert found.rows.tolist() == [0]
    assert found.missing_dates == (date(2022, 1, 5),)


def test_a_row_without_any_factor_is_no_trading_day():
    file = factors([3, 4, 5, 6], [0.0, 0.01, NAN, 0.03])
    found = aligned(file, [3, 4, 6])
    assert found.rows.tolist() == [0, 1]
    assert found.returns[:, 0].tolist() == [0.01, 0.03]
    assert aligned(file, [3, 4, 5, 6]).rows.tolist() == [0]


def test_too_few_returns_are_refused_with_the_dates_of_both():
    file = factors([20, 21], [0.0, 0.01])
    with pytest.raises(InputError) as refused:
        aligned(file, [3, 4, 5])
    for part in ["factors.csv", "0 of 2", "2022-01-20 to 2022-01-21", "2022-01-03 to 2022-01-05", "longer lookback"]:
        assert part in str(refused.value)
    with pytest.raises(InputError, match=r"1 of 2 returns of the prices have factors, but 2 are needed"):
        aligned(factors([4], [0.01]), [3, 4, 5], at_least=2)
    with pytest.raises(InputError, match=r"0 of 2"):
        aligned(factors([4, 5], [NAN, NAN]), [3, 4, 5])


def test_too_large_a_share_left_out_is_refused_with_the_first_dates():
    file = factors([3, 4, 31], [0.0, 0.01, 0.02])
    january = [3, 4, 5, 6, 7, 10, 11, 12, 13]
    with pytest.raises(InputError) as refused:
        aligned(file, january, dropped_error=0.8)
    told = "2022-01-05, 2022-01-06, 2022-01-07, 2022-01-10, 2022-01-11 and 2 more"
    for part in ["factors.csv", "7 of 8", "80%", told, "2022-01-03 to 2022-01-31", "Give factors on these days"]:
        assert part in str(refused.value)
    assert aligned(file, january, dropped_error=0.875).rows.tolist() == [0]


def test_prices_nearer_than_a_day_are_refused():
    instants = np.array(["2022-01-03T10:00", "2022-01-03T11:00"], "M8[us]")
    with pytest.raises(InputError, match="daily prices"):
        align(factors([3], [0.0]), instants, 1, dropped_error=1.0)


@pytest.mark.parametrize("return_days", [0, 2, 5])
def test_no_returns_are_no_question(return_days):
    with pytest.raises(InvalidArgument):
        aligned(factors([3, 4], [0.0, 0.1]), [3, 4], return_days=return_days)


@given(
    filed=st.lists(st.booleans(), min_size=8, max_size=60),
    seed=st.integers(0, 2**32 - 1),
    return_days=st.integers(1, 4),
)
def test_a_factor_that_is_the_asset_has_the_returns_of_the_asset(filed, seed, return_days):
    """Whatever days file and prices lack, what is left agrees, so that the slope of the asset on it is one."""
    rng = np.random.default_rng(seed)
    calendar = np.datetime64("2020-01-01") + np.arange(len(filed) + 1)
    closes = 100.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(len(calendar))))
    in_file = np.array([True, True, *filed[1:]])
    in_prices = np.concatenate(([False], rng.random(len(filed)) < 0.8))
    file = FactorReturns(
        dates=calendar[in_file][1:],
        names=("asset",),
        returns=(closes[in_file][1:] / closes[in_file][:-1] - 1.0)[:, None],
        path="factors.parquet",
    )
    dates, held = calendar[in_prices], closes[in_prices]
    if len(dates) <= return_days:
        return
    listed = in_file[in_prices]
    expected = [i for i in range(len(dates) - return_days) if listed[i : i + return_days + 1].all()]
    if not expected:
        with pytest.raises(InputError, match=r"^factors\.parquet, column 'date': 0 of"):
            align(file, dates, return_days, dropped_error=1.0)
        return
    found = align(file, dates, return_days, dropped_error=1.0)
    assert found.rows.tolist() == expected
    assert found.missing_dates == tuple(dates[~listed].tolist())
    own = held[return_days:] / held[:-return_days] - 1.0
    np.testing.assert_allclose(found.returns[:, 0], own[found.rows], rtol=0, atol=1e-12)
