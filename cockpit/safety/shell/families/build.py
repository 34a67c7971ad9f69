"""Source, packages, containers, infrastructure as code, servers' own check commands."""

from __future__ import annotations

import re

from cockpit.safety.http import judge_url
from cockpit.safety.shell.families.wrappers import leading, tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import (
    DESTRUCTIVE,
    MUTATING,
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
from cockpit.safety.shell.words import Kind, Word, constants
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_GIT_READS = names(
    """log rev-parse rev-list ls-files ls-tree describe shortlog name-rev merge-base for-each-ref show-ref
    count-objects version var check-ignore cherry whatchanged show-branch"""
)
_GIT_CAREFUL = names("status diff show blame diff-tree diff-index")
_GIT_DENIED = re.compile(
    r"-p|-u|--patch.*|--ext-diff|--textconv|--filters|--show-s.*|--output.*|-o.*|-O.*|--exec.*|--upload-pack.*|.*%G.*|--open-files.*"
)
_GIT_LOSSES = {
    "push": r"--force.*|-f|--delete|-d|--mirror|\+.*|:.+|--prune",
    "reset": r"--hard|--merge|--keep",
    "branch": r"-D|-d|--delete|-M|-f|--force",
    "tag": r"-d|--delete|-f|--force",
    "checkout": r"-f|--force|--|\.",
    "clean": r".*",
    "stash": r"drop|clear",
    "reflog": r"expire|delete",
    "gc": r"--prune.*|--aggressive",
    "restore": r".*",
    "update-ref": r"-d|--delete",
    "filter-branch": r".*",
    "filter-repo": r".*",
    "worktree": r"remove",
    "remote": r"remove|rm|prune",
}
_GIT_CHANGES = names(
    """add commit push pull fetch merge rebase cherry-pick revert reset checkout switch restore branch tag stash
    clone init apply am mv rm clean gc prune repack remote submodule worktree notes bisect config update-index
    update-ref filter-branch filter-repo format-patch archive bundle sparse-checkout maintenance"""
)
_GIT_LISTS = {
    "branch": (
        r"-a|-r|-v|-vv|-l|--list|--all|--remotes|--show-current|--contains.*|--merged.*|--no-merged.*|--sort.*"
        r"|--format.*|--no-color"
    ),
    "tag": r"-l|--list|-n\d*|--sort.*|--contains.*|--points-at.*|--merged.*|--format.*",
    "remote": r"-v|--verbose|show|get-url",
    "stash": r"list",
    "config": r"--get|--get-all|--list|-l|--show-origin|--global|--local|--system|--get-regexp|--name-only|-z",
    "worktree": r"list|--porcelain",
    "reflog": r"show|-\d+|-n|--date.*",
    "notes": r"list",
    "submodule": r"status",
}


def _git(call: Call, tool: Tool) -> Judgement:
    at = leading(
        call.args,
        names("-C -c --git-dir --work-tree --namespace"),
        names("--no-pager --no-optional-locks --bare --literal-pathspecs -P"),
    )
    if call.args and call.args[0] == Word("--version"):
        return reading()
    if at is None or at >= len(call.args) or not call.args[at].constant:
        return unknown(_("git: which sub-command runs is not certain"))
    settings = read_options(call.args[:at], names("-C -c --git-dir --work-tree --namespace"))
    for name, value in settings.options:
        if name == "-c" and (
            value is None
            or value.text not in ("core.fsmonitor=false", "diff.external=", "color.ui=never", "core.pager=cat")
        ):
            return unknown(_("git -c sets what git runs"))
    verb, rest = call.args[at].text, call.args[at + 1 :]
    texts = [word.text for word in rest]
    return _git_verb(
        verb,
        texts,
        rest,
        safe_settings=any(v is not None and v.text == "core.fsmonitor=false" for _n, v in settings.options),
    )


def _git_verb(verb: str, texts: list[str], rest: tuple[Word, ...], *, safe_settings: bool) -> Judgement:
    if verb in _GIT_LOSSES and any(re.fullmatch(_GIT_LOSSES[verb], text) for text in texts):
        return destructive(_("git {verb} with {word} loses work").format(verb=verb, word=" ".join(texts)[:60]))
    dynamic_option = any(word.may_be_option and not word.constant for word in rest)
    if dynamic_option:
        return unknown(_("git: a word built when it runs could be an option"))
    if verb in _GIT_READS and not any(_GIT_DENIED.fullmatch(text) for text in texts if text.startswith("-")):
        return reading()
    if (
        verb in _GIT_CAREFUL
        and safe_settings
        and not any(_GIT_DENIED.fullmatch(t) for t in texts if t.startswith("-") and t != "-p")
    ) and (verb == "status" or {"--no-ext-diff", "--no-textconv"} <= set(texts)):
        return reading()
    if verb in _GIT_LISTS and _lists(verb, texts):
        return reading()
    if verb in _GIT_CHANGES:
        return of_verdict(MUTATING, f"git {verb}")
    return unknown(_("git {verb} runs what the repository's settings name").format(verb=verb))


def _lists(verb: str, texts: list[str]) -> bool:
    pattern = _GIT_LISTS[verb]
    if verb in ("branch", "tag", "stash", "worktree", "submodule", "reflog", "notes") and not texts:
        return verb in ("branch", "tag", "reflog")
    if verb == "remote":
        return not texts or re.fullmatch(pattern, texts[0]) is not None
    if verb == "config":
        return any(text in ("--get", "--get-all", "--list", "-l", "--get-regexp") for text in texts) and all(
            re.fullmatch(pattern, text) for text in texts if text.startswith("-")
        )
    if verb in ("branch", "tag"):
        lists = any(
            text.startswith(("-l", "--list", "--contains", "--merged", "--no-merged", "--points-at")) for text in texts
        )
        return all(re.fullmatch(pattern, text) or (lists and not text.startswith("-")) for text in texts)
    return re.fullmatch(pattern, texts[0]) is not None


def _docker_exec(call: Call, tool: Tool) -> Judgement:
    values = names("-e --env -u --user -w --workdir --env-file --detach-keys --index")
    at = leading(call.args, values, names("-i -t --interactive --tty -T --no-TTY"))
    if at is None or at + 1 >= len(call.args) or not call.args[at].single:
        return unknown(_("docker exec: what it starts is not certain"), "exec-remote")
    return tagged(call.shell.command(call.args[at + 1 :], call.stdin), "exec-remote")


_COMPOSE = tree(
    values="-f --file -p --project-name --profile --env-file --project-directory --ansi",
    flags="--compatibility",
    read="ps logs top images ls version port config events",
    denied=denied("-o --output --lock-image-digests"),
    mutating="up start stop restart pull push build create pause unpause run scale cp kill watch",
    destructive="down rm",
    overrides={"exec": Tool(special=_docker_exec), "logs": Tool(unbounded=names("-f --follow"))},
)
_DOCKER = tree(
    values="-H --host -c --context --config -l --log-level",
    flags="-D --debug --tls",
    read="""ps images port version info diff history search top container/ls container/list container/inspect
    container/logs container/top container/stats container/port container/diff image/ls image/inspect
    image/history network/ls network/inspect volume/ls volume/inspect system/df system/info node/ls
    node/inspect node/ps service/ls service/ps service/logs service/inspect stack/ls stack/ps stack/services
    context/ls context/show context/inspect manifest/inspect buildx/ls plugin/ls secret/ls config/ls swarm/ca""",
    mutating="""run start stop restart kill pause unpause pull push build tag load save import export commit cp create
    rename update login logout attach wait container/start container/stop container/restart container/kill
    container/run container/create container/cp image/pull image/push image/build image/tag image/load
    image/save network/create network/connect network/disconnect volume/create service/create service/update
    service/scale service/rollback stack/deploy node/update swarm/init swarm/join context/use context/create
    buildx/build secret/create config/create""",
    destructive="""rm rmi container/rm container/prune image/rm image/prune network/rm network/prune volume/rm
        volume/prune system/prune builder/prune service/rm stack/rm node/rm swarm/leave secret/rm config/rm""",
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
_TERRAFORM = tree(
    flags="-no-color",
    read="""show validate version providers graph state/list state/show workspace/list workspace/show state/pull""",
    unknown="plan console init get",
    mutating="""apply refresh import taint untaint state/mv state/replace-provider state/push workspace/new
        workspace/select fmt login""",
    destructive="destroy state/rm workspace/delete force-unlock",
    overrides={"output": Tool(tags=("sensitive-read",))},
)


def _terraform(call: Call, tool: Tool) -> Judgement:
    from cockpit.safety.shell.options import judge_call

    args = call.args[1:] if call.args and call.args[0].text.startswith("-chdir=") else call.args
    texts = [word.text for word in args]
    if texts[:1] == ["apply"] and "-destroy" in texts:
        return of_verdict(DESTRUCTIVE, f"{call.name} apply -destroy")
    if texts[:1] == ["fmt"] and ("-check" in texts or "-write=false" in texts):
        return reading()
    return judge_call(_TERRAFORM, Call(call.name, tuple(args), call.stdin, call.shell), call.name)


def _gh_api(call: Call, tool: Tool) -> Judgement:
    found = read_options(
        call.args,
        names("""-X --method -f -F -H --header -q --jq -t --template --hostname --input --raw-field --field --cache
            -p"""),
    )
    method = found.value("-X", "--method")
    fields = found.has("-f", "-F", "--raw-field", "--field", "--input")
    if found.unclear is not None or (method is not None and not method.constant):
        return unknown(_("gh api: the request is only known when it runs"))
    if found.operands and found.operands[0].text == "graphql":
        return unknown(_("a GraphQL request may be a mutation"), "network-egress")
    verb = method.text.upper() if method else "POST" if fields else "GET"
    return judge_url(verb, Word("https://api.github.com/", Kind.DATA))


_GH = tree(
    values="-R --repo --hostname",
    read="""pr/list pr/view pr/status pr/checks pr/diff run/list run/view run/watch issue/list issue/view issue/status
    release/list release/view repo/list repo/view workflow/list workflow/view auth/status secret/list
    variable/list search/issues search/prs search/code search/repos search/commits label/list status gist/list
    gist/view ruleset/list cache/list version""",
    mutating="""pr/create pr/merge pr/close pr/reopen pr/edit pr/comment pr/review pr/checkout pr/ready run/rerun
    run/cancel run/download workflow/run workflow/enable workflow/disable issue/create issue/close issue/edit
    issue/comment issue/reopen release/create release/edit release/upload release/download repo/create
    repo/clone repo/edit repo/fork repo/sync secret/set variable/set auth/login auth/logout auth/refresh
    auth/setup-git label/create gist/create config/set""",
    destructive="""repo/delete release/delete run/delete issue/delete secret/delete variable/delete label/delete
        repo/archive cache/delete""",
    denied=denied("-w --web", UNKNOWN),
    overrides={"api": Tool(special=_gh_api), "auth/token": Tool(tags=("sensitive-read",))},
)


def _nginx(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args)
    if texts and all(text in ("-t", "-T", "-v", "-V", "-q") for text in texts):
        return reading()
    if texts and "-s" in texts:
        return mutating(_("nginx -s signals the server"))
    return unknown(_("nginx without -t or -T starts a server"))


def _only(flags: str, *, tags: tuple[str, ...] = ()) -> Tool:
    return Tool(flags=names(flags), operands=0, beyond=UNKNOWN, tags=tags)


_NPM = tree(
    values="-w --workspace --prefix -C",
    flags="-g --global --json --silent -s",
    read="""ls list ll outdated view info show ping root prefix bin config/get config/list explain why whoami
        search dist-tag/ls""",
    unknown="run run-script test start exec x explore",
    mutating="""ci install i add update up uninstall remove rm link publish pack version init dedupe rebuild
        config/set cache/clean prune""",
    destructive="unpublish deprecate",
    overrides={"audit": Tool(operands=0, denied=denied("--fix"), tags=("network-egress",))},
)

TOOLS: dict[str, Tool] = {
    "git": Tool(special=_git),
    **plain("docker podman nerdctl", _DOCKER),
    "docker-compose": _COMPOSE,
    "podman-compose": _COMPOSE,
    **plain("terraform tofu", Tool(special=_terraform)),
    "terragrunt": Tool(verdict=UNKNOWN),
    "gh": _GH,
    "glab": Tool(verdict=UNKNOWN),
    "npm": _NPM,
    **plain("""yarn pnpm npx pipenv poetry uv cargo pulumi cdk sam serverless packer vagrant""", Tool(verdict=UNKNOWN)),
    **plain("ansible ansible-playbook ansible-galaxy salt chef-client puppet", Tool(verdict=UNKNOWN)),
    "ansible-inventory": Tool(verdict=UNKNOWN),
    "alembic": tree(
        values="-c --config -n --name -x",
        read="current heads history show branches check",
        mutating="upgrade stamp revision merge edit init ensure_version",
        destructive="downgrade",
    ),
    "flyway": tree(read="info validate version", mutating="migrate baseline repair", destructive="clean undo"),
    "liquibase": tree(
        read="status history validate", mutating="update tag", destructive="rollback drop-all rollback-count"
    ),
    "pip-audit": Tool(
        denied=denied("--fix -o --output") | denied("-r --requirement", UNKNOWN), tags=("network-egress",)
    ),
    "trivy": tree(
        read="""image fs filesystem repo config version k8s rootfs""",
        denied=denied("-o --output") | denied("--server", UNKNOWN),
    ),
    **plain("grype syft", Tool(denied=denied("-o --output --file"), tags=("network-egress",))),
    "nginx": Tool(special=_nginx),
    **plain("apachectl apache2ctl httpd", _only("-t -S -v -V -M")),
    "haproxy": Tool(flags=names("-c -v -vv"), values=names("-f")),
    "promtool": tree(read="check query", unknown="push tsdb"),
    "amtool": tree(
        values="--alertmanager.url",
        read="""alert/query silence/query config/show cluster/show check-config""",
        mutating="silence/add silence/update",
        destructive="silence/expire",
    ),
    "logcli": tree(values="--addr", read="query labels series stats"),
    **plain("gunicorn uvicorn celery", Tool(verdict=UNKNOWN)),
    **plain("jstack jps jstat"),
    "jcmd": Tool(verdict=UNKNOWN),
    "jmap": Tool(verdict=UNKNOWN),
    "logger": Tool(verdict=MUTATING),
    **plain("pagerduty slack-cli", Tool(verdict=MUTATING)),
    "xdg-open": Tool(verdict=UNKNOWN),
    "crane": tree(
        read="""ls manifest digest config catalog version""", mutating="copy push pull tag", destructive="delete"
    ),
    "skopeo": tree(read="inspect list-tags", mutating="copy sync", destructive="delete"),
    "certbot": tree(read="certificates", mutating="renew certonly", destructive="delete revoke"),
}
