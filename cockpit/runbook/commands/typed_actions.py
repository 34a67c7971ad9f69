"""Fences of typed actions: `kubernetes`, `helm`, `aws` … blocks whose lines are verbs, not shell commands."""

from __future__ import annotations

import re
from dataclasses import replace

from cockpit.runbook.commands.languages import Info

_VERB = re.compile(
    r"(?:get|list|describe|logs|events|top|scale|delete|exec|rollout (?:status|history|undo|restart|pause|resume)"
    r"|set (?:env|image)|auth can-i)(?:\s.*)?"
)
_OPERATION = re.compile(
    r"(?!aws\s)[a-z][a-z0-9-]*(?:[:.][A-Za-z][\w-]*|[ \t]+[a-z][\w-]*)(?:[ \t]+--[a-z][\w-]*(?:[ =].*)?|[ \t]*\\)?"
)
_GITHUB = re.compile(
    r"[a-z][a-z-]*(?:/[a-z][a-z0-9-]*|\.[a-z]\w*|[ \t]+[a-z]+-[a-z0-9-]+)(?:[ \t]+--[a-z][\w-]*(?:[ =].*)?|[ \t]*\\)?"
)
_RELEASE = re.compile(
    r"(?:list|ls|status|history|hist|rollback|upgrade|install|uninstall|delete|test"
    r"|get (?:values|manifest|notes|hooks|metadata|all))(?:\s.*)?"
)
_APPLICATION = re.compile(r"(?:app|appset|proj|repo|repocreds|cluster|account|cert|gpg) [a-z][a-z-]*(?:\s.*)?|version")
_ANSWER = re.compile(r"\s*HTTP/[\d.]+\s+[1-5]\d\d\b")
_ACTIONS = {
    "kubernetes": (_VERB, ""),
    "helm": (_RELEASE, ""),
    "argocd": (_APPLICATION, ""),
    "aws": (_OPERATION, "bash"),
    "github": (_GITHUB, ""),
}


def without_disguise(info: Info, text: str) -> Info:
    """The info of a block, whose language of typed actions counts only where the block does hold some.

    `aws` over lines that call the command line is a shell block, as everywhere; the others over a manifest, or over the
    command line, are what such a block without a language is; `http` over an answer shows one.
    """
    if info.language == "http" and _ANSWER.match(text):
        return replace(info, language="output")
    shape, otherwise = _ACTIONS.get(info.language, (None, ""))
    if shape is None:
        return info
    starts = _starts(text)
    return info if starts and all(shape.fullmatch(start) for start in starts) else replace(info, language=otherwise)


def is_carried_on(text: str) -> bool:
    """Whether an action goes on in the next line."""
    bare = re.sub(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", "", text)
    return text.endswith("\\") or "'" in bare or '"' in bare


def _starts(text: str) -> list[str]:
    """The first line of each action: not comments, nor what a backslash or an open quote carries on."""
    starts: list[str] = []
    held = ""
    for line in text.split("\n"):
        if not held and (not line.strip() or line.lstrip().startswith("#")):
            continue
        if not held:
            starts.append(line.strip())
        held = f"{held}\n{line}" if held else line
        if not is_carried_on(held):
            held = ""
    return starts
