"""Kubernetes and what is deployed with it: kubectl, helm, argocd, flux, istioctl."""

from __future__ import annotations

from cockpit.safety.shell.families.wrappers import leading, tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import (
    MUTATING,
    READ,
    UNKNOWN,
    Call,
    Tool,
    denied,
    destructive,
    mutating,
    names,
    of_verdict,
    plain,
    reading,
    tree,
    unknown,
)
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_GLOBAL_VALUES = """-n --namespace --context --cluster --user --kubeconfig --request-timeout -s --server --as
    --as-group --as-uid --token --certificate-authority --client-certificate --client-key --tls-server-name -v
    --v --password --username"""
_GLOBAL_FLAGS = "--insecure-skip-tls-verify --match-server-version --warnings-as-errors"
_WRITES = denied("--raw --profile --profile-output --cache-dir --log-file --log-dir", UNKNOWN)
_POD_LIKE = names("pod pods po")
_SECRET_LIKE = ("secret", "secrets", "secret/", "secrets/")


def _get(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, tool.values | names("""-o --output -l --selector --field-selector --sort-by -L"""))
    for name, _value in found.options:
        if name in _WRITES or (name.startswith("--ra") and "--raw".startswith(name)):
            return unknown(_("kubectl get {option} is not known to be read-only").format(option=name))
    tags = ["unbounded"] if found.has("-w", "--watch", "--watch-only") else []
    first = found.operands[0].text if found.operands else ""
    kinds = first.split(",")
    if found.value("-o", "--output") and any(kind.startswith(_SECRET_LIKE) for kind in kinds):
        tags.append("sensitive-read")
    return reading(*tags)


def _change(verdict: Tool) -> Tool:
    """A verb that changes things unless it is told to try only."""

    def judge(call: Call, tool: Tool) -> Judgement:
        dry = [word.text for word in call.args if word.constant and word.text.startswith("--dry-run")]
        if dry and dry[-1] == "--dry-run=client":
            return reading()
        if dry and dry[-1] == "--dry-run=server":
            return unknown(_("a server-side dry run still runs admission hooks"))
        if any(word.constant and word.text in ("--force", "--prune") for word in call.args):
            return destructive(_("kubectl with --force or --prune replaces or removes objects"))
        return of_verdict(verdict.verdict, "kubectl")

    return Tool(special=judge)


def _delete(call: Call, tool: Tool) -> Judgement:
    """Deleting a pod is a restart; deleting anything else is a loss."""
    if any(word.constant and word.text == "--dry-run=client" for word in call.args):
        return reading()
    found = read_options(
        call.args, tool.values | names("-l --selector --field-selector --grace-period --timeout -f -k")
    )
    first = found.operands[0] if found.operands else Word("")
    kind = first.text.partition("/")[0]
    if first.constant and kind in _POD_LIKE and not found.has("-f", "--filename", "-k", "--all-namespaces", "-A"):
        return mutating(_("it deletes pods; their controller starts new ones"))
    return destructive(_("kubectl delete {kind} can't be undone").format(kind=kind or _("of objects")))


def _exec(call: Call, tool: Tool) -> Judgement:
    args = call.args
    dashes = next((at for at, word in enumerate(args) if word.constant and word.text == "--"), None)
    if dashes is None or dashes + 1 == len(args):
        return unknown(_("kubectl exec without `-- COMMAND` opens a terminal or can't be told apart"), "exec-remote")
    own = args[:dashes]
    at = leading(
        own, tool.values | names("-c --container --pod-running-timeout"), names("""-i -t -q --stdin --tty --quiet""")
    )
    if at is None:
        return unknown(_("kubectl exec: an option is not known to be harmless"), "exec-remote")
    return tagged(call.shell.command(args[dashes + 1 :], call.stdin), "exec-remote")


_READS = """describe events version api-resources api-versions cluster-info explain top options wait rollout/status
    rollout/history auth/can-i auth/whoami config/current-context config/get-contexts config/get-clusters
    config/get-users certificate/list alpha/events plugin/list completion"""
_KUBECTL = tree(
    trusting=True,
    values=_GLOBAL_VALUES,
    flags=_GLOBAL_FLAGS,
    read=_READS,
    unknown="diff proxy port-forward attach debug cp exec edit",
    denied=_WRITES,
    overrides={
        "get": Tool(special=_get),
        "logs": Tool(
            unbounded=names("-f --follow"),
            values=names("-c -l --tail --since --since-time --container"),
            denied=_WRITES,
            trusting=True,
        ),
        "kustomize": Tool(
            denied=denied("-o --output") | denied("--enable-exec --enable-alpha-plugins --enable-helm", UNKNOWN)
        ),
        "config/view": Tool(denied=denied("--raw", UNKNOWN)),
        "cluster-info/dump": Tool(denied=denied("--output-directory")),
        "delete": Tool(special=_delete),
        "exec": Tool(special=_exec),
        **{
            verb: _change(Tool(verdict=MUTATING))
            for verb in names("""apply create patch replace scale autoscale set label annotate expose run
                rollout/restart rollout/undo rollout/pause rollout/resume cordon uncordon drain taint
                certificate/approve certificate/deny auth/reconcile edit cp config/set config/set-context
                config/set-cluster config/set-credentials config/use-context config/use config/unset
                config/rename-context config/delete-context config/delete-cluster set/image set/env
                set/resources set/selector set/serviceaccount set/subject""")
            if verb != "set"
        },
    },
)
_HELM_VALUES = """-n --namespace --kube-context --kubeconfig --kube-apiserver --kube-token --kube-as-user
    --registry-config --repository-cache --repository-config --burst-limit --qps"""
_HELM = tree(
    values=_HELM_VALUES,
    flags="--debug",
    read="""list ls status history hist get/all get/manifest get/notes get/hooks get/metadata show/all show/chart
    show/values show/readme show/crds search/repo search/hub lint version env repo/list repo/ls
    dependency/list dependency/ls dep/list dep/ls plugin/list plugin/ls verify completion""",
    mutating="""install upgrade rollback test repo/add repo/update repo/remove repo/index pull fetch push package
    plugin/install plugin/update plugin/uninstall dependency/update dependency/build dep/update dep/build
    registry/login registry/logout create""",
    destructive="uninstall delete del un",
    overrides={
        "get/values": Tool(tags=("sensitive-read",)),
        "template": Tool(
            denied=denied("--post-renderer", UNKNOWN)
            | denied("--output-dir")
            | denied("--release-name --validate", READ)
        ),
    },
)
_ARGOCD = tree(
    values="""--server --auth-token --grpc-web-root-path --config --header -H --argocd-context --kube-context
        --loglevel --logformat --client-crt --client-crt-key --server-crt --port-forward-namespace
        --redis-haproxy-name""",
    flags="--grpc-web --insecure --plaintext --core --port-forward",
    read="""app/list app/history app/logs app/manifests app/resources app/wait cluster/list cluster/get proj/list
    proj/get repo/list repo/get appset/list appset/get account/list account/get account/can-i
    account/get-user-info cert/list version admin/settings/validate""",
    mutating="""app/create app/set app/unset app/patch app/edit app/sync app/rollback app/terminate-op app/actions
    app/patch-resource login logout relogin cluster/add cluster/set proj/create proj/set repo/add
    appset/create appset/update account/update-password""",
    destructive="app/delete app/delete-resource cluster/rm proj/delete repo/rm appset/delete",
    denied=denied("--refresh --hard-refresh"),
    overrides={
        "context": Tool(operands=0),
        "app/get": Tool(denied=denied("--refresh --hard-refresh")),
        "app/diff": Tool(denied=denied("--refresh --hard-refresh") | denied("--local", UNKNOWN)),
    },
)

TOOLS: dict[str, Tool] = {
    **plain("kubectl k oc kubecolor", _KUBECTL),
    "helm": _HELM,
    "argocd": _ARGOCD,
    "flux": tree(
        values="-n --namespace --context --kubeconfig",
        flags="-A --all-namespaces",
        read="""get/all get/kustomizations get/helmreleases get/sources get/images get/ks get/hr logs check events
        stats tree version export trace""",
        mutating="reconcile suspend resume create bootstrap install",
        destructive="delete uninstall",
    ),
    "istioctl": tree(
        values="-n --namespace --context -i --istioNamespace -c",
        read="proxy-status ps proxy-config pc analyze version describe x/describe",
        mutating="install upgrade manifest",
        destructive="uninstall",
    ),
    "stern": Tool(unbounded_unless=names("--no-follow")),
    "kubetail": Tool(tags=("unbounded",)),
    "kubens": Tool(operands=0),
    "kubectx": Tool(operands=0, denied=denied("-d -u")),
    "kustomize": tree(
        read="build version",
        mutating="edit create",
        denied=denied("-o --output") | denied("--enable-exec --enable-alpha-plugins --enable-helm", UNKNOWN),
    ),
    "kubeconform": Tool(),
    "velero": tree(
        values="-n --namespace --kubecontext",
        read="""backup/get backup/describe backup/logs restore/get restore/describe restore/logs schedule/get
            version""",
        mutating="backup/create schedule/create restore/create",
        destructive="backup/delete schedule/delete",
    ),
    "eksctl": tree(read="get version info", mutating="create scale upgrade update", destructive="delete drain"),
}
