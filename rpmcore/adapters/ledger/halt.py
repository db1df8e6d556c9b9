"""A mark beside a ledger whose append failed, and the ballast that leaves room for it on a full disk."""

import json
from datetime import UTC, datetime
from pathlib import Path

from rpmcore.adapters.durable_files import sync_folder, write_and_sync, write_durably
from rpmcore.adapters.ledger.errors import LedgerUnusable
from rpmcore.adapters.ledger.file_lock import beside

BALLAST_BYTES = 256 * 1024


def mark_halted(ledger: Path, reason: str) -> None:
    """Free the ballast and write why the ledger halted, with the time.

    Raises
    ------
    OSError
        Where not even that can be written.
    """
    beside(ledger, "ballast").unlink(missing_ok=True)
    mark = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "reason": reason}
    content, draft = json.dumps(mark).encode(), beside(ledger, "halted.new")
    write_durably(beside(ledger, "halted"), content, by_way_of=draft, like=ledger)


def halted_reason(ledger: str | Path) -> str | None:
    """Return when and why the ledger halted, or None where it has not. A mark that cannot be read is a mark."""
    path = beside(Path(ledger).resolve(), "halted")
    try:
        mark = json.loads(path.read_bytes())
        return f"{mark['at']}: {mark['reason']}"
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    except (ValueError, TypeError, KeyError):
        return f"{path.name} holds no reason that can be read"


def clear_halt(ledger: str | Path) -> None:
    """Lay the ballast anew and then remove the mark: what a named operator's reconciliation ends with.

    Raises
    ------
    LedgerUnusable
        Where there is no room for the ballast yet; the mark then stays.
    """
    path = Path(ledger).resolve()
    try:
        lay_ballast(path)
        beside(path, "halted").unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise LedgerUnusable(f"the halt of {path} stands: {error.strerror}. Make room on the disk first") from error


def lay_ballast(ledger: Path) -> None:
    """Write the ballast where it is missing; not of zeros, which some file systems store as nothing."""
    path = beside(ledger, "ballast")
    if not path.exists() or path.stat().st_size != BALLAST_BYTES:
        write_and_sync(path, bytes(range(256)) * (BALLAST_BYTES // 256), like=ledger)
