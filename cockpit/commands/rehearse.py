"""`cockpit rehearse`: a small real service is started and broken; the trainee mends it with the shipped runbook."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from cockpit import words
from cockpit.commands.open import administered_read_only
from cockpit.commands.screen import show
from cockpit.commands.terminal import require_terminal
from cockpit.errors import PolicyRefusal, UsageError
from cockpit.places import ADMINISTRATORS_FILE
from cockpit.rehearsal.run import Prepared, new_world_folder, play, prepare, score_session
from cockpit.rehearsal.scenario import Scenario, find_scenario, scenarios
from cockpit.rehearsal.scoring import Score, debrief
from cockpit.session.host.spawn import start_host
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.opening import open_session
from cockpit.session.record.reader import SessionReader
from cockpit.session.record.roots import make_private, state_root
from cockpit.shipped import RUNBOOKS
from cockpit.words import _

# The command that made the world may end before the session's host has taken it over.
_HANDOVER_S = 60.0


def run(options: argparse.Namespace) -> int:
    """List scenarios, or rehearse one: on the screen, or headless by a script."""
    if options.list:
        return _list(options.json)
    scenario = find_scenario(options.scenario)
    _require_leave_to_change()
    if options.headless:
        return _headless(scenario, options)
    if options.script:
        raise UsageError(_("a script is played without a screen"), where="--script", mend=_("add --headless"))
    require_terminal()
    return _on_screen(scenario, options)


def _require_leave_to_change() -> None:
    """A rehearsal's service is a world of its own, but its steps are commands on this machine, and can be edited.

    Raises:
        PolicyRefusal: the administrator keeps the machine read-only. ConfigError: that can't be told for sure.
    """
    if administered_read_only():
        raise PolicyRefusal(
            _("the administrator keeps this machine read-only, and a rehearsal runs real commands on it"),
            where=str(ADMINISTRATORS_FILE),
            mend=_("rehearse on another machine"),
        )


def _list(as_json: bool) -> int:
    found = scenarios()
    if as_json:
        rows = [
            {"id": s.id, "title": s.title.in_language(words.chosen()), "minutes": s.minutes, "difficulty": s.difficulty}
            for s in found
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for scenario in found:
            title = scenario.title.in_language(words.chosen())
            print(f"{scenario.id:<20} {scenario.minutes:>3} min  {'*' * scenario.difficulty:<5} {title}")
    return 0


def _begin(scenario: Scenario, seed: int) -> tuple[Prepared, SessionFolder]:
    """Make the world, break it, and open a session on it whose host owns the world from now on."""
    worlds = state_root() / "worlds"
    make_private(worlds)
    print(_("starting a small service of its own, and breaking it ..."), file=sys.stderr, flush=True)
    prepared = prepare(scenario, new_world_folder(state_root()), seed=seed, language=words.chosen())
    try:
        folder = open_session(prepared.settings)
        prepared.world.hand_over(os.getpid(), linger_s=_HANDOVER_S)
        start_host(folder)
    except BaseException:
        prepared.world.stop()
        raise
    return prepared, folder


def _on_screen(scenario: Scenario, options: argparse.Namespace) -> int:
    prepared, folder = _begin(scenario, options.seed)
    code = show(folder, mode=prepared.settings.mode)
    reader = SessionReader(folder)
    reader.poll()
    if reader.state.ended_t is None:
        print(_("the rehearsal goes on: `cockpit attach {session}`").format(session=folder.name))
        return code
    _tell_score(score_session(prepared, folder), folder, options.json)
    return code


def _headless(scenario: Scenario, options: argparse.Namespace) -> int:
    script = Path(options.script) if options.script else RUNBOOKS / "scenarios" / f"{scenario.id}.script"
    prepared, folder = _begin(scenario, options.seed)

    def tell(line: str) -> None:
        print(f"> {line}", file=sys.stderr, flush=True)

    score = asyncio.run(play(prepared, folder, script, tell))
    _tell_score(score, folder, options.json)
    return 0 if score.recovered_s is not None else 1


def _tell_score(score: Score, folder: SessionFolder, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"session": folder.name, **score.as_json()}, ensure_ascii=False, indent=2))
    else:
        print(debrief(score))
        print(_("the record: cockpit report {session}").format(session=folder.name))
