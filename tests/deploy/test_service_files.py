"""Container, unit and proxies: what can be held against the repository without building or starting anything."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from rpmcore.adapters.configuration.loading import Settings
from rpmcore.adapters.configuration.server_settings import ServerSettings
from rpmcore.adapters.signing_key import VARIABLE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINER = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "systemd" / "rpm.service").read_text(encoding="utf-8")
LONGEST_COMPILING = 120


def instructions():
    """Return the instructions of the Containerfile with their arguments, continued lines joined."""
    joined = CONTAINER.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_everything_that_is_copied_is_there_and_is_let_into_the_build():
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = []
    for name, argument in instructions():
        if name == "COPY" and not argument.startswith("--from"):
            copied += argument.split()[:-1]
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in ignore, path


def test_what_the_build_of_the_wheel_needs_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [
        *build["packages"],
        *build["force-include"],
        project["project"]["readme"],
        *project["project"]["license-files"],
    ]
    copied = [p for name, a in instructions() if name == "COPY" and not a.startswith("--from") for p in a.split()[:-1]]
    for path in needed:
        assert any(path == one or path.startswith(f"{one}/") for one in copied), path


def test_it_installs_as_the_readme_does_with_the_extras_of_a_service():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (install,) = (argument for name, argument in instructions() if name == "RUN" and "pip install" in argument)
    options = "-m pip install --quiet -c constraints.txt"
    assert options in readme
    assert options in install
    extras = re.search(r'"\.\[([\w,]+)\]"', install)[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(extras) <= set(project["project"]["optional-dependencies"])
    assert "serve" in extras


def test_the_container_runs_as_nobody_special_and_writes_to_volumes_alone():
    found = instructions()
    names = [name for name, _ in found]
    assert dict(found)["USER"] == "10001:10001"
    assert names.index("USER") < names.index("VOLUME")
    volumes = re.findall(r'"(/[\w/]+)"', dict(found)["VOLUME"])
    environment = dict(shlex.split(argument)[i].split("=", 1) for name, argument in found if name == "ENV"
                       for i in range(len(shlex.split(argument))))  # fmt: skip
    assert environment["NUMBA_CACHE_DIR"] in volumes
    assert dict(found)["WORKDIR"] in volumes
    ledger = re.search(r'"--ledger", "([^"]+)"', dict(found)["CMD"])[1]
    assert str(Path(ledger).parent) in volumes
    assert VARIABLE in environment
    for name, value in environment.items():
        if name in (VARIABLE, "RPM__SERVER__KEYS_FILE"):
            assert value.startswith("/run/secrets/"), name


def settings_named(text):
    return re.findall(r"\b(RPM__\w+)=", text)


@pytest.mark.parametrize("text", [CONTAINER, UNIT], ids=["container", "unit"])
def test_the_variables_name_settings(text):
    assert settings_named(text)
    for variable in settings_named(text):
        section, key = variable.removeprefix("RPM__").lower().split("__")
        assert key in Settings.model_fields[section].annotation.model_fields


def test_it_is_asked_where_it_listens_and_given_time_to_compile():
    port = ServerSettings().port
    found = dict(instructions())
    assert found["EXPOSE"] == str(port)
    assert f"127.0.0.1:{port}/health/live" in found["HEALTHCHECK"]
    assert int(re.search(r"--start-period=(\d+)s", found["HEALTHCHECK"])[1]) >= LONGEST_COMPILING
    for name in ("Caddyfile", "nginx.conf"):
        assert f"127.0.0.1:{port}" in (DEPLOY / "proxy" / name).read_text(encoding="utf-8")


def options(section):
    part = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", UNIT, flags=re.MULTILINE | re.DOTALL)[1]
    found: dict[str, list[str]] = {}
    for line in part.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_gives_up_every_privilege_that_the_gate_does_not_need():
    service = options("Service")
    wanted = {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "CapabilityBoundingSet": "", "StateDirectory": "rpm", "UMask": "0077", "Restart": "on-failure", "User": "rpm",
    }  # fmt: skip
    assert {name: service[name] for name in wanted} == {name: [value] for name, value in wanted.items()}
    assert service["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert "MemoryDenyWriteExecute" not in service  # the compiler writes code and runs it


def test_keys_are_credentials_and_a_stop_waits_for_what_was_asked():
    service = options("Service")
    loaded = {one.partition(":")[0] for one in service["LoadCredential"]}
    used = {value.rpartition("/")[2] for value in service["Environment"] if "=%d/" in value}
    assert loaded == used == {"ledger-key", "api-keys"}
    assert service["RestartPreventExitStatus"] == ["2 5"]
    assert int(service["TimeoutStopSec"][0]) > ServerSettings().stop_seconds
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_systemd_takes_the_unit_and_calls_it_well_confined(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        return  # its lines are held against what is wanted above; systemd itself is asked where it is installed
    unit = tmp_path / "rpm.service"
    unit.write_text(
        UNIT.replace("/opt/rpm/bin/rpm", "/bin/true").replace("file:///opt/rpm/docs/deploy.md", "man:true(1)")
    )
    done = subprocess.run([program, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([program, "security", "--offline=yes", unit], capture_output=True, text=True, check=True)
    assert float(re.search(r"Overall exposure level for rpm.service: ([\d.]+)", done.stdout)[1]) <= 2.0


def test_the_proxies_hand_the_stream_on_as_it_comes_and_name_who_is_called():
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text(encoding="utf-8")
    events = re.search(r"location = /v1/events \{(.*?)\n    \}", nginx, flags=re.DOTALL)[1]
    assert "proxy_buffering off;" in events
    silence = int(re.search(r"proxy_read_timeout (\d+)s;", events)[1])
    assert silence > ServerSettings().heartbeat_seconds
    for location in re.findall(r"location .*?\{(.*?)\n    \}", nginx, flags=re.DOTALL):
        assert "proxy_set_header Host $host;" in location
        assert "proxy_pass http://rpm;" in location
    assert nginx.count("{") == nginx.count("}")
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    kept = (re.search(r"keepalive_timeout (\d+)s;", nginx)[1], re.search(r"keepalive (\d+)s", caddy)[1])
    assert max(map(int, kept)) < ServerSettings().keep_alive_s
    assert "flush_interval -1" in caddy
    assert caddy.count("{") == caddy.count("}")
    for text, pattern in ((nginx, r"client_max_body_size (\d+)k;"), (caddy, r"max_size (\d+)KB")):
        assert int(re.search(pattern, text)[1]) * 1024 <= ServerSettings().max_body_bytes * 1.01
