"""What expectations see of an output: lines as a person reads them, and how much of a long one was looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.runbook.expectations.written import from_words
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.runs.recording import FRAME, STDERR, STDOUT
from cockpit.session.record.event import Status
from cockpit.session.record.state import RunRecord
from cockpit.session.steps.checking import check
from cockpit.session.steps.result import result_of
from tests.unit.runbook.test_tool_figures import (
    DATA,
)
from tests.unit.runbook.test_tool_figures import (
    test_what_a_tool_printed_is_held_against_the_author_s_words as printed,
)
from tests.unit.session.session_desk import outcome

Shape = Callable[[bytes], bytes]


def at_a_terminal(output: bytes) -> bytes:
    return output.replace(b"\n", b"\r\n")


def coloured(output: bytes) -> bytes:
    return b"".join(b"\x1b[1;32m" + line + b"\x1b[0m\n" for line in output.split(b"\n"))


def behind_a_progress_bar(output: bytes) -> bytes:
    return b"\r 10%|#    |\r 50%|###  |\r100%|#####|\x1b[K\r" + output


def finding(folder: Path, expectation: Expectation, command: str, output: bytes, **ended: int) -> bool | None:
    (folder / "output").write_bytes(output)
    record = RunRecord(1, "a", Status.RUNNING, "", intent={"language": "bash", "command": command})
    _files, result = result_of(folder, outcome(output_bytes=len(output), **ended), record)
    return next(found.held for found in check([expectation], result) if found.kind == expectation.kind)


@pytest.mark.parametrize("shape", [at_a_terminal, coloured, behind_a_progress_bar])
@pytest.mark.parametrize(("file", "code", "words", "wanted"), printed.pytestmark[0].args[1])  # type: ignore[attr-defined]
def test_a_tool_s_figures_are_read_alike_however_they_were_drawn(
    tmp_path: Path, shape: Shape, file: str, code: str, words: str, wanted: bool | None
) -> None:
    (expectation,) = (each for each in from_words(words, 1, code) if each.kind is not ExpectationKind.EXIT)
    assert finding(tmp_path, expectation, code, shape((DATA / file).read_bytes())) is wanted


UP = Expectation(ExpectationKind.JSON, {"path": "$.status", "equals": "UP"})
NO_ERROR = Expectation(ExpectationKind.CONTAINS, "ERROR", absent=True)


def test_an_answer_in_the_middle_of_curl_s_progress_is_found(tmp_path: Path) -> None:
    meter = b'  % Total    % Received\r\n\r  0     0    0     0\r  0    15{"status":\r\n"UP"}\r100    15  100    15\n'
    assert finding(tmp_path, UP, "curl http://localhost/health", meter)


def test_what_comes_on_the_other_stream_in_the_middle_of_a_document_is_no_part_of_it(tmp_path: Path) -> None:
    pieces = [
        (STDERR, b"  % Total\n\r  0     0"),
        (STDOUT, b'{\n "status": "UP"\n'),
        (STDERR, b"\r100    15\n"),
        (STDOUT, b"}"),
    ]
    index, at = b"", 0
    for stream, piece in pieces:
        index += FRAME.pack(at, 0, len(piece), stream)
        at += len(piece)
    (tmp_path / "index").write_bytes(index + b"torn")
    whole = b"".join(piece for _stream, piece in pieces)
    assert finding(tmp_path, UP, "curl http://localhost/health", whole) is True
    assert finding(tmp_path, UP, "curl http://localhost/health", whole.replace(b'"UP"', b'"NO"')) is False


def test_what_was_drawn_over_was_there(tmp_path: Path) -> None:
    assert finding(tmp_path, NO_ERROR, "./deploy.sh", b"ERROR: no space left\rdone                \n") is False


def test_of_a_long_output_only_what_was_found_is_certain(tmp_path: Path) -> None:
    filler = b"fine\n" * 1_000_000
    output = b"first\n" + filler + b"ERROR in the middle\n" + filler + b"error rate 0\nlast\n"
    assert finding(tmp_path, NO_ERROR, "./logs.sh", output) is None
    assert finding(tmp_path, Expectation(ExpectationKind.CONTAINS, "in the middle"), "./logs.sh", output) is None
    assert finding(tmp_path, Expectation(ExpectationKind.CONTAINS, "last"), "./logs.sh", output) is True
    assert finding(tmp_path, Expectation(ExpectationKind.CONTAINS, "last", absent=True), "./logs.sh", output) is False
    rate = Expectation(ExpectationKind.NUMBER, {"operator": "==", "bound": 0, "label": "error rate"})
    assert finding(tmp_path, rate, "./logs.sh", output) is None
    assert finding(tmp_path, NO_ERROR, "./logs.sh", b"all\n", dropped_bytes=10) is None
