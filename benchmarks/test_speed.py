"""Ours and the peer, one after the other in one process; `run.py` makes the ratio of the medians."""

import pytest

from benchmarks.cases import CASES


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def pair(request):
    return request.param, request.param.build()


@pytest.mark.parametrize("side", ["ours", "peer"])
def test_speed(benchmark, pair, side):
    case, (ours, peer) = pair
    benchmark.group = case.name
    benchmark.extra_info["side"] = side
    benchmark(ours if side == "ours" else peer)
