"""Runs that are as long as a precision takes."""

import numpy as np
import pytest

from rpmcore.domain.errors import InvalidArgument
from rpmcore.kernels import simulation as kernels
from rpmcore.risk import simulation
from rpmcore.risk.simulation import simulate_tail_risk, simulate_to_precision

COMPILED = hasattr(kernels.asset_losses, "py_func")
WEIGHTS, COV = np.array([0.5, -0.3]), np.array([[4.0, 1.0], [1.0, 2.0]]) * 1e-4


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    if not COMPILED:
        monkeypatch.setattr(simulation, "FIRST_PATHS", 256)


def coarse(precision):
    """Plain Python kernels draw few paths."""
    return precision if COMPILED else 60.0 * precision


def largest(measures):
    return max(
        error / value
        for m in measures
        for error, value in (
            (m.value_at_risk_error, m.value_at_risk),
            (m.expected_shortfall_error, m.expected_shortfall),
        )
    )


@pytest.mark.parametrize(
    ("sampling", "reduction", "dof", "precision"),
    [
        ("pseudo", True, None, 0.002),
        ("pseudo", False, 4.5, 0.004),
        ("antithetic", False, None, 0.003),
        ("sobol", True, None, 0.0001),
        ("sobol", True, 4.5, 0.001),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_result_is_one_run_of_as_many_paths_as_it_took(sampling, reduction, dof, precision, threads):
    model = {
        "seed": 11,
        "distribution": "normal" if dof is None else "student_t",
        "dof": dof,
        "reduction": reduction,
        "sampling": sampling,
    }
    wanted = coarse(precision)
    found = simulate_to_precision(WEIGHTS, COV, [0.95, 0.99], wanted, **model, threads=threads)
    assert found.measures == simulate_tail_risk(WEIGHTS, COV, [0.95, 0.99], found.n_paths, **model)
    assert found.precision == largest(found.measures)
    assert found.precision <= wanted
    assert found.reason is None
    assert found.n_paths > simulation.FIRST_PATHS or not COMPILED


def test_a_coarse_precision_takes_the_first_run_alone():
    found = simulate_to_precision(WEIGHTS, COV, [0.95], 0.9, seed=1)
    assert found.n_paths == simulation.FIRST_PATHS


def test_no_run_is_much_longer_than_it_had_to_be():
    wanted = 0.002 if COMPILED else 0.03
    found = simulate_to_precision(WEIGHTS, COV, [0.99], wanted, seed=1, reduction=True)
    assert found.precision > wanted / 2.0


def test_it_tells_where_it_is():
    told = []
    wanted = coarse(0.002)
    found = simulate_to_precision(
        WEIGHTS, COV, [0.99], wanted, seed=1, reduction=True, progress=lambda *step: told.append(step)
    )
    done, of = (list(column) for column in zip(*told, strict=True))
    assert done == sorted(done)
    assert of == sorted(of)
    assert all(d <= total for d, total in told)
    assert told[-1][0] == told[-1][1] >= found.n_paths


@pytest.mark.parametrize(("sampling", "most", "drawn"), [("pseudo", 1_001, 1_001), ("sobol", 1_001, 992)])
def test_too_few_paths_are_never_silent(sampling, most, drawn):
    found = simulate_to_precision(
        WEIGHTS, COV, [0.95], 1e-6, seed=1, maximum_paths=most, reduction=True, sampling=sampling
    )
    assert found.n_paths == drawn
    assert found.precision == largest(found.measures)
    assert found.precision > 1e-6
    assert found.reason.startswith(f"{drawn} paths, the most allowed, leave a relative standard error that is ")
    assert found.reason.endswith("not 1e-06")


def test_no_standard_error_is_no_precision():
    found = simulate_to_precision(WEIGHTS, COV, [0.999], 0.5, seed=1, maximum_paths=100)
    assert found.precision is None
    assert "unknown" in found.reason
    assert found.measures[0].value_at_risk_error is None


def test_a_thin_tail_makes_the_run_longer():
    confidence = 0.999_999 if COMPILED else 0.999
    found = simulate_to_precision(WEIGHTS, COV, [confidence], 0.5, seed=1, reduction=True)
    assert found.reason is None
    assert found.n_paths > simulation.FIRST_PATHS


def test_a_book_that_cannot_lose_is_known_at_once():
    found = simulate_to_precision(np.zeros(2), COV, [0.95], 1e-9, seed=1)
    assert (found.precision, found.reason, found.n_paths) == (0.0, None, simulation.FIRST_PATHS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precision": 0.0}, r"precision must lie in \(0, 1\), such as 0.001 for 0.1 %, but is 0.0"),
        ({"precision": float("nan")}, "precision"),
        ({"precision": 1}, "precision"),
        ({"maximum_paths": 31}, "maximum_paths must be a whole number from 32"),
        ({"confidences": []}, "at least one"),
        ({"threads": 0}, "threads"),
        ({"sampling": "dice"}, "sampling"),
    ],
)
def test_misuse_is_named(change, message):
    arguments = {"weights": WEIGHTS, "cov": COV, "confidences": [0.95], "precision": 0.01, "seed": 1} | change
    with pytest.raises(InvalidArgument, match=message):
        simulate_to_precision(**arguments)
