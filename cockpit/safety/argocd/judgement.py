"""Verdicts of typed ArgoCD actions: a verb, and what its options make of it.

Refreshing writes to the application, and a dry run of a sync is an operation that the application remembers, with the
hooks and plug-ins that rendering starts: neither is provably only reading.
"""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.safety.argocd.action import ArgocdAction, argocd_actions
from cockpit.safety.tables import names
from cockpit.safety.typed import judge_actions
from cockpit.safety.verdict import Judgement, Verdict, of_verdict, unknown
from cockpit.words import _

_EVERYWHERE = names("--output --app-namespace --project --selector")
_RESOURCE = names("--kind --group --namespace --resource-name --name")
_READS: Mapping[str, frozenset[str]] = {
    "app list": names("--cluster --repo --path"),
    "app get": names(
        "--show-params --show-operation --timeout --source-position --source-name --refresh --hard-refresh"
    ),
    "app history": names("--source-position --source-name"),
    "app diff": names("--revision --revisions --source-positions --source-names --exit-code"),
    "app manifests": names("--source --revision --revisions --source-positions --source-names"),
    "app logs": _RESOURCE
    | names("--container --tail --since-seconds --since-time --until-time --filter --follow --previous"),
    "app resources": names("--orphaned"),
    "app wait": _RESOURCE | names("--health --sync --operation --suspended --degraded --delete --timeout --resource"),
    "app get-resource": _RESOURCE | names("--filter-fields --show-managed-fields"),
    "app actions list": _RESOURCE,
    "appset list": frozenset(),
    "appset get": names("--show-params"),
    "proj list": frozenset(),
    "proj get": frozenset(),
    "proj windows list": frozenset(),
    "proj role list": frozenset(),
    "proj role get": frozenset(),
    "repo list": frozenset(),
    "repo get": frozenset(),
    "repocreds list": frozenset(),
    "cluster list": frozenset(),
    "cluster get": frozenset(),
    "cert list": names("--cert-type --hostname-pattern --sort"),
    "gpg list": frozenset(),
    "gpg get": frozenset(),
    "account list": frozenset(),
    "account get": names("--account"),
    "account can-i": frozenset(),
    "account get-user-info": frozenset(),
    "version": names("--short --client"),
}
"""Every verb that reads, with the options that leave it so."""
_CHANGES = frozenset(
    """app sync,app rollback,app set,app unset,app patch,app patch-resource,app edit,app create,app terminate-op
    app actions run,app add-source,app confirm-deletion,proj create,proj set,proj edit,proj add-destination
    proj add-source,proj add-signature-key,proj add-orphaned-ignore,proj allow-cluster-resource
    proj allow-namespace-resource,proj deny-cluster-resource,proj deny-namespace-resource,proj windows add
    proj windows update,proj windows enable-manual-sync,proj windows disable-manual-sync,proj role create
    proj role create-token,proj role add-policy,proj role add-group,repo add,repocreds add,cluster add,cluster set
    cluster rotate-auth,account update-password,account generate-token,cert add-tls,cert add-ssh,gpg add
    appset create,appset update,login,logout,relogin""".replace("\n    ", ",").split(",")
)
_LOSSES = frozenset(
    """app delete,app delete-resource,app remove-source,appset delete,proj delete,proj remove-destination
    proj remove-source,proj remove-signature-key,proj remove-orphaned-ignore,proj windows delete,proj role delete
    proj role delete-token,proj role remove-policy,proj role remove-group,repo rm,repocreds rm,cluster rm,cert rm,gpg rm
    account delete-token""".replace("\n    ", ",").split(",")
)
_REFRESHES = names("--refresh --hard-refresh")
_ROLLS_OUT = names("--prune --force --replace")
_TOKENS = frozenset({"account generate-token", "proj role create-token"})


def judge_argocd(text: str) -> Judgement:
    """The judgement of a step of typed actions; what is no such action is unknown at best."""
    return judge_actions(text, argocd_actions, judge_action)


def judge_action(action: ArgocdAction) -> Judgement:
    """The judgement of one action."""
    if action.verb in _READS:
        return _judge_read(action)
    loses = action.verb in _LOSSES or (action.verb in ("app sync", "app rollback") and action.has(*_ROLLS_OUT))
    if (loses or action.verb in _CHANGES) and _is_tried(action):
        return of_verdict(Verdict.UNKNOWN, f"{action.verb} --dry-run")
    if loses:
        return of_verdict(Verdict.DESTRUCTIVE, action.verb)
    if action.verb in _CHANGES:
        return of_verdict(Verdict.MUTATING, action.verb, *(("sensitive-read",) if action.verb in _TOKENS else ()))
    return of_verdict(Verdict.UNKNOWN, action.verb)


def _is_tried(action: ArgocdAction) -> bool:
    """Whether it is a dry run for certain."""
    value = action.options.get("--dry-run")
    return "--dry-run" in action.options and (value is None or value.text == "true")


def _judge_read(action: ArgocdAction) -> Judgement:
    if action.has(*_REFRESHES):
        return of_verdict(Verdict.MUTATING, f"{action.verb} --refresh")
    odd = sorted(set(action.options) - _READS[action.verb] - _EVERYWHERE - _REFRESHES)
    if odd:
        told = _("{command}: the option {option} is not known to be harmless")
        return unknown(told.format(command=action.verb, option=odd[0]))
    return of_verdict(Verdict.READ_ONLY, action.verb, *_tags(action))


def _tags(action: ArgocdAction) -> tuple[str, ...]:
    endless = (action.verb == "app logs" and action.has("--follow")) or (
        action.verb == "app wait" and "--timeout" not in action.options
    )
    kind = action.options.get("--kind")
    secret = action.verb == "app get-resource" and (kind is None or kind.text is None or kind.text.lower() == "secret")
    return (*(("unbounded",) if endless else ()), *(("sensitive-read",) if secret else ()))
