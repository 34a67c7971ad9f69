"""Delivery: infrastructure as code, GitHub, migrations, web servers' own check commands."""

from __future__ import annotations

from cockpit.safety.http import judge_url
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import Kind, Word, constants
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, mutating, of_verdict, reading, unknown
from cockpit.words import _

_TERRAFORM = tree(
    flags="-no-color",
    asks="-version -help",
    read="""show validate version providers providers/schema graph state/list state/show workspace/list workspace/show
    metadata/functions modules""",
    unknown="plan console init get",
    mutating="""apply refresh import taint untaint state/mv state/replace-provider state/push workspace/new
        workspace/select fmt login providers/lock providers/mirror""",
    destructive="destroy state/rm workspace/delete force-unlock",
    overrides={"output": Tool(tags=("sensitive-read",)), "state/pull": Tool(tags=("sensitive-read",))},
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
    read="""pr/list pr/view status pr/status pr/checks pr/diff run/list run/view run/watch issue/list
    issue/view issue/status
    release/list release/view repo/list repo/view workflow/list workflow/view auth/status secret/list
    variable/list search/issues search/prs search/code search/repos search/commits label/list gist/list
    gist/view ruleset/list ruleset/view ruleset/check cache/list version config/list config/get org/list project/list
    alias/list extension/list""",
    mutating="""pr/create pr/merge pr/close pr/reopen pr/edit pr/comment pr/review pr/checkout pr/ready run/rerun
    run/cancel run/download workflow/run workflow/enable workflow/disable issue/create issue/close issue/edit
    issue/comment issue/reopen release/create release/edit release/upload release/download repo/create
    repo/clone repo/edit repo/fork repo/sync secret/set variable/set auth/login auth/logout auth/refresh
    auth/setup-git label/create gist/create config/set""",
    destructive="""repo/delete release/delete run/delete issue/delete secret/delete variable/delete label/delete
        repo/archive cache/delete""",
    denied=denied("--web", UNKNOWN),
    overrides={"api": Tool(special=_gh_api), "auth/token": Tool(tags=("sensitive-read",))},
)


def _nginx(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-c -p -g -s -e"))
    if found.has("-s"):
        return mutating(_("nginx -s signals the server"))
    harmless = all(name in names("-t -T -v -V -q -c -p -h -?") for name, _value in found.options)
    if harmless and found.unclear is None and found.has("-t", "-T", "-v", "-V", "-h", "-?"):
        return reading()
    return unknown(_("nginx without -t or -T starts a server"))


def _apache(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args)
    if texts and all(text in names("-t -S -v -V -M -l -L configtest status fullstatus") for text in texts):
        return reading()
    return of_verdict(
        MUTATING if texts and texts[0] in ("graceful", "restart", "start", "stop", "-k") else UNKNOWN, call.name
    )


TOOLS: dict[str, Tool] = {
    **plain("terraform tofu", Tool(special=_terraform)),
    "terragrunt": Tool(verdict=UNKNOWN),
    "gh": _GH,
    "glab": Tool(verdict=UNKNOWN),
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
    "trivy": tree(
        read="""image fs filesystem repo config version k8s rootfs""",
        denied=denied("-o --output --reset --clear-cache") | denied("--server", UNKNOWN),
    ),
    **plain("grype syft", Tool(denied=denied("-o --output --file"), tags=("network-egress",))),
    "nginx": Tool(special=_nginx),
    **plain("apachectl apache2ctl apache2 httpd", Tool(special=_apache)),
    "haproxy": Tool(required=names("-c -v"), flags=names("-c -v -V -q"), values=names("-f"), operands=0),
    "caddy": tree(read="version validate list-modules build-info environ adapt", mutating="reload stop"),
    "varnishstat": Tool(flags=names("-1 -j"), values=names("-f -n"), unbounded_unless=names("-1")),
    "varnishadm": tree(
        values="-n -T -S -t",
        read="status backend.list ban.list vcl.list param.show storage.list panic.show ping",
        mutating="backend.set_health vcl.load vcl.use param.set start",
        destructive="ban stop vcl.discard panic.clear",
    ),
    "promtool": tree(
        read="check query tsdb/list tsdb/analyze", unknown="push test", mutating="tsdb/create-blocks-from"
    ),
    "amtool": tree(
        values="--alertmanager.url",
        read="""alert/query silence/query config/show cluster/show check-config""",
        mutating="silence/add silence/update",
        destructive="silence/expire",
    ),
    "logcli": tree(
        values="--addr --org-id --username --password --bearer-token",
        flags="-q --quiet",
        read="labels series stats volume volume_range detected-fields",
        overrides={
            **plain(
                "query instant-query",
                Tool(denied=denied("--part-path-prefix --merge-parts", UNKNOWN), unbounded=names("-f --tail")),
            )
        },
    ),
    "mimirtool": tree(read="alertmanager/get rules/list rules/print", mutating="alertmanager/load rules/load"),
    **plain("gunicorn uvicorn celery", Tool(verdict=UNKNOWN)),
    "logger": Tool(verdict=MUTATING),
    **plain("pagerduty slack-cli", Tool(verdict=MUTATING)),
    "xdg-open": Tool(verdict=UNKNOWN),
    "crane": tree(
        read="""ls manifest digest config catalog version""", mutating="copy push pull tag", destructive="delete"
    ),
    "skopeo": tree(read="inspect list-tags", mutating="copy sync", destructive="delete"),
    "certbot": tree(read="certificates", mutating="renew certonly", destructive="delete revoke"),
}
