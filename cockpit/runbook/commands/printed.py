"""What only looks like commands in a block marked as shell: a machine's answer, a file's content, a synopsis."""

from __future__ import annotations

import json
import re

from cockpit.runbook.commands.vocabulary import is_command_word

_LONGEST_CHARS = 100_000
_LONGEST_QUERY = 2_000
_LINES = 50

_TABLE_OR_LOG = re.compile(
    r"^\s*[|+][-=+| ]{3}|^\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^\s*\[\d{4}-|^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|"
    r"^(?:[A-Z][A-Z0-9_()%-]+\s{2,}){2,}|"
    r"^\s*(?:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|TRACE)\b|^\s*[├└│┌┐]|^\s*[{}\[\]]\s*,?$|"
    r"^\s*\"[^\"]+\"\s*:|^---\s*$|^\s*(?:apiVersion|kind|metadata|spec):|^HTTP/\d|^< |^> ",
    re.MULTILINE,
)
# Leak reports, stack traces, questions at a prompt.
_MACHINE_LINE = re.compile(
    r"\s*[┌├│└┬╔║╚●✔✖]|\s*==\d+==|gpg: |\s+at \S.*[(:]|Traceback \(most|\s+File \"|goroutine \d+|panic:|"
    r"(?:\w+\.)*\w+(?:Error|Exception)\b:?|Enter pass|Password:|Last login:|\[?\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|\])|"
    r"\s*[+|`]-- |[A-Z][\w.]*(?:\(\d+\)| \d+)?: \S|[IWEF]\d{4} \d\d:\d\d|[A-Z]{4}\[\d+\]|"
    r"\S+(?: \S+)?: (?:no such file|command not found|not found|permission denied)"
)
# "Server running at ...", "Counting objects: 13, done.": a capital, words, and nothing that a shell would want there.
_SENTENCE = re.compile(r"([A-Z][a-z]+)[:,]?(?: [^\s|;&$<>=-][^\s|;&$<>]*)+\s*$")
_DUMP = re.compile(r"[A-Z]\w+ [{\[(]\s*$")
_PROGRAMS_IN_CAPITALS = frozenset({"Rscript", "Xvfb", "Xorg", "Xephyr"})
_UNIT_HEAD = re.compile(r"\[[A-Za-z][\w .:\"-]*\]\s*$")
_UNIT_LINE = re.compile(r"[A-Za-z][\w.-]*\s*=|\[[A-Za-z]")
_YAML_LINE = re.compile(r"\s*(?:-\s+)?[\w./-]+:(?:\s|$)|\s*- \S")
_YAML_HEAD = re.compile(r"(?:- )?[A-Za-z][\w./-]*:(?:\s+[^\s|;&$].*)?$|- [\w{\"']")
_FIRST_LINE = re.compile(r"^[ \t]*[^#\s][^\n]*", re.MULTILINE)
_OPENS_FILE = re.compile(r"\s*[\[{]|\s*-|[\w./-]+:(?:\s|$)")
_COMMENTED = re.compile(r"[ \t]*#")
_OPTION = re.compile(r"\s*--?\w")
# Optional words in brackets: "npm view [<name>] [--json]". In a shell `[ -f x ]` has a blank behind its bracket.
_SYNOPSIS = re.compile(
    r"(?<![\w$(\"'])\[(?:<[A-Za-z@]|--[a-z][\w-]*[\] =|<]|-[A-Za-z](?:\]| <|\|)|\.\.\.\s?<|"
    r"(?:[a-z]+ )?(?:options?|flags?|arguments?|args)(?:\.\.\.)?\]|(?:OPTIONS?|FLAGS?|ARGUMENTS?|ARGS)(?:\.\.\.)?\])"
)
_METRIC = r"\(*[a-zA-Z_:][\w:]*_[\w:]+(?:\{[^{}]*\})?(?:\[\d+[smhdwy][^\]]*\])?\)*"
_PROMQL = re.compile(
    rf"\s*(?:{_METRIC}(?:\s*[-+*/%<>=!]=?\s*(?:{_METRIC}|\(*-?\d[\d.]*\)*))+|[a-zA-Z_:][\w:]*\{{\w+\s*(?:=~?|!=|!~)\s*\"[^{{}}]*\}})\s*$|"
    r"\s*\(*(?:sum|rate|irate|increase|avg|max|min|count|topk|bottomk|histogram_quantile|absent|\w+_over_time)\s*"
    r"(?:(?:by|without)\s*\([^()]*\)\s*)?\((?=[^|;&$]*[\[{])[^|;&$]*$"
)


def looks_printed(text: str) -> bool:
    """Whether a text has the shape of a table, a log, JSON or a response."""
    return _TABLE_OR_LOG.search(text) is not None


def is_answer(text: str) -> bool:
    """Whether the first line of a block, comments aside, and half of them are ones that only a machine writes."""
    lines = _written(text)
    if not lines:
        return False
    if _MACHINE_LINE.match(lines[0]) is not None:
        return sum(_MACHINE_LINE.match(line) is not None for line in lines) * 2 >= len(lines)
    sentence = _SENTENCE.match(lines[0])
    if sentence is None:
        return _DUMP.match(lines[0]) is not None
    return sentence[1] not in _PROGRAMS_IN_CAPITALS and not is_command_word(sentence[1].lower())


def file_language(text: str) -> str | None:
    """The language of the file that a block marked as shell shows (ini, json, yaml); None when it shows none."""
    head = _FIRST_LINE.search(text)
    if head is None or _OPENS_FILE.match(head[0]) is None:
        return None
    lines = _written(text)
    if _UNIT_HEAD.match(lines[0]) and len(lines) > 1:
        return "ini" if sum(_UNIT_LINE.match(line) is not None for line in lines) * 4 >= len(lines) * 3 else None
    if lines[0].lstrip()[:1] in "{[" and is_json(text):
        return "json"
    if len(lines) > 1 and _YAML_HEAD.match(lines[0]) and all(map(_YAML_LINE.match, lines)):
        return "yaml"
    return "text" if all(_OPTION.match(line) for line in lines) else None


def is_json(text: str) -> bool:
    """Whether a text is a JSON document."""
    if len(text) > _LONGEST_CHARS:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_synopsis(text: str) -> bool:
    """Whether a text tells which words a command takes, rather than giving one."""
    return any(not _COMMENTED.match(text, text.rfind("\n", 0, at.start()) + 1) for at in _SYNOPSIS.finditer(text))


def is_promql(text: str) -> bool:
    """Whether a text is a PromQL expression."""
    lines = _written(text)
    query = " ".join(lines)
    return bool(lines) and len(query) <= _LONGEST_QUERY and _PROMQL.match(query) is not None


def _written(text: str) -> list[str]:
    return [line for line in text.split("\n", _LINES)[:_LINES] if line.strip() and not line.lstrip().startswith("#")]
