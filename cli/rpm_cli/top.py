"""``rpm top``: the live state of a service in a terminal."""

from typing import Annotated

import typer

from rpm_cli import options as common


def top(
    url: Annotated[str, typer.Argument(metavar="URL", help="Of the service, such as http://127.0.0.1:8321.")],
    once: Annotated[bool, typer.Option("--once", help="Print it once, and end.")] = False,
    key_file: Annotated[
        str | None,
        typer.Option("--key-file", metavar="FILE", help="File of an API key. [default: RPM_API_KEY_FILE]"),
    ] = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """What the gate of a service holds and allows, live: the same as its page shows. q or Ctrl+C leaves.

    Where the output is no terminal, it is printed once. A state that is old says so, and how old it is.

    Examples: `rpm top http://127.0.0.1:8321`; `rpm top https://risk.example.com --key-file read.key --once --json`.
    """
    form = common.chosen_format(output, as_json)

    from rpm_cli.rendering import top as rendering
    from rpmcore.adapters.service_client.client import ServiceClient, load_api_key
    from rpmcore.adapters.service_client.feed import StateFeed

    feed = StateFeed(ServiceClient(url, key=load_api_key(key_file)))
    try:
        if form is not common.Format.TABLE:
            common.print_machine("state", feed.first(stress=False).state or {}, form)
        elif once or not rendering.is_live():
            rendering.show(feed.first())
        else:
            feed.first(stress=False)
            feed.start()
            rendering.follow(feed.seen)
    finally:
        feed.stop()
