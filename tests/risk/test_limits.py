import pytest

from rpmcore.risk.limits import check_limit


@pytest.mark.parametrize(
    ("observed", "status"),
    [(0.0, "ok"), (0.0159, "ok"), (0.016, "warning"), (0.02, "warning"), (0.0200001, "breach"), (-0.01, "ok")],
)
def test_the_verdict(observed, status):
    found = check_limit("value_at_risk", "historical", observed, 0.02, warning_utilisation=0.8)
    assert found.status == status
    assert found.utilisation == pytest.approx(observed / 0.02)


@pytest.mark.parametrize("observed", [None, float("nan"), float("inf"), float("-inf")])
def test_a_measure_that_is_none_fails_closed(observed):
    found = check_limit("value_at_risk", "historical", observed, 0.02, warning_utilisation=0.8, reason="no data")
    assert found.status == "breach"
    assert found.observed is None
    assert found.observed_reason


def test_the_rounding_of_a_sum_is_no_breach():
    at = check_limit("x", "m", 0.1 + 0.2, 0.3, warning_utilisation=0.8)
    assert (at.status, at.observed) == ("warning", 0.1 + 0.2)
    assert check_limit("x", "m", 0.3 + 1e-9, 0.3, warning_utilisation=0.8).status == "breach"
