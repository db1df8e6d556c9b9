import numpy as np
import pytest

from rpmcore.kernels import newey_west as kernels
from tests.oracles import regression as oracle


@pytest.fixture(params=["compiled", "plain"])
def form(request, plain):
    return plain if request.param == "plain" else (lambda kernel: kernel)


@pytest.mark.parametrize(("n_rows", "lags"), [(1, 0), (2, 1), (9, 0), (9, 2), (10, 3), (11, 4), (12, 11), (40, 6)])
def test_errors_are_bartletts_weighted_sums(form, n_rows, lags):
    rng = np.random.default_rng(n_rows + lags)
    residuals, influence = rng.standard_normal((n_rows, 4)), rng.standard_normal((n_rows, 3))
    errors = np.full((4, 3), 7.0)
    form(kernels.newey_west)(residuals, influence, lags, errors)
    for i in range(4):
        variances = np.diag(oracle.bartlett(influence * residuals[:, i : i + 1], lags))
        np.testing.assert_allclose(errors[i] ** 2, variances, rtol=1e-11, atol=1e-13)
