from math import nan

import pytest

from rpmcore.risk.settings import StressSettings
from rpmcore.risk.stress.criteria import failed_loss, failed_ratio

SETTINGS = StressSettings()


@pytest.mark.parametrize(("loss", "passes"), [(0.15, True), (0.1501, False), (-1.0, True), (nan, False)])
def test_a_loss_passes_up_to_the_criterion_and_no_number_does_not(loss, passes):
    assert (failed_loss(loss, SETTINGS) == ()) is passes


@pytest.mark.parametrize("daily", [True, False])
@pytest.mark.parametrize(
    ("loss", "ratio", "passes"),
    [(0.1, 2.0, True), (0.1, 2.01, False), (0.1, None, False), (0.0, None, True), (0.1, nan, False)],
)
def test_a_ratio_passes_up_to_the_criterion_and_a_loss_without_a_var_does_not(loss, ratio, passes, daily):
    assert (failed_ratio(loss, ratio, SETTINGS, daily=daily) == ()) is passes
