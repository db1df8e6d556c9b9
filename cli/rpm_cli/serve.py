"""``rpm serve``: the gate as a service."""

from typing import TYPE_CHECKING, Annotated

import typer

from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.adapters.configuration.loading import Settings

BAD_USAGE = 2


def serve(
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="LEDGER", help="Where everything is recorded. [default: the sample's]"),
    ] = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="BOOK", help="What a ledger that begins now holds.")
    ] = None,
    prices: common.PricesOption = None,
    capital: common.CapitalOption = None,
    base_currency: common.CurrencyOption = None,
    assets: common.AssetsOption = None,
    as_of: common.AsOfOption = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Where to listen. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="Which port; 0 for any that is free. [default: 8321]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Record nothing for good; what is approved can never be sent.")
    ] = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    quiet: common.QuietOption = False,
) -> None:
    """Serve the gate over HTTP: decisions, operator commands, its state, metrics and health.

    Without --ledger it serves the sample book on loopback. SIGHUP reads the configuration again; SIGTERM and Ctrl+C
    stop it once everything that was asked is answered.

    Examples: `rpm serve`; `rpm serve --ledger desk.ledger --book book.parquet --prices prices.parquet`;
    `rpm serve --ledger desk.ledger --dry-run`.
    """
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("fastapi", "uvicorn")):
        typer.echo("rpm: the service needs more packages. Install them by: pip install 'rpmcore[serve]'", err=True)
        raise typer.Exit(BAD_USAGE)
    day, equity = common.parse_day(as_of), common.money_option(capital)
    chosen = {"server.host": host, "server.port": port}

    from rpm_cli.rendering.progress import work_done
    from rpmcore.adapters.configuration.loading import load_configuration
    from rpmcore.server.lifecycle import Start
    from rpmcore.server.lifecycle import serve as run
    from rpmcore.server.opening import Asked

    loaded = load_configuration(config, assignments=assignments or (), options=chosen, spelling=common.SPELLING)
    common.tell_origin(loaded, quiet=quiet)
    common.announce(ledger or book or "the sample, of which the service tells more", check=False, quiet=quiet)
    asked = Asked(
        ledger=ledger, book=book, prices=prices, capital=equity, base_currency=base_currency, assets=assets, as_of=day,
        dry_run=dry_run,
    )  # fmt: skip

    def load() -> "Settings":
        return load_configuration(
            config, assignments=assignments or (), options=chosen, spelling=common.SPELLING
        ).settings

    with work_done(quiet) as progress:
        run(
            Start(
                asked=asked, load=load, named=bool(loaded.files or assignments), progress=progress,
                tell=lambda text: None if quiet else typer.echo(text, err=True),
            )
        )  # fmt: skip
