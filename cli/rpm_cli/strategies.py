"""``rpm strategies``: which strategies may trade?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def strategies(
    trades: Annotated[
        str | None,
        typer.Argument(metavar="TRADES", help="Parquet or CSV file of closed trades; the sample trades if left out."),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="ID", help="Show one strategy in depth.")
    ] = None,
    capital: Annotated[
        float | None,
        typer.Option(
            "--capital",
            help="Equity of the account, shared equally by the strategies whose capital no setting gives. "
            "[default: the file's]",
        ),
    ] = None,
    base_currency: common.CurrencyOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Judge at the end of this day in UTC (YYYY-MM-DD). [default: the last trade]",
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 if a strategy is disabled.")] = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """Which strategies may trade: health, verdict, and how much of the capital each should have.

    Examples: `rpm strategies`; `rpm strategies trades.parquet --capital 1000000 --check`;
    `rpm strategies trades.csv --strategy trend --set strategies.lookback_days=180`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(config, assignments, {}, quiet=quiet)
    common.announce(trades, check=check, quiet=quiet, what="trades")

    from rpmcore import api

    report = api.strategies(
        trades, strategy=strategy, settings=settings, capital=equity, base_currency=base_currency, as_of=day
    )
    common.tell(report.trades.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import strategies as rendering

        rendering.show(report, settings.strategies, settings.digest)
    else:
        common.print_report(report, form)
    if check and report.disabled:
        raise typer.Exit(common.BREACHED)
