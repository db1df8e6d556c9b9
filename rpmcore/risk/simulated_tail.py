"""The tail of simulated losses: order statistics, and sums beyond them, without keeping the losses.

A `Draw` gives the losses of any paths, again and again to the same bits. The first few paths show between which two
losses an order statistic of all will lie. One pass over all paths then counts and sums what lies above that window,
and keeps only what lies inside: the memory needed grows with the square root of the number of paths.

Sums run within blocks of paths, and block by block, whichever thread drew which: the bits do not depend on threads,
nor on how blocks are handed out.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, sqrt

import numpy as np

from rpmcore.domain.arrays import Matrix, Vector
from rpmcore.kernels import simulation as kernels

Draw = Callable[[np.uint64, float, Vector], int]
"""Simulates paths from the number given on, as many as the vector holds, writes the losses at or beyond a pivot to
its front, in the order of the paths, and returns how many. Called from several threads at once."""

Progress = Callable[[int, int], None]
"""Told how many paths are drawn, and of how many, by the calling thread."""

LARGEST_BLOCK, SMALLEST_BLOCK = 65_536, 4_096
"""Paths that are drawn and summed together: half a megabyte of losses at most. Multiples of four, as draws need."""

SPAN = 2
"""Most blocks of one task: an interrupt waits for no more."""

ALL_KEPT = 16_384
"""So few losses are all kept."""

SAMPLE = 128
"""One path in this many, the first of each run, shows where the windows lie."""

MARGIN = 6.0
"""Half-width of a window in standard deviations of the rank in the sample: one miss, hence a second pass, in 1e9."""

Ranks = tuple[int, int]
"""The first and the last of the order statistics asked for, counted from 1 at the worst loss."""

Window = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What one pass over several runs of equal length knows of their joint tail.

    Attributes
    ----------
    high
        Where the window ends that holds the order statistics asked for.
    beyond
        (n_runs, 3): how many losses of each run lie above `high`, and the sums of their excess and its square.
    inside
        The losses of each run in the window, in the order of the paths.
    """

    high: float
    beyond: Matrix
    inside: tuple[Vector, ...]

    def worst(self, ranks: Sequence[int]) -> list[float]:
        """Return the losses of these ranks among all runs, counted from 1."""
        losses = self.inside[0] if len(self.inside) == 1 else np.concatenate(self.inside)
        places = [losses.shape[0] + int(self.beyond[:, 0].sum()) - rank for rank in ranks]
        first, last = min(places), max(places)
        # One place at a time: NumPy selects several at once without vector instructions, five times as slowly.
        between = np.sort(np.partition(np.partition(losses, last)[: last + 1], first)[first:])
        return [float(between[place - first]) for place in places]

    def excess(self, threshold: float) -> Matrix:
        """Return (n_runs, 3): how many losses of each run exceed `threshold`, and Σe, Σe² of e = loss − threshold.

        `threshold` lies in the window.
        """
        sums = np.array([kernels.excess_sums(losses, threshold) for losses in self.inside])
        if isfinite(self.high):
            counts, totals, squares = self.beyond.T
            step = self.high - threshold
            sums += np.stack([counts, totals + step * counts, squares + step * (2.0 * totals + step * counts)], axis=1)
        return sums


def tails(
    draws: Sequence[Draw],
    n_paths: int,
    ranks: Sequence[Ranks],
    *,
    threads: int = 1,
    margin: float = MARGIN,
    all_kept: int = ALL_KEPT,
    progress: Progress | None = None,
) -> list[Tail]:
    """Return one tail per pair of ranks, of the paths 0 … n_paths − 1 of each of the runs `draws` taken together.

    Parameters
    ----------
    ranks
        Each from 1 to n_paths · len(draws).
    margin, all_kept
        Speed and memory alone: but for the rounding of sums the numbers do not depend on them.
    """
    windows = _windows(draws, n_paths, ranks, threads, margin, all_kept)
    found = _pass(draws, n_paths, windows, threads, progress)
    for tail, (first, last) in zip(found, ranks, strict=True):
        above = int(tail.beyond[:, 0].sum())
        if not above < first <= last <= above + sum(losses.shape[0] for losses in tail.inside):
            return tails(
                draws, n_paths, ranks, threads=threads, margin=4.0 * margin, all_kept=all_kept, progress=progress
            )
    return found


def _windows(
    draws: Sequence[Draw], n_paths: int, ranks: Sequence[Ranks], threads: int, margin: float, all_kept: int
) -> list[Window]:
    """Return where the order statistics of all paths probably lie, from those of the first few."""
    size = n_paths // SAMPLE
    if n_paths * len(draws) <= all_kept or size == 0:
        return [(-inf, inf)] * len(ranks)
    bounds = [_bounds(r, size / n_paths, margin) for r in ranks]
    total = size * len(draws)
    inner = [(max(first, 1), min(last, total)) for first, last in bounds]
    windows = []
    # A thread takes longer to start than a short sample to draw.
    sampled = tails(draws, size, inner, threads=threads if total > 1_000_000 else 1, margin=margin, all_kept=all_kept)
    for (first, last), clipped, tail in zip(bounds, inner, sampled, strict=True):
        high, low = tail.worst(clipped)
        windows.append((low if last <= total else -inf, high if first >= 1 else inf))
    return windows


def _bounds(ranks: Ranks, share: float, margin: float) -> Ranks:
    first, last = (rank * share for rank in ranks)
    return floor(first - margin * sqrt(first) - margin), ceil(last + margin * sqrt(last) + margin)


def _pass(
    draws: Sequence[Draw],
    n_paths: int,
    windows: Sequence[Window],
    threads: int,
    progress: Progress | None,
) -> list[Tail]:
    """Draw every path once."""
    size = block_size(n_paths)
    n_blocks = ceil(n_paths / size)
    span = min(SPAN, ceil(n_blocks * len(draws) / (8 * threads)))
    pivot = min(low for low, _ in windows)
    tasks = [(run, first) for run in range(len(draws)) for first in range(0, n_blocks, span)]
    beyond = np.zeros((len(windows), len(draws), n_blocks, 3))
    inside: list[list[Vector]] = [[] for _ in tasks]

    def worker() -> Callable[[int], None]:
        losses, band = np.empty(size), np.empty(size)

        def work(number: int) -> None:
            run, first = tasks[number]
            kept: list[list[Vector]] = [[] for _ in windows]
            for block in range(first, min(first + span, n_blocks)):
                start = block * size
                count = draws[run](np.uint64(start), pivot, losses[: n_paths - start])
                for i, (low, high) in enumerate(windows):
                    n_inside, *beyond[i, run, block] = kernels.split(losses[:count], low, high, band)
                    kept[i].append(band[:n_inside].copy())
            inside[number] = [np.concatenate(parts) for parts in kept]

        return work

    def tell(n_done: int) -> None:
        if progress is not None:
            progress(n_done * n_paths * len(draws) // len(tasks), n_paths * len(draws))

    share(worker, len(tasks), threads, tell)
    of_run = [[number for number, (owner, _) in enumerate(tasks) if owner == run] for run in range(len(draws))]
    return [
        Tail(
            high=high,
            beyond=beyond[i].sum(axis=1),
            inside=tuple(np.concatenate([inside[number][i] for number in numbers]) for numbers in of_run),
        )
        for i, (_, high) in enumerate(windows)
    ]


def block_size(n_paths: int) -> int:
    """Return how many paths are drawn together: enough blocks to share, and few enough not to count."""
    return min(LARGEST_BLOCK, max(SMALLEST_BLOCK, ceil(n_paths / 131_072) * 2_048))


def share(
    worker: Callable[[], Callable[[int], None]], n_tasks: int, threads: int, tell: Callable[[int], None] | None = None
) -> None:
    """Do the tasks 0 … n_tasks − 1, each by whichever of `threads` threads is free; the calling one is one of them.

    Parameters
    ----------
    worker
        Called once in each thread, for what the thread needs for itself; returns what does a task.
    tell
        Called by the calling thread after each of its tasks, and at the end, with how many tasks are done or begun.
    """
    waiting = deque(range(n_tasks))

    def until_none_waits(after_each: Callable[[int], None] | None) -> None:
        work = worker()
        while True:
            try:
                task = waiting.popleft()
            except IndexError:
                return
            work(task)
            if after_each is not None:
                after_each(n_tasks - len(waiting))

    if threads == 1:
        until_none_waits(tell)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(until_none_waits, None) for _ in range(min(threads, n_tasks) - 1)]
        try:
            until_none_waits(tell)
        finally:
            waiting.clear()  # an interrupt of the calling thread ends the others after the task they are at
        for other in others:
            other.result()
    if tell is not None:
        tell(n_tasks)
