"""What a shell reports at its end is read back exactly, from every bash and every odd value."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.runs.shell_state import carried, prelude, reported


def state_of(script: str, environment: dict[str, str]) -> tuple[int, bytes]:
    """Run a script under the prelude as a runner does; its exit code and what its shell reported."""
    ours, theirs = os.pipe()
    read_end, write_end = os.pipe()
    os.write(write_end, prelude(theirs))
    os.close(write_end)
    prelude_file = f"/dev/fd/{read_end}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        env={"PATH": os.environ["PATH"], "BASH_ENV": prelude_file, **environment},
        pass_fds=(theirs, read_end),
        capture_output=True,
        check=False,
    )
    os.close(theirs)
    os.close(read_end)
    with os.fdopen(ours, "rb") as pipe:
        return done.returncode, pipe.read()


@settings(max_examples=40, deadline=None)
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_value_comes_back_as_it_was(value: str) -> None:
    _code, report = state_of("true", {"VALUE": value})

    state = reported(report)

    assert state is not None
    assert state.variables["VALUE"] == value


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a\x80b", b"\x01\x1b[31m\x7f", b"\xed\xa0\x80"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_bytes_that_are_no_text_come_back_too(raw: bytes, locale: str) -> None:
    _code, report = state_of("true", {"VALUE": os.fsdecode(raw), "LC_ALL": locale})

    state = reported(report)

    assert state is not None
    assert os.fsencode(state.variables["VALUE"]) == raw


@pytest.mark.parametrize(
    ("script", "code", "pipe_status"),
    [
        ("true", 0, [0]),
        ("false | (exit 3) | true", 0, [1, 3, 0]),
        ("set -e; false; echo never", 1, [1]),
        ("set -u; echo $undefined", 127, None),
        ("set -o pipefail; (exit 4) | true", 4, [4, 0]),
        ("exit 9", 9, [0]),
        ("f() { return 5; }; f", 5, [5]),
        ("set -x; (exit 6)", 6, [6]),
    ],
)
def test_exit_code_and_pipe_status_are_the_scripts_own(script: str, code: int, pipe_status: list[int] | None) -> None:
    found, report = state_of(script, {})

    state = reported(report)

    assert found == code
    assert state is not None
    assert pipe_status is None or state.pipe_status == pipe_status


def test_tracing_shows_nothing_of_the_trap() -> None:
    ours, theirs = os.pipe()
    done = subprocess.run(
        ["bash", "-c", f"{prelude(theirs).decode()}\nset -x\ntrue"],
        pass_fds=(theirs,),
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)

    assert done.stderr == "+ true\n"


def test_a_script_with_a_trap_of_its_own_or_exec_reports_nothing() -> None:
    for script in ("trap 'echo bye' EXIT", "exec true"):
        assert reported(state_of(script, {})[1]) is None


def test_a_report_that_was_cut_short_is_none() -> None:
    _code, report = state_of("true", {"A": "b"})

    assert not [cut for cut in range(len(report)) if reported(report[:cut]) is not None]


def test_only_what_changed_is_carried() -> None:
    _code, report = state_of("export NEW=1 SAME=x CHANGED=2; unset GONE; export -n HIDDEN; declare -ax LIST=(1 2)", {
        "SAME": "x", "CHANGED": "1", "GONE": "1", "HIDDEN": "1", "KEPT": "k",
    })  # fmt: skip
    state = reported(report)
    assert state is not None

    given_before = {"SAME": "x", "CHANGED": "1", "GONE": "1", "HIDDEN": "1", "KEPT": "k"}
    brought = {"GONE": "1", "HIDDEN": "1", "KEPT": "k"}
    kept, refused = carried(state, {**given_before, "PATH": os.environ["PATH"]}, brought)

    assert kept == {"NEW": "1", "CHANGED": "2", "KEPT": "k"}
    assert refused == []
