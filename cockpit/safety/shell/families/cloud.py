"""Clouds: aws, gcloud, az, and the secret stores beside them."""

from __future__ import annotations

import re

from cockpit.safety.shell.families.wrappers import leading
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import (
    DESTRUCTIVE,
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
    reading,
    tree,
    unknown,
)
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_AWS_VALUES = names(
    """--region --profile --output --query --color --ca-bundle --cli-read-timeout --cli-connect-timeout
        --cli-binary-format"""
)
_AWS_FLAGS = names("""--no-cli-pager --debug --no-verify-ssl --no-paginate --no-sign-request --no-cli-auto-prompt""")
_AWS_READS = re.compile(
    r"(?:describe|list|get|head|batch-get|batch-describe|search|lookup|filter|view|check|estimate|validate|preview|simulate)-.+"
    r"|query|scan|wait|help|select-resource-config|test-metric-filter|test-event-pattern"
)
_AWS_LOSSES = re.compile(
    r"(?:delete|terminate|purge|deregister|destroy|remove|release|revoke|disassociate|batch-delete|reset|abort)-.+"
)
_AWS_CHANGES = re.compile(
    r"""(?:create|put|update|modify|start|stop|reboot|run|send|publish|attach|detach|set|tag|untag|enable|disable|register|add
    |associate|authorize|copy|import|export|restore|rollback|failover|promote|change|cancel|execute|invoke|upload|assume
    |allocate|apply|deploy|invalidate|schedule|rotate|switchover|batch-write|batch-put|batch-update|transact|complete
    |continue|signal|resume|suspend|terminate|increase|decrease|replace|request|confirm|admin|initiate|activate|deactivate)
    -.+|invoke|publish|deploy|push|login|logout|configure""",
    re.VERBOSE,
)
_AWS_SECRETS = names(
    """secretsmanager:get-secret-value secretsmanager:batch-get-secret-value ssm:get-parameter ssm:get-parameters
    ssm:get-parameters-by-path ecr:get-login-password ecr:get-login ecr:get-authorization-token
    sts:get-session-token sts:get-federation-token ec2:get-password-data lambda:get-function
    lambda:get-function-configuration codeartifact:get-authorization-token eks:get-token rds:generate-db-auth-token
    s3:presign cognito-idp:describe-user-pool-client"""
)
# Reads by name that write a local file or change what others see.
_AWS_NOT_READS = names(
    """s3api:get-object s3api:get-object-torrent s3api:select-object-content glacier:get-job-output
        apigateway:get-export apigateway:get-sdk apigatewayv2:export-api kinesis-video-media:get-media
        codecommit:get-file ebs:get-snapshot-block medialive:get-media mediastore-data:get-object
        iot-data:get-thing-shadow lambda:get-layer-version-by-arn sqs:receive-message
        deploy:get-deployment-target swf:poll-for-activity-task sts:assume-role stepfunctions:get-activity-task
        cognito-identity:get-id cognito-identity:get-open-id-token-for-developer-identity"""
)
_AWS_READS_BY_HAND = names(
    """s3:ls logs:tail logs:start-query logs:stop-query logs:start-live-tail configure:list configure:get
    configure:list-profiles ce:get-cost-and-usage sts:decode-authorization-message s3:presign
    rds:generate-db-auth-token athena:get-query-results ec2:get-console-output"""
)
_AWS_LOSSES_BY_HAND = names(
    """s3:rm s3:rb route53:change-resource-record-sets rds:failover-db-cluster rds:reboot-db-instance
    sqs:purge-queue rds:promote-read-replica elasticache:reboot-cache-cluster"""
)


def _aws(call: Call, tool: Tool) -> Judgement:
    if any(word.constant and word.text.startswith("--endpoint") for word in call.args):
        return unknown(_("aws --endpoint-url sends the request elsewhere"))
    if call.args and call.args[0] == Word("--version"):
        return reading()
    at = leading(call.args, _AWS_VALUES, _AWS_FLAGS)
    if at is None or at + 1 >= len(call.args):
        return unknown(_("aws: which operation runs is not certain"))
    service, operation = call.args[at], call.args[at + 1]
    if not service.constant or not operation.constant:
        return unknown(_("aws: which operation runs is not certain"))
    if any(word.kind is Kind.MANY and not word.text for word in call.args):
        return unknown(_("aws: a word built when it runs could be an option"))
    return _aws_operation(service.text, operation.text, call.args[at + 2 :])


def _aws_operation(service: str, operation: str, rest: tuple[Word, ...]) -> Judgement:
    name = f"{service}:{operation}"
    label = f"aws {service} {operation}"
    tags = ("sensitive-read",) if name in _AWS_SECRETS else ()
    if service == "s3" and operation in ("cp", "mv", "sync"):
        return _aws_copy(operation, rest)
    if name in _AWS_LOSSES_BY_HAND:
        return of_verdict(DESTRUCTIVE, label)
    if name in _AWS_NOT_READS:
        return of_verdict(MUTATING, label)
    if name == "logs:tail" and any(word.text == "--follow" for word in rest):
        return reading("unbounded")
    if name in _AWS_READS_BY_HAND or _AWS_READS.fullmatch(operation):
        return reading(*tags)
    if _AWS_LOSSES.fullmatch(operation):
        return of_verdict(DESTRUCTIVE, label)
    return of_verdict(MUTATING if _AWS_CHANGES.fullmatch(operation) or service == "s3" else UNKNOWN, label)


def _aws_copy(operation: str, rest: tuple[Word, ...]) -> Judgement:
    texts = [word.text for word in rest if word.constant]
    if "--dryrun" in texts:
        return reading()
    if "--delete" in texts:
        return destructive(_("aws s3 {operation} --delete removes objects").format(operation=operation))
    return mutating(_("aws s3 {operation} writes objects or files").format(operation=operation))


_GCLOUD_GROUPS = names(
    """alpha beta run services revisions jobs executions compute instances disks snapshots images networks
    subnets firewall-rules addresses routes forwarding-rules backend-services url-maps target-http-proxies
    target-https-proxies health-checks instance-groups managed unmanaged instance-templates machine-types
    zones regions operations projects container clusters node-pools sql databases users backups logging logs
    metrics sinks monitoring policies dashboards channels uptime pubsub topics subscriptions functions app
    versions storage buckets objects iam service-accounts roles keys secrets config configurations auth dns
    managed-zones record-sets redis memorystore builds triggers artifacts repositories packages docker tags
    billing accounts budgets organizations folders deploy releases rollouts targets delivery-pipelines
    scheduler tasks queues eventarc spanner bigtable dataflow dataproc composer environments endpoints
    filestore vpc-access connectors ssl-certificates interconnects vpn-tunnels routers error-reporting events
    workflows batch kms keyrings locations domains access-context-manager resource-manager recommender quotas
    info ai"""
)
_GCLOUD_VERBS = {
    **dict.fromkeys(
        names("""list describe read lookup get-iam-policy get-value tail get-health get-serial-port-output
            get-status"""),
        READ,
    ),
    **dict.fromkeys(
        names("""list-tags list-grantable-roles get-server-config list-instances get-ancestors diagnose-scan"""), READ
    ),
    **dict.fromkeys(
        names("""create update deploy start stop reset resize patch set add-iam-policy-binding
        remove-iam-policy-binding enable disable update-traffic set-iam-policy promote execute submit publish
        copy cp mv rsync attach-disk detach-disk suspend resume restart migrate set-value add-metadata
        remove-metadata add-tags remove-tags get-credentials activate login revoke init import export rollback
        replace call run-job failover switchover add remove set-machine-type"""),
        MUTATING,
    ),
    **dict.fromkeys(
        names("""delete rm destroy purge delete-instances recreate-instances abandon-instances restore"""), DESTRUCTIVE
    ),
    **dict.fromkeys(names("ssh scp start-iap-tunnel connect proxy interactive"), UNKNOWN),
}


def _gcloud(call: Call, tool: Tool) -> Judgement:
    if any(word.constant and word.text.startswith("--flags-file") for word in call.args):
        return unknown(_("gcloud --flags-file takes options from a file"))
    if any(word.kind is Kind.MANY and not word.text for word in call.args):
        return unknown(_("gcloud: a word built when it runs could be an option"))
    words = [word.text if word.constant else "" for word in call.args]
    while words and re.fullmatch(r"--(?:project|format|verbosity|configuration|account|quiet)(?:=.*)?|-q", words[0]):
        words = words[1 if "=" in words[0] or words[0] in ("-q", "--quiet") else 2 :]
    if words[:1] in (["info"], ["version"], ["--version"]):
        return reading()
    for at, word in enumerate(words):
        verdict = _GCLOUD_VERBS.get(word)
        if verdict is not None and at:
            tags = ("unbounded",) if word == "tail" else ("sensitive-read",) if "secrets" in words[:at] else ()
            return of_verdict(verdict, "gcloud " + " ".join(words[: at + 1]), *tags)
        if word == "print-access-token":
            return reading("sensitive-read")
        if word not in _GCLOUD_GROUPS:
            break
    return unknown(_("gcloud: which operation runs is not certain"))


def _az(call: Call, tool: Tool) -> Judgement:
    path: list[str] = []
    for word in call.args:
        if not word.constant or word.text.startswith("-"):
            break
        path.append(word.text)
    if not path:
        return unknown(_("az: which operation runs is not certain"))
    verb = path[-1]
    label = "az " + " ".join(path)
    if re.fullmatch(
        r"list(?:-.+)?|show(?:-.+)?|version|get-access-token|get-instance-view|query|exists|check-name", verb
    ):
        return reading(*(("sensitive-read",) if re.search(r"secret|keys|token|credential", label) else ()))
    if verb == "tail":
        return reading("unbounded")
    if re.fullmatch(r"delete|purge|remove|failover|deallocate|restore|force-unregister.*", verb):
        return of_verdict(DESTRUCTIVE, label)
    known = re.fullmatch(
        r"(?:create|update|start|stop|restart|set|add|scale|upgrade|deploy|swap|enable|disable|import|up|attach|detach|login|logout"
        r"|get-credentials|invoke|run|redeploy|resize|assign|upload|download|regenerate|renew)(?:-.+)?",
        verb,
    )
    return of_verdict(MUTATING if known else UNKNOWN, label)


def _gsutil(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-o -h -u"))
    verb = found.operands[0].text if found.operands and found.operands[0].constant else ""
    if verb in ("ls", "du", "stat", "cat", "hash", "version", "help"):
        return reading()
    return of_verdict(
        {"rm": DESTRUCTIVE, "rb": DESTRUCTIVE}.get(verb, MUTATING if verb else UNKNOWN), f"gsutil {verb}".strip()
    )


TOOLS: dict[str, Tool] = {
    "aws": Tool(special=_aws),
    "gcloud": Tool(special=_gcloud),
    "az": Tool(special=_az),
    "gsutil": Tool(special=_gsutil),
    "bq": tree(
        flags="--headless --quiet",
        values="--project_id --format --location",
        read="ls show head version",
        mutating="mk update load cp insert",
        destructive="rm truncate",
    ),
    "vault": tree(
        values="-address -namespace -format -field",
        read="""status version policy/list policy/read auth/list secrets/list audit/list operator/members
            token/lookup list""",
        mutating="write login operator/unseal operator/seal policy/write token/renew lease/renew",
        destructive="delete kv/delete kv/destroy operator/step-down token/revoke lease/revoke",
        overrides={
            "read": Tool(tags=("sensitive-read",)),
            "kv/get": Tool(tags=("sensitive-read",)),
            "kv/list": Tool(),
            "kv/put": Tool(verdict=MUTATING),
            "kv/metadata": Tool(verdict=UNKNOWN),
        },
    ),
    "consul": tree(
        read="members info version catalog/services catalog/nodes operator/raft kv/get",
        denied=denied("-http-addr", UNKNOWN),
    ),
    "nomad": tree(
        read="""status version node/status job/status alloc/status alloc/logs server/members""",
        mutating="job/run job/stop",
    ),
    "sops": Tool(verdict=UNKNOWN),
}
