import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.domain.errors import InvalidArgument, Undefined
from rpmcore.risk.clustering import MOST_GROUPS, cluster_correlation
from tests.oracles.clustering import distances, orders, ward_tree
from tests.samples import correlated_returns


def near_ends_meet(tree, order, distance):
    """Tell whether the two groups of every join meet with the nearer of their ends."""
    if not isinstance(tree, tuple):
        return True
    left, right = (tuple(leaf for leaf in order if leaf in leaves(part)) for part in tree)
    if order.index(left[0]) > order.index(right[0]):
        left, right = right, left
    meeting = distance[left[-1], right[0]]
    ends = [distance[a, b] for a in (left[0], left[-1]) for b in (right[0], right[-1])]
    return meeting <= min(ends) + 1e-9 and all(near_ends_meet(part, order, distance) for part in tree)


def leaves(tree):
    return {leaf for part in tree for leaf in leaves(part)} if isinstance(tree, tuple) else {tree}


def names(n):
    return tuple(f"A{i}" for i in range(n))


@given(st.integers(0, 10_000), st.integers(2, 7))
def test_the_order_is_one_that_wards_tree_allows_and_near_ends_meet(seed, n):
    returns = correlated_returns(40, n, seed)
    standard = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    found = cluster_correlation(np.cov(returns, rowvar=False), names(n))
    correlation = np.corrcoef(returns, rowvar=False)
    tree, distance = ward_tree(standard.T), distances(correlation)
    order = tuple(int(symbol[1:]) for symbol in found.symbols)
    assert order in set(orders(tree))
    assert near_ends_meet(tree, order, distance)
    np.testing.assert_allclose(found.matrix, correlation[np.ix_(order, order)], atol=1e-12)


@given(st.integers(0, 10_000), st.integers(2, 30), st.randoms(use_true_random=False))
def test_what_goes_in_comes_out_whatever_its_order(seed, n, random):
    cov = np.cov(correlated_returns(60, n, seed), rowvar=False)
    shuffled = random.sample(range(n), n)
    found = cluster_correlation(cov, names(n))
    again = cluster_correlation(np.ascontiguousarray(cov[np.ix_(shuffled, shuffled)]), tuple(f"A{i}" for i in shuffled))
    assert sorted(found.symbols) == sorted(names(n))
    assert again.mean_correlation == pytest.approx(found.mean_correlation, abs=1e-9)
    assert {frozenset(g.symbols) for g in again.groups} == {frozenset(g.symbols) for g in found.groups}
    assert tuple(s for group in found.groups for s in group.symbols) == found.symbols
    assert len(found.groups) <= MOST_GROUPS


def test_blocks_that_move_together_stand_together():
    block = np.full((6, 6), 0.1)
    for i in range(6):
        for j in range(6):
            if i % 2 == j % 2:
                block[i, j] = 0.9
    np.fill_diagonal(block, 1.0)
    found = cluster_correlation(block, names(6))
    halves = {frozenset(found.symbols[:3]), frozenset(found.symbols[3:])}
    assert halves == {frozenset({"A0", "A2", "A4"}), frozenset({"A1", "A3", "A5"})}


def test_what_never_moves_is_left_out_and_named():
    found = cluster_correlation(np.diag([1.0, 0.0, 4.0]), names(3))
    assert found.constant == ("A1",)
    assert sorted(found.symbols) == ["A0", "A2"]
    assert found.mean_correlation == 0.0


def test_misuse():
    with pytest.raises(Undefined, match="two instruments that move"):
        cluster_correlation(np.diag([1.0, 0.0]), names(2))
    with pytest.raises(InvalidArgument, match="3 name"):
        cluster_correlation(np.eye(2), names(3))
