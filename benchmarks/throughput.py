"""Real work: a thousand books from one price file, and one book of two thousand instruments."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

N_BOOKS, N_POSITIONS, N_SYMBOLS, N_DAYS = 1000, 50, 500, 760
PEER_BOOKS = 40
"""The peer takes so long that a part of the books has to do; books per second are compared."""


def books_per_second() -> tuple[float, float]:
    """Return the books per second of `rpmcore.api.evaluate` and of the same figures in pandas and SciPy."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rpmcore import api

    rng = np.random.default_rng(1)
    names = [f"S{i:03d}" for i in range(N_SYMBOLS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prices.parquet"
        pq.write_table(_prices(rng, names, N_DAYS), file)
        picks = [rng.choice(N_SYMBOLS, N_POSITIONS, replace=False) for _ in range(N_BOOKS)]
        books = [
            pa.table({"symbol": [names[i] for i in pick], "weight": rng.normal(0.0, 0.02, N_POSITIONS)})
            for pick in picks
        ]

        def ours(count: int) -> None:
            prices = api.read_prices(file)
            for book in books[:count]:
                api.evaluate(book, prices, base_currency="USD")

        def theirs(count: int) -> None:
            frame = pd.read_parquet(file).set_index("date")
            for book in books[:count]:
                same_in_pandas(frame, book.to_pandas())

        ours(2)
        theirs(2)
        return _rate(lambda: ours(N_BOOKS), N_BOOKS), _rate(lambda: theirs(PEER_BOOKS), PEER_BOOKS)


def same_in_pandas(prices: Any, book: Any) -> dict[str, Any]:
    """Return what a report holds, as a quant would write it with pandas and SciPy."""
    from scipy import stats

    returns = prices[book["symbol"]].pct_change(fill_method=None).dropna()
    weights = book["weight"].to_numpy()
    window = returns.iloc[-60:].to_numpy()
    decays = 0.94 ** np.arange(59, -1, -1)
    cov = (window * (decays / decays.sum())[:, None]).T @ window
    cov = 0.9 * cov + 0.1 * np.trace(cov) / len(cov) * np.eye(len(cov))
    volatility = np.sqrt(weights @ cov @ weights)
    pnl = (returns.iloc[-500:] * weights).sum(axis=1)
    dof, location, scale = stats.t.fit(pnl)
    simulated = volatility * np.sqrt(0.6) * np.random.default_rng(1).standard_t(5, 100_000)
    figures: dict[str, Any] = {
        "volatility": volatility,
        "components": weights * (cov @ weights) / volatility,
        "skewness": pnl.skew(),
        "kurtosis": pnl.kurt(),
    }
    for c in (0.95, 0.99):
        historical, drawn = -pnl.quantile(1.0 - c), np.quantile(simulated, c)
        q = stats.t.ppf(1.0 - c, dof)
        figures[f"historical {c}"] = historical, -pnl[pnl <= -historical].mean()
        figures[f"normal {c}"] = (
            volatility * stats.norm.ppf(c),
            volatility * stats.norm.pdf(stats.norm.ppf(c)) / (1 - c),
        )
        figures[f"t {c}"] = (
            -location - scale * q,
            -location + scale * stats.t.pdf(q, dof) / (1 - c) * (dof + q * q) / (dof - 1),
        )
        figures[f"simulated {c}"] = drawn, simulated[simulated >= drawn].mean()
    return figures


def large_book_seconds(environment: dict[str, str]) -> tuple[float, float]:
    """Return CPU seconds of one ``rpm evaluate`` of 2,000 instruments on 1,260 returns, by EWMA and by Ledoit–Wolf."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(2)
    names = [f"S{i:04d}" for i in range(2000)]
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(_prices(rng, names, 1261), Path(folder) / "prices.parquet")
        book = Path(folder) / "book.parquet"
        pq.write_table(pa.table({"symbol": names, "weight": rng.normal(0.0005, 0.001, 2000)}), book)
        base = [sys.executable, "-m", "rpmcore", "evaluate", str(book), "--base-currency", "USD", "--quiet",
                "--tail-lookback", "1260"]  # fmt: skip
        wide = ["--covariance", "ledoit_wolf", "--lookback", "1260"]
        _child(base, environment)
        return _child(base, environment), _child([*base, *wide], environment)


def stress_seconds(environment: dict[str, str]) -> float:
    """Return CPU seconds of ``rpm stress --all`` in every mode that the data allow, for 500 positions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(3)
    names = [f"S{i:03d}" for i in range(500)]
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(_prices(rng, [*names, "SP500"], 761), Path(folder) / "prices.parquet")
        book = Path(folder) / "book.parquet"
        pq.write_table(pa.table({"symbol": names, "weight": rng.normal(0.002, 0.004, 500)}), book)
        command = [sys.executable, "-m", "rpmcore", "stress", str(book), "--all", "--mode", "all", "--quiet",
                   "--base-currency", "USD"]  # fmt: skip
        _child(command, environment)
        return _child(command, environment)


def _prices(rng: Any, names: list[str], n_days: int) -> Any:
    import pyarrow as pa

    market = 0.006 * rng.standard_t(5, (n_days, 1))
    closes = 100.0 * np.exp(np.cumsum(market + 0.01 * rng.standard_t(5, (n_days, len(names))), axis=0))
    days = np.datetime64("2020-01-01") + np.arange(n_days)
    return pa.table({"date": pa.array(days), **{name: closes[:, i] for i, name in enumerate(names)}})


def _rate(work: Any, count: int) -> float:
    before = time.process_time()
    work()
    return count / (time.process_time() - before)


def _child(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print both measurements as lines that `run.py` reads."""
    ours, theirs = books_per_second()
    print(f"books {ours} {theirs}")


if __name__ == "__main__":
    main()
