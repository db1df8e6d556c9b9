import os
import subprocess
import sys

ASK = """
import rpmcore
from rpmcore import api
from rpmcore.kernels import _jit
list(api.warmup())
before = {name: len(kernel.signatures) for name, (kernel, _) in _jit.declared().items()}
rpmcore.evaluate()
rpmcore.stress(crises=tuple(rpmcore.scenarios().values()))
after = {name: len(kernel.signatures) for name, (kernel, _) in _jit.declared().items()}
assert before == after, {name: after[name] for name in after if after[name] != before[name]}
assert all(before.values()), [name for name, count in before.items() if not count]
"""


def test_a_report_compiles_nothing_that_warmup_has_not_compiled():
    """A kernel called with other types than it declares would compile, unseen, in the middle of a decision."""
    compiled = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    subprocess.run([sys.executable, "-c", ASK], check=True, env=compiled)
