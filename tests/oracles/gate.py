"""What an account comes to, from plain numbers: values, P&L, what reduces, and every measure at its worst outcome.

Imports nothing of ours. A market is a dict of prices; an instrument is a dict with ``kind``, ``currency``, ``base``,
``sector``, ``beta``; an order a dict with ``symbol``, ``sign``, ``open``.
"""

import itertools

import numpy as np

ROUNDING = 1e-9


def rate(currency, prices):
    """US dollars for one unit of a currency."""
    return {"USD": 1.0, "EUR": prices.get("EURUSD"), "JPY": 1.0 / prices["USDJPY"] if "USDJPY" in prices else None}[
        currency
    ]


def unit_value(instrument, prices):
    symbol = instrument["symbol"]
    if instrument["base"] == "USD":
        return 1.0
    return prices[symbol] * rate(instrument["currency"], prices)


def gain(instrument, quantity, before, after):
    """P&L of a price change: of a pair in its quote currency at the new rate, of anything else the change of value."""
    symbol = instrument["symbol"]
    if instrument["base"] is not None:
        return quantity * (after[symbol] - before[symbol]) * rate(instrument["currency"], after)
    return quantity * (unit_value(instrument, after) - unit_value(instrument, before))


def reducible(held, sign, orders):
    """What an order of this sign may shrink: what is held, less all orders on the same side."""
    against = -sign * held
    return max(0, against - sum(o["open"] for o in orders if o["sign"] == sign)) if against > 0 else 0


def returns(rows, instruments):
    """(n−1, n_assets) changes of account value over old value, of rows in which every close is there."""
    complete = [row for row in rows if all(price is not None for price in row.values())]
    found = []
    for before, after in itertools.pairwise(complete):
        day = []
        for instrument in instruments:
            symbol = instrument["symbol"]
            if instrument["base"] is None:
                day.append(unit_value(instrument, after) / unit_value(instrument, before) - 1.0)
            else:
                base = unit_value(instrument, before)
                day.append((after[symbol] - before[symbol]) * rate(instrument["currency"], after) / base)
        found.append(day)
    return np.array(found)


def ewma(x, decay=0.94, lookback=60, shrinkage=0.10):
    """Exponentially weighted second moments, drawn toward their mean variance by a fixed share."""
    window = x[-lookback:]
    weights = decay ** np.arange(len(window))[::-1]
    weights /= weights.sum()
    matrix = (window * weights[:, None]).T @ window
    return (1 - shrinkage) * matrix + shrinkage * np.trace(matrix) / len(matrix) * np.eye(len(matrix))


def outcomes(weights, orders):
    """Every book that the orders can leave, each wholly filled or not: (n_books, n_assets); orders are (asset, w)."""
    books = [np.array(weights, dtype=float)]
    for asset, weight in orders:
        more = [book.copy() for book in books]
        for book in more:
            book[asset] += weight
        books += more
    return np.array(books)


def measures(books, instruments, x, cov, theta, lookback, confidence=0.95):
    """Every measure of many books, each at its worst: a dict of floats."""
    deviations = np.sqrt(np.diag(cov))
    variance = np.einsum("bi,ij,bj->b", books, cov, books)
    stressed = (1 - theta) * variance + theta * (np.abs(books) @ deviations) ** 2
    normal = np.sqrt(np.maximum(variance, 0.0)).max()
    found = {
        "gross_exposure": np.abs(books).sum(axis=1).max(),
        "net_exposure": np.abs(books.sum(axis=1)).max(),
        "volatility": np.sqrt(np.maximum(stressed, 0.0)).max() * np.sqrt(252.0),
        "volatility_target": normal * np.sqrt(252.0),
        "beta": np.abs(books @ np.array([i["beta"] for i in instruments])).max(),
    }
    found["leverage"] = found["gross_exposure"]
    losses = np.sort(-(books @ x[-lookback:].T), axis=1)[:, ::-1]
    k = round((1 - confidence) * losses.shape[1], 9)
    whole = int(np.floor(k))
    tail = losses[:, :whole].sum(axis=1) + (k - whole) * (losses[:, whole] if k > whole else 0.0)
    z = 1.6448536269514722
    found["value_at_risk"] = max(losses[:, int(np.ceil(k)) - 1].max(), z * normal)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    found["expected_shortfall"] = max((tail / k).max(), normal * density / (1 - confidence))
    for sector in {i["sector"] for i in instruments}:
        of = np.array([float(i["sector"] == sector) for i in instruments])
        found[f"sector {sector}"] = np.abs(books @ of).max()
    for currency in ("EUR", "JPY"):
        of = np.array([_leg(i, currency) for i in instruments])
        found[f"currency {currency}"] = np.abs(books @ of).max()
    for k, instrument in enumerate(instruments):
        if instrument["kind"] == "equity":
            found[f"single_name {instrument['symbol']}"] = np.abs(books[:, k]).max()
    return found


def _leg(instrument, currency):
    if instrument["base"] is not None:
        return float(instrument["base"] == currency) - float(instrument["currency"] == currency)
    return float(instrument["currency"] == currency)


def passes(now, after, limit):
    """Within the limit, or in breach and falling."""
    return after <= limit * (1 + ROUNDING) or (now > limit and after <= now * (1 + 1e-12))
