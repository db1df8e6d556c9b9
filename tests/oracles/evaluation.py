"""`rpm evaluate` on a book of market values in a USD account, from the raw files, in NumPy alone."""

import math
from statistics import NormalDist

import numpy as np
import pyarrow.parquet as pq

PAIRS = {"EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "USDCHF", "NZDUSD", "EURGBP", "EURJPY"}


def dollars_per(currency, price):
    """Price in USD of one unit of a currency, from the rates of the same row."""
    if currency == "USD":
        return np.ones(len(price["EURUSD"]))
    if currency == "JPY":
        return 1.0 / price["USDJPY"]
    if currency == "GBP":
        return price["GBPUSD"]
    raise AssertionError(currency)


def returns_in_dollars(symbol, price):
    p = price[symbol]
    if symbol not in PAIRS:
        return p[1:] / p[:-1] - 1.0
    x = dollars_per(symbol[3:], price)
    return (p[1:] - p[:-1]) * x[1:] / (p[:-1] * x[:-1])


def evaluate(book_file, prices_file, *, decay=0.94, shrinkage=0.10, lookback=60, tail_lookback=500):
    book = pq.read_table(book_file)
    capital = float(book.schema.metadata[b"rpm.capital"])
    symbols = book["symbol"].to_pylist()
    weights = np.array(book["market_value"].to_pylist()) / capital
    needed = sorted(set(symbols) | {"EURUSD", "USDJPY", "GBPUSD"})
    table = pq.read_table(prices_file, columns=["date", *needed])
    raw = np.array([[np.nan if v is None else v for v in table[s].to_pylist()] for s in needed]).T
    full = np.isfinite(raw).all(axis=1)
    price = {s: raw[full, i] for i, s in enumerate(needed)}
    returns = np.array([returns_in_dollars(s, price) for s in symbols]).T

    window = returns[-lookback:]
    w = (1 - decay) * decay ** np.arange(lookback - 1, -1, -1)
    cov = (window * (w / w.sum())[:, None]).T @ window
    n = len(symbols)
    cov = (1 - shrinkage) * cov + shrinkage * np.trace(cov) / n * np.eye(n)
    daily = math.sqrt(weights @ cov @ weights)
    pnl = returns[-tail_lookback:] @ weights
    return {
        "daily": daily,
        "annual": daily * math.sqrt(252),
        "components": weights * (cov @ weights) / daily,
        "pnl": pnl,
        "historical": {c: tail(pnl, c) for c in (0.95, 0.99)},
        "normal": {
            c: (daily * NormalDist().inv_cdf(c), daily * NormalDist().pdf(NormalDist().inv_cdf(c)) / (1 - c))
            for c in (0.95, 0.99)
        },
    }


def tail(pnl, confidence):
    losses = sorted(-pnl, reverse=True)
    k = round((1 - confidence) * len(losses), 9)
    whole = math.floor(k)
    shortfall = (sum(losses[:whole]) + (k - whole) * losses[whole]) / k
    return losses[math.ceil(k) - 1], shortfall
