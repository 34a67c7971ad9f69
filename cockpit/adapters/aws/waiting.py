"""`--wait`: until what an operation asked for has happened, with what happens on the way.

By then it is asked for: a token that runs out, or a link that breaks, ends the waiting and leaves open how it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cockpit.adapters.aws.command_wait import command_over
from cockpit.adapters.aws.following import Following, Parameters
from cockpit.adapters.aws.session import Account
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, Declined, OutcomeUnknown, UsageError
from cockpit.words import _


def wait(account: Account, service: str, operation: str, parameters: Parameters, answer: Any, page: Page) -> None:
    """Wait for the end of what `operation` (in the API's spelling) began.

    Raises:
        UsageError: nothing is known of its end. Declined: it failed. OutcomeUnknown: its end can't be seen from here.
        KeyboardInterrupt: cancelled, on the server too where it can be.
    """
    check(service, operation)
    try:
        _WAITS[service, operation](Following(account, page), parameters, answer)
    except (Declined, OutcomeUnknown):
        raise
    except CockpitError as error:
        raise OutcomeUnknown(
            _("it was begun, and how it ends is not known: {error}").format(error=error.what),
            where=error.where,
            mend=error.mend or _("look before you run it again"),
        ) from error


def check(service: str, operation: str) -> None:
    """Raise UsageError when nothing is known of an operation's end."""
    if (service, operation) not in _WAITS:
        known = ", ".join(f"{one} {name}" for one, name in sorted(_WAITS))
        raise UsageError(
            _("--wait is not known for {name}").format(name=f"{service} {operation}"),
            mend=_("there are {names}").format(names=known),
        )


def _service_stable(following: Following, parameters: Parameters, answer: Any) -> None:
    """The deployment that was asked for is the only one left, and as many tasks run as are wanted."""
    asked = {"services": [parameters["service"]], "cluster": parameters.get("cluster", "default")}
    ours = _primary(answer.get("service", {})).get("id")
    events = {event.get("id") for event in answer.get("service", {}).get("events", [])}
    while True:
        services = following.ask("ecs", "DescribeServices", asked).get("services", [])
        if not services or services[0].get("status") == "INACTIVE":
            raise Declined(_("{name} is deleted").format(name=parameters["service"]))
        service = services[0]
        for event in reversed(service.get("events", [])):
            if event.get("id") not in events:
                events.add(event.get("id"))
                following.page.line(f"ECS: {event.get('message', '')}")
        following.tell(_deployments(service))
        _require_ours(service, ours)
        deployments, primary = service.get("deployments", []), _primary(service)
        at_rest = primary.get("rolloutState", "COMPLETED") == "COMPLETED"
        if len(deployments) <= 1 and at_rest and service.get("runningCount") == service.get("desiredCount"):
            return
        following.pause()


def _primary(service: Parameters) -> Parameters:
    return next((it for it in service.get("deployments", []) if it.get("status") == "PRIMARY"), {})


def _require_ours(service: Parameters, ours: str | None) -> None:
    """Raise Declined where the deployment has failed, or another took its place: then it was rolled back."""
    for it in service.get("deployments", []):
        if it.get("rolloutState") == "FAILED" and ours in (None, it.get("id")):
            raise Declined(str(it.get("rolloutStateReason") or _("the deployment failed")))
    primary = _primary(service)
    if ours and primary and primary.get("id") != ours:
        raise Declined(
            _("another deployment took its place: {why}").format(
                why=primary.get("rolloutStateReason") or primary.get("taskDefinition", "-")
            )
        )


def _deployments(service: Parameters) -> str:
    parts = [
        f"{it['status']}: {it.get('runningCount', 0)} of {it.get('desiredCount', 0)} running"
        f", {it.get('pendingCount', 0)} starting" + (f", {it['failedTasks']} failed" if it.get("failedTasks") else "")
        for it in service.get("deployments", [])
    ]
    return f"{service['serviceName']}  " + "; ".join(parts)


def _state(
    service: str,
    operation: str,
    asked: Callable[[Parameters, Any], Parameters],
    state: Callable[[Any], tuple[str, str]],
    good: str,
) -> Callable[[Following, Parameters, Any], None]:
    """Wait until a state is `good`, telling each. A state whose name begins with Fail ends it."""

    def wait_for(following: Following, parameters: Parameters, answer: Any) -> None:
        question = asked(parameters, answer)
        while True:
            now, why = state(following.ask(service, operation, question))
            following.tell(now)
            if now.lower() == good:
                return
            if now.lower().startswith("fail"):
                raise Declined(why or now)
            following.pause()

    return wait_for


_FUNCTION_UPDATED = _state(
    "lambda",
    "GetFunctionConfiguration",
    lambda given, answer: {"FunctionName": given["FunctionName"]},
    lambda it: (str(it.get("LastUpdateStatus", "Successful")), str(it.get("LastUpdateStatusReason", ""))),
    "successful",
)
_WAITS: Mapping[tuple[str, str], Callable[[Following, Parameters, Any], None]] = MappingProxyType(
    {
        ("ecs", "UpdateService"): _service_stable,
        ("ssm", "SendCommand"): command_over,
        ("cloudfront", "CreateInvalidation"): _state(
            "cloudfront",
            "GetInvalidation",
            lambda given, answer: {"DistributionId": given["DistributionId"], "Id": answer["Invalidation"]["Id"]},
            lambda it: (str(it["Invalidation"]["Status"]), ""),
            "completed",
        ),
        ("lambda", "UpdateFunctionCode"): _FUNCTION_UPDATED,
        ("lambda", "UpdateFunctionConfiguration"): _FUNCTION_UPDATED,
        ("route53", "ChangeResourceRecordSets"): _state(
            "route53",
            "GetChange",
            lambda given, answer: {"Id": answer["ChangeInfo"]["Id"]},
            lambda it: (str(it["ChangeInfo"]["Status"]), ""),
            "insync",
        ),
    }
)
