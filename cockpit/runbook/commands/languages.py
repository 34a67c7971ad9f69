"""Fence info strings -> a language and attributes, in every spelling seen in the wild."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SPELLINGS = {
    "bash": "bash sh shell zsh ksh ash dash fish console shell-session shellsession sh-session bash-session "
    "terminal term"
    " command commands cmd cli cmdline command-line commandline /bin/sh /bin/bash bin/bash azurecli"
    " azurecli-interactive azure-cli bash-interactive azurecli-bash gcloud oc kubectl shellscript shell-script"
    " bach bahs bsh bassh vash basch 8sh shel sehll shll hsell sell consle consoel cosole conosle batch bat dos",
    "powershell": "powershell pwsh ps1 ps posh psh azurepowershell azurepowershell-interactive "
    "powershell-interactive"
    " pwsh-interactive powershell-console powershellinteractive",
    "sql": "sql postgresql postgres pgsql psql plpgsql plsql mysql mariadb tsql t-sql sqlite sqlite3",
    "promql": "promql prometheus",
    "logql": "logql",
    "http": "http rest rest-client",
    "redis": "redis redis-cli",
    "kubernetes": "kubernetes k8s",
    "helm": "helm",
    "argocd": "argocd argo-cd",
    "aws": "aws",
    "github": "github github-actions",
    "output": "output out result results stdout stderr log logs text-output console-output json-output",
    "text": "text txt plain plaintext plain-text none nohighlight raw",
    "markdown": "markdown md mdown gfm",
    "yaml": "yaml yml",
    "json": "json jsonc json5 jsonl ndjson",
    "python": "python py python3",
    "diagram": "mermaid plantuml puml dot graphviz ascii",
}
LANGUAGES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
ACTIONS = frozenset({"kubernetes", "helm", "argocd", "aws", "github"})
"""Languages whose blocks hold typed actions, one a line."""
RUNNABLE = frozenset({"bash", "powershell", "sql", "promql", "logql", "http", "redis"}) | ACTIONS
# Fences of a language whose lines are a session's as often as they are a script.
SESSION_SPELLINGS = frozenset(
    {"console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal", "cli", "term"}
)
TYPED = frozenset({"step", "check", "rollback", "wait"})

_NAME = re.compile(r"\s*(?:\{\s*\.?|\.)?([^\s{},=\"']*)")
_PAIR = re.compile(r"""([A-Za-z_][\w.-]*)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}]+)""")


@dataclass(frozen=True, slots=True)
class Info:
    """What an info string says. `language` is canonical where it is known, else as written; "" when there is none."""

    language: str = ""
    spelling: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


_PLAIN_INFOS: dict[str, Info] = {name: Info(language, name) for name, language in LANGUAGES.items()}
_PLAIN_INFOS[""] = Info()


def info_of(written: str) -> Info:
    """The language and attributes of an info string."""
    known = _PLAIN_INFOS.get(written)
    if known is not None:
        return known
    match = _NAME.match(written)
    spelling = match[1].lower() if match else ""
    rest = written[match.end() :] if match else ""
    if "=" in spelling or rest.startswith("="):
        spelling, rest = "", written
    language = LANGUAGES.get(spelling, spelling)
    return Info(language, spelling, _attributes(rest.strip()) if rest.strip() else {})


def _attributes(written: str) -> dict[str, Any]:
    if written.startswith("{") and '"' in written:
        try:
            values = json.loads(written)
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict):
            return {str(key): _value(value) for key, value in values.items()}
    return {match[1]: _value(match[2].strip("\"'")) for match in _PAIR.finditer(written)}


def _value(value: Any) -> Any:
    # Tools write booleans as strings ("interactive":"false").
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
