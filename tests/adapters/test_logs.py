"""Log lines: an object each, by the names of the Elastic Common Schema, and never a reason for anything to stop."""

import errno
import io
import json
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpmcore.adapters.telemetry.cleaning import LONGEST_TEXT, MOST_ITEMS, clean_text, clean_value
from rpmcore.adapters.telemetry.correlation import CorrelationContext
from rpmcore.adapters.telemetry.events import EventType, Outcome
from rpmcore.adapters.telemetry.logger import LEVELS, StructuredLogger
from rpmcore.adapters.telemetry.rotating_file import RotatingFile
from rpmcore.adapters.telemetry.settings import ObservabilitySettings
from rpmcore.domain.errors import ConfigurationError, InvalidArgument
from rpmcore.domain.redaction import REDACTED, is_secret

AT = 1_584_372_600_123_456_789  # 2020-03-16T15:30:00.123456789Z


@pytest.fixture
def log_path(tmp_path):
    return tmp_path / "rpm.log"


def logger_to(path, **settings):
    return StructuredLogger(ObservabilitySettings(log_file=str(path), **settings))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_line_is_an_object_by_the_names_of_the_common_schema(log_path):
    logger = StructuredLogger(
        ObservabilitySettings(log_file=str(log_path), service_name="desk"), clock=lambda: AT + 10**9
    )
    with CorrelationContext.bind("c-1") as trace:
        logger.warning(
            "cut to 5", type=EventType.TRADE_DECISION, outcome=Outcome.SUCCESS, at=AT, strategy_id="trend", quantity=5.0
        )
    (line,) = lines(log_path)
    assert line.pop("service.version")
    assert line == {
        "@timestamp": "2020-03-16T15:30:00.123456Z", "event.created": "2020-03-16T15:30:01.123456Z",
        "log.level": "warning", "log.logger": "rpm", "message": "cut to 5", "event.kind": "event",
        "event.action": "trade_decision", "event.outcome": "success", "trace.id": trace.trace_id,
        "span.id": trace.span_id, "ecs.version": "8.11.0", "service.name": "desk", "rpm.correlation_id": "c-1",
        "rpm.strategy_id": "trend", "rpm.quantity": 5.0,
    }  # fmt: skip
    assert logger.recent()[0]["message"] == "cut to 5"


def test_the_event_types_of_the_specification_are_there():
    assert {"trade_decision", "kill_switch", "risk_breach"} <= set(EventType)


def test_lines_below_the_level_are_not_written():
    for least, rank in LEVELS.items():
        logger = StructuredLogger(ObservabilitySettings(level=least))
        for level in LEVELS:
            logger.log(level, level)
        assert [line["message"] for line in logger.recent()] == [name for name, own in LEVELS.items() if own >= rank]
    with pytest.raises(InvalidArgument, match="no level 'LOUD'"):
        logger.log("LOUD", "x")


def test_the_buffer_keeps_the_last_thousand():
    logger = StructuredLogger()
    for number in range(1500):
        logger.info("x", number=number)
    kept = [line["rpm.number"] for line in logger.recent()]
    assert kept == list(range(500, 1500))
    assert [line["rpm.number"] for line in logger.recent(2)] == [1498, 1499]
    assert logger.recent(0) == ()


def test_newlines_and_control_characters_forge_no_line(log_path):
    console = io.StringIO()
    logger = StructuredLogger(ObservabilitySettings(log_file=str(log_path)), console=console)
    evil = 'x"\n{"message":"approved"}\r\x1b[2J\u2028\u202e\x00'
    logger.info(evil, **{evil: evil}, nested={evil: [evil]})
    (line,) = lines(log_path)
    assert log_path.read_bytes().count(b"\n") == 1
    assert console.getvalue().count("\n") == 1
    for text in (*map(str, line.values()), *line, console.getvalue()[:-1]):
        assert text.isprintable()
    assert "\\x1b[2J" in line["message"]


@pytest.mark.parametrize(
    "name",
    ["token", "apiToken", "client_secret", "password", "DB_PASSWORD", "key", "api_key", "API-KEY", "apiKey", "APIKey",
     "Authorization", "slack_webhook_url", "routing_key", "routingKey", "signing.key", "credentials", "cookie"],
)  # fmt: skip
def test_what_goes_by_the_name_of_a_secret_is_redacted(name, log_path):
    logger_to(log_path).info("x", **{name: "hunter2"}, nested=[{name: {"deep": "hunter2"}}])
    assert "hunter2" not in log_path.read_text()
    assert log_path.read_text().count("[redacted]") == 2


@pytest.mark.parametrize("name", ["monkey", "keyboard", "symbol", "strategy_id", "largest_passing", "author", "tokyo"])
def test_other_names_are_not(name):
    assert not is_secret(name)


def test_credentials_within_a_text_are_redacted():
    for text in (
        "post https://user:hunter2@broker.example/x failed", "Authorization: Bearer hunter2",
        "https://hooks.slack.com/services/T0/B0/hunter2 answered 404", "https://user:a@hunter2@broker.example/x",
        "Settings(desk='fx', api_key='hunter2')", "ValueError: password=hunter2", '{"routing_key": "hunter2"}',
        "GET https://feed.example/x?desk=fx&access_token=hunter2&y=1", "Authorization: Basic hunter2",
        "secret: 'a hunter2'",
    ):  # fmt: skip
        assert "hunter2" not in clean_text(text)
        assert REDACTED in clean_text(text)
    assert clean_text("GET /x?token=hunter2&day=1 (key: 7)") == "GET /x?token=[redacted]&day=1 (key: 7)"
    assert "hunter2" not in clean_text("x" * (LONGEST_TEXT - 12) + "https://user:hunter2@host")


def test_values_are_bounded_and_json(log_path):
    class Mute:
        def __str__(self):
            raise RuntimeError("no")

    loop = []
    loop.append(loop)
    logger_to(log_path).info(
        "x", long="x" * 10**6, many=list(range(1000)), nan=float("nan"), up=float("inf"), down=float("-inf"),
        huge=10**5000, mute=Mute(), raw=b"secret", loop=loop, level="field", message="field", event="field",
    )  # fmt: skip
    (line,) = lines(log_path)
    assert len(line["rpm.long"]) < LONGEST_TEXT + 30
    assert len(line["rpm.many"]) == MOST_ITEMS + 1
    assert (line["rpm.nan"], line["rpm.up"], line["rpm.down"]) == ("NaN", "Infinity", "-Infinity")
    assert line["rpm.huge"].startswith("<a number of")
    assert line["rpm.mute"] == "<Mute that cannot be shown>"
    assert line["rpm.raw"] == "<6 bytes>"
    assert (line["rpm.level"], line["rpm.message"], line["rpm.event"]) == ("field",) * 3
    assert (line["message"], line["log.level"]) == ("x", "info")


def test_fields_take_no_name_that_the_line_has_already():
    logger = StructuredLogger()
    logger.info("x", **{"log.level": "debug", "trace.id": "t", "message": "m", "event.sequence": 4})
    (line,) = logger.recent()
    assert (line["log.level"], line["trace.id"], line["message"]) == ("info", "t", "x")
    assert line["event.sequence"] == 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=6))
def test_whatever_is_logged_is_one_line_of_json(fields):
    console = io.StringIO()
    logger = StructuredLogger(console=console)
    logger.info("x", **fields)
    (line,) = logger.recent()
    assert json.loads(json.dumps(line, allow_nan=False)) == line
    assert console.getvalue().count("\n") == 1
    assert logger.lost == 0


@given(json_values)
def test_cleaning_is_done_once_and_for_all(value):
    clean = clean_value(value)
    assert clean_value(json.loads(json.dumps(clean))) == clean


def test_bound_fields_are_on_every_line_and_on_no_other_loggers():
    logger = StructuredLogger()
    bound = logger.bind(desk="fx").bind(run=7)
    bound.info("a", run=8)
    logger.info("b")
    first, second = logger.recent()
    assert (first["rpm.desk"], first["rpm.run"]) == ("fx", 8)
    assert "rpm.desk" not in second


def test_the_file_is_its_owners_and_never_grows_beyond_its_size(log_path):
    logger = logger_to(log_path, rotate_megabytes=0.002, rotated_files=2)
    for number in range(60):
        logger.info("x", number=number)
    files = sorted(log_path.parent.iterdir())
    assert [file.name for file in files] == ["rpm.log", "rpm.log.1", "rpm.log.2"]
    assert all(file.stat().st_size <= 2000 for file in files)
    kept = [line["rpm.number"] for file in (files[2], files[1], files[0]) for line in lines(file)]
    assert kept == list(range(60 - len(kept), 60))
    assert stat.S_IMODE(log_path.stat().st_mode) == 0o600
    assert logger.lost == 0


def test_a_file_that_cannot_be_written_to_is_told_at_the_start(tmp_path):
    for path in (tmp_path / "missing" / "rpm.log", tmp_path):
        with pytest.raises(ConfigurationError, match=str(path)):
            logger_to(path)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="link"):
        logger_to(tmp_path / "link")


def test_a_full_disk_loses_lines_counts_them_and_tears_none(log_path, monkeypatch):
    logger = logger_to(log_path)
    logger.info("before")
    real, free = os.write, [40, 0, 10**9]

    def full(descriptor, data):
        room = free[0]
        if room == 0:
            free.pop(0)
            raise OSError(errno.ENOSPC, "No space left on device")
        if len(data) > room:
            free.pop(0)
            return real(descriptor, bytes(data)[:room])
        return real(descriptor, data)

    now = [0.0]
    logger._sinks._file._clock = lambda: now[0]
    monkeypatch.setattr(os, "write", full)
    logger.info("torn")
    logger.info("refused")
    assert logger.lost == 2
    now[0] = 10.0
    logger.info("after")
    whole = [json.loads(line)["message"] for line in log_path.read_text().splitlines() if line.endswith("}")]
    assert whole == ["before", "after"]
    assert [line["message"] for line in logger.recent()] == ["before", "torn", "refused", "after"]


def test_a_file_that_is_moved_away_is_begun_anew(log_path):
    now = [0.0]
    file = RotatingFile(log_path, largest=10**6, kept=1, clock=lambda: now[0])
    assert file.write(b"first\n")
    log_path.rename(log_path.with_suffix(".old"))
    now[0] = 5.0
    assert file.write(b"second\n")
    assert log_path.read_bytes() == b"second\n"
    file.close()
    assert not file.write(b"third\n")


def test_a_folder_that_goes_away_and_comes_back_loses_what_lies_between(tmp_path):
    folder, now = tmp_path / "logs", [0.0]
    folder.mkdir()
    file = RotatingFile(folder / "rpm.log", largest=10**6, kept=1, clock=lambda: now[0])
    (folder / "rpm.log").unlink()
    folder.rmdir()
    now[0] = 2.0
    assert not file.write(b"lost\n")
    folder.mkdir()
    now[0] = 4.0
    assert file.write(b"back\n")
    assert (folder / "rpm.log").read_bytes() == b"back\n"


def test_a_terminal_that_is_gone_stops_nobody(log_path):
    console = io.StringIO()
    console.close()
    logger = StructuredLogger(ObservabilitySettings(log_file=str(log_path)), console=console)
    logger.info("x")
    assert logger.lost == 1
    assert len(lines(log_path)) == 1


def test_the_terminal_gets_readable_lines(capsys):
    logger = StructuredLogger(ObservabilitySettings(console=True), clock=lambda: AT)
    logger.error("it failed", type=EventType.INTEGRITY_FAILURE, ledger="x")
    assert capsys.readouterr().err == ("2020-03-16T15:30:00.123Z ERROR    integrity_failure: it failed  [ledger=x]\n")


def test_threads_write_whole_lines(log_path):
    logger = logger_to(log_path, rotate_megabytes=0.05, rotated_files=50)

    def write(name):
        for number in range(200):
            logger.info("x" * 50, name=name, number=number)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {(line["rpm.name"], line["rpm.number"]) for file in log_path.parent.iterdir() for line in lines(file)}
    assert found == {(name, number) for name in range(4) for number in range(200)}


def test_nothing_of_structlogs_global_configuration_is_touched():
    import structlog

    StructuredLogger().info("x")
    assert not structlog.is_configured()
