"""Every adapter of pyproject's entry points that runs steps is put through the same suite, under its own name.

Adapters that run bash go through `test_adapter_runs_steps`; step programs through `test_step_program`, each with the
specimen that `tests/contract/specimens/NAME.py` makes of it.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from cockpit.adapters.base import Outcome, Running, RunsSteps
from cockpit.safety.permit import Permit
from tests.contract.specimens.specimen import Specimen
from tests.runs import Runs, read_permit
from tests.servers.ssh import SshServer, ssh_server

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def _adapters() -> dict[str, type[Any]]:
    points = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]["cockpit.adapters"]
    found: dict[str, type[Any]] = {}
    for name, place in points.items():
        module, _colon, attribute = place.partition(":")
        found[name] = getattr(importlib.import_module(module), attribute)
    return {name: made for name, made in found.items() if hasattr(made, "languages")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "adapter" in metafunc.fixturenames:
        shells = [name for name, made in _adapters().items() if "bash" in made.languages]
        metafunc.parametrize("adapter", shells, indirect=True)
    if "specimen" in metafunc.fixturenames:
        # A message has nothing to read, and so nothing of what the suite asks for: tests/real has its own.
        programs = [name for name, made in _adapters().items() if not made.languages & {"bash", "message"}]
        metafunc.parametrize("specimen", programs, indirect=True, scope="session")


@pytest.fixture(scope="session")
def specimen(request: pytest.FixtureRequest) -> Iterator[Specimen]:
    with importlib.import_module(f"tests.contract.specimens.{request.param}").specimen() as made:
        yield made


@pytest.fixture
def adapter(request: pytest.FixtureRequest) -> RunsSteps:
    """A new adapter of that name, with options that lead to a real server where it needs one."""
    made = _adapters()[request.param]
    if not hasattr(made, "Options"):
        return cast(RunsSteps, made())
    server = request.getfixturevalue(f"{request.param}_target")
    return cast(RunsSteps, made(server.options))


@pytest.fixture(scope="session")
def ssh_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("sshd") / "server") as server:
        yield server


class Bench(Runs[Running]):
    """Runs scripts through one adapter."""

    def __init__(self, adapter: RunsSteps, root: Path) -> None:
        super().__init__(root)
        self.adapter = adapter

    def another(self) -> RunsSteps:
        """A second instance, as a host that comes after has one."""
        made: Any = type(self.adapter)
        return cast(RunsSteps, made(self.adapter.options) if hasattr(self.adapter, "options") else made())

    async def start(self, script: str, *, values: dict[str, str] | None = None, **request: Any) -> tuple[Running, Path]:
        return await self.begin(self.adapter, read_permit(script, values, target="local"), **request)

    async def run(self, script: str, **request: Any) -> tuple[Outcome, bytes]:
        return await self.over(self.start(script, **request))


@pytest.fixture
async def bench(adapter: RunsSteps, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(adapter, tmp_path)
    yield made
    await made.end_all()


@pytest.fixture
def permit() -> Callable[..., Permit]:
    return partial(read_permit, target="local")
