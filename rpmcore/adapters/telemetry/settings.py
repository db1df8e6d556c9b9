"""The numbers of logs and traces, each declared once with unit, range and default."""

from typing import Literal

from rpmcore.domain.settings import Section, setting

LevelName = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class ObservabilitySettings(Section):
    """Logs and traces: where they go, and how much is kept. No decision depends on any of it."""

    log_file: str | None = setting(None, "File of JSON lines; null for none.", unit="path", min_length=1)
    level: LevelName = setting("INFO", "Lines below it are not written.", unit="level")
    rotate_megabytes: float = setting(
        64.0, "A log file that would grow beyond it is set aside.", unit="MB (10⁶ bytes)", gt=0.0, le=10_000.0
    )
    rotated_files: int = setting(5, "Files that are kept beside the current one.", unit="files", ge=0, le=1000)
    buffer_entries: int = setting(1000, "Most recent lines that are kept in memory.", unit="lines", ge=1, le=1_000_000)
    console: bool = setting(False, "Whether readable lines go to the terminal (stderr).", unit="true or false")
    service_name: str = setting("rpm", "What the service is called in logs and traces.", unit="text", min_length=1)
    tracing: bool = setting(
        False, "Whether decisions become OpenTelemetry spans; needs the extra `otel`.", unit="true or false"
    )
    queue_entries: int = setting(
        2000,
        "What waits to be written, at most; what comes on top is lost, and counted.",
        unit="entries",
        ge=10,
        le=10_000_000,
    )
