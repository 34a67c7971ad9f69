"""AWS: typed actions through boto3, each step a program of its own.

[target.shop]
kind = "aws"
region = "ap-northeast-2"
profile = "oncall"
"""

from __future__ import annotations

import asyncio
import configparser
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.aws import waiting
from cockpit.adapters.aws.answer import show
from cockpit.adapters.aws.failure import as_our_errors
from cockpit.adapters.aws.parameters import parameters_of, taken_apart
from cockpit.adapters.aws.session import Account, AwsOptions
from cockpit.adapters.base import Enforcement
from cockpit.adapters.checking import Check
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.step_program.adapter import StepProgram, Task, only_reads
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AdapterError, PolicyRefusal, UsageError
from cockpit.safety.action_words import ActionWord
from cockpit.safety.aws.action import AwsAction, aws_actions
from cockpit.safety.aws.judgement import judge_operation
from cockpit.safety.verdict import Verdict
from cockpit.words import _

_MOST_ITEMS = 1000
_SHORT_S = 1800.0
_PAGING = frozenset({"next-token", "max-results", "max-items", "starting-token", "marker", "limit"})
_MAY_CHANGE = (
    "ecs:UpdateService",
    "lambda:UpdateFunctionCode",
    "s3:PutObject",
    "s3:DeleteObject",
    "route53:ChangeResourceRecordSets",
    "ssm:SendCommand",
    "ec2:TerminateInstances",
    "iam:CreateAccessKey",
)
"""What read-only credentials may not do."""


class AwsAdapter(StepProgram[AwsOptions]):
    """Runs typed actions in one account and region. Made with the target's options."""

    name: ClassVar[str] = "aws"
    languages: ClassVar[frozenset[str]] = frozenset({"aws"})
    Options: ClassVar[type[Struct]] = AwsOptions

    def perform(self, task: Task, page: Page) -> None:
        """Carry out the step's actions in order, up to the first that fails.

        Raises:
            PolicyRefusal: the task only reads, and an action does not. UsageError: no action. AdapterError: the rest.
        """
        actions = aws_actions(task.body)
        if task.read_only:
            for action in actions:
                _check(action)
        account = self._account(sealed=task.read_only)
        task.require_still_permitted()
        for action in actions:
            if len(actions) > 1:
                page.line(f"> {action.service} {action.operation}")
            with account.sent.unknown_if_it_breaks():
                _perform(account, action, task, page)

    def enforced(self, task: Task) -> Enforcement:
        """Asks who these credentials are, and, where they may know, what they may do.

        Raises:
            CockpitError: it can't be asked.
        """
        account = self._account(sealed=True)
        who = account.call("sts", "GetCallerIdentity", {})["Arn"]
        asked = {"PolicySourceArn": _source(who), "ActionNames": list(_MAY_CHANGE)}
        try:
            results = account.call("iam", "SimulatePrincipalPolicy", asked).get("EvaluationResults", [])
        except AdapterError:
            results = []
        allowed = [it["EvalActionName"] for it in results if it["EvalDecision"] == "allowed"]
        if allowed or len(results) < len(_MAY_CHANGE):
            what = ", ".join(allowed[:3]) if allowed else _("what nobody here can tell")
            return Enforcement("tool", _("{who} may do {what}").format(who=who, what=what))
        return Enforcement("server", _("AWS lets {who} only read").format(who=who))

    async def checks(self) -> Sequence[Check]:
        """Who one is here, where, and for how long. See `ChecksItself`."""
        signed_in, kept = await asyncio.gather(
            OwnThread[list[Check]]("aws checks").run(self._signed_in), super().checks(), return_exceptions=True
        )
        if isinstance(signed_in, BaseException):
            raise signed_in  # what is wrong with that is wrong with the rest
        return [*signed_in, *([] if isinstance(kept, BaseException) else kept)]

    def _signed_in(self) -> list[Check]:
        account = self._account(sealed=True)
        told = account.call("sts", "GetCallerIdentity", {})
        who = _("signed in as {who}, region {region}").format(who=told.get("Arn", "-"), region=account.region or "-")
        return [Check(text=who), *_how_long(account)]

    def other_secrets(self) -> Sequence[str]:
        """Secret keys and tokens of the shared credentials file."""
        parser = configparser.RawConfigParser()
        try:
            parser.read(Path("~/.aws/credentials").expanduser(), encoding="utf-8")
        except (OSError, ValueError, configparser.Error):
            return ()
        kept = ("aws_secret_access_key", "aws_session_token")
        return [section[key] for section in parser.values() for key in kept if section.get(key)]

    def _account(self, *, sealed: bool) -> Account:
        if self.options.endpoint_url and not self.trusted:
            raise PolicyRefusal(
                _("a document can't say where requests signed with your credentials go"),
                where="endpoint_url",
                mend=_("configure the target in cockpit.toml"),
            )
        with needing("boto3", "aws"):
            return Account(self.options, sealed=sealed)


def _how_long(account: Account) -> Iterator[Check]:
    """When the credentials end, where they do."""
    end = account.expires()
    if end is None:
        if account.is_temporary():
            text = _("the sign-in ends some time, and nothing here says when")
            yield Check(text=text, standing="warning", mend=_("sign in anew before a long incident"))
        return
    left_s = (end - datetime.now(UTC)).total_seconds()
    text = _("the sign-in ends at {at} UTC, in {minutes:.0f} min").format(
        at=end.astimezone(UTC).strftime("%H:%M"), minutes=max(0.0, left_s / 60)
    )
    short = left_s < _SHORT_S
    yield Check(
        text=text, standing="warning" if short else "ok", mend=_("sign in anew: aws sso login") if short else ""
    )


def _check(action: AwsAction) -> None:
    if judge_operation(action.service, action.operation, action.options).verdict is not Verdict.READ_ONLY:
        raise only_reads(f"{action.service} {action.operation}")


def _perform(account: Account, action: AwsAction, task: Task, page: Page) -> None:
    name = account.operation(action.service, action.operation)
    model = account.client(action.service).meta.service_model.operation_model(name)
    options, parameters = taken_apart(action.service, name, action.options, task.values)
    options, most = _limited(options, model.input_shape, task.values)
    parameters |= parameters_of(model.input_shape, options, task.values)
    if action.wait:
        waiting.check(action.service, name)
    paged = not _PAGING & options.keys() and account.client(action.service).can_paginate(_method(name))
    answer = _pages(account, action.service, name, parameters, most, page) if paged else None
    answer = account.call(action.service, name, parameters) if answer is None else answer
    show(answer, model.output_shape, page)
    if action.wait:
        waiting.wait(account, action.service, name, parameters, answer, page)


def _limited(
    options: Mapping[str, tuple[ActionWord, ...]], shape: Any, values: Mapping[str, str]
) -> tuple[Mapping[str, tuple[ActionWord, ...]], int]:
    """How many entries are wanted at most. `--max-items` is the command line's own, unless the operation has it too."""
    if "max-items" not in options or (shape and "MaxItems" in shape.members):
        return options, _MOST_ITEMS
    text = "".join(word.filled(values) for word in options["max-items"])
    if not text.isdecimal() or not int(text):
        raise UsageError(_("{option} wants a number, not {value}").format(option="--max-items", value=repr(text)))
    return {name: words for name, words in options.items() if name != "max-items"}, min(int(text), _MOST_ITEMS)


def _pages(
    account: Account, service: str, name: str, parameters: dict[str, Any], most: int, page: Page
) -> dict[str, Any]:
    """An answer with all its pages, up to so many entries."""
    with as_our_errors(account.region):
        pages = (
            account.client(service)
            .get_paginator(_method(name))
            .paginate(**parameters, PaginationConfig={"MaxItems": most})
        )
        whole: dict[str, Any] = pages.build_full_result()
    if whole.pop("NextToken", None):
        page.line(f"… only the first {most}")
    return whole


def _method(name: str) -> str:
    """An operation's name as boto3's methods spell it."""
    from botocore import xform_name

    return str(xform_name(name))


def _source(arn: str) -> str:
    """The role behind a session: arn:aws:sts::1:assumed-role/NAME/SESSION is arn:aws:iam::1:role/NAME."""
    head, mark, rest = arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}" if mark else arn
