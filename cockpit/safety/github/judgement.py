"""Verdicts of GitHub's REST operations, by name.

The HTTP method would tell less: a re-run, a dispatch and a comment are all POST. So: the beginnings that GitHub's own
names have for reading, of the categories its API has, less what only sounds like reading.
"""

from __future__ import annotations

import re

from cockpit.safety.github.action import GithubAction, github_actions
from cockpit.safety.tables import names
from cockpit.safety.typed import judge_actions
from cockpit.safety.verdict import Judgement, Verdict, of_verdict, unknown
from cockpit.words import _

_CATEGORIES = names(
    """actions activity apps billing campaigns checks classroom code-scanning code-security codes-of-conduct codespaces
    copilot dependabot dependency-graph emojis gists git gitignore hosted-compute interactions issues licenses meta
    migrations oidc orgs packages private-registries projects pulls rate-limit reactions repos search secret-scanning
    security-advisories teams users"""
)
_READS = re.compile(r"(?:list|get|check|compare|download)(?:-.+)?")
_MORE_READS = names(
    "search/code search/commits search/issues-and-pull-requests search/labels search/repos search/topics search/users"
)
# Reads by name that hand out what lets somebody act.
_ISSUES = re.compile(r"(?:get|check|download)-(?:.+-)?(?:tokens?|jitconfig|credentials|authorization)(?:-.+)?")
_SECRETS = re.compile(r"(?!.*public-key)(?:list|get)-(?:.+-)?secrets?(?:-.+)?|download-archive-.+|get-archive-.+")
_SECRET_CATEGORIES = names("secret-scanning")
_LOSSES = re.compile(r"(?:delete|remove|revoke|transfer|clear|unlock-repo|reset|purge|destroy|suspend)(?:-.+)?")
_CHANGES = re.compile(
    r"(?:create|update|add|set|put|replace|rename|merge|re-run|rerequest|cancel|force-cancel|approve|review|request"
    r"|enable|disable|dispatch|redeliver|ping|test|lock|unlock|pin|star|unstar|follow|unfollow|block|unblock|mark|submit"
    r"|dismiss|restore|import|start|stop|publish|assign|unassign|accept|decline|fork|upload|sync|migrate|convert|map"
    r"|cancel|enforce|attach|detach|export|move|hide|unhide|close|reopen|reprioritize|allow|scale)(?:-.+)?"
)
# What a flag of an operation makes of it: with force a branch loses the commits it pointed at.
_FORCED = {"git/update-ref": "force"}


def judge_github(text: str) -> Judgement:
    """The judgement of a step of typed actions; what is no such action is unknown at best."""
    return judge_actions(text, github_actions, _judge_action)


def _judge_action(action: GithubAction) -> Judgement:
    name = f"{action.category}/{action.operation}"
    if _LOSSES.fullmatch(action.operation) or _is_forced(name, action):
        return of_verdict(Verdict.DESTRUCTIVE, name)
    if _CHANGES.fullmatch(action.operation):
        tags = ("sensitive-read",) if action.operation.startswith("create-") and "token" in action.operation else ()
        return of_verdict(Verdict.MUTATING, name, *tags)
    if _ISSUES.fullmatch(action.operation):
        return unknown(_("{command} hands out credentials").format(command=name), "sensitive-read")
    reads = name in _MORE_READS or (action.category in _CATEGORIES and _READS.fullmatch(action.operation))
    if not reads:
        return of_verdict(Verdict.UNKNOWN, name)
    secret = action.category in _SECRET_CATEGORIES or _SECRETS.fullmatch(action.operation)
    return of_verdict(Verdict.READ_ONLY, name, *(("sensitive-read",) if secret else ()))


def _is_forced(name: str, action: GithubAction) -> bool:
    flag = _FORCED.get(name)
    if flag is None or flag not in action.options:
        return False
    value = action.options[flag]
    return value is None or value.text != "false"
