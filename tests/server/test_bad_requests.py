"""Whatever is sent, the answer is a status and problem+json, and never a traceback."""

import json
import socket
import struct
from urllib.parse import urlsplit

import pytest

from tests.server.conftest import WHO, eventually, served

JSON = {"Content-Type": "application/json"}


def raw(desk, content, path="/v1/decisions", **headers):
    return desk.client.post(path, content=content, headers={**JSON, **desk.bearer("all"), **headers})


def problem(answer, status):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    found = answer.json()
    assert found["status"] == status
    assert found["detail"]
    assert "Traceback" not in answer.text
    return found


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"nonsense", b'{"entry": NaN}', b'{"entry": Infinity}', b'{"entry": 1e999}', b'{"a": 1, "a": 2}',
        b"\xff\xfe", b"[" * 20_000, b'{"entry": ' + b"9" * 5000 + b"}", b'"\xed\xa0\x80"',
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(desk, content):
    assert "cannot be read as JSON" in problem(raw(desk, content), 400)["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "1000"}, "quantity"), ({"side": "hold"}, "side"), ({"entry": None}, "entry"),
        ({"entry": True}, "entry"), ({"colour": "red"}, "colour"), ({"signal_id": ""}, "signal_id"),
        ({"signal_id": "x" * 257}, "signal_id"), ({"signal_id": 7}, "signal_id"), ({"at": 1.5}, "at"),
        ({"at": -1}, "at"), ({"at": 2**63}, "at"), ({"reduce_only": "yes"}, "reduce_only"), ({"entry": 1e300}, "entry"),
    ],
)  # fmt: skip
def test_what_is_not_as_described_names_its_field(desk, changes, field):
    found = problem(desk.post("/v1/decisions", {**desk.signal(), **changes}), 422)
    assert [each["field"] for each in found["errors"]] == [field]
    problem(desk.get("/v1/decisions/s1"), 404)


def test_other_bodies_than_objects_are_refused(desk):
    for body in (b"[]", b'"text"', b"1", b"null"):
        problem(raw(desk, body), 422)
    problem(desk.post("/v1/prices", {"prices": {}}), 422)
    problem(desk.post("/v1/prices", {"prices": {"EURUSD": -1.0}}), 422)
    half = json.dumps({**desk.signal(), "signal_id": "\ud800"})
    problem(raw(desk, half.encode()), 422)


def test_a_body_must_be_json_and_small(desk):
    problem(desk.client.post("/v1/decisions", content=b"a=1", headers=desk.bearer("all")), 415)
    problem(raw(desk, b"{}", **{"Content-Type": "text/plain"}), 415)
    problem(raw(desk, b" " * 70_000), 413)
    problem(raw(desk, (b" " * 1000 for _ in range(100))), 413)  # in chunks, of no told length


def test_unknown_paths_and_methods_are_problems_too(desk):
    for path in (
        "/v1/nothing",
        "/v1/operator/dance",
        "/static/nothing.js",
        "/static/../app.py",
        "/%2e%2e/%2e%2e/etc/passwd",
    ):
        problem(desk.get(path), 404)
    assert problem(desk.client.put("/v1/decisions", json={}, headers=desk.bearer("all")), 405)["title"]
    problem(desk.get("/v1/decisions/" + "x" * 300), 422)


@pytest.mark.parametrize(
    "name", ["/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/....//app.py"]
)
def test_no_path_leads_out_of_the_page(desk, name):
    parts = urlsplit(str(desk.client.base_url))
    with socket.create_connection((parts.hostname, parts.port), 10) as line:
        line.sendall(f"GET {name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = _all_of(line)
    assert b" 404 " in answer.split(b"\r\n")[0]
    assert b"import" not in answer


def test_the_page_and_its_policy(desk):
    page = desk.client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in page.headers


def test_keys_open_what_their_scopes_say(desk):
    body, stop = desk.signal(), {**WHO, "value": "halt"}
    assert problem(desk.get("/v1/state", None), 401)
    assert desk.get("/v1/state", None).headers["www-authenticate"] == "Bearer"
    problem(desk.get("/v1/state", "rpm_wrong"), 401)
    problem(desk.client.get("/v1/state", headers={"Authorization": "Basic eDp5"}), 401)
    problem(desk.post("/v1/decisions", body, "read"), 403)
    problem(desk.get("/v1/state", "decide"), 403)
    problem(desk.get("/metrics", None), 401)
    problem(desk.post("/v1/operator/trip", stop, "decide"), 403)
    problem(desk.post("/v1/decisions", body, "operate"), 403)
    problem(desk.post("/v1/operator/trip", stop, None), 401)
    assert desk.get("/v1/state", "read").status_code == 200
    assert desk.post("/v1/decisions", body, "decide").status_code == 200
    assert desk.post("/v1/operator/trip", stop, "operate").status_code == 200
    for path in ("/health/live", "/health/ready", "/"):
        assert desk.get(path, None).status_code == 200


def test_without_keys_on_loopback_operators_still_need_one(tmp_path):
    with served(tmp_path, keys=False) as desk:
        assert desk.post("/v1/decisions", desk.signal(), None).status_code == 200
        assert desk.get("/v1/state", None).status_code == 200
        problem(desk.post("/v1/operator/trip", {**WHO, "value": "halt"}, None), 401)
        problem(desk.get("/v1/state", "rpm_wrong"), 401)  # a key that is none is never passed over


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "169.254.169.254", "[::1"])
def test_another_name_is_not_answered(desk, host):
    problem(desk.client.get("/v1/state", headers={**desk.bearer("all"), "Host": host}), 421)


def test_pages_of_other_sites_are_not_answered(desk):
    for origin in ("http://evil.example", "null", "https://localhost.evil.example"):
        problem(desk.client.get("/v1/state", headers={**desk.bearer("all"), "Origin": origin}), 403)
        problem(desk.client.get("/", headers={"Origin": origin}), 403)
    own = {**desk.bearer("all"), "Origin": str(desk.client.base_url)}
    assert desk.client.get("/v1/state", headers=own).status_code == 200


def test_a_name_that_is_allowed_is_answered(tmp_path):
    with served(tmp_path, "server.allowed_hosts=[risk.example]") as desk:
        named = {**desk.bearer("all"), "Host": "Risk.example:443", "Origin": "https://risk.example"}
        assert desk.client.get("/v1/state", headers=named).status_code == 200


def test_a_slow_body_is_given_up(tmp_path):
    with served(tmp_path, "server.body_timeout_s=0.2") as desk:
        parts = urlsplit(str(desk.client.base_url))
        with socket.create_connection((parts.hostname, parts.port), 10) as line:
            line.sendall(
                f"POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {desk.keys['all']}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
            )
            answer = _all_of(line)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert desk.post("/v1/decisions", desk.signal()).status_code == 200


def test_a_head_that_never_ends_is_not_waited_for(tmp_path):
    with served(tmp_path, "server.head_timeout_s=0.2", "server.keep_alive_s=1") as desk:
        parts = urlsplit(str(desk.client.base_url))
        for beginning in (b"", b"GET /v1/state HTT", b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /"):
            with socket.create_connection((parts.hostname, parts.port), 10) as line:
                line.sendall(beginning)
                assert _all_of(line).count(b"HTTP/1.1 200") == beginning.count(b"live")
        assert desk.post("/v1/decisions", desk.signal()).status_code == 200


def test_more_connections_than_may_be_are_told_so(tmp_path):
    with served(tmp_path, "server.most_connections=2") as desk:
        parts = urlsplit(str(desk.client.base_url))
        lines = [socket.create_connection((parts.hostname, parts.port), 10) for _ in range(2)]
        try:
            problem(desk.client.get("/health/live"), 503)
        finally:
            for line in lines:
                line.close()
        eventually(lambda: desk.client.get("/health/live").status_code, lambda status: status == 200)


def test_a_connection_dropped_before_the_answer_loses_no_decision(desk):
    parts = urlsplit(str(desk.client.base_url))
    body = json.dumps(desk.signal()).encode()
    head = (
        f"POST /v1/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {desk.keys['all']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with desk.service.gate.reading():  # nothing is decided until the client is gone
        line = socket.create_connection((parts.hostname, parts.port), 10)
        line.sendall(head + body)
        desk_waits(desk)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()  # with a reset
    again = desk.post("/v1/decisions", desk.signal())
    assert again.status_code == 200
    assert again.headers["idempotent-replay"] == "true"


def desk_waits(desk):
    eventually(lambda: desk.service.desk.taken, lambda taken: taken)


def _all_of(line):
    found = b""
    while chunk := line.recv(65536):
        found += chunk
    return found


def test_no_crowd_of_connections_keeps_an_operator_out(tmp_path):
    with served(tmp_path, "server.most_connections=2") as desk:
        parts = urlsplit(str(desk.client.base_url))
        lines = [socket.create_connection((parts.hostname, parts.port), 10) for _ in range(2)]
        try:
            problem(desk.post("/v1/decisions", desk.signal()), 503)
            problem(desk.post("/v1/operator/trip", {**WHO, "value": "halt"}, "decide"), 403)
            stopped = desk.post("/v1/operator/trip", {**WHO, "value": "halt"})
            assert (stopped.status_code, stopped.json()["trading_state"]) == (200, "reducing")
        finally:
            for line in lines:
                line.close()


def test_who_reads_no_answer_is_cut_off(tmp_path):
    with served(tmp_path, "server.body_timeout_s=0.3") as desk:
        parts = urlsplit(str(desk.client.base_url))
        with socket.create_connection((parts.hostname, parts.port), 10) as line:
            key = desk.keys["all"]
            ask = f"GET /v1/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
            line.settimeout(1.0)

            def cut_off():
                try:
                    line.send(ask * 100)  # the answers fill every buffer on the way
                except TimeoutError:
                    return False
                except OSError:
                    return True
                return False

            eventually(cut_off, bool)
        assert desk.get("/v1/state").status_code == 200


def test_a_reset_needs_an_id_so_that_sent_again_it_undoes_no_later_trip(desk):
    trip, reset = {**WHO, "value": "halt"}, {**WHO, "request_id": "on again"}
    desk.post("/v1/operator/trip", trip)
    for name in ("reset", "clear-integrity", "enable-strategy", "pin-regime", "release-regime"):
        answer = desk.post(f"/v1/operator/{name}", {**WHO})
        problem(answer, 422)
        assert answer.json()["errors"][0]["field"] == "request_id"
    assert desk.post("/v1/operator/reset", reset).json()["trading_state"] == "active"
    desk.post("/v1/operator/trip", trip)
    again = desk.post("/v1/operator/reset", reset).json()
    assert (again["replayed"], again["trading_state"]) == (True, "reducing")
