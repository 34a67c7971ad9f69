"""Containers: docker, podman, compose, crictl. Options are those of `docker VERB --help` 28."""

from __future__ import annotations

import re

from cockpit.safety.environment import assignable
from cockpit.safety.shell.families.wrappers import leading, tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, unknown
from cockpit.words import _

_EXEC_VALUES = names("-e --env -u --user -w --workdir --env-file --detach-keys --index")


def _docker_exec(call: Call, tool: Tool) -> Judgement:
    at = leading(call.args, _EXEC_VALUES, names("-i -t --interactive --tty -T --no-TTY"))
    if at is None or at + 1 >= len(call.args) or not call.args[at].single:
        return unknown(_("docker exec: what it starts is not certain"), "exec-remote")
    for name, value in read_options(call.args[:at], _EXEC_VALUES).options:
        variable = re.match(r"\w+", value.text) if value is not None else None
        if name == "--env-file" or (name in ("-e", "--env") and not (variable and assignable(variable[0]))):
            return unknown(_("docker exec: a variable changes what the command does"), "exec-remote")
    return tagged(call.shell.elsewhere().command(call.args[at + 1 :], call.stdin), "exec-remote")


_COMPOSE = tree(
    values="-f --file -p --project-name --profile --env-file --project-directory --ansi",
    flags="--compatibility",
    read="ps top images ls version port config convert stats volumes",
    denied=denied("-o --output --lock-image-digests"),
    mutating="up start stop restart pull push build create pause unpause run scale cp kill watch",
    destructive="down rm",
    overrides={
        "exec": Tool(special=_docker_exec),
        "logs": Tool(unbounded=names("-f --follow"), values=names("-n --tail --since --until")),
        "events": Tool(unbounded_unless=names("--until")),
    },
)
_DOCKER = tree(
    values="-H --host -c --context --config -l --log-level",
    flags="-D --debug --tls --tlsverify",
    read="""ps images port version info diff history search top container/ls container/list container/inspect
    container/logs container/top container/stats container/port container/diff image/ls image/inspect
    image/history network/ls network/inspect volume/ls volume/inspect system/df system/info node/ls
    node/inspect node/ps service/ls service/ps service/logs service/inspect stack/ls stack/ps stack/services
    context/ls context/show context/inspect manifest/inspect buildx/ls buildx/du buildx/inspect plugin/ls secret/ls
    config/ls pod/ps pod/ls pod/inspect""",
    asks="-v",
    mutating="""run start stop restart kill pause unpause pull push build tag load save import export commit cp create
    rename update login logout attach wait container/start container/stop container/restart container/kill
    container/run container/create container/cp image/pull image/push image/build image/tag image/load
    image/save network/create network/connect network/disconnect volume/create service/create service/update
    service/scale service/rollback stack/deploy node/update swarm/init swarm/join swarm/ca swarm/update
    context/use context/create
    buildx/build secret/create config/create""",
    destructive="""rm rmi container/rm container/prune image/rm image/prune network/rm network/prune volume/rm
        volume/prune system/prune builder/prune buildx/prune service/rm stack/rm node/rm swarm/leave secret/rm
        config/rm""",
    overrides={
        "exec": Tool(special=_docker_exec),
        "container/exec": Tool(special=_docker_exec),
        "inspect": Tool(tags=("sensitive-read",)),
        "logs": Tool(unbounded=names("-f --follow"), values=names("-n --tail --since --until")),
        "stats": Tool(unbounded_unless=names("--no-stream")),
        "events": Tool(unbounded_unless=names("--until")),
        "system/events": Tool(unbounded_unless=names("--until")),
        "compose": _COMPOSE,
    },
)

TOOLS: dict[str, Tool] = {
    **plain("docker podman nerdctl", _DOCKER),
    **plain("docker-compose podman-compose", _COMPOSE),
    "crictl": tree(
        values="-r --runtime-endpoint -i --image-endpoint -c --config -t --timeout",
        flags="-D --debug",
        read="""ps pods images inspect inspectp inspecti statsp info version imagefsinfo""",
        mutating="""pull create start stop runp stopp update checkpoint""",
        destructive="rm rmp rmi",
        unknown="exec attach port-forward",
        overrides={"logs": Tool(unbounded=names("-f --follow")), "stats": Tool(unbounded=names("-w --watch"))},
    ),
    "ctr": tree(
        values="-n --namespace -a --address",
        read="""containers/list containers/ls containers/info c/ls images/list images/ls i/ls tasks/list tasks/ls t/ls
        namespaces/ls version""",
    ),
    "dive": Tool(),
}
