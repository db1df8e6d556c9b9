import numpy as np
import pytest

from rpmcore.kernels import bootstrap as kernels
from tests.oracles import bootstrap as oracle


@pytest.mark.parametrize(("n", "block"), [(1, 1), (7, 1), (10, 3), (25, 25), (50, 8)])
@pytest.mark.parametrize("seed", [0, 2**63 + 5])
def test_the_rows_are_those_of_the_definition(n, block, seed):
    out = np.empty(n)
    for replicate in (0, 1, 999):
        kernels.resample(np.arange(float(n)), np.uint64(seed), np.uint64(replicate), block, out)
        assert out.tolist() == oracle.rows(n, seed, replicate, block)
