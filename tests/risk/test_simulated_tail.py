"""The tail found in one pass, wherever it lies, against sorting all losses; and who does which task."""

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.kernels import simulation as kernels
from rpmcore.risk import simulated_tail
from rpmcore.risk.simulated_tail import share, tails
from rpmcore.risk.simulation import simulate_losses, simulate_tail_risk

COMPILED = hasattr(kernels.asset_losses, "py_func")


def draw_of(by_path):
    """Give a draw of losses that are known beforehand."""

    def draw(first, pivot, losses):
        mine = by_path[int(first) : int(first) + losses.shape[0]]
        kept = mine[mine >= pivot]
        losses[: kept.shape[0]] = kept
        return kept.shape[0]

    return draw


def paths_in(order, n_paths):
    return {
        "rising": np.arange(n_paths),
        "falling": np.arange(n_paths)[::-1],
        "shuffled": np.random.default_rng(3).permutation(n_paths),
        "level": np.zeros(n_paths),
        "steps": np.random.default_rng(4).integers(0, 50, n_paths),
    }[order].astype(float)


def check(found, runs, ranks):
    """Compare with all losses, sorted."""
    ordered = np.sort(np.concatenate(runs))[::-1]
    middle = (ranks[0] + ranks[1]) // 2
    first, between, last = found.worst([ranks[0], middle, ranks[1]])
    assert (first, between, last) == (ordered[ranks[0] - 1], ordered[middle - 1], ordered[ranks[1] - 1])
    for run, sums in zip(runs, found.excess(between), strict=True):
        excess = run[run > between] - between
        np.testing.assert_allclose(sums, [excess.shape[0], excess.sum(), (excess**2).sum()], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("order", ["rising", "falling", "shuffled", "level", "steps"])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ranks", [(1, 1), (680, 720), (20_011, 20_011), (1, 20_011)])
def test_the_tail_is_found_wherever_it_lies(order, threads, ranks):
    by_path = paths_in(order, 20_011)
    (found,) = tails([draw_of(by_path)], 20_011, [ranks], threads=threads, all_kept=100)
    check(found, [by_path], ranks)


def test_a_window_keeps_little_of_a_shuffled_tail():
    by_path = paths_in("shuffled", 200_000)
    (found,) = tails([draw_of(by_path)], 200_000, [(9_900, 10_100)])
    assert found.inside[0].shape[0] < 20_000
    check(found, [by_path], (9_900, 10_100))


@given(
    st.integers(1, 4),
    st.integers(1, 3_000),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.sampled_from(["rising", "shuffled", "steps"]),
)
def test_runs_are_taken_together(n_runs, n_paths, one, other, order):
    runs = [paths_in(order, n_paths) + run / 3.0 for run in range(n_runs)]
    low, high = sorted(1 + int(share * (n_paths * n_runs - 1)) for share in (one, other))
    found = tails([draw_of(run) for run in runs], n_paths, [(low, high), (1, low)], all_kept=50)
    check(found[0], runs, (low, high))
    check(found[1], runs, (1, low))


def test_memory_hardly_grows_with_the_paths():
    def draw(first, pivot, losses):
        losses[:] = (np.arange(losses.shape[0]) + int(first)) * 0.618_033_988_75 % 1.0
        kept = losses[losses >= pivot]
        losses[: kept.shape[0]] = kept
        return kept.shape[0]

    def peak(n_paths):
        tracemalloc.start()
        tails([draw], n_paths, [(n_paths // 20, n_paths // 20)])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(1_000_000), peak(16_000_000)
    assert many < 8 * 16_000_000 / 20  # a twentieth of the losses are in the tail: they are not all kept
    assert many < 6 * few  # √16 = 4 times as much in the window, and blocks 65,536 paths long


@pytest.mark.parametrize("sampling", ["pseudo", "antithetic", "sobol"])
@pytest.mark.parametrize("reduction", [False, True])
@pytest.mark.parametrize(("distribution", "dof"), [("normal", None), ("student_t", 4.5)])
@pytest.mark.parametrize("span", [1, 3, 17])
def test_tasks_of_any_size_on_any_thread_give_the_same_bits(sampling, reduction, distribution, dof, span, monkeypatch):
    if reduction and sampling == "antithetic":
        sampling = "pseudo"
    n_paths = 65_536 if COMPILED else 256
    arguments = {
        "weights": np.array([0.6, -0.2, 0.3]),
        "cov": np.diag([1e-4, 2e-4, 3e-4]),
        "n_paths": n_paths,
        "seed": 3,
        "distribution": distribution,
        "dof": dof,
        "horizon": 2,
        "reduction": reduction,
        "sampling": sampling,
    }
    tail = simulate_tail_risk(**arguments, confidences=[0.99, 0.95])
    losses = simulate_losses(**arguments)
    monkeypatch.setattr(simulated_tail, "SPAN", span)
    assert tail == simulate_tail_risk(**arguments, confidences=[0.99, 0.95], threads=2)
    monkeypatch.setattr("rpmcore.risk.simulation.block_size", lambda _: 1_004)
    np.testing.assert_array_equal(losses, simulate_losses(**arguments, threads=2))


def test_ten_million_paths_of_fifty_assets_give_the_same_bits_however_they_are_shared(monkeypatch):
    n_paths = 10_000_000 if COMPILED else 100
    generator = np.random.default_rng(50)
    weights, history = generator.normal(size=50), generator.standard_normal((500, 50)) * 0.01
    cov = history.T @ history / 500
    tail = simulate_tail_risk(weights, cov, [0.95, 0.99, 0.999], n_paths, seed=1)
    losses = simulate_losses(weights, cov, n_paths, seed=1)
    monkeypatch.setattr(simulated_tail, "SPAN", 5)
    assert tail == simulate_tail_risk(weights, cov, [0.95, 0.99, 0.999], n_paths, seed=1, threads=2)
    monkeypatch.setattr("rpmcore.risk.simulation.block_size", lambda _: 77_778)
    other = simulate_losses(weights, cov, n_paths, seed=1, threads=2)
    assert losses.tobytes() == other.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n_tasks", [1, 2, 100])
def test_every_task_is_done_once_and_told(threads, n_tasks):
    done, told = [], []
    share(lambda: done.append, n_tasks, threads, told.append)
    assert sorted(done) == list(range(n_tasks))
    assert told == sorted(told)
    assert told[-1] == n_tasks


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_ends_all_threads(threads):
    caller, done = threading.get_ident(), []

    def work(task):
        if threading.get_ident() == caller:
            raise KeyboardInterrupt
        done.append(task)

    with pytest.raises(KeyboardInterrupt):
        share(lambda: work, 10_000_000, threads)
    assert len(done) < 10_000_000


def test_an_error_in_another_thread_is_raised():
    caller = threading.get_ident()
    other_began = threading.Event()

    def work(_):
        if threading.get_ident() == caller:
            other_began.wait()
        else:
            other_began.set()
            raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        share(lambda: work, 2, 2)
