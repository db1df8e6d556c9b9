"""The market of the sample prices, read once."""

from pathlib import Path

import numpy as np
import pytest

from rpmcore.adapters.tables.prices import open_prices
from rpmcore.controls.adaptive_settings import AdaptiveSettings
from rpmcore.controls.market_readings import market_readings

PRICES = Path(__file__).parents[2] / "data" / "prices.parquet"


@pytest.fixture(scope="session")
def sample_market():
    """Days of the closes, and the readings after each, of all instruments of the sample."""
    opened = open_prices(PRICES)
    history = opened.read(opened.symbols)
    rows = np.isfinite(history.closes).all(axis=1)
    closes, days = history.closes[rows], history.dates[rows]
    returns = np.ascontiguousarray(closes[1:] / closes[:-1] - 1.0)
    market = returns[:, history.symbols.index("SP500")].copy()
    return days[1:], market_readings(returns, market, AdaptiveSettings())
