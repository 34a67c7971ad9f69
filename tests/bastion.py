"""A bastion of the tests' own: something of every kind is configured, and Python packages are taken away.

What is configured is made from the registries, so that a new kind is there by itself: each key is given what `VALUES`
has for its name.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from cockpit.adapters.registry import installed
from cockpit.monitor.registry import KINDS

_BLOCKER = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""
_STEP = """#!{python} -I
import runpy, signal
{blocker}
at = sys.argv.index("-m")
sys.argv = sys.argv[at + 1 :]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
_LOOKS = """
{blocker}
import asyncio, json, sys
sys.path.insert(0, {root!r})
from tests.bastion import looks
print(json.dumps(asyncio.run(looks({config!r}))))
"""
_MAIN = """
{blocker}
sys.executable = {step!r}
from cockpit.cli import main
sys.exit(main(sys.argv[1:]))
"""
_NO_NETWORK = frozenset({"local", "machine", "command", "pm2"})
"""Kinds that look at this machine alone."""


def kinds_of_probes() -> dict[str, type[Any]]:
    """Every kind of probe, with its options."""
    found = {}
    for kind, place in sorted(KINDS.items()):
        module, _colon, name = place.partition(":")
        found[kind] = getattr(import_module(module), name).Options
    return found


def kinds_of_targets() -> dict[str, type[Any] | None]:
    """Every kind of target, with its options if it has any."""
    return {name: getattr(point.load(), "Options", None) for name, point in sorted(installed().items())}


def of_the_network() -> set[str]:
    """What `Bastion.config` configures that is somewhere else, as doctor names it."""
    probes = {f"probe {kind}" for kind in kinds_of_probes() if kind not in _NO_NETWORK}
    return probes | {f"target {kind}" for kind in kinds_of_targets() if kind not in _NO_NETWORK}


@dataclass
class Bastion:
    """Everything leads to one port of this machine."""

    folder: Path
    port: int

    def config(self, **more: Any) -> str:
        """Something of every kind.

        Args:
            more: keys to give wherever a kind knows them, beside those that it needs.
        """
        lines = ['[cockpit]\ntitle = "all"\n']
        for kind, options in kinds_of_targets().items():
            if kind != "local":
                lines += [f"[target.{kind}]", f'kind = "{kind}"', *self._keys(options, more), ""]
        for kind, options in kinds_of_probes().items():
            lines += ["[[probe]]", f'name = "{kind}"', f'kind = "{kind}"', *self._keys(options, more), ""]
        return "\n".join(lines)

    def doctor(
        self, config: str, *, without: Iterable[str] = (), **environment: str
    ) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit status, and the worst finding about each thing.

        Args:
            without: packages that can't be imported, neither here nor in a step.
        """
        (self.folder / "cockpit.toml").write_text(config)
        done = subprocess.run(
            self._command(frozenset(without), "doctor", "--json"),
            cwd=self.folder,
            env=self._environment() | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        worst: dict[str, dict[str, str]] = {}
        found = json.loads(done.stdout)["findings"]
        for one in sorted(found, key=lambda one: ("ok", "warning", "failed").index(one["standing"])):
            worst[one["about"]] = one
        return done.returncode, worst

    def looked(self, config: str, *, without: Iterable[str] = ()) -> dict[str, tuple[str, str]]:
        """Each thing that is configured looked at, one after the other: what is wrong with it, and the mend.

        Args:
            without: packages that can't be imported.
        """
        path = self.folder / "cockpit.toml"
        path.write_text(config)
        blocker, root = _BLOCKER.format(blocked=set(without)), str(Path(__file__).parents[1])
        done = subprocess.run(
            [sys.executable, "-c", _LOOKS.format(blocker=blocker, root=root, config=str(path))],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return {name: (told[0], told[1]) for name, told in json.loads(done.stdout).items()}

    def _command(self, blocked: frozenset[str], *arguments: str) -> Sequence[str]:
        blocker = _BLOCKER.format(blocked=set(blocked))
        step = self.folder / "python"
        step.write_text(_STEP.format(python=sys.executable, blocker=blocker))
        step.chmod(0o755)
        return [sys.executable, "-c", _MAIN.format(blocker=blocker, step=str(step)), *arguments]

    def _environment(self) -> dict[str, str]:
        held = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV") if name in os.environ}
        own = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "LANG": "C.UTF-8"}
        own |= {"COCKPIT_STATE_DIR": str(self.folder / "state"), "COCKPIT_CONFIG": str(self.folder / "cockpit.toml")}
        keys = {
            "AWS_ACCESS_KEY_ID": "it",
            "AWS_SECRET_ACCESS_KEY": "secret-of-nothing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return (
            held
            | own
            | keys
            | {"COCKPIT_TEST_HOOK": f"http://127.0.0.1:{self.port}/hook/Zq8", "COCKPIT_TEST_TOKEN": "Zq8-token"}
        )

    def _keys(self, options: type[Any] | None, more: dict[str, Any]) -> list[str]:
        values = self._values()
        keys = []
        for field in msgspec.structs.fields(options) if options else ():
            assert not field.required or field.name in (*values, "filter"), (
                f"give {field.name} a value in tests/bastion.py"
            )
            if field.name in more:
                keys.append(f"{field.name} = {json.dumps(more[field.name])}")
            elif field.name == "filter" and field.required:
                keys.append('filter = "severity>=ERROR"')
            elif field.name in values:
                keys.append(f"{field.name} = {_toml(values[field.name])}")
        return keys

    def _values(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}"
        return {
            "url": url, "base_url": url, "endpoint_url": url,
            "token_env": "COCKPIT_TEST_TOKEN", "url_env": "COCKPIT_TEST_HOOK",
            "host": "127.0.0.1", "port": self.port, "sslmode": "disable", "kubeconfig_file": str(self._kubeconfig()),
            "repo": "acme/shop", "project": "shop-project", "region": "eu-west-1", "service": "shop", "group": "/shop",
            "functions": ["shop"], "cluster": "shop", "command": "true",
            "query": '{app="shop"}', "queries": {"up": "up"}, "home": str(self.folder / "pm2"), "flavour": "json",
            "alarms": ["shop"],
        }  # fmt: skip

    def _kubeconfig(self) -> Path:
        path = self.folder / "kubeconfig"
        context = {"cluster": "it", "user": "it", "namespace": "shop"}
        config = {"current-context": "it", "contexts": [{"name": "it", "context": context}], "apiVersion": "v1"}
        config |= {
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "kind": "Config",
        }
        path.write_text(json.dumps(config | {"users": [{"name": "it", "user": {}}]}))
        return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {json.dumps(held)}" for key, held in value.items()) + "}"
    return json.dumps(value)


async def looks(path: str) -> dict[str, tuple[str, str]]:
    """See `Bastion.looked`. To be run in a process of its own."""
    from msgspec.structs import replace

    from cockpit.adapters.step_program.adapter import StepProgram, Task
    from cockpit.config import load
    from cockpit.errors import CockpitError
    from cockpit.monitor.registry import build
    from cockpit.session.steps.targets import targets_of

    config = load(Path(path))
    found: dict[str, tuple[str, str]] = {}
    for target in config.targets:
        told = "", ""
        try:
            adapter = targets_of([target])[target.name]
            if isinstance(adapter, StepProgram):
                await asyncio.to_thread(adapter.enforced, Task(credentials=adapter.credentials()))
        except CockpitError as error:
            told = str(error), error.mend
        found[f"target {target.name}"] = told
    for one in config.probes:
        probe = build(replace(one, deadline_s=60.0), str)
        sample = await probe.sample()
        await probe.close()
        found[f"probe {one.name}"] = sample.error, sample.mend
    return found


def stub(folder: Path, name: str, body: str, mode: int = 0o755) -> Path:
    """A program of that name which does this, in a folder to be put on the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(mode)
    return path


def said(text: str) -> str:
    """A script that prints this."""
    return f"printf '%s\\n' {shlex.quote(text)}"
