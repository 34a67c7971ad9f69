"""PowerShell, simply: lines of plain cmdlets by their verbs, and the tools that are judged in a shell as
well."""

from __future__ import annotations

import re
import shlex

from cockpit.safety.shell.judgement import ShellJudge
from cockpit.safety.shell.tool import Stdin
from cockpit.safety.shell.words import Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, destructive, mutating, reading, unknown, worst
from cockpit.words import _

_CMDLET = re.compile(r"([A-Z][A-Za-z]+)-([A-Za-z]\w+)", re.IGNORECASE)
_READS = names("get test measure select sort group format convertto convertfrom compare resolve find show where")
_LOSSES = frozenset(["remove", "clear", "uninstall", "reset", "format-volume", "revoke", "unpublish"])
_CHANGES = names("""set new add start stop restart suspend resume enable disable install update invoke send
    publish register unregister copy move rename import export out write push pop save restore grant deploy
    mount dismount""")
_READ_PAIRS = names(
    """out-string out-host out-null write-output write-host write-verbose set-location push-location pop-location
    start-sleep"""
)
_ALIASES = dict(
    pair.split("=")
    for pair in names(
        """cd=set-location ls=get-childitem dir=get-childitem cat=get-content gc=get-content type=get-content
        echo=write-output ps=get-process pwd=get-location sleep=start-sleep rm=remove-item del=remove-item
        kill=stop-process select=select-object sort=sort-object gps=get-process gsv=get-service ft=format-table
        fl=format-list measure=measure-object"""
    )
)
_WEB = frozenset(["invoke-webrequest", "invoke-restmethod", "iwr", "irm"])
_SCRIPT_CHANGES = re.compile(
    r"rollback|restart|deploy|remove|delete|stop|reset|restore|install|failover|rotate|update|set_|set-", re.IGNORECASE
)
_COMPARED = (
    r"\$_(?:\.\w+)*\s+-(?:eq|ne|gt|ge|lt|le|like|notlike|match|notmatch|contains|in)\s+"
    r"(?:'[^']*'|\"[^\"$`]*\"|[\w.]+|\$(?:true|false|null))"
)
# A block that compares what passes by, and does nothing.
_FILTER = re.compile(
    rf"(\|\s*(?:where-object|where|\?)\s+)\{{\s*{_COMPARED}(?:\s+-(?:and|or)\s+{_COMPARED})*\s*\}}", re.IGNORECASE
)
_BUILT = re.compile(r"[{}@`()]|\$\(|&|::|\bforeach\b|\bif\b|\bwhile\b", re.IGNORECASE)
_REDIRECT = re.compile(r"(?<![-=])\d?>>?(?!\s*\$null|&1)")


def judge_powershell(text: str) -> Judgement:
    """Judge a PowerShell script line by line."""
    joined = re.sub(r"[`\\]\n", " ", text)
    parts = []
    for line in joined.split("\n"):
        bare = re.sub(r"(?:^|\s)#.*$", "", line).strip()
        if bare:
            parts.append(_line(bare))
    return worst(parts)


def _line(line: str) -> Judgement:
    line = _FILTER.sub(r"\1Compared -eq x", line)
    outside = re.sub(r'"[^"$`]*"|\'[^\']*\'', '""', line)
    parts = []
    if _REDIRECT.search(outside):
        parts.append(mutating(_("it writes to a file"), "local-write"))
    if _BUILT.search(outside):
        parts.append(unknown(_("part of the line is a script of its own")))
    if re.search(r"\d?>", outside):
        line = line[: line.index(">")].rstrip("012 ")
    if ";" in outside or re.search(r"\$\w+\s*=", outside):
        parts.append(unknown(_("several statements or assignments on a line are not judged")))
    stages = [line] if "|" in re.sub(r"\|", "", outside) else re.split(r"\|(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", line)
    parts += (_stage(stage.strip()) for stage in stages)
    return worst(parts)


def _stage(stage: str) -> Judgement:
    try:
        words = shlex.split(stage.replace("\\", "\\\\"))
    except ValueError:
        words = []
    if not words:
        return unknown(_("it can't be read as PowerShell"))
    judgement = _command(words)
    return Judgement(
        judgement.verdict, judgement.reasons, judgement.tags, tuple(dict.fromkeys((words[0], *judgement.commands)))
    )


def _command(words: list[str]) -> Judgement:
    name = _ALIASES.get(words[0].lower(), words[0].lower())
    if re.search(r"[\\/]|\.ps1$", words[0]):
        if _SCRIPT_CHANGES.search(words[0]):
            return mutating(_("{command} makes changes, by its name").format(command=words[0]))
        return unknown(_("{command} is a script that can't be seen").format(command=words[0]))
    if name in _WEB:
        return _web(words)
    cmdlet = _CMDLET.fullmatch(name)
    if cmdlet is None:
        return _tool(words)
    verb = cmdlet[1].lower()
    if verb == "format" and cmdlet[2].lower() not in ("table", "list", "wide", "custom", "hex"):
        return destructive(_("{command} can't be undone").format(command=words[0]))
    if verb in _READS or name in _READ_PAIRS:
        return reading()
    if verb in _LOSSES:
        return destructive(_("{command} can't be undone").format(command=words[0]))
    if verb in _CHANGES:
        return mutating(_("{command} makes changes").format(command=words[0]))
    return unknown(_("{command} is not known to be read-only").format(command=words[0]))


def _web(words: list[str]) -> Judgement:
    lowered = [word.lower() for word in words]
    if any(word.startswith(("-m", "-b", "-o", "-inf", "-form", "-custom")) for word in lowered):
        return mutating(_("the request may change things or write a file"), "network-egress")
    return reading("network-egress")


def _tool(words: list[str]) -> Judgement:
    """A program that is judged by the rules of the shell; in old versions curl and wget mean
    Invoke-WebRequest."""
    if any("$" in word for word in words):
        return unknown(_("{command}: a word is only known when it runs").format(command=words[0]))
    if words[0] not in (
        "gcloud",
        "kubectl",
        "aws",
        "az",
        "helm",
        "docker",
        "git",
        "curl",
        "curl.exe",
        "ping",
        "nslookup",
        "hostname",
    ):
        return unknown(_("{command} is not a command that safety knows").format(command=words[0]))
    shell = [words[0].removesuffix(".exe"), *words[1:]]
    return ShellJudge().command([Word(word) for word in shell], Stdin())
