"""`--wait`: until what an operation asked for has happened, with what happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cockpit.adapters.aws.failure import as_our_errors
from cockpit.adapters.aws.session import Account
from cockpit.adapters.step_program.page import Page
from cockpit.errors import Declined, UsageError
from cockpit.words import _

_LOOK_S = 3.0
_OVER = frozenset({"Success", "Cancelled", "TimedOut", "Failed", "Undeliverable", "Terminated"})

Parameters = dict[str, Any]


def wait(account: Account, service: str, operation: str, parameters: Parameters, answer: Any, page: Page) -> None:
    """Wait for the end of what `operation` (in the API's spelling) began.

    Raises:
        UsageError: nothing is known of its end. Declined: it failed. KeyboardInterrupt: cancelled, on the server too.
    """
    check(service, operation)
    _WAITS[service, operation](account, parameters, answer, page)


def check(service: str, operation: str) -> None:
    """Raise UsageError when nothing is known of an operation's end."""
    if (service, operation) not in _WAITS:
        known = ", ".join(f"{one} {name}" for one, name in sorted(_WAITS))
        raise UsageError(
            _("--wait is not known for {name}").format(name=f"{service} {operation}"),
            mend=_("there are {names}").format(names=known),
        )


def _service_stable(account: Account, parameters: Parameters, answer: Any, page: Page) -> None:
    """An ECS service has one deployment left, and as many tasks as it wants."""
    asked = {"services": [parameters["service"]], "cluster": parameters.get("cluster", "default")}
    told = ""
    while True:
        services = account.call("ecs", "DescribeServices", asked)["services"]
        if not services:
            raise Declined(_("{name} is deleted").format(name=parameters["service"]))
        line = _deployments(services[0])
        if line != told:
            page.line(line)
            told = line
        failed = [it for it in services[0]["deployments"] if it.get("rolloutState") == "FAILED"]
        if failed:
            raise Declined(str(failed[0].get("rolloutStateReason") or _("the deployment failed")))
        if len(services[0]["deployments"]) <= 1 and services[0]["runningCount"] == services[0]["desiredCount"]:
            return
        time.sleep(_LOOK_S)


def _deployments(service: Parameters) -> str:
    parts = [
        f"{it['status']}: {it.get('runningCount', 0)} of {it.get('desiredCount', 0)} running"
        f", {it.get('pendingCount', 0)} starting"
        for it in service["deployments"]
    ]
    return f"{service['serviceName']}  " + "; ".join(parts)


def _command_over(account: Account, parameters: Parameters, answer: Any, page: Page) -> None:
    """A command has ended on every instance; its outputs are printed as they come. Cancelling cancels it there."""
    command = answer["Command"]["CommandId"]
    told: set[str] = set()
    failed: list[str] = []
    try:
        while True:
            listed = account.call("ssm", "ListCommandInvocations", {"CommandId": command, "Details": True})
            found = listed.get("CommandInvocations", [])
            for one in found:
                if one["Status"] in _OVER and one["InstanceId"] not in told:
                    told.add(one["InstanceId"])
                    failed += [] if one["Status"] == "Success" else [one["InstanceId"]]
                    _print_invocation(one, page)
            if found and len(told) == len(found):
                break
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        account.call("ssm", "CancelCommand", {"CommandId": command})
        raise
    if failed:
        raise Declined(_("the command failed on {names}").format(names=", ".join(failed)))


def _print_invocation(one: Parameters, page: Page) -> None:
    page.line(f"[{one['InstanceId']}] {one['Status']}")
    for plugin in one.get("CommandPlugins", []):
        for line in str(plugin.get("Output") or "").splitlines():
            page.line(f"[{one['InstanceId']}] {line}")


def _waiter(
    service: str, name: str, asked: Callable[[Parameters, Any], Parameters]
) -> Callable[[Account, Parameters, Any, Page], None]:
    """Wait as boto3's own waiter does."""

    def wait_for(account: Account, parameters: Parameters, answer: Any, page: Page) -> None:
        from botocore.exceptions import WaiterError

        try:
            with as_our_errors():
                account.client(service).get_waiter(name).wait(**asked(parameters, answer))
        except WaiterError as error:
            raise Declined(str(error)) from error
        page.line("done")

    return wait_for


_WAITS: Mapping[tuple[str, str], Callable[[Account, Parameters, Any, Page], None]] = MappingProxyType(
    {
        ("ecs", "UpdateService"): _service_stable,
        ("ssm", "SendCommand"): _command_over,
        ("cloudfront", "CreateInvalidation"): _waiter(
            "cloudfront",
            "invalidation_completed",
            lambda given, answer: {"DistributionId": given["DistributionId"], "Id": answer["Invalidation"]["Id"]},
        ),
        ("lambda", "UpdateFunctionCode"): _waiter(
            "lambda", "function_updated_v2", lambda given, answer: {"FunctionName": given["FunctionName"]}
        ),
        ("lambda", "UpdateFunctionConfiguration"): _waiter(
            "lambda", "function_updated_v2", lambda given, answer: {"FunctionName": given["FunctionName"]}
        ),
        ("route53", "ChangeResourceRecordSets"): _waiter(
            "route53", "resource_record_sets_changed", lambda given, answer: {"Id": answer["ChangeInfo"]["Id"]}
        ),
    }
)
