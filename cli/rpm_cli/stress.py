"""``rpm stress``: what does this book lose in a crisis?"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from rpm_cli import options as common


def stress(
    book: common.BookArgument = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", "-s", help="Name from `rpm scenarios`; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All crises of the library.")] = False,
    scenario_file: common.ScenarioFileOption = None,
    synthetic: Annotated[
        int | None, typer.Option("--synthetic", metavar="N", help="So many synthetic crises, each on its own path.")
    ] = None,
    reverse: Annotated[
        float | None,
        typer.Option("--reverse", metavar="LOSS", help="The most plausible day that loses so much, such as 0.10."),
    ] = None,
    shock: Annotated[
        list[str] | None,
        typer.Option(
            "--shock",
            metavar="NAME=MOVE",
            help="Move a price (SP500=-0.1), or with --factors a factor; the rest follows. May be repeated.",
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            help="parametric, replay, factor or path, or all that the data allow; may be repeated. "
            "[default: parametric]",
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            "--system", help="Who may act on a path: unmanaged (nobody), limits, or gate. [default: unmanaged]"
        ),
    ] = None,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Carry the paths through the gate: --system gate; crises by --mode path."),
    ] = False,
    propagation: Annotated[
        str | None, typer.Option("--propagation", help="beta, uniform or adverse. [default: beta]")
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option("--factors", metavar="FILE", help="Returns of factors, for --shock and --reverse in their space."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of paths and synthetic crises.")] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=1024, help="That share the work; the result does not depend on it.")
    ] = 1,
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

    Examples: `rpm stress --scenario lehman2008`; `rpm stress book.parquet --all --mode replay --check`;
    `rpm stress book.parquet --shock SP500=-0.1`; `rpm stress --reverse 0.10`; `rpm stress --synthetic 1000`;
    `rpm stress book.parquet --all --gate`.
    """
    form = common.chosen_format(output, as_json)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    crises = everything or bool(scenario)
    asked = [crises or bool(shock), synthetic is not None, reverse is not None]
    if sum(asked) != 1 or (everything and scenario):
        raise typer.BadParameter(
            "give one of --scenario NAME, --all, --shock NAME=MOVE, --synthetic N and --reverse LOSS",
            param_hint="--scenario",
        )
    system = _chosen_system(system, gate=gate)
    if system == "gate" and crises and not mode:
        mode = ["path"]
    assigned = assignments or []
    changes = [a for a in assigned if "." not in a.partition("=")[0]]
    question = "--reverse" if reverse is not None else "--synthetic" if synthetic is not None else "--shock"
    if crises:
        question = "--scenario with --shock" if shock else "--scenario"
    _check_used(
        question,
        {
            "--mode": mode,
            "--gate" if gate else "--system": system,
            "--scenario-file": scenario_file,
            "--set": changes,
            "--propagation": propagation,
            "--factors": factors,
            "--check": check,
        },
    )
    settings = common.settings_from(
        config,
        [a for a in assigned if "." in a.partition("=")[0]],
        {
            "stress.propagation": propagation,
            "simulation.seed": seed,
            "factors.unknown": "estimate" if estimate else None,
        },
        quiet=quiet,
    )
    common.announce(book, check=check, quiet=quiet)

    from rpm_cli.rendering.progress import work_done
    from rpmcore import api

    shared: dict[str, Any] = {
        "settings": settings,
        "capital": equity,
        "base_currency": base_currency,
        "as_of": day,
        "assets": assets,
    }
    report: Any
    if synthetic is not None:
        with work_done(quiet) as progress:
            report = api.synthetic_stress(
                book, prices, n_simulations=synthetic, system=system or "unmanaged", threads=threads,
                progress=progress, **shared,
            )  # fmt: skip
        passed, notes = report.passed, report.notes
    elif reverse is not None:
        report = api.reverse_stress(book, prices, loss=reverse, factors=factors, **shared)
        passed, notes = True, report.notes
    else:
        chosen: tuple[Any, ...] = ()
        if crises:
            chosen = api.chosen_crises(scenario, changes, scenario_file)
        report = api.stress(
            book,
            prices,
            crises=chosen,
            modes=mode or ("parametric",),
            shocks=_shocks(shock or []),
            factors=factors,
            system=system or "unmanaged",
            threads=threads,
            **shared,
        )
        passed, notes = report.passed, report.notes
    common.tell(notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import stress as rendering

        if synthetic is not None:
            rendering.show_suite(report)
        elif reverse is not None:
            rendering.show_reverse(report)
        else:
            rendering.show(report)
    else:
        common.print_report(report, form)
    if check and not passed:
        raise typer.Exit(common.BREACHED)


_UNUSED = {
    "--reverse": ("--mode", "--system", "--scenario-file", "--set", "--propagation", "--check"),
    "--synthetic": ("--mode", "--scenario-file", "--set", "--factors"),
    "--shock": ("--mode", "--system", "--scenario-file", "--set", "--propagation"),
    "--scenario": ("--factors",),
}
"""What a question has no use for: scenarios, their modes and parameters, factors, and a verdict."""


def _check_used(question: str, given: Mapping[str, Any]) -> None:
    """Refuse an option that the question does not use: the answer would be taken for one that does.

    Raises
    ------
    typer.BadParameter
        If there is one; ``--set`` stands for parameters of a scenario.
    """
    option = "--gate" if "--gate" in given else "--system"
    system = given[option]
    for name in _UNUSED.get(question, ()):
        if name == "--system" and system:
            raise typer.BadParameter(f"{question} makes no use of it; leave it out", param_hint=option)
        if given.get(name):
            raise typer.BadParameter(f"{question} makes no use of it; leave it out", param_hint=name)
    paths = not question.startswith("--scenario") or {"path", "all"} & set(given["--mode"] or ())
    if system in ("limits", "gate") and not paths:
        acts = "limits act" if system == "limits" else "the gate acts"
        raise typer.BadParameter(f"{acts} on paths alone; add --mode path", param_hint=option)


def _chosen_system(system: str | None, *, gate: bool) -> str | None:
    """Return who may act: ``--gate`` is short for ``--system gate``.

    Raises
    ------
    typer.BadParameter
        If both are given and name two.
    """
    if gate and system not in (None, "gate"):
        raise typer.BadParameter(f"--gate is --system gate, and not {system}; leave one out", param_hint="--gate")
    return "gate" if gate else system


def _shocks(texts: list[str]) -> dict[str, float]:
    """Return moves by name.

    Raises
    ------
    typer.BadParameter
        If one is not written as NAME=MOVE, or a move is not a number above -1.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            move = float(number)
        except ValueError:
            move = float("nan")
        if not (equals and name.strip() and -1.0 < move < float("inf")):
            raise typer.BadParameter(
                f"{text!r} is not NAME=MOVE with a move above -1, such as SP500=-0.1", param_hint="--shock"
            )
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()} is shocked twice", param_hint="--shock")
        found[name.strip()] = move
    return found
