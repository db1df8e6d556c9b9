"""What the table says to tighten lets no order through that was not let through before."""

import pytest
from pydantic import ValidationError

from rpmcore.adapters.configuration.described import fields
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.settings import DecisionSettings
from rpmcore.decision.tightening import DIRECTIONS, changes, loosened
from tests.decision import worlds

POSITIONS = (("trend", "XOM", "500"), ("carry", "SAP", "-200"), ("trend", "USDJPY", "60000"))
FIELDS = {".".join(key): field for key, field in fields(DecisionSettings)}
FACTORS = {"lower": (0.9, 0.7, 0.5, 0.97, 0.0), "higher": (1.02, 1.2, 1.5, 3.0)}
FROM_NONE = 0.1
FIXED = ("gate.starting_history",)

REGIMES = {
    "minimum_history": 60, "dwell_days": 1, "trending": {"risk_per_trade": 0.012, "correlation_stress": 0.05},
}  # fmt: skip
COMMON = {
    "adaptive": {"regimes": REGIMES, "volatility": {"minimum_history": 60, "loosen_days": 1}},
    "flags": {"rollout": {"value": 1.0, "owner": "Ada", "expires": "2030-01-01"}},
}
EXPOSURES = {
    **COMMON,
    "limits": {"beta": 0.25, "factor_exposure": 0.6, "sector": 0.12, "currency": 0.1, "single_name": 0.1},
    "gate": {"net_exposure": 0.35, "maximum_order_value": 0.3, "maximum_order_quantity": 150_000.0},
    "sizing": {"risk_per_trade": 0.002},
}
RISK = {
    **COMMON,
    "limits": {"value_at_risk": 0.003, "expected_shortfall": 0.004, "target_volatility": 0.04,
               "maximum_volatility": 0.045, "sector": None, "currency": None, "single_name": None},
    "sizing": {"risk_per_trade": 0.05, "maximum_weight": 2.0},
}  # fmt: skip


def value_of(settings, key):
    for part in key.split("."):
        settings = getattr(settings, part)
    return settings


def with_value(settings, key, value):
    plain = settings.model_dump()
    *path, name = key.split(".")
    section = plain
    for part in path:
        section = section[part]
    section[name] = value
    return DecisionSettings.model_validate(plain, strict=False)


def tighter(settings, key):
    """Return the settings with one of them tighter, as far as the others allow it; None where it is tightest."""
    way, now = DIRECTIONS[key], value_of(settings, key)
    if isinstance(way, tuple):
        values = way[way.index(now) + 1 :]
    elif now is None:
        values = (FROM_NONE,) if way == "lower" else ()
    else:
        values = [type(now)(now * factor) for factor in FACTORS[way]]
    for value in values:
        try:
            found = with_value(settings, key, value)
        except ValidationError:
            continue
        if value != now:
            return found
    return None


@pytest.fixture(scope="module", params=[EXPOSURES, RISK], ids=["exposures", "risk"])
def lived(request):
    """A state with a past: positions, working orders, losses, a drawdown, rejections, and limits that bind."""
    world = worlds.engine(positions=POSITIONS, chosen=worlds.settings(**request.param))
    for command in (
        worlds.signal(world, "EURUSD", quantity=9_000.0, signal_id="w1"),
        worlds.signal(world, "XOM", quantity=60.0, signal_id="w2", strategy_id="carry"),
    ):
        world.handle(command)
    for n in range(3):
        world.handle(worlds.trade(world, -700.0 + n))
    world.handle(worlds.signal(world, "XOM", quantity=1e9, signal_id="w3"))
    world.handle(worlds.bar(world, {"XOM": -0.01, "SP500": -0.012}))
    world.handle(worlds.equity_mark(world, 982_000.0))
    return world


def asked(world):
    """Orders of every size on both sides, with and without a stop."""
    for symbol in worlds.FIRST:
        price = worlds.last(world, symbol)
        unit = world.market.unit_value(symbol)
        for side, down in (("buy", -1.0), ("sell", 1.0)):
            for value, stop in ((1_000.0, None), (60_000.0, None), (290_000.0, price * (1.0 + 0.02 * down))):
                quantity = max(float(int(value / unit)), 1.0)
                yield worlds.signal(world, symbol, side, quantity, stop=stop, signal_id="asked")


KEYS = sorted(key for key, way in DIRECTIONS.items() if way != "none" and key not in FIXED)


@pytest.fixture(scope="module")
def before(lived):
    still = DecisionEngine.from_state(lived.genesis, lived.state())
    still.handle(worlds.order_of_nobody(still))
    return [still.decide(command) for command in asked(still)]


def test_the_past_makes_limits_bind(before):
    assert len({decision.binding for decision in before}) > 2
    assert {decision.verdict for decision in before} >= {"approved", "cut"}


@pytest.mark.parametrize("key", KEYS)
def test_what_tightens_lets_nothing_more_through(lived, before, key):
    tight = tighter(lived.settings, key)
    if tight is None:
        # Null is the tightest where higher values tighten; of names the last one is.
        assert value_of(lived.settings, key) in (None, DIRECTIONS[key][-1])
        return
    assert not loosened(changes(lived.settings, tight))
    world = DecisionEngine.from_state(lived.genesis, lived.state())
    (done, *_) = world.handle(worlds.reconfigured(world, tight)).events
    assert done["type"] == "reconfigured"
    for was, command in zip(before, asked(world), strict=True):
        now = world.decide(command)
        assert now.approved <= max(was.approved, was.reducing), (was.text, now.text)
