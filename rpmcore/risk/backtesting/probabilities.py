"""Probabilities of the laws that the tests refer to.

SciPy is loaded when one is asked for: most runs need none.
"""


def chi_squared_tail(statistic: float, dof: int) -> float:
    """Return P(X ≥ statistic) of the χ² law with `dof` degrees of freedom."""
    from scipy.special import chdtrc

    return float(chdtrc(dof, statistic))


def binomial_cdf(count: int, n_obs: int, rate: float) -> float:
    """Return the probability of `count` or fewer violations in `n_obs` independent days."""
    from scipy.special import bdtr

    return float(bdtr(count, n_obs, rate))


def binomial_tail(count: int, n_obs: int, rate: float) -> float:
    """Return the probability of `count` or more violations in `n_obs` independent days."""
    from scipy.special import bdtrc

    return float(bdtrc(count - 1, n_obs, rate)) if count > 0 else 1.0
