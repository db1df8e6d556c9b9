"""What is traded: shares, indices, currency pairs and metals."""

from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Literal

Kind = Literal["fx", "equity", "index", "metal"]
"""A pair of currencies, a share (or what is treated as one), an index, or a pair with a precious metal."""

METALS = frozenset({"XAG", "XAU", "XPD", "XPT"})
"""The precious metals that have an ISO 4217 code."""

_MONEY = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL
"""
SECTORS = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
    "Crypto",
    "FX",
    "Commodities",
    "Index",
)
"""The eleven sectors of the Global Industry Classification Standard, and what lies beside them.

An index spans them all and is a sector of its own, so that it does not count as unclassified.
"""

CURRENCIES = METALS | frozenset(_MONEY.split())
"""ISO 4217 codes of money and metals, and CNH, the renminbi as it trades offshore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The hour at which a closing price is fixed.

    Attributes
    ----------
    name
        Who fixes it, such as ``ECB``.
    zone
        IANA name of the time zone of `time`.
    time
        Local time of the fixing.
    """

    name: str
    zone: str
    time: time

    def __str__(self) -> str:
        return f"{self.name} {self.time:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What valuation, stress and limits need to know of a symbol.

    Attributes
    ----------
    symbol, name
        As in the book, and in words.
    kind
        How a position is valued: ``fx`` and ``metal`` are pairs, the others have a price in `currency`.
    currency
        ISO code of the currency of the price; of a pair, the quote currency.
    base_currency
        Pairs only: what one unit of the pair is.
    sector
        One of `SECTORS`; None where it is not known.
    clock
        When its closes are fixed; None where it is not known.
    contract_size
        What a quantity of one stands for, in shares or units of `base_currency`.
    lot_step
        The smallest quantity that can be traded, and the step between quantities; in the unit of a book's quantity.
    beta
        Slope of its return on the market's; None where it is not known.
    known
        Whether kind and currency are certain. An unknown symbol is treated as a share.
    """

    symbol: str
    name: str
    kind: Kind
    currency: str
    base_currency: str | None = None
    sector: str | None = None
    clock: Clock | None = None
    contract_size: float = 1.0
    lot_step: float = 1.0
    beta: float | None = None
    known: bool = True


def sector_named(name: str) -> str | None:
    """Return the sector of `SECTORS` that has this name in whatever case, or None."""
    return next((sector for sector in SECTORS if sector.casefold() == name.strip().casefold()), None)


@lru_cache(maxsize=4096)
def parse_pair(symbol: str) -> tuple[str, str] | None:
    """Return the base and quote currency of a symbol such as ``EURUSD``.

    Returns
    -------
    tuple of str, or None
        None unless the symbol is two different ISO 4217 codes, in capitals, side by side.
    """
    base, quote = symbol[:3], symbol[3:]
    if base in CURRENCIES and quote in CURRENCIES and base != quote:
        return base, quote
    return None
