from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from rpmcore import read_prices
from rpmcore.domain.crises import Window
from rpmcore.domain.errors import InputError
from rpmcore.domain.factor_profiles import Loading, profile_of
from rpmcore.domain.instruments import Instrument, parse_pair
from rpmcore.domain.plain import to_plain
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.domain.prices import PriceHistory
from rpmcore.domain.reference import crises, profiles, sample_path
from rpmcore.risk.settings import CovarianceSettings, DataSettings, RiskSettings
from rpmcore.risk.stress.replay import replay_crisis
from rpmcore.risk.stress.window_prices import symbols_for_replay
from rpmcore.risk.valuation import BookInputs, return_panel, symbols_needed, value
from tests.oracles import replay as oracle

SAMPLE = sample_path("prices.parquet")
PRICES = read_prices(SAMPLE)
SYMBOLS = PRICES.symbols
WINDOWS = {name: (str(c.window.start), str(c.window.end)) for name, c in crises().items()}
RAW = {name: oracle.closes(SAMPLE, *window) for name, window in WINDOWS.items()}
NEWER = replace(PRICES, symbols=tuple("NEW" if s == "BBY" else s for s in SYMBOLS))
UNKNOWN = {s: profile_of(Instrument(symbol=s, name=s, kind="equity", currency="USD"), {}, "unknown") for s in ("NEW",)}


def inputs(weights, account="USD", history=PRICES, known=None, capital=1e6):
    held = {s: (known or {}).get(s) or {**profiles(), **UNKNOWN}[s] for s in weights}
    instruments = {s: p.instrument for s, p in held.items()}
    pairs = {s: pair for s in history.symbols if (pair := parse_pair(s))}
    return BookInputs(
        book=Book(
            holdings=tuple(Holding(symbol=s, size=w) for s, w in weights.items()),
            sizing="weight", source="memory", path=None, capital=capital,
        ),
        history=history, account=account, account_assumed=False, profiles=held,
        ways=symbols_needed(instruments, account, pairs, history.path), pair_betas={},
    )  # fmt: skip


def replay(weights, name, account="USD", history=PRICES, own=PRICES, crisis=None, settings=None, **options):
    book = inputs(weights, account, own, **options)
    today = own.read(dict.fromkeys([*book.profiles, *(leg.symbol for w in book.ways.values() for leg in w)]))
    panel = return_panel(today, book.instruments, book.ways, lookback=1, minimum=1)
    valued = value(book.book, book.instruments, panel, account)
    return replay_crisis(book, valued, history, crisis or crises()[name], settings or RiskSettings())


def without(*symbols, rows=slice(None), history=PRICES):
    closes = history.closes.copy()
    for symbol in symbols:
        closes[rows, history.symbols.index(symbol)] = np.nan
    return replace(history, closes=closes)


@pytest.mark.parametrize("account", ["USD", "EUR"])
@pytest.mark.parametrize("name", list(WINDOWS))
def test_every_instrument_loses_what_the_raw_closes_say(name, account):
    price, base, dates, today = RAW[name]
    for symbol in SYMBOLS:
        for weight in (1.0, -0.7):
            found = replay({symbol: weight}, name, account)
            money = oracle.money_path(symbol, weight, 1e6, account, price, base, today)
            np.testing.assert_allclose(found.loss_path, -money / 1e6, rtol=0, atol=1e-12)
            assert found.loss_money == pytest.approx(-money.min(), abs=1e-6)
            assert found.dates == tuple(dates[base + 1 :].tolist())
            assert found.start == dates[base].item()
            assert not found.proxies


@pytest.mark.parametrize("account", ["USD", "EUR"])
@pytest.mark.parametrize("name", list(WINDOWS))
def test_a_book_of_all_instruments(name, account):
    price, base, dates, today = RAW[name]
    sizes = np.random.default_rng(1).normal(0.02, 0.2, len(SYMBOLS))
    weights = dict(zip(SYMBOLS, sizes.tolist(), strict=True))
    found = replay(weights, name, account)
    parts = {s: -oracle.money_path(s, w, 1e6, account, price, base, today) / 1e6 for s, w in weights.items()}
    path = sum(parts.values())
    np.testing.assert_allclose(found.loss_path, path, rtol=0, atol=1e-12)
    trough = int(path.argmax())
    assert found.trough == dates[base + 1 + trough].item()
    for position in found.positions:
        assert position.loss == pytest.approx(parts[position.symbol][trough], abs=1e-12)
        assert position.final_loss == pytest.approx(parts[position.symbol][-1], abs=1e-12)
        closes = price[position.symbol]
        assert position.price_move == pytest.approx(closes[base + 1 + trough] / closes[base] - 1.0, abs=1e-12)
    assert sum(p.loss for p in found.positions) == pytest.approx(found.loss, abs=1e-12)
    falls = np.diff(path, prepend=0.0)
    assert found.worst_day_loss == pytest.approx(falls.max(), abs=1e-12)
    forecasts = oracle.value_at_risk(weights, account, price, base)
    np.testing.assert_allclose(found.value_at_risk, forecasts, rtol=1e-10)
    assert found.var_breach_ratio == pytest.approx((falls / forecasts).max(), rel=1e-9)
    assert found.breach_day == dates[base + 1 + int((falls / forecasts).argmax())].item()


def test_sterling_on_the_day_after_the_referendum():
    day = replace(crises()["brexit2016"], window=Window(start=date(2016, 6, 24), end=date(2016, 6, 24)))
    found = replay({"GBPUSD": 1.0}, "brexit2016", crisis=day)
    assert found.positions[0].price_move == pytest.approx(-0.078, abs=5e-4)
    assert found.loss == found.worst_day_loss == -found.positions[0].price_move
    assert replay({"GBPUSD": -1.0}, "brexit2016", crisis=day).loss == pytest.approx(-0.078, abs=5e-4)


def test_the_loss_is_the_depth_of_the_path_and_not_its_end():
    found = replay({"SP500": 1.0}, "archegos2021")
    assert found.loss == pytest.approx(1.0 - 3889.14 / 3940.59, abs=1e-12)
    assert found.final_loss < 0.0 < found.loss
    assert found.trough == date(2021, 3, 24)


def test_the_forecast_for_a_day_knows_nothing_of_it():
    doubled = PRICES.closes.copy()
    row = int(np.searchsorted(PRICES.dates, np.datetime64("2008-10-01")))
    doubled[row:] *= 2.0
    calm, shaken = (
        replay({"SP500": 1.0, "AAPL": -0.5}, "lehman2008", history=replace(PRICES, closes=closes))
        for closes in (PRICES.closes, doubled)
    )
    until = calm.dates.index(date(2008, 10, 1)) + 1
    assert shaken.value_at_risk[:until] == calm.value_at_risk[:until]
    assert shaken.value_at_risk[until] > 2.0 * calm.value_at_risk[until]


def test_criteria():
    assert replay({"SP500": 0.1}, "flashcrash2010").passed
    (deep,) = replay({"SP500": 1.0}, "lehman2008").failed_criteria
    assert "exceeds 15.00% of capital" in deep
    found = replay({"GBPUSD": 1.0}, "brexit2016")
    assert not found.passed
    assert found.failed_criteria == (
        f"a day's loss is {found.var_breach_ratio:.2f} × the VaR forecast for it, more than 2 ×",
    )


def test_overlapping_returns_and_other_covariances():
    settings = RiskSettings(
        data=DataSettings(return_days=2), covariance=CovarianceSettings(method="sample", shrinkage=None, lookback=50)
    )
    found = replay({"SP500": 1.0}, "flashcrash2010", settings=settings)
    price, base, _, _ = RAW["flashcrash2010"]
    closes = price["SP500"][base - 51 : base + 1]
    expected = np.std(closes[2:] / closes[:-2] - 1.0, ddof=1) / np.sqrt(2.0) * 2.3263478740408408
    assert found.value_at_risk[0] == pytest.approx(expected, rel=1e-10)


def test_a_share_without_history_follows_the_market_by_its_beta():
    gone = without("AAPL")
    found = replay({"AAPL": 1.0, "MSFT": 0.5}, "lehman2008", history=gone)
    beta = profiles()["AAPL"].instrument.beta
    assert found.proxies == {"AAPL": f"proxy SP500 × beta {beta:.2f}"}
    assert [p.origin for p in found.positions] == [found.proxies["AAPL"], "history"]
    price, base, _, today = RAW["lehman2008"]
    market, level, moves = price["SP500"][base:], 1.0, []
    for before, after in pairwise(market):
        level *= 1.0 + beta * (after / before - 1.0)
        moves.append(level - 1.0)
    microsoft = oracle.money_path("MSFT", 0.5, 1e6, "USD", price, base, today) / 1e6
    np.testing.assert_allclose(found.loss_path, -np.array(moves) - microsoft, rtol=0, atol=1e-12)


def test_a_pair_without_history_is_made_of_others_and_a_lost_conversion_goes_round():
    gone = without("EURGBP", "EURUSD")
    history = replace(gone, closes=np.column_stack([gone.closes, PRICES.closes[:, SYMBOLS.index("EURUSD")]]))
    history = replace(history, symbols=(*SYMBOLS, "USDEUR"), closes=history.closes.copy())
    history.closes[:, -1] = 1.0 / history.closes[:, -1]
    found = replay({"EURGBP": 1.0, "SP500": 1.0}, "brexit2016", "EUR", history=history)
    assert found.proxies == {
        "EURGBP": "proxy 1 ÷ USDEUR ÷ GBPUSD, converted by GBPUSD × USDEUR",
        "SP500": "history, converted by USDEUR",
    }
    # The European Central Bank's crosses are the quotients of its own rates, to the last digit that it prints.
    direct = replay({"EURGBP": 1.0, "SP500": 1.0}, "brexit2016", "EUR")
    np.testing.assert_allclose(found.loss_path, direct.loss_path, rtol=0, atol=1e-12)


def test_days_that_some_price_lacks_are_dropped_for_all_and_counted():
    day, lost = date(2020, 3, 12), int(np.searchsorted(PRICES.dates, np.datetime64("2020-03-12")))
    holed = without("AAPL", rows=[lost])
    found = replay({"AAPL": 0.5, "EURUSD": 0.5}, "covid2020", history=holed)
    whole = replay({"AAPL": 0.5, "EURUSD": 0.5}, "covid2020")
    assert (found.dropped_rows, found.missing) == (1, {"AAPL": 1})
    kept = {d: x for d, x in zip(whole.dates, whole.loss_path, strict=True) if d != day}
    assert found.dates == tuple(kept)
    np.testing.assert_allclose(found.loss_path, list(kept.values()), rtol=0, atol=1e-15)
    # A day on which nothing of the book trades is no loss of data.
    assert replay({"AAPL": 1.0}, "covid2020", history=holed).dropped_rows == 0


@pytest.mark.parametrize(
    ("weights", "history", "words"),
    [
        ({"NEW": 1.0}, PRICES, ["'NEW'", "lehman2008", "2008-09-15 to 2008-11-20", "no market beta"]),
        ({"AAPL": 1.0}, without("AAPL", "SP500"), ["'AAPL'", "none of the market, SP500", "0 closes"]),
        ({"AAPL": 1.0}, without("AAPL", "SP500", rows=slice(2400, None)),
         ["'AAPL'", "until then they hold 23", "1999-01-04 to 2008-"]),
        ({"EURGBP": 1.0}, without("EURGBP", "GBPUSD"), ["'EURGBP'", "no pairs that lead from EUR to GBP"]),
        ({"SP500": 1.0}, replace(PRICES, dates=PRICES.dates[3000:], closes=PRICES.closes[3000:]),
         ["do not cover lehman2008", "2008-09-15 to 2008-11-20", "they run from 2010-", "to 2022-12-28"]),
        ({"SP500": 1.0}, replace(PRICES, dates=PRICES.dates[:2500], closes=PRICES.closes[:2500]),
         ["do not cover lehman2008", "to 2008-09-02"]),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_is_named(weights, history, words):
    with pytest.raises(InputError) as raised:
        replay(weights, "lehman2008", history=history, own=NEWER)
    for word in words:
        assert word in str(raised.value)


def test_an_instrument_that_stops_in_the_window_does_not_end_it():
    first = int(np.searchsorted(PRICES.dates, np.datetime64("2008-10-01")))
    found = replay({"JPM": 1.0, "SP500": 1.0}, "lehman2008", history=without("JPM", rows=slice(first, None)))
    assert found.dates[-1] == date(2008, 11, 20)
    assert found.proxies["JPM"].startswith("proxy SP500")


def test_a_beta_that_takes_a_price_below_zero_is_refused():
    wild = profile_of(profiles()["AAPL"].instrument, {"beta": Loading(value=12.0, source="given")}, "given")
    with pytest.raises(InputError, match=r"'AAPL'.*beta of 12 takes the price below zero when SP500 returns -9\.03%"):
        replay({"AAPL": 1.0}, "lehman2008", history=without("AAPL"), known={"AAPL": wild})


def test_too_little_history_for_a_forecast_is_told_and_does_not_pass():
    row = int(np.searchsorted(PRICES.dates, np.datetime64("2010-05-06")))
    for before in (1, 10):
        short = replace(PRICES, dates=PRICES.dates[row - before :], closes=PRICES.closes[row - before :])
        found = replay({"SP500": 0.1}, "flashcrash2010", history=short)
        assert found.value_at_risk is found.var_breach_ratio is found.breach_day is None
        assert "no VaR can be forecast for 2010-05-06" in found.var_breach_ratio_reason
        assert found.failed_criteria == ("there is a loss but no VaR forecast to hold it against",)


def test_the_result_is_plain_and_a_book_without_capital_has_no_money():
    plain = to_plain(replay({"SP500": 0.1}, "flashcrash2010", capital=None))
    assert plain["loss_money"] is None
    assert "capital" in plain["loss_money_reason"]
    assert plain["dates"] == ["2010-05-06"]


def test_what_to_read_for_a_replay():
    book = inputs({"AAPL": 1.0}, "EUR")
    assert set(symbols_for_replay(book, SYMBOLS, "SP500")) == {"AAPL", "SP500", *filter(parse_pair, SYMBOLS)}


def test_minutes_are_replayed_by_the_day():
    dates = np.arange("2016-06-20T00", "2016-06-29T00", 6, dtype="datetime64[h]").astype("datetime64[us]")
    closes = 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.01, (len(dates), 1)), axis=0))
    history = PriceHistory(dates=dates, symbols=("SP500",), closes=closes, path="ticks")
    found = replay({"SP500": 1.0}, "brexit2016", history=history)
    first = int(np.searchsorted(dates, np.datetime64("2016-06-24")))
    last = int(np.searchsorted(dates, np.datetime64("2016-06-28")))
    np.testing.assert_allclose(found.loss_path, 1.0 - closes[first:last, 0] / closes[first - 1, 0], atol=1e-13)


def test_a_window_without_a_trading_day_is_not_called_uncovered():
    weekend = replace(crises()["brexit2016"], window=Window(start=date(2016, 6, 25), end=date(2016, 6, 26)))
    with pytest.raises(InputError, match=r"no day with prices .* nearest are 2016-06-24 and 2016-06-27"):
        replay({"SP500": 1.0}, "brexit2016", crisis=weekend)


def test_a_book_that_holds_nothing_loses_nothing_and_not_less():
    found = replay({"SP500": 0.0}, "brexit2016")
    assert str(found.loss) == str(found.loss_money) == "0.0"
    assert found.passed
