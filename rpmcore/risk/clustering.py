"""Correlations in an order that puts together what moves together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpmcore.domain.arrays import Matrix, as_covariance
from rpmcore.domain.errors import InvalidArgument, Undefined

MOST_GROUPS = 8
"""Groups that a tree is cut into, at most: as many as a reader tells apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationGroup:
    """Neighbours in the order that the tree keeps together.

    `mean_correlation` is that of the pairs within the group; None for a group of one.
    """

    symbols: tuple[str, ...]
    mean_correlation: float | None
    mean_correlation_reason: str = "a group of one has no pairs"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteredCorrelation:
    """Correlations of instruments, ordered.

    Attributes
    ----------
    symbols
        In their order.
    matrix
        (n_assets, n_assets), in the same.
    groups
        At most `MOST_GROUPS`, in the order; together they are all symbols.
    mean_correlation
        Over all pairs.
    constant
        Instruments whose volatility is zero: they have no correlation, and are left out.
    """

    symbols: tuple[str, ...]
    matrix: Matrix
    groups: tuple[CorrelationGroup, ...]
    mean_correlation: float
    constant: tuple[str, ...]


def cluster_correlation(cov: Matrix, symbols: tuple[str, ...]) -> ClusteredCorrelation:
    """Return the correlations of a covariance in the order of a hierarchical clustering.

    The distance of two instruments is √(½(1 − ρ)), a metric: 0 where they move as one, 1 where they are opposite.
    Up to a factor it is the Euclidean distance of standardised returns, so that groups may join by Ward's rule, which
    adds least to the squared distances within them. Where two groups join, each is turned so that the nearer ends meet.

    Parameters
    ----------
    cov
        (n_assets, n_assets), symmetric.
    symbols
        One per row.

    Raises
    ------
    InvalidArgument
        If `cov` is no covariance, or there are more or fewer symbols than rows.
    Undefined
        If fewer than two instruments move.

    References
    ----------
    J.H. Ward, "Hierarchical grouping to optimize an objective function", *JASA* 58 (1963); R.N. Mantegna,
    "Hierarchical structure in financial markets", *European Physical Journal B* 11 (1999); M. López de
    Prado, *Advances in Financial Machine Learning*, 2018, section 16.4, for the distance.
    """
    matrix = as_covariance(cov)
    if len(symbols) != matrix.shape[0]:
        raise InvalidArgument(f"symbols has {len(symbols)} name(s), but cov has {matrix.shape[0]} row(s)")
    moving = np.flatnonzero(np.diagonal(matrix) > 0.0)
    if len(moving) < 2:
        raise Undefined("a correlation needs two instruments that move")
    held = matrix[np.ix_(moving, moving)]
    root = np.sqrt(np.diagonal(held))
    correlation = np.clip(held / np.outer(root, root), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    order, labels = _tree(correlation)
    ordered = np.ascontiguousarray(correlation[np.ix_(order, order)])
    names = tuple(symbols[moving[i]] for i in order)
    upper = ordered[np.triu_indices(len(order), 1)]
    return ClusteredCorrelation(
        symbols=names,
        matrix=ordered,
        groups=_groups(names, ordered, labels[order]),
        mean_correlation=float(upper.mean()),
        constant=tuple(symbols[i] for i in range(len(symbols)) if i not in set(moving.tolist())),
    )


def _tree(correlation: Matrix) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the order of the leaves, and for each leaf the number of its group."""
    from scipy.cluster.hierarchy import fcluster, linkage  # start-up: only the report clusters
    from scipy.spatial.distance import squareform

    distance = np.sqrt(0.5 * (1.0 - correlation))
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="ward")
    return _order(tree, distance), fcluster(tree, MOST_GROUPS, criterion="maxclust")


def _order(tree: Matrix, distance: Matrix) -> NDArray[np.intp]:
    """Return the leaves, each group turned so that it meets the group that it joins with the nearer ends."""
    orders = [[leaf] for leaf in range(len(distance))]
    for one, other in tree[:, :2].astype(np.intp).tolist():
        left, right = orders[one], orders[other]
        ways = [(a, b) for a in (left, left[::-1]) for b in (right, right[::-1])]
        first, second = min(ways, key=lambda way: distance[way[0][-1], way[1][0]])
        orders.append(first + second)
    return np.array(orders[-1])


def _groups(names: tuple[str, ...], matrix: Matrix, labels: NDArray[np.intp]) -> tuple[CorrelationGroup, ...]:
    """Return the runs of equal labels: a tree keeps each group together in any order that it allows."""
    ends = [*np.flatnonzero(np.diff(labels)).tolist(), len(names) - 1]
    groups, start = [], 0
    for end in ends:
        inner = matrix[start : end + 1, start : end + 1]
        pairs = inner[np.triu_indices(len(inner), 1)]
        groups.append(
            CorrelationGroup(
                symbols=names[start : end + 1], mean_correlation=float(pairs.mean()) if len(pairs) else None
            )
        )
        start = end + 1
    return tuple(groups)
