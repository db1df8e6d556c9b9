"""``rpm gate run``: what does the gate make of these signals?"""

import gc
from typing import Annotated

import typer

from rpm_cli import options as common


def run(
    signals: Annotated[
        str | None,
        typer.Option(
            "--signals", metavar="FILE", help="Parquet or CSV file of signals. [default: those of the sample]"
        ),
    ] = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="BOOK", help="What is held at the beginning, and by whom.")
    ] = None,
    prices: common.PricesOption = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="FILE", help="New ledger to record everything in. [default: memory]"),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option(
            "--operator", metavar="NAME",
            help="Reset each halt at the next session, in this name; without it a halt stays. [default: nobody]",
        ),
    ] = None,
    spread: Annotated[
        float, typer.Option("--spread-bps", help="Full spread of what the book tells none of, in basis points.")
    ] = 2.0,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day of the run (YYYY-MM-DD).")
    ] = None,
    assets: common.AssetsOption = None,
    log_file: Annotated[
        str | None, typer.Option("--log-file", metavar="FILE", help="Write JSON lines of all that happens to it.")
    ] = None,
    metrics_file: Annotated[
        str | None,
        typer.Option("--metrics-file", metavar="FILE", help="At the end, write the metrics as Prometheus reads them."),
    ] = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:  # fmt: skip
    """Decide a stream of signals day by day, fill what is approved at the next close, and sum up.

    A signal at t is decided with the closes before t. Stops and targets are seen on closes. Strategies need capital:
    by the book, or `--set strategies.capital='{trend: 1000000}'`.

    Examples: `rpm gate run --ledger run.ledger`; `rpm gate run --signals s.parquet --book b.parquet --prices
    p.parquet --ledger l.ledger --operator "A. Name"`.
    """  # fmt: skip
    form = common.chosen_format(output, as_json)
    first, last = common.parse_day(as_of), common.parse_day(until, "--until")
    equity = common.money_option(capital)
    if not 0.0 <= spread < 10_000.0:
        raise typer.BadParameter(f"{spread!r} is not a spread in basis points", param_hint="--spread-bps")
    settings = common.settings_from(config, assignments, {"observability.log_file": log_file}, quiet=quiet)
    common.announce(signals, check=False, quiet=quiet, what="signals")
    gc.enable()  # a run over years makes more garbage than a report

    from rpm_cli.rendering.progress import work_done
    from rpmcore import api

    with work_done(quiet) as progress:
        report = api.gate_run(
            signals, book, prices, ledger=ledger, settings=settings, capital=equity, base_currency=base_currency,
            assets=assets, as_of=first, until=last, operator=operator, spread_bps=spread,
            metrics=metrics_file, progress=progress,
        )  # fmt: skip
    if form is common.Format.TABLE:
        from rpm_cli.rendering import gate_run as rendering

        rendering.show(report)
    else:
        common.print_report(report, form)
