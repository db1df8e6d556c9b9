"""Options that several commands share, and what they have in common before and after the call of the core."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rpmcore.adapters.configuration.loading import Configuration, Settings
    from rpmcore.domain.report import Report

BREACHED = 3

SPELLING = {
    "covariance.method": "--covariance",
    "covariance.shrinkage": "--shrinkage",
    "covariance.target": "--shrinkage-target",
    "tail_risk.lookback": "--tail-lookback",
    "tail_risk.methods": "--method",
    "tail_risk.confidences": "--confidence",
}
"""Options whose names are not the last part of their setting's key."""


class Environment(StrEnum):
    """Whose settings lie above those of ``rpm.yaml``."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


BookArgument = Annotated[
    str | None,
    typer.Argument(metavar="BOOK", help="Parquet or CSV file of the book; the sample book if left out."),
]
LedgerArgument = Annotated[str, typer.Argument(metavar="LEDGER", help="File of the ledger.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="How to print the result. [default: table]")]
JsonOption = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file (YAML or JSON). [default: rpm.yaml, where there is one]"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change one setting; may be repeated."),
]
CheckOption = Annotated[bool, typer.Option("--check", help="Exit with 3 if a limit is breached or a test fails.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No notices on stderr.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="Use prices up to this day (YYYY-MM-DD).")
]
PricesOption = Annotated[
    str | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        help="Parquet or CSV file of prices; by default prices.parquet beside the book, else the sample prices.",
    ),
]
CapitalOption = Annotated[float | None, typer.Option("--capital", help="Equity in account currency.")]
CurrencyOption = Annotated[
    str | None, typer.Option("--base-currency", metavar="CCY", help="Account currency (ISO code).")
]
AssetsOption = Annotated[
    str | None,
    typer.Option(
        "--assets",
        metavar="FILE",
        help="Factor profiles of your own (YAML, Parquet or CSV); they stand before those of rpm.",
    ),
]
ScenarioFileOption = Annotated[
    str | None, typer.Option("--scenario-file", metavar="FILE", help="Scenarios of your own (YAML).")
]
EstimateOption = Annotated[
    bool,
    typer.Option("--estimate", help="Estimate the market beta of instruments of which nothing is known."),
]


def chosen_format(choice: Format | None, as_json: bool) -> Format:
    """Return the format asked for; ``--json`` with another ``--format`` is an error."""
    if as_json and choice not in (None, Format.JSON):
        raise typer.BadParameter("--json contradicts --format " + str(choice))
    return Format.JSON if as_json else choice or Format.TABLE


def parse_day(text: str | None, option: str = "--as-of") -> date | None:
    """Return the day that an option names.

    Raises
    ------
    typer.BadParameter
        If it is not written as YYYY-MM-DD.
    """
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day written as YYYY-MM-DD", param_hint=option) from None


def announce(given: str | None, *, check: bool, quiet: bool, what: str = "book") -> None:
    """Say on stderr what a user should know before the result: the sample, and kernels that must compile.

    Raises
    ------
    typer.BadParameter
        If a verdict (``--check``) is asked for without a book, or trades: the sample's would be taken for one's own.
    """
    from rpmcore import api

    if given is None and check:
        needed = "a BOOK" if what == "book" else what.upper()
        raise typer.BadParameter(f"--check needs {needed}: a verdict on the sample {what} says nothing about yours")
    if quiet:
        return
    if given is None:
        are = "this is the sample book that comes" if what == "book" else f"these are the sample {what} that come"
        typer.echo(f"No {what} given: {are} with rpm.", err=True)
    if not api.kernels_are_compiled():
        typer.echo(
            "First run: compiling the numeric kernels, about half a minute, once. (`rpm warmup` does it ahead.)",
            err=True,
        )


def tell(notes: tuple[str, ...], *, quiet: bool) -> None:
    """Say on stderr what was changed in the data on the way in, such as a time zone that was dropped."""
    if not quiet:
        for note in notes:
            typer.echo(note, err=True)


def settings_from(
    config: str | None, assignments: list[str] | None, options: dict[str, Any], *, quiet: bool = False
) -> "Settings":
    """Return the settings of every layer, options by dotted key on top, and say on stderr which file was found."""
    from rpmcore.adapters.configuration.loading import load_configuration

    loaded = load_configuration(config, assignments=assignments or (), options=options, spelling=SPELLING)
    tell_origin(loaded, quiet=quiet)
    return loaded.settings


def tell_origin(loaded: "Configuration", *, quiet: bool) -> None:
    """Say on stderr which settings files were found without being named, and what is to be known of them."""
    if quiet:
        return
    if loaded.found and loaded.files:
        where = f" ({loaded.environment})" if loaded.environment else ""
        typer.echo(f"Settings from {' and '.join(map(str, loaded.files))}{where}.", err=True)
    for warning in loaded.warnings:
        typer.echo(warning, err=True)


def money_option(capital: float | None) -> float | None:
    """Return `capital` if it is a positive number.

    Raises
    ------
    typer.BadParameter
        Otherwise; typer itself takes "nan" and "inf" for numbers.
    """
    if capital is not None and not 0.0 < capital < float("inf"):
        raise typer.BadParameter(f"{capital!r} is not a positive amount", param_hint="--capital")
    return capital


def shrinkage_option(text: str | None) -> dict[str, Any]:
    """Return the setting that ``--shrinkage`` stands for: a number, ``ledoit_wolf``, or ``none``.

    Raises
    ------
    typer.BadParameter
        If it is none of these.
    """
    if text is None:
        return {}
    if text == "none":
        return {"covariance.shrinkage": 0.0}
    if text == "ledoit_wolf":
        return {"covariance.shrinkage": text}
    try:
        return {"covariance.shrinkage": float(text)}
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a number, nor ledoit_wolf, nor none", param_hint="--shrinkage"
        ) from None


def print_report(report: "Report", form: Format) -> None:
    """Print what a job returned as JSON or CSV: what its `to_dict` says."""
    plain = report.to_dict()
    print_machine(plain.pop("schema").removeprefix("rpm.").removesuffix("/1"), plain, form)


def print_machine(command: str, plain: dict[str, Any], form: Format) -> None:
    """Print a result as JSON or CSV."""
    from rpm_cli.rendering import machine

    if form is Format.JSON:
        machine.print_json(command, plain)
    else:
        machine.print_csv(plain)
