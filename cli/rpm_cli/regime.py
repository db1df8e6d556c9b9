"""``rpm regime``: what state is the market in?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def regime(
    book: common.BookArgument = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show the regimes of all days before, as a strip and a table.")
    ] = False,
    market: Annotated[
        str | None, typer.Option("--market", metavar="SYMBOL", help="Stands for the market. [default: SP500]")
    ] = None,
    prices: common.PricesOption = None,
    assets: common.AssetsOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """What state is the market behind a book in: trending, ranging, volatile or stressed?

    Examples: `rpm regime`; `rpm regime --history`; `rpm regime book.parquet --as-of 2020-03-02`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(config, assignments, {"factors.market": market}, quiet=quiet)
    common.announce(book, check=False, quiet=quiet)

    from rpmcore import api

    report = api.regime(
        book,
        prices,
        history=history,
        settings=settings,
        capital=equity,
        base_currency=base_currency,
        as_of=day,
        assets=assets,
    )
    common.tell(report.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import adaptive as rendering

        rendering.show_regime(report, settings.digest)
    else:
        common.print_report(report, form)
