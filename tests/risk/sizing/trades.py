"""Trades to be sized, and strategies of them."""

from hypothesis import strategies as st

from rpmcore.domain.instruments import Instrument
from rpmcore.risk.sizing.lots import LotRules
from rpmcore.risk.sizing.request import BookRisk, ExpectedReturn, SizingRequest, TradeRecord

EURUSD = Instrument(symbol="EURUSD", name="EUR / USD", kind="fx", currency="USD", base_currency="EUR")
USDJPY = Instrument(symbol="USDJPY", name="USD / JPY", kind="fx", currency="JPY", base_currency="USD")
SHARE = Instrument(symbol="MSFT", name="Microsoft", kind="equity", currency="USD")


def trade(**changes):
    given = {
        "instrument": SHARE, "side": "buy", "entry": 250.0, "stop": 240.0, "capital": 100_000.0, "account": "USD",
        "lots": LotRules.of(1.0),
    }  # fmt: skip
    return SizingRequest(**(given | changes))


def maybe(strategy):
    return st.none() | strategy


fractions = st.integers(0, 100).map(lambda x: x / 100)
records = st.builds(
    TradeRecord,
    win_rate=fractions,
    average_win=st.integers(1, 200).map(lambda x: x / 1000),
    average_loss=st.integers(1, 200).map(lambda x: x / 1000),
    trades=st.integers(1, 500),
    win_error=st.sampled_from([0.0, 0.001]),
    loss_error=st.sampled_from([0.0, 0.001]),
)

expectations = st.builds(
    ExpectedReturn, excess=st.integers(-50, 50).map(lambda x: x / 100), error=st.sampled_from([0.0, 0.1])
)


@st.composite
def trades(draw):
    side = draw(st.sampled_from(["buy", "sell"]))
    entry = draw(st.integers(100, 100_000)) / 100
    distance = draw(st.integers(1, 90)) / 100
    volatility = draw(st.integers(1, 80)) / 100
    held = draw(st.integers(1, 60)) / 100
    product = draw(st.integers(-90, 90)) / 100 * held * volatility
    return trade(
        side=side,
        entry=entry,
        stop=draw(maybe(st.just(round(entry * (1 - distance if side == "buy" else 1 + distance), 4)))),
        capital=draw(st.integers(1, 10_000_000)) * 1.0,
        lots=LotRules.of(
            draw(st.sampled_from([0.01, 0.1, 1.0, 100.0])), maximum=draw(maybe(st.integers(100, 10_000).map(float)))
        ),
        annual_volatility=volatility,
        daily_volatility=volatility / 16,
        book=draw(maybe(st.just(BookRisk(variance=held**2, product=product)))),
        adv=draw(maybe(st.integers(1, 10**9).map(float))),
        spread_bps=draw(maybe(st.integers(0, 500).map(lambda x: x / 10))),
        record=draw(maybe(records)),
        expected=draw(maybe(expectations)),
        regime=draw(maybe(fractions)),
        volatility=draw(maybe(fractions)),
        stress=draw(maybe(fractions)),
        strategy_health=draw(maybe(fractions)),
        drawdown=draw(maybe(fractions)),
    )  # fmt: skip
