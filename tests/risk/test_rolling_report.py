"""Figures through time: each forecast from what was known before its day, and nothing else."""

from datetime import date

import numpy as np
import pytest

from rpmcore.domain.errors import InsufficientData
from rpmcore.risk.rolling_report import roll
from rpmcore.risk.settings import DataSettings, RiskSettings, TailRiskSettings
from rpmcore.risk.valuation import ReturnPanel
from rpmcore.risk.value_at_risk import historical
from tests.samples import correlated_returns

WEIGHTS = np.array([0.5, -0.3, 0.6])
SETTINGS = {"tail_risk": TailRiskSettings(rolling_window=40, confidences=(0.9,))}


def panel(returns, return_days=1):
    n = returns.shape[1]
    dates = np.datetime64("2020-01-01") + np.arange(len(returns) + return_days)
    return ReturnPanel(
        dates=dates, symbols=tuple("ABC"), returns=returns, return_days=return_days, rates=np.ones(n),
        last_closes=np.ones(n), unchanged_days=np.zeros(n, np.intp), dropped_rows=0, missing={},
    )  # fmt: skip


@pytest.mark.parametrize("days", [1, 2, 5])
def test_each_forecast_rests_on_the_rows_that_ended_before_its_day_began(days):
    returns = correlated_returns(120, 3, seed=2)
    settings = RiskSettings(data=DataSettings(return_days=days), **SETTINGS)
    found = roll(panel(returns, days), WEIGHTS, settings)
    pnl = returns @ WEIGHTS
    n = 120 - 40 - days + 1
    assert len(found.dates) == n
    assert found.dates[-1] == date(2020, 1, 1).fromordinal(date(2020, 1, 1).toordinal() + 119 + days)
    np.testing.assert_array_equal(found.pnl, pnl[-n:])
    by_hand = [historical(pnl[t - days + 1 - 40 : t - days + 1], 0.9).value_at_risk for t in range(120 - n, 120)]
    figure = next(f for f in found.figures if f.method == "historical")
    np.testing.assert_allclose(figure.value_at_risk, by_hand, rtol=1e-12)
    assert figure.violations == sum(-p > v for p, v in zip(pnl[-n:], by_hand, strict=True))


def test_tomorrow_changes_no_forecast_of_today():
    returns = correlated_returns(120, 3, seed=2)
    shocked = returns.copy()
    shocked[100] = -0.5
    before, after = (roll(panel(r), WEIGHTS, RiskSettings(**SETTINGS)) for r in (returns, shocked))
    untouched = 100 - 40 + 1  # forecasts of the days up to and with row 100
    for one, other in zip(before.figures, after.figures, strict=True):
        assert one.value_at_risk[:untouched] == other.value_at_risk[:untouched]
        assert one.value_at_risk[untouched:] != other.value_at_risk[untouched:]
    assert before.ewma_volatility[:untouched] == after.ewma_volatility[:untouched]
    assert before.mean_correlation[:untouched] == after.mean_correlation[:untouched]
    np.testing.assert_allclose(
        before.ledoit_wolf_volatility[:untouched], after.ledoit_wolf_volatility[:untouched], rtol=1e-9
    )


def test_mean_correlation_is_the_mean_over_pairs():
    rng = np.random.default_rng(3)
    common = rng.standard_normal((3000, 1))
    returns = 0.01 * (common + rng.standard_normal((3000, 3)))
    settings = RiskSettings(
        covariance={"decay": 0.999, "method": "ewma"}, tail_risk=TailRiskSettings(rolling_window=40, confidences=(0.9,))
    )
    # Each pair shares half of its variance.
    assert roll(panel(returns), WEIGHTS, settings).mean_correlation[-1] == pytest.approx(0.5, abs=0.04)


def test_too_short_a_history_is_refused():
    with pytest.raises(InsufficientData, match="more than 40 returns, but there are 40"):
        roll(panel(correlated_returns(40, 3)), WEIGHTS, RiskSettings(**SETTINGS))
