"""Backtests as their papers write them, with SciPy and statsmodels, in plain loops."""

import math
from itertools import pairwise

import numpy as np
from scipy import optimize, stats

from tests.oracles.philox import words
from tests.oracles.simulation import normal_pair, student_t

VIOLATIONS, RETURNS, BOOTSTRAP = 0xBAC7E570, 0xBAC7E571, 0xB0075742


def xlogy(x, y):
    return 0.0 if x == 0 else x * math.log(y)


def coverage(hits, rate):
    """Kupiec's ratio as a difference of binomial log-probabilities."""
    n, x = len(hits), sum(hits)
    return 2.0 * (stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, rate))


def table(hits):
    found = [[0, 0], [0, 0]]
    for before, after in pairwise(hits):
        found[int(before)][int(after)] += 1
    return found


def independence(hits):
    """Christoffersen's likelihoods, state by state."""
    (n00, n01), (n10, n11) = table(hits)

    def log_likelihood(quiet, violations, probability):
        return xlogy(quiet, 1.0 - probability) + xlogy(violations, probability)

    if 0 in (n00 + n01, n10 + n11):
        return 0.0
    pooled = (n01 + n11) / (len(hits) - 1)
    chain = log_likelihood(n00, n01, n01 / (n00 + n01)) + log_likelihood(n10, n11, n11 / (n10 + n11))
    return 2.0 * (chain - log_likelihood(n00 + n10, n01 + n11, pooled))


def durations(hits):
    """Days between violations, and which of them are censored, after Christoffersen and Pelletier, section 3."""
    days = [t for t, hit in enumerate(hits, start=1) if hit]
    found = [(later - earlier, False) for earlier, later in pairwise(days)]
    if not hits[0]:
        found.insert(0, (days[0], True))
    if not hits[-1]:
        found.append((len(hits) - days[-1], True))
    return found


def duration(hits):
    """The Weibull likelihood maximised over both parameters, and over the scale alone at shape 1."""
    spells = durations(hits)

    def minus(log_a, log_b):
        a, b = math.exp(log_a), math.exp(log_b)
        total = 0.0
        for length, censored in spells:
            total -= (a * length) ** b
            if not censored:
                total += b * math.log(a) + math.log(b) + (b - 1.0) * math.log(length)
        return -total

    start = -math.log(np.mean([length for length, _ in spells]))
    tight = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 10_000, "maxfev": 10_000}
    free = optimize.minimize(lambda x: minus(*x), [start, 0.0], method="Nelder-Mead", options=tight)
    one = optimize.minimize_scalar(lambda x: minus(x, 0.0), bracket=(start - 1.0, start), tol=1e-12)
    return 2.0 * (one.fun - free.fun), math.exp(free.x[1])


def dynamic_quantile(losses, var, rate):
    """The explained sum of squares of a fit on the independent regressors, over p(1 − p), and how many these are."""
    import statsmodels.api as sm

    hit = np.array([float(loss > v) - rate for loss, v in zip(losses, var, strict=True)])
    rows = [
        [1.0, var[t], hit[t - 1], hit[t - 2], hit[t - 3], hit[t - 4], losses[t - 1] ** 2] for t in range(4, len(hit))
    ]
    x = np.array(rows) / np.maximum(np.abs(rows).max(axis=0), 1e-300)
    independent = []
    for column in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*independent, column]], tol=1e-9) > len(independent):
            independent.append(column)
    fit = sm.OLS(hit[4:], x[:, independent]).fit()
    return float(fit.fittedvalues @ fit.fittedvalues) / (rate * (1.0 - rate)), len(independent)


def random_violations(n_obs, rate, seed, replicate):
    threshold = int(rate * 2**64)
    return [day for day in range(n_obs) if words(day // 2, replicate, VIOLATIONS, seed)[day % 2] < threshold]


def as_hits(rows, n_obs):
    return [day in set(rows) for day in range(n_obs)]


def acerbi_szekely(ratios, hits, rate):
    """Z1 and Z2 from losses over expected shortfall."""
    beyond = [ratio for ratio, hit in zip(ratios, hits, strict=True) if hit]
    z1 = 1.0 - sum(beyond) / len(beyond) if beyond else math.nan
    return z1, 1.0 - sum(beyond) / (len(ratios) * rate)


def returns(n_obs, dof, seed, replicate):
    """Standardised draws: normals in two halves of one pair each, or one Student-t a day."""
    if dof == math.inf:
        pairs = [normal_pair(*words(day, replicate, RETURNS, seed)) for day in range((n_obs + 1) // 2)]
        return ([z for z, _ in pairs] + [z for _, z in pairs])[:n_obs]
    return [student_t(*words(day, replicate, RETURNS, seed), dof) for day in range(n_obs)]


def t_statistic(values):
    if min(values) == max(values):
        return math.copysign(math.inf, values[0]) if values[0] else 0.0
    return float(stats.ttest_1samp(values, 0.0).statistic)


def fissler_ziegel(y, v, e, alpha):
    """FZ0 of Patton, Ziegel and Chen, equation 6, on returns: v and e are negative."""
    return -(1.0 / (alpha * e)) * float(y <= v) * (v - y) + v / e + math.log(-e) - 1.0


def diebold_mariano(first, second, lags):
    """The mean difference and its standard error, by a regression on a constant with Newey–West errors."""
    import statsmodels.api as sm

    apart = np.asarray(first) - np.asarray(second)
    fit = sm.OLS(apart, np.ones(len(apart))).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    return float(fit.params[0]), float(fit.bse[0])
