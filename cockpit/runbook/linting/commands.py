"""Lint rules that look at one step: a wrong language, commands that never end, claims that nothing checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cockpit.runbook.commands.vocabulary import looks_like_sql, looks_typed
from cockpit.runbook.inputs.omissions import omission_in
from cockpit.runbook.model import ExpectationKind, Part, Problem, Step
from cockpit.words import _, shortened

_NOT_SHELL = frozenset({"python", "javascript", "ruby", "go", "java", "typescript", "yaml", "json"})
_POSITIONAL = re.compile(r"^[ \t]*[A-Za-z_]\w*=\"?(\$\{?[1-9]\b)(?!:?[-=])", re.MULTILINE)
_REDIS = re.compile(
    r"^\s*(FLUSHALL|FLUSHDB|KEYS\s+\S+|HGETALL\s+\S+|LLEN\s+\S+|DBSIZE|CONFIG\s+(?:GET|SET)\s+\S+|"
    r"INFO\s+\w+)\s*;?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_CLIENT = re.compile(r"^\s*(psql|mysql|sqlcmd|kubectl|docker|sudo|ssh|redis-cli)\s+-?\w", re.MULTILINE)
_CMDLET = re.compile(
    r"^\s*((?:Get|Set|New|Remove|Stop|Start|Restart|Invoke|Test|Import|Update)-[A-Z]\w+)", re.MULTILINE
)
_SETTING = re.compile(
    r"^[ \t]*([a-z][a-z0-9_.-]*)[ \t]+=[ \t]+(?:'[^'\n]*'|\"[^\"\n]*\"|"
    r"[\w./-]+)[ \t]*(?:#.*)?$",
    re.MULTILINE,
)
_YAML_HEAD = re.compile(r"^(?:apiVersion|kind|metadata|groups|services|spec):(?:\s|$)", re.MULTILINE)
_BACKSLASH_END = re.compile(r"[^\\\n:]\\[ \t]*\n(?=[ \t]*(?:--?\w|\|))")
_CLAIM = re.compile(
    r"^[ \t]*(?:echo|Write-Host|Write-Output|printf)\s[^\n]*(?:success|succeeded|완료|성공|成功|"
    r"정상\s?처리)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CHECKED = re.compile(r"set -[a-z]*e|\$\?|ErrorActionPreference|\|\|\s*(?:exit|return|\{)|^\s*trap\s", re.MULTILINE)
_STUB_COMMENT = re.compile(
    r"^[ \t]*(?:#|--)[ \t]*(?:\.{3}|…|(?:TODO|FIXME|TBD|"
    r"XXX)\b.*)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_LAST_GREP = re.compile(r"(?:^|[|;&\n]\s*)(?:sudo\s+)?[efz]?grep\s[^|;&\n]*$")
_DATE_AS_TEXT = re.compile(
    r"\.\w*(?:[Tt]imestamp|[Dd]ate|[Tt]ime|At|created|updated|expires?)\w*\s*[<>]=?\s*\\?\"[^\"\n]*(?:ago|"
    r"days?|hours?|전|前)[^\"\n]*\""
)
_DESTRUCTIVE = re.compile(
    r"\brm\s+-\w*r|\bDROP\s+(?:TABLE|DATABASE|SCHEMA)\b|\bTRUNCATE\s(?!-)|\bDELETE\s+FROM\s+\S+\s*(?:;|$)|"
    r"\bFLUSH(?:ALL|DB)\b|\bmkfs\b|"
    r"\bdd\s[^\n]*\bof=|\bwipefs\b|\bkubectl\s+(?:-\S+\s+\S+\s+)*delete\s+(?:ns|namespaces?|pvc?|"
    r"persistentvolume\w*|crds?|node)\b|"
    r"\bterraform\s+destroy\b|\bpush\b[^\n]*\s(?:--force(?!-)|-f)\b|\bdowngrade\s+base\b|\bhelm\s+(?:uninstall|"
    r"delete)\b|"
    r"\baws\s+s3\s+(?:rb|rm\s[^\n]*--recursive|sync\s[^\n]*--delete)|\bdocker\s+(?:system|volume)\s+prune\b|"
    r"\bgit\s+reset\s+--hard\b|"
    r"\bRemove-Item\b[^\n]*-Recurse|\bpm2\s+delete\b|\bpg_terminate_backend\b|\bresetlogs\b",
    re.IGNORECASE,
)


def _arguments(step: Step) -> Iterator[Problem]:
    match = _POSITIONAL.search(step.code or "") if step.language == "bash" else None
    if match is not None and "() {" not in (step.code or "") and "function " not in (step.code or ""):
        message = _("This script takes arguments ({name}), and nothing gives them").format(name=match[1])
        hint = _("use a blank such as <service>, or save the script and call it with its arguments")
        yield _at(step, step.code or "", match.start(1), "needs-arguments", message, hint)


def _wrong_language(step: Step) -> Iterator[Problem]:
    code, language = step.code or "", step.language
    hint = _("put it into a block of its own language")
    if language == "sql" and (match := _REDIS.search(code)):
        yield _at(
            step,
            code,
            match.start(1),
            "wrong-language",
            _("{word} is a Redis command in a SQL block").format(word=match[1]),
            hint,
        )
    if language == "sql" and (client := _CLIENT.search(code)):
        message = _("{word} is a shell command in a SQL block").format(word=client[1])
        yield _at(step, code, client.start(1), "wrong-language", message, hint)
    if language != "bash":
        return
    if (cmdlet := _CMDLET.search(code)) is not None:
        message = _("{word} is PowerShell in a shell block").format(word=cmdlet[1])
        yield _at(step, code, cmdlet.start(1), "wrong-language", message, hint)
    setting = _SETTING.search(code)
    if setting is not None:
        message = _("{word} = ... is a setting of a file, not a command").format(word=setting[1])
        yield _at(
            step, code, setting.start(1), "wrong-language", message, _("show it as a block of that file (```ini)")
        )
    elif looks_like_sql(_without_comments(code)):
        yield Problem(step.line, "wrong-language", _("This is {what} in a shell block").format(what="SQL"), hint)
    elif (yaml := _YAML_HEAD.search(code)) is not None and "<<" not in code and code.lstrip().startswith(yaml[0][:4]):
        yield Problem(step.line, "wrong-language", _("This is {what} in a shell block").format(what="YAML"), hint)


def _backslash(step: Step) -> Iterator[Problem]:
    match = _BACKSLASH_END.search(step.code or "") if step.language == "powershell" else None
    if match is not None:
        message = _("PowerShell does not continue a line with a backslash")
        yield _at(
            step, step.code or "", match.start(), "backslash-continuation", message, _("end the line with a backtick `")
        )


def _unchecked(step: Step) -> Iterator[Problem]:
    code = step.code or ""
    claims = list(_CLAIM.finditer(code)) if step.language in ("bash", "powershell") else []
    if not claims or _CHECKED.search(code):
        return
    last = claims[-1]
    before = _without_comments(code[: last.start()]).strip()
    if before and not code[last.end() :].strip() and "&&" not in last[0]:
        message = _("It says that all went well without having looked")
        yield _at(
            step,
            code,
            last.start(),
            "unchecked-success",
            message,
            _("stop at the first failure: set -e, or test the result"),
        )


def _stub(step: Step) -> Iterator[Problem]:
    code = step.code or step.text or ""
    match = _STUB_COMMENT.search(code)
    if match is not None:
        yield _at(
            step,
            code,
            match.start(),
            "stub",
            _("A step is missing here"),
            _("write the command, or what to do by hand"),
        )


def _empty_is_good(step: Step) -> Iterator[Problem]:
    for piece in step.parts or (step,):
        code = piece.code or ""
        good = any(expected.absent and expected.kind is ExpectationKind.REGEX for expected in piece.expectations)
        if good and _LAST_GREP.search(_without_comments(code).rstrip()):
            message = _("grep fails when it finds nothing, which is the good result here")
            yield Problem(_command_line(piece), "empty-is-good", message, _("append || true, or count: grep -c"))


def _endless(step: Step) -> Iterator[Problem]:
    pieces: tuple[Part | Step, ...] = step.parts or (step,)
    for piece in pieces:
        if piece.endless:
            command = _first_command(piece.code or "")
            message = _("{command} never ends by itself").format(command=command)
            hint = _("watch it in a panel (tails, probes), or take a snapshot of it instead")
            yield Problem(_command_line(piece), "never-ends", message, hint)


def _date_as_text(step: Step) -> Iterator[Problem]:
    match = _DATE_AS_TEXT.search(step.code or "")
    if match is not None:
        message = _("A date is compared with words, letter by letter: the answer says nothing")
        yield _at(
            step,
            step.code or "",
            match.start(),
            "date-as-text",
            message,
            _("compare numbers: fromdateiso8601 < now - 30*86400"),
        )


def _unwarned(step: Step) -> Iterator[Problem]:
    code = _without_comments(step.code or "", keep_lines=True)
    match = _DESTRUCTIVE.search(code)
    if match is not None and step.warning is None:
        message = _("{command} can't be undone, and nothing above it warns").format(command=match[0].strip())
        yield _at(step, code, match.start(), "destructive-unwarned", message, _("write a warning in the line above"))


def _alternatives(step: Step) -> Iterator[Problem]:
    others = [part for part in step.parts if part.alternative]
    if len(others) > 1:
        message = _("This block holds {count} ways to do the same thing").format(count=len(others))
        yield Problem(others[1].line, "alternatives-in-one-block", message, _("give each a block of its own"))


def _misfiled_note(step: Step) -> Iterator[Problem]:
    if step.language not in _NOT_SHELL or not step.text:
        return
    for offset, line in enumerate(step.text.split("\n")[:200], 1):
        if re.match(
            r"\s*(?:kubectl|helm|docker|systemctl|sudo|aws|gcloud|psql|curl|"
            r"oc)\s+[^\s=:]",
            line,
        ) and looks_typed(line):
            message = _("{command} is a shell command in a {language} block").format(
                command=line.split()[0], language=step.language
            )
            yield Problem(step.line + offset, "wrong-language", message, _("mark the block ```bash"))
            return


def _commandless(step: Step) -> Iterator[Problem]:
    if step.language != "bash" or step.text is None or not step.text.strip():
        return
    if _without_comments(step.text).strip():
        hint = _("mark it ```output")
        yield Problem(step.line, "wrong-language", _("This is {what} in a shell block").format(what=_("output")), hint)
    else:
        message = _("This block has comments and no command")
        yield Problem(step.line, "no-command", message, _("write it as text, or add the command"))


def _at(step: Step, code: str, offset: int, kind: str, message: str, hint: str) -> Problem:
    """A problem at a place of the code; for a session with prompts the line is that of the block."""
    first = step.line + 1 if step.end_line > step.line else step.line
    line = first + code.count("\n", 0, offset)
    return Problem(min(line, step.end_line), kind, message, hint)


def _command_line(piece: Part | Step) -> int:
    """The line of a piece's first command, below its comments."""
    first = piece.line + 1 if isinstance(piece, Step) and piece.end_line > piece.line else piece.line
    lines = (piece.code or "").split("\n")
    offset = next((at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    return min(first + offset, piece.end_line)


def _without_comments(code: str, *, keep_lines: bool = False) -> str:
    lines = [("" if line.lstrip().startswith(("#", "--")) else line) for line in code.split("\n")]
    return "\n".join(line for line in lines if keep_lines or line)


def _first_command(code: str) -> str:
    return _without_comments(code).strip().split("\n", 1)[0]


def _left_out(step: Step) -> Iterator[Problem]:
    for piece in step.parts or (step,):
        line = omission_in(piece.code or "", step.language or "bash")
        if line is not None:
            message = _("Something is left out here: {line}").format(line=shortened(line, 60))
            hint = _("write it in, or name it as an input: <what-it-is>")
            yield Problem(_command_line(piece), "left-out", message, hint)


COMMAND_RULES: tuple[Callable[[Step], Iterator[Problem]], ...] = (
    _wrong_language,
    _arguments,
    _backslash,
    _unchecked,
    _stub,
    _empty_is_good,
    _endless,
    _date_as_text,
    _unwarned,
    _alternatives,
    _left_out,
)
NOTE_RULES: tuple[Callable[[Step], Iterator[Problem]], ...] = (_misfiled_note, _commandless, _stub)
