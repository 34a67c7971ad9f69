"""Verdicts of AWS operations, by name.

The HTTP method says nothing (most services use POST for everything), and botocore's own `readonly` mark is there for
one operation in eight and wrong on some. So: the beginnings that AWS reserves for reading, less what hands out
credentials, starts something or takes a message away under such a name. `tests/unit/safety/test_verdict_aws.py` holds
the rules against every operation that botocore knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from cockpit.safety.aws.action import AwsAction, aws_actions, letters
from cockpit.safety.typed import judge_actions
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.words import _


def _operations(text: str) -> frozenset[str]:
    """A table of operations, as they are compared."""
    return frozenset(map(letters, text.split()))


_READS = re.compile(r"(?:describe|list|get|head|batch-get|batch-describe|search|lookup|filter)-.+")
_MORE_READS = _operations(
    """dynamodb:query dynamodb:scan iam:simulate-custom-policy iam:simulate-principal-policy
    cloudformation:validate-template cloudformation:estimate-template-cost ecr:batch-check-layer-availability
    events:test-event-pattern logs:test-metric-filter route53:test-dns-answer
    sns:check-if-phone-number-is-opted-out route53domains:check-domain-availability
    elasticbeanstalk:check-dns-availability elasticbeanstalk:validate-configuration-settings"""
)
# Reads by name that hand out credentials: whoever has them can act.
_ISSUES = re.compile(
    r"get-(?:.+-)?(?:token|credentials|session-token)"
    r"|get-(?:.+-)?(?:token|tokens|credentials)-(?:for|from|with)-.+"
    r"|get-(?:.+-)?(?:upload|embed|login|authentication|session|sso|bluinsights)-url"
    r"|get-open-id-token.*|get-(?:buyer-dashboard|dashboard-for-job-run|session-endpoint|bucket-access-keys)"
    r"|get-(?:data|space-data|compute|instance)-access"
)
_HARMLESS_TOKENS = frozenset({letters("managedblockchain-query:get-token-balance")})
# Reads by name that start, take or change something.
_ACTS = _operations(
    """cognito-identity:get-id appconfigdata:get-latest-configuration xray:get-sampling-targets
    frauddetector:get-event-prediction sagemaker:get-scaling-configuration-recommendation
    ssm:get-execution-preview stepfunctions:get-activity-task bedrock-agentcore:get-agent-card
    ec2:get-console-screenshot codepipeline:get-third-party-job-details datazone:get-connection
    quicksight:describe-topic-refresh-schedule ce:get-rightsizing-recommendation
    payment-cryptography:get-certificate-signing-request glue:get-mapping"""
)
_SECRETS = re.compile(
    r"get-(?:.+-)?(?:secret-value|password|password-data|api-keys?|private-key|parameters?(?:-.+)?|key-pairs?"
    r"|third-party-job-details|job-details|credential-report|access-details)"
    r"|(?:get|list|batch-get)-functions?(?:-configuration)?|describe-(?:user-pool-client|chap-credentials"
    r"|launch-template-versions|vpn-connections|task-definition|configuration-settings)|batch-get-(?:secret-value|projects)"
    r"|(?:list|get)-(?:.+-)?(?:api-keys|client-secrets|secrets?-.+)|describe-instance-attribute"
)
_LOSSES = re.compile(
    r"(?:delete|terminate|purge|deregister|destroy|remove|release|revoke|disassociate|batch-delete|reset|abort)-.+"
)
_LOSSES_BY_NAME = _operations(
    """route53:change-resource-record-sets rds:failover-db-cluster rds:promote-read-replica
    rds:reboot-db-instance kms:schedule-key-deletion"""
)
_CHANGES = re.compile(
    r"(?:create|put|update|modify|start|stop|reboot|run|send|publish|attach|detach|set|tag|untag|enable|disable|register"
    r"|add|associate|authorize|copy|import|restore|rollback|failover|promote|change|cancel|execute|upload|assume|allocate"
    r"|apply|rotate|batch-write|batch-put|transact|complete|continue|signal|resume|suspend|increase|decrease|replace"
    r"|receive|invoke)-.+|invoke|publish"
)


def judge_aws(text: str) -> Judgement:
    """The judgement of a step of typed actions; what is no such action is unknown at best."""
    return judge_actions(text, aws_actions, _judge_action)


def judge_operation(service: str, operation: str, options: Collection[str] = ()) -> Judgement:
    """The judgement of one operation. Args: service: as botocore spells it. operation: in kebab case. options: the
    names of its parameters, in kebab case."""
    name = letters(f"{service}:{operation}")
    label = f"{service} {operation}"
    if name in _LOSSES_BY_NAME or _LOSSES.fullmatch(operation):
        return Judgement(Verdict.DESTRUCTIVE, (_("{command} can't be undone").format(command=label),))
    if _ISSUES.fullmatch(operation) and name not in _HARMLESS_TOKENS:
        return Judgement(
            Verdict.UNKNOWN, (_("{command} hands out credentials").format(command=label),), ("sensitive-read",)
        )
    if name in _ACTS:
        return Judgement(Verdict.UNKNOWN, (_("{command} only sounds like reading").format(command=label),))
    if name in _MORE_READS or _READS.fullmatch(operation):
        tags = ("sensitive-read",) if _SECRETS.fullmatch(operation) or "with-decryption" in options else ()
        return Judgement(Verdict.READ_ONLY, (_("{command} only reads").format(command=label),), tags)
    if _CHANGES.fullmatch(operation):
        return Judgement(Verdict.MUTATING, (_("{command} makes changes").format(command=label),))
    return Judgement(Verdict.UNKNOWN, (_("{command} is not known to be read-only").format(command=label),))


def _judge_action(action: AwsAction) -> Judgement:
    return judge_operation(action.service, action.operation, action.options)
