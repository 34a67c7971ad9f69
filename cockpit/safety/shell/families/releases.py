"""What is deployed with Kubernetes: helm, argocd, flux, istioctl and their kin."""

from __future__ import annotations

from cockpit.safety.shell.tool import Call, Tool, denied, tree
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, READ, UNKNOWN, Judgement, Verdict, of_verdict

_TRIES = names("--dry-run --dry-run=client --dry-run=server --dry-run=true")


def _unless_dry_run(verdict: Verdict, label: str) -> Tool:
    """A change; tried only, it is still not provable: it may start hooks, renderers and plugins."""

    def judge(call: Call, tool: Tool) -> Judgement:
        tries = any(word.constant and word.text in _TRIES for word in call.args)
        return of_verdict(UNKNOWN if tries else verdict, label)

    return Tool(special=judge)


_FOLLOWS = Tool(unbounded=names("-f --follow"), values=names("-c --tail --since --container -n --namespace"))
_HELM_VALUES = """-n --namespace --kube-context --kubeconfig --kube-apiserver --kube-token --kube-as-user
    --kube-as-group --kube-ca-file --kube-tls-server-name --registry-config --repository-cache --repository-config
    --burst-limit --qps"""
_SENSITIVE = Tool(tags=("sensitive-read",))
_HELM = tree(
    values=_HELM_VALUES,
    flags="--debug --kube-insecure-skip-tls-verify",
    read="""list ls status history hist get/manifest get/notes get/hooks get/metadata show/all show/chart
    show/values show/readme show/crds inspect/values inspect/chart search/repo search/hub lint version env repo/list
    repo/ls dependency/list dependency/ls dep/list dep/ls plugin/list plugin/ls verify completion""",
    mutating="""test repo/add repo/update repo/up repo/remove repo/rm repo/index pull fetch push package
    plugin/install plugin/update plugin/uninstall dependency/update dependency/up dependency/build dep/update dep/up
    dep/build registry/login registry/logout create""",
    overrides={
        "get/values": _SENSITIVE,
        "get/all": _SENSITIVE,
        "template": Tool(
            denied=denied("--post-renderer --post-renderer-args", UNKNOWN)
            | denied("--output-dir --dependency-update --release-name")
            | denied("--validate", READ)
        ),
        **{verb: _unless_dry_run(MUTATING, f"helm {verb}") for verb in ("install", "upgrade", "rollback")},
        **{verb: _unless_dry_run(DESTRUCTIVE, f"helm {verb}") for verb in ("uninstall", "delete", "del", "un")},
    },
)
_ARGOCD = tree(
    values="""--server --auth-token --grpc-web-root-path --config --header -H --argocd-context --kube-context
        --loglevel --logformat --client-crt --client-crt-key --server-crt --port-forward-namespace
        --redis-haproxy-name --controller-name --repo-server-name --server-name""",
    flags="--grpc-web --insecure --plaintext --core --port-forward",
    read="""app/list app/history app/manifests app/resources app/wait app/get-resource app/actions/list cluster/list
    cluster/get proj/list proj/get proj/windows/list proj/role/list repo/list repo/get repocreds/list appset/list
    appset/get account/list account/get account/can-i account/get-user-info cert/list gpg/list version
    admin/settings/validate""",
    mutating="""app/create app/set app/unset app/patch app/edit app/rollback app/terminate-op
    app/actions/run app/patch-resource app/add-source app/remove-source login logout relogin cluster/add cluster/set
    cluster/rotate-auth proj/create proj/set repo/add appset/create appset/update account/update-password
    account/generate-token""",
    destructive="app/delete app/delete-resource cluster/rm proj/delete repo/rm appset/delete cert/rm gpg/rm",
    denied=denied("--refresh --hard-refresh"),
    overrides={
        "context": Tool(operands=0, denied=denied("--delete")),
        "app/get": Tool(denied=denied("--refresh --hard-refresh")),
        "app/logs": _FOLLOWS,
        "app/sync": _unless_dry_run(MUTATING, "argocd app sync"),
        "app/diff": Tool(denied=denied("--refresh --hard-refresh") | denied("--local", UNKNOWN)),
    },
)
_ENVOY = names(
    """cluster clusters c listener listeners l route routes r endpoint endpoints ep bootstrap b secret secrets s all a
    ecds rootca-compare"""
)
_PROXY_CONFIG = " ".join(f"{verb}/{what}" for verb in ("proxy-config", "pc") for what in sorted(_ENVOY))
_LEVELS = Tool(denied=denied("--level --reset -r"))

TOOLS: dict[str, Tool] = {
    "helm": _HELM,
    "argocd": _ARGOCD,
    "flux": tree(
        values="-n --namespace --context --kubeconfig --timeout --cluster --user --as",
        flags="-A --all-namespaces --verbose",
        read="get check events stats tree version export trace completion",
        mutating="reconcile suspend resume create bootstrap install migrate push tag pull",
        destructive="delete uninstall",
        overrides={"logs": Tool(unbounded=names("-f --follow")), "debug": _SENSITIVE},
    ),
    "istioctl": tree(
        values="-n --namespace --context -i --istioNamespace -c --kubeconfig --revision",
        flags="--vklog",
        read=f"""proxy-status ps analyze version validate describe verify-install remote-clusters tag/list
        profile/list profile/dump profile/diff waypoint/list waypoint/status x/describe x/precheck x/authz/check
        x/check-inject
        x/injector/list experimental/describe experimental/precheck experimental/authz/check experimental/check-inject
        ztunnel-config/all ztunnel-config/workload ztunnel-config/service ztunnel-config/policy {_PROXY_CONFIG}""",
        mutating="""install upgrade manifest/apply bug-report tag/set tag/generate waypoint/apply
        create-remote-secret""",
        destructive="uninstall tag/remove waypoint/delete",
        unknown="dashboard d kube-inject",
        overrides={"proxy-config/log": _LEVELS, "pc/log": _LEVELS, "manifest/generate": Tool(denied=denied("-o"))},
    ),
    "pilot-agent": tree(read="request/GET version"),
    "linkerd": tree(
        values="-n --namespace --context --kubeconfig -L --linkerd-namespace",
        read="check version viz/stat viz/edges viz/routes diagnostics/proxy-metrics",
        mutating="inject upgrade install",
        destructive="uninstall",
    ),
}
