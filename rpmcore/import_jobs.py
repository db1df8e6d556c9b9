"""The job of importing statements: what a broker's report says, as a book and as trades."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rpmcore.adapters.server_time import Clock, nanoseconds, server_time
from rpmcore.adapters.statements.footing import Check, footing
from rpmcore.adapters.statements.lots import ContractSizes, check_sizes
from rpmcore.adapters.statements.mapped_csv import Mapped, read_mapped
from rpmcore.adapters.statements.mapping import read_mapping
from rpmcore.adapters.statements.mt5 import read_mt5
from rpmcore.adapters.statements.numbers import DecimalMark
from rpmcore.adapters.statements.output import check_targets, write_tables
from rpmcore.adapters.statements.results import Columns, ImportedHolding, ImportedTrade, book_columns, trade_columns
from rpmcore.adapters.statements.statement import OpenPosition, Statement
from rpmcore.adapters.statements.strategy_names import StrategyRules
from rpmcore.adapters.statements.symbols import SymbolRules, first_match, price_currency
from rpmcore.domain.errors import InputError
from rpmcore.import_notices import import_notices
from rpmcore.import_report import BookMade, ImportReport, Reconciled, TradesMade
from rpmcore.risk.notices import Notice

_ZERO = Decimal(0)
_LISTED = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """How statements are read.

    Attributes
    ----------
    time_zone
        Of the server, see `server_time`.
    symbols, strategies
        How instruments and strategies are named.
    sizes
        Units of a lot, and currencies of prices.
    encoding, decimal
        See `read_mt5`.
    base_currency
        Of the account, where the statement does not say.
    partial
        Whether the report ends before today.
    """

    time_zone: str | None
    symbols: SymbolRules
    strategies: StrategyRules
    sizes: ContractSizes
    encoding: str | None = None
    decimal: DecimalMark | None = None
    base_currency: str | None = None
    partial: bool = False


def import_mt5(
    statement: str,
    how: Statements,
    *,
    trades: Path | None = None,
    book: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a trade history report of MetaTrader 5, and write what was asked for.

    Parameters
    ----------
    statement
        The report, HTML or CSV.
    how
        The rules.
    trades, book
        Files to write; if both are None, the report is read and checked.
    force
        Whether files that are there may be replaced.
    progress
        Told how many bytes are read, and of how many.

    Raises
    ------
    InputError
        If the report cannot be read, does not foot to the cent, or leaves open what a rule must say.
    """
    clock = Clock(server=server_time(how.time_zone), source=statement)
    check_targets(statement, (trades, book), force=force)
    read = read_mt5(statement, encoding=how.encoding, decimal=how.decimal, progress=progress)
    checks = checked(read, partial=how.partial)
    currency = account_currency(read, how.base_currency)
    ours = how.symbols.check([row.symbol for rows in (read.closed, read.open, read.working) for row in rows], statement)
    needed = [ours[row.symbol] for row in read.open] if book is not None else []
    check_sizes(read, how.sizes, ours, currency, needed)
    _refuse_unvouched(read, checks, trades=trades is not None, book=book is not None)
    named = how if trades is not None else replace(how, strategies=StrategyRules(default="unnamed"))
    made = _trades(read, named, clock, ours)
    held = net_positions(read, how, ours, by_strategy=True) if book is not None else ()
    capital = read.figures.get("equity", read.figures.get("balance"))
    write_tables(_files(read, made, held, _metadata(currency, capital), trades=trades, book=book))
    return ImportReport(
        kind="mt5",
        source=statement,
        encoding=read.encoding,
        time_zone=clock.server.name,
        account={
            "number": read.account.number, "server": read.account.server, "currency": currency,
            "mode": read.account.mode,
        },
        as_of=None if read.as_of is None else read.as_of.isoformat(sep=" "),
        capital=capital,
        trades=_trades_made(made, trades) if made else None,
        book=None if book is None else _book_made(read, held, book),
        symbols={raw: name for raw, name in ours.items() if raw != name},
        reconciliation=_reconciled(checks),
        money=_money(read),
        warnings=import_notices(read, ours, clock, made, held, partial=how.partial),
    )  # fmt: skip


def _files(
    read: Statement,
    made: tuple[ImportedTrade, ...],
    held: tuple[ImportedHolding, ...],
    account: Mapping[str, str],
    *,
    trades: Path | None,
    book: Path | None,
) -> dict[Path, Columns]:
    """Return what to write where; a file of trades, or a book, has at least one row."""
    day = {} if read.as_of is None else {"rpm.as_of": read.as_of.date().isoformat()}
    files: dict[Path, Columns] = {}
    if trades is not None:
        if not made:
            raise InputError(
                "there is no closed position in it", source=read.source,
                remedy="export a longer period, or leave --trades out",
            )  # fmt: skip
        files[trades] = trade_columns(made, account)
    if book is not None:
        kept = tuple(holding for holding in held if holding.quantity)
        if not kept:
            raise InputError(
                "nothing is held: there is no open position in it, or they cancel out", source=read.source,
                remedy="leave --book out: a book has at least one row",
            )  # fmt: skip
        files[book] = book_columns(kept, {**account, **day})
    return files


def import_csv(
    source: str, mapping: str, *, trades: Path, force: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Import a CSV file of closed trades by a mapping of its columns.

    Parameters
    ----------
    source, mapping
        The files.
    trades, force, progress
        As in `import_mt5`.

    Raises
    ------
    InputError
        If a cell cannot be read, or the sums of the mapping are not met to the cent.
    ConfigurationError
        If the mapping cannot be used; names line and key.
    """
    check_targets(source, (trades,), force=force)
    if Path(mapping).exists() and trades.exists() and trades.samefile(mapping):
        raise InputError("it is the mapping", source=str(trades), remedy="name another file for the result")
    rules = read_mapping(mapping)
    read: Mapped = read_mapped(source, rules, progress=progress)
    checks = tuple(Check(name=name, statement=said, computed=made) for name, said, made in read.sums)
    _refuse_unfooted(checks, source)
    write_tables({trades: trade_columns(read.trades, _metadata(rules.base_currency, rules.capital))})
    return ImportReport(
        kind="csv",
        source=source,
        encoding=read.encoding,
        time_zone=rules.clock.name,
        account={"currency": rules.base_currency},
        as_of=None,
        capital=rules.capital,
        trades=_trades_made(read.trades, trades),
        book=None,
        symbols={raw: name for raw, name in read.symbols.items() if raw != name},
        reconciliation=_reconciled(checks),
        money={},
        warnings=tuple(Notice(code=code, message=message) for code, message in read.notes),
    )


def checked(read: Statement, *, partial: bool) -> tuple[Check, ...]:
    """Return the sums of a statement, all of which foot.

    Raises
    ------
    InputError
        For the first that does not; names both sums and the difference.
    """
    checks = footing(read, partial=partial)
    _refuse_unfooted(checks, read.source)
    for rows in (read.closed, read.open):
        _refuse_twice([(row.position, row.row) for row in rows], "position", read.source)
    _refuse_twice([(row.order, row.row) for row in read.working], "order", read.source)
    return checks


def _refuse_twice(rows: list[tuple[str, int]], column: str, source: str) -> None:
    """Refuse a number that two rows have: a row that stands twice may change no sum, and doubles what is held."""
    seen: dict[str, int] = {}
    for number, row in rows:
        first = seen.setdefault(number, row)
        if first != row:
            raise InputError(
                f"row {first} already has this {column}", source=source, column=column, row=row, value=number,
                remedy="export the report again",
            )  # fmt: skip


def _refuse_unfooted(checks: tuple[Check, ...], source: str) -> None:
    wrong = [check for check in checks if not check.foots]
    if not wrong:
        return
    first = wrong[0]
    more = f", and {len(wrong) - 1} more sum(s) do not" if len(wrong) > 1 else ""
    remedy = "export the whole report again; nothing was written"
    if first.name == "balance of the account":
        remedy = "say --partial if the report ends before today; else export it again"
    elif first.name.startswith("costs of"):
        remedy = "fees that are charged on deals and shown in no position cannot be told apart; else export it again"
    raise InputError(
        f"it does not foot: {first.name} is {first.statement:,.2f} by the statement and {first.computed:,.2f} by its "
        f"rows, a difference of {first.difference:,.2f}{more}",
        source=source, remedy=remedy,
    )  # fmt: skip


def account_currency(read: Statement, given: str | None) -> str:
    """Return the currency of the account: the statement's, or the one given where it has none.

    Raises
    ------
    InputError
        If neither says, or they contradict each other.
    """
    found = read.account.currency
    if found is None and given is None:
        raise InputError(
            "it does not name the currency of the account",
            source=read.source,
            remedy="say --base-currency, such as EUR",
        )
    if given is not None and found is not None and given != found:
        raise InputError(
            f"the account is in {found}", source=read.source, value=given, remedy="leave --base-currency out"
        )
    return found or str(given)


def net_positions(
    read: Statement, how: Statements, ours: Mapping[str, str], *, by_strategy: bool
) -> tuple[ImportedHolding, ...]:
    """Return what is held of each symbol (by each strategy) in units, those that cancel out with a quantity of zero.

    The price is that of the market as the statement shows it for the side that is left.
    """
    named = how.strategies.default is not None or how.strategies.by_comment
    groups: dict[tuple[str, str | None], list[OpenPosition]] = defaultdict(list)
    for row in read.open:
        strategy = how.strategies(_comment(read, row), row.row, read.source) if by_strategy and named else None
        groups[ours[row.symbol], strategy].append(row)
    found = []
    for (symbol, strategy), rows in groups.items():
        lots = sum((row.volume if row.side == "buy" else -row.volume for row in rows), _ZERO)
        left = [row for row in rows if (row.side == "buy") == (lots > 0)] or rows
        size = how.sizes.of(symbol) or Decimal(1)
        found.append(
            ImportedHolding(
                symbol=symbol,
                strategy_id=strategy,
                quantity=lots * size,
                price=left[-1].price,
                currency=first_match(symbol, how.sizes.currencies) or price_currency(symbol),
                n_positions=len(rows),
            )
        )
    return tuple(found)


def _refuse_unvouched(read: Statement, checks: tuple[Check, ...], *, trades: bool, book: bool) -> None:
    covered = {check.covers for check in checks}
    for wanted, rows, name, what in (
        (trades, read.closed, "trades", "closed positions"), (book, read.open, "positions", "open positions"),
    ):  # fmt: skip
        if wanted and rows and name not in covered:
            raise InputError(
                f"nothing in it says what its {what} add up to, so that a missing row would not show",
                source=read.source, remedy="export the whole report, with deals and results",
            )  # fmt: skip


def _comment(read: Statement, row: Any) -> str:
    """Return the comment of a position: its own, or that of the order that opened it, whose number it has."""
    return row.comment or read.order_comments.get(row.position, "")


def _trades(read: Statement, how: Statements, clock: Clock, ours: Mapping[str, str]) -> tuple[ImportedTrade, ...]:
    made = []
    for row in read.closed:
        opened = clock.instant(row.opened, row.row, "time")
        closed = clock.instant(row.closed, row.row, "time", after=opened)
        if closed < opened:
            raise InputError(
                "it closes before it opens", source=read.source, column="time", row=row.row,
                value=f"{row.closed:%Y.%m.%d %H:%M:%S}", remedy="export the report again",
            )  # fmt: skip
        symbol = ours[row.symbol]
        size = how.sizes.of(symbol)
        made.append(
            ImportedTrade(
                trade_id=row.position,
                strategy_id=how.strategies(_comment(read, row), row.row, read.source),
                symbol=symbol,
                side=row.side,
                opened_at=nanoseconds(opened),
                closed_at=nanoseconds(closed),
                pnl=row.profit + row.swap + row.commission + row.fee,
                fees=-(row.commission + row.fee),
                quantity=None if size is None else row.volume * size,
                entry=row.entry,
                exit=row.exit,
            )
        )
    return tuple(made)


def _trades_made(made: tuple[ImportedTrade, ...], path: Path | None) -> TradesMade:
    return TradesMade(
        path=None if path is None else str(path),
        n_trades=len(made),
        pnl=sum((trade.pnl for trade in made), _ZERO),
        fees=sum((trade.fees or _ZERO for trade in made), _ZERO),
        first=_day(min(trade.closed_at for trade in made)),
        last=_day(max(trade.closed_at for trade in made)),
    )


def _book_made(read: Statement, held: tuple[ImportedHolding, ...], path: Path) -> BookMade:
    return BookMade(
        path=str(path),
        n_positions=len(read.open),
        holdings=tuple(holding for holding in held if holding.quantity),
        flat=tuple(holding.symbol for holding in held if not holding.quantity),
    )


def _reconciled(checks: tuple[Check, ...]) -> tuple[Reconciled, ...]:
    return tuple(
        Reconciled(name=c.name, statement=c.statement, computed=c.computed, difference=c.difference) for c in checks
    )


def _metadata(currency: str | None, capital: Decimal | None) -> dict[str, str]:
    found = {} if currency is None else {"rpm.base_currency": currency}
    return found if capital is None or capital <= 0 else {**found, "rpm.capital": f"{capital:f}"}


def _money(read: Statement) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for deal in read.deals:
        if not deal.trades:
            found[deal.kind or "without a type"] += deal.flow
    return dict(found)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).date().isoformat()
