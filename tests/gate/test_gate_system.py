"""The gate as the risk system of a stress test: what it does to small books, day by day."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpmcore.domain.controls import Severity
from rpmcore.domain.errors import InputError, InvalidArgument
from rpmcore.domain.portfolio import Holding
from rpmcore.domain.reference import crises
from rpmcore.gate_system import GateSystem
from rpmcore.risk.stress.path import run_path
from rpmcore.risk.stress.stressed_book import stressed_book
from rpmcore.risk.stress.suite import run_suite
from rpmcore.risk.stress.system import Marks, Start
from tests.gate.conftest import short_settings
from tests.stressed_books import inputs, mixed, pair, share

CRISES = crises()
CALM = 0.002
"""A day's return that no control minds, for books of volatility 1 % a day."""

GENEROUS = (
    "limits.target_volatility=100", "limits.maximum_volatility=100", "limits.value_at_risk=100",
    "limits.expected_shortfall=100", "kill_switches.account.max_daily_loss=1.0",
    "kill_switches.account.max_drawdown=1.0",
    *(f"adaptive.regimes.{regime}.{limit}=1000" for regime in ("trending", "ranging", "volatile", "stressed")
      for limit in ("gross_exposure", "leverage")),
)  # fmt: skip
"""Limits that no path reaches."""

ROOM = (
    *GENEROUS, "limits.sector=100", "limits.single_name=100", "limits.beta=100", "limits.factor_exposure=100",
    "sizing.risk_per_trade=0.5", "gate.net_exposure=100",
    *(f"adaptive.regimes.{regime}.risk_per_trade=0.5" for regime in ("trending", "ranging", "volatile", "stressed")),
)  # fmt: skip
"""Limits under which everything may be brought back."""


class Walk:
    """A book of A and B under a gate, on days whose returns a test chooses."""

    def __init__(self, weights=(0.3, 0.2), *changes, capital=1e6):
        known = inputs([("A", weights[0]), ("B", weights[1])], [share("A"), share("B", 0.7)], capital=capital)
        chosen = short_settings(*changes)
        book = stressed_book(known, chosen)
        self.held = np.array(weights) * capital
        self.whole, self.equity, self.returns = self.held.copy(), capital, np.empty((0, 2))
        self.capital = capital
        self.running = GateSystem(known, chosen).start(
            Start(symbols=book.symbols, capital=capital, market_values=self.held, covariance=book.covariance)
        )

    def day(self, *returns):
        """Carry the book over a day and return what is decided at its close."""
        moves = np.array(returns)
        self.equity += float(self.held @ moves)
        self.held, self.whole = self.held * (1.0 + moves), self.whole * (1.0 + moves)
        self.returns = np.vstack([self.returns, moves])
        marks = Marks(day=len(self.returns), returns=self.returns, equity=self.equity, market_values=self.held.copy())
        proposed = self.whole - self.held
        found = self.running.decide(marks, proposed)
        ends = np.stack([np.zeros(2), self.held, self.held + proposed])
        after = self.held + found.trades
        assert (after >= ends.min(axis=0) - 1e-9 * self.capital).all()
        assert (after <= ends.max(axis=0) + 1e-9 * self.capital).all()
        self.held = after
        return found

    def lost(self, share):
        """Give the day on which the book loses this share of its equity."""
        each = -share * self.equity / float(np.abs(self.held).sum())
        return self.day(*(each * np.sign(self.held)))


def test_a_book_that_owes_is_closed_and_stays_so():
    walk = Walk((2.5, 2.0))
    found = walk.lost(1.3)
    assert walk.equity < 0.0
    assert walk.held.tolist() == [0.0, 0.0]
    assert found.actions[0].reason.startswith("halt of account")
    assert not walk.day(CALM, CALM).trades.any()


def controls(decisions):
    return [action.control for action in decisions.actions]


def test_the_halt_fires_when_the_daily_loss_limit_is_crossed():
    walk = Walk((0.3, 0.2), *GENEROUS, "kill_switches.account.max_daily_loss=0.03")
    assert "kill_switch:account" not in controls(walk.lost(0.0299))
    found = walk.lost(0.0301)
    assert controls(found) == ["kill_switch:account"]
    assert found.actions[0].reason.startswith("halt of account, loss of the day: 0.0301")
    assert not found.trades.any()  # a halt stops what adds, and sells nothing


def test_liquidate_closes_everything():
    walk = Walk((0.5, -0.3), *GENEROUS, "kill_switches.account.max_drawdown=0.1",
                "kill_switches.account.liquidation_drawdown=0.2")  # fmt: skip
    found = walk.lost(0.21)
    assert "liquidate of account" in found.actions[0].reason
    assert walk.held.tolist() == [0.0, 0.0]
    later = walk.day(CALM, CALM)
    assert not later.trades.any()  # nobody resets it, so that nothing comes back
    assert {c.partition(":")[0] for c in controls(later)} == {"kill_switch"}


def test_limits_that_tighten_shrink_the_book():
    walk = Walk((1.2, -0.6), *(g for g in GENEROUS if not g.startswith("adaptive")))
    limits = []
    for sign in (1, -1, 1, -1, 1, -1):
        walk.day(0.05 * sign, -0.04 * sign)
        limits.append(walk.running.engine.limits(walk.running.at).gross_exposure)
        assert np.abs(walk.held).sum() / walk.equity <= limits[-1] * (1.0 + 1e-9)
    assert limits[-1] < limits[0]
    assert walk.held[0] / walk.held[1] == pytest.approx(walk.whole[0] / walk.whole[1])  # pro rata


def test_what_could_not_be_measured_is_told_where_it_tightens():
    known, chosen = inputs([("A", 0.9)], [share("A")]), short_settings("adaptive.regimes.minimum_history=500")
    found = run_path(stressed_book(known, chosen), CRISES["flashcrash2010"], chosen, system=GateSystem(known, chosen))
    told = {action.control: action.reason for action in found.days[0].actions}
    assert "no reading of regime" in told["gross_exposure"]


def test_the_volatility_is_brought_to_its_target():
    walk = Walk((0.9, 0.9), *(g for g in GENEROUS if "target" not in g), "limits.target_volatility=0.15",
                "limits.rebalance_threshold=0.1")  # fmt: skip
    found = walk.day(CALM, CALM)
    assert controls(found) == ["volatility_target"]
    model = walk.running.engine.market.model
    weights = walk.held / walk.equity
    assert np.sqrt(252 * weights @ model.covariance @ weights) == pytest.approx(0.15)


def take_half_away(walk):
    """Have half of the book sold by somebody else, so that the strategy wants it back."""
    walk.held = 0.5 * walk.held
    return walk


def test_what_is_brought_back_is_approved_where_nothing_objects():
    walk = take_half_away(Walk((0.3, 0.15), *ROOM))
    found = walk.day(CALM, CALM)
    assert walk.held == pytest.approx(walk.whole)
    assert found.actions == ()


def test_a_throttle_halves_what_is_brought_back_and_a_halt_stops_it():
    walk = take_half_away(Walk((0.3, 0.15), *ROOM, "kill_switches.account.max_daily_loss=0.03"))
    found = walk.lost(0.025)
    missing = walk.whole - (walk.held - found.trades)
    assert found.trades == pytest.approx(0.5 * missing)
    assert controls(found) == ["kill_switch:account"]
    assert walk.lost(0.031).trades.tolist() == [0.0, 0.0]
    halted = walk.day(CALM, CALM)
    assert halted.trades.tolist() == [0.0, 0.0]
    assert "halt of account since day 2" in halted.actions[0].reason


def test_a_check_of_the_gate_cuts_what_is_brought_back():
    walk = take_half_away(Walk((0.3, 0.15), *ROOM[:-1], "limits.single_name=0.16"))
    found = walk.day(CALM, CALM)
    assert "single_name" in controls(found)
    assert walk.held[0] / walk.equity <= 0.16 * (1.0 + 1e-9)


@settings(max_examples=12, deadline=None)
@given(
    weights=st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)).filter(lambda w: min(map(abs, w)) > 0.01),
    days=st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)), min_size=1, max_size=6),
)
def test_nothing_opens_more_than_is_proposed(weights, days):
    walk = Walk(weights)
    for returns in days:
        walk.day(*returns)  # holds every end between zero, where it is, and where the proposal would take it


def test_without_a_binding_limit_the_path_is_that_of_the_book_left_alone():
    known, chosen = mixed(), short_settings(*GENEROUS)
    book = stressed_book(known, chosen)
    for name in ("lehman2008", "brexit2016"):
        found = run_path(book, CRISES[name], chosen, system=GateSystem(known, chosen), path=1)
        assert [day.equity for day in found.days] == [day.unmanaged_equity for day in found.days]
        assert found.action is None


class Watched:
    """A gate whose books are compared with the path after every close."""

    name = "watched"

    def __init__(self, system):
        self.system, self.days = system, 0

    def start(self, start):
        self.running = self.system.start(start)
        return self

    def decide(self, marks, proposed):
        found = self.running.decide(marks, proposed)
        account, market = self.running.engine.account, self.running.engine.market
        assert account.equity == pytest.approx(marks.equity, rel=1e-9)
        for i, symbol in enumerate(self.running.symbols):
            value = float(account.held(symbol)) * market.price(symbol)[0]
            expected = float(marks.market_values[i] + found.trades[i])
            assert value == pytest.approx(expected, abs=1e-6 * marks.equity)
        self.days += 1
        return found


def test_the_gate_holds_what_the_path_holds_whatever_converts_and_whatever_a_volume_leaves():
    held = [
        Holding(symbol="A", size=0.8, spread_bps=10.0, adv=2e6), Holding(symbol="USDJPY", size=-0.5, spread_bps=2.0),
        Holding(symbol="EURGBP", size=0.4, spread_bps=3.0),
    ]  # fmt: skip
    instruments = [share("A", 1.2), pair("USDJPY", 0.1), pair("EURGBP", -0.05)]
    known = inputs(held, instruments, extra=["GBPUSD"], pair_betas={"GBPUSD": 0.15, "USDJPY": 0.1})
    chosen = short_settings()
    watched = Watched(GateSystem(known, chosen))
    found = run_path(stressed_book(known, chosen), CRISES["lehman2008"], chosen, system=watched)
    assert watched.days == found.duration_days
    assert found.action is not None


def test_the_gate_measures_the_returns_of_the_book_in_account_currency():
    known, chosen = mixed(), short_settings()
    book = stressed_book(known, chosen)
    start = Start(
        symbols=book.symbols, capital=book.capital, market_values=book.weights * book.capital,
        covariance=book.covariance,
    )  # fmt: skip
    engine = GateSystem(known, chosen).start(start).engine
    closes = {symbol: known.history.closes[:, i] for i, symbol in enumerate(known.history.symbols)}
    pounds = closes["GBPUSD"]
    expected = {
        "A": closes["A"][1:] / closes["A"][:-1] - 1.0,
        "B": (closes["B"] * pounds)[1:] / (closes["B"] * pounds)[:-1] - 1.0,
        # A pair earns its change at the new rate: of one dollar against yen, and of one euro against pounds.
        "USDJPY": 1.0 - closes["USDJPY"][:-1] / closes["USDJPY"][1:],
        "EURGBP": np.diff(closes["EURGBP"]) * pounds[1:] / (closes["EURGBP"] * pounds)[:-1],
    }
    model = engine.market.model
    for symbol, returns in expected.items():
        assert model.returns[:, model.index[symbol]] == pytest.approx(returns[-len(model.returns) :], abs=1e-12)
    values = {s: float(engine.account.held(s)) * engine.market.unit_value(s) for s in start.symbols}
    assert list(values.values()) == pytest.approx(start.market_values.tolist())


def test_the_same_bits_each_time_and_for_any_number_of_threads():
    known, chosen = mixed(), short_settings()
    book, system = stressed_book(known, chosen), GateSystem(known, chosen)
    crisis = CRISES["covid2020"]
    assert run_path(book, crisis, chosen, system=system) == run_path(
        book, crisis, chosen, system=GateSystem(known, chosen)
    )
    one, two = (run_suite(book, [crisis] * 3, chosen, system=system, threads=n) for n in (1, 2))
    assert one.loss.tolist() == two.loss.tolist()
    assert one.controls == two.controls


def test_progress_is_told_path_by_path():
    known, chosen = mixed(), short_settings()
    told = []
    run_suite(
        stressed_book(known, chosen), [CRISES["flashcrash2010"]] * 3, chosen, system=GateSystem(known, chosen),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_symbol_that_is_not_the_books_names_the_nearest():
    known = inputs([("AAPL", 0.5)], [share("AAPL")])
    other = stressed_book(inputs([("AAPLE", 0.5)], [share("AAPLE")]), short_settings())
    start = Start(symbols=other.symbols, capital=1e6, market_values=other.weights * 1e6, covariance=other.covariance)
    with pytest.raises(InvalidArgument, match="'AAPLE'; did you mean 'AAPL'"):
        GateSystem(known, short_settings()).start(start)


def test_prices_within_the_day_are_refused():
    known = inputs([("A", 0.5)], [share("A")])
    hourly = replace(known.history, dates=known.history.dates.astype("datetime64[us]"))
    book = stressed_book(known, short_settings())
    start = Start(symbols=book.symbols, capital=1e6, market_values=book.weights * 1e6, covariance=book.covariance)
    with pytest.raises(InputError, match="daily closes"):
        GateSystem(replace(known, history=hourly), short_settings()).start(start)


def test_a_live_gate_tests_its_own_settings_and_is_only_read(gate, genesis):
    before = gate.engine.state()
    symbols = ("EURUSD", "MSFT")
    start = Start(symbols=symbols, capital=1e6, market_values=np.array([4e5, 2e5]), covariance=np.diag([1e-4, 4e-4]))
    running = gate.start(start)
    found = running.decide(
        Marks(day=1, returns=np.array([[-0.08, -0.05]]), equity=958_000.0, market_values=np.array([368e3, 190e3])),
        np.zeros(2),
    )
    assert "kill_switch:account" in controls(found)
    assert running.engine.kill_switches.severity() >= Severity.HALT
    assert running.engine.settings == genesis.settings
    assert gate.engine.state() == before
    assert gate.engine.kill_switches.severity() is Severity.NONE


def test_a_live_gate_tests_with_the_closes_that_it_has_taken(gate, genesis):
    last = {symbol: price for symbol, price, _ in genesis.last}
    gate.price_bar(
        "2019-07-01", {symbol: 1.01 * price for symbol, price in last.items()}, at=genesis.at + 3 * 86_400 * 10**9
    )
    start = Start(symbols=("MSFT",), capital=1e6, market_values=np.array([2e5]), covariance=np.array([[4e-4]]))
    running = gate.start(start)
    assert str(running.day) == "2019-07-01"
    assert running.prices.tolist() == pytest.approx([1.01 * last["MSFT"]])
