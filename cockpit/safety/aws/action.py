"""What a typed AWS action says: service, operation and parameters, without running anything.

    ecs update-service --cluster shop --service api --force-new-deployment --wait

Service and operation may be written as the CLI, boto3 or the API spell them: `ecs update-service`,
`ecs.update_service`, `ecs:UpdateService`. Parameters are the operation's own, as the CLI spells them; structures are
JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord, action_lines
from cockpit.words import _

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OPERATION = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Where the CLI's name of a service is not the API's.
_CLI_NAMES = {
    "s3api": "s3",
    "deploy": "codedeploy",
    "configservice": "config",
}
_ABOUT_THE_CALL = re.compile(
    r"--(?:endpoint-url|cli-.*|profile|region|query|output|no-verify-ssl|no-sign-request|debug)"
)


@dataclass(frozen=True, slots=True)
class AwsAction:
    """One action. `operation` is in kebab case; `options` by name without dashes, each with the words behind it.

    `wait`: until what it asked for has happened.
    """

    service: str
    operation: str
    options: Mapping[str, tuple[ActionWord, ...]] = field(default_factory=dict)
    wait: bool = False


def aws_actions(text: str) -> tuple[AwsAction, ...]:
    """The actions of a step, in order.

    Raises:
        UsageError: a line that is no such action.
    """
    return tuple(_action(words) for words in action_lines(text))


def kebab(name: str) -> str:
    """An operation's or parameter's name as the CLI spells it: `DescribeServices` is describe-services."""
    return _CAMEL.sub("-", name).replace("_", "-").lower()


def letters(name: str) -> str:
    """A name without its separators: DBInstances, db-instances and d-b-instances are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _action(words: tuple[ActionWord, ...]) -> AwsAction:
    service, operation, rest = _named(words)
    options: dict[str, tuple[ActionWord, ...]] = {}
    name = ""
    for word in rest:
        if not word.beginning.startswith("--"):
            if not name:
                raise UsageError(_("{word} stands where a --parameter is due").format(word=word.text or "$…"))
            options[name] += (word,)
            continue
        written, equals, _value = word.beginning.partition("=")
        if not equals and not word.constant:
            raise UsageError(_("an option with an input in it is written --NAME=$INPUT"))
        if _ABOUT_THE_CALL.fullmatch(written):
            raise UsageError(
                _("a typed action has no option {option}").format(option=written),
                mend=_("the target says where it goes and as whom; anything else is a bash step with aws"),
            )
        name = written[2:]
        options[name] = (word.after(len(written) + 1),) if equals else ()
    wait = options.pop("wait", None)
    if wait:
        raise UsageError(_("{option} takes no value").format(option="--wait"))
    return AwsAction(service, operation, options, wait is not None)


def _named(words: tuple[ActionWord, ...]) -> tuple[str, str, tuple[ActionWord, ...]]:
    first = words[0].text
    if first is None:
        raise UsageError(_("the service of an action can't be an input"))
    if first == "aws":
        raise UsageError(_("it is a shell command, not a typed action"), mend=_("write the step as bash"))
    service, mark, operation = re.split(r"([:.])", first, maxsplit=1) if re.search("[:.]", first) else (first, "", "")
    rest = words[1:]
    if not mark:
        if not rest or rest[0].text is None:
            raise UsageError(_("which operation runs is not certain"))
        operation, rest = rest[0].text, rest[1:]
    if not _NAME.fullmatch(service) or not _OPERATION.fullmatch(operation):
        raise UsageError(_("{name} is no AWS operation").format(name=f"{service} {operation}".strip()))
    service = service.lower()
    if service == "s3" and operation in ("ls", "cp", "mv", "rm", "sync", "mb", "rb", "presign", "website"):
        raise UsageError(
            _("s3 {command} is the command line's own, not an operation").format(command=operation),
            mend=_("write the step as bash: aws s3 {command}").format(command=operation),
        )
    return _CLI_NAMES.get(service, service), kebab(operation), rest
