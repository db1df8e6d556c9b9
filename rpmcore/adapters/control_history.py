"""Histories of trades and rejections, for the kill switches, from CSV."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from os import PathLike
from pathlib import Path

from rpmcore.controls.replayed_history import HistoryEvent
from rpmcore.domain.errors import InputError

COLUMNS = ("at", "kind", "strategy_id")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_control_history(path: str | PathLike[str]) -> Iterator[HistoryEvent]:
    """Yield the events of a CSV file with ``at, kind, strategy_id`` and, by kind, ``pnl`` or ``symbol, reason``.

    `at` is an integer of nanoseconds UTC, or a time with its zone, such as ``2024-03-01T09:30:00Z``.

    Raises
    ------
    InputError
        Names file, column and row of what cannot be used.
    """
    source = str(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            for name in COLUMNS:
                if name not in (rows.fieldnames or ()):
                    raise InputError(
                        "the column is missing", source=source, column=name,
                        remedy="a history has the columns at, kind, strategy_id, and pnl or symbol and reason",
                    )  # fmt: skip
            last = None
            for number, row in enumerate(rows, 1):
                event = _event(row, source, number)
                if last is not None and event.at < last:
                    raise InputError(
                        "time runs backwards", source=source, column="at", row=number, value=row["at"],
                        remedy="sort the file by at",
                    )  # fmt: skip
                last = event.at
                yield event
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", source=source) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"is no CSV file: {error}", source=source) from error


def _event(row: dict[str, str | None], source: str, number: int) -> HistoryEvent:
    kind, strategy_id = row["kind"], row["strategy_id"]
    if not strategy_id or strategy_id == "account":
        raise InputError("a strategy is needed", source=source, column="strategy_id", row=number, value=strategy_id)
    at = _time(row["at"] or "", source, number)
    if kind == "rejection":
        return HistoryEvent(
            at=at, kind="rejection", strategy_id=strategy_id, symbol=row.get("symbol") or "",
            reason=row.get("reason") or "",
        )  # fmt: skip
    if kind != "trade":
        raise InputError("trade or rejection is needed", source=source, column="kind", row=number, value=kind)
    text = row.get("pnl") or ""
    try:
        pnl = float(text)
    except ValueError:
        pnl = float("nan")
    if not isfinite(pnl):
        raise InputError("a trade needs a finite P&L", source=source, column="pnl", row=number, value=text)
    return HistoryEvent(at=at, kind="trade", strategy_id=strategy_id, symbol=row.get("symbol") or "", pnl=pnl)


def _time(text: str, source: str, number: int) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(
            "a time with its zone is needed", source=source, column="at", row=number, value=text,
            remedy="write 2024-03-01T09:30:00Z, or nanoseconds UTC",
        )  # fmt: skip
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
