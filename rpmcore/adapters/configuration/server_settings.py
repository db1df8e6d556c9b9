"""The numbers of the service, each declared once with unit, range and default. No decision depends on any of them."""

from rpmcore.domain.settings import Section, setting


class ServerSettings(Section):
    """The gate as a service: where it listens, whom it lets in, and how much it takes on."""

    host: str = setting(
        "127.0.0.1", "Address to listen on; another than loopback needs `keys_file`.", unit="address", min_length=1
    )
    port: int = setting(8321, "Port to listen on; 0 for any that is free.", unit="port", ge=0, le=65535)
    keys_file: str | None = setting(
        None, "File of API keys, see `rpm keys`; null for the user's own.", unit="path", min_length=1
    )
    allowed_hosts: tuple[str, ...] = setting(
        (),
        "Names beside those of loopback by which it may be called (headers Host and Origin).",
        unit="host names",
        strict=False,
    )
    queue_capacity: int = setting(
        1000,
        "Requests that wait to be decided, at most; more are answered with 503.",
        unit="requests",
        ge=1,
        le=100_000,
    )
    group_size: int = setting(
        16, "Requests that are recorded in one transaction, at most.", unit="requests", ge=1, le=1000
    )
    tick_seconds: float = setting(
        1.0, "Between two ticks, by which approvals expire and throttles end.", unit="seconds", ge=0.05, le=60.0
    )
    snapshot_seconds: float = setting(
        300.0, "Between two snapshots of the state in the ledger.", unit="seconds", ge=1.0, le=86_400.0
    )
    publish_seconds: float = setting(
        0.2, "Between two states that are published for readers, at least.", unit="seconds", ge=0.05, le=10.0
    )
    stream_seconds: float = setting(
        0.5, "Between two events of a stream of states, at least.", unit="seconds", ge=0.1, le=60.0
    )
    heartbeat_seconds: float = setting(
        5.0, "Between two events of a stream of states, at most.", unit="seconds", ge=1.0, le=300.0
    )
    most_streams: int = setting(32, "Streams of states at once; more are answered with 503.", unit="streams", ge=1)
    stress_seconds: float = setting(
        30.0, "Between two stress tests of the book that is held, at least.", unit="seconds", ge=1.0, le=86_400.0
    )
    max_body_bytes: int = setting(
        65_536, "Largest body of a request; a larger one is answered with 413.", unit="bytes", ge=1024, le=16_777_216
    )
    head_timeout_s: float = setting(
        10.0, "A connection whose request line and headers take longer is closed.", unit="seconds", gt=0.0, le=600.0
    )
    body_timeout_s: float = setting(
        10.0,
        "A body that takes longer to arrive is answered with 408; who reads no answer for so long is cut off.",
        unit="seconds",
        gt=0.0,
        le=600.0,
    )
    keep_alive_s: int = setting(
        30, "A connection without a request is closed after so long.", unit="seconds", ge=1, le=3600
    )
    most_connections: int = setting(
        1000, "Connections at once; on more, requests are answered with 503.", unit="connections", ge=1
    )
    stop_seconds: int = setting(
        30, "At a stop, requests under way have so long to be answered.", unit="seconds", ge=1, le=600
    )
