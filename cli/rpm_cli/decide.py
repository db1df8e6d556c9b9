"""``rpm decide``: may this trade be sent?"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpm_cli import options as common
from rpm_cli.size import Side

if TYPE_CHECKING:
    from rpmcore.domain.decisions import Decision

REJECTED, FAILED_CLOSED = 3, 4


def decide(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What is traded, such as EURUSD.")],
    side: Annotated[Side, typer.Option("--side", help="Which way.")],
    strategy: Annotated[str, typer.Option("--strategy", metavar="ID", help="Who asks.")],
    entry: Annotated[float, typer.Option("--entry", metavar="P", help="Price at which it is expected to be filled.")],
    quantity: Annotated[
        float | None, typer.Option("--quantity", metavar="Q", help="Units of the instrument; this or --risk.")
    ] = None,
    risk: Annotated[
        float | None, typer.Option("--risk", metavar="R", help="Share of equity that is lost at the stop instead.")
    ] = None,
    stop: Annotated[float | None, typer.Option("--stop", metavar="P", help="Price at which it is given up.")] = None,
    target: Annotated[
        float | None, typer.Option("--target", metavar="P", help="Price at which gains are taken.")
    ] = None,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="Only shrink what is held.")] = False,
    signal_id: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="Of the signal: the same again gets the same answer. [default: a new one]"
        ),
    ] = None,
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="LEDGER", help="Decide on this ledger, and record it.")
    ] = None,
    what_if: Annotated[bool, typer.Option("--what-if", help="Record nothing; nothing may be sent on it.")] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="When it arrives: a UTC time such as 2020-03-16T14:00, or 'last' for the time of the ledger's last "
            "command. [default: now]",
        ),
    ] = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="BOOK", help="Without a ledger: what is held. [default: the sample]")
    ] = None,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    assets: common.AssetsOption = None,
    as_of: common.AsOfOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """May this trade be sent: approved, cut or rejected, with every check behind it.

    On a ledger the decision is recorded before it is printed. With --what-if nothing is recorded; without a ledger it
    is asked of a new gate on a book, at the last close.

    Examples: `rpm decide EURUSD --side buy --strategy trend --risk 0.005 --entry 1.10 --stop 1.09 --ledger L`;
    `rpm decide MSFT --side sell --strategy core_equity --quantity 500 --entry 40.4 --what-if`.
    """
    form = common.chosen_format(output, as_json)
    if (quantity is None) == (risk is None):
        raise typer.BadParameter("give either --quantity or --risk")
    asked = {
        "strategy_id": strategy, "symbol": symbol, "side": side.value, "entry": entry, "quantity": quantity,
        "risk": risk, "stop": stop, "target": target, "reduce_only": reduce_only,
    }  # fmt: skip
    if ledger is not None:
        others = (book, prices, capital, base_currency, assets, as_of, config, assignments)
        if any(other is not None for other in others):
            raise typer.BadParameter("a ledger has its own book, prices and settings: leave theirs out")
        decision = _on_ledger(ledger, asked, signal_id, at, what_if=what_if, quiet=quiet)
    else:
        if not what_if:
            raise typer.BadParameter("without --ledger nothing can be recorded: give one, or --what-if")
        if at is not None:
            raise typer.BadParameter("without a ledger it is asked at the last close: use --as-of", param_hint="--at")
        decision = _of_book(
            book, asked, signal_id, prices=prices, capital=capital, base_currency=base_currency, assets=assets,
            as_of=as_of, config=config, assignments=assignments, quiet=quiet,
        )  # fmt: skip
    _print(decision, form, recorded=not what_if)
    if not decision.approved:
        from rpmcore.domain.reasons import RejectReason

        failed = decision.reason in (RejectReason.HALTED, RejectReason.CHECK_FAILED, RejectReason.DEADLINE)
        raise typer.Exit(FAILED_CLOSED if failed else REJECTED)


def _on_ledger(
    ledger: str, asked: dict[str, Any], signal_id: str | None, at: str | None, *, what_if: bool, quiet: bool
) -> "Decision":
    from time import time_ns
    from uuid import uuid4

    from rpm_cli.rendering.progress import work_done
    from rpmcore import ledger_jobs
    from rpmcore.domain.orders import Signal

    now = time_ns()
    when = now if at is None else None if at == "last" else parse_time(at, "--at")
    if when is not None and when > now and not what_if:
        raise typer.BadParameter(
            "a decision in the future would stop the clock of the gate until then", param_hint="--at"
        )
    name = signal_id or ("what-if" if what_if else f"cli-{uuid4()}")

    def signal(moment: int) -> Signal:
        return Signal(signal_id=name, at=moment, **asked)

    if what_if:
        return ledger_jobs.what_if(ledger, signal, at=when)
    with work_done(quiet) as progress:
        return ledger_jobs.decide(ledger, signal, at=when, progress=progress)


def _of_book(
    book: str | None, asked: dict[str, Any], signal_id: str | None, *, prices: str | None, capital: float | None,
    base_currency: str | None, assets: str | None, as_of: str | None, config: str | None,
    assignments: list[str] | None, quiet: bool,
) -> "Decision":  # fmt: skip
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(config, assignments, {}, quiet=quiet)
    common.announce(book, check=False, quiet=quiet, what="book")

    from rpmcore import ledger_jobs
    from rpmcore.domain.orders import Signal

    return ledger_jobs.what_if_of_book(
        book, lambda moment: Signal(signal_id=signal_id or "what-if", at=moment, **asked), settings, prices=prices,
        as_of=day, capital=equity, base_currency=base_currency, assets=assets,
        strategies=settings.strategies.capital,
    )  # fmt: skip


def parse_time(text: str, option: str) -> int:
    """Return a time in UTC as nanoseconds; a day is its beginning.

    Raises
    ------
    typer.BadParameter
        If it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time such as 2020-03-16 or 2020-03-16T14:00", param_hint=option
        ) from None
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    whole = int(zoned.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + zoned.microsecond * 1000


def _print(decision: "Decision", form: common.Format, *, recorded: bool) -> None:
    if form is common.Format.TABLE:
        from rpm_cli.rendering import decision as rendering

        rendering.show(decision, recorded=recorded)
        return
    common.print_report(decision, form)
