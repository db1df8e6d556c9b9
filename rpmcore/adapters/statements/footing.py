"""Does a statement foot: do its rows add up to its own totals, to the cent?"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rpmcore.adapters.statements.statement import Deal, Statement

_ZERO = Decimal(0)
_CENT = Decimal("0.005")
_CREDIT = frozenset({"credit", "bonus"})
"""Deals of money that is lent: some servers count it in the balance, most beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One sum, by the statement and by its rows.

    Attributes
    ----------
    name
        What was added up.
    statement, computed
        What the statement says, and what its rows make, in account currency.
    covers
        Which rows it vouches for: ``trades``, ``positions``, or neither.
    """

    name: str
    statement: Decimal
    computed: Decimal
    covers: Literal["trades", "positions"] | None = None

    @property
    def difference(self) -> Decimal:
        """The rows less the statement."""
        return self.computed - self.statement

    @property
    def foots(self) -> bool:
        """Whether both agree to the cent."""
        return abs(self.difference) < _CENT


def footing(statement: Statement, *, partial: bool) -> tuple[Check, ...]:
    """Return every sum that a statement lets be checked.

    Parameters
    ----------
    statement
        As it was read.
    partial
        Whether the report ends before today, so that its last balance is not the account's.
    """
    return (
        *_balances(statement, partial),
        *_totals(statement),
        *_results(statement),
        *_positions(statement),
        *_floating(statement),
    )


def _balances(statement: Statement, partial: bool) -> Iterator[Check]:
    """Each balance is the one before and what the deal did; only a break is returned, else the last one."""
    deals = [deal for deal in statement.deals if deal.balance is not None or deal.flow]
    if len(deals) > 1 and deals[0].time > deals[-1].time:
        deals.reverse()
    running: Decimal | None = None
    for deal in deals:
        if running is not None:
            lent = deal.kind in _CREDIT and deal.balance == running
            running += _ZERO if lent else deal.flow
            if deal.balance is not None and abs(running - deal.balance) >= _CENT:
                yield Check(
                    name=f"balance after deal {deal.deal} (row {deal.row})", statement=deal.balance, computed=running
                )
                return
        if deal.balance is not None:
            running = deal.balance
    if running is None:
        return
    if "balance" in statement.totals:
        yield Check(name="balance below the deals", statement=statement.totals["balance"], computed=running)
    if "balance" in statement.figures and not partial:
        yield Check(name="balance of the account", statement=statement.figures["balance"], computed=running)


def _totals(statement: Statement) -> Iterator[Check]:
    for name in ("commission", "fee", "swap", "profit"):
        if name in statement.totals:
            said = statement.totals[name]
            whole = sum((getattr(deal, name) for deal in statement.deals), _ZERO)
            # Some terminals leave deposits or credit out of the sum of profits.
            trades = sum((getattr(deal, name) for deal in statement.deals if deal.trades), _ZERO)
            owned = sum((getattr(deal, name) for deal in statement.deals if deal.kind not in _CREDIT), _ZERO)
            yield Check(name=f"{name} of all deals", statement=said, computed=_nearer(said, whole, trades, owned))


def _results(statement: Statement) -> Iterator[Check]:
    said = statement.figures.get("total net profit")
    if said is not None:
        closed = sum((p.profit + p.swap + p.commission + p.fee for p in statement.closed), _ZERO)
        sums = [closed]
        if statement.deals:
            sums.append(sum((deal.flow for deal in statement.deals if deal.trades), _ZERO))
        yield Check(name="total net profit", statement=said, computed=_nearer(said, *sums), covers="trades")
        gross = [statement.figures.get(name) for name in ("gross profit", "gross loss")]
        if gross[0] is not None and gross[1] is not None:
            yield Check(name="gross profit and loss", statement=said, computed=gross[0] - abs(gross[1]))


def _positions(statement: Statement) -> Iterator[Check]:
    """What was closed must be what was dealt, symbol by symbol.

    Left out are symbols of which something is open, which a deal could belong to, and those of which a position was
    opened before the report begins: its first deals are not in it.
    """
    if not {"positions", "deals"} <= statement.sections:
        return
    dealt: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: _ZERO))
    for deal in statement.deals:
        if deal.trades:
            _add(dealt[deal.symbol], deal)
    closed: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: _ZERO))
    for row in statement.closed:
        _add(closed[row.symbol], row)
    left_out = uncompared(statement)
    for symbol in sorted(set(dealt) | set(closed)):
        if symbol not in left_out:
            for name in ("profit", "swap", "costs"):
                yield Check(
                    name=f"{name} of {symbol}: deals against positions",
                    statement=dealt[symbol][name], computed=closed[symbol][name], covers="trades",
                )  # fmt: skip


def uncompared(statement: Statement) -> frozenset[str]:
    """Return the symbols whose deals cannot be told to be those of the closed positions."""
    orders = {deal.order for deal in statement.deals}
    earlier = {row.symbol for row in statement.closed if row.position not in orders}
    return frozenset(earlier | {position.symbol for position in statement.open})


def _add(sums: dict[str, Decimal], row: Deal | object) -> None:
    for name, parts in (("profit", ("profit",)), ("swap", ("swap",)), ("costs", ("commission", "fee"))):
        sums[name] += sum((getattr(row, part) for part in parts), _ZERO)


def _floating(statement: Statement) -> Iterator[Check]:
    figures = statement.figures
    said = figures.get("floating p/l")
    if said is None:
        return
    if "open positions" in statement.sections or said:
        profit = sum((position.profit for position in statement.open), _ZERO)
        swap = sum((position.swap for position in statement.open), _ZERO)
        yield Check(
            name="floating profit", statement=said, computed=_nearer(said, profit + swap, profit), covers="positions"
        )
    if "equity" in figures and "balance" in figures:
        made = figures["balance"] + figures.get("credit facility", _ZERO) + said
        yield Check(name="equity", statement=figures["equity"], computed=made)


def _nearer(said: Decimal, *sums: Decimal) -> Decimal:
    return min(sums, key=lambda made: abs(made - said))
