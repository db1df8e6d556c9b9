"""Ward's tree by the definition, and every order of its leaves."""

from itertools import combinations

import numpy as np


def ward_tree(points):
    """Return the tree of points (n, d) as nested pairs of indices: join what adds least to the squares within."""
    clusters = {i: (i, [i]) for i in range(len(points))}

    def within(members):
        held = points[members]
        return float(((held - held.mean(axis=0)) ** 2).sum())

    while len(clusters) > 1:
        a, b = min(
            combinations(clusters, 2),
            key=lambda pair: (
                within(clusters[pair[0]][1] + clusters[pair[1]][1])
                - within(clusters[pair[0]][1])
                - within(clusters[pair[1]][1])
            ),
        )
        tree, members = (clusters[a][0], clusters[b][0]), clusters[a][1] + clusters[b][1]
        del clusters[a], clusters[b]
        clusters[max(clusters, default=len(points)) + len(points)] = (tree, members)
    return next(iter(clusters.values()))[0]


def orders(tree):
    """Yield every order of the leaves that the tree allows: each pair either way round."""
    if not isinstance(tree, tuple):
        yield (tree,)
        return
    for left in orders(tree[0]):
        for right in orders(tree[1]):
            yield left + right
            yield right + left


def distances(correlation):
    return np.sqrt(0.5 * (1.0 - correlation))
