"""Points of a Sobol sequence by their index, and the normal quantile that turns them into shocks.

References
----------
I. Sobol, "On the distribution of points in a cube and the approximate evaluation of integrals", *USSR Computational
Mathematics and Mathematical Physics* 7 (1967).
M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", *Applied Statistics* 37 (1988),
routine PPND16.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rpmcore.kernels._jit import kernel
from rpmcore.kernels.random_numbers import logarithm

Vector = NDArray[np.float64]
Words = NDArray[np.uint64]

ZERO, ONE = np.uint64(0), np.uint64(1)


@kernel("(u8[::1], u8[::1], u8, u8[::1])")
def sobol_words(points: Words, columns: Words, shift: np.uint64, words: Words) -> None:
    """Write one coordinate of each point as a word: 2⁶⁴ times the coordinate.

    The coordinate is `shift` ⊕ the columns of the generator matrix where the binary digits of the index are one. The
    points stand in the order of their index, not of its Gray code: one does not need its predecessor.
    """
    every = ZERO
    for i in range(points.shape[0]):
        every |= points[i]
        words[i] = shift
    for j in range(columns.shape[0]):
        digit, column = np.uint64(j), columns[j]
        if (every >> digit) & ONE != ZERO:
            for i in range(points.shape[0]):
                words[i] ^= column if (points[i] >> digit) & ONE != ZERO else ZERO


@kernel("(f8[::1], f8[::1])")
def normal_quantiles(u: Vector, scratch: Vector) -> None:
    """Replace each u of the open interval (0, 1) by z with Φ(z) = u, to 1e-15 of it.

    All three rational functions are evaluated for every element and one is chosen: without branches the loop
    vectorises.
    """
    for i in range(u.shape[0]):
        scratch[i] = min(u[i], 1.0 - u[i])
    logarithm(scratch[: u.shape[0]])
    for i in range(u.shape[0]):
        q = u[i] - 0.5
        r = 0.180625 - q * q
        a = 2.5090809287301226727e3
        a = a * r + 3.3430575583588128105e4
        a = a * r + 6.7265770927008700853e4
        a = a * r + 4.5921953931549871457e4
        a = a * r + 1.3731693765509461125e4
        a = a * r + 1.9715909503065514427e3
        a = a * r + 1.3314166789178437745e2
        a = (a * r + 3.3871328727963666080) * q
        b = 5.2264952788528545610e3
        b = b * r + 2.8729085735721942674e4
        b = b * r + 3.9307895800092710610e4
        b = b * r + 2.1213794301586595867e4
        b = b * r + 5.3941960214247511077e3
        b = b * r + 6.8718700749205790830e2
        b = b * r + 4.2313330701600911252e1
        b = b * r + 1.0

        root = math.sqrt(-scratch[i])
        r = root - 1.6
        c = 7.74545014278341407640e-4
        c = c * r + 2.27238449892691845833e-2
        c = c * r + 2.41780725177450611770e-1
        c = c * r + 1.27045825245236838258
        c = c * r + 3.64784832476320460504
        c = c * r + 5.76949722146069140550
        c = c * r + 4.63033784615654529590
        c = c * r + 1.42343711074968357734
        d = 1.05075007164441684324e-9
        d = d * r + 5.47593808499534494600e-4
        d = d * r + 1.51986665636164571966e-2
        d = d * r + 1.48103976427480074590e-1
        d = d * r + 6.89767334985100004550e-1
        d = d * r + 1.67638483018380384940
        d = d * r + 2.05319162663775882187
        d = d * r + 1.0

        r = root - 5.0
        e = 2.01033439929228813265e-7
        e = e * r + 2.71155556874348757815e-5
        e = e * r + 1.24266094738807843860e-3
        e = e * r + 2.65321895265761230930e-2
        e = e * r + 2.96560571828504891230e-1
        e = e * r + 1.78482653991729133580
        e = e * r + 5.46378491116411436990
        e = e * r + 6.65790464350110377720
        f = 2.04426310338993978564e-15
        f = f * r + 1.42151175831644588870e-7
        f = f * r + 1.84631831751005468180e-5
        f = f * r + 7.86869131145613259100e-4
        f = f * r + 1.48753612908506148525e-2
        f = f * r + 1.36929880922735805310e-1
        f = f * r + 5.99832206555887937690e-1
        f = f * r + 1.0

        outer = root > 5.0
        above, below = (e, f) if outer else (c, d)
        if q < 0.0:
            above = -above
        inner = abs(q) <= 0.425
        above, below = (a, b) if inner else (above, below)
        u[i] = above / below
