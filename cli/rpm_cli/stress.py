"""``rpm stress``: what does this book lose in a crisis?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def stress(
    book: common.BookArgument = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", help="Name from `rpm scenarios`; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All crises of the library.")] = False,
    propagation: Annotated[
        str | None, typer.Option("--propagation", help="beta, uniform or adverse. [default: beta]")
    ] = None,
    assets: common.AssetsOption = None,
    estimate: common.EstimateOption = False,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    check: common.CheckOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a parameter of the scenario (shock=-0.2) or a setting (section.key=value); may be repeated.",
        ),
    ] = None,
    quiet: common.QuietOption = False,
) -> None:
    """What does this book lose in a crisis: every position shocked and revalued, held against the pass criteria.

    Examples: `rpm stress --scenario lehman2008`; `rpm stress book.parquet --all --check`;
    `rpm stress book.parquet -s covid2020 --set shock=-0.2`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    if everything == bool(scenario):
        raise typer.BadParameter("give --scenario NAME or --all", param_hint="--scenario")
    assigned = assignments or []
    settings = common.settings_from(
        config,
        [a for a in assigned if "." in a.partition("=")[0]],
        {"stress.propagation": propagation, "factors.unknown": "estimate" if estimate else None},
    )
    common.announce(book, check=check, quiet=quiet)

    from rpmcore import api

    crises = api.chosen_crises(scenario, [a for a in assigned if "." not in a.partition("=")[0]])
    report = api.stress(
        book,
        prices,
        crises=crises,
        settings=settings,
        capital=equity,
        base_currency=base_currency,
        as_of=day,
        assets=assets,
    )
    common.tell(report.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import stress as rendering

        rendering.show(report)
    else:
        common.print_machine("stress", {**api.to_plain(report), "config_digest": settings.digest}, form)
    if check and not report.passed:
        raise typer.Exit(common.BREACHED)
