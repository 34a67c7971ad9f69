"""Holding a run's result against what the author expects. Pure: text and numbers in, findings out."""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from cockpit.adapters.http.status import Answer
from cockpit.adapters.prometheus.question import unit_of
from cockpit.config.unit import convert, known
from cockpit.runbook.figures.documents import documents
from cockpit.runbook.figures.figure import Figure
from cockpit.runbook.figures.registry import figures_named, row_without, rows_meant
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.words import _

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
# A value, and then nothing or its series; a time ("2026-11-21T…") is none.
_VALUE = re.compile(r"\s*([-+]?(?:\d+(?:\.\d+)?|Inf)|NaN)(?=\s\s|$)")
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
_NOT_THERE, _NOT_ALLOWED = 127, 126
# What these print of an error that they go on after, and then exit with 0.
_ERRORS_OF = {
    "psql": re.compile(r"^(?:psql:\S+ )?(?:ERROR|FATAL|PANIC|오류|치명적오류|손상):  .*", re.MULTILINE),
    "redis-cli": re.compile(
        r"^(?:\(error\) )?(?:ERR|NOAUTH|WRONGPASS|NOPERM|OOM|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|MISCONF|"
        r"BUSY|WRONGTYPE|EXECABORT|NOREPLICAS|NOSCRIPT|TRYAGAIN) .*", re.MULTILINE,
    ),
}  # fmt: skip
_THEIR_CALLS = re.compile(r"(?<![\w-])(?:psql|redis-cli)(?![\w-])")
_SEEN_CHARACTERS = 200
# As short as git and alembic take one.
_ABBREVIATED = 4
_HEXADECIMAL = frozenset("0123456789abcdef")


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

    `last_command` is the name of the last command of the script, as far as it is known. `query` is the
    PromQL or LogQL that was asked, "" for everything else: its values have to hold for every series. `answer` is what
    the output of an HTTP request says: what must come back is looked for there, and not in the request.
    `command` is the script of a shell step, which tells whose output it is. `cut`: the output is the beginning and
    the end of a longer one. `printed` is what of it came on standard output: curl's progress, on the other stream,
    comes in the middle of its answer.
    """

    exit_code: int | None
    pipe_status: Sequence[int]
    output: str
    last_command: str = ""
    query: str = ""
    answer: Answer | None = None
    command: str = ""
    cut: bool = False
    printed: str = ""

    @property
    def said(self) -> str:
        """What came back."""
        return self.output if self.answer is None else self.answer.said

    @property
    def searched(self) -> str:
        """Where what must not be there is looked for: nothing that could be it is left out."""
        return self.answer.body if self.answer is not None and self.answer.certain else self.output

    @property
    def body(self) -> str:
        """What came back, without what an answer has around it."""
        return self.output if self.answer is None else self.answer.body


def check(expectations: Sequence[Expectation], result: Result, *, unrepeated: str = "") -> tuple[Finding, ...]:
    """Every expectation against the result; an exit finding is always there, stated or not.

    Args:
        unrepeated: why the command ran once although an expectation asks for more; one run can't say then that it did
            not hold so often, or would not have in the end.
    """
    findings = [_check_one(expectation, result) for expectation in expectations]
    if unrepeated:
        findings = [
            _left_open(expectation, finding, result, unrepeated) if expectation.every_s is not None else finding
            for expectation, finding in zip(expectations, findings, strict=True)
        ]
    if not any(finding.kind == ExpectationKind.EXIT for finding in findings) and not _is_answered(findings, result):
        findings.insert(0, _default_exit(result))
    return tuple(findings)


def _is_answered(findings: Sequence[Finding], result: Result) -> bool:
    """Whether the author says which status is the right one, and there is one to compare."""
    answered = result.answer is not None and result.answer.status is not None
    return answered and any(finding.kind == ExpectationKind.STATUS for finding in findings)


def _left_open(expectation: Expectation, finding: Finding, result: Result, why: str) -> Finding:
    """What one run leaves for a person to say."""
    if finding.held is not False:
        return finding
    if expectation.within_s is None and not _check_one(replace(expectation, times=1), result).held:
        return finding
    return dataclasses.replace(finding, held=None, seen=f"{finding.seen}; {why}"[:_SEEN_CHARACTERS])


def _default_exit(result: Result) -> Finding:
    """Exit 0, with two readings of a shell that responders rely on: grep that finds nothing, and a pipe cut short."""
    code, wanted = result.exit_code, _("exit code 0")
    if result.answer is not None:
        seen = str(result.answer.status) if result.answer.status else _("no answer")
        return Finding(ExpectationKind.EXIT, _("a status of success (2xx)"), code == 0, seen)
    failed = [status for status in result.pipe_status[:-1] if status not in (0, _SIGPIPE_EXIT)]
    if code == 0 and failed:
        seen = _("a command inside the pipeline ended with {codes}").format(codes=", ".join(map(str, failed)))
        return Finding(ExpectationKind.EXIT, _("no command of the pipeline fails"), False, seen)
    if code == 1 and result.last_command in ("grep", "egrep", "fgrep", "zgrep", "rg") and not result.output.strip():
        return Finding(ExpectationKind.EXIT, wanted, not failed, _("{name} found no line").format(name="grep"))
    if code == 0 and (told := _error_told(result)):
        return Finding(ExpectationKind.EXIT, _("exit code 0, and no error told"), None, told[:_SEEN_CHARACTERS])
    return Finding(ExpectationKind.EXIT, wanted, code == 0, _code(result))


def _error_told(result: Result) -> str:
    """The first error of a client that exits with 0 all the same; "" for none. A row of a result may look like one."""
    found = (_ERRORS_OF[name].search(result.output) for name in sorted(set(_THEIR_CALLS.findall(result.command))))
    return next((match[0].strip() for match in found if match), "")


def _code(result: Result) -> str:
    """The exit code, and what a shell means by it that could not start a command."""
    told = str(result.exit_code)
    if result.command and result.exit_code == _NOT_THERE:
        told = _("{code}: a command is not there; install it, look at PATH, or choose another target")
    elif result.command and result.exit_code == _NOT_ALLOWED:
        told = _("{code}: a command is there and can't be started; look at its permissions")
    return told.format(code=result.exit_code)


def _check_one(expectation: Expectation, result: Result) -> Finding:
    checker = _CHECKERS[expectation.kind]
    # What must not be there must not be there once.
    held, seen = checker(replace(expectation, times=1) if expectation.absent else expectation, result)
    if expectation.absent and held is not None:
        held = not held
    if result.cut and not _for_certain(expectation, held):
        told = _("of a long output only the beginning and the end were looked at")
        held, seen = None, f"{told}; {seen}"
    text = expectation.text or f"{expectation.kind} {expectation.value}"
    return Finding(expectation.kind, text, held, seen[:_SEEN_CHARACTERS])


def _for_certain(expectation: Expectation, held: bool | None) -> bool:
    """Whether what was left out of a long output could not have said otherwise."""
    if expectation.kind in (ExpectationKind.CONTAINS, ExpectationKind.REGEX, ExpectationKind.JSON):
        return held is not expectation.absent  # found is found
    return expectation.kind not in (ExpectationKind.NUMBER, ExpectationKind.FIGURE)


def _exit(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    return result.exit_code == expectation.value, _code(result)


def _contains(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    wanted = str(expectation.value)
    # What must be absent is looked for inside longer words, too: "OutOfMemoryError" is an error.
    pattern = re.compile(re.escape(wanted)) if expectation.absent else _standing_alone(wanted)
    text = result.searched if expectation.absent else result.said
    if not expectation.absent and (rows := rows_meant(result.command, expectation.text, text)) is not None:
        bad = next((row for row in rows if not pattern.search(row)), "" if rows else _("no such process is listed"))
        return bool(rows) and not bad, bad or rows[0]
    found = len(pattern.findall(text))
    if found and not expectation.absent and (other := row_without(result.command, wanted, text)):
        return None, other
    line = next((line for line in text.split("\n") if pattern.search(line)), "")
    return found >= expectation.times, line or _("seen {n} times").format(n=found)


@functools.lru_cache(maxsize=256)
def _standing_alone(wanted: str) -> re.Pattern[str]:
    """The text where it is no part of a longer word: UP, but neither UPDATE nor BACKUP; 정상, but not 비정상.

    Particles and endings follow a Korean word without a space (정상입니다), digits a name (v in v1.2), and a word ends
    where its script does (UP입니다).
    """
    before, after = wanted[:1], wanted[-1:]
    left = _BEFORE[_script(before)]
    right = {
        "": "",
        "hangul": rf"(?=(?:{_ENDINGS})?(?!{_HANGUL}))",
        "digit": rf"(?!{_LATIN}|\d)",
        "latin": rf"(?!{_LATIN})",
        "other": "",
    }[_script(after)]
    return re.compile(left + re.escape(wanted) + right)


def _script(character: str) -> str:
    if not (character.isalnum() or character == "_"):
        return ""
    if re.fullmatch(_HANGUL, character):
        return "hangul"
    if character.isdigit():
        return "digit"
    return "latin" if re.fullmatch(_LATIN, character) else "other"


_HANGUL = "[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]"
_LATIN = "[A-Za-z_\u00c0-\u024f]"
_BEFORE = {
    "": "",
    "hangul": f"(?<!{_HANGUL})",
    # "1.4.0" may be asked of what says "v1.4.0".
    "digit": r"(?:(?<![\dA-Za-z_])|(?<=\bv))",
    "latin": rf"(?<!{_LATIN})(?<!\d)",
    "other": "",
}
_ENDINGS = (
    "입니다|이다|임|됨|함|합니다|됩니다|했습니다|하였습니다|되었습니다|됐습니다|했음|되었음|됐음|됐다|되었다|했다|"
    "적으로|적|으로|로|은|는|이|가|을|를|에|의|도|와|과|만|중|요|예요|이에요"
)


def _regex(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    from cockpit.session.steps.pattern import found

    text = result.searched if expectation.absent else result.said
    try:
        count, first = found(str(expectation.value), text, expectation.times)
    except TimeoutError:
        return None, _("the pattern took too long on this output; judge it by eye")
    except ValueError as error:
        return None, _("the pattern is not valid: {error}").format(error=error)
    return count >= expectation.times, first


def _json(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    path, wanted = expectation.value["path"], expectation.value["equals"]
    told = documents(result.printed) or documents(result.body)
    seen = [value for value in (_at(document, path) for document in told) if value is not _ABSENT]
    shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in seen)
    return sum(value == wanted for value in seen) >= expectation.times, shown


_ABSENT = object()


def _at(document: Any, path: str) -> Any:
    """The value at a path of names and indexes ("$.components.db.status", "$[0].name"), or _ABSENT."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        try:
            document = document[int(index)] if index else document[name]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return document


def _values(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    """Every series' value: the first that does not hold decides; NaN is no value, and leaves it to a person."""
    compare = _COMPARE[expectation.value["operator"]]
    bound = _bound_in(
        unit_of(result.query), float(expectation.value["bound"]), str(expectation.value.get("unit") or "")
    )
    if bound is None:
        return None, _("the query does not tell its unit: is it in {unit}?").format(unit=expectation.value["unit"])
    found = [(float(match[1]), match.string.strip()) for match in map(_VALUE.match, result.output.split("\n")) if match]
    for value, line in found:
        if value == value and not compare(value, bound):
            return False, line
    nothing = next((line for value, line in found if value != value), None)
    if nothing is not None or not found:
        return None, nothing or _("no number to compare")
    return True, found[0][1]


def _bound_in(unit: str, bound: float, written: str) -> float | None:
    """The bound in the unit of what was asked; None where that is not known, and the bound has one."""
    if not written or not known(written):
        return bound
    return convert(bound, written, unit) if unit else None


def _number(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    wanted = expectation.value
    if result.query:
        return _values(expectation, result)
    label = str(wanted.get("label") or "")
    if label and (told := figures_named(result.command, label, result.output)) is not None:
        rows = rows_meant(result.command, expectation.text, result.output)
        told = told if rows is None else [figure for figure in told if figure.seen in rows]
        return _told(told, label, lambda figure: _within(figure, wanted))
    text = result.said if label else result.body
    found: dict[bool, str] = {}
    for line in text.split("\n"):
        _before, named, rest = line.partition(label) if label else ("", "", line)
        if (named or not label) and (match := _NUMBER.search(rest)):
            value = float(match.group().replace(",", ""))
            found.setdefault(_COMPARE[wanted["operator"]](value, float(wanted["bound"])), line.strip())
            if not label:
                break
    if len(found) > 1:
        return None, _("it is told several times: {lines}").format(lines="; ".join(found.values()))
    return next(iter(found.items()), (None, _("no number to compare")))


def _figure(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    name, wanted = expectation.value["name"], str(expectation.value["equals"])
    told = figures_named(result.command, name, result.output) or ()
    return _told(told, name, lambda figure: _is_called(str(figure.value), wanted))


def _told(told: Sequence[Figure], name: str, holds: Callable[[Figure], bool | None]) -> tuple[bool | None, str]:
    """Every figure of that name: the first that does not hold decides; one that may mean less is for a person."""
    for figure in told:
        if holds(figure) is False:
            return False, figure.seen
    unsure = next((figure for figure in told if figure.doubt or holds(figure) is None), None)
    if unsure is not None:
        return None, "; ".join(filter(None, (unsure.seen, unsure.doubt)))
    return (True, told[0].seen) if told else (None, _("the output does not tell its {name}").format(name=name))


def _within(figure: Figure, wanted: Mapping[str, Any]) -> bool | None:
    bound = _bound_in(figure.unit, float(wanted["bound"]), str(wanted.get("unit") or ""))
    if bound is None or not isinstance(figure.value, float):
        return None
    return _COMPARE[wanted["operator"]](figure.value, bound)


def _is_called(name: str, wanted: str) -> bool:
    """Whether it is that name, or begins with it as a long hexadecimal one may be given."""
    return name == wanted or (len(wanted) >= _ABBREVIATED and set(wanted) <= _HEXADECIMAL and name.startswith(wanted))


def _status(expectation: Expectation, result: Result) -> tuple[bool | None, str]:
    if result.answer is None or result.answer.status is None:
        return False, _("no answer")
    code = str(result.answer.status)
    # One answer has one status: it can't be had several times in it.
    return expectation.times == 1 and bool({code, f"{code[0]}xx"} & set(expectation.value)), code


def _manual(expectation: Expectation, _result: Result) -> tuple[bool | None, str]:
    return None, ""


_CHECKERS: Mapping[ExpectationKind, Callable[[Expectation, Result], tuple[bool | None, str]]] = {
    ExpectationKind.EXIT: _exit,
    ExpectationKind.CONTAINS: _contains,
    ExpectationKind.REGEX: _regex,
    ExpectationKind.JSON: _json,
    ExpectationKind.NUMBER: _number,
    ExpectationKind.STATUS: _status,
    ExpectationKind.FIGURE: _figure,
    ExpectationKind.MANUAL: _manual,
}
