"""Verdicts of typed AWS actions, held against every operation that botocore knows."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from cockpit.safety.aws.action import kebab, letters
from cockpit.safety.aws.judgement import judge_operation
from cockpit.safety.judge import judge


def verdict(text: str) -> str:
    return str(judge("aws", text).verdict)


@pytest.mark.parametrize(
    "action",
    [
        "ecs describe-services --cluster shop --services api web",
        "ecs:DescribeServices --cluster shop",
        "ecs.describe_services --cluster $CLUSTER",
        "s3api list-object-versions --bucket b --prefix p",
        "s3 head-object --bucket b --key k",
        "ecr describe-images --repository-name shop",
        "cloudfront get-invalidation --distribution-id D --id I",
        "route53 get-change --id C",
        "ssm get-command-invocation --command-id c --instance-id i",
        "sts get-caller-identity",
        "sqs get-queue-url --queue-name q",
        "sqs get-queue-attributes --queue-url u",
        "cloudwatch get-metric-data --metric-data-queries '[]'",
        "logs filter-log-events --log-group-name g --filter-pattern '{ $.level = \"error\" }'",
        "dynamodb query --table-name t",
        "cloudformation validate-template --template-body x",
        "ec2 describe-instances\nelbv2 describe-target-health --target-group-arn a",
        "sagemaker ListHubs",
        "rds DescribeDBInstances",
    ],
)
def test_reading_is_read_only(action: str) -> None:
    assert verdict(action) == "read-only"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("ecs update-service --cluster a --service b --force-new-deployment --wait", "mutating"),
        ("cloudfront create-invalidation --distribution-id D", "mutating"),
        ("lambda update-function-code --function-name f --image-uri i", "mutating"),
        ("lambda invoke --function-name f", "mutating"),
        ("ssm send-command --document-name AWS-RunShellScript", "mutating"),
        ("ssm start-session --target i", "mutating"),
        ("sqs receive-message --queue-url u", "mutating"),
        ("s3api put-object --bucket b --key k", "mutating"),
        ("s3api delete-object --bucket b --key k", "destructive"),
        ("route53 change-resource-record-sets --hosted-zone-id Z --change-batch '{}'", "destructive"),
        ("ec2 terminate-instances --instance-ids i", "destructive"),
        ("sqs purge-queue --queue-url u", "destructive"),
        ("sts get-caller-identity\nec2 terminate-instances --instance-ids i", "destructive"),
    ],
)
def test_changes_stand_on_their_rung(action: str, expected: str) -> None:
    assert verdict(action) == expected


@pytest.mark.parametrize(
    "action",
    [
        "sts get-session-token",
        "sts get-federation-token --name x",
        "sts:GetWebIdentityToken",
        "sts assume-role --role-arn r",
        "ecr get-authorization-token",
        "codeartifact get-authorization-token --domain d",
        "redshift get-cluster-credentials --db-user u --auto-create",
        "redshift get-cluster-credentials-with-iam",
        "sso get-role-credentials",
        "cognito-identity get-id",
        "cognito-identity get-open-id-token-for-developer-identity",
        "cognito-identity get-credentials-for-identity",
        "lakeformation get-temporary-glue-table-credentials",
        "bedrock-agentcore get-workload-access-token-for-jwt",
        "s3control get-data-access",
        "quicksight get-dashboard-embed-url",
        "auditmanager get-evidence-file-upload-url",
        "stepfunctions get-activity-task",
        "appconfigdata get-latest-configuration --configuration-token t",
        "ec2 get-console-screenshot --instance-id i --wake-up",
        "waf get-change-token",
        "swf poll-for-activity-task",
        "codepipeline poll-for-jobs",
        "elasticache test-failover",
        "kms decrypt --ciphertext-blob x",
    ],
)
def test_a_read_by_name_that_hands_out_credentials_or_takes_something_is_none(action: str) -> None:
    assert verdict(action) != "read-only"


@pytest.mark.parametrize(
    "action",
    [
        "ecs describe-services --endpoint-url http://evil/",
        "ecs describe-services --cli-input-json '{}'",
        "ecs describe-services --profile other",
        "ecs describe-services --region us-east-1",
        "ecs describe-services --cluster a | sh",
        "ecs describe-services --cluster $(id)",
        "ecs $OPERATION",
        "$SERVICE describe-services",
        "ecs --$NAME x",
        "ecs describe-services shop",
        "aws ecs describe-services",
        "s3 ls",
        "s3 sync a s3://b",
        "ecs",
        "ecs described-services",
        "ecs get",
        "",
    ],
)
def test_doubt_is_unknown(action: str) -> None:
    assert verdict(action) == "unknown"


def test_reading_secrets_is_tagged() -> None:
    for action in (
        "secretsmanager get-secret-value --secret-id s",
        "secretsmanager batch-get-secret-value",
        "ssm get-parameter --name n --with-decryption",
        "ssm get-parameters-by-path --path / --with-decryption",
        "ec2 get-password-data --instance-id i",
        "lambda get-function-configuration --function-name f",
        "ecs describe-task-definition --task-definition t",
        "apigateway get-api-keys --include-values",
    ):
        assert "sensitive-read" in judge("aws", action).tags, action
    assert judge("aws", "ecs describe-services --cluster a").tags == ()


class Known(NamedTuple):
    """What botocore's model of an operation says. `once`: it takes a token so that a repetition changes nothing."""

    service: str
    name: str
    method: str
    once: bool
    answers: frozenset[str]


@pytest.fixture(scope="module")
def known() -> list[Known]:
    loader = pytest.importorskip("botocore.loaders").Loader()
    return [
        _known(service, name, operation, model["shapes"])
        for service in loader.list_available_services("service-2")
        for model in [loader.load_service_model(service, "service-2")]
        for name, operation in model["operations"].items()
    ]


def _known(service: str, name: str, operation: dict[str, Any], shapes: dict[str, Any]) -> Known:
    def members(shape: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = shapes.get(shape.get("shape", ""), {}).get("members", {})
        return found

    answered = members(operation.get("output", {}))
    inner = {key for member in answered.values() for key in members(member)}
    once = any(member.get("idempotencyToken") for member in members(operation.get("input", {})).values())
    answers = frozenset(key.lower() for key in {*answered, *inner})
    return Known(service, name, operation["http"]["method"], once, answers)


# It lists aliases; its token is a leftover of the operations that change them.
_REVIEWED = {("fsx", "DescribeFileSystemAliases")}


def test_no_operation_that_its_own_model_says_changes_something_is_read_only(known: list[Known]) -> None:
    reads = [it for it in known if judge_operation(it.service, kebab(it.name)).verdict == "read-only"]
    changing = {(it.service, it.name) for it in reads if it.once or it.method not in ("GET", "HEAD", "POST")}
    assert changing - _REVIEWED == set()
    assert len(reads) > 5000


def test_no_operation_that_answers_with_credentials_is_read_only(known: list[Known]) -> None:
    issuing = [it for it in known if it.answers & {"secretaccesskey", "sessiontoken"}]
    assert [it[:2] for it in issuing if judge_operation(it.service, kebab(it.name)).verdict == "read-only"] == []
    assert len(issuing) > 20


def test_names_are_told_apart_as_botocore_does(known: list[Known]) -> None:
    from botocore import xform_name

    assert [it.name for it in known if letters(it.name) != letters(xform_name(it.name, "-"))] == []
    assert [it.name for it in known if letters(kebab(it.name)) != letters(it.name)] == []
