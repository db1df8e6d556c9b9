"""Whatever has a name has its line in the manual: commands, settings, reasons, metrics, alerts, classes."""

import importlib.util
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import yaml

import rpmcore
from rpmcore.adapters.alerts.catalogue import KINDS, SWITCHES
from rpmcore.adapters.configuration.described import fields
from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.metrics.catalogue import METRICS
from rpmcore.domain.controls import Severity, TradingState
from rpmcore.domain.reasons import RejectReason

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

OF_THE_SPECIFICATION = (
    "RejectionVelocityKillSwitch", "ExposureVelocityKillSwitch", "PerStrategyKillSwitch",
    "AdvancedKillSwitchManager", "RegimeAwareRiskLimits", "AdaptiveVolatilityThresholds", "StressAdjustedLimits",
    "AdaptiveRiskManager", "CovarianceMatrixEstimator", "PortfolioVarianceCalculator", "VaRCalculator",
    "PortfolioRiskEngine", "AssetFactorDatabase", "FactorExposureCalculator", "StrategyPerformanceTracker",
    "StrategyIntelligenceEngine", "StructuredLogger", "CorrelationContext", "PrometheusMetrics",
    "AlertingSystem", "ObservabilityManager", "HistoricalCrisisLibrary", "SyntheticStressGenerator",
    "StressTestEngine", "VaRBacktester", "SignalData", "ApprovedTrade", "RejectionException", "CrisisScenario",
)  # fmt: skip


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def commands():
    """Return every command of the program, groups left out."""
    spec = importlib.util.spec_from_file_location("cli_reference", DOCS / "cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = list(module.commands())
    return [name for name in names if not any(other.startswith(f"{name} ") for other in names)]


@pytest.fixture(scope="module")
def anchors(tmp_path_factory):
    """Return the anchors of the Python reference as it is built."""
    site = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", site],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = set()
    for built in site.rglob("*.html"):
        found |= {unescape(anchor) for anchor in re.findall(r' id="(rpmcore[\w.]*)"', built.read_text("utf-8"))}
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_explained_and_has_its_help(command):
    assert f"\n## `{command}`\n" in page("cli.md")
    group, _, leaf = command.rpartition(" ")
    lines = page("commands.md").splitlines()
    alone = rf"`{command}(?=[` \[])"
    beside = rf"`{group}[ `].*`{leaf}(?=[` ])"
    assert any(re.search(alone, line) or (group != "rpm" and re.search(beside, line)) for line in lines)


def test_every_setting_has_its_row_in_its_section():
    sections = dict(re.findall(r"^## `([\w.]+)`\n(.*?)(?=^## |\Z)", page("settings.md"), re.MULTILINE | re.DOTALL))
    keys = [".".join(key) for key, _ in fields(Settings)]
    assert len(keys) > 150
    missing = [
        key for key in keys if f"\n| `{key.rpartition('.')[2]}` |" not in sections.get(key.rpartition(".")[0], "")
    ]
    assert missing == []


def test_every_reason_metric_switch_alert_state_and_severity_has_its_line():
    assert [reason for reason in RejectReason if f"\n| `{reason.value}` |" not in page("gate.md")] == []
    assert [metric.name for metric in METRICS if f"\n| `{metric.name}` |" not in page("observability.md")] == []
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    switches = [f"switch-{name.replace('_', '-')}" for name in SWITCHES]
    entries = set(re.findall(r"^### (\S+)$", page("runbook.md"), re.MULTILINE))
    assert set(alerts) | set(switches) | set(KINDS) <= entries
    assert [state for state in TradingState if f"\n| {state.name}" not in page("runbook.md")] == []
    assert [s for s in Severity if s is not Severity.NONE and f"\n| {s.name} |" not in page("controls.md")] == []


def test_every_class_of_the_specification_has_its_row_and_its_reference(anchors):
    text = page("api-classes.md")
    for name in OF_THE_SPECIFICATION:
        assert re.search(rf"^\| \[?`{name}`", text, re.MULTILINE), name
    reached = set(re.findall(r"api\.md#(rpmcore[\w.]+)", text))
    assert len(reached) >= len(OF_THE_SPECIFICATION) - 1
    assert reached <= anchors


def test_every_public_name_is_in_the_reference(anchors):
    aliases = {"SignalData": "Signal", "reload_settings": "reload"}
    ends = {anchor.rpartition(".")[2] for anchor in anchors}
    assert [name for name in rpmcore.__all__ if aliases.get(name, name) not in ends] == []
