"""``rpm size``: how large may this trade be?"""

from enum import StrEnum
from typing import Annotated

import typer

from rpm_cli import options as common


class Side(StrEnum):
    """Which way a trade goes."""

    BUY = "buy"
    SELL = "sell"


def size(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="What is traded, such as EURUSD.")],
    side: Annotated[Side, typer.Option("--side", help="Which way.")],
    entry: Annotated[float, typer.Option("--entry", metavar="P", help="Price at which it is entered.")],
    stop: Annotated[
        float | None,
        typer.Option(
            "--stop", metavar="P", help="Price at which it is given up. [default: so many daily volatilities away]"
        ),
    ] = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="BOOK", help="What is held. [default: nothing; then --capital]")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="ID", help="Who asks; on probation without record and health.")
    ] = None,
    win_rate: Annotated[float | None, typer.Option("--win-rate", help="Of the strategy's trades, in [0, 1].")] = None,
    average_win: Annotated[
        float | None, typer.Option("--average-win", help="As a fraction of the position's value, such as 0.03.")
    ] = None,
    average_loss: Annotated[float | None, typer.Option("--average-loss", help="The same; positive.")] = None,
    n_trades: Annotated[int | None, typer.Option("--n-trades", metavar="N", help="Trades behind the three.")] = None,
    win_error: Annotated[
        float | None,
        typer.Option("--win-error", help="Standard error of the average win. [default: it is taken as exact]"),
    ] = None,
    loss_error: Annotated[float | None, typer.Option("--loss-error", help="The same of the average loss.")] = None,
    trades: Annotated[
        str | None,
        typer.Option(
            "--trades", metavar="FILE", help="Closed trades: health and record of the strategy, in place of the above."
        ),
    ] = None,
    expected_return: Annotated[
        float | None, typer.Option("--expected-return", help="Of the instrument, a year, in excess of cash.")
    ] = None,
    expected_error: Annotated[
        float | None, typer.Option("--expected-error", help="Its standard error; needed beside it.")
    ] = None,
    regime: Annotated[float | None, typer.Option("--regime", help="Multiplier in [0, 1].")] = None,
    volatility: Annotated[float | None, typer.Option("--volatility", help="Multiplier in [0, 1].")] = None,
    stress: Annotated[float | None, typer.Option("--stress", help="Multiplier in [0, 1].")] = None,
    health: Annotated[
        float | None, typer.Option("--health", help="Multiplier of the strategy's health in [0, 1].")
    ] = None,
    drawdown: Annotated[
        float | None, typer.Option("--drawdown", help="Of account or strategy now, (peak − equity)/peak.")
    ] = None,
    adv: Annotated[
        float | None, typer.Option("--adv", help="Average daily volume in account currency. [default: the book's]")
    ] = None,
    spread_bps: Annotated[
        float | None, typer.Option("--spread-bps", help="Full spread in basis points. [default: the book's]")
    ] = None,
    lot_step: Annotated[float | None, typer.Option("--lot-step", help="Step between two quantities.")] = None,
    minimum_lot: Annotated[float | None, typer.Option("--minimum-lot", help="Smallest quantity.")] = None,
    maximum_lot: Annotated[float | None, typer.Option("--maximum-lot", help="Largest quantity.")] = None,
    contract_size: Annotated[
        float | None, typer.Option("--contract-size", help="What a quantity of one stands for.")
    ] = None,
    risk: Annotated[
        float | None, typer.Option("--risk", help="Fraction of capital that may be lost at the stop. [default: 0.01]")
    ] = None,
    kelly_fraction: Annotated[
        float | None, typer.Option("--kelly-fraction", help="Share of the Kelly fraction. [default: 0.25]")
    ] = None,
    return_days: Annotated[
        int | None,
        typer.Option("--return-days", help="Days that each return spans; 2 where closes differ in hour. [default: 1]"),
    ] = None,
    assets: common.AssetsOption = None,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    as_of: common.AsOfOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """How large may this trade be: every constraint with the size that it allows, and the one that binds.

    Examples: `rpm size EURUSD --side buy --entry 1.10 --stop 1.08 --capital 100000`;
    `rpm size MSFT --side sell --entry 240 --stop 250 --book book.parquet --strategy trend --trades trades.parquet`.
    """
    form = common.chosen_format(output, as_json)
    expected = None
    if expected_return is not None and expected_error is not None:
        expected = (expected_return, expected_error)
    elif expected_return is not None or expected_error is not None:
        raise typer.BadParameter("--expected-return and --expected-error say something only together")
    day, equity = common.parse_day(as_of), common.money_option(capital)
    settings = common.settings_from(
        config,
        assignments,
        {
            "sizing.risk_per_trade": risk,
            "sizing.kelly_fraction": kelly_fraction,
            "data.return_days": return_days,
        },
        quiet=quiet,
    )
    if book is not None or prices is not None:
        common.announce(book or prices, check=False, quiet=quiet)

    from rpmcore import api

    given = {"regime": regime, "volatility": volatility, "stress": stress, "strategy_health": health}
    report = api.size(
        symbol,
        side=side.value,
        entry=entry,
        stop=stop,
        book=book,
        prices=prices,
        record=api.trade_record(
            win_rate, average_win, average_loss, n_trades, win_error=win_error, loss_error=loss_error
        ),
        trades=trades,
        expected=expected,
        multipliers={name: factor for name, factor in given.items() if factor is not None},
        drawdown=drawdown,
        adv=adv,
        spread_bps=spread_bps,
        lot_step=lot_step,
        minimum_lot=minimum_lot,
        maximum_lot=maximum_lot,
        contract_size=contract_size,
        strategy_id=strategy,
        settings=settings,
        capital=equity,
        base_currency=base_currency,
        as_of=day,
        assets=assets,
    )
    common.tell(report.notes, quiet=quiet)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import size as rendering

        rendering.show(report, settings.digest)
    else:
        common.print_report(report, form)
