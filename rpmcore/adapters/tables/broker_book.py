"""Read what a broker says that an account holds: a table of symbols and quantities, with a row for the money."""

from typing import Any

import numpy as np

from rpmcore.adapters.tables.columns import read_numbers, read_texts, refuse_blanks, require_filled
from rpmcore.adapters.tables.opening import open_table
from rpmcore.adapters.tables.source import refuse_misspelt
from rpmcore.domain.broker import BrokerAccount, BrokerBook, BrokerPosition
from rpmcore.domain.errors import InputError
from rpmcore.risk.sizing.exact import exact

MAX_ROWS = 1_000_000
MONEY = ("cash", "equity")
"""Symbols, in whatever case, whose quantity is money."""


def read_broker_book(source: Any, *, currency: str) -> BrokerBook:
    """Return what a table says that an account holds.

    Columns are ``symbol`` and ``quantity`` (signed units), optional is ``strategy_id``. The rows of the symbols
    ``cash`` and ``equity`` are money, in account currency. Nothing is said of orders.

    Parameters
    ----------
    source
        A path to a Parquet or CSV file, an Arrow table, or any object with ``__arrow_c_stream__``.
    currency
        Of the account.

    Raises
    ------
    InputError
        If a cell cannot be read, or a row stands twice; names column, row and value.
    """
    table = open_table(source)
    table.require("symbol", "quantity")
    refuse_misspelt(table, ("strategy_id",))
    names = ["symbol", "quantity", *(name for name in ("strategy_id",) if name in table.columns)]
    columns = table.read(names, max_rows=MAX_ROWS)
    symbols, strategies = read_texts(columns["symbol"]), None
    require_filled(columns["symbol"], symbols)
    if "strategy_id" in columns:
        strategies = read_texts(columns["strategy_id"])
        refuse_blanks(columns["strategy_id"], strategies)
    numbers = read_numbers(columns["quantity"])
    wrong = ~numbers.present | ~np.isfinite(numbers.values)
    if wrong.any():
        position = int(wrong.argmax())
        raise columns["quantity"].error(
            position,
            "there is no finite number",
            value=str(numbers.values[position]),
            remedy="give one, or remove the row",
        )
    money: dict[str, float] = {}
    held: dict[tuple[str, str], BrokerPosition] = {}
    for position, quantity in enumerate(numbers.values.tolist()):
        symbol = str(symbols[position])
        strategy = (strategies[position] if strategies is not None else None) or ""
        if symbol.casefold() in MONEY:
            if money.setdefault(symbol.casefold(), quantity) != quantity or strategy:
                raise columns["symbol"].error(
                    position, "money stands in one row, and belongs to no strategy", value=symbol, remedy="keep one row"
                )
            continue
        if (symbol, strategy) in held:
            raise columns["symbol"].error(
                position, "an earlier row has this symbol", value=symbol,
                remedy="add the two up, or give them different strategy_id",
            )  # fmt: skip
        held[symbol, strategy] = BrokerPosition(symbol=symbol, quantity=exact(quantity), strategy_id=strategy)
    return BrokerBook(
        source=table.name,
        account=BrokerAccount(currency=currency, cash=money.get("cash"), equity=money.get("equity")),
        positions=tuple(position for position in held.values() if position.quantity),
    )


def is_broker_book(source: Any) -> bool:
    """Tell whether a file is such a table, and not a report with headings of its own."""
    try:
        columns = open_table(source).columns
    except InputError:
        return False
    return {"symbol", "quantity"} <= set(columns)
