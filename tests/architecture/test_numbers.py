"""A number that a desk could want otherwise is a setting; what else stands in the code is listed here, with why."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "rpmcore"
FLOORS = ("controls", "decision", "risk")
ROUNDING = "what rounding alone may make of a number"
SIZE = "bounds time or memory, and no result"
STEPS = "an iteration ends"
DEFINED = "part of the method's definition"
FEWEST = "below it the method says nothing"
UNIT = "a unit of time or money"
SHOWN = "how much is printed or listed"
DEFAULT = "default of a Python argument; the commands pass the setting"
JUDGED = "the scale of the health score, in the manual; what disables is `strategies.disable_below`"
SUPERVISOR = "the supervisors' own"
SPECIFIED = "the specification's ranges; a scenario file states others"
WARNS = "from where a report warns; no verdict rests on it"

LISTED = {
    "controls/account_loss.py": {"DAY": UNIT},
    "controls/command_time.py": {"SECOND": UNIT, "DAY": UNIT, "CLOSE_HOUR": UNIT},
    "controls/exposure_velocity.py": {"GRAIN": SIZE},
    "controls/latch.py": {"MINUTE": UNIT, "TOLERANCE": ROUNDING},
    "controls/liquidation_plan.py": {"WHOLE": ROUNDING},
    "controls/low_water.py": {"GRAIN": SIZE},
    "controls/market_readings.py": {"WARM_UP": FEWEST, "STILL": FEWEST},
    "controls/operating_characteristics.py": {"BLOCK": SIZE, "HIGHEST": SIZE},
    "controls/strategy_allocation.py": {"FLAT": ROUNDING, "LEAST_DAY": ROUNDING, "NO_ESTIMATE_TOTAL": DEFINED},
    "controls/strategy_health.py": {"FLAT": ROUNDING, "NO_TREND": DEFINED, "BANDS": JUDGED, "MAPPINGS": JUDGED},
    "controls/strategy_record.py": {"DAY": UNIT},
    "controls/strategy_study.py": {"POINTS": SHOWN},
    "controls/strategy_suggestions.py": {"FEWEST": FEWEST},
    "decision/differences.py": {"TOLERANCE": ROUNDING},
    "decision/handlers/orders.py": {
        "FAR": "a fill half as high again as the last price is a broken message, not a market"
    },
    "decision/handlers/prices.py": {"FAR": "a slip, a split or a crash: somebody must look at it"},
    "decision/magnitude.py": {"LARGEST": "beyond it sums of amounts lose cents; refused"},
    "risk/backtesting/coverage.py": {"AS_EXTREME": ROUNDING},
    "risk/backtesting/dynamic_quantile.py": {"COLLINEAR": ROUNDING, "REGRESSORS": DEFINED},
    "risk/backtesting/mcneil_frey.py": {"ROUNDING": ROUNDING},
    "risk/backtesting/monte_carlo.py": {"FEWEST": FEWEST, "MOST": SIZE, "REPLICATIONS": DEFAULT, "TIED": ROUNDING},
    "risk/backtesting/result.py": {"SIGNIFICANCE": DEFAULT},
    "risk/backtesting/study.py": {"FEW_EXPECTED": WARNS, "LEAST_DOF": FEWEST, "MOST_UNDEFINED": FEWEST},
    "risk/backtesting/traffic_light.py": {
        "ADD_ONS": SUPERVISOR,
        "DAYS": SUPERVISOR,
        "FREE": SUPERVISOR,
        "RED_FROM": SUPERVISOR,
        "TAIL": SUPERVISOR,
        "YELLOW_FROM": SUPERVISOR,
    },
    "risk/bootstrap.py": {"MOST_RESAMPLES": SIZE},
    "risk/cornish_fisher.py": {"REACH": FEWEST, "THINNEST_TAIL": FEWEST},
    "risk/clustering.py": {"MOST_GROUPS": SHOWN},
    "risk/covariance.py": {"NEGLIGIBLE_WEIGHT": ROUNDING},
    "risk/covariance_comparison.py": {"CLEARLY": DEFINED, "FEWEST_FORECASTS": FEWEST, "MOST_DECOMPOSED": SIZE},
    "risk/diversification.py": {"SUM": ROUNDING},
    "risk/evaluation.py": {"HISTOGRAM_BINS": SHOWN},
    "risk/exposure/cures.py": {"MOST_CANDIDATES": SIZE, "ROUNDING": ROUNDING},
    "risk/exposure/hedging.py": {"NOTHING": ROUNDING},
    "risk/exposure/remarks.py": {"ILL_CONDITIONED": WARNS},
    "risk/extreme_value.py": {"FEWEST_EXCEEDANCES": FEWEST, "LARGEST_EXPONENT": FEWEST, "ROUNDING": ROUNDING},
    "risk/factor_alignment.py": {"LISTED": SHOWN},
    "risk/factor_model.py": {"NEGATIVE": ROUNDING, "PLAIN": FEWEST, "ROUNDING": ROUNDING},
    "risk/filtered_historical.py": {"BURN_IN": DEFINED},
    "risk/incremental.py": {"REBUILD_AFTER": ROUNDING},
    "risk/limits.py": {"ROUNDING": ROUNDING},
    "risk/minimum_torsion.py": {"MOST_STEPS": STEPS, "SETTLED": STEPS, "SINGULAR": ROUNDING},
    "risk/nearest_correlation.py": {"MOST_STEPS": STEPS},
    "risk/notices.py": {"PRICE_TOLERANCE": WARNS, "REPAIR": WARNS, "UNCHANGED_DAYS": WARNS},
    "risk/performance/downside.py": {"LARGEST_GROWTH": ROUNDING},
    "risk/performance/figure.py": {"COVERAGE": DEFAULT, "RESAMPLES": DEFAULT},
    "risk/performance/monitor.py": {
        "LARGEST_BET": DEFINED,
        "LARGEST_GAIN": DEFINED,
        "PRIOR_VARIANCE": DEFINED,
        "ROUNDING": ROUNDING,
    },
    "risk/performance/probabilistic_sharpe.py": {"EULER": DEFINED},
    "risk/performance/sharpe.py": {"FLAT": ROUNDING, "PERIODS_PER_YEAR": DEFAULT},
    "risk/pnl_shape.py": {"POINTS": SHOWN},
    "risk/principal_components.py": {"BISECTIONS": STEPS, "TIE": ROUNDING, "VANISHING": ROUNDING},
    "risk/products.py": {"LOOPS_WIN_TO": SIZE},
    "risk/regression.py": {"EXACT": ROUNDING, "FLAT": ROUNDING, "MOST_CONDITION": FEWEST, "ROWS_AT_ONCE": SIZE},
    "risk/rolling_report.py": {"MOST_CORRELATED": SIZE},
    "risk/shrinkage.py": {"FAR": ROUNDING, "SQRT5": DEFINED},
    "risk/simulated_assets.py": {"PIECE": SIZE},
    "risk/simulated_tail.py": {
        "ALL_KEPT": SIZE,
        "LARGEST_BLOCK": SIZE,
        "MARGIN": SIZE,
        "SAMPLE": SIZE,
        "SMALLEST_BLOCK": SIZE,
        "SPAN": SIZE,
    },
    "risk/simulation.py": {"FIRST_PATHS": SIZE},
    "risk/simulation_model.py": {
        "LARGEST_DOF": SIZE,
        "LARGEST_LOSS": SIZE,
        "LONGEST_HORIZON": SIZE,
        "MOST_PATHS": SIZE,
        "MOST_THREADS": SIZE,
    },
    "risk/sizing/closed_trades.py": {"FEWEST": FEWEST},
    "risk/sizing/request.py": {"MOST_TRADES": SIZE},
    "risk/sobol.py": {"INDEX_DIGITS": DEFINED, "MOST_DIMENSIONS": DEFINED, "PIECE": SIZE, "RUNS": DEFINED},
    "risk/sobol_table.py": {"PRIMITIVE_POLYNOMIALS": DEFINED},
    "risk/stress/carried.py": {"TOLERANCE": ROUNDING},
    "risk/stress/conditional.py": {"TOLERANCE": ROUNDING},
    "risk/stress/daily.py": {"LONGEST": SIZE},
    "risk/stress/reverse.py": {"FARTHEST": ROUNDING},
    "risk/stress/shocks.py": {"LOWEST_RATE_MOVE": ROUNDING},
    "risk/stress/stress_report.py": {"WORST": SHOWN},
    "risk/stress/suite.py": {"BLOCK": SIZE},
    "risk/stress/suite_study.py": {"BINS": SHOWN},
    "risk/stress/synthetic.py": {"DURATIONS": SPECIFIED, "MOST_SCENARIOS": SIZE, "SPECIFIED": SPECIFIED},
    "risk/stress/system.py": {"LOSS_LIMIT": DEFAULT},
    "risk/student_t.py": {"FEWEST_OBSERVATIONS": FEWEST, "PRACTICALLY_NORMAL": DEFINED},
    "risk/tail_methods.py": {"LONGEST_SCALED_HORIZON": DEFINED},
    "risk/trade_impact/linear.py": {"SHRINKINGS": STEPS},
    "risk/trade_impact/volatility.py": {"SHRINKINGS": STEPS},
    "risk/trade_impact/working.py": {"MOST_BOOKS": SIZE},
}


def numbers(path):
    """Yield the names of a module's numeric constants: plain ones, and tuples, lists and mappings of numbers."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if _numeric(value):
            for target in targets:
                yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def _numeric(node):
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.UnaryOp):
        return _numeric(node.operand)
    if isinstance(node, ast.BinOp):
        return _numeric(node.left) or _numeric(node.right)
    if isinstance(node, ast.Tuple | ast.List):
        return any(map(_numeric, node.elts))
    if isinstance(node, ast.Dict):
        return any(map(_numeric, node.values))
    return False


def found():
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if not path.name.endswith("settings.py"):
                names = list(numbers(path))
                if names:
                    yield str(path.relative_to(ROOT)), set(names)


def test_every_number_outside_the_settings_is_listed_with_a_reason():
    assert dict(found()) == {path: set(names) for path, names in LISTED.items()}
