"""``rpm serve`` as its users meet it: signals, kill -9, keys, and what it refuses to do."""

import os
import random
import re
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from rpmcore.adapters.ledger.reader import LedgerReader
from tests.server.conftest import eventually, rpm_serve, sample_signal

KILLS = int(os.environ.get("RPM_SERVE_KILLS", "3"))
"""`make nightly` kills 50 times."""
THREADS = 8


def test_without_arguments_it_serves_the_sample_and_says_so(tmp_path):
    with rpm_serve(tmp_path) as service, service.client() as client:
        said = "\n".join(service.said)
        assert "This is the sample book" in said
        assert "2022-12-28" in said
        assert str(service.state / "rpmcore" / "sample.ledger") in said
        assert service.url.startswith("http://127.0.0.1:")
        key = service.state / "rpmcore" / "sample-operator.key"
        assert str(key) in said
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        decision = client.post("/v1/decisions", json=sample_signal("first", quantity=10_000_000.0)).json()
        assert (decision["verdict"], decision["binding"]) == ("cut", decision["binding"])
        assert decision["approved"] > 0
        small = client.post("/v1/decisions", json=sample_signal("second")).json()
        sent = {"signal_id": "second", "signature": small["signature"]}
        assert client.post("/v1/releases", json=sent).status_code == 200
        state = client.get("/v1/state").json()
        assert "sample book" in state["server"]["sample"]
        stop = {"operator": "A. Person", "reason": "a drill", "value": "halt"}
        assert client.post("/v1/operator/trip", json=stop).status_code == 401
        bearer = {"Authorization": f"Bearer {service.key}"}
        assert client.post("/v1/operator/trip", json=stop, headers=bearer).json()["trading_state"] == "reducing"
        assert service.key not in said
        with client.stream("GET", "/v1/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: state"
            service.child.send_signal(signal.SIGINT)
            assert list(lines)[-1] == ""  # the stream ends, and holds up no stop
        assert service.child.wait(60) == 0
        eventually(lambda: service.lines, lambda lines: any("Stopped" in line for line in lines))
    with rpm_serve(tmp_path) as service, service.client() as client:
        again = client.post("/v1/decisions", json=sample_signal("second"))
        assert again.headers["idempotent-replay"] == "true"
        assert client.get("/v1/state").json()["trading_state"] == "reducing", "a halt survives"
        assert service.stop() == 0


def _load(service, names, answered, failed):
    """Ask for these one after the other, and remember what was answered."""
    with service.client() as client:
        for name in names:
            try:
                answer = client.post("/v1/decisions", json=sample_signal(name))
            except httpx.TransportError:
                failed.append(name)
                continue
            if answer.status_code == 200:
                answered[name] = answer.json()
            else:
                failed.append(name)


def test_after_kill_9_under_load_retries_get_the_stored_decisions(tmp_path):
    draw = random.Random(7)  # noqa: S311 - moments, not secrets
    answered, asked = {}, []
    for turn in range(KILLS + 1):
        with rpm_serve(tmp_path) as service:
            with service.client() as client:
                for name in asked:  # every client retries what it asked, answered or not
                    answer = client.post("/v1/decisions", json=sample_signal(name))
                    assert answer.status_code == 200
                    if name in answered:
                        assert answer.headers["idempotent-replay"] == "true", f"{name} was answered, and is lost"
                        assert answer.json() == answered[name]
                    answered[name] = answer.json()
            if turn == KILLS:
                assert service.stop() == 0
                break
            names = [[f"k{turn}-{thread}-{i}" for i in range(200)] for thread in range(THREADS)]
            found, failed = {}, []
            with ThreadPoolExecutor(THREADS) as pool:
                running = [pool.submit(_load, service, each, found, failed) for each in names]
                enough = draw.randrange(10, 40)
                eventually(lambda found=found: len(found), lambda number, enough=enough: number >= enough)
                service.child.kill()
                for each in running:
                    each.result()
            answered.update(found)
            asked = [*found, *failed[:THREADS]]
    path = tmp_path / "state" / "rpmcore" / "sample.ledger"
    with LedgerReader.open(path) as reader:
        for name, decision in answered.items():
            assert reader.find(f"signal:{name}").sequence == decision["sequence"]


def test_sigterm_under_load_answers_what_was_taken_on_and_takes_a_snapshot(tmp_path):
    with rpm_serve(tmp_path) as service:
        found, failed = {}, []
        names = [[f"t{thread}-{i}" for i in range(400)] for thread in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            running = [pool.submit(_load, service, each, found, failed) for each in names]
            eventually(lambda: len(found), lambda number: number >= 30)
            assert service.stop() == 0
            for each in running:
                each.result()
        assert failed
    path = tmp_path / "state" / "rpmcore" / "sample.ledger"
    with LedgerReader.open(path) as reader:
        recorded = {record.key for record in reader.records("decision")}
        assert recorded == {f"signal:{name}" for name in found}, "what was recorded was answered, and nothing else"
        snapshot = reader.latest_snapshot()
        assert snapshot is not None
        assert snapshot.position == reader.head.position


def test_sighup_reads_the_configuration_again(tmp_path):
    config = tmp_path / "rpm.yaml"
    config.write_text("gate:\n  price_collar: 0.04\n")
    with rpm_serve(tmp_path, "--config", str(config)) as service, service.client() as client:
        first = client.get("/v1/state").json()["config_digest"]

        def reread(text, until):
            config.write_text(text)
            service.child.send_signal(signal.SIGHUP)
            return eventually(lambda: client.get("/v1/state").json(), until)

        tight = reread("gate:\n  price_collar: 0.03\n", lambda s: s["config_digest"] != first)
        loose = reread("gate:\n  price_collar: 0.05\n", lambda s: s["server"]["reload_problem"])
        assert "gate.price_collar" in loose["server"]["reload_problem"]
        broken = reread("gate:\n  price_colar: 0.03\n", lambda s: "price_colar" in s["server"]["reload_problem"])
        assert broken["config_digest"] == loose["config_digest"] == tight["config_digest"]
        reread("gate:\n  price_collar: 0.03\n", lambda s: s["server"]["reload_problem"] is None)
        assert service.stop() == 0


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refused")

    def run(*arguments, config=""):
        (folder / "rpm.yaml").write_text(config)
        done = subprocess.run(
            [sys.executable, "-m", "rpmcore", *arguments], capture_output=True, text=True, cwd=folder, timeout=120,
            env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")},
            check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    run.folder = folder
    return run


def test_another_interface_needs_keys(refused):
    code, said = refused("serve", "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    assert code == 2
    assert "rpm keys create" in said
    code, said = refused("serve", "--set", "server.keys_file=none.json")
    assert code == 2
    assert "holds no key" in said


def test_what_does_not_go_together_is_refused(refused):
    for arguments, wanted in (
        (("--ledger", "no.ledger"), "--book"), (("--book", "b.parquet"), "--ledger"),
        (("--capital", "1e6"), "--book"),
    ):  # fmt: skip
        code, said = refused("serve", "--port", "0", *arguments)
        assert (code, wanted in said) == (2, True), said


def test_a_port_that_is_taken_is_told(refused):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = refused("serve", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "Choose another --port" in said


def test_keys_are_shown_once_and_kept_as_digests(refused):
    run = refused
    done = subprocess.run(
        [sys.executable, "-m", "rpmcore", "keys", "create", "desk", "--scope", "read", "--file", "k.json"],
        capture_output=True, text=True, cwd=run.folder, check=True,
    )  # fmt: skip
    key = done.stdout.strip()
    assert re.fullmatch(r"rpm_[A-Za-z0-9_-]{43}", key)
    file = run.folder / "k.json"
    assert key not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("keys", "create", "desk", "--scope", "read", "--file", "k.json")[0] == 2
    assert run("keys", "revoke", "nobody", "--file", "k.json")[0] == 2
    file.chmod(0o644)
    code, said = run("keys", "list", "--file", "k.json")
    assert code == 2
    assert "k.json" in said


def test_without_the_extra_one_message_says_what_to_install(tmp_path):
    hidden = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name, *a: None if name in ('fastapi', 'uvicorn') else find(name, *a);"
        "sys.argv = ['rpm', 'serve']; from rpm_cli.main import run; run()"
    )
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == "rpm: the service needs more packages. Install them by: pip install 'rpmcore[serve]'\n"
    assert threading.active_count()


def test_no_other_command_loads_the_web_framework():
    code = (
        "import sys; import rpm_cli.main; print([m for m in ('fastapi', 'uvicorn', 'starlette') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
