"""Front matter: YAML between ---, TOML between +++, JSON in braces. Refuses what can harm or mislead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cockpit.runbook.model import Problem
from cockpit.words import _

_AT_LINE = re.compile(r"\bline (\d{1,6})")
_LIMIT_CHARS = 64 * 1024
_CLOSERS = {"---": ("---", "..."), "+++": ("+++",)}
_KEYED = re.compile(r"\s*(?:[\w\"'.-]+\s*:|#|\{(?![{%]))")
_KEY_LINE = re.compile(r"[A-Za-z_][\w-]*:(?:\s|$)")
# What begins neither prose nor Markdown: YAML with a slip in it.
_SLIPPED = re.compile(r"\s*(?:[:}\],%@?&]|\{(?![{%])|\[(?![^\]]*\]\())")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys, the problems, and how many lines of the file it takes (0: there is none)."""

    values: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    lines: int = 0


def front_matter(text: str) -> FrontMatter:
    """The front matter at the head of a document; broken front matter is empty, with a problem saying why."""
    opener = text[: text.find("\n") + 1].rstrip()
    if opener in _CLOSERS:
        end, body = _fenced(text, _CLOSERS[opener])
        if end and (opener == "+++" or not body.strip() or _KEYED.match(body) or _SLIPPED.match(body)):
            return _read(body, "toml" if opener == "+++" else "yaml", end)
        if not end and opener == "---" and _KEY_LINE.match(text, len(opener) + 1):
            message = _("The front matter is never closed; it is read as text")
            return FrontMatter({}, (Problem(1, "broken-front-matter", message, _("write --- below its last line")),))
    elif opener == "{":
        end, body = _braced(text)
        if end:
            return _read(body, "json", end)
    return FrontMatter()


def _fenced(text: str, closers: tuple[str, ...]) -> tuple[int, str]:
    lines = text[: _LIMIT_CHARS + 8].split("\n")
    for number, line in enumerate(lines[1:], 2):
        if line.rstrip() in closers:
            return number, "\n".join(lines[1 : number - 1])
    return 0, ""


def _braced(text: str) -> tuple[int, str]:
    lines = text[:_LIMIT_CHARS].split("\n")
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "}":
            return number, "\n".join(lines[:number])
    return 0, ""


def _read(body: str, form: str, lines: int) -> FrontMatter:
    try:
        values = _LOADERS[form](body)
    except _RefusedError as refusal:
        problem = Problem(min(refusal.line + 1, lines), refusal.code, str(refusal), _not_used())
        return FrontMatter({}, (problem,), lines)
    except (ValueError, RecursionError) as error:
        reason = str(error).split("\n", 1)[0]
        message = _("The front matter is not {form}: {reason}").format(form=form.upper(), reason=reason)
        return FrontMatter(
            {}, (Problem(_line_of(error, form, lines), "broken-front-matter", message, _not_used()),), lines
        )
    if values is None:
        return FrontMatter({}, (), lines)
    if not isinstance(values, dict):
        message = _("The front matter is not a list of keys and values")
        return FrontMatter({}, (Problem(2, "broken-front-matter", message, _not_used()),), lines)
    return FrontMatter(_plain(values), (), lines)


def _not_used() -> str:
    return _("mend it: until then the front matter is not used")


def _line_of(error: Exception, form: str, lines: int) -> int:
    """The line of the file at which TOML or JSON stopped making sense; TOML counts below its opening line."""
    told = _AT_LINE.search(str(error))
    if told is None:
        return max(1, lines - 1)
    return min(int(told[1]) + (form == "toml"), lines)


class _RefusedError(ValueError):
    def __init__(self, line: int, code: str, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.code = code


def _yaml(body: str) -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(_without_aliases(body, yaml, base), Loader=base)
        if node is None:
            return None
        _refuse_duplicates(node, yaml)
        return base(body).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _RefusedError(
            mark.line + 1 if mark else 1,
            "broken-front-matter",
            _("The front matter is not YAML: {reason}").format(
                reason=str(getattr(error, "problem", "") or error).split("\n", 1)[0]
            ),
        ) from error


def _without_aliases(body: str, yaml: Any, loader: Any) -> str:
    depth = 0
    for event in yaml.parse(body, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            raise _RefusedError(line, "yaml-alias", _("The front matter has a YAML alias"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > 50:
            raise _RefusedError(event.start_mark.line + 1, "broken-front-matter", _("It is nested too deep"))
    return body


def _refuse_duplicates(node: Any, yaml: Any) -> None:
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, yaml.SequenceNode):
            pending += current.value
        elif isinstance(current, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in current.value:
                name = str(key.value)
                if name in seen:
                    message = _("The front matter has the key {key} twice").format(key=name)
                    raise _RefusedError(key.start_mark.line + 1, "duplicate-key", message)
                seen.add(name)
                pending += [key, value]


def _toml(body: str) -> Any:
    import tomllib

    return tomllib.loads(body)


def _json(body: str) -> Any:
    import json

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _value in pairs]
        for name in names:
            if names.count(name) > 1:
                message = _("The front matter has the key {key} twice").format(key=name)
                raise _RefusedError(0, "duplicate-key", message)
        return dict(pairs)

    return json.loads(body, object_pairs_hook=unique)


_LOADERS = {"yaml": _yaml, "toml": _toml, "json": _json}


def _plain(value: Any) -> Any:
    """The value in JSON's types: dates and the like as the text that stands for them."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else hex(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
