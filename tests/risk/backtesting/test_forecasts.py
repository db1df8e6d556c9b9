"""Forecasts of the past are those that a report of the day before would have made."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

import rpmcore
from rpmcore.inputs import book_inputs
from rpmcore.risk.backtesting.forecasts import METHODS_TESTED, rolling_forecasts
from rpmcore.risk.settings import RiskSettings, TailRiskSettings
from rpmcore.risk.valuation import day, return_panel, value

WINDOW = 250


@pytest.fixture(scope="module")
def sample():
    settings = RiskSettings(tail_risk=TailRiskSettings(lookback=WINDOW))
    inputs = book_inputs(None, None, settings)
    panel = return_panel(inputs.history, inputs.instruments, inputs.ways, lookback=WINDOW + 40, minimum=30)
    return settings, panel, value(inputs.book, inputs.instruments, panel, inputs.account).weights


@pytest.mark.parametrize("method", [m for m in METHODS_TESTED if m != "limit"])
def test_each_is_the_figure_of_a_report_of_the_day_before(sample, method):
    settings, panel, weights = sample
    chosen = settings.model_copy(
        update={"tail_risk": TailRiskSettings(lookback=WINDOW, methods=(method,), confidences=(0.95,), resamples=100)}
    )
    made = rolling_forecasts(method, panel, weights, chosen, 0.95, window=WINDOW)
    for i in (0, 17, len(made.rows) - 1):
        before = day(panel.dates[made.rows[i]])
        (row,) = rpmcore.evaluate(settings=chosen, as_of=before).tail_risk
        assert made.value_at_risk[i] == pytest.approx(row.value_at_risk, rel=1e-9)
        assert made.expected_shortfall[i] == pytest.approx(row.expected_shortfall, rel=1e-9)


def test_the_limit_measure_is_what_the_limits_of_that_day_observed(sample):
    settings, panel, weights = sample
    made = rolling_forecasts("limit", panel, weights, settings, 0.95, window=WINDOW)
    for i in (0, 23):
        before = day(panel.dates[made.rows[i]])
        limits = {c.name: c.observed for c in rpmcore.evaluate(settings=settings, as_of=before).limits}
        assert made.value_at_risk[i] == pytest.approx(limits["value_at_risk"], rel=1e-9)
        assert made.expected_shortfall[i] == pytest.approx(limits["expected_shortfall"], rel=1e-9)


@pytest.mark.parametrize("method", METHODS_TESTED)
def test_nothing_of_the_day_or_after_it_enters_a_forecast(sample, method):
    settings, panel, weights = sample
    made = rolling_forecasts(method, panel, weights, settings, 0.99, window=WINDOW)
    changed = panel.returns.copy()
    changed[WINDOW + 10 :] *= 3.0
    other = rolling_forecasts(method, _with(panel, changed), weights, settings, 0.99, window=WINDOW)
    first = made.rows <= WINDOW + 10
    assert np.array_equal(made.value_at_risk[first], other.value_at_risk[other.rows <= WINDOW + 10])


def test_losses_are_those_of_today_s_positions(sample):
    settings, panel, weights = sample
    made = rolling_forecasts("historical", panel, weights, settings, 0.99, window=WINDOW)
    assert made.losses == pytest.approx(-(panel.returns @ weights)[made.rows], abs=1e-15)
    assert day(panel.dates[made.rows[-1] + 1]) - day(panel.dates[made.rows[-1]]) >= timedelta(days=1)


def _with(panel, returns):
    return replace(panel, returns=returns)
