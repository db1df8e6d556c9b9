"""``rpm exposure``: where does the risk come from?"""

from enum import StrEnum
from typing import Annotated

import typer

from rpm_cli import options as common


class By(StrEnum):
    """What a table of exposures is about."""

    FACTOR = "factor"
    SECTOR = "sector"
    CURRENCY = "currency"
    STRATEGY = "strategy"
    ALL = "all"


def exposure(
    book: common.BookArgument = None,
    by: Annotated[
        list[By] | None,
        typer.Option("--by", help="Which tables to print; may be repeated. JSON and CSV have them all. [default: all]"),
    ] = None,
    hedge: Annotated[
        bool, typer.Option("--hedge", help="Look for the position that neutralises each factor and currency.")
    ] = False,
    hedge_with: Annotated[
        list[str] | None,
        typer.Option(
            "--hedge-with",
            metavar="SYMBOL",
            help="Hedge with this instrument; may be repeated. [default: what is held, the market, and pairs with the "
            "account currency]",
        ),
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option(
            "--factors",
            metavar="FILE",
            help="Returns of factors: date and a column per factor. [default: the market and principal components]",
        ),
    ] = None,
    assets: common.AssetsOption = None,
    estimate: common.EstimateOption = False,
    market: Annotated[
        str | None, typer.Option("--market", metavar="SYMBOL", help="Stands for the market. [default: SP500]")
    ] = None,
    components: Annotated[
        int | None,
        typer.Option("--components", help="Principal components. [default: those beyond the Marchenko–Pastur edge]"),
    ] = None,
    lookback: Annotated[
        int | None, typer.Option("--lookback", help="Most recent returns of the regressions. [default: 500]")
    ] = None,
    decay: Annotated[
        float | None, typer.Option("--decay", help="λ of exponential weights. [default: all returns weigh alike]")
    ] = None,
    lags: Annotated[int | None, typer.Option("--lags", help="Of the Newey–West errors. [default: by rule]")] = None,
    return_days: Annotated[
        int | None,
        typer.Option("--return-days", help="Days that each return spans; 2 where closes differ in hour. [default: 1]"),
    ] = None,
    periods_per_year: Annotated[
        float | None, typer.Option("--periods-per-year", help="For annualising. [default: 252]")
    ] = None,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    check: common.CheckOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """Where does the risk come from: factors, sectors, currencies and strategies, held against their limits.

    Examples: `rpm exposure`; `rpm exposure book.parquet --by currency --hedge`;
    `rpm exposure book.parquet --factors factors.parquet --check`.
    """
    form = common.chosen_format(output, as_json)
    if factors is not None and components is not None:
        raise typer.BadParameter("--components counts factors made from the prices; --factors gives others")
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(
        config,
        assignments,
        {
            "factors.unknown": "estimate" if estimate else None,
            "factors.market": market,
            "factors.components": components,
            "factors.lookback": lookback,
            "factors.decay": decay,
            "factors.lags": lags,
            "data.return_days": return_days,
            "data.periods_per_year": periods_per_year,
        },
        quiet=quiet,
    )
    common.announce(book, check=check, quiet=quiet)

    from rpmcore import api

    report = api.exposure(
        book,
        prices,
        settings=settings,
        capital=equity,
        base_currency=base_currency,
        as_of=day,
        assets=assets,
        factors=factors,
        hedge=hedge or bool(hedge_with),
        hedge_with=tuple(hedge_with or ()),
    )
    common.tell(report.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import exposure as rendering

        asked = {choice.value for choice in by or [By.ALL]}
        rendering.show(report, asked, settings.digest)
    else:
        common.print_report(report, form)
    if check and report.breached:
        raise typer.Exit(common.BREACHED)
