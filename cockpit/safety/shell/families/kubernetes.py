"""Kubernetes: kubectl and the small tools around it. Options are those of `kubectl VERB --help` 1.32."""

from __future__ import annotations

import re

from cockpit.safety.shell.families.wrappers import tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import MUTATING, UNKNOWN, Judgement, destructive, mutating, of_verdict, reading, unknown
from cockpit.words import _

_GLOBAL_VALUES = """-n --namespace --context --cluster --user --kubeconfig --request-timeout -s --server --as
    --as-group --as-uid --token --certificate-authority --client-certificate --client-key --tls-server-name -v
    --v --password --username --vmodule --log-flush-frequency"""
_GLOBAL_FLAGS = "--insecure-skip-tls-verify --match-server-version --warnings-as-errors --disable-compression"
_WRITES = denied("--raw --profile --profile-output --cache-dir --log-file --log-dir", UNKNOWN)
_POD_LIKE = names("pod pods po")
_SECRET_LIKE = ("secret", "secrets", "secret/", "secrets/")
# Raw paths that only answer. A GET to exec, attach, portforward or proxy acts on what it reaches.
_RAW_READS = re.compile(r"/(?:healthz|livez|readyz|metrics|version|openapi|apis?)(?:[/?].*)?")
_RAW_ACTS = re.compile(r"/(?:proxy|exec|attach|portforward|run|eviction|token)(?:[/?:]|$)|\.\.|%")
_DRY_FLAGS = names(
    """-A --all --all-namespaces --force -R --recursive --server-side --local --overwrite --save-config --prune
    --wait -i
    --stdin --edit --force-conflicts --ignore-daemonsets --delete-emptydir-data"""
)


def _get(call: Call, tool: Tool) -> Judgement:
    found = read_options(
        call.args, tool.values | names("""-o --output -l --selector --field-selector --sort-by -L --raw""")
    )
    raw = found.value("--raw")
    for name, _value in found.options:
        if name in _WRITES and not (name == "--raw" and _raw_reads(raw)):
            return unknown(_("kubectl get {option} is not known to be read-only").format(option=name))
    tags = ["unbounded"] if found.has("-w", "--watch", "--watch-only") else []
    first = found.operands[0].text if found.operands else ""
    kinds = first.split(",")
    if found.value("-o", "--output", "--template") and any(kind.startswith(_SECRET_LIKE) for kind in kinds):
        tags.append("sensitive-read")
    return reading(*tags)


def _raw_reads(path: Word | None) -> bool:
    return (
        path is not None
        and path.constant
        and _RAW_READS.fullmatch(path.text) is not None
        and not _RAW_ACTS.search(path.text)
    )


def _dry_run(call: Call) -> str:
    """Which dry run the words surely ask for: client, server or none at all."""
    asked = ""
    before = Word("")
    for word in call.args:
        if word.kind > Kind.FILES or (not word.constant and word.text.startswith("--d")):
            return ""
        if word.text.startswith("--dry-run"):
            # Behind an option that takes a value it would be that value.
            bare = before.text.startswith("-") and "=" not in before.text and before.text not in _DRY_FLAGS
            asked = "" if bare else word.text.partition("=")[2] or "bare"
        before = word
    return asked


def _change(verdict: Tool, verb: str) -> Tool:
    """A verb that changes things unless it is told to try only."""

    def judge(call: Call, tool: Tool) -> Judgement:
        asked = _dry_run(call)
        if asked == "client":
            return reading()
        if asked == "server":
            return unknown(_("a server-side dry run still runs admission hooks"))
        if any(word.constant and word.text in ("--force", "--prune") for word in call.args):
            return destructive(_("kubectl with --force or --prune replaces or removes objects"))
        return of_verdict(verdict.verdict, f"kubectl {verb.replace('/', ' ')}")

    return Tool(special=judge)


def _delete(call: Call, tool: Tool) -> Judgement:
    """Deleting a pod is a restart; deleting anything else is a loss."""
    if _dry_run(call) == "client":
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
    values = tool.values | names("-c --container --pod-running-timeout")
    flags = names("-i -t -q --stdin --tty --quiet")
    found = read_options(own, values)
    # A word built when it runs is taken for the pod, as in kubectl's other verbs.
    built = found.unclear is not None and not found.unclear.single
    if built or any(name not in values | flags for name, _value in found.options):
        return unknown(_("kubectl exec: an option is not known to be harmless"), "exec-remote")
    if len(found.operands) != 1:
        return unknown(_("kubectl exec: what it starts is not certain"), "exec-remote")
    return tagged(call.shell.elsewhere().command(args[dashes + 1 :], call.stdin), "exec-remote")


_READS = """describe events version api-resources api-versions cluster-info explain top options wait rollout/status
    rollout/history auth/can-i auth/whoami config/current-context config/get-contexts config/get-clusters
    config/get-users certificate/list alpha/events plugin/list completion argo/rollouts/get argo/rollouts/list
    argo/rollouts/status argo/rollouts/version krew/list krew/search"""
_CHANGES = names(
    """apply create patch replace scale autoscale label annotate expose run rollout/restart rollout/undo
    rollout/pause rollout/resume cordon uncordon drain taint certificate/approve certificate/deny auth/reconcile
    edit cp config/set config/set-context config/set-cluster config/set-credentials config/use-context config/use
    config/unset config/rename-context config/delete-context config/delete-cluster set/image set/env set/resources
    set/selector set/serviceaccount set/subject argo/rollouts/promote argo/rollouts/abort argo/rollouts/retry
    argo/rollouts/undo argo/rollouts/restart argo/rollouts/pause argo/rollouts/set krew/install krew/upgrade"""
)


def _kubectl(more_reads: str = "") -> Tool:
    return tree(
        trusting=True,
        values=_GLOBAL_VALUES,
        flags=_GLOBAL_FLAGS,
        read=f"{_READS} {more_reads}",
        unknown="diff proxy port-forward attach debug rsh",
        denied=_WRITES,
        overrides={
            "get": Tool(special=_get),
            "logs": Tool(
                unbounded=names("-f --follow"),
                values=names("-c -l --tail --since --since-time --container --limit-bytes --max-log-requests"),
                denied=_WRITES,
                trusting=True,
            ),
            "kustomize": Tool(
                denied=denied("-o --output") | denied("--enable-exec --enable-alpha-plugins --enable-helm", UNKNOWN)
            ),
            "config/view": Tool(tags=("sensitive-read",), denied=denied("--profile --cache-dir", UNKNOWN)),
            "cluster-info/dump": Tool(denied=denied("--output-directory") | _WRITES, tags=("heavy",)),
            "delete": Tool(special=_delete),
            "exec": Tool(special=_exec),
            **{verb: _change(Tool(verdict=MUTATING), verb) for verb in _CHANGES},
        },
    )


TOOLS: dict[str, Tool] = {
    **plain("kubectl k kubecolor", _kubectl()),
    "oc": _kubectl("status whoami projects adm/top"),
    "stern": Tool(unbounded_unless=names("--no-follow"), values=names("-n --namespace --context --since --tail -c -l")),
    "kubetail": Tool(tags=("unbounded",)),
    "kubens": Tool(operands=0, flags=names("-c --current"), beyond=MUTATING),
    "kubectx": Tool(operands=0, flags=names("-c --current"), denied=denied("-d -u")),
    "kustomize": tree(
        read="build version",
        mutating="edit create",
        denied=denied("-o --output") | denied("--enable-exec --enable-alpha-plugins --enable-helm", UNKNOWN),
    ),
    "kubeconform": Tool(),
    "cmctl": tree(read="status/certificate check/api version", mutating="renew approve deny create"),
    "velero": tree(
        values="-n --namespace --kubecontext",
        read="""backup/get backup/describe backup/logs restore/get restore/describe restore/logs schedule/get
            schedule/describe backup-location/get version""",
        mutating="backup/create schedule/create restore/create",
        destructive="backup/delete schedule/delete restore/delete",
    ),
    "eksctl": tree(
        values="--region --profile --cluster -r -p",
        read="get version info",
        mutating="create scale upgrade update enable",
        destructive="delete drain",
    ),
    "kubeadm": tree(
        read="version config/view config/print token/list certs/check-expiration config/images/list",
        mutating="init join upgrade/apply upgrade/node certs/renew token/create",
        destructive="reset token/delete",
    ),
    "k3s": Tool(verdict=UNKNOWN),
    "kind": tree(read="get/clusters get/nodes version", mutating="create/cluster", destructive="delete/cluster"),
    "minikube": tree(read="status version ip profile/list", mutating="start stop", destructive="delete"),
}
