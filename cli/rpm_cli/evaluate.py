"""``rpm evaluate``: what can this book lose?"""

from typing import Annotated

import typer

from rpm_cli import options as common


def evaluate(
    book: common.BookArgument = None,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    covariance: Annotated[
        str | None,
        typer.Option("--covariance", help="sample, ewma, stressed or ledoit_wolf. [default: ewma]"),
    ] = None,
    decay: Annotated[
        float | None, typer.Option("--decay", help="λ of the exponential weights. [default: 0.94]")
    ] = None,
    shrinkage: Annotated[
        str | None,
        typer.Option(
            "--shrinkage",
            help="A fixed intensity, ledoit_wolf for the estimated one, or none. [default: 0.10]",
        ),
    ] = None,
    lookback: Annotated[
        int | None, typer.Option("--lookback", help="Most recent returns for the covariance. [default: 60]")
    ] = None,
    tail_lookback: Annotated[
        int | None,
        typer.Option("--tail-lookback", help="Most recent returns for historical methods. [default: 500]"),
    ] = None,
    confidence: Annotated[
        list[float] | None,
        typer.Option(
            "--confidence",
            "-c",
            help="Of VaR and CVaR (expected shortfall); may be repeated. [default: 0.95, 0.99]",
        ),
    ] = None,
    horizon: Annotated[int | None, typer.Option("--horizon", help="In trading days. [default: 1]")] = None,
    mean: Annotated[
        str | None, typer.Option("--mean", help="Mean of the normal method: zero or sample. [default: zero]")
    ] = None,
    paths: Annotated[int | None, typer.Option("--paths", help="Monte Carlo paths. [default: 100000]")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Monte Carlo seed; the same seed gives the same bits.")
    ] = None,
    distribution: Annotated[
        str | None,
        typer.Option("--distribution", help="Monte Carlo shocks: normal or student_t. [default: student_t]"),
    ] = None,
    dof: Annotated[
        float | None, typer.Option("--dof", help="Degrees of freedom of Student-t shocks. [default: 5]")
    ] = None,
    periods_per_year: Annotated[
        float | None, typer.Option("--periods-per-year", help="For annualising. [default: 252]")
    ] = None,
    check: common.CheckOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """What can this book lose: volatility, VaR and CVaR (expected shortfall), where the risk sits, limits, scaling.

    Examples: `rpm evaluate` on the sample book; `rpm evaluate book.parquet --prices prices.parquet`;
    `rpm evaluate book.parquet --json --check`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(
        config,
        assignments,
        {
            "covariance.method": covariance,
            "covariance.decay": decay,
            "covariance.lookback": lookback,
            "tail_risk.lookback": tail_lookback,
            "tail_risk.confidences": confidence or None,
            "tail_risk.horizon": horizon,
            "tail_risk.mean": mean,
            "simulation.paths": paths,
            "simulation.seed": seed,
            "simulation.distribution": distribution,
            "simulation.dof": dof,
            "data.periods_per_year": periods_per_year,
            **common.shrinkage_option(shrinkage),
        },
    )
    common.announce(book, check=check, quiet=quiet)

    from rpmcore import api

    result = api.evaluate(book, prices, settings=settings, capital=equity, base_currency=base_currency, as_of=day)
    common.tell(result.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import evaluation

        evaluation.show(result, settings.digest)
    else:
        common.print_machine("evaluate", {**api.to_plain(result), "config_digest": settings.digest}, form)
    if check and result.breached:
        raise typer.Exit(common.BREACHED)
