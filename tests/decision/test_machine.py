"""An engine driven at random, held after every command against an account that is kept by hand beside it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rpmcore.decision.engine import DecisionEngine
from rpmcore.domain.canonical import canonical_bytes, parse
from rpmcore.domain.controls import Severity
from tests.decision import worlds
from tests.decision.worlds import DAY, HOUR, MINUTE, SECOND
from tests.oracles import gate as oracle

SYMBOLS = tuple(worlds.INSTRUMENTS)
INSTRUMENTS = {
    symbol: {
        "symbol": symbol, "kind": i.kind, "currency": i.currency, "base": i.base_currency, "sector": i.sector,
        "beta": worlds.BETAS[symbol],
    }
    for symbol, i in worlds.INSTRUMENTS.items()
}  # fmt: skip
MOST_WORKING = 7
LOOKBACK = 250

CALM = {
    "exposure_velocity": {"max_growth": 0.5, "max_leverage_growth": 0.5},
    "rejection_velocity": {"max_rejections": 1000},
    "per_strategy": {"max_rejection_rate": 1.0, "max_consecutive_losses": 50, "max_drawdown": 0.5},
}
"""Switches that leave random orders the time to meet limits."""

TIGHT = (
    {},
    {"gate": {"net_exposure": 0.1}},
    {"adaptive": {"regimes": {"minimum_history": 60, "dwell_days": 1, **{
        r: {"gross_exposure": 0.25, "leverage": 0.2} for r in ("trending", "ranging", "volatile", "stressed")}}}},
    {"limits": {"maximum_volatility": 0.015, "target_volatility": 0.015}},
    {"limits": {"target_volatility": 0.01}},
    {"limits": {"value_at_risk": 0.001}},
    {"limits": {"expected_shortfall": 0.0014}},
    {"limits": {"beta": 0.1}},
    {"limits": {"sector": 0.1}},
    {"limits": {"currency": 0.1}},
    {"limits": {"single_name": 0.05}},
)  # fmt: skip
"""One limit at a time that random orders meet before any other."""

symbols, sides = st.sampled_from(SYMBOLS), st.sampled_from(["buy", "sell"])
moves = st.dictionaries(symbols, st.sampled_from([-0.01, 0.005, -0.003, 0.01, -0.3, 0.25]), max_size=4)
shares = st.sampled_from([0.1, 0.5, 0.999, 1.0])


asks = st.fixed_dictionaries(
    {
        "symbol": symbols, "side": sides, "strategy": st.sampled_from(["trend", "carry"] * 6 + ["stranger"]),
        "value": st.sampled_from([0.003, 0.03, 0.03, 0.08, 0.08, 0.2, 0.45, 0.6, 1e-6]),
        "odd": st.sampled_from([0.0, 0.0, 0.37]), "off": st.sampled_from([0.0] * 6 + [0.02, -0.049, 0.051, -0.2]),
        "stop": st.sampled_from([None, None, 0.01, 0.1]), "only": st.sampled_from([False] * 6 + [True]),
        "by_risk": st.sampled_from([False, False, True]),
        "odd_case": st.sampled_from(
            [{}] * 24 + [{"late_by": 5}, {"conflict_with": 1}, {"age": 2 * MINUTE}, {"back": 9},
                         {"entry": float("nan")}, {"quantity": float("inf")}]),
    }
)  # fmt: skip


def exact(number):
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


class Gate(RuleBasedStateMachine):
    @initialize(
        held=st.dictionaries(symbols, st.integers(-600, 600).filter(bool), max_size=4),
        tight=st.sampled_from(TIGHT), calm=st.sampled_from([True, True, False]),
    )  # fmt: skip
    def start(self, held, tight, calm):
        positions = []
        for symbol, many in held.items():
            quantity = many * 100 if INSTRUMENTS[symbol]["base"] else many // 20 or 1 if symbol == "SP500" else many
            positions.append((("trend", "carry")[many % 2], symbol, str(quantity)))
        self.genesis = worlds.genesis(
            positions=tuple(positions), chosen=worlds.settings(**tight, **({"kill_switches": CALM} if calm else {}))
        )
        self.world, self.twin = DecisionEngine(self.genesis), None
        self.held = {symbol: sum((exact(q) for _, s, q in positions if s == symbol), Decimal(0)) for symbol in SYMBOLS}
        self.equity = worlds.EQUITY
        self.orders = {}
        self.prices = {symbol: price for symbol, price, _ in self.genesis.last}
        self.rows = [dict(zip(self.genesis.symbols, row, strict=True)) for row in self.genesis.closes]
        self.refused, self.model = False, None

    # What is done with each command

    def do(self, command):
        self.at = max(command.at, self.world.last_at)
        for name in [n for n, o in self.orders.items() if o["state"] == "approved" and o["expires"] <= self.at]:
            del self.orders[name]
        outcome = self.world.handle(command)
        if self.twin is not None:
            assert told(self.twin.handle(command)) == told(outcome)
            assert canonical_bytes(self.twin.state()) == canonical_bytes(self.world.state())
        self.refused = any(e["type"] in ("refused", "operator_refused", "release_refused") for e in outcome.events)
        return outcome

    def working(self, symbol):
        return [o for o in self.orders.values() if o["symbol"] == symbol]

    # Rules

    @rule(asks=st.lists(asks, min_size=1, max_size=4))
    def signals(self, asks):
        for ask in asks:
            if len(self.orders) < MOST_WORKING:
                self.signal(**ask)

    def signal(self, symbol, side, strategy, value, odd, off, stop, only, by_risk, odd_case):
        case = dict(odd_case)
        at = self.world.last_at + SECOND if "back" not in case else self.world.last_at - case.pop("back")
        entry = self.prices[symbol] * (1.0 + off)
        quantity = float(int(value * 1e6 / oracle.unit_value(INSTRUMENTS[symbol], self.prices))) + odd or 1.0
        fields = {"entry": entry, "made_at": at - case.pop("age", 0), "reduce_only": only, **case}
        if stop is not None:
            fields["stop"] = entry * (1.0 - stop if side == "buy" else 1.0 + stop)
        if by_risk and stop is not None and "quantity" not in case:
            fields |= {"risk": value / 100.0, "quantity": None}
        fields.setdefault("quantity", quantity)
        command = worlds.signal(
            self.world, symbol, side, fields.pop("quantity"), at=at, strategy_id=strategy, **fields
        )  # fmt: skip
        self.asked(command, side, symbol)

    @precondition(lambda self: len(self.orders) < MOST_WORKING and any(self.held.values()))
    @rule(data=st.data(), share=st.sampled_from([0.3, 1.0, 1.0, 1.7]))
    def signal_against_what_is_held(self, data, share):
        symbol = data.draw(st.sampled_from([s for s in SYMBOLS if self.held[s]]))
        side = "sell" if self.held[symbol] > 0 else "buy"
        quantity = float(abs(self.held[symbol])) * share
        self.asked(worlds.signal(self.world, symbol, side, quantity, entry=self.prices[symbol]), side, symbol)

    def asked(self, command, side, symbol):
        before = canonical_bytes(self.world.state())
        self.world.decide(worlds.signal(self.world, symbol, side, 5.0, at=self.world.last_at + 8 * DAY))
        first = self.world.decide(command)
        assert canonical_bytes(self.world.state()) == before
        self.decided(command, first, side, symbol)

    def decided(self, command, first, side, symbol):
        """Take a decision that was asked for already, and hold it against the account that is kept by hand."""
        severity, integrity = self.world.severity(command.signal.strategy_id), self.world.integrity
        sign = 1 if side == "buy" else -1
        now = max(command.at, self.world.last_at)
        alive = [o for o in self.working(symbol) if o["state"] != "approved" or o["expires"] > now]
        room = oracle.reducible(self.held[symbol], sign, alive)
        book = self.book(now)
        decision = self.do(command).decision
        assert decision == first
        if not decision.approved:
            assert decision.verdict == "rejected"
            assert decision.reason is not None
            return
        approved = exact(decision.approved)
        self.judged(decision, approved, room, severity, integrity, sign, book, now)
        self.orders[command.signal.signal_id] = {
            "symbol": symbol, "sign": sign, "open": approved, "opening": max(Decimal(0), approved - room),
            "state": "approved", "expires": decision.expires_at, "strategy": command.signal.strategy_id,
            "halts": self.world.halts_of(command.signal.strategy_id),
        }  # fmt: skip

    def judged(self, decision, approved, room, severity, integrity, sign, book, now):
        """Hold an approved size against everything that it must not break."""
        asked = decision.signal
        assert asked.strategy_id in worlds.STRATEGIES
        assert not integrity
        assert approved <= exact(decision.requested)
        assert approved % 1 == 0 or approved <= room
        assert asked.entry == pytest.approx(self.prices[asked.symbol], rel=0.0500001) or self.stale(asked.symbol, now)
        if approved <= room:
            return
        assert severity < Severity.HALT
        assert not asked.reduce_only
        unasked = {check.name for check in decision.checks if check.status == "skipped"}
        assert unasked <= {"risk_per_trade", "single_name", "currency", "liquidity"}, "no other may be left out"
        assert not self.stale(asked.symbol, now)
        unit = oracle.unit_value(INSTRUMENTS[asked.symbol], self.prices)
        weight = float(approved) * unit / self.equity
        assert weight <= 0.5 * (1 + 1e-9)
        weights, orders, limits = book
        asset = SYMBOLS.index(asked.symbol)
        found = self.measured(weights, orders, limits)
        traded = list(weights)
        traded[asset] += sign * weight
        after = self.measured(traded, orders, limits)
        for name, limit in self.limits_of(limits).items():
            concerned = name.split(" ", 1)
            if len(concerned) == 2 and abs(after[name] - found[name]) < 1e-15:
                continue
            assert oracle.passes(found[name], after[name], limit), (name, found[name], after[name], limit)
        if asked.stop is not None:
            rate = oracle.rate(INSTRUMENTS[asked.symbol]["currency"], self.prices)
            rate = 1.0 / asked.stop if INSTRUMENTS[asked.symbol]["base"] == "USD" else rate
            lost = float(approved - room) * abs(asked.entry - asked.stop) * rate / self.equity
            assert lost <= limits.risk_per_trade * (1 + 1e-9)

    def stale(self, symbol, now):
        legs = {"SAP": ("SAP", "EURUSD")}.get(symbol, (symbol,))
        return any(now - self.world.market.price(leg)[1] > 120 * HOUR for leg in legs)

    def book(self, now):
        weights = [
            float(self.held[s]) * oracle.unit_value(INSTRUMENTS[s], self.prices) / self.equity
            if self.equity > 0 else 0.0 for s in SYMBOLS
        ]  # fmt: skip
        orders = [
            (SYMBOLS.index(o["symbol"]), o["sign"] * float(o["open"])
             * oracle.unit_value(INSTRUMENTS[o["symbol"]], self.prices) / self.equity)
            for o in self.orders.values() if self.equity > 0 and (o["state"] != "approved" or o["expires"] > now)
        ]  # fmt: skip
        return weights, orders, self.world.limits(now)

    def measured(self, weights, orders, limits):
        if self.model is None:
            x = oracle.returns(self.rows[-(2 * (LOOKBACK + 1)) :], list(INSTRUMENTS.values()))
            self.model = x, oracle.ewma(x)
        x, cov = self.model
        books = oracle.outcomes(weights, orders)
        return oracle.measures(
            books, list(INSTRUMENTS.values()), x, cov, limits.correlation_stress, LOOKBACK
        )  # fmt: skip

    def limits_of(self, limits):
        chosen = self.genesis.settings.limits
        found = {
            "gross_exposure": limits.gross_exposure, "leverage": limits.leverage,
            "net_exposure": self.genesis.settings.gate.net_exposure,
            "volatility": chosen.maximum_volatility, "volatility_target": chosen.target_volatility,
            "value_at_risk": chosen.value_at_risk, "expected_shortfall": chosen.expected_shortfall,
            "beta": chosen.beta,
        }  # fmt: skip
        sectors = {i["sector"] for i in INSTRUMENTS.values()}
        found |= {f"sector {s}": chosen.sector for s in sectors}
        found |= {f"currency {c}": chosen.currency for c in ("EUR", "JPY")}
        shares_of = [s for s, i in INSTRUMENTS.items() if i["kind"] == "equity"]
        return found | {f"single_name {s}": chosen.single_name for s in shares_of}

    @precondition(lambda self: self.orders)
    @rule(how_many=st.integers(1, MOST_WORKING), share=shares, off=st.sampled_from([0.0, 0.001, -0.003]))
    def orders_go_through(self, how_many, share, off):
        for name in sorted(self.orders)[:how_many]:
            if name not in self.orders:
                continue  # it has expired while the one before was taken
            self.release_one(name, 1.0)
            if not self.refused:
                self.fill_one(name, share, off, 2.5)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), share=st.sampled_from([0.4, 1.0, 1.0, 1.5]))
    def release(self, data, share):
        self.release_one(data.draw(st.sampled_from(sorted(self.orders))), share)

    def release_one(self, name, share):
        order = self.orders[name]
        quantity = max(float(int(float(order["open"]) * share)), 1.0) if share != 1.0 else float(order["open"])
        severity, integrity = self.world.severity(order["strategy"]), self.world.integrity
        sent = [o for o in self.working(order["symbol"]) if o["state"] != "approved"]
        room = oracle.reducible(self.held[order["symbol"]], order["sign"], sent)
        halts = self.world.halts_of(order["strategy"])
        outcome = self.do(worlds.release(self.world, name, quantity))
        if self.refused:
            return
        assert any(e["type"] == "order" and e["state"] == "released" for e in outcome.events)
        assert order["state"] == "approved"
        assert name in self.orders
        assert exact(quantity) <= order["open"]
        assert not integrity
        if exact(quantity) > room:
            assert severity < Severity.HALT
            assert halts == order["halts"]
            assert order["opening"]
        order |= {"state": "released", "open": exact(quantity)}

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), share=shares, off=st.sampled_from([0.0, 0.001, -0.003]), fees=st.sampled_from([0.0, 2.5]))
    def fill(self, data, share, off, fees):
        sent = [name for name, order in self.orders.items() if order["state"] != "approved"]
        self.fill_one(data.draw(st.sampled_from(sorted(sent or self.orders))), share, off, fees)

    def fill_one(self, name, share, off, fees):
        order = self.orders[name]
        quantity = float(order["open"]) if share == 1.0 else float(order["open"]) * share
        price = self.prices[order["symbol"]] * (1.0 + off)
        side = "buy" if order["sign"] > 0 else "sell"
        self.filled(name, order["strategy"], order["symbol"], side, quantity, price, fees)

    def fill_that_nobody_expects(self, data):
        symbol, side, quantity = data.draw(symbols), data.draw(sides), data.draw(st.sampled_from([1.0, 250.5]))
        late = data.draw(st.booleans())
        name = data.draw(st.sampled_from(sorted(self.orders))) if late and self.orders else "stray"
        self.filled(name, "trend", symbol, side, quantity, self.prices[symbol], 0.0)

    def filled(self, name, strategy, symbol, side, quantity, price, fees):
        sign = 1 if side == "buy" else -1
        command = worlds.fill(
            self.world, name, quantity, price=price, fees=fees, strategy_id=strategy, symbol=symbol, side=side
        )  # fmt: skip
        outcome = self.do(command)
        assert not self.refused
        self.held[symbol] += sign * exact(quantity)
        rate = oracle.rate(INSTRUMENTS[symbol]["currency"], self.prices)
        self.equity += sign * quantity * (self.prices[symbol] - price) * rate - fees
        order = self.orders.get(name)
        expected = (
            order is not None and order["state"] != "approved" and exact(quantity) <= order["open"]
            and (order["strategy"], order["symbol"], order["sign"]) == (strategy, symbol, sign)
        )  # fmt: skip
        assert any(e["type"] == "unexpected_fill" for e in outcome.events) != expected
        if expected:
            order |= {"state": "partial", "open": order["open"] - exact(quantity)}
            if not order["open"]:
                del self.orders[name]
        else:
            assert self.world.severity(strategy) >= Severity.HALT

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), outcome=st.sampled_from(["cancelled", "rejected"]))
    def close(self, data, outcome):
        name = data.draw(st.sampled_from(sorted(self.orders)))
        self.do(worlds.closed(self.world, name, outcome))
        self.orders.pop(name, None)

    @rule(moves=moves, missing=st.sets(symbols, max_size=2), days=st.sampled_from([1, 1, 1, 3, 6]))
    def bar(self, moves, missing, days):
        command = worlds.bar(self.world, moves, missing=missing, later=days * DAY)
        before = dict(self.prices)
        self.do(command)
        assert not self.refused
        self.prices |= command.closes
        self.model = None
        self.rows.append({symbol: command.closes.get(symbol) for symbol in SYMBOLS})
        self.revalued(before)

    @rule(symbol=symbols, move=st.sampled_from([-0.01, 0.003, 0.002, -0.2, 0.1]))
    def quote(self, symbol, move):
        before = dict(self.prices)
        self.prices[symbol] *= 1.0 + move
        self.do(worlds.quotes(self.world, **{symbol: self.prices[symbol]}))
        self.revalued(before)

    def revalued(self, before):
        for symbol, quantity in self.held.items():
            self.equity += oracle.gain(INSTRUMENTS[symbol], float(quantity), before, self.prices)

    @rule(bad=st.sampled_from([0.0, -1.0, float("nan"), float("inf"), 1e200]), symbol=symbols)
    def quote_that_is_none(self, bad, symbol):
        self.do(worlds.quotes(self.world, **{symbol: bad}))
        assert self.refused

    @rule(later=st.sampled_from([1, 10 * SECOND, 30 * SECOND, HOUR, -MINUTE, 9 * DAY]))
    def tick(self, later):
        self.do(worlds.tick(self.world, later=later))

    @rule(
        data=st.data(),
        what=st.sampled_from(["nothing"] * 4 + ["trip", "break", "stray fill", "clear", "reset"]),
        scope=st.sampled_from(["account", "trend", "carry"]),
    )  # fmt: skip
    def something_goes_wrong(self, data, what, scope):
        if what == "trip":
            severity = data.draw(st.sampled_from(["warning", "throttle", "halt", "liquidate"]))
            self.do(worlds.trip(self.world, severity, scope=scope))
            assert self.world.severity(None if scope == "account" else scope) >= Severity(severity)
        elif what == "break":
            self.do(worlds.broken(self.world))
        elif what == "stray fill":
            self.fill_that_nobody_expects(data)
        elif what == "clear":
            self.do(worlds.operator(self.world, "clear_integrity", who=data.draw(st.sampled_from(["", "Ada"]))))
        elif what == "reset":
            self.do(worlds.operator(self.world, "reset", scope=scope, measure_anew=data.draw(st.booleans())))

    @precondition(lambda self: self.world.integrity or self.world.halts)
    @rule()
    def all_is_well_again(self):
        self.do(worlds.operator(self.world, "clear_integrity"))
        for scope in ("account", "trend", "carry"):
            self.do(worlds.operator(self.world, "reset", scope=scope, measure_anew=True))

    @rule(share=st.sampled_from([0.999, 1.02, 0.9]))
    def equity_mark(self, share):
        self.do(worlds.equity_mark(self.world, self.equity * share))
        self.equity *= share

    @rule(amount=st.sampled_from([-50_000.0, 20_000.0]))
    def cash_flow(self, amount):
        self.do(worlds.cash_flow(self.world, amount))
        if not self.refused:
            self.equity += amount

    @rule(pnl=st.sampled_from([-9000.0, -100.0, 0.0, 700.0]), strategy=st.sampled_from(["trend", "carry"]))
    def trade(self, pnl, strategy):
        self.do(worlds.trade(self.world, pnl, strategy))

    @rule(regime=st.sampled_from(["trending", "ranging", "volatile", "stressed"]))
    def pin(self, regime):
        self.do(worlds.operator(self.world, "pin_regime", value=regime))

    @rule()
    def restart(self):
        state = canonical_bytes(self.world.state())
        self.twin = DecisionEngine.from_state(self.genesis, parse(state))
        assert canonical_bytes(self.twin.state()) == state

    # What holds after each

    @invariant()
    def positions_are_the_sum_of_fills(self):
        assert self.world.account.net == {symbol: held for symbol, held in self.held.items() if held}

    @invariant()
    def equity_is_what_was_earned(self):
        assert self.world.account.equity == pytest.approx(self.equity, rel=1e-9, abs=1e-6)

    @invariant()
    def orders_are_those_that_may_still_be_filled(self):
        kept = {name: (o.sign, o.open_quantity) for name, o in self.world.account.orders.items()}
        assert kept == {name: (o["sign"], o["open"]) for name, o in self.orders.items()}


def told(outcome):
    decision = None if outcome.decision is None else outcome.decision.to_plain()
    return canonical_bytes({"decision": decision, "events": list(outcome.events)})


plain_asks = st.lists(
    st.tuples(symbols, sides, st.sampled_from([0.01, 0.03, 0.08, 0.2, 0.45])), min_size=2, max_size=MOST_WORKING
)  # fmt: skip
books = st.dictionaries(symbols, st.integers(-1500, 1500).filter(bool), max_size=4)


@pytest.mark.parametrize("tight", TIGHT[1:], ids=lambda tight: repr(tight)[:60])
@given(held=books, asked=plain_asks)
def test_each_limit_holds_with_all_that_is_working(tight, held, asked):
    machine = Gate()
    machine.start(held, tight, True)
    for symbol, side, value in asked:
        unit = oracle.unit_value(INSTRUMENTS[symbol], machine.prices)
        command = worlds.signal(machine.world, symbol, side, float(int(value * 1e6 / unit)) or 1.0)
        machine.decided(command, machine.world.decide(command), side, symbol)


def test_a_bound_that_falls_is_no_measure_that_falls():
    """Of many outcomes of working orders VaR is bounded: the bound fell where the worst VaR rose."""
    machine = Gate()
    machine.start({"CVX": 204, "EURUSD": -296}, {"limits": {"value_at_risk": 0.001}}, True)
    plain = {"strategy": "trend", "odd": 0.0, "off": 0.0, "stop": None, "only": False, "by_risk": False, "odd_case": {}}
    for symbol, side, value in (
        ("EURUSD", "buy", 0.003), ("EURUSD", "buy", 0.003), ("XOM", "buy", 0.08), ("XOM", "sell", 0.08),
        ("EURUSD", "buy", 0.003), ("EURUSD", "buy", 0.08), ("SP500", "buy", 0.003),
    ):  # fmt: skip
        machine.signals([{"symbol": symbol, "side": side, "value": value, **plain}])


TestGate = Gate.TestCase
TestGate.settings = hypothesis_settings(stateful_step_count=40)
