"""Small books in memory for the tests of stress paths."""

from datetime import date

import numpy as np

from rpmcore.domain.factor_profiles import Loading, profile_of
from rpmcore.domain.instruments import Instrument
from rpmcore.domain.portfolio import Book, Holding
from rpmcore.domain.prices import PriceHistory
from rpmcore.risk.settings import RiskSettings
from rpmcore.risk.stress.stressed_book import stressed_book
from rpmcore.risk.valuation import BookInputs, symbols_needed

PAIRS = {"USDJPY": ("USD", "JPY"), "GBPUSD": ("GBP", "USD"), "EURGBP": ("EUR", "GBP")}


def share(symbol, beta=1.0, currency="USD"):
    return Instrument(symbol=symbol, name=symbol, kind="equity", currency=currency, beta=beta)


def pair(symbol, beta=None):
    base, quote = PAIRS[symbol]
    return Instrument(symbol=symbol, name=symbol, kind="fx", currency=quote, base_currency=base, beta=beta)


def inputs(held, instruments, *, extra=(), capital=1e6, size=0.01, seed=0, pair_betas=None):
    """Inputs of (symbol, weight) or holdings, with prices of random steps of `size`; `extra` are further prices."""
    by_symbol = {i.symbol: i for i in instruments}
    rows = tuple(h if isinstance(h, Holding) else Holding(symbol=h[0], size=h[1]) for h in held)
    names = (*by_symbol, *(s for s in extra if s not in by_symbol))
    generator = np.random.default_rng(seed)
    steps = generator.standard_normal((120, len(names))) + generator.standard_normal((120, 1))
    closes = 100 * np.exp(np.cumsum(size * steps, axis=0))
    return BookInputs(
        book=Book(holdings=rows, sizing="weight", source="memory", path=None, capital=capital, as_of=date(2022, 5, 1)),
        history=PriceHistory(
            dates=np.arange("2022-01-01", 120, dtype="datetime64[D]"), symbols=names, closes=closes, path="p"
        ),
        account="USD",
        account_assumed=False,
        profiles={
            s: profile_of(i, {} if i.beta is None else {"beta": Loading(value=i.beta, source="given")}, "given")
            for s, i in by_symbol.items()
        },
        ways=symbols_needed(by_symbol, "USD", {s: PAIRS[s] for s in names if s in PAIRS}, "p"),
        pair_betas=pair_betas or {},
    )


def mixed(**changes):
    """Shares in dollars and pounds, a pair that converts itself and one that needs another: five prices."""
    instruments = [share("A", 1.2), share("B", 0.7, "GBP"), pair("USDJPY", 0.1), pair("EURGBP", -0.05)]
    held = [("A", 0.8), ("B", 0.4), ("USDJPY", -0.5), ("EURGBP", 0.3)]
    return inputs(held, instruments, extra=["GBPUSD"], pair_betas={"GBPUSD": 0.15, "USDJPY": 0.1}, **changes)


def book(given, **settings):
    return stressed_book(given, RiskSettings(**settings))
