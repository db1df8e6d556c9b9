"""``rpm exposure``, as a user runs it."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import DATA, SAMPLE, business_days, write_prices

QUIET = "--quiet"


def report(rpm, *arguments, code=0):
    done = rpm("exposure", *arguments, "--json", QUIET)
    assert done.code == code, done.err
    return json.loads(done.out)


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_tables_fit_and_say_what_matters(rpm, width):
    done = rpm("exposure", SAMPLE, "--hedge", COLUMNS=width)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in ("Risk by factor", "Diversification", "Exposure by profile", "Estimated betas", "Sectors",
                  "Currencies", "Strategies", "Limits", "Hedges", "market", "specific", "EUR"):  # fmt: skip
        assert words in done.out


@pytest.mark.parametrize("command", ["exposure", "evaluate"])
def test_a_narrow_table_of_limits_says_whom_each_concerns(rpm, command):
    done = rpm(command, SAMPLE, COLUMNS="80")
    assert max(map(len, done.out.splitlines())) <= 80
    rows = done.out[done.out.index("\nLimits\n") :].splitlines()
    for name, subject in (("Sector ", "FX"), ("Currency ", "EUR"), ("Single name ", "MSFT")):
        row = next(line for line in rows if line.startswith(name))
        assert subject in row
        assert row.split()[-1] in ("OK", "WARNING")
    narrower = rpm(command, SAMPLE, COLUMNS="60").out
    assert any(line.split()[:2] == ["Beta", "0.84"] and line.split()[-1] == "OK" for line in narrower.splitlines())


def test_by_prints_what_is_asked_for(rpm):
    done = rpm("exposure", SAMPLE, "--by", "currency", "--by", "sector")
    assert "Currencies" in done.out
    assert "Sectors" in done.out
    assert "Risk by factor" not in done.out
    assert "Strategies" not in done.out


def test_json_shares_sum_to_one(rpm):
    found = report(rpm, SAMPLE)
    assert found["schema"] == "rpm.exposure/1"
    shares = [f["share"] for f in found["factors"]] + [found["specific"]["share"]]
    assert sum(shares) == pytest.approx(1.0, abs=1e-12)
    for part in ("assets", "sectors", "strategies"):
        assert sum(row["share"] for row in found[part]) == pytest.approx(1.0, abs=1e-9)
    assert {"score", "effective_bets", "ratio", "hhi"} <= set(found["diversification"])
    assert {row["currency"] for row in found["currencies"]} == {"USD", "EUR", "GBP", "JPY", "NZD"}
    assert found["hedges"] == []


def test_the_sample_book_by_hand(rpm):
    found = {row["currency"]: row for row in report(rpm, SAMPLE)["currencies"]}
    assert found["EUR"]["net"] == pytest.approx(0.19 + 0.09 - 0.08)
    assert found["GBP"]["net"] == pytest.approx(0.10 + 0.08)
    assert found["JPY"]["net"] == pytest.approx(0.14 - 0.09)


def test_long_and_short_of_one_size_leave_no_currency(rpm, write_book):
    book = write_book(
        {"symbol": ["EURUSD", "EURUSD", "MSFT"], "weight": [0.5, -0.5, 0.1], "strategy_id": ["a", "b", "a"]}
    )
    found = report(rpm, book)
    nets = {row["currency"]: row["net"] for row in found["currencies"]}
    assert nets.get("EUR", 0.0) == 0.0
    assert nets["USD"] == pytest.approx(0.1)


def test_given_factors(rpm):
    found = report(rpm, SAMPLE, "--factors", DATA / "factors.parquet")
    assert found["model"]["source"] == "given"
    assert found["factors"][0]["name"] == "market"
    beta = {a["symbol"]: a["betas"][0] for a in found["assets"]}["SP500"]
    assert beta["value"] == pytest.approx(1.0, abs=1e-6)


def test_exponential_weights_lags_and_components(rpm):
    found = report(rpm, SAMPLE, "--decay", "0.98", "--lags", "3", "--components", "2")
    assert (found["model"]["lags"], found["model"]["decay"]) == (3, 0.98)
    assert [f["name"] for f in found["factors"]] == ["market", "PC1", "PC2"]


def test_hedges_with_a_chosen_instrument(rpm):
    found = report(rpm, SAMPLE, "--hedge-with", "SP500", "--hedge-with", "EURUSD")
    assert {h["instrument"] for h in found["hedges"] if h["instrument"]} == {"SP500", "EURUSD"}
    market = next(h for h in found["hedges"] if h["against"] == "market")
    assert (market["instrument"], market["variance_left"] < 1.0) == ("SP500", True)


def test_check_exits_with_three_where_a_limit_breaks(rpm, write_book):
    book = write_book({"symbol": ["MSFT", "AAPL"], "weight": [0.28, 0.25]})
    done = rpm("exposure", book, "--check", "--quiet")
    assert done.code == 3
    assert "Sector Information Technology: 13.00% too much; smallest cure: sell 13.00% of capital of MSFT" in done.out
    assert rpm("exposure", book, "--check", "--quiet", "--set", "limits.sector=0.6").code == 0


def test_an_unknown_instrument_is_named_or_estimated(rpm, tmp_path):
    book, prices = tmp_path / "book.csv", tmp_path / "prices.parquet"
    book.write_text("symbol,weight\nACME,0.2\nMSFT,0.1\n", encoding="utf-8")
    write_prices(prices, ["ACME", "MSFT", "SP500"], 200)
    done = rpm("exposure", book)
    assert done.code == 2
    assert "ACME" in done.err
    assert "--estimate" in done.err
    assert "MSFT" not in done.err
    found = report(rpm, book, "--estimate")
    assert {a["symbol"]: a["origin"] for a in found["assets"]}["ACME"] == "estimated"
    assert "estimated_profiles" in {w["code"] for w in found["warnings"]}
    assert {f["name"]: f["exposure"] for f in found["profile"]}["beta"] is not None


def test_a_desk_adds_its_own_profile(rpm, tmp_path):
    book, prices, assets = tmp_path / "book.csv", tmp_path / "prices.parquet", tmp_path / "assets.yaml"
    book.write_text("symbol,weight\nACME,0.2\n", encoding="utf-8")
    write_prices(prices, ["ACME"], 200)
    assets.write_text(
        "instruments:\n  ACME:\n    currency: USD\n    sector: Energy\n    loadings:\n      beta: 1.5\n",
        encoding="utf-8",
    )
    found = report(rpm, book, "--assets", assets)
    assert {f["name"]: f["exposure"] for f in found["profile"]}["beta"] == pytest.approx(0.3)
    assert found["sectors"][0]["sector"] == "Energy"
    evaluated = json.loads(rpm("evaluate", book, "--assets", assets, "--json", QUIET).out)
    assert {c["name"]: c["observed"] for c in evaluated["limits"]}["beta"] == pytest.approx(0.3)


def test_no_market_in_the_prices(rpm, write_book):
    pairs = write_book({"symbol": ["EURUSD", "GBPUSD", "USDJPY"], "weight": [0.3, 0.2, 0.1]})
    found = report(rpm, pairs)
    assert "market" not in {f["name"] for f in found["factors"]}
    assert sum(f["share"] for f in found["factors"]) + found["specific"]["share"] == pytest.approx(1.0, abs=1e-12)
    assert "no_market" in {w["code"] for w in found["warnings"]}


def test_a_book_of_nothing(rpm, write_book):
    found = report(rpm, write_book({"symbol": ["MSFT", "AAPL"], "weight": [0.0, 0.0]}))
    assert found["specific"]["share"] is None
    assert found["specific"]["share_reason"]
    assert rpm("exposure", write_book({"symbol": ["MSFT", "AAPL"], "weight": [0.0, 0.0]})).code == 0


def test_one_position(rpm, write_book):
    found = report(rpm, write_book({"symbol": ["MSFT"], "weight": [0.2]}))
    assert sum(f["share"] for f in found["factors"]) + found["specific"]["share"] == pytest.approx(1.0, abs=1e-12)


def test_csv_holds_the_same_numbers(rpm):
    done = rpm("exposure", SAMPLE, "--format", "csv", QUIET)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    share = sum(float(r["value"]) for r in rows if r["section"] in ("factors", "specific") and r["field"] == "share")
    assert share == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"market": [0.01, None] * 60}, ["factors.parquet", "factor"]),
        ({"market": [0.01, -0.01] * 60, "twin": [0.02, -0.02] * 60}, ["market", "twin", "condition number"]),
        ({"market": [1.0, -1.5] * 60}, ["market", "per cent"]),
    ],
)
def test_factors_that_cannot_be_used(rpm, write_book, tmp_path, columns, words):
    book = write_book({"symbol": ["MSFT", "JPM"], "weight": [0.2, 0.2]})
    factors = tmp_path / "factors.parquet"
    pq.write_table(pa.table({"date": business_days(120), **columns}), factors)
    done = rpm("exposure", book, "--factors", factors)
    assert done.code == 2
    for word in words:
        assert word in done.err


def test_check_needs_a_book(rpm):
    assert rpm("exposure", "--check").code == 2


def test_evaluate_and_exposure_hold_the_same_limits(rpm):
    evaluated = json.loads(rpm("evaluate", SAMPLE, "--json", QUIET).out)["limits"]
    exposed = report(rpm, SAMPLE)["limits"]
    assert [c for c in evaluated if c["name"] in {e["name"] for e in exposed}] == exposed
    assert {c["name"] for c in exposed} == {"sector", "beta", "factor_exposure", "currency", "single_name"}


def test_evaluate_fails_closed_on_an_instrument_that_nobody_knows(rpm, write_book):
    book = write_book({"symbol": ["ACME"], "weight": [0.1]})
    done = rpm("evaluate", book, "--check", QUIET)
    assert done.code == 3
    assert "no market beta is known for ACME" in done.out
    relaxed = ("--set", "limits.beta=null", "--set", "limits.factor_exposure=null", "--set", "limits.value_at_risk=1")
    assert rpm("evaluate", book, "--check", QUIET, *relaxed).code == 0


def test_names_of_instruments_are_no_markup(rpm, write_book):
    book = write_book({"symbol": ["MSFT", "[red]A[/red]", "[/]", "SP500"], "weight": [0.1, 0.1, 0.1, 0.1]})
    done = rpm("exposure", book, "--estimate", "--hedge", QUIET, COLUMNS="120")
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if line.startswith("momentum"))
    assert "[red]A[/red], [/]" in row


def test_a_market_that_is_named_is_the_market_or_an_error(rpm, write_book):
    book = write_book({"symbol": ["MSFT", "JPM"], "weight": [0.2, 0.2]})
    done = rpm("exposure", book, "--market", "SPX")
    assert done.code == 2
    assert "no prices of 'SPX'" in done.err
    assert report(rpm, book, "--market", "JPM")["model"]["rule"].startswith("market JPM;")


def test_a_market_that_stands_still_is_named(rpm, tmp_path):
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\nMSFT,0.2\n", encoding="utf-8")
    walk = [100.0 + day % 7 for day in range(120)]
    prices = pa.table({"date": business_days(120), "MSFT": walk, "FLAT": [5.0] * 120})
    pq.write_table(prices, tmp_path / "prices.parquet")
    done = rpm("exposure", book, "--market", "FLAT")
    assert done.code == 2
    assert "FLAT, which stands for the market" in done.err
    assert "--market" in done.err


def test_a_profile_whose_beta_is_estimated_keeps_what_the_desk_says(rpm, tmp_path):
    book, assets = tmp_path / "book.csv", tmp_path / "assets.yaml"
    book.write_text("symbol,weight\nACME,0.2\n", encoding="utf-8")
    write_prices(tmp_path / "prices.parquet", ["ACME", "SP500"], 200)
    assets.write_text(
        "instruments:\n  ACME:\n    currency: USD\n    sector: Energy\n    loadings:\n      value: 0.5\n",
        encoding="utf-8",
    )
    found = report(rpm, book, "--assets", assets, "--estimate")
    assert {f["name"]: f["exposure"] for f in found["profile"]}["value"] == pytest.approx(0.1)
    (told,) = (w["message"] for w in found["warnings"] if w["code"] == "estimated_profiles")
    assert "neutral" not in told


def test_more_factors_than_returns(rpm, write_book, tmp_path):
    book = write_book({"symbol": ["MSFT", "JPM"], "weight": [0.2, 0.2]})
    days = business_days(120)
    many = {f"f{k}": [0.01 * ((day * (k + 3)) % 11 - 5) for day in range(120)] for k in range(130)}
    pq.write_table(pa.table({"date": days, **many}), tmp_path / "factors.parquet")
    done = rpm("exposure", book, "--factors", tmp_path / "factors.parquet")
    assert done.code == 2
    assert "at least 132 observations" in done.err
    assert "leave factors out" in done.err


@pytest.mark.parametrize("width", ["100", "120"])
def test_long_names_cost_no_figure(rpm, write_book, width):
    long = "A" * 90
    book = write_book({"symbol": ["MSFT", long, "B" * 90, "SP500"], "weight": [0.1, 0.1, 0.1, 0.1]})
    done = rpm("exposure", book, "--estimate", QUIET, COLUMNS=width)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert any(line.split()[:2] == ["Factor", "Exposure"] and "Share" in line for line in lines)
    found = report(rpm, book, "--estimate")
    row = next(line for line in lines if line.startswith("market ")).split()
    assert row[1] == f"{found['factors'][0]['exposure']:+.3f}"
    assert row[3] == f"{found['factors'][0]['share']:.1%}"


def test_a_hedge_that_opens_another_currency_says_so(rpm, tmp_path):
    book = tmp_path / "book.csv"
    book.write_text("symbol,weight\nUSDJPY,0.2\nEURUSD,0.1\n", encoding="utf-8")
    write_prices(tmp_path / "prices.parquet", ["USDJPY", "EURUSD", "EURGBP", "SP500"], 120)
    options = (book, "--base-currency", "GBP", "--hedge", QUIET)
    hedges = {h["against"]: h for h in report(rpm, *options)["hedges"]}
    assert (hedges["JPY"]["instrument"], hedges["JPY"]["opens"]) == ("USDJPY", "USD")
    assert (hedges["EUR"]["instrument"], hedges["EUR"]["opens"]) == ("EURGBP", None)
    assert "JPY: USDJPY moves USD by 20.0% the other way" in rpm("exposure", *options).out


@pytest.mark.parametrize("command", ["exposure", "evaluate"])
def test_whatever_is_null_says_why(rpm, write_book, command):
    book = write_book({"symbol": ["EURSEK", "MSFT"], "weight": [0.1, 0.2]})
    prices = ["EURSEK", "MSFT", "EURUSD", "SP500"]
    write_prices(book.parent / "prices.parquet", prices, 120)
    options = ("--hedge",) if command == "exposure" else ()
    done = rpm(command, book, "--json", QUIET, *options)
    assert done.code == 0, done.err
    unexplained = []

    def look(found, at):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            if value is None and not (isinstance(found, dict) and found.get(f"{key}_reason")):
                unexplained.append(f"{at}.{key}")
            if isinstance(value, dict | list):
                look(value, f"{at}.{key}")

    look(json.loads(done.out), command)
    assert unexplained == []


def test_a_book_at_its_limit_is_at_it(rpm, write_book):
    book = write_book({"symbol": ["MSFT", "MSFT", "JPM"], "weight": [0.1, 0.2, 0.1], "strategy_id": ["a", "b", "a"]})
    found = report(rpm, book, "--check")
    assert {c["name"]: c["status"] for c in found["limits"]}["single_name"] == "warning"
    assert found["breaches"] == []


def test_returns_without_factors_are_counted_and_dated(rpm, write_book, tmp_path):
    book = write_book({"symbol": ["MSFT", "JPM"], "weight": [0.2, 0.2]})
    days = [d for i, d in enumerate(business_days(120)) if i != 60]
    market = np.random.default_rng(2).normal(0.0, 0.01, 119)
    pq.write_table(pa.table({"date": days, "market": market}), tmp_path / "factors.parquet")
    found = report(rpm, book, "--factors", tmp_path / "factors.parquet")
    told = {w["code"]: w["message"] for w in found["warnings"]}["rows_without_factors"]
    assert str(business_days(120)[60]) in told
    assert rpm("exposure", book, "--factors", tmp_path / "factors.parquet", "--components", "2").code == 2


def test_a_sector_breaks_once_where_positions_are_unclassified(rpm, tmp_path):
    book, prices = tmp_path / "book.csv", tmp_path / "prices.parquet"
    book.write_text("symbol,weight\nACME,0.5\nAAPL,0.5\n", encoding="utf-8")
    write_prices(prices, ["ACME", "AAPL", "SP500"], 200)
    found = report(rpm, book, "--estimate")
    subjects = [b["subject"] for b in found["breaches"] if b["name"] == "sector"]
    assert subjects == ["Information Technology, with all that is unclassified", "Unclassified, long"]
