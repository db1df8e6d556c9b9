"""How many units a lot is: said by the user, and held against the profits of the statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rpmcore.adapters.statements.statement import Statement
from rpmcore.adapters.statements.symbols import first_match
from rpmcore.domain.errors import InputError
from rpmcore.domain.instruments import parse_pair

_USUAL = tuple(Decimal(size) for size in (1, 5, 10, 20, 25, 50, 100, 1_000, 5_000, 10_000, 100_000))
_NEAR = Decimal("0.02")
"""How far a profit rounded to the cent, at a price rounded to the tick, may lie from what the lots make."""

_WRONG = Decimal("0.1")
_CLEAR = Decimal(1)
"""Profit in account currency from which it tells a size: below, rounding is too large a part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSizes:
    """Units of a lot by our symbol, or by a pattern with ``*``; and the currencies of prices that were said."""

    sizes: Mapping[str, Decimal]
    currencies: Mapping[str, str]

    def of(self, symbol: str) -> Decimal | None:
        """Return the units of a lot, or None if nobody said."""
        for pattern, size in self.sizes.items():
            if first_match(symbol, {pattern: "yes"}):
                return size
        return None


def check_sizes(
    statement: Statement, sizes: ContractSizes, ours: Mapping[str, str], account: str | None, needed: Iterable[str]
) -> None:
    """Check that every symbol needed has a contract size, and that none contradicts the statement.

    Parameters
    ----------
    statement
        Whose profits are looked at.
    sizes
        What was said.
    ours
        Our symbol by the broker's.
    account
        The account currency.
    needed
        Our symbols whose lots must become units.

    Raises
    ------
    InputError
        If one is missing, with the size that the profits imply if they tell; or if one is off by a tenth or more.
    """
    for symbol in sorted(set(needed)):
        if sizes.of(symbol) is None:
            implied = implied_size(statement, symbol, ours, account, sizes.currencies)
            usual = None if implied is None else _usual(implied)
            if usual is not None:
                remedy = f"the profits in it make it {usual:,}: say --contract-size {symbol}={usual} if that is so"
            else:
                remedy = f"say --contract-size {symbol}=100000 if that is so; the terminal's Specification names it"
            raise InputError(
                "it gives lots, and how many units a lot is was not said", source=statement.source, symbol=symbol,
                remedy=remedy,
            )  # fmt: skip
    for symbol in sorted(set(ours.values())):
        said = sizes.of(symbol)
        implied = None if said is None else implied_size(statement, symbol, ours, account, sizes.currencies)
        if said is not None and implied is not None and abs(implied / said - 1) > _WRONG:
            raise InputError(
                f"its profits say that a lot is about {_rounded(implied):,} units", source=statement.source,
                symbol=symbol, value=f"--contract-size {symbol}={said:f}",
                remedy="give the size of the terminal's Specification; was a symbol mapped to another?",
            )  # fmt: skip


def implied_size(
    statement: Statement, symbol: str, ours: Mapping[str, str], account: str | None, currencies: Mapping[str, str]
) -> Decimal | None:
    """Return the units of a lot that the largest profit or loss of a symbol implies, or None where none tells.

    A profit is lots × units × move; in the currency of the price. It tells where that is the account's, or where the
    account's is the base of the pair, and the profit was converted at the closing price.
    """
    pair = parse_pair(symbol)
    quote = first_match(symbol, currencies) or (pair[1] if pair else None)
    base = pair[0] if pair else None
    if account is None or account not in (quote, base):
        return None
    moves = [
        (row.profit, row.volume, row.exit - row.entry, row.exit, row.side)
        for row in statement.closed if ours[row.symbol] == symbol
    ] + [
        (row.profit, row.volume, row.price - row.entry, row.price, row.side)
        for row in statement.open if ours[row.symbol] == symbol
    ]  # fmt: skip
    told = max(moves, key=lambda move: abs(move[0]), default=None)
    if told is None or abs(told[0]) < _CLEAR:
        return None
    profit, volume, move, price, side = told
    made = volume * (move if side == "buy" else -move) / (Decimal(1) if quote == account else price)
    return None if made == 0 or profit / made <= 0 else profit / made


def _usual(implied: Decimal) -> Decimal | None:
    return next((size for size in _USUAL if abs(implied / size - 1) <= _NEAR), None)


def _rounded(number: Decimal) -> Decimal:
    return _usual(number) or Decimal(f"{number:.3g}").quantize(Decimal(1)) if number >= 1 else number
