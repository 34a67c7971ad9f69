"""Azure, and what stands beside the clouds: Vault, Consul, Nomad and other services with a client of their own."""

from __future__ import annotations

import re

from cockpit.safety.shell.tool import Call, Tool, tree
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, of_verdict, reading, unknown
from cockpit.words import _

_AZ_READS = re.compile(
    r"list(?:-.+)?|show(?:-.+)?|version|get-(?:access-token|instance-view|upgrades|versions|boot-log|effective-.+|last-.+)"
    r"|query|exists|check-name|check-name-availability|test-connectivity|test-ip-flow|list-definitions|wait"
)
_AZ_LOSSES = re.compile(r"(?:delete|purge|remove|failover|deallocate|restore|reimage|force-unregister)(?:-.+)?")
_AZ_CHANGES = re.compile(
    r"(?:create|update|start|stop|restart|set|unset|add|scale|upgrade|deploy|swap|enable|disable|import|up|attach|detach|login"
    r"|logout|get-credentials|invoke|run|redeploy|resize|assign|upload|download|regenerate|renew|build|pack|init|configure"
    r"|copy|approve|reject|rotate|power-off|clear|publish|send|cancel)(?:-.+)?"
)
# Words that a changing verb may take for an operand only: `az config unset list` reads nothing.
_AZ_ENDS = re.compile(
    r"create|update|delete|remove|set|unset|add|build|start|stop|restart|up|upgrade|login|logout|pack|init|import|configure"
)


def _az(call: Call, tool: Tool) -> Judgement:
    path: list[str] = []
    for word in call.args:
        if not word.constant or word.text.startswith("-"):
            break
        path.append(word.text)
    if not path:
        alone = len(call.args) == 1 and call.args[0].text in ("--version", "--help")
        return reading() if alone else unknown(_("az: which operation runs is not certain"))
    verb = next((word for word in path if _AZ_ENDS.fullmatch(word)), path[-1])
    label = "az " + " ".join(path)
    if _AZ_READS.fullmatch(verb):
        follows = verb == "show" and path[-2:-1] == ["logs"] and any(w.text == "--follow" for w in call.args)
        secret = re.search(r"secret (?:show|list-v)|keys|token|credential|connection-string|publishing", label)
        return reading(*(("sensitive-read",) if secret else ()), *(("unbounded",) if follows else ()))
    if verb == "tail":
        return reading("unbounded")
    if _AZ_LOSSES.fullmatch(verb):
        return of_verdict(DESTRUCTIVE, label)
    return of_verdict(MUTATING if _AZ_CHANGES.fullmatch(verb) else UNKNOWN, label)


def _vault_read(call: Call, tool: Tool) -> Judgement:
    """Reading a path that issues credentials makes them."""
    makes = re.compile(r"(?:^|/)(?:creds|creds?-.*|sts|token|sign|issue|code|wrapping|random)(?:/|$)")
    if any(makes.search(word.text) for word in call.args):
        return unknown(_("reading this path of Vault may issue credentials"), "sensitive-read")
    return reading("sensitive-read")


_SENSITIVE = Tool(tags=("sensitive-read",))

TOOLS: dict[str, Tool] = {
    "az": Tool(special=_az),
    "vault": tree(
        values="-address -namespace -format -field",
        read="""status version policy/list policy/read auth/list secrets/list audit/list operator/members
            operator/raft/list-peers operator/raft/autopilot/state operator/raft/autopilot/get-config
            operator/key-status operator/usage token/lookup token/capabilities list kv/list kv/metadata/get
            lease/lookup namespace/list plugin/list plugin/info path-help version-history""",
        mutating="""write login operator/unseal operator/seal operator/raft/join operator/raft/snapshot operator/rotate
            operator/rekey operator/generate-root operator/init policy/write token/renew token/create lease/renew unwrap
            kv/put kv/patch kv/rollback kv/undelete kv/metadata/put kv/metadata/patch kv/enable-versioning
            secrets/enable secrets/tune secrets/move auth/enable auth/tune audit/enable transit/import debug""",
        destructive="""delete kv/delete kv/destroy kv/metadata/delete operator/step-down operator/raft/remove-peer
            token/revoke lease/revoke policy/delete secrets/disable auth/disable audit/disable""",
        overrides={"read": Tool(special=_vault_read), "kv/get": _SENSITIVE, "print/token": _SENSITIVE},
    ),
    "consul": tree(
        read="""members info version catalog/services catalog/nodes catalog/datacenters operator/raft/list-peers
            operator/autopilot/get-config operator/autopilot/state operator/usage/instances kv/get kv/export
            config/list config/read intention/list intention/check intention/match intention/get acl/token/list
            acl/policy/list acl/role/list namespace/list rtt validate""",
        mutating="""kv/put kv/import config/write intention/create join reload maint acl/bootstrap acl/token/create
            operator/autopilot/set-config event snapshot/save""",
        destructive="""kv/delete config/delete intention/delete leave force-leave operator/raft/remove-peer
            snapshot/restore acl/token/delete""",
        overrides={"monitor": Tool(tags=("unbounded",))},
    ),
    "nomad": tree(
        values="-address -region -namespace",
        read="""status version node/status job/status job/history job/inspect job/deployments job/allocs
            alloc/status alloc/logs alloc/checks server/members deployment/list deployment/status eval/status eval/list
            service/list service/info operator/raft/list-peers operator/autopilot/get-config operator/metrics
            namespace/list volume/status agent-info""",
        mutating="""job/run run job/dispatch job/scale job/restart job/promote job/revert deployment/promote
        alloc/restart
            alloc/signal node/eligibility system/gc system/reconcile""",
        destructive="""job/stop stop alloc/stop node/drain deployment/fail operator/raft/remove-peer namespace/delete
            volume/delete""",
    ),
    "sops": Tool(verdict=UNKNOWN),
    "doctl": tree(
        values="-t --access-token --context -o --output",
        read="""compute/droplet/list compute/droplet/get kubernetes/cluster/list kubernetes/cluster/get apps/list
            apps/get databases/list databases/get account/get version""",
    ),
}
