"""rpm: what can this book lose, and may this trade be sent?

The public names load on first use, so that ``import rpmcore`` costs next to nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rpmcore.adapters.configuration.loading import Settings as Settings
    from rpmcore.adapters.metrics.prometheus import PrometheusMetrics as PrometheusMetrics
    from rpmcore.adapters.tables.signals import read_signals as read_signals
    from rpmcore.adapters.tables.trades import read_trades as read_trades
    from rpmcore.adapters.telemetry.correlation import CorrelationContext as CorrelationContext
    from rpmcore.adapters.telemetry.logger import StructuredLogger as StructuredLogger
    from rpmcore.alert_jobs import alerts_status as alerts_status
    from rpmcore.alert_jobs import answer_alert as answer_alert
    from rpmcore.alert_jobs import send_test_alert as send_test_alert
    from rpmcore.api import backtest as backtest
    from rpmcore.api import evaluate as evaluate
    from rpmcore.api import exposure as exposure
    from rpmcore.api import limits as limits
    from rpmcore.api import load_settings as load_settings
    from rpmcore.api import open_prices as open_prices
    from rpmcore.api import read_book as read_book
    from rpmcore.api import read_prices as read_prices
    from rpmcore.api import regime as regime
    from rpmcore.api import reverse_stress as reverse_stress
    from rpmcore.api import scenarios as scenarios
    from rpmcore.api import size as size
    from rpmcore.api import strategies as strategies
    from rpmcore.api import stress as stress
    from rpmcore.api import synthetic_stress as synthetic_stress
    from rpmcore.api import warmup as warmup
    from rpmcore.audit_jobs import audit_export as audit_export
    from rpmcore.audit_jobs import audit_head as audit_head
    from rpmcore.audit_jobs import audit_show as audit_show
    from rpmcore.audit_jobs import audit_verify as audit_verify
    from rpmcore.audit_jobs import compare_policies as compare_policies
    from rpmcore.audit_jobs import prove as prove
    from rpmcore.control_jobs import replay_kill_switches as replay_kill_switches
    from rpmcore.control_jobs import simulate_kill_switches as simulate_kill_switches
    from rpmcore.controls.adaptive_risk import AdaptiveRiskManager as AdaptiveRiskManager
    from rpmcore.controls.exposure_velocity import ExposureVelocityKillSwitch as ExposureVelocityKillSwitch
    from rpmcore.controls.manager import AdvancedKillSwitchManager as AdvancedKillSwitchManager
    from rpmcore.controls.per_strategy import PerStrategyKillSwitch as PerStrategyKillSwitch
    from rpmcore.controls.regime import RegimeDetector as RegimeDetector
    from rpmcore.controls.regime_limits import RegimeAwareRiskLimits as RegimeAwareRiskLimits
    from rpmcore.controls.rejection_velocity import RejectionVelocityKillSwitch as RejectionVelocityKillSwitch
    from rpmcore.controls.strategy_intelligence import StrategyIntelligenceEngine as StrategyIntelligenceEngine
    from rpmcore.controls.strategy_tracker import StrategyPerformanceTracker as StrategyPerformanceTracker
    from rpmcore.controls.stress_limits import StressAdjustedLimits as StressAdjustedLimits
    from rpmcore.controls.volatility_thresholds import AdaptiveVolatilityThresholds as AdaptiveVolatilityThresholds
    from rpmcore.crises import chosen_crises as chosen_crises
    from rpmcore.decision.engine import DecisionEngine as DecisionEngine
    from rpmcore.doctor.examination import examine as examine
    from rpmcore.domain.asset_factor_database import AssetFactorDatabase as AssetFactorDatabase
    from rpmcore.domain.crises import CrisisScenario as CrisisScenario
    from rpmcore.domain.crisis_library import HistoricalCrisisLibrary as HistoricalCrisisLibrary
    from rpmcore.domain.decisions import Decision as Decision
    from rpmcore.domain.decisions import RejectionException as RejectionException
    from rpmcore.domain.orders import ApprovedTrade as ApprovedTrade
    from rpmcore.domain.orders import Signal as Signal
    from rpmcore.domain.orders import Signal as SignalData
    from rpmcore.gate import RiskGate as RiskGate
    from rpmcore.gate_jobs import gate_run as gate_run
    from rpmcore.gate_status import gate_status as gate_status
    from rpmcore.gate_status import killswitch_status as killswitch_status
    from rpmcore.gate_system import GateSystem as GateSystem
    from rpmcore.ledger_jobs import decide as decide
    from rpmcore.ledger_jobs import new_gate as new_gate
    from rpmcore.ledger_jobs import open_gate as open_gate
    from rpmcore.ledger_jobs import operate as operate
    from rpmcore.ledger_jobs import reload as reload_settings
    from rpmcore.ledger_jobs import what_if as what_if
    from rpmcore.ledger_jobs import what_if_of_book as what_if_of_book
    from rpmcore.observability import ObservabilityManager as ObservabilityManager
    from rpmcore.risk.backtesting.backtester import VaRBacktester as VaRBacktester
    from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator as CovarianceMatrixEstimator
    from rpmcore.risk.exposure.calculator import FactorExposureCalculator as FactorExposureCalculator
    from rpmcore.risk.portfolio_risk import PortfolioRiskEngine as PortfolioRiskEngine
    from rpmcore.risk.portfolio_risk import PortfolioVarianceCalculator as PortfolioVarianceCalculator
    from rpmcore.risk.portfolio_risk import VaRCalculator as VaRCalculator
    from rpmcore.risk.sizing.sizer import PositionSizer as PositionSizer
    from rpmcore.risk.stress.synthetic import SyntheticStressGenerator as SyntheticStressGenerator
    from rpmcore.sizing_jobs import trade_record as trade_record
    from rpmcore.stress_testing import StressTestEngine as StressTestEngine

_HOMES = {
    "AdaptiveRiskManager": "rpmcore.controls.adaptive_risk",
    "AdaptiveVolatilityThresholds": "rpmcore.controls.volatility_thresholds",
    "AdvancedKillSwitchManager": "rpmcore.controls.manager",
    "ApprovedTrade": "rpmcore.domain.orders",
    "AssetFactorDatabase": "rpmcore.domain.asset_factor_database",
    "CorrelationContext": "rpmcore.adapters.telemetry.correlation",
    "CovarianceMatrixEstimator": "rpmcore.risk.covariance_estimator",
    "CrisisScenario": "rpmcore.domain.crises",
    "Decision": "rpmcore.domain.decisions",
    "DecisionEngine": "rpmcore.decision.engine",
    "ExposureVelocityKillSwitch": "rpmcore.controls.exposure_velocity",
    "FactorExposureCalculator": "rpmcore.risk.exposure.calculator",
    "GateSystem": "rpmcore.gate_system",
    "HistoricalCrisisLibrary": "rpmcore.domain.crisis_library",
    "ObservabilityManager": "rpmcore.observability",
    "PerStrategyKillSwitch": "rpmcore.controls.per_strategy",
    "PortfolioRiskEngine": "rpmcore.risk.portfolio_risk",
    "PortfolioVarianceCalculator": "rpmcore.risk.portfolio_risk",
    "PositionSizer": "rpmcore.risk.sizing.sizer",
    "PrometheusMetrics": "rpmcore.adapters.metrics.prometheus",
    "RegimeAwareRiskLimits": "rpmcore.controls.regime_limits",
    "RegimeDetector": "rpmcore.controls.regime",
    "RejectionException": "rpmcore.domain.decisions",
    "RejectionVelocityKillSwitch": "rpmcore.controls.rejection_velocity",
    "RiskGate": "rpmcore.gate",
    "Settings": "rpmcore.adapters.configuration.loading",
    "Signal": "rpmcore.domain.orders",
    "SignalData": "rpmcore.domain.orders",
    "StrategyIntelligenceEngine": "rpmcore.controls.strategy_intelligence",
    "StrategyPerformanceTracker": "rpmcore.controls.strategy_tracker",
    "StressAdjustedLimits": "rpmcore.controls.stress_limits",
    "StressTestEngine": "rpmcore.stress_testing",
    "StructuredLogger": "rpmcore.adapters.telemetry.logger",
    "SyntheticStressGenerator": "rpmcore.risk.stress.synthetic",
    "VaRBacktester": "rpmcore.risk.backtesting.backtester",
    "VaRCalculator": "rpmcore.risk.portfolio_risk",
    "alerts_status": "rpmcore.alert_jobs",
    "answer_alert": "rpmcore.alert_jobs",
    "audit_export": "rpmcore.audit_jobs",
    "audit_head": "rpmcore.audit_jobs",
    "audit_show": "rpmcore.audit_jobs",
    "audit_verify": "rpmcore.audit_jobs",
    "backtest": "rpmcore.api",
    "chosen_crises": "rpmcore.crises",
    "compare_policies": "rpmcore.audit_jobs",
    "decide": "rpmcore.ledger_jobs",
    "evaluate": "rpmcore.api",
    "examine": "rpmcore.doctor.examination",
    "exposure": "rpmcore.api",
    "gate_run": "rpmcore.gate_jobs",
    "gate_status": "rpmcore.gate_status",
    "killswitch_status": "rpmcore.gate_status",
    "limits": "rpmcore.api",
    "load_settings": "rpmcore.api",
    "new_gate": "rpmcore.ledger_jobs",
    "open_gate": "rpmcore.ledger_jobs",
    "open_prices": "rpmcore.api",
    "operate": "rpmcore.ledger_jobs",
    "prove": "rpmcore.audit_jobs",
    "read_book": "rpmcore.api",
    "read_prices": "rpmcore.api",
    "read_signals": "rpmcore.adapters.tables.signals",
    "read_trades": "rpmcore.adapters.tables.trades",
    "regime": "rpmcore.api",
    "reload_settings": "rpmcore.ledger_jobs",
    "replay_kill_switches": "rpmcore.control_jobs",
    "reverse_stress": "rpmcore.api",
    "scenarios": "rpmcore.api",
    "send_test_alert": "rpmcore.alert_jobs",
    "simulate_kill_switches": "rpmcore.control_jobs",
    "size": "rpmcore.api",
    "strategies": "rpmcore.api",
    "stress": "rpmcore.api",
    "synthetic_stress": "rpmcore.api",
    "trade_record": "rpmcore.sizing_jobs",
    "warmup": "rpmcore.api",
    "what_if": "rpmcore.ledger_jobs",
    "what_if_of_book": "rpmcore.ledger_jobs",
}

_ALIASES = {"SignalData": "Signal", "reload_settings": "reload"}
"""A name of the specification, and one that says more from outside, for what is called otherwise at home."""

__all__ = [
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

if not TYPE_CHECKING:  # to a type checker a name that there is not must be an error, and not anything

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'rpmcore' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), _ALIASES.get(name, name))


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOMES))


class _Package(ModuleType):
    """The package, in which a module such as ``gate_run`` does not take the place of the public name that is a job.

    The import system binds every module to its package by its name, whenever it is loaded.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
