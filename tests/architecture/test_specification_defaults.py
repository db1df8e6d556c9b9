"""Every number that the specification sets is the default of a setting, with a unit, compared one by one."""

import json
from pathlib import Path

import pytest

from rpmcore.adapters.configuration.described import describe, fields
from rpmcore.adapters.configuration.loading import Settings

SCHEMA = json.loads((Path(__file__).parents[2] / "rpmcore" / "reference" / "rpm.schema.json").read_text("utf-8"))

SPECIFICATION = [
    ("Default: 10 rejections", "kill_switches.rejection_velocity.max_rejections", 10),
    ("in 5 minutes", "kill_switches.rejection_velocity.window_minutes", 5.0),
    ("VOLATILE=1.5×", "kill_switches.rejection_velocity.volatile_multiplier", 1.5),
    ("STRESSED=0.5×", "kill_switches.rejection_velocity.stressed_multiplier", 0.5),
    ("THROTTLE warning at 60%", "kill_switches.rejection_velocity.throttle_share", 0.6),
    ("Max exposure growth: 5%/minute", "kill_switches.exposure_velocity.max_growth", 0.05),
    ("Max leverage acceleration: 0.1/minute", "kill_switches.exposure_velocity.max_leverage_growth", 0.1),
    ("Periodic snapshots (every 5 minutes)", "kill_switches.exposure_velocity.snapshot_minutes", 5.0),
    ("Max drawdown: 10%", "kill_switches.per_strategy.max_drawdown", 0.10),
    ("Max consecutive losses: 5", "kill_switches.per_strategy.max_consecutive_losses", 5),
    ("Rejection rate: 50% max", "kill_switches.per_strategy.max_rejection_rate", 0.50),
    ("TRENDING: 1% risk", "adaptive.regimes.trending.risk_per_trade", 0.01),
    ("TRENDING: 200% gross", "adaptive.regimes.trending.gross_exposure", 2.0),
    ("TRENDING: 2.0× leverage", "adaptive.regimes.trending.leverage", 2.0),
    ("TRENDING: no correlation stress", "adaptive.regimes.trending.correlation_stress", 0.0),
    ("RANGING: 1% risk", "adaptive.regimes.ranging.risk_per_trade", 0.01),
    ("RANGING: 150% gross", "adaptive.regimes.ranging.gross_exposure", 1.5),
    ("RANGING: 1.5× leverage", "adaptive.regimes.ranging.leverage", 1.5),
    ("RANGING: 10% correlation stress", "adaptive.regimes.ranging.correlation_stress", 0.1),
    ("VOLATILE: 0.5% risk", "adaptive.regimes.volatile.risk_per_trade", 0.005),
    ("VOLATILE: 100% gross", "adaptive.regimes.volatile.gross_exposure", 1.0),
    ("VOLATILE: 1.0× leverage", "adaptive.regimes.volatile.leverage", 1.0),
    ("VOLATILE: 30% correlation stress", "adaptive.regimes.volatile.correlation_stress", 0.3),
    ("STRESSED: 0.2% risk", "adaptive.regimes.stressed.risk_per_trade", 0.002),
    ("STRESSED: 50% gross", "adaptive.regimes.stressed.gross_exposure", 0.5),
    ("STRESSED: 0.5× leverage", "adaptive.regimes.stressed.leverage", 0.5),
    ("STRESSED: 50% correlation stress", "adaptive.regimes.stressed.correlation_stress", 0.5),
    ("60-day rolling window", "adaptive.volatility.window", 60),
    ("30 sample minimum", "adaptive.volatility.minimum", 30),
    ("90th (high)", "adaptive.volatility.elevated_percentile", 0.90),
    ("95th (extreme)", "adaptive.volatility.extreme_percentile", 0.95),
    ("99th (crisis)", "adaptive.volatility.crisis_percentile", 0.99),
    ("ELEVATED 0.8×", "adaptive.volatility.elevated_multiplier", 0.8),
    ("EXTREME 0.5×", "adaptive.volatility.extreme_multiplier", 0.5),
    ("CRISIS 0.2×", "adaptive.volatility.crisis_multiplier", 0.2),
    ("1.0 - (score × 0.8)", "adaptive.stress.reduction", 0.8),
    ("EWMA (λ=0.94)", "covariance.decay", 0.94),
    ("Ledoit-Wolf shrinkage (10%)", "covariance.shrinkage", 0.10),
    ("60-day lookback", "covariance.lookback", 60),
    ("30 minimum observations", "covariance.minimum", 30),
    ("Target volatility: 15%", "limits.target_volatility", 0.15),
    ("25% max", "limits.maximum_volatility", 0.25),
    ("Rebalance threshold: 10%", "limits.rebalance_threshold", 0.10),
    ("CVaR (95%, 99% confidence)", "tail_risk.confidences", [0.95, 0.99]),
    ("VaR limit 2% of capital", "limits.value_at_risk", 0.02),
    ("CVaR limit 3% of capital", "limits.expected_shortfall", 0.03),
    ("Max sector concentration: 40%", "limits.sector", 0.40),
    ("Max portfolio beta: 2.0", "limits.beta", 2.0),
    ("Max total factor exposure: 3.0", "limits.factor_exposure", 3.0),
    ("Recent performance (30-day)", "strategies.recent_days", 30),
    ("90-day lookback", "strategies.lookback_days", 90),
    ("30 trade minimum for significance", "strategies.minimum_trades", 30),
    ("Win rate (20%)", "strategies.weights.win_rate", 0.20),
    ("Expectancy (25%)", "strategies.weights.expectancy", 0.25),
    ("Max drawdown (20%)", "strategies.weights.maximum_drawdown", 0.20),
    ("Current drawdown (15%)", "strategies.weights.current_drawdown", 0.15),
    ("Performance trend (10%)", "strategies.weights.trend", 0.10),
    ("Edge confidence (10%)", "strategies.weights.edge_confidence", 0.10),
    ("Auto-Disable: health score < 0.30", "strategies.disable_below", 0.30),
    ("Max loss: -15%", "stress.maximum_loss", 0.15),
    ("Max VaR breach: 2.0×", "stress.maximum_var_ratio", 2.0),
    ("Max decision time: 100ms", "stress.maximum_decision_ms", 100.0),
    ("Performance benchmarks (<100ms decision time)", "gate.deadline_ms", 100.0),
    ("1000-entry buffer for recent logs", "observability.buffer_entries", 1000),
    ("Gradual rollout ends at 100%", "flags.rollout.value", 1.0),
]  # fmt: skip


def property_of(key):
    """Return what the committed schema says of a key."""
    node = SCHEMA
    for part in key.split("."):
        if "$ref" in node:
            node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
        node = node["properties"][part]
    return node


@pytest.mark.parametrize(("said", "key", "value"), SPECIFICATION, ids=[said for said, _, _ in SPECIFICATION])
def test_the_specifications_number_is_the_default(said, key, value):
    found = property_of(key)
    assert found["default"] == value, said
    assert found["unit"]
    assert found["description"]


def test_each_number_is_compared_once():
    keys = [key for _, key, _ in SPECIFICATION]
    assert len(set(keys)) == len(keys)


def test_every_setting_says_what_it_does_in_which_unit_and_range():
    for key, field in fields(Settings):
        found = describe(key, field)
        assert found.unit, key
        assert found.range, key
        assert found.description.endswith("."), key
