"""``rpm size``, as a user runs it."""

import json
from math import sqrt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import DATA, SAMPLE

QUIET = "--quiet"
EURUSD = ("EURUSD", "--side", "buy", "--entry", 1.10, "--stop", 1.08, "--capital", 100_000)
RECORD = ("--win-rate", 0.55, "--average-win", 0.02, "--average-loss", 0.015, "--n-trades", 200)


def report(rpm, *arguments):
    done = rpm("size", *arguments, "--json", QUIET)
    assert done.code == 0, done.err
    return json.loads(done.out)


def constraint(found, name):
    return next(c for c in found["trade"]["constraints"] if c["name"] == name)


def test_a_trade_alone_by_hand(rpm):
    found = report(rpm, *EURUSD)
    trade = found["trade"]
    assert found["schema"] == "rpm.size/1"
    assert (trade["quantity"], trade["lots"], trade["binding"]) == (50_000.0, 50, "risk_per_trade")
    assert trade["risk_money"] == 1000.0
    assert found["book"] is None
    assert found["book_reason"] == "no book given"
    assert constraint(found, "kelly") == {
        "name": "kelly", "quantity": None, "why": "no record of trades", "money": None, "weight": None,
        "multiplier": None, "binding": False, "quantity_reason": "no record of trades",
    }  # fmt: skip


def test_three_tenths_of_a_lot(rpm):
    small = ("EURUSD", "--side", "buy", "--entry", 1.10, "--stop", 1.08, "--capital", 60_000)
    done = rpm("size", *small, "--contract-size", 100_000, "--json", QUIET)
    assert '"quantity": 0.3,' in done.out
    assert '"lots": 30,' in done.out
    assert "Size: 0.30 (30 × 0.01)" in rpm("size", *small, "--contract-size", 100_000).out


def test_a_pair_in_another_currency_loses_at_the_rate_of_its_stop(rpm):
    alone = ("USDJPY", "--side", "buy", "--entry", 150, "--stop", 135, "--capital", 100_000)
    assert report(rpm, *alone)["trade"]["unit_loss"] == pytest.approx(15 / 135)
    # In euros the rate of the yen comes from the prices: through EURJPY itself, which stands at the stop then.
    crossed = ("EURJPY", "--side", "buy", "--entry", 140, "--stop", 126, "--capital", 100_000, "--base-currency", "EUR")
    priced = report(rpm, *crossed, "--prices", DATA / "prices.parquet")["trade"]
    assert priced["unit_loss"] == pytest.approx(14 / 126)
    assert priced["unit_value"] == 1.0


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_table_fits_lists_every_constraint_and_marks_one(rpm, width):
    done = rpm("size", "EURUSD", "--side", "sell", "--entry", 1.07, "--stop", 1.08, "--book", SAMPLE, *RECORD,
               "--strategy", "carry", COLUMNS=width)  # fmt: skip
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= int(width)
    for words in ("Risk per trade", "Expectancy", "Kelly", "Regime", "Drawdown", "Volatility target",
                  "Maximum weight", "Liquidity", "Spread", "Maximum lot", "carry", "binds:"):  # fmt: skip
        assert words in done.out
    marked = [line for line in done.out.splitlines() if line.startswith("▶")]
    assert len(marked) == 1
    assert marked[0].split()[1:3] == ["Volatility", "target"]


def test_with_the_trade_in_the_book_evaluate_finds_the_target(rpm, tmp_path):
    """Before rounding to lots, and after."""
    found = report(rpm, "MSFT", "--side", "sell", "--entry", 240, "--stop", 300, "--book", SAMPLE, "--risk", 1.0,
                   "--set", "sizing.spread_cost=1", "--set", "limits.target_volatility=0.14")  # fmt: skip
    assert found["trade"]["binding"] == "volatility_target"
    table = pq.read_table(SAMPLE)
    for money in (constraint(found, "volatility_target")["money"], found["trade"]["money"]):
        row = {**table.slice(0, 1).to_pylist()[0], "symbol": "MSFT", "market_value": -money}
        more = pa.Table.from_pylist([*table.to_pylist(), row], schema=table.schema)
        pq.write_table(more, tmp_path / "book.parquet")
        done = rpm("evaluate", tmp_path / "book.parquet", "--prices", DATA / "prices.parquet", "--json", QUIET)
        assert json.loads(done.out)["volatility"]["annual"] == pytest.approx(0.14, rel=1e-4)


def test_an_empty_account_holds_the_target_over_the_volatility(rpm, write_book):
    book = write_book({"symbol": ["MSFT"], "weight": [1.0]})
    prices = book.parent / "prices.parquet"
    evaluated = json.loads(rpm("evaluate", book, "--json", QUIET).out)
    found = report(rpm, "MSFT", "--side", "buy", "--entry", 100, "--capital", 1e6, "--prices", prices)
    weight = constraint(found, "volatility_target")["weight"]
    assert weight == pytest.approx(0.15 / evaluated["volatility"]["annual"], rel=1e-9)
    daily = evaluated["volatility"]["annual"] / sqrt(252)
    assert constraint(found, "risk_per_trade")["weight"] == pytest.approx(0.01 / (2 * daily), rel=1e-9)


def test_what_the_book_holds_counts_toward_the_largest_position(rpm, write_book):
    book = write_book({"symbol": ["MSFT", "MSFT", "JPM"], "weight": [0.25, 0.15, 0.1], "strategy_id": ["a", "b", "a"]})
    trade = ("MSFT", "--entry", 100, "--book", book, "--capital", 1e6)
    for side, stop, largest in (("buy", 99.99, 0.6), ("sell", 100.01, 1.4)):
        found = report(rpm, *trade, "--side", side, "--stop", stop)
        assert constraint(found, "maximum_weight")["weight"] == pytest.approx(largest, abs=1e-12)


def test_settings_and_options_reach_the_size(rpm):
    assert report(rpm, *EURUSD, "--risk", 0.005)["trade"]["lots"] == 25
    assert report(rpm, *EURUSD, "--set", "sizing.risk_per_trade=0.002")["trade"]["lots"] == 10
    assert report(rpm, *EURUSD, "--regime", 0.5, "--drawdown", 0.125)["trade"]["lots"] == 12
    assert report(rpm, *EURUSD, "--health", 0)["trade"]["reason"].startswith("no size passes, strategy health")
    assert report(rpm, *EURUSD, "--maximum-lot", 3000)["trade"]["binding"] == "maximum_lot"
    assert report(rpm, *EURUSD, "--set", "sizing.maximum_weight=0.22")["trade"]["lots"] == 20
    assert report(rpm, *EURUSD, "--adv", 110_000)["trade"]["lots"] == 10
    assert report(rpm, *EURUSD, *RECORD, "--kelly-fraction", 0.01)["trade"]["binding"] == "kelly"
    exact = constraint(report(rpm, *EURUSD, *RECORD), "kelly")
    assert "averages taken as exact" in exact["why"]
    unsure = constraint(report(rpm, *EURUSD, *RECORD, "--win-error", 0.002, "--loss-error", 0.0015), "kelly")
    assert "exact" not in unsure["why"]
    assert unsure["weight"] < exact["weight"]
    assert rpm("size", *EURUSD, "--format", "csv").out.startswith("section,row,field,value")


AAPL = ("AAPL", "--side", "buy", "--entry", 130, "--stop", 123.5, "--capital", 1e7, "--trades", DATA / "trades.parquet")


def test_trades_tell_record_and_health_of_the_strategy(rpm):
    table = pq.read_table(DATA / "trades.parquet", filters=[("strategy_id", "=", "breakout_equity")])
    multiples = table["pnl"].to_numpy() / table["risk"].to_numpy()
    wins, losses = multiples[multiples > 0], multiples[multiples < 0]
    found = report(rpm, *AAPL, "--strategy", "breakout_equity")
    kelly, health = constraint(found, "kelly"), constraint(found, "strategy_health")
    assert f"win rate {(multiples > 0).mean():.1%}" in kelly["why"]
    assert health["multiplier"] == 1.0
    gain = (multiples > 0).mean() * wins.mean() / -losses.mean() - (multiples < 0).mean()
    assert f"{gain:+.3f} average losses" in constraint(found, "expectancy")["why"]
    told = {warning["code"]: warning["message"] for warning in found["warnings"]}
    assert "health 0.87, EXCELLENT; 1,120 trades since the first" in told["strategy_judged"]
    assert "1/3 of the capital" in told["capital_assumed"]
    # Given by hand, without the errors of the averages, the same record allows a little more.
    by_hand = ("--win-rate", (multiples > 0).mean(), "--average-win", 0.05 * wins.mean(), "--average-loss",
               -0.05 * losses.mean(), "--n-trades", len(multiples), "--health", 1)  # fmt: skip
    same = report(rpm, *AAPL[:-2], "--strategy", "breakout_equity", *by_hand)
    assert constraint(same, "expectancy")["quantity"] == pytest.approx(constraint(found, "expectancy")["quantity"])
    assert 0.1 < kelly["quantity"] / constraint(same, "kelly")["quantity"] < 1.0


def test_a_disabled_strategy_has_no_size(rpm):
    found = report(rpm, *AAPL, "--strategy", "crossover_fast")
    assert found["trade"]["lots"] == 0
    assert constraint(found, "strategy_health")["multiplier"] == 0.0
    assert "CRITICAL" in found["warnings"][-2]["message"]


def test_few_trades_put_a_strategy_on_probation_once(rpm, tmp_path):
    lines = ["trade_id,strategy_id,symbol,side,opened_at,closed_at,pnl,risk"]
    lines += [f"{i},young,AAPL,buy,2022-12-0{i},2022-12-0{i},{(-1) ** i * i},10" for i in range(1, 9)]
    (tmp_path / "trades.csv").write_text("\n".join(lines) + "\n")
    found = report(rpm, *AAPL[:-1], tmp_path / "trades.csv", "--strategy", "young")
    assert constraint(found, "strategy_health")["multiplier"] == 0.25
    assert constraint(found, "kelly")["quantity"] is None
    assert found["trade"]["risk"] == pytest.approx(0.0025, rel=1e-3)
    assert "insufficient: 8 of the 30 trades" in found["warnings"][-2]["message"]
    asks = ("--trades", tmp_path / "trades.csv", "--strategy", "young")
    without = report(rpm, "AAPL", "--side", "buy", "--entry", 130, "--book", SAMPLE, *asks)
    assert "without a stop the risk of the trade" in " ".join(w["message"] for w in without["warnings"])


PAIR = ("EURUSD", "--side", "buy", "--entry", 1.1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*PAIR, "--stop", 1.2, "--capital", 1e5), "must lie below its entry"),
        ((*PAIR, "--stop", 1.1, "--capital", 1e5), "the stop is at the entry"),
        ((*PAIR, "--stop", 1.0), "the capital is not known"),
        ((*PAIR, "--capital", 1e5), "give a stop"),
        ((*PAIR, "--stop", "nan", "--capital", 1e5), "stop must be finite"),
        ((*PAIR, "--stop", 1.0, "--capital", "inf"), "not a positive amount"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--adv", 0), "daily volume must be positive"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--spread-bps", -1), "spread must not be negative"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, *RECORD, "--win-rate", 55), "did you mean 0.55"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, *RECORD, "--average-loss", 0), "average loss must be"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--win-rate", 0.5), "missing: average win, average loss, trades"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--win-error", 0.01), "missing: win rate, average win"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, *RECORD, "--loss-error", -1), "average loss must not be negative"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--expected-error", 0.1), "only together"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--expected-return", 0.1), "only together"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--expected-return", 0.1, "--expected-error", 0), "give its prices"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--minimum-lot", 5e3, "--maximum-lot", 4e3), "above the maximum lot"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--contract-size", 0), "contract size must be"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--base-currency", "XXX"), "not an ISO 4217 currency code"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--regime", 2), "regime multiplier must lie in [0, 1]"),
        ((*PAIR, "--stop", 1.0, "--capital", 1e5, "--risk", 0), "--risk"),
        (("EURGBP", "--side", "buy", "--entry", 0.9, "--stop", 0.8, "--capital", 1e5), "no rate from GBP"),
        (("EURUSDX", "--side", "buy", "--entry", 1, "--stop", 0.9, "--capital", 1e5), "did you mean 'EURUSD'"),
        (AAPL, "needs the strategy whose trades count"),
        ((*AAPL, "--strategy", "breakout_equity", "--health", 1), "leave out the file, or what is given beside it"),
        ((*AAPL, "--strategy", "breakout_equity", *RECORD), "leave out the file, or what is given beside it"),
        ((*AAPL, "--strategy", "breakout"), "Did you mean 'breakout_equity'"),
        ((*AAPL[:-1], "nothing.parquet", "--strategy", "x"), "nothing.parquet"),
        (("XYZ", "--side", "buy", "--entry", 1, "--stop", 0.9, "--book", SAMPLE), "no prices of 'XYZ'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(rpm, arguments, words):
    done = rpm("size", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert words in " ".join(done.err.split())
