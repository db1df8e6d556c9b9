"""Philox4x32-10 in Python's whole numbers, after Salmon et al. 2011, section 3.3."""

MASK = 0xFFFFFFFF


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the four words of 32 bits of one block."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        left, right = 0xD2511F53 * x0, 0xCD9E8D57 * x2
        x0, x1, x2, x3 = (right >> 32) ^ x1 ^ k0, right & MASK, (left >> 32) ^ x3 ^ k1, left & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return x0, x1, x2, x3


def words(path: int, index: int, stream: int, seed: int) -> tuple[int, int]:
    """Return the block of (path, index, stream) under a seed as two words of 64 bits."""
    x0, x1, x2, x3 = philox((path & MASK, path >> 32, index, stream), (seed & MASK, seed >> 32))
    return x1 << 32 | x0, x3 << 32 | x2
