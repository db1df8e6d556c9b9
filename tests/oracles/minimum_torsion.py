"""The iteration as Meucci, Santangelo and Deguest (2015) state it, with matrix roots."""

import numpy as np
from scipy.linalg import sqrtm


def as_published(cov, steps=2000):
    deviations = np.diag(np.sqrt(np.diag(cov)))
    unit = np.linalg.inv(deviations)
    c = np.real(sqrtm(unit @ cov @ unit))
    d = np.ones(len(cov))
    for _ in range(steps):
        u = np.real(sqrtm(np.diag(d) @ c @ c @ np.diag(d)))
        q = np.linalg.inv(u) @ np.diag(d) @ c
        d = np.diag(q @ c)
    return deviations @ np.diag(d) @ q @ np.linalg.inv(c) @ unit
