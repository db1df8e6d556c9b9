"""The files in deploy/: each is what its program takes, and asks for nothing that a gate does not tell."""

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from rpmcore.domain.orders import Signal
from tests.deploy.contract import METRICS, OF_PROMETHEUS, lines_of
from tests.deploy.promql import selectors
from tests.gate.conftest import make_genesis

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DEPLOY / "grafana" / "rpm.json").read_text(encoding="utf-8"))


def rules():
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def queries():
    """Return every query of the dashboard, with what Grafana puts in place of its variables."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    found += [each["expr"] for each in DASHBOARD["annotations"]["list"]]
    return [query.replace("$__rate_interval", "1m").replace("$instance", ".*") for query in found]


def run(*command, cwd=None):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def test_promtool_takes_the_configuration_and_its_rules(program):
    code, told = run(program("promtool"), "check", "config", "prometheus.yml", cwd=DEPLOY / "prometheus")
    assert code == 0, told


def test_every_rule_fires_where_it_must_and_only_there(program):
    code, told = run(program("promtool"), "test", "rules", "rules_test.yml", cwd=DEPLOY / "prometheus")
    assert code == 0, told


def test_every_rule_has_its_examples():
    tests = yaml.safe_load((DEPLOY / "prometheus" / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_has_a_severity_and_its_entry_in_the_runbook(rule):
    assert rule["labels"]["severity"] in ("warning", "critical", "emergency")
    assert {"summary", "description", "runbook_url"} <= set(rule["annotations"])
    page, _, entry = rule["annotations"]["runbook_url"].partition("#")
    assert entry == rule["alert"].lower()
    text = (ROOT / page).read_text(encoding="utf-8")
    section = re.search(rf"^### {rule['alert']}\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    for part in ("**Means.**", "**Look at.**", "**Clear it.**"):
        assert part in section[1]


def test_amtool_takes_the_configuration(program):
    code, told = run(program("amtool"), "check-config", DEPLOY / "alertmanager" / "alertmanager.yml")
    assert code == 0, told


@pytest.mark.parametrize(
    ("severity", "receiver"),
    [("emergency", "people"), ("critical", "people"), ("warning", "chat")],
)
def test_a_halt_goes_to_people_and_a_warning_to_the_chat(program, severity, receiver):
    config = DEPLOY / "alertmanager" / "alertmanager.yml"
    command = [program("amtool"), "config", "routes", "test", f"--config.file={config}", f"severity={severity}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == receiver


def test_a_halt_waits_for_nothing_and_no_secret_is_in_the_configuration():
    text = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    (people,) = (route for route in config["route"]["routes"] if route["receiver"] == "people")
    assert people["group_wait"] == "0s"
    assert not re.search(r"\b(api_url|routing_key|service_key|password|credentials):", text)
    assert [each["api_url_file"] for receiver in config["receivers"] for each in receiver["slack_configs"]]


def misnamed(expression):
    """Return what an expression names that a gate does not tell."""
    found, grouped = selectors(expression)
    known = set(OF_PROMETHEUS)
    wrong = []
    for name, matchers in found:
        if name == "up":
            continue
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        kind, labels = METRICS.get(name) or METRICS.get(base) or (None, {})
        if kind is None or (kind == "histogram") != (name != base):
            wrong.append(name)
        known |= set(labels) | ({"le"} if kind == "histogram" else set())
        for label, how, value in matchers:
            if label in OF_PROMETHEUS:
                continue
            allowed = labels.get(label)
            asked = value.split("|") if how in ("=~", "!~") else [value]
            if label not in labels or (allowed is not None and not set(asked) <= allowed):
                wrong.append(f"{name}{{{label}{how}{value}}}")
    return wrong + sorted(grouped - known)


@pytest.mark.parametrize("expression", [*queries(), *(rule["expr"] for rule in rules())])
def test_every_query_asks_for_what_a_gate_tells(expression):
    assert selectors(expression)[0]
    assert misnamed(expression) == []


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("sum(rate(trade_decision_total[5m]))", ["trade_decision_total"]),
        ('rpm_trading_state{state="HALTED"}', ["rpm_trading_state{state=HALTED}"]),
        ('rpm_trading_state{stat="halted"}', ["rpm_trading_state{stat=halted}"]),
        ("sum by (symbol) (rpm_equity)", ["symbol"]),
        ("rate(execution_time_ms[5m])", ["execution_time_ms"]),
        ('max(rpm_equity) or vector(0) unless on (instance) up{job="rpm"} == bool 1e3', []),
        ('histogram_quantile(0.9, rate(execution_time_ms_bucket{operation="nap"}[1m])) offset 5m',
         ["execution_time_ms_bucket{operation=nap}"]),
    ],
)  # fmt: skip
def test_a_wrong_name_is_seen(expression, wrong):
    assert misnamed(expression) == wrong


def test_every_metric_is_on_the_dashboard():
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for query in queries() for name, _ in selectors(query)[0]}
    assert set(METRICS) - shown == set()


def test_promtool_takes_every_query_of_the_dashboard(program, tmp_path):
    file = tmp_path / "queries.yml"
    named = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": named}]}), encoding="utf-8")
    code, told = run(program("promtool"), "check", "rules", file)
    assert code == 0, told
    assert f"{len(named)} rules found" in told


def test_the_dashboard_has_no_panel_without_words_and_none_on_top_of_another():
    taken, ids = set(), set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["id"] not in ids
        ids.add(panel["id"])
        assert panel["title"]
        assert panel["type"] == "row" or panel["description"]


def template():
    return json.loads((DEPLOY / "elastic" / "index-template.json").read_text(encoding="utf-8"))


def mapped(field, value):
    """Return the type by which a field of a line is indexed, or None where it is not."""
    mappings = template()["template"]["mappings"]
    node = mappings
    for part in field.split("."):
        node = node.get("properties", {}).get(part, {})
    if "type" in node and node["type"] != "object":
        return node["type"]
    kind = {str: "string", bool: "boolean", int: "long", float: "double"}[type(value)]
    for each in mappings["dynamic_templates"]:
        (rule,) = each.values()
        if field.startswith("rpm.") and rule["path_match"] == "rpm.*" and rule["match_mapping_type"] == kind:
            return rule["mapping"]["type"]
    return None


FITS = {
    "date": lambda value: datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", value)),
    "keyword": lambda value: isinstance(value, str),
    "match_only_text": lambda value: isinstance(value, str),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}
ECS = {
    # https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html
    "@timestamp": "date", "message": "match_only_text", "ecs.version": "keyword", "log.level": "keyword",
    "log.logger": "keyword", "event.kind": "keyword", "event.action": "keyword", "event.outcome": "keyword",
    "event.reason": "keyword", "event.sequence": "long", "event.created": "date", "event.duration": "long",
    "trace.id": "keyword", "span.id": "keyword", "service.name": "keyword", "service.version": "keyword",
}  # fmt: skip


@pytest.fixture(scope="module")
def lines():
    genesis = make_genesis()
    last = {symbol: price for symbol, price, _ in genesis.last}
    signals = [
        Signal(signal_id=f"s{n}", strategy_id="trend", symbol="EURUSD", side="buy", entry=last["EURUSD"], at=genesis.at,
               quantity=quantity)
        for n, quantity in enumerate((100_000.0, 9e9))
    ]  # fmt: skip
    return lines_of(genesis, signals)


def test_every_field_of_a_line_is_indexed_by_its_type(lines):
    fields = {(name, type(value)): value for line in lines for name, value in line.items() if value is not None}
    names = {name for name, _ in fields}
    assert set(ECS) - names == set()
    for (name, _), value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            kind = mapped(name, item)
            assert kind is not None, name
            assert FITS[kind](item), name
            assert name.startswith("rpm.") or kind == ECS[name]


def test_a_field_that_is_first_a_whole_number_and_then_none_fits():
    assert mapped("rpm.limit", 2) == mapped("rpm.limit", 2.5) == "double"
    assert mapped("other.field", "x") is None


def test_the_pipeline_takes_apart_dotted_names_and_is_the_template_s(lines):
    pipeline = json.loads((DEPLOY / "elastic" / "ingest-pipeline.json").read_text(encoding="utf-8"))
    beat = yaml.safe_load((DEPLOY / "elastic" / "filebeat.yml").read_text(encoding="utf-8"))
    assert pipeline["processors"][0] == {"dot_expander": {"field": "*", "override": True}}
    assert template()["template"]["settings"]["index.default_pipeline"] == beat["output.elasticsearch"]["pipeline"]
    assert beat["output.elasticsearch"]["index"].startswith(template()["index_patterns"][0].rstrip("*"))
    removed = {name for step in pipeline["processors"] for name in step.get("remove", {}).get("field", ())}
    names = {name for line in lines for name in line}
    assert not any(field == name or field.startswith(f"{name}.") for field in names for name in removed)
