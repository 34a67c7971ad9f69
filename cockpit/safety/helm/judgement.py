"""Verdicts of typed Helm actions: those of the same words at a shell's prompt, behind `helm`.

An input stands in one word of its own, and is handed over so that it can't be an option: a word stands in for it here.
"""

from __future__ import annotations

import shlex

from cockpit.safety.action_words import ActionWord
from cockpit.safety.helm.action import HelmAction, helm_actions
from cockpit.safety.typed import judge_actions
from cockpit.safety.verdict import Judgement

_ANY = "x"


def judge_helm(text: str) -> Judgement:
    """The judgement of a step of typed actions; what is no such action is unknown at best."""
    return judge_actions(text, helm_actions, judge_action)


def judge_action(action: HelmAction) -> Judgement:
    """The judgement of one action."""
    from cockpit.safety.judge import judge

    return judge("bash", " ".join(["helm", *(shlex.quote(_plain(word)) for word in action.words)]))


def _plain(word: ActionWord) -> str:
    return "".join(part if isinstance(part, str) else _ANY for part in word.parts)
