"""What every adapter that runs steps must do, whatever it runs them on."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import RunRequest, RunsSteps
from cockpit.errors import CockpitError, PolicyRefusal
from cockpit.runs.process import process_start_time
from cockpit.runs.run import Run
from cockpit.safety.permit import Action, Confirmation, Mode, Permit, Rung, grant
from cockpit.safety.redaction.printed import VALUES
from cockpit.safety.verdict import Judgement, Verdict
from tests.runs import forged_from
from tests.waiting import until

Bench = Any


async def test_says_what_it_can_run(adapter: RunsSteps) -> None:
    assert adapter.name
    assert "bash" in adapter.languages


async def test_a_step_runs_and_its_evidence_is_kept(bench: Bench) -> None:
    outcome, output = await bench.run("echo out; echo err >&2; exit 7")

    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("exited", 7, None)
    assert sorted(output.splitlines()) == [b"err", b"out"]
    assert outcome.output_bytes == len(output)
    assert outcome.output_sha256 == hashlib.sha256(output).hexdigest()
    assert outcome.duration_s > 0


async def test_output_can_be_read_while_the_step_runs(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running, folder = await bench.start('echo first; cat "$GATE" >/dev/null; echo second', values={"GATE": str(gate)})

    await until(lambda: (folder / "output").read_bytes() == b"first\n")
    gate.write_bytes(b"")
    outcome = await running.wait()

    assert outcome.exit_code == 0
    assert (folder / "output").read_bytes() == b"first\nsecond\n"


async def test_several_may_wait_for_the_same_end(bench: Bench) -> None:
    running, _folder = await bench.start("exit 3")

    outcomes = await asyncio.gather(*(running.wait() for _ in range(3)), running.wait())

    assert [outcome.exit_code for outcome in outcomes] == [3] * 4


async def test_a_signal_is_not_an_exit_code(bench: Bench) -> None:
    killed, _ = await bench.run("kill -9 $$")
    imitated, _ = await bench.run("exit 137")

    assert (killed.ending, killed.exit_code, killed.signal) == ("signalled", None, 9)
    assert (imitated.ending, imitated.exit_code, imitated.signal) == ("exited", 137, None)


async def test_the_last_pipeline_is_told_part_by_part(bench: Bench) -> None:
    outcome, _ = await bench.run("true | (exit 4) | true")

    assert outcome.exit_code == 0
    assert outcome.pipe_status == (0, 4, 0)


async def test_cancelling_ends_the_whole_group(bench: Bench) -> None:
    running, folder = await bench.start("sleep 1000 & echo $!; sleep 1000")
    await until(lambda: (folder / "output").read_bytes().endswith(b"\n"))
    background = int((folder / "output").read_bytes())

    await running.cancel()
    outcome = await running.wait()

    assert (outcome.ending, outcome.signal, outcome.survivors) == ("cancelled", 15, ())
    assert process_start_time(background) is None


async def test_cancelling_what_is_over_does_nothing(bench: Bench) -> None:
    running, _folder = await bench.start("true")
    await running.wait()

    await running.cancel()

    assert (await running.wait()).ending == "exited"


async def test_a_deadline_ends_it(bench: Bench) -> None:
    for timeout_s in (0.2, 2.0, 20.0):  # a loaded machine needs more to get to the first word
        outcome, output = await bench.run("echo before; sleep 1000; echo after", timeout_s=timeout_s)
        if output:
            break

    assert outcome.ending == "timed-out"
    # A shell that outlives its child for a moment may say that it was ended.
    assert output.removesuffix(b"Terminated\n") == b"before\n"


@pytest.mark.parametrize("redirect", ["", ">&2"])
async def test_ten_megabytes_arrive_whole(bench: Bench, redirect: str) -> None:
    outcome, output = await bench.run(f"yes 0123456789abcde | head -c 10000000 {redirect}")

    assert outcome.exit_code == 0
    assert output == (b"0123456789abcde\n" * 625_001)[:10_000_000]
    assert outcome.dropped_bytes == 0


async def test_ten_megabytes_without_a_newline_arrive_whole(bench: Bench) -> None:
    outcome, output = await bench.run("head -c 10000000 /dev/zero | tr '\\0' x")

    assert outcome.output_bytes == 10_000_000
    assert output == b"x" * 10_000_000


async def test_bytes_that_are_no_text_are_kept_as_they_came(bench: Bench) -> None:
    _outcome, output = await bench.run(r"printf 'a\377\376\000b\033[31m\xed\xa0\x80\n'")

    assert output == b"a\xff\xfe\x00b\x1b[31m\xed\xa0\x80\n"


async def test_a_secret_never_reaches_the_disk_however_it_is_cut(bench: Bench) -> None:
    secret = "Zq8-very-secret-value-71"
    script = 'for i in 1 5 9 14 20; do printf %s "${S:0:$i}"; sleep 0.05; printf "%s\\n" "${S:$i}"; done; echo "$B"'
    encoded = base64.b64encode(secret.encode()).decode()
    running, folder = await bench.start(script, values={"S": secret, "B": encoded}, secrets=[secret])
    await running.wait()

    kept = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    assert b"redacted" in kept[folder / "output"]
    assert not [path for path, held in kept.items() if secret.encode() in held or encoded.encode() in held]


async def test_a_tool_that_is_missing_is_evidence_and_no_error(bench: Bench) -> None:
    outcome, output = await bench.run("no-such-tool-on-earth --version")

    assert outcome.exit_code == 127
    assert b"no-such-tool-on-earth" in output


async def test_values_reach_the_script_unharmed(bench: Bench) -> None:
    awkward = "a'b\"c $(touch /tmp/never) `id` \\ \n 한글 ; rm -rf /"

    _outcome, output = await bench.run('printf %s "$VALUE"', values={"VALUE": awkward})

    assert output.decode() == awkward


async def test_a_command_that_reads_finds_the_end_of_its_input(bench: Bench) -> None:
    outcome, output = await bench.run("cat; echo done")

    assert (outcome.exit_code, output) == (0, b"done\n")


async def test_exports_and_directory_carry_on(bench: Bench, tmp_path: Path) -> None:
    first, _ = await bench.run(
        f"export NS='prod \"x\" $HOME\n한글' EMPTY=; local_one=1; cd '{tmp_path}'",
        shell_state={"OLD": "kept", "GONE": "1"},
    )
    second, output = await bench.run(
        'printf "%s|%s|%s|%s|%s" "$NS" "${EMPTY-unset}" "$OLD" "${local_one-unset}" "$PWD"; unset OLD',
        shell_state=first.shell_state,
        cwd=first.cwd,
    )

    assert output.decode() == f'prod "x" $HOME\n한글||kept|unset|{tmp_path}'
    assert first.shell_state["GONE"] == "1"
    assert "OLD" not in second.shell_state
    assert second.cwd == str(tmp_path)


async def test_what_would_steer_later_programs_is_not_carried_on(bench: Bench) -> None:
    first, _ = await bench.run("export LD_PRELOAD_X=1 LD_PRELOAD=; ls() { echo stolen; }; export -f ls; export FINE=1")

    assert dict(first.shell_state).keys() == {"FINE"}
    assert "LD_PRELOAD_X" in first.lost_variables
    _outcome, output = await bench.run("ls /", shell_state={**first.shell_state, "BASH_ENV": "/etc/passwd"})
    assert b"stolen" not in output


async def test_an_exported_path_carries_on_without_the_current_directory(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ls").write_text("#!/bin/sh\necho stolen\n")
    (tmp_path / "ls").chmod(0o755)
    first, _ = await bench.run("export PATH=.::/opt/tools")

    _outcome, output = await bench.run("echo $PATH; ls", shell_state=first.shell_state, cwd=str(tmp_path))

    assert output.startswith(b"/opt/tools\n")
    assert b"stolen" not in output


async def test_a_directory_that_has_vanished_is_said_and_nothing_runs(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    with pytest.raises(CockpitError, match="vanished"):
        await bench.start(f"touch '{mark}'", cwd=str(tmp_path / "vanished"))

    assert not mark.exists()


async def test_other_bytes_than_permitted_are_refused(bench: Bench, permit: Callable[..., Permit]) -> None:
    granted = permit("true")

    with pytest.raises(PolicyRefusal):
        granted.covers(Action("bash", "rm -rf /", "local"))
    forged = dataclasses.replace(granted, action=Action("bash", "echo forged", "local"))
    with pytest.raises(PolicyRefusal):
        await bench.adapter.start(forged, RunRequest(bench.folder()))


async def test_a_permit_nobody_granted_is_refused(bench: Bench, permit: Callable[..., Permit]) -> None:
    granted = permit("true")
    folder = bench.folder()
    with pytest.raises(PolicyRefusal):
        Permit(granted.action, granted.judgement, granted.mode, "me", object())

    with pytest.raises(PolicyRefusal):
        await bench.adapter.start(forged_from(granted), RunRequest(folder))

    assert not list(folder.iterdir())


async def test_a_session_that_became_read_only_while_it_was_starting_runs_nothing(bench: Bench) -> None:
    folder = bench.folder()
    modes = iter([Mode.LIVE])  # when it is first looked at; read-only from then on
    action = Action("bash", f"touch {folder}/ran", "local")
    confirmation = Confirmation(action.sha256, Rung.CONFIRM, "test")
    permit = grant(
        action, Judgement(Verdict.MUTATING), Mode.LIVE, lambda: next(modes, Mode.READ_ONLY), by="test",
        confirmation=confirmation,
    )  # fmt: skip

    with pytest.raises(PolicyRefusal, match="became read-only"):
        await bench.adapter.start(permit, RunRequest(folder))

    assert not (folder / "ran").exists()


async def test_another_instance_takes_a_run_over_to_its_exact_end(bench: Bench) -> None:
    running, folder = await bench.start("for i in 1 2 3 4 5; do echo $i; sleep 0.05; done; export A=1; exit 42")
    adopted = await bench.another().adopt(folder)
    outcome = await adopted.wait()

    assert (outcome.ending, outcome.exit_code) == ("exited", 42)
    assert outcome.shell_state["A"] == "1"
    assert (folder / "output").read_bytes() == b"1\n2\n3\n4\n5\n"
    assert (await running.wait()).exit_code == 42


async def test_another_instance_goes_on_masking_what_it_is_told_is_secret(bench: Bench) -> None:
    secret = "Qx7-tangerine-Wm2"
    script = 'echo "begun $S"; sleep 0.3; echo "and $S"'
    running, folder = await bench.start(script, values={"S": secret}, secrets=[secret])
    adopted = await bench.another().adopt(folder, [secret])
    await adopted.wait()
    await running.wait()

    recorded = (folder / "output").read_text()
    assert secret not in recorded
    assert recorded.count("[redacted:known-secret]") == 2


async def test_another_instance_goes_on_masking_what_the_step_was_run_to_print(bench: Bench) -> None:
    running, folder = await bench.start("echo cGxhaW4gdGFuZ2VyaW5l; sleep 0.3; echo letmein-please", printed=VALUES)
    adopted = await bench.another().adopt(folder)
    await adopted.wait()
    await running.wait()

    assert (folder / "output").read_text() == "[redacted:printed-secret]\n" * 2


async def test_another_instance_can_cancel_a_run(bench: Bench) -> None:
    running, folder = await bench.start("sleep 1000")
    adopted = await bench.another().adopt(folder)

    await adopted.cancel()

    assert (await adopted.wait()).ending == "cancelled"
    assert (await running.wait()).ending == "cancelled"


async def test_an_interactive_command_gets_a_real_terminal(bench: Bench) -> None:
    outcome, output = await bench.run("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && stty size", terminal=(31, 97))

    assert outcome.exit_code == 0
    assert output == b"31 97\r\n"


async def test_what_is_typed_reaches_an_interactive_command(bench: Bench) -> None:
    running, folder = await bench.start('read -rp "sure? " word; stty size; exit ${#word}', terminal=(31, 97))
    await until(lambda: (folder / "output").read_bytes() == b"sure? ")

    Run(folder).send({"resize": [40, 120]})
    Run(folder).type(b"yes\n")
    outcome = await running.wait()

    assert outcome.exit_code == 3
    assert (folder / "output").read_bytes() == b"sure? yes\r\n40 120\r\n"


async def test_an_interactive_command_can_be_cancelled(bench: Bench) -> None:
    running, folder = await bench.start("echo began; sleep 1000", terminal=(31, 97))
    await until(lambda: (folder / "output").read_bytes() == b"began\r\n")

    await running.cancel()

    assert (await running.wait()).ending == "cancelled"
