"""Are the settings and the signing key what the user believes them to be?"""

from pathlib import Path

from rpmcore.doctor.environment import Environment
from rpmcore.doctor.finding import Finding, note, ok, problem

KNOWN_VARIABLES = (
    "RPM_DEBUG",
    "RPM_ENVIRONMENT",
    "RPM_LEDGER_KEY_FILE",
    "RPM_PAGERDUTY_ROUTING_KEY",
    "RPM_PAGERDUTY_ROUTING_KEY_FILE",
    "RPM_SLACK_WEBHOOK_URL",
    "RPM_SLACK_WEBHOOK_URL_FILE",
)
"""Variables of rpm that are no settings; a setting's has two low lines behind RPM."""


def settings(environment: Environment) -> Finding:
    """Which settings are in force, and are they sound?"""
    from rpmcore.adapters.configuration.loading import load_configuration
    from rpmcore.domain.errors import ConfigurationError

    name, expected = "settings", "files and RPM__… variables without an error"
    try:
        loaded = load_configuration(variables=environment.variables, folders=environment.settings_folders)
    except ConfigurationError as error:
        return problem(name, str(error), expected, "correct it; `rpm config schema` has every setting")
    assigned = sorted(variable for variable in environment.variables if variable.startswith("RPM__"))
    files = " and ".join(map(str, loaded.files)) or "no file: the defaults hold"
    found = "; ".join((files, *assigned, f"digest {loaded.settings.digest[:12]}"))
    if loaded.warnings:
        return note(name, f"{found}; {'; '.join(loaded.warnings)}", expected, "see `rpm config validate`")
    return ok(name, found, expected)


def variables(environment: Environment) -> Finding:
    """Is there a variable that somebody takes for one of rpm's?"""
    from rpmcore.domain.errors import nearest

    name, expected = "variables", f"RPM__SECTION__KEY, {', '.join(KNOWN_VARIABLES)}"
    unknown = sorted(
        variable
        for variable in environment.variables
        if variable.startswith("RPM_") and not variable.startswith("RPM__") and variable not in KNOWN_VARIABLES
    )
    if unknown:
        meant = nearest(unknown[0], KNOWN_VARIABLES)
        hint = f"perhaps {meant} is meant; " if meant else ""
        return note(
            name, f"{', '.join(unknown)}: nothing reads it", expected,
            f"{hint}a setting is written RPM__SECTION__KEY, with two low lines",
        )  # fmt: skip
    return ok(name, ", ".join(v for v in KNOWN_VARIABLES if v in environment.variables) or "none set", expected)


def signing_key(environment: Environment) -> Finding:
    """Is there a signing key that can be used, and is it kept from others? What it holds is never shown."""
    from rpmcore.adapters.signing_key import VARIABLE, load_signing_key
    from rpmcore.domain.errors import ConfigurationError

    name, expected = "signing key", "a file of at least 32 bytes that only its owner may read"
    named = environment.variables.get(VARIABLE)
    if named is None and not environment.key_file.exists():
        return ok(name, f"none yet: the first ledger creates it in {environment.key_file}", expected)
    path = str(environment.key_file) if named is None else named
    try:
        loaded = load_signing_key(environment={VARIABLE: path}, create=False)
    except ConfigurationError as error:
        return problem(
            name, str(error), expected, f"name the key file of your ledgers in {VARIABLE}, or correct the file"
        )
    origin = "" if named is None else f", by {VARIABLE}"
    return ok(name, f"{Path(path)} (key {loaded.key.id}{origin})", expected)


CHECKS = (settings, variables, signing_key)
