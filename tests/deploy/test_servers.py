"""The real Prometheus and Alertmanager: a gate is scraped, its HALT reaches people, and ends with the reset."""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from rpmcore.gate import RiskGate
from rpmcore.observability import ObservabilityManager
from tests.deploy.test_files import DEPLOY, queries, rules
from tests.endpoints import endpoint, eventually, free_port
from tests.gate.conftest import Times, make_genesis

PATIENCE = 60.0
"""Seconds: a busy machine starts servers slowly."""


@contextmanager
def exporter(observability):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = observability.export_metrics().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(log: Path, *command, ready: str):
    with log.open("w") as out:
        process = subprocess.Popen([*map(str, command)], stdout=out, stderr=subprocess.STDOUT)
        try:

            def up():
                assert process.poll() is None, log.read_text()
                return asked(ready) is not None

            eventually(up, within=PATIENCE, every=0.05)
            yield
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def asked(url):
    """Return what a server answers, or None where it does not yet."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5.0) as answer:
            return answer.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def alertmanager_files(folder, slack, pagerduty):
    """Write the configuration as it is delivered, with secrets and addresses of ours."""
    config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    (folder / "webhook").write_text(slack)
    (folder / "key").write_text("0" * 32)
    config["global"]["pagerduty_url"] = pagerduty
    for receiver in config["receivers"]:
        for each in receiver.get("slack_configs", ()):
            each["api_url_file"] = str(folder / "webhook")
        for each in receiver.get("pagerduty_configs", ()):
            each["routing_key_file"] = str(folder / "key")
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config))
    return file


def prometheus_files(folder, gate_port, alertmanager_port):
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager_port}"]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{gate_port}"]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
def stack(program, tmp_path):
    """Give a gate, the address of a Prometheus that scrapes it, and the endpoints that Alertmanager calls."""
    alertmanager, prometheus = program("prometheus-alertmanager"), program("prometheus")
    genesis = make_genesis()
    clock = Times(genesis.at)
    gate, observability = RiskGate.in_memory(genesis, clock=clock), ObservabilityManager()
    observability.watch(gate, clock=clock)
    ports = [free_port() for _ in range(2)]
    with observability, endpoint(200) as slack, endpoint(202) as pagerduty, exporter(observability) as port, running(
        tmp_path / "alertmanager.log", alertmanager, f"--web.listen-address=127.0.0.1:{ports[0]}",
        f"--config.file={alertmanager_files(tmp_path, slack.url, pagerduty.url)}",
        f"--storage.path={tmp_path / 'alertmanager'}", "--cluster.listen-address=",
        ready=f"http://127.0.0.1:{ports[0]}/-/ready",
    ), running(
        tmp_path / "prometheus.log", prometheus, f"--web.listen-address=127.0.0.1:{ports[1]}",
        f"--config.file={prometheus_files(tmp_path, port, ports[0])}",
        f"--storage.tsdb.path={tmp_path / 'prometheus'}",
        ready=f"http://127.0.0.1:{ports[1]}/-/ready",
    ):  # fmt: skip
        yield gate, f"http://127.0.0.1:{ports[1]}", f"http://127.0.0.1:{ports[0]}", slack, pagerduty


def value_of(prometheus, query):
    found = asked(f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}")
    assert found is not None, query
    answer = json.loads(found)
    assert answer["status"] == "success"
    return answer["data"]["result"]


def test_a_halt_is_scraped_fires_reaches_people_and_resolves(stack):
    gate, prometheus, alertmanager, slack, pagerduty = stack
    eventually(lambda: value_of(prometheus, 'rpm_trading_state{state="active"} == 1'), within=PATIENCE)
    assert not pagerduty.bodies

    start = time.monotonic()
    gate.operate("trip", operator="A. Head", reason="drill", value="halt")
    trigger = eventually(lambda: incident(pagerduty, "RpmTradingReducing", "trigger"), within=PATIENCE)
    eventually(lambda: any("RpmTradingReducing" in json.dumps(body) for body in slack.answered), within=PATIENCE)
    print(f"from the trip to both by Prometheus and Alertmanager: {time.monotonic() - start:.1f} s")
    assert trigger["payload"]["severity"] == "critical"
    assert trigger["payload"]["custom_details"]["runbook"] == "docs/runbook.md#rpmtradingreducing"
    active = json.loads(asked(f"{alertmanager}/api/v2/alerts"))
    assert "RpmTradingReducing" in {each["labels"]["alertname"] for each in active}

    gate.operate("reset", operator="A. Head", reason="over")
    resolved = eventually(lambda: incident(pagerduty, "RpmTradingReducing", "resolve"), within=PATIENCE)
    assert resolved["dedup_key"] == trigger["dedup_key"]

    for query in [*queries(), *(rule["expr"] for rule in rules())]:
        value_of(prometheus, query)


def incident(pagerduty, alert, action):
    """Return the first event of an alert; a resolution is known by the key of what it resolves."""
    keys = {body["dedup_key"] for body in pagerduty.answered if alert in body.get("payload", {}).get("summary", "")}
    found = (body for body in pagerduty.answered if body["dedup_key"] in keys and body["event_action"] == action)
    return next(found, None)


def test_a_gate_that_is_gone_is_told(program, tmp_path):
    alertmanager, prometheus = program("prometheus-alertmanager"), program("prometheus")
    ports = [free_port() for _ in range(3)]
    with endpoint(200) as slack, endpoint(202) as pagerduty, running(
        tmp_path / "alertmanager.log", alertmanager, f"--web.listen-address=127.0.0.1:{ports[0]}",
        f"--config.file={alertmanager_files(tmp_path, slack.url, pagerduty.url)}",
        f"--storage.path={tmp_path / 'alertmanager'}", "--cluster.listen-address=",
        ready=f"http://127.0.0.1:{ports[0]}/-/ready",
    ), running(
        tmp_path / "prometheus.log", prometheus, f"--web.listen-address=127.0.0.1:{ports[1]}",
        f"--config.file={prometheus_files(tmp_path, ports[2], ports[0])}",
        f"--storage.tsdb.path={tmp_path / 'prometheus'}", ready=f"http://127.0.0.1:{ports[1]}/-/ready",
    ):  # fmt: skip
        eventually(lambda: incident(pagerduty, "RpmGateDown", "trigger"), within=PATIENCE)
