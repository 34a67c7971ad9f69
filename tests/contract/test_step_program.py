"""What every adapter that uses a client library must do, against its real server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import KnowsSecrets, Outcome, Running, RunRequest, RunsSteps, TellsEnforcement
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, AdapterError, ConfigError, PolicyRefusal, ToolMissing
from cockpit.runs.files import RECALLED
from cockpit.safety.permit import Action, Confirmation, Mode, Permit, Rung, grant
from cockpit.safety.verdict import Judgement, Verdict
from tests import waiting
from tests.contract.specimens.specimen import Specimen
from tests.runs import Runs, forged_from, read_permit

pytestmark = pytest.mark.real
SECRET = "Zq8-very-secret-value-71"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the server, which is asked from another thread."""
    await waiting.until(partial(asyncio.to_thread, condition))


def require_change(body: str) -> None:
    """Skip where nothing can be asked of the backend that changes anything."""
    if not body:
        pytest.skip("nothing that it can be asked changes anything")


def permit_for(
    specimen: Specimen, body: str, *, read_only: bool = True, values: dict[str, str] | None = None
) -> Permit:
    """Leave to run it: as something that reads, or as something that changes things and was confirmed."""
    if read_only:
        return read_permit(body, values, language=specimen.language, target="it")
    action = Action(specimen.language, body, "it", values or {})
    confirmed = Confirmation(action.sha256, Rung.CONFIRM, "test")
    return grant(action, Judgement(Verdict.MUTATING), Mode.LIVE, by="test", confirmation=confirmed)


class Bench(Runs[Running]):
    """Runs texts through a step program."""

    def __init__(self, specimen: Specimen, root: Path) -> None:
        super().__init__(root)
        self.specimen = specimen

    async def start(
        self,
        body: str,
        *,
        adapter: StepProgram[Any] | None = None,
        read_only: bool = True,
        values: dict[str, str] | None = None,
        **request: Any,
    ) -> tuple[Running, Path]:
        permit = permit_for(self.specimen, body, read_only=read_only, values=values)
        return await self.begin(adapter or self.specimen.adapter, permit, **request)

    async def run(self, body: str, **given: Any) -> tuple[Outcome, bytes]:
        return await self.over(self.start(body, **given))


@pytest.fixture
async def bench(specimen: Specimen, tmp_path: Path) -> Any:
    made = Bench(specimen, tmp_path)
    yield made
    await made.end_all()


def test_says_what_it_can(specimen: Specimen) -> None:
    adapter = specimen.adapter

    assert isinstance(adapter, RunsSteps)
    assert isinstance(adapter, TellsEnforcement)
    assert isinstance(adapter, KnowsSecrets)
    assert specimen.language in adapter.languages


async def test_a_step_runs_and_its_evidence_is_kept(bench: Bench, specimen: Specimen) -> None:
    outcome, output = await bench.run(specimen.hello)

    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("exited", 0, None)
    assert b"hello" in output
    assert outcome.output_sha256 == hashlib.sha256(output).hexdigest()
    assert (outcome.detail, outcome.shell_state, outcome.cwd) == ("", {}, None)


async def test_output_can_be_read_while_the_step_runs(bench: Bench, specimen: Specimen) -> None:
    body, first, go_on, last = specimen.streams
    running, folder = await bench.start(body, read_only=False)

    await until(lambda: first in (folder / "output").read_bytes())
    before = (folder / "output").read_bytes()
    await asyncio.to_thread(go_on)
    await running.wait()

    assert last not in before
    assert last in (folder / "output").read_bytes()


async def test_cancelling_ends_it_here_and_on_the_server(bench: Bench, specimen: Specimen) -> None:
    running, _folder = await bench.start(specimen.endless)
    await until(specimen.at_it)

    await running.cancel()
    outcome = await running.wait()

    assert (outcome.ending, outcome.survivors) == ("cancelled", ())
    await until(lambda: not specimen.at_it())


async def test_a_deadline_ends_it_here_and_on_the_server(bench: Bench, specimen: Specimen) -> None:
    for timeout_s in (1.5, 6.0, 24.0):  # a loaded machine needs more for the server to get at it at all
        running, _folder = await bench.start(specimen.endless, timeout_s=timeout_s)
        if await got_at_it(running, specimen):
            break
    else:
        pytest.fail("the server never got at it")

    outcome = await running.wait()

    assert outcome.ending == "timed-out"
    await until(lambda: not specimen.at_it())


async def got_at_it(running: Running, specimen: Specimen) -> bool:
    """Whether the server worked on it before it was over; waits for one of both."""
    over = asyncio.ensure_future(running.wait())
    was_at_it = False

    def either() -> bool:
        nonlocal was_at_it
        was_at_it = specimen.at_it()
        return was_at_it or over.done()

    await until(either)
    return was_at_it


async def test_ten_megabytes_arrive_whole(bench: Bench, specimen: Specimen) -> None:
    outcome, output = await bench.run(specimen.large)

    assert outcome.exit_code == 0
    assert output.count(b"x") >= 10_000_000
    assert outcome.dropped_bytes == 0


async def test_bytes_that_are_no_text_are_shown_as_what_they_are(bench: Bench, specimen: Specimen) -> None:
    outcome, output = await bench.run(specimen.no_text)

    assert outcome.exit_code == 0
    assert specimen.as_shown in output


async def test_a_secret_never_reaches_the_disk_nor_an_argv(bench: Bench, specimen: Specimen) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    body = specimen.echo(f"{SECRET} {encoded}")

    running, folder = await bench.start(body, secrets=[SECRET])
    await running.wait()

    kept = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert b"redacted" in kept[folder / "output"]
    assert not [path for path, held in kept.items() if SECRET.encode() in held or encoded.encode() in held]


async def test_its_password_is_nowhere_to_be_seen(
    bench: Bench, specimen: Specimen, monkeypatch: pytest.MonkeyPatch
) -> None:
    if specimen.wrong_credentials is None:
        pytest.skip("it takes no credentials")
    monkeypatch.setenv("COCKPIT_TEST_SECRET", SECRET)

    running, folder = await bench.start(specimen.echo(SECRET), adapter=specimen.wrong_credentials)
    await running.wait()

    assert SECRET in specimen.wrong_credentials.secrets()
    kept = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
    assert not [held for held in kept if SECRET.encode() in held]


async def test_an_input_is_handed_over_and_never_read_as_code(bench: Bench, specimen: Specimen) -> None:
    awkward = "a'b\"c $(id) ; -- /* 한글"

    outcome, output = await bench.run(specimen.with_input, values={"WORD": awkward})

    assert outcome.exit_code == 0
    assert "한글" in output.decode()


async def test_a_refusal_of_the_server_is_told_in_one_line(bench: Bench, specimen: Specimen) -> None:
    outcome, output = await bench.run(specimen.mistake, read_only=False)

    assert outcome.exit_code == 1
    assert specimen.complaint in output
    assert b"Traceback" not in output


async def test_nobody_at_that_address_is_said(bench: Bench, specimen: Specimen) -> None:
    outcome, output = await bench.run(specimen.hello, adapter=specimen.absent)

    assert outcome.exit_code == 2
    assert b"127.0.0.1" in output
    assert b"Traceback" not in output


async def test_a_session_that_became_read_only_on_the_way_to_the_backend_changes_nothing(
    bench: Bench, specimen: Specimen
) -> None:
    require_change(specimen.changes)
    before = specimen.fingerprint()
    folder = bench.folder()
    (folder / RECALLED).touch()
    permit = permit_for(specimen, specimen.changes, read_only=False)

    running = await specimen.adapter.start(permit, RunRequest(folder))
    outcome = await running.wait()

    assert outcome.ending == "refused"
    assert b"became read-only" in (folder / "output").read_bytes()
    assert specimen.fingerprint() == before


async def test_wrong_credentials_are_said_and_nothing_is_done(
    bench: Bench, specimen: Specimen, monkeypatch: pytest.MonkeyPatch
) -> None:
    if specimen.wrong_credentials is None:
        pytest.skip("it takes no credentials")
    monkeypatch.setenv("COCKPIT_TEST_SECRET", SECRET)
    before = specimen.fingerprint()

    body = specimen.changes or specimen.hello
    outcome, output = await bench.run(body, adapter=specimen.wrong_credentials, read_only=False)

    assert outcome.exit_code == 2
    assert b"password" in output.lower() or b"credentials" in output.lower()
    assert specimen.fingerprint() == before


async def test_credentials_that_are_not_there_stop_it_before_it_starts(bench: Bench, specimen: Specimen) -> None:
    if specimen.wrong_credentials is None:
        pytest.skip("it takes no credentials")

    with pytest.raises(ConfigError, match="COCKPIT_TEST_SECRET"):
        await bench.start(specimen.hello, adapter=specimen.wrong_credentials)


def test_a_library_that_is_missing_is_said(specimen: Specimen, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == specimen.library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, specimen.library, None)

    with pytest.raises(ToolMissing, match=specimen.library):
        specimen.adapter.perform(Task(language=specimen.language, body=specimen.hello), Page(BytesIO()))


async def test_what_was_judged_to_read_changes_nothing_whatever_it_says(bench: Bench, specimen: Specimen) -> None:
    require_change(specimen.changes)
    before = specimen.fingerprint()

    outcome, output = await bench.run(specimen.changes)

    assert (outcome.ending, outcome.exit_code) == ("refused", 3), output
    assert specimen.fingerprint() == before


async def test_what_was_confirmed_is_done(bench: Bench, specimen: Specimen) -> None:
    require_change(specimen.changes)
    before = specimen.fingerprint()

    outcome, output = await bench.run(specimen.changes, read_only=False)

    assert outcome.exit_code == 0, output
    assert specimen.fingerprint() != before


async def test_another_instance_takes_a_run_over(bench: Bench, specimen: Specimen) -> None:
    running, folder = await bench.start(specimen.endless)
    await until(specimen.at_it)
    adopted = await specimen.adapter.adopt(folder)

    await adopted.cancel()

    assert (await adopted.wait()).ending == "cancelled"
    assert (await running.wait()).ending == "cancelled"


async def test_a_run_that_is_not_there_can_not_be_taken_over(specimen: Specimen, tmp_path: Path) -> None:
    with pytest.raises(AdapterError):
        await specimen.adapter.adopt(tmp_path / "never")


async def test_another_language_is_refused(bench: Bench, specimen: Specimen) -> None:
    permit = grant(Action("cobol", "DISPLAY 'x'", "it"), Judgement(Verdict.READ_ONLY), Mode.LIVE, by="test")

    with pytest.raises(ToolMissing):
        await specimen.adapter.start(permit, RunRequest(bench.folder()))


async def test_a_permit_nobody_granted_is_refused(bench: Bench, specimen: Specimen) -> None:
    folder = bench.folder()
    forged = forged_from(permit_for(specimen, specimen.hello))

    with pytest.raises(PolicyRefusal):
        await specimen.adapter.start(forged, RunRequest(folder))

    assert not list(folder.iterdir())


async def test_it_tells_who_enforces_read_only(specimen: Specimen) -> None:
    before = specimen.fingerprint()

    told = await specimen.adapter.enforcement()

    assert told.by in ("server", "tool")
    assert told.detail
    assert specimen.fingerprint() == before


async def test_enforcement_that_can_not_be_asked_is_an_error(specimen: Specimen) -> None:
    with pytest.raises((AdapterError, AccessDenied)):
        await specimen.absent.enforcement()


def test_the_host_never_loads_the_library(specimen: Specimen) -> None:
    module = type(specimen.adapter).__module__
    code = f"import sys, {module}; sys.exit({specimen.library!r} in sys.modules)"

    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-I", "-c", code]) == 0


async def test_a_broken_wire_while_reading_is_an_error(bench: Bench, specimen: Specimen) -> None:
    await until(lambda: not specimen.at_it())
    running, folder = await bench.start(specimen.endless)
    await until(specimen.at_it)

    specimen.cut()
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("exited", 2)
    assert b"Traceback" not in (folder / "output").read_bytes()


async def test_a_broken_wire_while_changing_leaves_its_end_unknown(bench: Bench, specimen: Specimen) -> None:
    require_change(specimen.changes_slowly)
    await until(lambda: not specimen.at_it())
    running, folder = await bench.start(specimen.changes_slowly, read_only=False)
    await until(specimen.at_it)

    specimen.cut()
    outcome = await running.wait()

    assert (outcome.ending, outcome.exit_code) == ("lost", None)
    assert outcome.detail
    adopted = await specimen.adapter.adopt(folder)
    assert (await adopted.wait()).ending == "lost"
