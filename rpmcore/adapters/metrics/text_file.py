"""A file of metrics: whoever reads it sees all of one export, or all of the one before."""

from contextlib import suppress
from pathlib import Path

from rpmcore.domain.errors import InputError


class MetricsFile:
    """A file in Prometheus' text format, such as the textfile collector of its node exporter reads.

    Parameters
    ----------
    path
        In a folder that exists; a file that is there is replaced when metrics are written, and stays until then.

    Raises
    ------
    InputError
        If it cannot be written: better told before a long run than after it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._draft = self.path.with_name(f".{self.path.name}.new")
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            self._draft.write_bytes(b"")
        except OSError as error:
            raise InputError(
                f"metrics cannot be written there: {error.strerror or error}", source=str(self.path),
                remedy="name a file in a folder that exists",
            ) from error  # fmt: skip

    def write(self, text: str) -> str:
        """Write the metrics and return what went wrong; empty where nothing did."""
        try:
            self._draft.write_text(text, encoding="utf-8")
            self._draft.replace(self.path)
        except OSError as error:
            self.discard()
            return f"the metrics could not be written to {self.path}: {error.strerror or error}"
        return ""

    def discard(self) -> None:
        """Leave nothing behind where nothing was written."""
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)
