"""Scores of variance forecasts, day by day in plain loops."""

import math

import numpy as np


def qlike(variances, pnl):
    return sum(math.log(v) + p * p / v for v, p in zip(variances, pnl, strict=True)) / len(pnl)


def exceedance(variances, pnl, quantile):
    return sum(-p > quantile * math.sqrt(v) for v, p in zip(variances, pnl, strict=True)) / len(pnl)


def matrix_score(covariances, rows):
    total = 0.0
    for cov, row in zip(covariances, rows, strict=True):
        sign, log_det = np.linalg.slogdet(cov)
        assert sign > 0
        total += (log_det + row @ np.linalg.inv(cov) @ row) / len(row)
    return total / len(rows)
