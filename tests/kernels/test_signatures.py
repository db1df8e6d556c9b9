import os
import subprocess
import sys

ASK = """
from typing import get_args

import rpmcore
from rpmcore import api
from rpmcore.kernels import _jit
from rpmcore.risk.settings import TailMethod
from rpmcore.risk.trade_impact.worst_case import WorstCase
import numpy as np
RETURNS = np.random.default_rng(1).normal(size=(200, 2)) / 100
list(api.warmup())
before = {name: len(kernel.signatures) for name, (kernel, _) in _jit.declared().items()}
rpmcore.evaluate()
everything = {
    "tail_risk.methods": list(get_args(TailMethod)), "tail_risk.resamples": 100, "tail_risk.quantile": "type7",
}
for options in (
    {},
    {"data.return_days": 2},
    {"tail_risk.horizon": 20},
    {"simulation.shocks": "assets", "simulation.sampling": "sobol", "simulation.distribution": "normal"},
    {"simulation.shocks": "assets", "simulation.sampling": "antithetic"},
    {"covariance.method": "ledoit_wolf"},
    {"limits.bind_on": "upper", "tail_risk.quantile": "inverse_cdf"},
):
    settings = rpmcore.load_settings(options={**everything, **options})
    rpmcore.evaluate(settings=settings, decompose=["all"], compare_covariance=True, rolling=True)
    case = WorstCase.of_returns(RETURNS, [0.5, -0.5], settings, orders={0: [0.1]})
    case.commit(0, 0.1, {0: [0.01 * 2**i for i in range(9)]}).impacts(1, -1, 0.1)
rpmcore.stress(crises=tuple(rpmcore.scenarios().values()))
after = {name: len(kernel.signatures) for name, (kernel, _) in _jit.declared().items()}
assert before == after, {name: after[name] for name in after if after[name] != before[name]}
assert all(before.values()), [name for name, count in before.items() if not count]
"""


def test_a_report_compiles_nothing_that_warmup_has_not_compiled():
    """A kernel called with other types than it declares would compile, unseen, in the middle of a decision."""
    compiled = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", ASK], check=True, env=compiled)


WARM = "from rpmcore import api; list(api.warmup())"
MISSES = """
import rpmcore
from rpmcore.kernels import _jit
rpmcore.evaluate()
missed = {name for name, (kernel, _) in _jit.declared().items() if kernel.stats.cache_misses}
assert not missed, missed
"""


def test_what_warmup_compiled_is_found_by_the_next_process(tmp_path):
    compiled = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    compiled["NUMBA_CACHE_DIR"] = str(tmp_path)
    for program in (WARM, MISSES):
        subprocess.run([sys.executable, "-c", program], check=True, env=compiled)
