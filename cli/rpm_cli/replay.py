"""``rpm replay``: does the ledger lead to its decisions, and to which under other settings?"""

import gc
from time import perf_counter
from typing import Annotated

import typer

from rpm_cli import options as common

NOT_PROVEN = 5


def replay(
    ledger: common.LedgerArgument,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="FILE", help="Compare with these settings (YAML) instead of proving."),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Compare with one setting changed; may be repeated."),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="How many flipped decisions a table shows.")
    ] = 20,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Run every command of a ledger again: each decision must come out as it stands, to the byte.

    With --config or --set the same commands are run under other settings: which decisions flip, and what the account
    would have made of it, to the first order.

    Examples: `rpm replay desk.ledger`; `rpm replay desk.ledger --set limits.value_at_risk=0.015`.
    """
    form = common.chosen_format(output, as_json)
    gc.enable()  # years of commands make more garbage than a report
    if config is None and not assignments:
        _prove(ledger, form, quiet)
    else:
        _compare(ledger, config, assignments, form, quiet, last)


def _prove(ledger: str, form: common.Format, quiet: bool) -> None:
    from rpm_cli.rendering.progress import work_done
    from rpmcore.audit_jobs import prove

    began = perf_counter()
    with work_done(quiet) as progress:
        proof = prove(ledger, progress=progress)
    seconds = perf_counter() - began
    if not quiet and seconds > 0.0:
        typer.echo(
            f"{proof.decisions:,} decisions in {seconds:.1f} s, {proof.decisions / seconds:,.0f} a second", err=True
        )
    if form is common.Format.TABLE:
        from rpm_cli.rendering import replay as rendering

        rendering.show_proof(proof)
    else:
        common.print_report(proof, form)
    if not proof.ok:
        raise typer.Exit(NOT_PROVEN)


def _compare(
    ledger: str, config: str | None, assignments: list[str] | None, form: common.Format, quiet: bool, last: int
) -> None:
    from rpm_cli.rendering.progress import work_done
    from rpmcore.adapters.configuration.loading import load_settings
    from rpmcore.audit_jobs import compare_policies

    settings = None if config is None else load_settings(config, assignments or ())
    changes = assignments or () if config is None else ()
    with work_done(quiet) as progress:
        found = compare_policies(ledger, settings, changes=changes, progress=progress)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import replay as rendering

        rendering.show_policy(found, last)
    else:
        common.print_report(found, form)
