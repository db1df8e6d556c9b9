"""What a broker calls an instrument, and what rpm does: by rule, never by guess."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from rpmcore.domain import reference
from rpmcore.domain.errors import InputError
from rpmcore.domain.instruments import parse_pair

_PAIR = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRules:
    """How symbols are renamed.

    Attributes
    ----------
    suffixes
        Taken from the end, the first that fits.
    renamed
        Our symbol by the broker's; stands before the suffixes.
    """

    suffixes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, symbol: str) -> str:
        """Return what rpm calls `symbol`."""
        if symbol in self.renamed:
            return self.renamed[symbol]
        for suffix in self.suffixes:
            if symbol.endswith(suffix) and len(symbol) > len(suffix):
                return symbol[: -len(suffix)]
        return symbol

    def check(self, symbols: Iterable[str], source: str) -> dict[str, str]:
        """Return our symbol by each of the broker's.

        Raises
        ------
        InputError
            If what is left of one is a known instrument with something at its end: whether that is the instrument is
            for the user to say, and the message proposes the rule.
        """
        found = {symbol: self(symbol) for symbol in sorted(set(symbols))}
        doubtful = {raw: base for raw, ours in found.items() if raw not in self.renamed and (base := _decorated(ours))}
        if doubtful:
            raw, base = next(iter(doubtful.items()))
            suffix = found[raw][len(base) :]
            more = f" (and {len(doubtful) - 1} more)" if len(doubtful) > 1 else ""
            raise InputError(
                f"it looks like {base} with a broker's suffix{more}, and no rule says that it is", source=source,
                symbol=raw, value=raw,
                remedy=f"say --strip-suffix {suffix}, or --symbol {raw}={base}; --symbol {raw}={raw} keeps it as it is",
            )  # fmt: skip
        return found


def known(symbol: str) -> bool:
    """Tell whether rpm knows what this is: by its reference data, or as two currencies side by side."""
    return symbol in reference.profiles() or parse_pair(symbol) is not None


def price_currency(symbol: str) -> str | None:
    """Return the currency of a price, or None where nothing is known of the symbol."""
    profile = reference.profiles().get(symbol)
    if profile is not None:
        return profile.instrument.currency
    pair = parse_pair(symbol)
    return None if pair is None else pair[1]


def first_match(name: str, patterns: Mapping[str, str]) -> str | None:
    """Return what stands for `name`: by itself, else by the first pattern with ``*`` or ``?`` that it fits."""
    if name in patterns:
        return patterns[name]
    return next((value for pattern, value in patterns.items() if fnmatchcase(name, pattern)), None)


def _decorated(symbol: str) -> str | None:
    """Return the known instrument that begins this unknown symbol, or None."""
    if known(symbol):
        return None
    if len(symbol) > _PAIR and parse_pair(symbol[:_PAIR]) is not None:
        return symbol[:_PAIR]
    for end in range(len(symbol) - 1, 1, -1):
        # A letter or digit that goes on makes another word: GER40 is not GE, but GE.us may be.
        if symbol[:end] in reference.profiles() and not symbol[end].isupper() and not symbol[end].isdigit():
            return symbol[:end]
    return None
