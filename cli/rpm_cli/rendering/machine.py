"""Results for machines: one JSON object, or the same flattened to CSV."""

import csv
import json
import sys
from collections.abc import Iterator
from typing import Any


def print_json(command: str, plain: dict[str, Any]) -> None:
    """Print one object with the schema version of its command; never NaN or Infinity.

    Where stdout takes no Unicode, other letters are written as JSON escapes, which say the same.
    """
    whole = {"schema": f"rpm.{command}/1", **plain}
    escaped = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(whole, indent=2, allow_nan=False, ensure_ascii=escaped))
    sys.stdout.write("\n")


def print_csv(plain: dict[str, Any]) -> None:
    """Print ``section,row,field,value``: one line a number, the same paths as in the JSON."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("section", "row", "field", "value"))
    for section, content in plain.items():
        rows = enumerate(content) if isinstance(content, list) else [("", content)]
        for row, item in rows:
            for field, value in _leaves(item):
                writer.writerow((section, row, field, "" if value is None else value))


def _leaves(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        for key, value in item.items():
            yield from _leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(item, list):
        for i, value in enumerate(item):
            yield from _leaves(value, f"{path}.{i}" if path else str(i))
    else:
        yield path, item
