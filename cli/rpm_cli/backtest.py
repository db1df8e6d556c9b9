"""``rpm backtest``: was the risk model right?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def backtest(
    book: common.BookArgument = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            help="limit (the measure that limits bind on), historical, filtered_historical, normal, student_t, "
            "cornish_fisher, extreme_value or monte_carlo. [default: limit]",
        ),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Score every method on the same days.")] = False,
    window: Annotated[
        int | None, typer.Option("--window", help="Returns behind each forecast. [default: tail_risk.lookback, 500]")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option("--confidence", "-c", help="Of the forecasts. [default: 0.99]")
    ] = None,
    significance: Annotated[
        float | None, typer.Option("--significance", help="How often a right model may fail a test. [default: 0.05]")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the simulated p-values.")] = None,
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
    """Was the risk model right: VaR and CVaR of every day of the past, forecast from the days before, and tested.

    Examples: `rpm backtest`; `rpm backtest book.parquet --method historical --window 250`;
    `rpm backtest book.parquet --compare`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(
        config,
        assignments,
        {
            "backtest.window": window,
            "backtest.confidence": confidence,
            "backtest.significance": significance,
            "simulation.seed": seed,
        },
        quiet=quiet,
    )
    common.announce(book, check=check, quiet=quiet)

    from rpm_cli.rendering.progress import work_done
    from rpmcore import api

    with work_done(quiet) as progress:
        report = api.backtest(
            book,
            prices,
            method=method or "limit",
            settings=settings,
            capital=equity,
            base_currency=base_currency,
            as_of=day,
            compare=compare,
            progress=progress,
        )
    common.tell(report.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import backtest as rendering

        rendering.show(report, settings.digest)
    else:
        common.print_report(report, form)
    if check and report.failed:
        raise typer.Exit(common.BREACHED)
