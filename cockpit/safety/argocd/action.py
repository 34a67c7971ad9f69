"""What a typed ArgoCD action says, in its command line's own words, without running anything.

    app sync shop --revision v1.4.1

Which server it goes to, and as whom, is the target's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord, action_lines
from cockpit.safety.tables import names
from cockpit.words import _

_SHORT = {
    "-o": "--output",
    "-l": "--selector",
    "-p": "--project",
    "-N": "--app-namespace",
    "-c": "--cluster",
    "-r": "--repo",
    "-f": "--follow",
    "-y": "--yes",
}
_ALONE = names("version login logout relogin context configure completion")
_GROUPS = names("app/actions proj/windows proj/role account/session-token admin/settings")
FLAGS = names(
    """--show-params --show-operation --refresh --hard-refresh --health --sync --operation --suspended --degraded
    --delete --dry-run --prune --force --replace --async --wait --follow --previous --orphan --orphaned --exit-code
    --short --client --cascade --yes --upsert --all --server-side --apply-out-of-sync-only --assumeYes --hydrated"""
)
"""Options that take no word behind them."""
_ABOUT_THE_CALL = names(
    """--server --auth-token --config --argocd-context --core --header -H --kube-context --grpc-web --insecure
    --grpc-web-root-path --plaintext --client-crt --client-crt-key --server-crt --port-forward --port-forward-namespace
    --server-name --redis-name --controller-name --repo-server-name --prompts-enabled --http-retry-max"""
)


@dataclass(frozen=True, slots=True)
class ArgocdAction:
    """One action. `verb` is its path of words, `app actions list`; `options` are by their long name, None for a flag
    without a value."""

    verb: str
    operands: tuple[ActionWord, ...] = ()
    options: Mapping[str, ActionWord | None] = field(default_factory=dict)

    def has(self, *options: str) -> bool:
        """Whether one of these is given, and not with a plain `false`."""
        given = [self.options[name] for name in options if name in self.options]
        return any(value is None or value.text != "false" for value in given)


def argocd_actions(text: str) -> tuple[ArgocdAction, ...]:
    """The actions of a step, in order.

    Raises:
        UsageError: a line that is no such action.
    """
    return tuple(_action(words) for words in action_lines(text))


def _action(words: tuple[ActionWord, ...]) -> ArgocdAction:
    verb, rest = _verb(words)
    operands: list[ActionWord] = []
    options: dict[str, ActionWord | None] = {}
    due = ""
    for word in rest:
        if due:
            options[due], due = word, ""
        elif not word.beginning.startswith("-"):
            operands.append(word)
        else:
            name, value = _option(word)
            options[name] = value
            due = name if value is None and name not in FLAGS else ""
    if due:
        raise UsageError(_("{option} needs a value").format(option=due))
    return ArgocdAction(verb, tuple(operands), options)


def _verb(words: tuple[ActionWord, ...]) -> tuple[str, tuple[ActionWord, ...]]:
    path: list[str] = []
    for word in words[:3]:
        if word.text is None:
            raise UsageError(_("the verb of an action can't be an input"))
        path.append(word.text)
        if (len(path) == 1 and path[0] in _ALONE) or (len(path) == 2 and "/".join(path) not in _GROUPS):
            break
    if path[0] == "argocd":
        raise UsageError(_("it is a shell command, not a typed action"), mend=_("write the step as bash"))
    return " ".join(path), words[len(path) :]


def _option(word: ActionWord) -> tuple[str, ActionWord | None]:
    written, equals, _value = word.beginning.partition("=")
    if not equals and not word.constant:
        raise UsageError(_("an option with an input in it is written --NAME=$INPUT"))
    if written in _ABOUT_THE_CALL:
        raise UsageError(_("a typed action has no option {option}").format(option=written))
    return _SHORT.get(written, written), word.after(len(written) + 1) if equals else None
