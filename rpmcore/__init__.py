"""rpm: what can this book lose, and may this trade be sent?

The public names load on first use, so that ``import rpmcore`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rpmcore.adapters.metrics.prometheus import PrometheusMetrics as PrometheusMetrics
    from rpmcore.adapters.telemetry.correlation import CorrelationContext as CorrelationContext
    from rpmcore.adapters.telemetry.logger import StructuredLogger as StructuredLogger
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
    from rpmcore.decision.engine import DecisionEngine as DecisionEngine
    from rpmcore.domain.asset_factor_database import AssetFactorDatabase as AssetFactorDatabase
    from rpmcore.domain.crises import CrisisScenario as CrisisScenario
    from rpmcore.domain.crisis_library import HistoricalCrisisLibrary as HistoricalCrisisLibrary
    from rpmcore.domain.decisions import Decision as Decision
    from rpmcore.domain.decisions import RejectionException as RejectionException
    from rpmcore.domain.orders import ApprovedTrade as ApprovedTrade
    from rpmcore.domain.orders import Signal as Signal
    from rpmcore.domain.orders import Signal as SignalData
    from rpmcore.gate import RiskGate as RiskGate
    from rpmcore.gate_system import GateSystem as GateSystem
    from rpmcore.ledger_jobs import new_gate as new_gate
    from rpmcore.ledger_jobs import open_gate as open_gate
    from rpmcore.observability import ObservabilityManager as ObservabilityManager
    from rpmcore.risk.backtesting.backtester import VaRBacktester as VaRBacktester
    from rpmcore.risk.covariance_estimator import CovarianceMatrixEstimator as CovarianceMatrixEstimator
    from rpmcore.risk.exposure.calculator import FactorExposureCalculator as FactorExposureCalculator
    from rpmcore.risk.portfolio_risk import PortfolioRiskEngine as PortfolioRiskEngine
    from rpmcore.risk.portfolio_risk import PortfolioVarianceCalculator as PortfolioVarianceCalculator
    from rpmcore.risk.portfolio_risk import VaRCalculator as VaRCalculator
    from rpmcore.risk.sizing.sizer import PositionSizer as PositionSizer
    from rpmcore.risk.stress.synthetic import SyntheticStressGenerator as SyntheticStressGenerator
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
    "backtest": "rpmcore.api",
    "evaluate": "rpmcore.api",
    "exposure": "rpmcore.api",
    "limits": "rpmcore.api",
    "load_settings": "rpmcore.api",
    "new_gate": "rpmcore.ledger_jobs",
    "open_gate": "rpmcore.ledger_jobs",
    "open_prices": "rpmcore.api",
    "read_book": "rpmcore.api",
    "read_prices": "rpmcore.api",
    "regime": "rpmcore.api",
    "reverse_stress": "rpmcore.api",
    "scenarios": "rpmcore.api",
    "size": "rpmcore.api",
    "strategies": "rpmcore.api",
    "stress": "rpmcore.api",
    "synthetic_stress": "rpmcore.api",
}

_ALIASES = {"SignalData": "Signal"}
"""Names of the specification for what is called otherwise here."""

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
    "backtest",
    "evaluate",
    "exposure",
    "limits",
    "load_settings",
    "new_gate",
    "open_gate",
    "open_prices",
    "read_book",
    "read_prices",
    "regime",
    "reverse_stress",
    "scenarios",
    "size",
    "strategies",
    "stress",
    "synthetic_stress",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rpmcore' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), _ALIASES.get(name, name))


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOMES))
