"""The one door to verdicts: a language and a text in, a judgement out. Never raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import structs

from cockpit.safety.verdict import Judgement, Verdict, unknown, worst
from cockpit.words import _

LONGEST_BYTES = 64 * 1024
_GLANCED_AT = 4 << 20
_SHELLS = frozenset(
    [
        "bash",
        "sh",
        "zsh",
        "shell",
        "console",
        "terminal",
        "shell-session",
        "shellsession",
        "shellscript",
        "sh-session",
        "ksh",
        "dash",
        "ash",
    ]
)
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def judge(language: str, command: str, *, values: Mapping[str, str] | None = None) -> Judgement:
    """What a command does to the world, as far as it can be proven without running it.

    Args:
        language: as a fence names it (bash, sql, promql, redis, http, powershell, kubernetes, helm, aws, github,
            argocd, and aliases), in any case.
        command: the exact text that would run.
        values: the variables of its environment, where they are known. Without them a variable that the script does
            not assign is taken for one word of data; with them it is exactly what it says, and absent ones are empty.
    """
    try:
        refusal = _gate(command)
        if refusal:
            return _at_a_glance(normal_language(language), command, refusal)
        hidden = _HIDDEN.search(command)
        judged = _judge(normal_language(language), _HIDDEN.sub("", command) if hidden else command, values)
        if hidden:
            return _at_least_unknown(judged, hidden[0])
        if judged.verdict is Verdict.READ_ONLY and not judged.reasons:
            return structs.replace(judged, reasons=(_("it only reads"),))
        return judged
    except Exception as error:  # noqa: BLE001 - doubt, of whatever kind, is unknown
        return Judgement(Verdict.UNKNOWN, (_("it could not be judged: {error}").format(error=type(error).__name__),))


def normal_language(language: str) -> str:
    """The one name of a language with aliases (bash, sql, kubernetes …); any other in lower case."""
    name = language.strip().lower()
    if name in _SHELLS:
        return "bash"
    return _ALIASES.get(name, name)


_ALIASES = {
    "postgres": "sql",
    "postgresql": "sql",
    "pgsql": "sql",
    "psql": "sql",
    "plpgsql": "sql",
    "logql": "promql",
    "prometheus": "promql",
    "metricsql": "promql",
    "redis-cli": "redis",
    "rest": "http",
    "https": "http",
    "ps1": "powershell",
    "pwsh": "powershell",
    "posh": "powershell",
    "k8s": "kubernetes",
    "argo-cd": "argocd",
}


def _gate(command: str) -> str:
    """Why a text is not judged at all; empty when it is."""
    if not command.strip():
        return _("nothing to judge")
    if len(command) > LONGEST_BYTES or len(command.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        return _("it is longer than 64 KiB")
    return ""


def _at_a_glance(language: str, command: str, refusal: str) -> Judgement:
    """Of a text that is too long to be proven: unknown, or destructive where that plainly stands in it."""
    doubt = unknown(refusal)
    if language != "bash":
        return doubt
    from cockpit.safety.shell.judgement import ShellJudge

    return worst([doubt, *ShellJudge().at_a_glance(command[:_GLANCED_AT])])


def _at_least_unknown(judged: Judgement, hidden: str) -> Judgement:
    """Of a text with an invisible character nothing good is believed, and what is bad without it stays as bad."""
    reason = _("it holds the invisible character {code}").format(code=f"U+{ord(hidden):04X}")
    if judged.verdict.rank <= Verdict.UNKNOWN.rank:
        return Judgement(Verdict.UNKNOWN, (reason,))
    return structs.replace(judged, reasons=(*judged.reasons, reason))


def _judge(language: str, command: str, values: Mapping[str, str] | None) -> Judgement:
    if language == "bash":
        from cockpit.safety.shell.judgement import ShellJudge

        return ShellJudge(values).script(command)
    rule = _RULES.get(language)
    if rule is None:
        return Judgement(
            Verdict.UNKNOWN, (_("the language {language} is not judged").format(language=language or "?"),)
        )
    return rule(command)


def _sql(command: str) -> Judgement:
    from cockpit.safety.sql.judgement import judge_sql

    return judge_sql(command, psql=True)


def _redis(command: str) -> Judgement:
    from cockpit.safety.redis.judgement import judge_redis_lines

    return judge_redis_lines(command)


def _http(command: str) -> Judgement:
    from cockpit.safety.http import judge_request

    return judge_request(command)


def _powershell(command: str) -> Judgement:
    from cockpit.safety.powershell import judge_powershell

    return judge_powershell(command)


def _kubernetes(command: str) -> Judgement:
    from cockpit.safety.kubernetes.judgement import judge_kubernetes

    return judge_kubernetes(command)


def _aws(command: str) -> Judgement:
    from cockpit.safety.aws.judgement import judge_aws

    return judge_aws(command)


def _helm(command: str) -> Judgement:
    from cockpit.safety.helm.judgement import judge_helm

    return judge_helm(command)


def _github(command: str) -> Judgement:
    from cockpit.safety.github.judgement import judge_github

    return judge_github(command)


def _argocd(command: str) -> Judgement:
    from cockpit.safety.argocd.judgement import judge_argocd

    return judge_argocd(command)


def _message(_text: str) -> Judgement:
    from cockpit.safety.verdict import mutating

    return mutating(_("people read it, and it can't be called back"), "network-egress")


def _query(command: str) -> Judgement:
    from cockpit.safety.query import judge_query

    return judge_query(command)


_RULES: Mapping[str, Callable[[str], Judgement]] = {
    "sql": _sql,
    "redis": _redis,
    "http": _http,
    "powershell": _powershell,
    "promql": _query,
    "kubernetes": _kubernetes,
    "aws": _aws,
    "helm": _helm,
    "github": _github,
    "argocd": _argocd,
    "message": _message,
}
