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
        typer.Option(
            "--covariance",
            help="sample, ewma, stressed, ledoit_wolf, oas or nonlinear_shrinkage. [default: ewma]",
        ),
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
    target: Annotated[
        str | None,
        typer.Option(
            "--shrinkage-target",
            help="Of ledoit_wolf: scaled_identity or constant_correlation. [default: scaled_identity]",
        ),
    ] = None,
    assets: common.AssetsOption = None,
    estimate: common.EstimateOption = False,
    correlation: Annotated[
        str | None,
        typer.Option(
            "--correlation",
            metavar="FILE",
            help="Your correlations in place of the estimated ones: symbol and a column per instrument.",
        ),
    ] = None,
    return_days: Annotated[
        int | None,
        typer.Option("--return-days", help="Days that each return spans; 2 where closes differ in hour. [default: 1]"),
    ] = None,
    lookback: Annotated[
        int | None, typer.Option("--lookback", help="Most recent returns for the covariance. [default: 60]")
    ] = None,
    tail_lookback: Annotated[
        int | None,
        typer.Option("--tail-lookback", help="Most recent returns for historical methods. [default: 500]"),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            "-m",
            help="historical, filtered_historical, normal, student_t, cornish_fisher, extreme_value, monte_carlo, or "
            "all; may be repeated. [default: historical, normal, student_t, monte_carlo]",
        ),
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
    quantile: Annotated[
        str | None,
        typer.Option("--quantile", help="Historical quantile: inverse_cdf or type7. [default: inverse_cdf]"),
    ] = None,
    intervals: Annotated[
        str | None,
        typer.Option("--intervals", help="analytic or bootstrap. [default: analytic]"),
    ] = None,
    paths: Annotated[int | None, typer.Option("--paths", help="Monte Carlo paths. [default: 100000]")] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            "--precision",
            help="Simulate until the standard errors of VaR and CVaR are this fraction of them, such as 0.001.",
        ),
    ] = None,
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
    sampling: Annotated[
        str | None,
        typer.Option("--sampling", help="Monte Carlo draws: pseudo, antithetic or sobol. [default: pseudo]"),
    ] = None,
    shocks: Annotated[
        str | None,
        typer.Option("--shocks", help="Draw the P&L of the book, or one shock per instrument: book or assets."),
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=1024, help="That share the paths; the result does not depend on it.")
    ] = 1,
    bind_on: Annotated[
        str | None,
        typer.Option("--bind-on", help="Hold limits against the estimate or its upper bound: point or upper."),
    ] = None,
    decompose: Annotated[
        list[str] | None,
        typer.Option(
            "--decompose",
            metavar="METHOD",
            help="Take VaR and CVaR of a method apart by position, with each halved and dropped; all stands for "
            "every method of the report.",
        ),
    ] = None,
    compare_covariance: Annotated[
        bool, typer.Option("--compare-covariance", help="Score every covariance estimator on this book's past.")
    ] = False,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="Follow volatility, VaR and CVaR of today's positions through time.")
    ] = False,
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
    if paths is not None and precision is not None:
        raise typer.BadParameter("--precision decides the number of paths: give it or --paths, not both")
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(
        config,
        assignments,
        {
            "covariance.method": covariance,
            "covariance.decay": decay,
            "covariance.target": target,
            "covariance.lookback": lookback,
            "tail_risk.methods": _methods(method),
            "tail_risk.lookback": tail_lookback,
            "tail_risk.confidences": confidence or None,
            "tail_risk.horizon": horizon,
            "tail_risk.mean": mean,
            "tail_risk.quantile": quantile,
            "tail_risk.intervals": intervals,
            "simulation.paths": paths,
            "simulation.precision": precision,
            "simulation.sampling": sampling,
            "simulation.shocks": shocks,
            "simulation.seed": seed,
            "simulation.distribution": distribution,
            "simulation.dof": dof,
            "limits.bind_on": bind_on,
            "data.periods_per_year": periods_per_year,
            "data.return_days": return_days,
            "factors.unknown": "estimate" if estimate else None,
            **common.shrinkage_option(shrinkage),
        },
        quiet=quiet,
    )
    common.announce(book, check=check, quiet=quiet)

    from rpm_cli.rendering.progress import work_done
    from rpmcore import api

    with work_done(quiet) as progress:
        result = api.evaluate(
            book,
            prices,
            settings=settings,
            capital=equity,
            base_currency=base_currency,
            as_of=day,
            assets=assets,
            correlation=correlation,
            decompose=decompose or (),
            compare_covariance=compare_covariance,
            rolling=rolling,
            threads=threads,
            progress=progress,
        )
    common.tell(result.data.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import evaluation

        evaluation.show(result, settings.digest)
    else:
        common.print_report(result, form)
    if check and result.breached:
        raise typer.Exit(common.BREACHED)


def _methods(asked: list[str] | None) -> list[str] | None:
    """Return the methods named; ``all`` stands for every one."""
    if not asked or "all" not in asked:
        return asked or None
    from typing import get_args

    from rpmcore.risk.settings import TailMethod

    return list(get_args(TailMethod))
