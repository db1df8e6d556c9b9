"""``rpm report``: the page that people mail."""

import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.report_job import ReportMade

STDOUT = "-"


def report(
    book: common.BookArgument = None,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="Where the page is written; - for stdout.")
    ] = "report.html",
    prices: common.PricesOption = None,
    trades: Annotated[
        str | None, typer.Option("--trades", metavar="FILE", help="Closed trades: adds the strategies.")
    ] = None,
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="FILE", help="Ledger of a gate: adds its decisions, verified.")
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option("--factors", metavar="FILE", help="Factor returns; by default the market and components."),
    ] = None,
    assets: common.AssetsOption = None,
    estimate: common.EstimateOption = False,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    check: common.CheckOption = False,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """One self-contained page about a book, to be mailed and printed: verdicts, limits, risk, crises, model, methods.

    An earlier report at the same place is replaced in one step; anything else there is not touched.

    Examples: `rpm report`; `rpm report book.parquet -o report.html --trades trades.parquet`;
    `rpm report book.parquet -o nightly.html --json --check`.
    """
    day, equity = common.parse_day(as_of), common.money_option(capital)
    if as_json and out == STDOUT:
        raise typer.BadParameter("stdout takes the page or the JSON: give a file with -o, or leave --json out")
    settings = common.settings_from(
        config, assignments, {"factors.unknown": "estimate" if estimate else None}, quiet=quiet
    )
    common.announce(book, check=check, quiet=quiet)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its cache is no notice of ours

    from rpmcore.report_job import make_report

    made = make_report(
        book, prices, output=None if out == STDOUT else out, settings=settings, capital=equity,
        base_currency=base_currency, as_of=day, assets=assets, factors=factors, trades=trades, ledger=ledger,
        told=None if quiet else _tell_part,
    )  # fmt: skip
    common.tell(made.report.evaluation.data.notes, quiet=quiet)
    if out == STDOUT:
        sys.stdout.buffer.write(made.page)
    if as_json:
        common.print_machine("report", _plain(made), common.Format.JSON)
    elif not quiet:
        failed = "".join(f" · {verdict.title}: {verdict.label}" for verdict in made.failed)
        typer.echo(f"{made.path or 'stdout'}, {len(made.page) / 1000:,.0f} kB{failed}", err=True)
    if check and made.failed:
        raise typer.Exit(common.BREACHED)


def _tell_part(name: str) -> None:
    typer.echo(f"… {name}", err=True)


def _plain(made: "ReportMade") -> dict[str, Any]:
    from rpmcore import api

    return {
        "path": made.path,
        "bytes": len(made.page),
        "book": api.to_plain(made.report.evaluation.book),
        "sections": list(made.sections),
        "verdicts": [api.to_plain(verdict) for verdict in made.verdicts],
        "config_digest": made.report.configuration.digest,
    }
