"""``rpm keys``: who may call the service, and for what."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.server.keys import KeyFile

app = typer.Typer(
    help="API keys of the service: each has a name and scopes, and is kept as a digest.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    DECIDE = "decide"
    OPERATE = "operate"


FileOption = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="File of keys. [default: server.keys_file, else the user's own]"),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, such as trend-desk.")]


@app.command("create", short_help="Make a key, and show it this once.")
def create(
    name: NameArgument,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; may be repeated.")],
    file: FileOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
) -> None:
    """Make a key of 256 random bits, and show it this once: the file holds its digest alone.

    `read` sees the state, `decide` sends signals, fills and prices, `operate` trips and resets. A service that runs
    knows it after a SIGHUP, or its next start.

    Examples: `rpm keys create trend-desk --scope read --scope decide`; `rpm keys create risk --scope operate`.
    """
    form = common.chosen_format(output, as_json)
    kept = _file(file, config)
    scopes = tuple(each.value for each in scope)
    secret = kept.create(name, scopes)
    if form is not common.Format.TABLE:
        common.print_machine("key", {"name": name, "scopes": list(scopes), "key": secret, "file": str(kept.path)}, form)
        return
    typer.echo(secret)
    typer.echo(f"This is the key of {name}, shown this once; {kept.path} holds its digest.", err=True)


@app.command("list", short_help="Which keys are there?")
def list_keys(
    file: FileOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    config: common.ConfigOption = None,
) -> None:
    """Which keys there are, what each may do, and since when; no key itself.

    Example: `rpm keys list --json`.
    """
    form = common.chosen_format(output, as_json)
    kept = _file(file, config)
    keys = kept.read()
    if form is not common.Format.TABLE:
        plain = [{"name": key.name, "scopes": list(key.scopes), "created": key.created} for key in keys]
        common.print_machine("keys", {"file": str(kept.path), "keys": plain}, form)
        return
    typer.echo(f"{kept.path}: {len(keys) or 'no'} key{'' if len(keys) == 1 else 's'}")
    for key in keys:
        typer.echo(f"  {key.name:<24} {', '.join(key.scopes):<24} {key.created}")


@app.command("revoke", short_help="Take a key away.")
def revoke(name: NameArgument, file: FileOption = None, config: common.ConfigOption = None) -> None:
    """Take a key away; a service that runs knows it until a SIGHUP, or its next start.

    Example: `rpm keys revoke trend-desk`.
    """
    kept = _file(file, config)
    kept.revoke(name)
    typer.echo(
        f"The key {name} is revoked in {kept.path}; services that run learn it by SIGHUP, or a restart.",
        err=True,
    )


def _file(named: str | None, config: str | None) -> "KeyFile":
    from rpmcore.server.keys import KeyFile, default_keys_file

    if named is None:
        named = common.settings_from(config, None, {}, quiet=True).server.keys_file
    return KeyFile(default_keys_file() if named is None else named)
