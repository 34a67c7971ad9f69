"""What a typed Kubernetes action says: verb, objects and options, in kubectl's own words, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord, action_lines
from cockpit.words import _

_SHORT = {
    "-n": "--namespace",
    "-A": "--all-namespaces",
    "-l": "--selector",
    "-o": "--output",
    "-c": "--container",
    "-p": "--previous",
}
_FLAGS = frozenset({"--all-namespaces", "--previous", "--timestamps"})
_TWO_WORDS = frozenset({"rollout", "set", "auth"})

OPTIONS: Mapping[str, frozenset[str]] = {
    "get": frozenset({"--namespace", "--all-namespaces", "--selector", "--field-selector", "--output"}),
    "describe": frozenset({"--namespace"}),
    "logs": frozenset({"--namespace", "--container", "--tail", "--since", "--previous", "--timestamps"}),
    "events": frozenset({"--namespace", "--all-namespaces", "--for"}),
    "top": frozenset({"--namespace", "--all-namespaces", "--selector"}),
    "auth can-i": frozenset({"--namespace"}),
    "rollout status": frozenset({"--namespace", "--timeout"}),
    "rollout history": frozenset({"--namespace"}),
    "rollout undo": frozenset({"--namespace", "--to-revision"}),
    "rollout restart": frozenset({"--namespace"}),
    "rollout pause": frozenset({"--namespace"}),
    "rollout resume": frozenset({"--namespace"}),
    "scale": frozenset({"--namespace", "--replicas", "--current-replicas"}),
    "set env": frozenset({"--namespace", "--container"}),
    "set image": frozenset({"--namespace"}),
    "delete": frozenset({"--namespace"}),
    "exec": frozenset({"--namespace", "--container"}),
}
"""Every typed action there is, and the options it takes. Which cluster and which user is the target's business."""


@dataclass(frozen=True, slots=True)
class KubernetesAction:
    """One action. `options` are by their long name, None for a flag; `command` is what stands behind `--`."""

    verb: str
    operands: tuple[ActionWord, ...]
    options: Mapping[str, ActionWord | None] = field(default_factory=dict)
    command: tuple[ActionWord, ...] = ()


def kubernetes_actions(text: str) -> tuple[KubernetesAction, ...]:
    """The actions of a step, in order.

    Raises:
        UsageError: a line that is no such action.
    """
    return tuple(_action(words) for words in action_lines(text))


def _action(words: tuple[ActionWord, ...]) -> KubernetesAction:
    if words[0].text == "kubectl":
        raise UsageError(_("it is a shell command, not a typed action"), mend=_("write the step as bash"))
    verb, rest = _verb(words)
    dashes = next((at for at, word in enumerate(rest) if word.text == "--"), None)
    own, command = (rest, rest[:0]) if dashes is None else (rest[:dashes], rest[dashes + 1 :])
    operands, options = _sorted(verb, own)
    return KubernetesAction(verb, operands, options, command)


def _verb(words: tuple[ActionWord, ...]) -> tuple[str, tuple[ActionWord, ...]]:
    verb = words[0].text
    if verb is None:
        raise UsageError(_("the verb of an action can't be an input"))
    if verb in _TWO_WORDS and len(words) > 1 and words[1].text:
        return f"{verb} {words[1].text}", words[2:]
    return ("get" if verb == "list" else verb), words[1:]


def _sorted(verb: str, words: tuple[ActionWord, ...]) -> tuple[tuple[ActionWord, ...], dict[str, ActionWord | None]]:
    """Operands and options. An input is never taken for an option, whatever its value is."""
    operands: list[ActionWord] = []
    options: dict[str, ActionWord | None] = {}
    rest = iter(words)
    for word in rest:
        if not word.beginning.startswith("-") or word.text == "-":
            operands.append(word)
            continue
        name, equals, _value = word.beginning.partition("=")
        long = _SHORT.get(name, name)
        if not equals and not word.constant:
            raise UsageError(_("an option with an input in it is written --NAME=$INPUT"))
        if long in _FLAGS and not equals:
            options[long] = None
        elif long in OPTIONS.get(verb, frozenset()) and long not in _FLAGS:
            options[long] = word.after(len(name) + 1) if equals else next(rest, None)
            if options[long] is None:
                raise UsageError(_("{option} needs a value").format(option=long))
        if long not in OPTIONS.get(verb, frozenset()):
            raise UsageError(
                _("{verb} has no option {option}").format(verb=verb, option=name),
                mend=_("the target says which cluster and user; anything else is a bash step with kubectl"),
            )
    return tuple(operands), options
