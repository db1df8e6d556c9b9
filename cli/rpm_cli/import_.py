"""``rpm import``: what a broker's statement says, as a book and as trades."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.import_jobs import Statements
    from rpmcore.import_report import ImportReport

app = typer.Typer(help="Statements of brokers, as books and trades.", no_args_is_help=True, rich_markup_mode=None)


class Mark(StrEnum):
    """What stands before the decimals."""

    POINT = "point"
    COMMA = "comma"


ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        metavar="ZONE",
        help="Of the broker's server: Europe/Athens, UTC+2, or America/New_York+7 for days that end at 17:00 in "
        "New York. The statement does not say it.",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Of the file, such as cp1251. [default: found, or UTF-8]"),
]
DecimalOption = Annotated[
    Mark | None, typer.Option("--decimal", help="What stands before decimals. [default: what the amounts tell]")
]
SuffixOption = Annotated[
    list[str] | None,
    typer.Option("--strip-suffix", metavar="TEXT", help="Take it from the end of symbols: .m; may be repeated."),
]
SymbolOption = Annotated[
    list[str] | None,
    typer.Option("--symbol", metavar="FROM=TO", help="Rename a symbol of the broker; may be repeated."),
]
SizeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contract-size", metavar="SYMBOL=UNITS", help="Units of a lot: EURUSD=100000, '???USD=100000'; repeatable."
    ),
]
PriceCurrencyOption = Annotated[
    list[str] | None,
    typer.Option("--currency", metavar="SYMBOL=CCY", help="Currency of a price that rpm does not know; repeatable."),
]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="The report ends before today: its last balance is not the account's.")
]
BaseCurrencyOption = Annotated[
    str | None,
    typer.Option("--base-currency", metavar="CCY", help="Of the account, where the report does not say it."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]


@app.callback()
def _import() -> None:
    """Statements of brokers, as books and trades."""


@app.command("mt5", short_help="A trade history report of MetaTrader 5.")
def mt5(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="The report: HTML, or CSV made of it.")],
    time_zone: ZoneOption = None,
    trades: Annotated[
        Path | None, typer.Option("--trades", metavar="FILE", help="Write the closed positions (Parquet).")
    ] = None,
    book: Annotated[
        Path | None, typer.Option("--book", metavar="FILE", help="Write the open positions (Parquet).")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="NAME", help="The strategy of all that no rule fits.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy-rule", metavar="COMMENT=NAME", help="Strategy by comment: 'trend*=trend'; repeatable."
        ),
    ] = None,
    suffixes: SuffixOption = None,
    renamed: SymbolOption = None,
    sizes: SizeOption = None,
    currencies: PriceCurrencyOption = None,
    base_currency: BaseCurrencyOption = None,
    encoding: EncodingOption = None,
    decimal: DecimalOption = None,
    partial: PartialOption = False,
    force: ForceOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Read a trade history report of MetaTrader 5 (History, Report, HTML), and check that it foots to the cent.

    Without --trades and --book it is only read and checked.

    Examples: `rpm import mt5 ReportHistory.html --time-zone Europe/Athens --trades trades.parquet --strategy trend`;
    `rpm import mt5 ReportHistory.html --time-zone UTC+2 --book book.parquet --contract-size '*=100000'`.
    """
    form = common.chosen_format(output, as_json)
    how = statements(
        time_zone=time_zone, strategy=strategy, rules=rules, suffixes=suffixes, renamed=renamed, sizes=sizes,
        currencies=currencies, base_currency=base_currency, encoding=encoding, decimal=decimal, partial=partial,
    )  # fmt: skip

    from rpm_cli.rendering.progress import work_done
    from rpmcore.import_jobs import import_mt5

    with work_done(quiet) as progress:
        report = import_mt5(statement, how, trades=trades, book=book, force=force, progress=progress)
    _show(report, form)


@app.command("csv", short_help="Any CSV file of trades, by a mapping of its columns.")
def csv(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="CSV file of closed trades.")] = None,
    mapping: Annotated[
        str | None, typer.Option("--mapping", metavar="FILE", help="What its columns mean (YAML).")
    ] = None,
    trades: Annotated[Path | None, typer.Option("--trades", metavar="FILE", help="Write the trades (Parquet).")] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a mapping to begin with, and exit.")] = False,
    force: ForceOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Read any CSV file of closed trades, by a mapping file that names its columns, formats and zone.

    Examples: `rpm import csv --example > map.yaml`; `rpm import csv my.csv --mapping map.yaml --trades out.parquet`.
    """
    form = common.chosen_format(output, as_json)
    if example:
        from rpmcore.adapters.statements.mapping import EXAMPLE

        typer.echo(EXAMPLE, nl=False)
        return
    for value, name in ((file, "FILE"), (mapping, "--mapping"), (trades, "--trades")):
        if value is None:
            raise typer.BadParameter("it is needed (`rpm import csv --example` prints a mapping)", param_hint=name)

    from rpm_cli.rendering.progress import work_done
    from rpmcore.import_jobs import import_csv

    with work_done(quiet) as progress:
        report = import_csv(str(file), str(mapping), trades=Path(str(trades)), force=force, progress=progress)
    _show(report, form)


def statements(
    *,
    time_zone: str | None,
    strategy: str | None = None,
    rules: list[str] | None = None,
    suffixes: list[str] | None = None,
    renamed: list[str] | None = None,
    sizes: list[str] | None = None,
    currencies: list[str] | None = None,
    base_currency: str | None = None,
    encoding: str | None = None,
    decimal: Mark | None = None,
    partial: bool = False,
) -> "Statements":
    """Return the rules that options give.

    Raises
    ------
    typer.BadParameter
        If one is not written as it must be.
    """
    from rpmcore.adapters.statements.lots import ContractSizes
    from rpmcore.adapters.statements.strategy_names import StrategyRules
    from rpmcore.adapters.statements.symbols import SymbolRules
    from rpmcore.import_jobs import Statements

    if base_currency is not None and not _is_currency(base_currency):
        raise typer.BadParameter(f"{base_currency!r} is no code of three capitals", param_hint="--base-currency")
    for suffix in suffixes or ():
        if not suffix:
            raise typer.BadParameter("there is no text", param_hint="--strip-suffix")
    prices = _pairs(currencies, "--currency")
    for code in prices.values():
        if not _is_currency(code):
            raise typer.BadParameter(f"{code!r} is no code of three capitals", param_hint="--currency")
    return Statements(
        time_zone=time_zone,
        symbols=SymbolRules(suffixes=tuple(suffixes or ()), renamed=_pairs(renamed, "--symbol")),
        strategies=StrategyRules(default=strategy or None, by_comment=_pairs(rules, "--strategy-rule")),
        sizes=ContractSizes(
            sizes={name: _units(text) for name, text in _pairs(sizes, "--contract-size").items()}, currencies=prices
        ),
        encoding=encoding,
        decimal=None if decimal is None else "." if decimal is Mark.POINT else ",",
        base_currency=base_currency,
        partial=partial,
    )


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = text.rpartition("=")
        if not sign or not name or not value:
            raise typer.BadParameter(f"{text!r} is not written as NAME=VALUE", param_hint=option)
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(f"{name!r} is given twice, differently", param_hint=option)
    return found


def _units(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or number <= 0:
        raise typer.BadParameter(f"{text!r} is no positive number", param_hint="--contract-size")
    return number


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _show(report: "ImportReport", form: common.Format) -> None:
    if form is common.Format.TABLE:
        from rpm_cli.rendering import imported as rendering

        rendering.show(report)
    else:
        from rpmcore.domain.plain import to_plain

        common.print_machine("import", to_plain(report), form)
