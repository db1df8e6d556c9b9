"""A small market and account that an engine starts from in milliseconds, and the commands that happen to it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np

from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.reconciliation import GateBook
from rpmcore.decision.settings import DecisionSettings
from rpmcore.domain.broker import BrokerAccount, BrokerBook, BrokerOrder, BrokerPosition
from rpmcore.domain.commands import (
    CancelRequested,
    CashFlow,
    EquityMark,
    Fill,
    IntegrityFailed,
    OperatorOrder,
    OrderClosed,
    PriceBar,
    Quotes,
    Reconciled,
    Reconfigured,
    Release,
    SignalReceived,
    Tick,
    TradeClosed,
)
from rpmcore.domain.factor_profiles import FACTORS, AssetFactorProfile, Loading
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.orders import Signal
from rpmcore.domain.trades import ClosedTrade
from rpmcore.risk.currencies import Leg

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND

EQUITY = 1_000_000.0
N_DAYS = 400
LAST_DAY = date(2024, 6, 28)
START = round(datetime(2024, 6, 28, 22, tzinfo=UTC).timestamp()) * SECOND
"""The last close of the past; the first command comes later."""

INSTRUMENTS = {
    "EURUSD": Instrument(symbol="EURUSD", name="euro", kind="fx", currency="USD", base_currency="EUR", sector="FX"),
    "USDJPY": Instrument(symbol="USDJPY", name="yen", kind="fx", currency="JPY", base_currency="USD", sector="FX"),
    "SAP": Instrument(symbol="SAP", name="SAP", kind="equity", currency="EUR", sector="Information Technology"),
    "XOM": Instrument(symbol="XOM", name="Exxon", kind="equity", currency="USD", sector="Energy"),
    "CVX": Instrument(symbol="CVX", name="Chevron", kind="equity", currency="USD", sector="Energy"),
    "SP500": Instrument(symbol="SP500", name="S&P 500", kind="index", currency="USD", sector="Index"),
}
WAYS = {
    "EURUSD": (),
    "USDJPY": (Leg("USDJPY", divide=True),),
    "SAP": (Leg("EURUSD", divide=False),),
    "XOM": (),
    "CVX": (),
    "SP500": (),
}
FIRST = {"EURUSD": 1.10, "USDJPY": 150.0, "SAP": 180.0, "XOM": 110.0, "CVX": 155.0, "SP500": 5000.0}
BETAS = {"EURUSD": 0.1, "USDJPY": -0.1, "SAP": 1.1, "XOM": 0.8, "CVX": 0.8, "SP500": 1.0}
STRATEGIES = {"trend": 600_000.0, "carry": 400_000.0}

CHANGES = {
    "adaptive": {
        "regimes": {"minimum_history": 60, "dwell_days": 1},
        "volatility": {"minimum_history": 60, "loosen_days": 1},
        "stress": {"minimum_history": 60},
    },
    "gate": {"minimum_history": 100, "starting_history": 400},
    "tail_risk": {"lookback": 250},
    "strategies": {"probation_multiplier": 1.0, "resamples": 100, "minimum_trades": 10},
}


def settings(**sections):
    """The world's settings with other values, such as ``gate={"price_collar": 0.1}``."""
    merged = {name: dict(values) for name, values in CHANGES.items()}
    for name, values in sections.items():
        merged[name] = {**merged.get(name, {}), **values}
    return DecisionSettings.model_validate(merged)


@lru_cache(maxsize=8)
def closes(n_days=N_DAYS, seed=7):
    """(n_days, 6): a market that calms down towards its end, so that the regime of the last day is a calm one."""
    rng = np.random.default_rng(seed)
    calm = np.linspace(1.4, 0.7, n_days)[:, None]
    market = rng.standard_normal((n_days, 1))
    own = rng.standard_normal((n_days, len(FIRST)))
    betas = np.array([BETAS[s] for s in FIRST])
    moves = 0.006 * calm * (market * betas + 0.6 * own)
    return np.array(list(FIRST.values())) * np.exp(np.cumsum(moves, axis=0))


def genesis(*, positions=(), chosen=None, **changes):
    """What an engine starts from; `positions` are (strategy, symbol, quantity) with the quantity as a text."""
    rows = closes()
    chosen = chosen or settings()
    profiles = {
        symbol: AssetFactorProfile(
            instrument=instrument,
            loadings={
                name: Loading(value=BETAS[symbol] if name == "beta" else 0.0, source="given") for name in FACTORS
            },
            origin="given",
        )
        for symbol, instrument in INSTRUMENTS.items()
    }
    days = []
    day = LAST_DAY
    while len(days) < len(rows):
        if day.weekday() < 5:
            days.append(day.isoformat())
        day -= timedelta(days=1)
    found = Genesis(
        at=START, settings=chosen, config_digest="digest", account="USD", equity=EQUITY, strategies=STRATEGIES,
        positions=tuple(positions), profiles=profiles, ways=WAYS,
        adv={"XOM": 1e9, "CVX": 1e9, "SAP": 5e8}, spread_bps={}, days=tuple(reversed(days)),
        symbols=tuple(FIRST), closes=tuple(tuple(row) for row in rows.tolist()),
        last=tuple((s, p, START) for s, p in zip(FIRST, rows[-1].tolist(), strict=True)),
    )  # fmt: skip
    return replace(found, **changes)


def engine(*, positions=(), chosen=None, **changes):
    return DecisionEngine(genesis(positions=positions, chosen=chosen, **changes))


def last(world, symbol):
    """The last price that the engine knows."""
    return world.market.price(symbol)[0]


def signal(world, symbol="EURUSD", side="buy", quantity=1000.0, *, at=None, **fields):
    """A signal at the last price, one second after the last command."""
    at = world.last_at + SECOND if at is None else at
    fields.setdefault("signal_id", f"s{world.sequence + 1}")
    known = world.market.last.get(symbol)
    fields.setdefault("entry", known[0] if known else 1.0)
    command = {name: fields.pop(name) for name in ("conflict_with", "late_by") if name in fields}
    asked = Signal(
        strategy_id=fields.pop("strategy_id", "trend"), symbol=symbol, side=side, at=fields.pop("made_at", at),
        quantity=quantity, **fields,
    )  # fmt: skip
    return SignalReceived(at=at, command_id=asked.signal_id, correlation_id=f"c-{asked.signal_id}", signal=asked,
                          **command)  # fmt: skip


def _next(world, kind, at=None, **fields):
    return kind(at=world.last_at + SECOND if at is None else at, correlation_id=f"c{world.sequence + 1}", **fields)


def release(world, order_id, quantity=None, **fields):
    if quantity is None:
        quantity = float(world.account.orders[order_id].quantity)
    return _next(world, Release, order_id=order_id, quantity=quantity, **fields)


def fill(world, order_id, quantity=None, *, price=None, **fields):
    """The fill of a working order as it was released; other values where given."""
    order = world.account.orders.get(order_id)
    if order is not None:
        fields.setdefault("strategy_id", order.strategy_id)
        fields.setdefault("symbol", order.symbol)
        fields.setdefault("side", "buy" if order.sign > 0 else "sell")
        quantity = float(order.open_quantity) if quantity is None else quantity
    price = last(world, fields["symbol"]) if price is None else price
    return _next(world, Fill, order_id=order_id, quantity=quantity, price=price, **fields)


def closed(world, order_id, outcome="cancelled", **fields):
    return _next(world, OrderClosed, order_id=order_id, outcome=outcome, **fields)


def cancel_requested(world, *order_ids, reason="because", **fields):
    return _next(world, CancelRequested, order_ids=order_ids, reason=reason, **fields)


def broker_book(world, *, positions=None, orders=None, **fields):
    """What a broker says who agrees in everything, but for what is given."""
    ours = GateBook.of(world)
    if positions is None:
        positions = [(symbol, held, "") for symbol, held in world.account.net.items()]
    if orders is None:
        orders = [
            BrokerOrder(
                order_id=o.order_id, venue_order_id=f"v-{o.order_id}", symbol=o.symbol, quantity=o.quantity,
                side="buy" if o.sign > 0 else "sell", filled=o.filled, state=o.state, strategy_id=o.strategy_id,
            )
            for o in ours.orders
        ]  # fmt: skip
    account = {"currency": fields.pop("currency", "USD"), "cash": fields.pop("cash", ours.cash),
               "equity": fields.pop("equity", None)}  # fmt: skip
    return BrokerBook(
        source=fields.pop("source", "broker"), account=BrokerAccount(**account), orders=tuple(orders),
        positions=tuple(
            BrokerPosition(symbol=symbol, quantity=Decimal(held), strategy_id=strategy)
            for symbol, held, strategy in positions
        ),
        **fields,
    )  # fmt: skip


def reconciled(world, book=None, **fields):
    return _next(world, Reconciled, book=broker_book(world) if book is None else book, **fields)


def order_of_nobody(world, **fields):
    """A command that changes nothing but the time."""
    return closed(world, "nobody", **fields)


def tick(world, later=SECOND):
    return _next(world, Tick, at=world.last_at + later)


def equity_mark(world, equity):
    return _next(world, EquityMark, equity=equity)


def cash_flow(world, amount):
    return _next(world, CashFlow, amount=amount)


def quotes(world, **prices):
    return _next(world, Quotes, prices=prices)


def bar(world, moves=None, *, missing=(), later=DAY, day=None):
    """The closes of the next day: the last prices, each times 1 + its move."""
    at = world.last_at + later
    if day is None:
        newest = date.fromisoformat(world.market.state()["dates"][-1])
        day = max(newest + timedelta(days=1), datetime.fromtimestamp(at // SECOND, UTC).date()).isoformat()
    moves = moves or {}
    found = {s: p * (1.0 + moves.get(s, 0.0)) for s, (p, _) in world.market.last.items() if s not in missing}
    return _next(world, PriceBar, at=at, day=day, closes=found)


def operator(world, action, *, who="Ada", reason="because", **fields):
    return _next(world, OperatorOrder, action=action, operator=who, reason=reason, **fields)


def trip(world, value="halt", **fields):
    return operator(world, "trip", value=value, **fields)


def reconfigured(world, chosen, digest="other", *, replaces=None, who="", reason="", **fields):
    return _next(
        world, Reconfigured, settings=chosen.model_dump(mode="json"), config_digest=digest, operator=who, reason=reason,
        replaces=world.genesis.config_digest if replaces is None else replaces, **fields,
    )  # fmt: skip


def broken(world, reason="the ledger cannot be written"):
    return _next(world, IntegrityFailed, reason=reason)


def trade(world, pnl, strategy_id="trend", **fields):
    at = world.last_at + SECOND
    found = ClosedTrade(
        trade_id=f"t{world.sequence + 1}", strategy_id=strategy_id, symbol="EURUSD", side="buy",
        opened_at=at - HOUR, closed_at=fields.pop("closed_at", at), pnl=pnl, risk=1000.0,
    )  # fmt: skip
    return _next(world, TradeClosed, trade=found, **fields)


def hold(world, symbol, quantity, side="buy", **fields):
    """Get a position by the ordinary way: a signal, its release and its fill."""
    asked = signal(world, symbol, side, quantity, **fields)
    decision = world.handle(asked).decision
    assert decision.verdict == "approved", decision.text
    world.handle(release(world, asked.signal.signal_id))
    world.handle(fill(world, asked.signal.signal_id))
