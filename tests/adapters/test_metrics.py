"""Metrics: closed sets, a registry of its own, and a text that Prometheus' own parser reads."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from rpmcore.adapters.metrics.catalogue import METRICS, OPERATIONS, SWITCHES, MetricSpec
from rpmcore.adapters.metrics.prometheus import LONGEST_EXEMPLAR, MOST_STRATEGIES, PrometheusMetrics
from rpmcore.domain.commands import Command
from rpmcore.domain.errors import InvalidArgument

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"

SPECIFIED = {
    "trade_decisions_total": {"strategy", "decision"},
    "kill_switch_triggers_total": {"type", "severity"},
    "risk_breaches_total": {"type"},
    "execution_time_ms": {"operation", "strategy"},
    "portfolio_exposure": set(),
    "portfolio_leverage": set(),
    "portfolio_num_positions": set(),
    "portfolio_unrealized_pnl": set(),
}


def samples(metrics, name):
    """Return the values of a metric by the text of its labels."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in parse(metrics.export_metrics())
        for sample in family.samples
        if sample.name == name
    }


def value(metrics, name, **labels):
    return samples(metrics, name)[tuple(sorted(labels.items()))]


def test_the_metrics_of_the_specification_are_there_with_its_labels():
    found = {spec.name: set(spec.labels) for spec in METRICS}
    assert {name: found[name] for name in SPECIFIED} == SPECIFIED


def test_every_metric_is_exported_and_has_help_and_a_line_in_the_manual():
    metrics = PrometheusMetrics()
    metrics.set_build("1", "d")
    text, page = metrics.export_metrics(), PAGE.read_text(encoding="utf-8")
    for name in metrics.names():
        assert f"# HELP {name} " in text
        assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE), name


def test_a_metric_registered_twice_is_an_error_that_says_so():
    metrics = PrometheusMetrics()
    with pytest.raises(InvalidArgument, match="'rpm_equity' is registered twice"):
        metrics.declare(MetricSpec(name="rpm_equity", kind="gauge", help="again"))
    with pytest.raises(InvalidArgument, match="'trade_decisions' is registered twice"):
        metrics.declare(MetricSpec(name="trade_decisions", kind="counter", help="its series have the same name"))


def test_a_metric_without_help_or_with_an_impossible_name_is_refused():
    metrics = PrometheusMetrics()
    with pytest.raises(InvalidArgument, match="no help text"):
        metrics.declare(MetricSpec(name="new", kind="gauge", help=" "))
    with pytest.raises(InvalidArgument, match="cannot be registered"):
        metrics.declare(MetricSpec(name="new", kind="gauge", help="h", labels={"__a": ("x",)}))


def test_two_of_them_share_nothing_and_touch_no_global_registry():
    before = {family.name for family in REGISTRY.collect()}
    one, other = PrometheusMetrics(["a"]), PrometheusMetrics(["a"])
    one.count("trade_decisions_total", "a", "approved")
    assert value(one, "trade_decisions_total", strategy="a", decision="approved") == 1.0
    assert value(other, "trade_decisions_total", strategy="a", decision="approved") == 0.0
    assert {family.name for family in REGISTRY.collect()} == before


def test_values_from_outside_the_closed_sets_are_other():
    metrics = PrometheusMetrics(["trend"])
    for strategy, decision in (("EURUSD", "approved"), ("trend", "perhaps"), ('x"\n} 1', "rejected\r")):
        metrics.count("trade_decisions_total", strategy, decision)
    metrics.count("trade_decisions_total", None, 7)
    found = samples(metrics, "trade_decisions_total")
    assert {strategy for labels in found for name, strategy in labels if name == "strategy"} == {"trend", "other"}
    assert {said for labels in found for name, said in labels if name == "decision"} == {
        "approved", "cut", "rejected", "other",
    }  # fmt: skip
    assert sum(found.values()) == 4.0


@given(st.lists(st.text(max_size=20), max_size=30))
def test_no_label_value_adds_a_series_beyond_other(values):
    metrics = PrometheusMetrics()
    for text in values:
        metrics.count("rpm_rejections_total", text)
    found = samples(metrics, "rpm_rejections_total")
    assert len(found) <= len(METRICS[1].labels["reason"]) + 1
    assert sum(found.values()) == len(values)


def test_more_strategies_than_may_have_series_are_other():
    metrics = PrometheusMetrics(f"s{number}" for number in range(MOST_STRATEGIES + 5))
    metrics.count("trade_decisions_total", "s0", "approved")
    metrics.count("trade_decisions_total", f"s{MOST_STRATEGIES + 1}", "approved")
    assert value(metrics, "trade_decisions_total", strategy="s0", decision="approved") == 1.0
    assert value(metrics, "trade_decisions_total", strategy="other", decision="approved") == 1.0


def test_strategy_ids_of_any_text_survive_the_format():
    name = 'a "strategy"\\with\nlines {x="1"}'
    metrics = PrometheusMetrics([name])
    metrics.count("trade_decisions_total", name, "approved")
    assert value(metrics, "trade_decisions_total", strategy=name, decision="approved") == 1.0


def test_counters_begin_at_zero_and_gauges_as_not_known():
    metrics = PrometheusMetrics()
    assert set(samples(metrics, "kill_switch_triggers_total").values()) == {0.0}
    assert value(metrics, "portfolio_leverage") != value(metrics, "portfolio_leverage")


def test_numbers_that_are_none_are_lost_and_counted():
    metrics = PrometheusMetrics()
    metrics.observe("execution_time_ms", float("nan"), "approve_trade", "none")
    metrics.observe("execution_time_ms", float("inf"), "approve_trade", "none")
    metrics.count("rpm_alert_delivery_failures_total", "slack", amount=-1.0)
    metrics.count("rpm_alert_delivery_failures_total", "slack", amount=float("nan"))
    assert value(metrics, "rpm_telemetry_failures_total") == 4.0
    assert value(metrics, "rpm_alert_delivery_failures_total", channel="slack") == 0.0


def test_unknown_metrics_and_wrong_labels_are_errors():
    metrics = PrometheusMetrics()
    with pytest.raises(InvalidArgument, match="there is no metric 'trades'"):
        metrics.count("trades")
    with pytest.raises(InvalidArgument, match="strategy, decision"):
        metrics.count("trade_decisions_total", "trend")


def test_buckets_of_times_are_those_of_the_specification():
    metrics = PrometheusMetrics()
    metrics.observe("execution_time_ms", 7.0, "approve_trade", "none")
    found = {
        dict(labels)["le"]: count
        for labels, count in samples(metrics, "execution_time_ms_bucket").items()
    }  # fmt: skip
    assert list(map(float, found)) == [0.5, 1, 2, 5, 10, 20, 50, 100, 250, 1000, float("inf")]
    assert (found["5.0"], found["10.0"]) == (0.0, 1.0)


def test_one_state_holds_at_a_time():
    metrics = PrometheusMetrics(["trend"])
    for severity in ("halt", "none"):
        metrics.set_state("rpm_kill_switch_state", "account", severity)
        metrics.set_state("rpm_kill_switch_state", "trend", "warning")
        found = samples(metrics, "rpm_kill_switch_state")
        assert [dict(k) for k, v in found.items() if v == 1.0 and dict(k)["scope"] == "account"] == [
            {"scope": "account", "severity": severity}
        ]
    assert value(metrics, "rpm_kill_switch_state", scope="trend", severity="warning") == 1.0


def test_a_state_that_is_not_known_holds_alone_as_other():
    metrics = PrometheusMetrics()
    metrics.set_state("rpm_regime", "sideways")
    assert [dict(k)["regime"] for k, v in samples(metrics, "rpm_regime").items() if v == 1.0] == ["other"]
    metrics.set_state("rpm_regime", "stressed")
    assert [dict(k)["regime"] for k, v in samples(metrics, "rpm_regime").items() if v == 1.0] == ["stressed"]


def test_the_build_told_last_is_the_only_one():
    metrics = PrometheusMetrics()
    metrics.set_build("1.0", "a")
    metrics.set_build("1.1", "b")
    assert samples(metrics, "rpm_build_info") == {(("config_digest", "b"), ("version", "1.1")): 1.0}


def test_exemplars_stand_in_openmetrics_alone_and_are_never_too_long():
    metrics = PrometheusMetrics(["trend"])
    long = {"trace_id": "a" * 32, "correlation_id": "c" * LONGEST_EXEMPLAR}
    metrics.count("trade_decisions_total", "trend", "approved", exemplar=long)
    metrics.observe("execution_time_ms", 3.0, "approve_trade", "trend", exemplar={"correlation_id": "c-1"})
    metrics.observe("execution_time_ms", 30.0, "approve_trade", "trend", exemplar={"correlation_id": 'c"\n1'})
    shown = {
        sample.name: sample.exemplar.labels
        for family in parse_openmetrics(metrics.export_metrics(openmetrics=True))
        for sample in family.samples
        if sample.exemplar
    }
    assert shown == {
        "trade_decisions_total": {"trace_id": "a" * 32},
        "execution_time_ms_bucket": {"correlation_id": "c-1"},
    }
    assert "correlation_id" not in metrics.export_metrics()


def test_a_refresh_that_fails_hides_no_metric():
    metrics = PrometheusMetrics()

    def refresh():
        metrics.set("rpm_equity", 5.0)
        raise OSError("gone")

    metrics.before_export(refresh)
    text = metrics.export_metrics()
    assert "rpm_equity 5.0" in text
    assert "rpm_telemetry_failures_total 1.0" in text


def test_the_closed_sets_are_those_of_the_program():
    from rpmcore.controls.kill_switch_settings import KillSwitchesSettings
    from rpmcore.domain.settings import Section

    sections = {name for name, field in KillSwitchesSettings.model_fields.items() if isinstance(field.default, Section)}
    assert set(SWITCHES) == sections | {"operator"}
    kinds = {each.kind for each in Command.__subclasses__()} - {"signal"}
    assert set(OPERATIONS) == kinds | {"approve_trade"}
