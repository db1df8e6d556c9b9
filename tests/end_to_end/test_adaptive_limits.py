"""Limits and regime of the sample book, from files to figures."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from rpmcore import adaptive_jobs as jobs
from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.domain.errors import InputError, InsufficientData
from tests.oracles import adaptive as oracle

STRESSED = [
    ("2001-03-22", "2001-05-18", 39),
    ("2001-09-20", "2001-10-18", 21),
    ("2002-07-10", "2002-11-25", 98),
    ("2008-03-18", "2008-05-02", 31),
    ("2008-09-15", "2009-06-22", 191),
    ("2010-06-04", "2010-07-01", 20),
    ("2011-08-08", "2011-12-27", 99),
    ("2018-12-27", "2019-02-06", 28),
    ("2020-03-02", "2020-07-29", 103),
    ("2022-05-05", "2022-05-24", 14),
    ("2022-06-13", "2022-07-26", 30),
    ("2022-10-17", "2022-12-20", 46),
]
"""First close, last close and days; `docs/adaptive.md` shows them."""


@pytest.fixture(scope="module")
def history():
    return jobs.regime(history=True)


def test_the_stressed_spans_of_the_sample(history):
    found = [(str(s.first), str(s.last), s.n_days) for s in history.spans if s.known and s.regime == "stressed"]
    assert found == STRESSED


def test_the_autumn_of_2008_and_march_2020_are_stressed_within_days(history):
    spans = [s for s in history.spans if s.known and s.regime == "stressed"]
    lehman, pandemic = date(2008, 9, 15), date(2020, 2, 24)  # the failure, and the first fall of more than 3 %
    for shock, last in ((lehman, date(2008, 12, 31)), (pandemic, date(2020, 4, 30))):
        span = next(s for s in spans if s.last > shock)
        assert shock <= span.first <= shock + timedelta(days=7)
        assert span.last >= last


def test_the_table_of_the_documents_is_this_table():
    page = (Path(__file__).parents[2] / "docs" / "adaptive.md").read_text(encoding="utf-8")
    for first, last, n_days in STRESSED:
        assert f"| {first} | {last} | {n_days} |" in page


def test_the_spans_cover_every_day_once(history):
    assert sum(s.n_days for s in history.spans) == history.data.n_obs
    assert all(a.last < b.first for a, b in zip(history.spans, history.spans[1:], strict=False))
    assert not history.spans[0].known
    assert history.spans[0].n_days == 529  # thirty returns to start from, and 500 days to be ranked among
    assert history.spans[-1].regime == history.reading.regime


def test_a_calm_stretch_is_not_stressed(history):
    calm = [s for s in history.spans if date(2003, 7, 1) <= s.first and s.last <= date(2007, 1, 31)]
    assert calm
    assert {s.regime for s in calm} <= {"ranging", "trending", "volatile"}


def test_the_limits_follow_from_their_steps():
    report = jobs.limits()
    limits = report.limits
    expected = oracle.limits(limits.regime, limits.volatility_class, limits.stress_score)
    actual = (limits.risk_per_trade, limits.gross_exposure, limits.leverage, limits.correlation_stress)
    assert actual == pytest.approx(expected, abs=1e-12)
    assert limits.complete
    assert report.breached  # 190 % of capital is more than a volatile market allows
    assert [c.observed for c in report.checks] == pytest.approx([1.9, 1.9])


@pytest.mark.parametrize(("as_of", "regime"), [(date(2008, 10, 15), "stressed"), (date(2006, 12, 29), "ranging")])
def test_a_day_of_the_past_is_what_was_known_then(history, as_of, regime):
    then = jobs.limits(as_of=as_of)
    assert then.limits.regime == regime
    span = next(s for s in history.spans if s.first <= as_of <= s.last)
    assert span.regime == regime
    assert then.data.last <= as_of


def test_limits_of_october_2008_are_a_fraction_of_those_of_2006():
    crisis, calm = (jobs.limits(as_of=day).limits for day in (date(2008, 10, 15), date(2006, 12, 29)))
    assert crisis.gross_exposure < 0.05
    assert calm.gross_exposure > 1.0


def test_without_a_market_the_mean_of_what_is_held_stands_for_it(tmp_path):
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\nEURUSD,0.2\nGBPUSD,0.2\n", encoding="utf-8")
    prices = tmp_path / "prices.csv"
    rows = walk(700)
    prices.write_text("date,EURUSD,GBPUSD\n" + rows, encoding="utf-8")
    report = jobs.limits(book, prices)
    assert "no_market" in {w.code for w in report.warnings}
    assert report.limits.complete
    with pytest.raises(InputError, match="VIX"):
        jobs.limits(book, prices, settings=load_settings(assignments=["factors.market=VIX"]))


def test_a_short_history_fails_closed_and_says_so(tmp_path):
    book, prices = tmp_path / "book.csv", tmp_path / "prices.csv"
    book.write_text("symbol,weight\nEURUSD,0.2\nGBPUSD,0.2\n", encoding="utf-8")
    prices.write_text("date,EURUSD,GBPUSD\n" + walk(300), encoding="utf-8")
    report = jobs.limits(book, prices)
    assert "short_history" in {w.code for w in report.warnings}
    assert (report.limits.regime, report.limits.stress_score, report.limits.complete) == ("stressed", 1.0, False)
    assert report.breached
    prices.write_text("date,EURUSD,GBPUSD\n" + walk(20), encoding="utf-8")
    with pytest.raises(InsufficientData):
        jobs.limits(book, prices)


def test_prices_that_end_long_before_the_day_asked_for_are_missing(tmp_path):
    book, prices = tmp_path / "book.csv", tmp_path / "prices.csv"
    book.write_text("symbol,weight\nEURUSD,0.2\nGBPUSD,0.2\n", encoding="utf-8")
    prices.write_text("date,EURUSD,GBPUSD\n" + walk(700), encoding="utf-8")
    last = jobs.limits(book, prices).data.last
    assert jobs.limits(book, prices, as_of=last + timedelta(days=5)).limits.complete
    found = jobs.limits(book, prices, as_of=last + timedelta(days=6))
    assert "stale_prices" in {w.code for w in found.warnings}
    assert found.limits.gross_exposure == pytest.approx(0.5 * 0.2 * 0.2)


def test_rows_nearer_than_a_day_apart_are_refused(tmp_path):
    book, prices = tmp_path / "book.csv", tmp_path / "prices.csv"
    book.write_text("symbol,weight\nEURUSD,0.2\n", encoding="utf-8")
    lines = [f"2022-01-{d:02d}T{h:02d}:00:00+00:00,{1 + (d * h) % 7 / 100}" for d in range(1, 20) for h in (8, 16)]
    prices.write_text("date,EURUSD\n" + "\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="by the day"):
        jobs.regime(book, prices, settings=load_settings(assignments=["data.periods_per_year=504"]))


def walk(n_days):
    rng = np.random.default_rng(4)
    closes = np.exp(np.cumsum(0.005 * rng.standard_normal((n_days, 2)), axis=0))
    first = date(2020, 1, 1)
    return "".join(f"{first + timedelta(days=i)},{a:.6f},{b:.6f}\n" for i, (a, b) in enumerate(closes))
