"""``rpm limits``: what may the book hold today?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def limits(
    book: common.BookArgument = None,
    market: Annotated[
        str | None, typer.Option("--market", metavar="SYMBOL", help="Stands for the market. [default: SP500]")
    ] = None,
    prices: common.PricesOption = None,
    assets: common.AssetsOption = None,
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
    """What may the book hold today: the limits of the regime, less what volatility and stress take away.

    Examples: `rpm limits`; `rpm limits book.parquet --check`; `rpm limits --as-of 2008-10-15`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(config, assignments, {"factors.market": market}, quiet=quiet)
    common.announce(book, check=check, quiet=quiet)

    from rpmcore import api

    report = api.limits(
        book, prices, settings=settings, capital=equity, base_currency=base_currency, as_of=day, assets=assets
    )
    common.tell(report.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import adaptive as rendering

        rendering.show_limits(report, settings.digest)
    else:
        common.print_report(report, form)
    if check and report.breached:
        raise typer.Exit(common.BREACHED)
