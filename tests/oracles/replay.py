"""A replay from raw closes: units are bought at today's prices, which then move as those of the window did."""

import math
from statistics import NormalDist

import numpy as np
import pyarrow.parquet as pq

PAIRS = {"EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "USDCHF", "NZDUSD", "EURGBP", "EURJPY"}


def closes(path, start, end):
    """Raw closes up to `end` by symbol, the row of the last day before `start`, and the dates."""
    table = pq.read_table(path)
    dates = np.array(table["date"].to_pylist(), dtype="datetime64[D]")
    last = int((dates <= np.datetime64(end)).sum())
    raw = {s: np.array(table[s].to_pylist(), dtype=float) for s in table.column_names if s != "date"}
    return {s: x[:last] for s, x in raw.items()}, int((dates < np.datetime64(start)).sum()) - 1, dates[:last], raw


def in_dollars(currency, price):
    """USD for one unit of a currency, by the fewest pairs."""
    if currency == "USD":
        return np.ones_like(price["EURUSD"])
    direct = f"{currency}USD"
    return price[direct] if direct in price else 1.0 / price[f"USD{currency}"]


def to_account(currency, account, price):
    """Units of the account's currency for one of `currency`, by a pair of the two if the file has it."""
    if currency == account:
        return np.ones_like(price["EURUSD"])
    if currency + account in price:
        return price[currency + account]
    if account + currency in price:
        return 1.0 / price[account + currency]
    return in_dollars(currency, price) / in_dollars(account, price)


def money_path(symbol, weight, capital, account, price, base, today):
    """P&L in account currency on each row after `base` of a position worth weight · capital at the prices `today`."""
    is_pair = symbol in PAIRS
    quote = symbol[3:] if is_pair else "USD"
    rate_now, price_now = to_account(quote, account, today)[-1], today[symbol][-1]
    quantity = weight * capital / (price_now * rate_now)
    scaled = price_now * (price[symbol][base:] / price[symbol][base])
    rates = to_account(quote, account, price)[base:]
    scaled_rates = rate_now * (rates / rates[0])
    if is_pair:
        return (quantity * (scaled - scaled[0]) * scaled_rates)[1:]
    return (quantity * scaled * scaled_rates - quantity * scaled[0] * scaled_rates[0])[1:]


def value_at_risk(weights, account, price, base, *, decay=0.94, shrinkage=0.10, lookback=60, confidence=0.99):
    """One-day VaR before each row after `base`, with fixed quantities; by the recursion of EWMA, one day at a time.

    On the days that every price of the file has.
    """
    z = NormalDist().inv_cdf(confidence)
    full = np.all([np.isfinite(x) for x in price.values()], axis=0)
    price, base = {s: x[full] for s, x in price.items()}, int(full[: base + 1].sum()) - 1
    found = []
    for close in range(base, len(price["EURUSD"]) - 1):
        rows, exposure = [], []
        for symbol, weight in weights.items():
            is_pair = symbol in PAIRS
            rate = to_account(symbol[3:] if is_pair else "USD", account, price)
            p = price[symbol]
            old, new = slice(close - lookback, close), slice(close - lookback + 1, close + 1)
            gain = (p[new] - p[old]) * rate[new] if is_pair else p[new] * rate[new] - p[old] * rate[old]
            rows.append(gain / (p[old] * rate[old]))
            exposure.append(weight * p[close] * rate[close] / (p[base] * rate[base]))
        cov, share = 0.0, 0.0
        for row in np.array(rows).T:
            cov = decay * cov + (1 - decay) * np.outer(row, row)
            share = decay * share + (1 - decay)
        cov = cov / share
        n = len(weights)
        cov = (1 - shrinkage) * cov + shrinkage * np.trace(cov) / n * np.eye(n)
        exposure = np.array(exposure)
        found.append(z * math.sqrt(exposure @ cov @ exposure))
    return np.array(found)
