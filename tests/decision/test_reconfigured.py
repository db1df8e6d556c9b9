"""Settings change between two decisions: tighter ones at any time, looser ones in the name of an operator."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.configuration.described import fields
from rpmcore.decision.engine import DecisionEngine
from rpmcore.decision.genesis import Genesis
from rpmcore.decision.settings import DecisionSettings
from rpmcore.decision.tightening import DIRECTIONS, NO_DIRECTION, changes, effect_of, loosened
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.commands import command_of_plain
from rpmcore.domain.controls import Severity
from rpmcore.domain.settings import Section, setting
from tests.decision import worlds

CONTROLS = frozenset({"limits", "gate", "adaptive", "kill_switches", "sizing", "strategies", "flags"})
TIGHTER = {"limits": {"value_at_risk": 0.0001, "expected_shortfall": 0.002}, "gate": {"max_messages": 3}}


def refusal(world, command):
    """Return why settings are refused; nothing but the time has changed then."""
    twin = DecisionEngine.from_state(world.genesis, world.state())
    (event,) = world.handle(command).events
    twin.handle(worlds.order_of_nobody(twin, at=command.at))
    assert canonical_bytes(world.state()) == canonical_bytes(twin.state())
    assert world.settings == twin.settings
    return event["reason"]


def test_every_setting_of_a_control_has_a_direction_or_a_reason_for_none():
    keys = {".".join(key) for key, _ in fields(DecisionSettings) if key[0] in CONTROLS}
    assert keys == set(DIRECTIONS) | set(NO_DIRECTION)
    assert not set(DIRECTIONS) & set(NO_DIRECTION)


@pytest.mark.parametrize(
    ("key", "before", "after", "effect"),
    [
        ("limits.value_at_risk", 0.02, 0.01, "tightens"),
        ("limits.value_at_risk", 0.01, 0.02, "loosens"),
        ("limits.beta", None, 3.0, "tightens"),
        ("limits.beta", 3.0, None, "loosens"),
        ("limits.bind_on", "point", "upper", "tightens"),
        ("limits.bind_on", "upper", "point", "loosens"),
        ("limits.method", "larger", "historical", "unknown"),
        ("strategies.suspension_days", 10, None, "tightens"),
        ("strategies.suspension_days", None, 10, "loosens"),
        ("kill_switches.account.liquidation_drawdown", None, 0.3, "tightens"),
        ("kill_switches.rejection_velocity.window_minutes", 5.0, 10.0, "tightens"),
        ("kill_switches.event_log", 10, 1000, "none"),
        ("covariance.decay", 0.94, 0.97, "unknown"),
        ("a.setting.that.nobody.listed", 1, 2, "unknown"),
    ],
)
def test_what_a_change_does(key, before, after, effect):
    assert effect_of(key, before, after) == effect


@given(st.sampled_from(sorted(k for k, way in DIRECTIONS.items() if way in ("lower", "higher"))),
       st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1e6))  # fmt: skip
def test_what_tightens_one_way_loosens_the_other(key, one, other):
    if one != other:
        assert {effect_of(key, one, other), effect_of(key, other, one)} == {"tightens", "loosens"}


def test_tighter_settings_decide_from_the_next_decision_on():
    world = worlds.engine()
    before = world.decide(worlds.signal(world, quantity=20_000.0))
    (done, *_) = world.handle(worlds.reconfigured(world, worlds.settings(**TIGHTER), "tight")).events
    after = world.decide(worlds.signal(world, quantity=20_000.0))
    assert (before.approved, before.config_digest) == (20_000.0, "digest")
    assert 0.0 < after.approved < 20_000.0
    assert (after.binding, after.config_digest) == ("value_at_risk", "tight")
    assert done == {
        "type": "reconfigured", "operator": "", "reason": "", "before": "digest", "after": "tight",
        "changes": [
            {"key": "limits.value_at_risk", "before": 0.02, "after": 0.0001, "effect": "tightens"},
            {"key": "limits.expected_shortfall", "before": 0.03, "after": 0.002, "effect": "tightens"},
            {"key": "gate.max_messages", "before": 100, "after": 3, "effect": "tightens"},
        ],
    }  # fmt: skip


def test_looser_settings_need_an_operator_and_a_reason():
    world = worlds.engine(chosen=worlds.settings(**TIGHTER))
    looser = worlds.settings(covariance={"decay": 0.9})
    told = refusal(world, worlds.reconfigured(world, looser))
    assert told == (
        "without an operator and a reason settings only tighten: covariance.decay (0.94 to 0.9, direction not known), "
        "limits.value_at_risk (0.0001 to 0.02, loosens), limits.expected_shortfall (0.002 to 0.03, loosens), "
        "gate.max_messages (3 to 100, loosens)"
    )
    for who, why in (("Ada", " "), ("", "more room")):
        assert "go together" in refusal(world, worlds.reconfigured(world, looser, who=who, reason=why))
    (done, *_) = world.handle(worlds.reconfigured(world, looser, who="Ada", reason="review")).events
    assert (done["type"], done["operator"], done["reason"]) == ("reconfigured", "Ada", "review")
    assert world.settings == looser


def test_settings_made_for_others_or_for_a_beginning_are_refused():
    world = worlds.engine()
    tight = worlds.settings(**TIGHTER)
    assert "other settings than those in force" in refusal(world, worlds.reconfigured(world, tight, replaces="x"))
    for section, values in (("gate", {"starting_history": 300}), ("strategies", {"capital": {"trend": 1.0}})):
        other = worlds.settings(**{section: values})
        told = refusal(world, worlds.reconfigured(world, other, who="Ada", reason="because"))
        assert told.endswith("can only be set where a ledger begins")


def test_settings_that_are_none_are_refused_and_recorded():
    world = worlds.engine()
    command = worlds.reconfigured(world, worlds.settings())
    command.settings["limits"]["value_at_risk"] = -1.0
    assert refusal(world, command).startswith("limits.value_at_risk: ")


def test_going_on_equals_a_restart_under_the_settings_and_halts_stay():
    world = worlds.engine()
    worlds.hold(world, "XOM", 100.0)
    world.handle(worlds.trip(world, scope="carry"))
    severities = {name: world.severity(name) for name in ("trend", "carry")}
    halts = dict(world.halts)
    world.handle(worlds.reconfigured(world, worlds.settings(kill_switches={"clear_share": 0.3})))
    assert {name: world.severity(name) for name in ("trend", "carry")} == severities
    assert world.halts == halts
    twin = DecisionEngine.from_state(worlds.genesis(), json.loads(canonical_bytes(world.state())))
    assert twin.settings == world.settings
    for command in (worlds.signal(world, "XOM", quantity=50.0), worlds.bar(world, {"XOM": -0.02})):
        one, other = (
            world.handle(command),
            twin.handle(command_of_plain(json.loads(canonical_bytes(command.to_plain())))),
        )
        assert one == other
        assert canonical_bytes(world.state()) == canonical_bytes(twin.state())


def test_what_a_tighter_switch_forbids_is_forbidden_at_once():
    world = worlds.engine()
    world.handle(worlds.equity_mark(world, 960_000.0 + 30_000.0))
    assert world.trading_state == "active"
    tight = worlds.settings(kill_switches={"account": {"max_daily_loss": 0.005}})
    events = world.handle(worlds.reconfigured(world, tight)).events
    assert any(e["type"] == "control" and e["after"] == "halt" for e in events)
    assert world.trading_state == "reducing"


def test_whoever_holds_a_part_of_the_engine_goes_on_holding_it():
    world = worlds.engine(positions=(("trend", "XOM", "500"),))
    parts = (world.market, world.account, world.kill_switches, world.adaptive, world.strategies, world.throttle)
    world.handle(worlds.reconfigured(world, worlds.settings(**TIGHTER)))
    world.handle(worlds.quotes(world, XOM=99.0))
    world.handle(worlds.trip(world))
    assert parts[0].price("XOM")[0] == 99.0
    assert parts[2].severity() is Severity.HALT
    assert all(one is other for one, other in zip(parts, (
        world.market, world.account, world.kill_switches, world.adaptive, world.strategies, world.throttle,
    ), strict=True))  # fmt: skip


def test_a_genesis_holds_what_decisions_depend_on_and_no_other_section():
    class Other(Section):
        level: int = setting(3, "Something.", unit="level")

    class More(DecisionSettings):
        other: Other = Other()

    found = worlds.genesis(chosen=More.model_validate(worlds.settings().model_dump(), strict=False))
    again = Genesis.of_plain(json.loads(canonical_bytes(found.to_plain())))
    assert again.settings == worlds.settings()


def test_a_state_that_was_never_reconfigured_says_nothing_of_it():
    assert "reconfigured" not in worlds.engine().state()


ROLLED = {"rollout": {"value": 0.1, "owner": "Ada", "expires": "2030-01-01"}}


@pytest.mark.parametrize(("asked", "approved"), [(1000.0, 100.0), (1005.0, 100.0), (19.0, 1.0), (5.0, 0.0)])
def test_rollout_leaves_its_share_of_what_opens(asked, approved):
    world = worlds.engine(chosen=worlds.settings(flags=ROLLED))
    decision = world.decide(worlds.signal(world, "XOM", quantity=asked))
    assert decision.approved == approved
    result = next(check for check in decision.checks if check.name == "sizing")
    assert result.text.endswith("; rollout of capital × 0.1")
    assert decision.binding == "sizing"


def test_rollout_touches_nothing_that_reduces_and_loosens_nothing():
    plain = worlds.engine(positions=(("trend", "XOM", "500"),))
    rolled = worlds.engine(positions=(("trend", "XOM", "500"),), chosen=worlds.settings(flags=ROLLED))
    for quantity, part in ((400.0, 400.0), (500.0, 500.0), (705.0, 520.0), (5000.0, 950.0)):
        assert rolled.decide(worlds.signal(rolled, "XOM", "sell", quantity)).approved == part
        assert plain.decide(worlds.signal(plain, "XOM", "sell", quantity)).approved >= part
    assert loosened(changes(worlds.settings(), worlds.settings(flags=ROLLED))) == ()
    assert [c.key for c in loosened(changes(worlds.settings(flags=ROLLED), worlds.settings()))] == [
        "flags.rollout.value"
    ]  # fmt: skip
