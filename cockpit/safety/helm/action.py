"""What a typed Helm action says, in helm's own words, without running anything.

    rollback shop 3 --wait --timeout 5m

Which cluster it goes to, and as whom, is the target's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord, action_lines
from cockpit.safety.tables import names
from cockpit.words import _

_SHORT = {"-n": "--namespace", "-A": "--all-namespaces", "-f": "--values", "-i": "--install", "-o": "--output"}
_ALIASES = {"ls": "list", "hist": "history"}
_TWO_WORDS = names("get repo plugin dependency dep registry search show inspect")
FLAGS = names(
    """--all-namespaces --wait --wait-for-jobs --force --no-hooks --cleanup-on-fail --atomic --install
    --reuse-values --reset-values --reset-then-reuse-values"""
)
"""Options that take no word behind them."""
_ROLLS_OUT = names("--namespace --wait --wait-for-jobs --timeout --force --no-hooks --cleanup-on-fail --history-max")

OPTIONS: Mapping[str, frozenset[str]] = {
    "list": names("--namespace --all-namespaces --filter"),
    "status": names("--namespace --revision"),
    "history": names("--namespace --max"),
    "get values": names("--namespace --revision --output"),
    "rollback": _ROLLS_OUT,
    "upgrade": _ROLLS_OUT
    | names(
        """--version --set --set-string --values --reuse-values --reset-values --reset-then-reuse-values --atomic
        --install --description"""
    ),
}
"""Every typed action there is, and the options it takes."""


@dataclass(frozen=True, slots=True)
class HelmAction:
    """One action. `options` are by their long name, in the order given: a word each time, none for a flag.

    `words` are all of it as written.
    """

    verb: str
    operands: tuple[ActionWord, ...]
    options: Mapping[str, tuple[ActionWord, ...]] = field(default_factory=dict)
    words: tuple[ActionWord, ...] = ()


def helm_actions(text: str) -> tuple[HelmAction, ...]:
    """The actions of a step, in order.

    Raises:
        UsageError: a line that is no such action.
    """
    return tuple(_action(words) for words in action_lines(text))


def _action(words: tuple[ActionWord, ...]) -> HelmAction:
    if words[0].text == "helm":
        raise UsageError(_("it is a shell command, not a typed action"), mend=_("write the step as bash"))
    length = 2 if words[0].text in _TWO_WORDS else 1
    path = [word.text for word in words[:length]]
    if None in path:
        raise UsageError(_("the verb of an action can't be an input"))
    verb = " ".join(filter(None, path))
    verb = _ALIASES.get(verb, verb)
    if verb not in OPTIONS:
        return HelmAction(verb, (), {}, words)
    operands, options = _sorted(verb, words[length:])
    return HelmAction(verb, operands, options, words)


def _sorted(verb: str, words: Sequence[ActionWord]) -> tuple[tuple[ActionWord, ...], dict[str, tuple[ActionWord, ...]]]:
    """Operands and options. An input is never taken for an option, whatever its value is."""
    operands: list[ActionWord] = []
    options: dict[str, tuple[ActionWord, ...]] = {}
    rest = iter(words)
    for word in rest:
        if not word.beginning.startswith("-"):
            operands.append(word)
            continue
        written, equals, _value = word.beginning.partition("=")
        name = _SHORT.get(written, written)
        if not equals and not word.constant:
            raise UsageError(_("an option with an input in it is written --NAME=$INPUT"))
        if name not in OPTIONS[verb] or (name in FLAGS and equals):
            raise UsageError(
                _("{verb} has no option {option}").format(verb=verb, option=word.beginning if equals else written),
                mend=_("the target says which cluster and user; anything else is a bash step with helm"),
            )
        if name in FLAGS:
            options[name] = ()
            continue
        value = word.after(len(written) + 1) if equals else next(rest, None)
        if value is None:
            raise UsageError(_("{option} needs a value").format(option=name))
        options[name] = (*options.get(name, ()), value)
    return tuple(operands), options
