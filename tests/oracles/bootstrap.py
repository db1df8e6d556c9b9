"""Circular block resampling in Python's whole numbers."""

from tests.oracles.philox import words

STREAM = 0xB0075742


def rows(n, seed, replicate, block):
    """The rows of one resample of n."""
    chosen = []
    for run in range(-(-n // block)):
        low, _ = words(run, replicate, STREAM, seed)
        start = (low >> 32) * n >> 32
        chosen += [(start + i) % n for i in range(block)]
    return chosen[:n]
