"""A rehearsal from start to end, for the command line: prepare its world, play a script in it, score it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cockpit.errors import ConfigError
from cockpit.rehearsal.desk import at_desk
from cockpit.rehearsal.faults import FAULTS
from cockpit.rehearsal.scenario import Scenario
from cockpit.rehearsal.scoring import Score, score
from cockpit.rehearsal.script import Player, read_script
from cockpit.rehearsal.world import World
from cockpit.runbook.document.opened import document_at
from cockpit.runbook.reading import read
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.settings import SessionSettings
from cockpit.words import _

_CONFIG = """\
[cockpit]
environment = {environment}

[[probe]]
name = "health"
kind = "http"
title = {health}
url = {url}
interval_s = 1
thresholds = ["latency_ms > 1000 ms yellow"]

[[probe]]
name = "pm2"
kind = "pm2"
title = "PM2"
home = {pm2_home}
processes = ["backend"]
interval_s = 2

[[probe]]
name = "machine"
kind = "machine"
title = {machine}

[[tail]]
name = "app"
path = {app_log}
title = "application.log"
thresholds = ["errors_per_min > 0 yellow", "errors_per_min > 10 red"]
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A broken world, and how a session is opened on it. `names` stand for {stable_version} and such."""

    scenario: Scenario
    world: World
    settings: SessionSettings

    @property
    def names(self) -> dict[str, str]:
        """The world's own names."""
        return world_names(self.world)


def world_names(world: World) -> dict[str, str]:
    """{bad_version}, {stable_version} and {older_version} of a world, and {bad_stamp} …: the same without the v."""
    named = dict(zip(("bad", "stable", "older"), world.versions, strict=True))
    return {
        **{f"{name}_version": version for name, version in named.items()},
        **{f"{name}_stamp": version.removeprefix("v") for name, version in named.items()},
    }


def new_world_folder(state: Path) -> Path:
    """A path for a new world beside the sessions: `worlds/` and the time, with something that no other has."""
    return state / "worlds" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def prepare(scenario: Scenario, folder: Path, *, seed: int = 1, language: str = "en") -> Prepared:
    """Start a world in `folder`, break it, and say how to open a session on it.

    The world belongs to the calling process: give it to the session's host with `world.hand_over`, or stop it.

    Raises:
        ConfigError: the scenario names an unknown fault. AdapterError: the world did not start or break.
    """
    fault = FAULTS.get(scenario.fault)
    if fault is None:
        raise ConfigError(
            _("no fault {name}").format(name=scenario.fault),
            where=scenario.id,
            mend=_("known ones: {names}").format(names=", ".join(FAULTS)),
        )
    world = World.start(folder, seed=seed)
    try:
        fault(world)
        config = world.layout.root / "cockpit.toml"
        config.write_text(_config(scenario, world, language), encoding="utf-8")
        config.chmod(0o600)
    except BaseException:
        world.stop()
        raise
    settings = SessionSettings(
        runbook_path=str(scenario.runbook_path(language)),
        mode="rehearsal",
        language=language,
        config_path=str(config),
        environment=dict(world.environment),
        inputs=dict(world.inputs),
        cwd=str(world.layout.app_home),
        world=str(world.layout.root),
        scenario=scenario.id,
        brief=scenario.brief.in_language(language),
    )
    return Prepared(scenario, world, settings)


def _config(scenario: Scenario, world: World, language: str) -> str:
    values = {
        "environment": _("rehearsal"),
        "health": _("chat API"),
        "machine": _("this machine"),
        "url": f"{world.service_url}/actuator/health",
        "pm2_home": world.environment["PM2_HOME"],
        "app_log": str(world.layout.app_log),
    }
    text = _CONFIG.format_map({name: _toml(value) for name, value in values.items()})
    # Rules come with the probes they are about: those of the runbook hold for this world's probes of the same names.
    for rule in read(scenario.runbook_path(language)).front_matter.get("rules", ()):
        text += "\n[[rule]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in rule.items())
    return text


def _toml(text: str) -> str:
    """A TOML basic string: JSON's, as long as nothing outside ASCII is escaped in JSON's own way."""
    return json.dumps(text, ensure_ascii=False)


async def play(prepared: Prepared, folder: SessionFolder, script: Path, tell: Callable[[str], None]) -> Score:
    """Play a script against the session in `folder`, whose host has been started, then end it and score it.

    Raises:
        CockpitError: the script can't be read, or a line of it failed; the session is ended all the same.
    """
    runbook = read(folder.runbook)
    acts = read_script(document_at(script).decode("utf-8", "replace"), prepared.names, str(script))
    async with at_desk(folder) as desk:
        try:
            await Player(desk, runbook, tell).play(acts)
        finally:
            await desk.call("end", reason=_("the script is over"))
    return score_session(prepared, folder)


def score_session(prepared: Prepared, folder: SessionFolder) -> Score:
    """The score of a rehearsal from its session folder, running or ended."""
    reader = SessionReader(folder)
    return score(prepared.scenario, read(folder.runbook), reader.poll(), prepared.names)
