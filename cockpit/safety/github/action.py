"""What a typed GitHub action says: category, operation and parameters of the REST API, without running anything.

    actions/create-workflow-dispatch --workflow_id deploy.yml --ref main

An operation may be written as the API's description names it (`repos/get-branch`), as client libraries do
(`repos.getBranch`), or in two words. Parameters are the operation's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord, action_lines
from cockpit.words import _

_NAME = re.compile(r"[a-z][a-z-]*/[a-z][a-z0-9-]*")
_OPTION = re.compile(r"--[a-z][a-z0-9_-]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ABOUT_THE_CALL = frozenset(
    {"--token", "--hostname", "--base-url", "--method", "--header", "--headers", "--api-version", "--request"}
)


@dataclass(frozen=True, slots=True)
class GithubAction:
    """One action. `operation` is in kebab case; `options` by name as written, without dashes; a flag's is None."""

    category: str
    operation: str
    options: Mapping[str, ActionWord | None] = field(default_factory=dict)


def github_actions(text: str) -> tuple[GithubAction, ...]:
    """The actions of a step, in order.

    Raises:
        UsageError: a line that is no such action.
    """
    return tuple(_action(words) for words in action_lines(text))


def _action(words: tuple[ActionWord, ...]) -> GithubAction:
    category, operation, rest = _named(words)
    options: dict[str, ActionWord | None] = {}
    name = ""
    for word in rest:
        if not word.beginning.startswith("--"):
            if not name or options[name] is not None:
                raise UsageError(_("{word} stands where a --parameter is due").format(word=word.text or "$…"))
            options[name] = word
            continue
        written, equals, _value = word.beginning.partition("=")
        if (not equals and not word.constant) or not _OPTION.fullmatch(written):
            raise UsageError(_("an option with an input in it is written --NAME=$INPUT"))
        if written in _ABOUT_THE_CALL:
            raise UsageError(_("a typed action has no option {option}").format(option=written))
        name = written[2:]
        options[name] = word.after(len(written) + 1) if equals else None
    return GithubAction(category, operation, options)


def _named(words: tuple[ActionWord, ...]) -> tuple[str, str, tuple[ActionWord, ...]]:
    first, rest = words[0].text, words[1:]
    if first == "gh":
        raise UsageError(_("it is a shell command, not a typed action"), mend=_("write the step as bash"))
    written = first or ""
    if not re.search("[/.]", written):
        if not rest or rest[0].text is None or not written:
            raise UsageError(_("which operation runs is not certain"))
        written, rest = f"{written}/{rest[0].text}", rest[1:]
    category, _mark, operation = re.split("([/.])", written, maxsplit=1)
    name = f"{category}/{_CAMEL.sub('-', operation).replace('_', '-').lower()}"
    if not _NAME.fullmatch(name):
        raise UsageError(_("{name} is no operation of GitHub's").format(name=written))
    return category, name.partition("/")[2], rest
