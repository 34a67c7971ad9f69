"""The stand-in for PM2: what it prints, how it keeps applications alive, and its protocol."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.rehearsal.pm2 import table
from cockpit.rehearsal.pm2.supervisor import App, Supervisor
from cockpit.rehearsal.pm2.wire import pack, unpack
from tests.waiting import until

_PLAIN = st.text(st.characters(codec="utf-8"), max_size=30)
_JSON = st.dictionaries(_PLAIN, st.none() | st.booleans() | st.integers() | _PLAIN, max_size=4)


@given(st.lists(_JSON | _PLAIN, max_size=15))
def test_a_frame_is_read_as_it_was_written(arguments: list[Any]) -> None:
    assert unpack(io.BytesIO(pack(arguments)).read) == arguments


def test_a_frame_of_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="frame argument"):
        unpack(io.BytesIO(b"\x11\xff\xff\xff\xff").read)


def _spec(tmp_path: Path, code: str, **more: Any) -> dict[str, Any]:
    script = tmp_path / "app.py"
    script.write_text(code, encoding="utf-8")
    logs = {"out_file": str(tmp_path / "out.log"), "error_file": str(tmp_path / "error.log")}
    return {
        "name": "app",
        "script": str(script),
        "interpreter": sys.executable,
        "interpreter_args": "-I",
        **logs,
        **more,
    }


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop_all()


async def test_an_application_that_keeps_dying_is_given_up(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(_spec(tmp_path, "raise SystemExit(3)", max_restarts=3, min_uptime=60_000))
    app: App = supervisor.apps[0]
    await until(lambda: app.status == "errored")
    assert (app.restarts, app.exit_code, app.pid) == (2, 3, 0)
    await supervisor.restart(0)
    assert (app.restarts, app.status) == (3, "online")


async def test_one_death_of_a_long_lived_application_is_one_restart(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(_spec(tmp_path, "import time; time.sleep(600)", min_uptime=0))
    app = supervisor.apps[0]
    first = app.process
    assert first is not None
    first.kill()
    await until(lambda: app.restarts == 1 and app.status == "online")
    assert app.pid not in (0, first.pid)


async def test_stop_ends_even_what_ignores_being_asked(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    await supervisor.start(_spec(tmp_path, code))
    await until(lambda: (tmp_path / "out.log").read_text() == "up\n")
    await supervisor.stop(0)
    assert (supervisor.apps[0].status, supervisor.apps[0].pid) == ("stopped", 0)


async def test_what_is_told_of_an_application_holds_no_environment(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(_spec(tmp_path, "import time; time.sleep(600)", env={"TOKEN": "hush"}))
    assert "hush" not in str(supervisor.apps[0].describe())


def test_the_table_lines_up() -> None:
    environment = {"restart_time": 12, "status": "waiting restart"}
    app = {"pm_id": 0, "name": "backend", "monit": {"cpu": 1.5, "memory": 3 << 20}, "pm2_env": environment}
    lines = table.listing([app]).split("\n")
    assert len({len(line) for line in lines}) == 1
    assert "waiting restart" in lines[3]
