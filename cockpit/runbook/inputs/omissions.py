"""Dots that stand for something the author left out of a command: it has to be written in before the command may run.

`helm upgrade api ...` and `FOO=…` are such; `go test ./...`, `git log a...b` and "Processing..." are not.
"""

from __future__ import annotations

import re

from cockpit.runbook.inputs.variables import QUOTED, without_comments, without_heredocs

_DOTS = r"(?:\.{3,}|…)"
# A word of its own, or all of a value: `...`, `x=...`, `{...}`, `<...>`.
_ALONE = re.compile(rf"(?<![^\s=:,({{\[<|;&>]){_DOTS}(?![^\s)}}\]>,;|&])")
# A value that breaks off: `pod/api-7d9f...`, `sha256:0c1f…`.
_CUT_OFF = re.compile(r"[\w:-](?:\.{3,}(?=[\s;|&)]|\Z)|…)")
_ALL_OF_IT = re.compile(rf"[\s({{\[<\"']*{_DOTS}[\s)}}\]>\"']*\Z")
_SQL_COMMENT = re.compile(r"--[^\n]*")
_CREDENTIAL = re.compile(rf"\b(?:Bearer|Basic|[Tt]oken)[ :=]+{_DOTS}\Z")
_STATEMENT = re.compile(rf"\s*(?:SELECT|INSERT|UPDATE|DELETE|ALTER|CREATE|GRANT)\b.*(?<!\S){_DOTS}(?!\S)", re.I | re.S)
_JSON_VALUE = re.compile(rf"[{{\[,:]\s*(?:\"{_DOTS}\"|{_DOTS})\s*[}}\],]")
# To these, dots are words to say, a pattern, or a name they know.
_SPEAKS = re.compile(
    r"\s*(?:sudo\s+)?(?:echo|printf|logger|log|say|print|Write-\w+|(?:e|f|z)?grep|rg|sed|awk|perl|git|go)\b"
)
_COMMAND_END = re.compile(r"&&|\|\||[;|\n]|\bdo\b|\bthen\b|\$\(")


def omission_in(code: str, language: str) -> str | None:
    """The line of the first place where something was left out; None when the command is all there.

    Args:
        code: as it would run, with its blanks filled.
        language: canonical.
    """
    if "..." not in code and "…" not in code:
        return None
    text = without_comments(without_heredocs(code)) if language == "bash" else code
    if language == "sql":
        text = _SQL_COMMENT.sub(lambda match: " " * len(match[0]), text)
    hidden = QUOTED.sub(lambda match: _hidden(match[0]), text)
    for match in re.finditer(_DOTS, hidden):
        at = match.start()
        if _is_omission(hidden, at) and not _SPEAKS.match(_command_before(hidden, at)):
            start = code.rfind("\n", 0, at) + 1
            end = code.find("\n", at)
            return code[start : end if end >= 0 else None].strip()
    return None


def _hidden(quoted: str) -> str:
    """A quoted text with its dots gone, unless they are all that it is for."""
    inner = quoted[1:-1]
    left_out = (
        _ALL_OF_IT.match(inner) or _CREDENTIAL.search(inner) or _STATEMENT.match(inner) or _JSON_VALUE.search(inner)
    )
    kept = re.search(_DOTS, quoted) if left_out else None
    if kept is None:
        return "x" * len(quoted)
    # The dots stand as a word of their own where the quotes were.
    return " " * kept.start() + kept[0] + " " * (len(quoted) - kept.end())


def _is_omission(text: str, at: int) -> bool:
    return _ALONE.match(text, at) is not None or (at > 0 and _CUT_OFF.match(text, at - 1) is not None)


def _command_before(text: str, at: int) -> str:
    """The command that the place belongs to, up to the place."""
    return _COMMAND_END.split(text[:at])[-1]
