"""The aws command: operations by their names, and lists where a name deceives.

Sources: the service models of botocore 1.43 (18 378 operations, of which 7 841 are named like reads), and the Service
Authorization Reference for what a name does not tell.
"""

from __future__ import annotations

import re

from cockpit.safety.shell.families.wrappers import leading
from cockpit.safety.shell.tool import Call, Tool
from cockpit.safety.shell.words import Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import (
    DESTRUCTIVE,
    MUTATING,
    UNKNOWN,
    Judgement,
    destructive,
    mutating,
    of_verdict,
    reading,
    unknown,
)
from cockpit.words import _

_VALUES = names(
    """--region --profile --output --query --color --ca-bundle --cli-read-timeout --cli-connect-timeout
        --cli-binary-format"""
)
_FLAGS = names("""--no-cli-pager --no-verify-ssl --no-paginate --no-sign-request --no-cli-auto-prompt""")
# What sends the request elsewhere, takes it from a file, or prints its signature. Options may be cut short.
_ELSEWHERE = ("--endpoint-url", "--cli-input-json", "--cli-input-yaml", "--debug", "--cli-auto-prompt")
_READS = re.compile(
    r"(?:describe|list|get|head|batch-get|batch-describe|search|lookup|filter|view|check|estimate|validate|preview|simulate)-.+"
    r"|query|scan|wait|help|select-resource-config|test-metric-filter|test-event-pattern|count-.+"
)
_LOSSES = re.compile(
    r"(?:delete|terminate|purge|deregister|destroy|remove|release|revoke|disassociate|batch-delete|reset|abort|expire"
    r"|forget|restore|rollback|clear)-.+"
)
_CHANGES = re.compile(
    r"""(?:create|put|update|modify|start|stop|reboot|run|send|publish|attach|detach|set|tag|untag|enable|disable|register|add
    |associate|authorize|copy|import|export|failover|promote|change|cancel|execute|invoke|upload|assume|upgrade|detect|post
    |allocate|apply|deploy|invalidate|schedule|rotate|switchover|batch-.+|transact|complete|generate|purchase|submit|merge
    |continue|signal|resume|suspend|increase|decrease|replace|request|confirm|admin|initiate|activate|deactivate|retry
    |accept|reject|provision|move|transfer|subscribe|unsubscribe|assign|unassign|notify|restart|retrieve|receive|pause|record)
    -.+|invoke|publish|deploy|push|login|logout|configure|install|uninstall|package""",
    re.VERBOSE,
)
_SECRETS = re.compile(
    r"secretsmanager:(?:get-secret-value|batch-get-secret-value)|ssm:get-parameters?(?:-by-path)?|ecr:get-login"
    r"|ec2:get-password-data|lambda:get-function(?:-configuration)?|s3:presign|cognito-idp:describe-user-pool-client"
    r"|.+:get-.*(?:token|credential|password|presigned-url|login-url|embed-url|private-key|decrypted).*"
    r"|rds:generate-db-auth-token|ecs:describe-task-definition|iot:describe-certificate|lightsail:get-.*access-details"
)
# Operations that stream their answer into the file named behind them (botocore: has_streaming_output).
_WRITE_FILES = names(
    """apigateway:get-export apigateway:get-sdk apigatewayv2:export-api appconfig:get-configuration
    appconfig:get-hosted-configuration-version appconfigdata:get-latest-configuration
    appsync:get-introspection-schema cloudfront:get-connection-function cloudfront:get-function
    codeartifact:get-package-version-asset codeguruprofiler:get-profile datazone:get-lineage-event
    ebs:get-snapshot-block geo-maps:get-glyphs geo-maps:get-sprites geo-maps:get-static-map
    geo-maps:get-style-descriptor geo-maps:get-tile glacier:get-job-output iot-data:get-thing-shadow
    iotwireless:get-position-estimate iotwireless:get-resource-position kinesis-video-archived-media:get-clip
    kinesis-video-archived-media:get-media-for-fragment-list kinesis-video-media:get-media
    lakeformation:get-work-unit-results location:get-map-glyphs location:get-map-sprites
    location:get-map-style-descriptor location:get-map-tile medialive:describe-input-device-thumbnail
    mediastore-data:get-object medical-imaging:get-image-frame medical-imaging:get-image-set-metadata
    omics:get-read-set omics:get-reference s3api:get-object s3api:get-object-torrent s3api:select-object-content
    sagemaker-geospatial:get-tile schemas:get-code-binding-source tnb:get-sol-function-package-content
    tnb:get-sol-function-package-descriptor tnb:get-sol-network-package-content
    tnb:get-sol-network-package-descriptor workmailmessageflow:get-raw-message-content"""
)
# Named like reads; they hand out what then is taken, make an account or a user, or write.
_CHANGES_BY_HAND = names(
    """codecommit:get-file lambda:get-layer-version-by-arn medialive:get-media swf:poll-for-activity-task
    stepfunctions:get-activity-task cognito-identity:get-id cognito-identity:get-open-id-token-for-developer-identity
    license-manager:check-in-license apigatewayv2:preview-portal waf:get-change-token waf-regional:get-change-token
    quicksight:get-dashboard-embed-url quicksight:get-session-embed-url kms:get-parameters-for-import
    ssm:get-deployable-patch-snapshot-for-instance tnb:validate-sol-function-package-content
    tnb:validate-sol-network-package-content datapipeline:query-objects-for-update sts:get-delegated-access-token
    gamelift:get-compute-auth-token deploy:get-deployment-target"""
)
_READS_BY_HAND = names(
    """s3:ls logs:tail logs:start-query logs:start-live-tail configure:list configure:get configure:list-profiles
    sts:decode-authorization-message s3:presign rds:generate-db-auth-token rds:download-db-log-file-portion
    accessanalyzer:check-access-not-granted cloudtrail:verify-query-results eks:get-token"""
)
_LOSSES_BY_HAND = names(
    """s3:rm s3:rb route53:change-resource-record-sets rds:failover-db-cluster rds:reboot-db-instance
    sqs:purge-queue rds:promote-read-replica elasticache:reboot-cache-cluster rds:failover-global-cluster
    docdb:failover-db-cluster neptune:failover-db-cluster elasticache:test-failover"""
)


def _goes_elsewhere(option: str) -> bool:
    return len(option) > 2 and any(whole.startswith(option) for whole in _ELSEWHERE)


def _aws(call: Call, tool: Tool) -> Judgement:
    if any(_goes_elsewhere(word.text.partition("=")[0]) for word in call.args):
        return unknown(_("aws: an option sends the request elsewhere, or takes it from a file"))
    if call.args and call.args[0] == Word("--version"):
        return reading()
    at = leading(call.args, _VALUES, _FLAGS)
    if at is None or at + 1 >= len(call.args):
        return unknown(_("aws: which operation runs is not certain"))
    service, operation = call.args[at], call.args[at + 1]
    if not service.constant or not operation.constant:
        return unknown(_("aws: which operation runs is not certain"))
    # Behind a constant operation a word built when it runs is taken for one of its values, as kubectl's are.
    return _operation(service.text, operation.text, call.args[at + 2 :])


def _operation(service: str, operation: str, rest: tuple[Word, ...]) -> Judgement:
    name = f"{service}:{operation}"
    label = f"aws {service} {operation}"
    tags = ("sensitive-read",) if _SECRETS.fullmatch(name) else ()
    if service == "s3" and operation in ("cp", "mv", "sync"):
        return _copy(operation, rest)
    if name in _LOSSES_BY_HAND:
        return of_verdict(DESTRUCTIVE, label)
    if name in _WRITE_FILES:
        return mutating(_("{command} writes a file").format(command=label), "local-write")
    if name in _CHANGES_BY_HAND:
        return of_verdict(MUTATING, label)
    if name in ("logs:tail", "logs:start-live-tail") and (
        operation != "tail" or any(word.text.startswith("--fo") and word.text != "--format" for word in rest)
    ):
        return reading("unbounded")
    if name in _READS_BY_HAND or _READS.fullmatch(operation):
        return reading(*tags)
    if _LOSSES.fullmatch(operation):
        return of_verdict(DESTRUCTIVE, label)
    return of_verdict(MUTATING if _CHANGES.fullmatch(operation) or service == "s3" else UNKNOWN, label)


def _copy(operation: str, rest: tuple[Word, ...]) -> Judgement:
    texts = [word.text for word in rest if word.constant]
    if "--dryrun" in texts:
        return reading()
    if "--delete" in texts:
        return destructive(_("aws s3 {operation} --delete removes objects").format(operation=operation))
    if operation == "cp" and len(rest) == 2 and rest[0].text.startswith("s3://") and rest[1] == Word("-"):
        return reading()
    return mutating(_("aws s3 {operation} writes objects or files").format(operation=operation))


TOOLS: dict[str, Tool] = {"aws": Tool(special=_aws)}
