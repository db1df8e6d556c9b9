"""``rpm config``: the settings, where they come from, and what they do."""

from typing import TYPE_CHECKING, Annotated

import typer

from rpm_cli import options as common

if TYPE_CHECKING:
    from rpmcore.adapters.configuration.loading import Configuration

BAD = 2

app = typer.Typer(
    help="The settings: what stands, where it comes from, what it does.", no_args_is_help=True, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


@app.command("init")
def init(
    path: Annotated[str | None, typer.Argument(metavar="PATH", help="Where to. [default: rpm.yaml]")] = None,
) -> None:
    """Write a settings file with every section and default, commented; a file that is there stays as it is."""
    from rpmcore import configuration_jobs

    typer.echo(f"Wrote {configuration_jobs.begin(path)}: every default, commented out.")


@app.command("show")
def show(
    section: Annotated[
        str | None, typer.Option("--section", metavar="SECTION", help="One section, such as limits.")
    ] = None,
    origins: Annotated[
        bool, typer.Option("--origins", help="Where each value comes from, in place of its unit.")
    ] = False,
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Every setting as it stands. What differs from its default is marked.

    Examples: `rpm config show --section limits`; `rpm --environment prod config show --origins`.
    """
    form = common.chosen_format(output, as_json)
    loaded = _loaded(config, assignments, quiet=quiet)

    from rpmcore import configuration_jobs

    views = configuration_jobs.show(loaded, section)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import config as rendering

        rendering.show_settings(views, loaded, origins=origins)
    else:
        common.print_machine("config", {
            "environment": loaded.environment, "files": [str(file) for file in loaded.files],
            "settings": [rendered(view) for view in views], "warnings": list(loaded.warnings),
            "config_digest": loaded.settings.digest,
        }, form)  # fmt: skip


@app.command("explain")
def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Section and name, such as limits.value_at_risk.")],
    config: common.ConfigOption = None,
    assignments: common.SetOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """One setting: its value and where that comes from, what it does, its unit, range and default."""
    form = common.chosen_format(output, as_json)
    loaded = _loaded(config, assignments, quiet=quiet)

    from rpmcore import configuration_jobs

    found = configuration_jobs.explain(loaded, key)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import config as rendering

        rendering.show_explanation(found)
    else:
        common.print_machine("config.explain", {
            "setting": rendered(found.setting), "variable": found.variable, "tightens": found.tightens,
            "layers": [{"origin": origin, "value": value} for origin, value in found.layers],
            "config_digest": loaded.settings.digest,
        }, form)  # fmt: skip


@app.command("validate")
def validate(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Settings files. [default: those that are found]")
    ] = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """Check settings files, alone and with the file of each environment beside them; exit 2 if one is not sound."""
    form = common.chosen_format(output, as_json)

    from rpmcore import configuration_jobs

    found = configuration_jobs.validate(tuple(files or ()))
    if form is common.Format.TABLE:
        from rpm_cli.rendering import config as rendering

        rendering.show_validations(found)
    else:
        common.print_machine("config.validate", {"files": [rendered(check) for check in found]}, form)
    if any(check.problems for check in found):
        raise typer.Exit(BAD)


@app.command("schema")
def schema() -> None:
    """The JSON schema of a settings file, for editors: every key with its unit, range and default."""
    import json

    from rpmcore import configuration_jobs

    typer.echo(json.dumps(configuration_jobs.json_schema(), indent=2, ensure_ascii=False))


@app.command("diff")
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A file, dev, staging, prod, or default.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    config: common.ConfigOption = None,
    output: common.FormatOption = None,
    as_json: common.JsonOption = False,
) -> None:
    """What differs between two files or environments, and whether going from A to B tightens or loosens a control.

    Files alone count: no variables, no --set. Examples: `rpm config diff default rpm.yaml`; `rpm config diff dev prod`.
    """
    form = common.chosen_format(output, as_json)

    from rpmcore import configuration_jobs

    found = configuration_jobs.compare(a, b, config=config)
    if form is common.Format.TABLE:
        from rpm_cli.rendering import config as rendering

        rendering.show_comparison(found)
    else:
        common.print_machine("config.diff", {
            "a": found.a, "b": found.b, "a_digest": found.a_digest, "b_digest": found.b_digest,
            "differences": [rendered(difference) for difference in found.differences],
        }, form)  # fmt: skip


def rendered(view: object) -> dict[str, object]:
    """Return a view in JSON's types; its fields are of them already."""
    from dataclasses import asdict

    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(view).items()}  # type: ignore[call-overload]


def _loaded(config: str | None, assignments: list[str] | None, *, quiet: bool) -> "Configuration":
    from rpmcore.adapters.configuration.loading import load_configuration

    loaded = load_configuration(config, assignments=assignments or ())
    common.tell_origin(loaded, quiet=quiet)
    return loaded
