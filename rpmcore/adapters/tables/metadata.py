"""What a table says about itself: its schema, and the account that it belongs to."""

import math
import re
from numbers import Real

from rpmcore.adapters.tables.columns import plain_number, probable_number
from rpmcore.adapters.tables.source import TableSource, shortened
from rpmcore.domain.errors import InputError

_CODE = re.compile("[A-Z]{3}")
_NO_CODE = "a currency is a code of three capital letters"


def check_schema(table: TableSource, schema: str, complaint: str) -> None:
    """Check that a table which names its schema is what is wanted; `complaint` is such as "it is not a book".

    Raises
    ------
    InputError
        Otherwise.
    """
    found = table.metadata.get("rpm.schema")
    if found is not None and found != schema:
        raise bad_metadata(table, "rpm.schema", f"{complaint} that this version reads ({schema})", found)


def account_capital(table: TableSource, given: float | None) -> float | None:
    """Return the equity given, or that of the metadata ``rpm.capital``, or None.

    Raises
    ------
    InputError
        If it is no positive number.
    """
    if given is not None:
        return given_capital(given, table.name)
    text = table.metadata.get("rpm.capital")
    if text is None:
        return None
    capital = plain_number(text)
    if capital is None or not (math.isfinite(capital) and capital > 0.0):
        meant = probable_number(text) if capital is None else None
        remedy = "give --capital" if meant is None else f"give --capital, or write {meant!r} if that is meant"
        raise bad_metadata(table, "rpm.capital", "it must be a positive number", text, remedy)
    return capital


def account_currency(table: TableSource, given: str | None) -> str | None:
    """Return the currency given, or that of the metadata ``rpm.base_currency``, or None.

    Raises
    ------
    InputError
        If it is no code of three capital letters.
    """
    if given is not None:
        return given_currency(given, table.name)
    code = table.metadata.get("rpm.base_currency")
    if code is None or _CODE.fullmatch(code):
        return code
    raise bad_metadata(table, "rpm.base_currency", _NO_CODE, code, f"{_meant(code)}, or give --base-currency")


def given_capital(given: float, source: str) -> float:
    """Return the equity that a caller gives for the account of the table called `source`.

    Raises
    ------
    InputError
        If it is no positive number.
    """
    number = isinstance(given, Real) and not isinstance(given, bool)
    if not (number and math.isfinite(given) and given > 0.0):
        raise InputError(
            "the capital given must be positive and finite",
            source=source,
            value=given,
            remedy="give the equity in account currency",
        )
    return float(given)


def given_currency(given: str, source: str) -> str:
    """Return the currency that a caller gives for the account of the table called `source`.

    Raises
    ------
    InputError
        If it is no code of three capital letters.
    """
    if not (isinstance(given, str) and _CODE.fullmatch(given)):
        raise InputError(
            f"the base currency given is not one: {_NO_CODE}", source=source, value=given, remedy=_meant(str(given))
        )
    return given


def _meant(code: str) -> str:
    meant = code.strip().upper()
    return f"write {meant}" if _CODE.fullmatch(meant) else "write a code such as USD"


def bad_metadata(table: TableSource, key: str, problem: str, found: str, remedy: str | None = None) -> InputError:
    """Return the error for a text that a table says about itself."""
    return InputError(
        f"metadata {key}: {problem}",
        source=table.name,
        value=shortened(found),
        remedy=remedy or "correct the metadata of the file",
    )
