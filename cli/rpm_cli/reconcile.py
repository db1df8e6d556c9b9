"""``rpm reconcile``: does the broker, or its statement, say what the gate's books say?"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rpm_cli import import_ as statement_options
from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.reconcile_jobs import BookOf

DIFFERS = 3


class View(StrEnum):
    """Whose view is adopted."""

    BROKER = "broker"
    GATE = "gate"


def reconcile(
    ledger: common.LedgerArgument,
    broker: Annotated[
        str | None,
        typer.Option(
            "--broker",
            metavar="NAME",
            help="Ask a broker: mt5, or MODULE:FACTORY of your own, which is imported and called.",
        ),
    ] = None,
    broker_config: Annotated[
        str | None, typer.Option("--broker-config", metavar="FILE", help="Rules of --broker mt5 (YAML).")
    ] = None,
    statement: Annotated[
        str | None,
        typer.Option(
            "--statement",
            metavar="FILE",
            help="A report of MetaTrader 5, or a table of symbol and quantity with a row `cash` or `equity`.",
        ),
    ] = None,
    adopt: Annotated[
        View | None, typer.Option("--adopt", help="Settle differences that were shown before: whose view stands?")
    ] = None,
    operator: Annotated[str | None, typer.Option("--operator", metavar="NAME", help="Who adopts.")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, in words; it is recorded.")
    ] = None,
    book_to: Annotated[
        str | None,
        typer.Option("--book-to", metavar="STRATEGY", help="Whose the differences are that carry no strategy."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare, and record nothing.")] = False,
    time_zone: statement_options.ZoneOption = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy-rule", metavar="COMMENT=NAME", help="Strategy by comment: 'trend*=trend'; repeatable."
        ),
    ] = None,
    suffixes: statement_options.SuffixOption = None,
    renamed: statement_options.SymbolOption = None,
    sizes: statement_options.SizeOption = None,
    base_currency: statement_options.BaseCurrencyOption = None,
    encoding: statement_options.EncodingOption = None,
    decimal: statement_options.DecimalOption = None,
    partial: statement_options.PartialOption = False,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Hold positions, open orders and money of a gate against its broker's or a statement's; a difference exits with 3.

    Both views are recorded, and a difference halts trading until a named operator adopts one of them. --dry-run records
    nothing, and also reads a ledger that a gate holds.

    Examples: `rpm reconcile desk.ledger --statement positions.csv --dry-run`;
    `rpm reconcile desk.ledger --broker mt5 --broker-config mt5.yaml`;
    `rpm reconcile desk.ledger --statement positions.csv --adopt broker --operator "A. Person" --reason "split of XOM"`.
    """
    form = common.chosen_format(output, as_json)
    _check(broker, statement, adopt, operator, reason, dry_run=dry_run)
    how = statement_options.statements(
        time_zone=time_zone, rules=rules, suffixes=suffixes, renamed=renamed, sizes=sizes,
        base_currency=base_currency, encoding=encoding, decimal=decimal, partial=partial,
    )  # fmt: skip

    from rpm_cli.rendering.progress import work_done
    from rpmcore import reconcile_jobs as jobs
    from rpmcore.ledger_jobs import key_for

    book: BookOf | None = None
    if statement is not None:
        book = jobs.statement_book(statement, how)
    elif broker is not None:
        book = jobs.broker_book(broker, broker_config, key_for(ledger), read_only=dry_run)
    adoption = None if adopt is None else jobs.Adoption(
        view="broker" if adopt is View.BROKER else "gate", operator=str(operator), reason=str(reason),
        book_to=book_to or "account",
    )  # fmt: skip
    with work_done(quiet) as progress:
        report = jobs.reconcile(ledger, book, adoption=adoption, dry_run=dry_run, progress=progress)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import reconciled as rendering

        rendering.show(report)
    else:
        from rpmcore.domain.plain import to_plain

        common.print_machine("reconcile", to_plain(report), form)
    if not report.equal and report.adopted is None:
        raise typer.Exit(DIFFERS)


def _check(
    broker: str | None, statement: str | None, adopt: View | None, operator: str | None, reason: str | None, *,
    dry_run: bool,
) -> None:  # fmt: skip
    if broker is not None and statement is not None:
        raise typer.BadParameter("name one of the two", param_hint="--broker and --statement")
    if broker is None and statement is None and adopt is None:
        raise typer.BadParameter("name what to reconcile with", param_hint="--broker or --statement")
    if adopt is None:
        return
    if dry_run:
        raise typer.BadParameter("a dry run records nothing, and so adopts nothing", param_hint="--adopt")
    for name, text in (("--operator", operator), ("--reason", reason)):
        if text is None or not text.strip():
            raise typer.BadParameter("a named operator and a written reason are needed", param_hint=name)
