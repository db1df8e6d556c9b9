import numpy as np
import pytest

from rpmcore.domain.errors import InvalidArgument
from rpmcore.risk.backtesting.traffic_light import traffic_light


def days(count, n_obs=250):
    return np.arange(n_obs) < count


# Basel Committee, *Supervisory framework for the use of "backtesting"*, January 1996, table 2: exceptions, increase in
# the scaling factor, cumulative probability in percent.
BASEL_1996 = [
    (0, "green", 0.00, 8.11), (1, "green", 0.00, 28.58), (2, "green", 0.00, 54.32), (3, "green", 0.00, 75.81),
    (4, "green", 0.00, 89.22), (5, "yellow", 0.40, 95.88), (6, "yellow", 0.50, 98.63), (7, "yellow", 0.65, 99.60),
    (8, "yellow", 0.75, 99.89), (9, "yellow", 0.85, 99.97), (10, "red", 1.00, 99.99),
]  # fmt: skip


@pytest.mark.parametrize(("count", "zone", "add_on", "cumulative"), BASEL_1996)
def test_the_table_is_basels(count, zone, add_on, cumulative):
    found = traffic_light(days(count), confidence=0.99)
    assert (found.detail["zone"], found.detail["add_on"], found.detail["base"]) == (zone, add_on, 3.0)
    assert 100.0 * found.detail["cumulative"] == pytest.approx(cumulative, abs=0.006)
    assert found.detail["multiplier"] == 3.0 + add_on
    assert found.verdict == {"green": "pass", "yellow": "warn", "red": "fail"}[zone]


# Basel Committee, *Minimum capital requirements for market risk*, January 2019, MAR32.9, table 1.
FRTB = {0: 1.5, 4: 1.5, 5: 1.7, 6: 1.76, 7: 1.83, 8: 1.88, 9: 1.92, 10: 2.0, 11: 2.0, 250: 2.0}


@pytest.mark.parametrize("count", FRTB)
def test_the_multipliers_of_the_frtb(count):
    detail = traffic_light(days(count), confidence=0.99, regime="frtb").detail
    assert detail["multiplier"] == pytest.approx(FRTB[count])
    assert (detail["regime"], detail["base"]) == ("frtb", 1.5)


@pytest.mark.parametrize(("n_obs", "confidence"), [(249, 0.99), (250, 0.975), (1000, 0.99)])
def test_other_settings_have_a_zone_but_no_multiplier(n_obs, confidence):
    detail = traffic_light(days(3, n_obs), confidence=confidence).detail
    assert detail["zone"] == "green"
    assert detail["add_on"] is None
    assert detail["multiplier"] is None
    assert "250 days at 99 %" in detail["multiplier_reason"]


def test_one_day():
    assert traffic_light(days(0, 1), confidence=0.99).detail["cumulative"] == pytest.approx(0.99)
    # One violation or fewer in one day is certain.
    assert traffic_light(days(1, 1), confidence=0.99).detail["zone"] == "red"


def test_misuse():
    with pytest.raises(InvalidArgument, match="regime"):
        traffic_light(days(1), confidence=0.99, regime="basel_iii")
