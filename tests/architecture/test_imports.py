import json
import subprocess
import sys

import rpmcore

COMMANDS = (
    "evaluate", "exposure", "limits", "regime", "size", "backtest", "strategies", "stress", "decide", "replay",
    "report",
)  # fmt: skip
HELP = (
    ["--help"],
    *([name, "--help"] for name in COMMANDS),
    ["killswitch", "simulate", "--help"],
    ["killswitch", "trip", "--help"],
    ["gate", "status", "--help"],
    ["audit", "verify", "--help"],
    ["alerts", "test", "--help"],
    ["--version"],
)
HEAVY = {"numba", "scipy", "pyarrow", "numpy", "pandas"}


def modules_after(code):
    """Run code in a fresh interpreter and return the names of the modules that it loaded."""
    report = f"import sys, json\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def help_of(*arguments):
    return (
        "from rpm_cli.main import app\n"
        f"try: app({list(arguments)!r}, prog_name='rpm')\n"
        "except SystemExit as stop: assert not stop.code"
    )


def test_import_rpmcore_loads_nothing_heavy():
    assert not modules_after("import rpmcore") & {*HEAVY, "pydantic", "yaml"}


def test_help_loads_nothing_heavy():
    for arguments in HELP:
        assert not modules_after(help_of(*arguments)) & HEAVY


def test_config_loads_nothing_heavy():
    for arguments in (["config", "show", "--quiet"], ["config", "explain", "limits.beta", "--json"]):
        assert not modules_after(help_of(*arguments)) & {*HEAVY, "rich", "jinja2"}


def test_evaluate_loads_no_statistics_package_and_no_scipy():
    loaded = modules_after("import rpmcore\nrpmcore.evaluate()")
    assert not loaded & {"pandas", "sklearn", "matplotlib", "scipy.linalg", "scipy.special", "scipy.stats"}


def test_the_public_names_are_pinned_and_load():
    assert rpmcore.__all__ == [
        "AdaptiveRiskManager",
        "AdaptiveVolatilityThresholds",
        "AdvancedKillSwitchManager",
        "ApprovedTrade",
        "AssetFactorDatabase",
        "CorrelationContext",
        "CovarianceMatrixEstimator",
        "CrisisScenario",
        "Decision",
        "DecisionEngine",
        "ExposureVelocityKillSwitch",
        "FactorExposureCalculator",
        "GateSystem",
        "HistoricalCrisisLibrary",
        "ObservabilityManager",
        "PerStrategyKillSwitch",
        "PortfolioRiskEngine",
        "PortfolioVarianceCalculator",
        "PositionSizer",
        "PrometheusMetrics",
        "RegimeAwareRiskLimits",
        "RegimeDetector",
        "RejectionException",
        "RejectionVelocityKillSwitch",
        "RiskGate",
        "Settings",
        "Signal",
        "SignalData",
        "StrategyIntelligenceEngine",
        "StrategyPerformanceTracker",
        "StressAdjustedLimits",
        "StressTestEngine",
        "StructuredLogger",
        "SyntheticStressGenerator",
        "VaRBacktester",
        "VaRCalculator",
        "alerts_status",
        "answer_alert",
        "audit_export",
        "audit_head",
        "audit_show",
        "audit_verify",
        "backtest",
        "chosen_crises",
        "compare_policies",
        "decide",
        "evaluate",
        "examine",
        "exposure",
        "gate_run",
        "gate_status",
        "killswitch_status",
        "limits",
        "load_settings",
        "new_gate",
        "open_gate",
        "open_prices",
        "operate",
        "prove",
        "read_book",
        "read_prices",
        "read_signals",
        "read_trades",
        "regime",
        "reload_settings",
        "replay_kill_switches",
        "reverse_stress",
        "scenarios",
        "send_test_alert",
        "simulate_kill_switches",
        "size",
        "strategies",
        "stress",
        "synthetic_stress",
        "trade_record",
        "warmup",
        "what_if",
        "what_if_of_book",
    ]
    for name in rpmcore.__all__:
        assert getattr(rpmcore, name).__name__ == {"SignalData": "Signal", "reload_settings": "reload"}.get(name, name)
        assert name in dir(rpmcore)


def test_a_module_does_not_take_the_place_of_the_job_of_its_name():
    code = (
        "import rpmcore.gate_status, rpmcore.gate_run\n"
        "assert callable(rpmcore.gate_status) and callable(rpmcore.gate_run)"
    )
    assert "rpmcore.gate_run" in modules_after(code)
