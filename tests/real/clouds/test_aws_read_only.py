"""Read-only AWS: everything that changes something, tried on an emulator; what is sealed, and what is never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from cockpit.adapters.aws.adapter import AwsAdapter
from cockpit.adapters.aws.session import Account, AwsOptions, reads
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AdapterError, CockpitError, PolicyRefusal
from cockpit.safety.judge import judge
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Verdict
from tests.servers.moto import SECRET_VALUE, MotoServer, moto_server
from tests.servers.server import free_port

pytestmark = pytest.mark.real

CHANGES = r"""
ecs update-service --cluster shop --service api --desired-count 0
ecs update-service --cluster shop --service api --task-definition api:1 --wait
ecs:UpdateService --cluster shop --service api --desired-count 0
ecs.update_service --cluster shop --service api --desired-count 0
ecs UPDATE-SERVICE --cluster shop --service api --desired-count 0
ecs delete-service --cluster shop --service api --force
ecs stop-task --task x
ecs execute-command --task x --command id --interactive
s3api put-object --bucket site --key evil --body x
s3api delete-object --bucket site --key index.html
s3api delete-objects --bucket site --delete '{"Objects": [{"Key": "index.html"}]}'
s3api copy-object --bucket site --key evil --copy-source site/index.html
s3api put-bucket-versioning --bucket site --versioning-configuration Status=Suspended
s3api restore-object --bucket site --key index.html
s3api select-object-content --bucket site --key index.html
s3 sync . s3://site
s3 rm s3://site --recursive
sqs receive-message --queue-url $QUEUE
sqs delete-message --queue-url $QUEUE --receipt-handle x
sqs purge-queue --queue-url $QUEUE
sqs change-message-visibility --queue-url $QUEUE --receipt-handle x --visibility-timeout 0
sts get-session-token
sts get-federation-token --name x
sts assume-role --role-arn arn:aws:iam::1:role/x --role-session-name x
sts get-web-identity-token
ecr get-authorization-token
iam create-access-key --user-name oncall
iam attach-user-policy --user-name oncall --policy-arn x
iam delete-user --user-name oncall
iam generate-credential-report
lambda invoke --function-name f
lambda update-function-code --function-name f --image-uri i
ssm send-command --document-name AWS-RunShellScript --instance-ids i
ssm start-session --target i
ssm put-parameter --name /shop/model --value small --overwrite
ssm get-access-token --access-request-id x
route53 change-resource-record-sets --hosted-zone-id $ZONE --change-batch '{"Changes": []}'
cloudfront create-invalidation --distribution-id D
secretsmanager put-secret-value --secret-id db --secret-string evil
secretsmanager rotate-secret --secret-id db
secretsmanager delete-secret --secret-id db --force-delete-without-recovery
logs create-log-stream --log-group-name api --log-stream-name x
logs delete-log-group --log-group-name api
cloudwatch set-alarm-state --alarm-name a --state-value OK --state-reason x
dynamodb execute-statement --statement "DELETE FROM t"
kms decrypt --ciphertext-blob x
stepfunctions get-activity-task --activity-arn a
appconfigdata get-latest-configuration --configuration-token t
cognito-identity get-id --identity-pool-id p
redshift get-cluster-credentials --db-user u --auto-create
ec2 get-console-screenshot --instance-id i --wake-up
ec2 terminate-instances --instance-ids i
ecs describe-services --cluster shop\necs delete-service --cluster shop --service api
ecs describe-services --endpoint-url http://127.0.0.1:1
ecs describe-services --profile other
ecs describe-services --cli-input-json '{}'
ecs $OPERATION --cluster shop
$SERVICE delete-cluster --cluster shop
ecs describe-services --cluster shop | sh
ecs describe-services $(id)
aws ecs delete-service --cluster shop --service api
"""
READS = r"""
ecs describe-services --cluster shop --services api
ecs:ListServices --cluster shop
ecs describe-task-definition --task-definition api:2
s3api list-object-versions --bucket site
s3api head-object --bucket site --key index.html
s3api get-object --bucket site --key index.html
sqs get-queue-attributes --queue-url $QUEUE --attribute-names All
sts get-caller-identity
iam list-users
ecr describe-repositories
ssm get-parameters --names /shop/model /shop/password --with-decryption
secretsmanager get-secret-value --secret-id db
secretsmanager list-secrets
route53 list-resource-record-sets --hosted-zone-id $ZONE
logs describe-log-groups
"""


def _each(texts: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in texts.split("\n")[1:-1]]


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with moto_server() as made, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing-Zq71")
        made.fill()
        yield made


def adapter_of(server: MotoServer, *, trusted: bool = True) -> AwsAdapter:
    return AwsAdapter(AwsOptions(region="us-east-1", endpoint_url=server.url), trusted=trusted)


def perform(server: MotoServer, body: str) -> str:
    page = BytesIO()
    values = {"QUEUE": server.queue, "ZONE": server.zone, "OPERATION": "delete-cluster", "SERVICE": "ecs"}
    task = Task(language="aws", body=body, mode=Mode.READ_ONLY, values=values)
    adapter_of(server).perform(task, Page(page))
    return page.getvalue().decode()


@pytest.mark.parametrize("body", _each(CHANGES))
def test_nothing_changes_whatever_is_tried(server: MotoServer, body: str) -> None:
    before = server.fingerprint()

    with pytest.raises(CockpitError):
        perform(server, body)

    assert server.fingerprint() == before
    assert judge("aws", body).verdict is not Verdict.READ_ONLY


@pytest.mark.parametrize("body", _each(READS))
def test_what_reads_is_answered_and_shows_no_secret(server: MotoServer, body: str) -> None:
    shown = perform(server, body)

    assert shown
    assert SECRET_VALUE not in shown
    assert judge("aws", body).verdict is Verdict.READ_ONLY


def test_what_is_no_secret_is_shown_beside_what_is(server: MotoServer) -> None:
    shown = perform(server, "ecs describe-task-definition --task-definition api:2")
    assert "large" in shown
    assert "[hidden]" in shown
    assert "large" in perform(server, "ssm get-parameters --names /shop/model /shop/password --with-decryption")
    assert perform(server, "s3api get-object --bucket site --key index.html").endswith("second")


@pytest.fixture(scope="module")
def sealed(server: MotoServer) -> Account:
    return Account(AwsOptions(region="us-east-1", endpoint_url=server.url), sealed=True)


def test_a_sealed_client_sends_nothing_that_acts(server: MotoServer, sealed: Account) -> None:
    before = server.fingerprint()
    s3, ecs, sqs, sts = (sealed.client(name) for name in ("s3", "ecs", "sqs", "sts"))
    tried: list[Callable[[], Any]] = [
        lambda: s3.put_object(Bucket="site", Key="evil", Body=b"x"),
        lambda: s3.upload_fileobj(BytesIO(b"x"), "site", "evil"),
        lambda: s3.delete_object(Bucket="site", Key="index.html"),
        lambda: s3.generate_presigned_url("put_object", Params={"Bucket": "site", "Key": "evil"}),
        lambda: s3.generate_presigned_post("site", "evil") and s3.put_object(Bucket="site", Key="evil"),
        lambda: ecs.update_service(cluster="shop", service="api", desiredCount=0),
        lambda: sqs.receive_message(QueueUrl=server.queue),
        sts.get_session_token,
        lambda: ecs._make_api_call("DeleteService", {"cluster": "shop", "service": "api"}),
        lambda: sealed.call("ecs", "UpdateService", {"cluster": "shop", "service": "api", "desiredCount": 0}),
    ]
    for attempt in tried:
        with pytest.raises(PolicyRefusal):
            attempt()
    assert server.fingerprint() == before


def test_every_operation_of_the_services_of_this_page_is_sealed_or_reads(sealed: Account) -> None:
    sealed_off, left = 0, []
    for service in (
        "ecs",
        "s3",
        "lambda",
        "route53",
        "cloudfront",
        "ssm",
        "ecr",
        "secretsmanager",
        "sqs",
        "sts",
        "logs",
    ):
        client = sealed.client(service)
        for name in client.meta.service_model.operation_names:
            model = client.meta.service_model.operation_model(name)
            if not reads(model):
                with pytest.raises(PolicyRefusal):
                    client.meta.events.emit(f"before-send.{service}.{name}", request=None)
                sealed_off += 1
            elif not name.startswith(
                ("Describe", "Get", "List", "Head", "BatchGet", "Filter", "TestMetric", "TestDNS")
            ):
                left.append(f"{service}:{name}")
    assert sealed_off > 250
    assert sorted(left) == ["ecr:BatchCheckLayerAvailability"]


def test_a_document_does_not_say_where_signed_requests_go(server: MotoServer) -> None:
    with pytest.raises(PolicyRefusal, match="signed"):
        adapter_of(server, trusted=False).perform(Task(language="aws", body="sts get-caller-identity"), Page(BytesIO()))


def test_a_parameter_that_would_read_a_file_is_refused(server: MotoServer) -> None:
    with pytest.raises(CockpitError, match="file"):
        perform(server, "logs describe-log-groups --log-group-name-prefix file:///etc/passwd")


def test_who_these_credentials_are_is_told(server: MotoServer) -> None:
    told = adapter_of(server).enforced(Task())
    assert told.by == "tool"
    assert "arn:aws:" in told.detail


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "expired"),
        ("InvalidClientTokenId", "does not know"),
        ("RequestTimeTooSkewed", "clock"),
        ("AccessDeniedException", "not allowed"),
        ("ThrottlingException", "too often"),
    ],
)
def test_each_refusal_of_aws_names_its_cause(server: MotoServer, code: str, said: str) -> None:
    from botocore.exceptions import ClientError

    account = Account(AwsOptions(region="us-east-1", endpoint_url=server.url), sealed=False)

    def refuse(**_given: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "not allowed"}}, "GetCallerIdentity")

    account.client("sts").meta.events.register("before-call", refuse)
    with pytest.raises(AdapterError, match=said):
        account.call("sts", "GetCallerIdentity", {})


def test_a_missing_profile_region_or_server_is_said(server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, said in (
        (AwsOptions(profile="nowhere"), "nowhere"),
        (AwsOptions(endpoint_url=server.url), "region"),
        (AwsOptions(region="us-east-1", endpoint_url=f"http://127.0.0.1:{free_port()}"), "can't be reached"),
    ):
        with pytest.raises(CockpitError, match=said):
            Account(options, sealed=True).call("sqs", "ListQueues", {})
