"""The numbers of alerting. Addresses and keys are secrets and stand in no settings: see `credentials`."""

from typing import Literal, Self

from pydantic import model_validator

from rpmcore.domain.settings import Section, setting


class AlertSettings(Section):
    """What is told to people, how often, and how stubbornly."""

    least_severity: Literal["info", "warning", "critical", "emergency"] = setting(
        "critical", "Alerts below this severity are kept and shown, and not sent.", unit="severity"
    )
    source: str = setting(
        "rpm", "Name of this installation in what is sent, and in the key by which PagerDuty tells incidents apart.",
        unit="name", min_length=1, max_length=60,
    )  # fmt: skip
    runbook: str = setting(
        "docs/runbook.md", "Where the runbook is; alerts link to its entries.", unit="address or path", min_length=1,
        max_length=300,
    )  # fmt: skip
    pagerduty_url: str = setting(
        "https://events.pagerduty.com/v2/enqueue", "Where PagerDuty takes events.", unit="address", max_length=300
    )
    timeout_seconds: float = setting(2.0, "An endpoint that is silent for so long has failed.", unit="seconds", gt=0.0,
                                     le=60.0)  # fmt: skip
    first_retry_seconds: float = setting(
        0.5, "Wait before the second attempt; each further wait is twice the one before.", unit="seconds", gt=0.0,
        le=60.0,
    )  # fmt: skip
    longest_retry_seconds: float = setting(60.0, "Longest such wait.", unit="seconds", gt=0.0, le=3600.0)
    keep_trying_hours: float = setting(
        24.0, "What could not be delivered for so long is given up.", unit="hours", gt=0.0, le=720.0
    )
    storm_seconds: float = setting(60.0, "Window of the two numbers below.", unit="seconds", gt=0.0, le=3600.0)
    storm_alerts: int = setting(
        20, "Most alerts of one kind, a severity and an entry of the runbook, that are sent one by one in the window; "
        "the others are summed up in one.", unit="alerts", ge=1, le=1000,
    )  # fmt: skip
    repeats: int = setting(
        5, "Most times in the window that one alert is sent which ends and comes back.", unit="alerts", ge=1, le=1000
    )
    most_active: int = setting(
        1000, "More alerts than this at once are counted, and not kept.", unit="alerts", ge=10, le=100_000
    )

    @model_validator(mode="after")
    def _waits_rise(self) -> Self:
        if self.longest_retry_seconds < self.first_retry_seconds:
            raise ValueError("longest_retry_seconds must not be below first_retry_seconds")
        return self
