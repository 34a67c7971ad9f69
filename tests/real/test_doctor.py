"""`cockpit doctor` against real servers: all well, each down or wrong, and all of them hung."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgresql import postgresql_server
from tests.servers.redis import redis_server
from tests.servers.server import free_port
from tests.servers.ssh import SshServer, ssh_server

PATIENCE_S = 120


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "server") as made:
        yield made


class Doctor:
    """Runs the program on a configuration of one's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "COCKPIT_STATE_DIR": str(folder / "state"),
            "COCKPIT_CONFIG": "",
            "XDG_CONFIG_HOME": str(folder),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "COCKPIT_TEST_PASSWORD": "hunter2hunter2",
        }

    def run(
        self, config: str, *arguments: str, program: Sequence[str] = ("-m", "cockpit.cli")
    ) -> subprocess.CompletedProcess[str]:
        (self.folder / "cockpit.toml").write_text(config)
        return subprocess.run(
            [sys.executable, *program, "doctor", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def told(self, config: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """The exit status, and the worst finding about each thing."""
        done = self.run(config, "--json")
        told = json.loads(done.stdout)
        worst: dict[str, dict[str, Any]] = {}
        for one in sorted(told["findings"], key=lambda one: ("ok", "warning", "failed").index(one["standing"])):
            worst[one["about"]] = one
        assert told["ready"] is (done.returncode == 0)
        assert "Traceback" not in done.stderr
        return done.returncode, worst


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


def target(name: str, kind: str, **options: Any) -> str:
    return f'[target.{name}]\nkind = "{kind}"\n' + "".join(f"{key} = {json.dumps(it)}\n" for key, it in options.items())


def probe(name: str, kind: str, **options: Any) -> str:
    return f'[[probe]]\nname = "{name}"\nkind = "{kind}"\n' + "".join(
        f"{key} = {json.dumps(it)}\n" for key, it in options.items()
    )


def far(server: SshServer) -> str:
    return target("web", "ssh", host="far", ssh_config=str(server.config))


def test_all_is_well(server: SshServer, doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("INFO begun\n")
    with redis_server() as redis:
        status, told = doctor.told(
            far(server)
            + target("cache", "redis", host="127.0.0.1", port=redis.port)
            + probe("cpu", "machine", target="web")
            + f'[[tail]]\nname = "app"\npath = "{tmp_path}/app.log"\ntarget = "web"\n'
        )

    assert (status, {one["standing"] for one in told.values()} - {"warning"}) == (0, {"ok"})
    assert {"target local", "target web", "target cache", "probe cpu", "log app", "state folder"} <= set(told)
    assert "lets us in" in told["target web"]["text"]
    assert "it answers" in told["target cache"]["text"]


def test_each_that_is_down_or_wrong_is_told_with_a_mend_and_costs_no_other(server: SshServer, doctor: Doctor) -> None:
    server.known_hosts.write_text("")
    secret = doctor.folder / "password"
    secret.write_text("hunter2hunter2\n")
    secret.chmod(0o644)
    with redis_server() as redis:
        status, told = doctor.told(
            far(server)
            + target("gone", "redis", host="127.0.0.1", port=free_port())
            + target("locked", "redis", host="127.0.0.1", port=redis.port, password_env="COCKPIT_TEST_PASSWORD")
            + target("open", "redis", host="127.0.0.1", port=redis.port, password_file=str(secret))
            + target("unset", "redis", host="127.0.0.1", port=redis.port, password_env="COCKPIT_TEST_NOT_SET")
            + target("fine", "redis", host="127.0.0.1", port=redis.port)
            + target("strange", "redis", host="127.0.0.1", prot=1)
            + target("nothing", "no-such-kind")
            + probe("health", "http", url="http://127.0.0.1:1/health")
            + probe("pm2", "pm2", home=str(doctor.folder))
        )

    assert status == 1
    failed = {about for about, one in told.items() if one["standing"] == "failed"}
    wrong = {"web", "gone", "locked", "open", "unset", "strange", "nothing"}
    assert failed == {"probe health", *(f"target {name}" for name in wrong)}
    assert [about for about in failed if not told[about]["mend"]] == []
    assert "SHA256:" in told["target web"]["text"]
    assert told["target open"]["mend"] == f"chmod 600 {secret}"
    assert told["probe pm2"]["standing"] == "warning"
    assert "hunter2" not in json.dumps(told)


def test_a_database_that_shows_a_role_too_little_is_told(doctor: Doctor) -> None:
    with postgresql_server() as server:
        server.ask("create role weak login")
        place = {"host": "127.0.0.1", "port": server.port, "database": "shop"}
        patient = {**place, "deadline_s": 60}
        status, told = doctor.told(
            target("orders", "postgresql", **place, user="weak")
            + probe("weak", "postgresql", **patient, user="weak")
            + probe("strong", "postgresql", **patient, user="postgres")
            + probe("shut", "postgresql", **patient, user="app", password_env="COCKPIT_TEST_PASSWORD")
            + probe("odd", "postgresql", **place, ca_file="/x", sslmode="require")
        )

    assert status == 1
    assert {about: told[about]["standing"] for about in told if "probe" in about or about == "target orders"} == {
        "target orders": "ok",
        "probe weak": "warning",
        "probe strong": "ok",
        "probe shut": "failed",
        "probe odd": "failed",
    }
    assert "GRANT pg_monitor TO weak" in told["probe weak"]["mend"]
    assert "password" in told["probe shut"]["text"]
    assert "verify-full" in told["probe odd"]["mend"]


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


def test_servers_that_hang_are_not_waited_for_one_after_another(server: SshServer, doctor: Doctor) -> None:
    with silent() as port:
        # One after another they would take longer than `run` waits.
        status, told = doctor.told(
            "".join(target(f"ssh{n}", "ssh", host="127.0.0.1", port=port) for n in range(3))
            + "".join(target(f"redis{n}", "redis", host="127.0.0.1", port=port) for n in range(3))
            + "".join(probe(f"http{n}", "http", url=f"http://127.0.0.1:{port}/", deadline_s=60) for n in range(16))
        )

    assert status == 1
    assert {one["standing"] for about, one in told.items() if about[-1].isdigit()} == {"failed"}
    assert [about for about, one in told.items() if one["standing"] == "failed" and not one["mend"]] == []


_NO_NAMES = """
import socket, sys, threading
socket.getaddrinfo = lambda *_asked, **_how: threading.Event().wait()
from cockpit.cli import main
sys.exit(main())
"""


def test_names_that_are_looked_up_without_an_end_hold_nothing_up(doctor: Doctor) -> None:
    config = probe("shop", "http", url="https://shop.example/health")

    done = doctor.run(config, "--json", program=["-c", _NO_NAMES])

    assert done.returncode == 1
    (told,) = [one for one in json.loads(done.stdout)["findings"] if one["about"] == "probe shop"]
    assert (told["standing"], bool(told["mend"])) == ("failed", True)


def test_a_configuration_that_can_not_be_read_is_a_finding_among_others(doctor: Doctor) -> None:
    status, told = doctor.told("[cockpit]\ntitel = 1\n")

    assert (status, told["configuration"]["standing"]) == (1, "failed")
    assert "title" in told["configuration"]["mend"]
    assert told["state folder"]["standing"] != "failed"


def test_an_open_state_folder_is_told_with_its_mend(doctor: Doctor) -> None:
    state = doctor.folder / "state"
    state.mkdir()
    state.chmod(0o777)
    status, told = doctor.told("")

    assert (status, told["state folder"]["mend"]) == (1, f"chmod 700 {state}")


def test_a_person_reads_a_line_for_each(doctor: Doctor) -> None:
    done = doctor.run(target("gone", "redis", host="127.0.0.1", port=free_port()))

    lines = done.stdout.split("\n")
    assert done.returncode == 1
    assert [line for line in lines if line.startswith("x  target gone: 127.0.0.1:") and line.endswith(")")]
    assert [line for line in lines if line.startswith("ok target local: ")]


def test_a_threshold_that_nothing_is_held_against_is_told(doctor: Doctor) -> None:
    code, told = doctor.told(
        probe("mistyped", "machine", thresholds=["cpu_prcent > 80 % red"])
        + probe("well", "machine", thresholds=["cpu_percent > 80 % red", "p95 cpu_percent > 80 % over 20 yellow"])
    )

    assert code == 0
    assert (told["probe well"]["standing"], told["probe mistyped"]["standing"]) == ("ok", "warning")
    assert told["probe mistyped"]["mend"] == "no value is called cpu_prcent (did you mean cpu_percent?)"
