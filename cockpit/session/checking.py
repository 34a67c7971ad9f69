"""Holding a run's result against what the author expects. Pure: text and numbers in, findings out."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.words import _

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# A pipeline's earlier part that died of SIGPIPE was only told that `head` had seen enough.
_SIGPIPE_EXIT = 141
_PATTERN_TIMEOUT_S = 1.0
_SEEN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation, and whether it held; None means that a person must say. `seen` is what decided it."""

    kind: str
    text: str
    held: bool | None
    seen: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {"kind": self.kind, "text": self.text, "held": self.held, "seen": self.seen}


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left: its exit code (None when it has none), the pipeline's codes, and its cleaned output.

    `last_command` is the name of the last command of the script, as far as it is known.
    """

    exit_code: int | None
    pipe_status: Sequence[int]
    output: str
    last_command: str = ""


def check(expectations: Sequence[Expectation], result: Result) -> tuple[Finding, ...]:
    """Every expectation against the result; an exit finding is always there, stated or not."""
    findings = [_check_one(expectation, result) for expectation in expectations]
    if not any(finding.kind == ExpectationKind.EXIT for finding in findings):
        findings.insert(0, _default_exit(result))
    return tuple(findings)


def _default_exit(result: Result) -> Finding:
    """Exit 0, with two readings of a shell that responders rely on: grep that finds nothing, and a pipe cut short."""
    code, wanted = result.exit_code, _("exit code 0")
    failed = [status for status in result.pipe_status[:-1] if status not in (0, _SIGPIPE_EXIT)]
    if code == 0 and failed:
        seen = _("a command inside the pipeline ended with {codes}").format(codes=", ".join(map(str, failed)))
        return Finding(ExpectationKind.EXIT, _("no command of the pipeline fails"), False, seen)
    if code == 1 and result.last_command in ("grep", "egrep", "fgrep", "zgrep", "rg") and not result.output.strip():
        return Finding(ExpectationKind.EXIT, wanted, not failed, _("{name} found no line").format(name="grep"))
    return Finding(ExpectationKind.EXIT, wanted, code == 0, str(code))


def _check_one(expectation: Expectation, result: Result) -> Finding:
    checker = _CHECKERS[expectation.kind]
    held, seen = checker(expectation, result)
    if expectation.absent and held is not None:
        held = not held
    text = expectation.text or f"{expectation.kind} {expectation.value}"
    return Finding(expectation.kind, text, held, seen[:_SEEN_CHARACTERS])


def _exit(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    return result.exit_code == expectation.value, str(result.exit_code)


def _contains(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    found = result.output.count(str(expectation.value))
    line = next((line for line in result.output.split("\n") if str(expectation.value) in line), "")
    return found >= expectation.times, line or _("seen {n} times").format(n=found)


def _regex(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    # `regex` and not `re`: it takes a deadline, so that a runbook's pattern can't hang the session on hostile output.
    import regex

    try:
        found = regex.findall(f"(?m:{expectation.value})", result.output, timeout=_PATTERN_TIMEOUT_S)
    except TimeoutError:
        return None, _("the pattern took too long on this output; judge it by eye")
    except regex.error as error:
        return None, _("the pattern is not valid: {error}").format(error=error)
    return len(found) >= expectation.times, str(found[0]) if found else ""


def _json(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    path, wanted = expectation.value["path"], expectation.value["equals"]
    seen = [value for value in (_at(document, path) for document in _documents(result.output)) if value is not _ABSENT]
    shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in seen)
    return sum(value == wanted for value in seen) >= expectation.times, shown


_ABSENT = object()


def _documents(text: str) -> list[Any]:
    """The JSON documents in an output, in order; other text between them is passed over."""
    decoder, documents, position = json.JSONDecoder(), [], 0
    while (start := _next_document(text, position)) is not None:
        try:
            document, position = decoder.raw_decode(text, start)
            documents.append(document)
        except (ValueError, RecursionError):
            position = start + 1
    return documents


def _next_document(text: str, position: int) -> int | None:
    match = re.compile(r"[{\[]").search(text, position)
    return match.start() if match else None


def _at(document: Any, path: str) -> Any:
    """The value at a path of names and indexes ("$.components.db.status", "$[0].name"), or _ABSENT."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        try:
            document = document[int(index)] if index else document[name]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return document


def _number(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    wanted = expectation.value
    label = str(wanted.get("label") or "")
    lines = [line for line in result.output.split("\n") if label in line] if label else result.output.split("\n")
    for line in lines:
        rest = line[line.index(label) + len(label) :] if label else line
        if match := _NUMBER.search(rest):
            value = float(match.group().replace(",", ""))
            return _COMPARE[wanted["operator"]](value, float(wanted["bound"])), line.strip()
    return None, _("no number to compare")


def _manual(expectation: Expectation, _result: Result) -> tuple[bool | None, str]:
    return None, ""


_CHECKERS: Mapping[ExpectationKind, Callable[[Expectation, Result], tuple[bool | None, str]]] = {
    ExpectationKind.EXIT: _exit,
    ExpectationKind.CONTAINS: _contains,
    ExpectationKind.REGEX: _regex,
    ExpectationKind.JSON: _json,
    ExpectationKind.NUMBER: _number,
    ExpectationKind.MANUAL: _manual,
}
