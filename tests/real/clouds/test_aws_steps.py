"""What guides of services on AWS do, as typed actions: on the emulator, and on a stand-in for what it can't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from cockpit.adapters.aws import following
from cockpit.adapters.aws.adapter import AwsAdapter
from cockpit.adapters.aws.session import AwsOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import CockpitError, Declined, OutcomeUnknown
from cockpit.safety.permit import Mode
from tests.servers.aws import Answer, AwsStandIn, aws_stand_in, refusal, sign_in
from tests.servers.moto import SECRET_VALUE, MotoServer, moto_server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with moto_server() as made:
        made.fill()
        yield made


@pytest.fixture
def server(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    monkeypatch.setattr(following, "LOOK_S", 0.01)
    with aws_stand_in(moto.port) as made:
        yield made


class Run:
    """An action, and what its page held when it ended, well or not."""

    def __init__(self, server: AwsStandIn) -> None:
        self._adapter = AwsAdapter(AwsOptions(region="us-east-1", endpoint_url=server.url))
        self.text = ""

    def __call__(self, body: str, *, read_only: bool = False, **values: str) -> str:
        page = BytesIO()
        task = Task(language="aws", body=body, mode=Mode.LIVE, read_only=read_only, values=values)
        try:
            self._adapter.perform(task, Page(page))
        finally:
            self.text = page.getvalue().decode()
        return self.text


@pytest.fixture
def run(server: AwsStandIn) -> Run:
    return Run(server)


def test_an_older_version_of_a_page_is_found_and_put_back(run: Run, moto: MotoServer) -> None:
    s3 = moto.client("s3")
    listed = json.loads(run("s3api list-object-versions --bucket site --prefix index.html", read_only=True))
    first = next(one["VersionId"] for one in listed["Versions"] if not one["IsLatest"])

    run(
        "s3api copy-object --bucket site --key index.html --copy-source $SOURCE",
        SOURCE=f"site/index.html?versionId={first}",
    )

    assert s3.get_object(Bucket="site", Key="index.html")["Body"].read() == b"first"


def test_no_more_versions_than_are_asked_for_are_listed(run: Run) -> None:
    text = run("s3api list-object-versions --bucket site --prefix index.html --max-items 1", read_only=True)

    assert text.count('"VersionId"') == 1
    assert "only the first 1" in text
    with pytest.raises(CockpitError, match="wants a number"):
        run("s3api list-object-versions --bucket site --max-items many", read_only=True)


def test_images_are_listed_with_their_tags(run: Run, moto: MotoServer) -> None:
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": "sha256:0", "size": 1}, "layers": []}
    moto.client("ecr").put_image(
        repositoryName="shop", imageManifest=json.dumps(manifest), imageTag="v41", imageManifestMediaType=kind
    )

    assert '"v41"' in run("ecr describe-images --repository-name shop", read_only=True)


def invalidation(status: str) -> str:
    batch = "<Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths><CallerReference>c</CallerReference>"
    told = f"<Id>I1</Id><Status>{status}</Status><InvalidationBatch>{batch}</InvalidationBatch>"
    return f"<Invalidation>{told}</Invalidation>"


def test_an_invalidation_is_begun_in_the_command_lines_spelling_and_followed(run: Run, server: AwsStandIn) -> None:
    server.says("cloudfront:CreateInvalidation", (201, invalidation("InProgress")))
    server.says("cloudfront:GetInvalidation", *(invalidation(it) for it in ("InProgress", "InProgress", "Completed")))

    text = run("cloudfront create-invalidation --distribution-id D --paths '/*' /index.html --wait")

    assert text.split("}\n")[-1].splitlines() == ["InProgress", "Completed"]
    assert server.times("cloudfront:GetInvalidation") == 3
    begun_with = server.body("cloudfront:CreateInvalidation")
    assert (b"<Path>/*</Path>" in begun_with, b"<Quantity>2</Quantity>" in begun_with) == (True, True)


def deployment(number: int, state: str, running: int, status: str = "PRIMARY", reason: str = "") -> dict[str, Any]:
    given = {"id": f"ecs-svc/{number}", "status": status, "desiredCount": 2, "runningCount": running, "pendingCount": 0}
    return given | {"taskDefinition": f"api:{number}", "rolloutState": state, "rolloutStateReason": reason}


def service(running: int, *deployments: dict[str, Any], events: tuple[str, ...] = ()) -> dict[str, Any]:
    told = [{"id": text, "message": text, "createdAt": 1.0} for text in reversed(events)]
    given = {"serviceName": "api", "status": "ACTIVE", "desiredCount": 2, "runningCount": running}
    return given | {"deployments": list(deployments), "events": told}


UPDATE = "ecs update-service --cluster shop --service api --task-definition api:7 --force-new-deployment --wait"


def begun(server: AwsStandIn, *later: dict[str, Any] | Answer) -> None:
    """An update of the service to deployment 7, and what the service is like afterwards, look by look."""
    first = service(2, deployment(7, "IN_PROGRESS", 0), deployment(6, "COMPLETED", 2, "ACTIVE"))
    server.says("ecs:UpdateService", {"service": first})
    server.says(
        "ecs:DescribeServices",
        *(each if isinstance(each, tuple) else {"services": [each]} for each in later),
    )


def test_a_deployment_is_followed_to_its_end_with_what_ecs_says_of_it(run: Run, server: AwsStandIn) -> None:
    begun(
        server,
        service(2, deployment(7, "IN_PROGRESS", 0), deployment(6, "COMPLETED", 2, "ACTIVE")),
        service(3, deployment(7, "IN_PROGRESS", 1), deployment(6, "COMPLETED", 2, "ACTIVE"), events=("started 1",)),
        service(2, deployment(7, "IN_PROGRESS", 2), events=("started 1", "stopped 2")),
        service(2, deployment(7, "COMPLETED", 2), events=("started 1", "stopped 2", "steady state")),
    )

    told = run(UPDATE).splitlines()

    assert [line for line in told if line.startswith("ECS: ")] == [
        "ECS: started 1",
        "ECS: stopped 2",
        "ECS: steady state",
    ]
    assert "api  PRIMARY: 1 of 2 running, 0 starting; ACTIVE: 2 of 2 running, 0 starting" in told
    assert server.times("ecs:DescribeServices") == 4


def test_a_deployment_that_fails_fails_the_step_with_its_reason(run: Run, server: AwsStandIn) -> None:
    failed = deployment(7, "FAILED", 0, reason="ECS deployment circuit breaker: tasks failed to start.")
    begun(server, service(2, failed, deployment(6, "COMPLETED", 2, "ACTIVE")))

    with pytest.raises(Declined, match="tasks failed to start"):
        run(UPDATE)


def test_a_deployment_that_was_rolled_back_between_two_looks_is_no_success(run: Run, server: AwsStandIn) -> None:
    back = deployment(8, "COMPLETED", 2, reason="ECS deployment circuit breaker: rolling back to deploymentId 6.")
    begun(server, service(2, deployment(7, "IN_PROGRESS", 0)), service(2, back))

    with pytest.raises(Declined, match=r"another deployment took its place.*rolling back"):
        run(UPDATE)


def test_a_token_that_runs_out_while_waiting_leaves_the_end_open(run: Run, server: AwsStandIn) -> None:
    begun(server, service(2, deployment(7, "IN_PROGRESS", 0)), refusal("ExpiredTokenException", "expired"))

    with pytest.raises(OutcomeUnknown, match=r"it was begun.*expired"):
        run(UPDATE)


def test_being_asked_too_often_while_waiting_is_waited_out(run: Run, server: AwsStandIn) -> None:
    busy = refusal("ThrottlingException", "Rate exceeded")
    begun(server, *[busy] * 5, service(2, deployment(7, "COMPLETED", 2)))

    assert "too often" in run(UPDATE)
    assert server.times("ecs:UpdateService") == 1


def test_what_changes_something_is_sent_once_however_the_answer_fails(run: Run, server: AwsStandIn) -> None:
    server.says("ecs:UpdateService", (500, "<html>oops</html>"))

    with pytest.raises(CockpitError, match="status 500"):
        run(UPDATE)
    assert server.times("ecs:UpdateService") == 1


def function(status: str, reason: str = "") -> dict[str, Any]:
    return {"FunctionName": "worker", "LastUpdateStatus": status, "LastUpdateStatusReason": reason}


IMAGE = "lambda update-function-code --function-name worker --image-uri $REGISTRY/worker:v41 --wait"


def test_a_function_gets_its_image_and_is_followed_until_it_runs(run: Run, server: AwsStandIn) -> None:
    server.says("lambda:UpdateFunctionCode", function("InProgress"))
    server.says("lambda:GetFunctionConfiguration", function("InProgress"), function("Successful"))

    told = run(IMAGE, REGISTRY="1.dkr.ecr.us-east-1.amazonaws.com")

    assert told.splitlines()[-2:] == ["InProgress", "Successful"]
    asked = next(given for name, given in server.asked if name == "lambda:UpdateFunctionCode")
    assert asked == {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/worker:v41"}


def test_an_image_that_can_not_be_used_fails_the_step(run: Run, server: AwsStandIn) -> None:
    server.says("lambda:UpdateFunctionCode", function("InProgress"))
    server.says("lambda:GetFunctionConfiguration", function("InProgress"), function("Failed", "ImageDeleted"))

    with pytest.raises(Declined, match="ImageDeleted"):
        run(IMAGE, REGISTRY="r")


def change(status: str) -> str:
    told = f"<Id>/change/C1</Id><Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>"
    return f"<GetChangeResponse><ChangeInfo>{told}</ChangeInfo></GetChangeResponse>"


BATCH = {
    "Changes": [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": "api.shop.test",
                "Type": "CNAME",
                "TTL": 60,
                "ResourceRecords": [{"Value": "dr.shop.test"}],
            },
        }
    ]
}
MOVE = f"route53 change-resource-record-sets --hosted-zone-id $ZONE --change-batch '{json.dumps(BATCH)}' --wait"


def test_a_change_of_names_is_followed_until_all_servers_have_it(
    run: Run, server: AwsStandIn, moto: MotoServer
) -> None:
    server.says("route53:GetChange", change("PENDING"), change("PENDING"), change("INSYNC"))

    told = run(MOVE, ZONE=moto.zone)

    assert told.splitlines()[-2:] == ["PENDING", "INSYNC"]
    sets = moto.client("route53").list_resource_record_sets(HostedZoneId=moto.zone)["ResourceRecordSets"]
    assert [one["ResourceRecords"][0]["Value"] for one in sets if one["Type"] == "CNAME"] == ["dr.shop.test"]


def test_a_change_that_is_refused_is_told(run: Run, moto: MotoServer) -> None:
    with pytest.raises(Declined):
        run(MOVE.replace("UPSERT", "DELETE").replace("api.shop.test", "never.shop.test"), ZONE=moto.zone)


COMMAND_ID = "0123456789abcdef-0123456789abcdef-012"
ONE, TWO = "i-0123456789abcdef1", "i-0123456789abcdef2"
COMMAND = "ssm send-command --document-name AWS-RunShellScript --instance-ids $ONE $TWO --parameters '{}' --wait"


def commanded(server: AwsStandIn, *states: tuple[str, dict[str, str]]) -> None:
    """A command, and look by look its state and that of each machine."""
    server.says("ssm:SendCommand", {"Command": {"CommandId": COMMAND_ID, "Status": "Pending"}})
    left = list(states)

    def status(_given: dict[str, Any]) -> Answer:
        now = left[0]
        over = sum(one not in ("Pending", "InProgress") for one in now[1].values())
        return {"Commands": [{"CommandId": COMMAND_ID, "Status": now[0], "TargetCount": 2, "CompletedCount": over}]}

    def invocations(_given: dict[str, Any]) -> Answer:
        machines = (left.pop(0) if len(left) > 1 else left[0])[1]
        return {
            "CommandInvocations": [
                {"InstanceId": name, "Status": "TimedOut" if "Timed" in one else one, "StatusDetails": one}
                for name, one in machines.items()
            ]
        }

    server.says("ssm:ListCommands", status)
    server.says("ssm:ListCommandInvocations", invocations)
    server.says(
        "ssm:GetCommandInvocation",
        lambda given: {
            "StandardOutputContent": f"rolled back on {given['InstanceId']}\n",
            "StandardErrorContent": "",
            "ResponseCode": 0,
        },
    )


def test_a_command_is_followed_on_every_machine_with_its_output(run: Run, server: AwsStandIn) -> None:
    commanded(
        server,
        ("Pending", {}),
        ("InProgress", {ONE: "InProgress"}),
        ("InProgress", {ONE: "Success", TWO: "Pending"}),
        ("Success", {ONE: "Success", TWO: "Success"}),
    )

    told = run(COMMAND, ONE=ONE, TWO=TWO)

    assert told.count(f"[{ONE}] rolled back on {ONE}") == told.count(f"[{TWO}] rolled back on {TWO}") == 1
    assert "InProgress: 1 of 2" in told


@pytest.mark.parametrize("how", ["Failed", "Execution Timed Out", "Delivery Timed Out", "Cancelled"])
def test_a_command_that_fails_on_one_machine_fails_the_step(run: Run, server: AwsStandIn, how: str) -> None:
    commanded(server, ("Failed", {ONE: "Success", TWO: how}))

    with pytest.raises(Declined, match=rf"{TWO} \({how}\)"):
        run(COMMAND, ONE=ONE, TWO=TWO)
    assert f"[{ONE}] Success" in run.text


def test_a_command_that_no_machine_ran_is_no_success(run: Run, server: AwsStandIn) -> None:
    commanded(server, ("Success", {}))

    with pytest.raises(Declined, match="no machine ran it"):
        run(COMMAND, ONE=ONE, TWO=TWO)


def test_cancelling_the_step_cancels_the_command_on_the_machines(
    run: Run, server: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    commanded(server, ("InProgress", {ONE: "InProgress"}))
    server.says("ssm:CancelCommand", {})

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following.Following, "pause", staticmethod(interrupt))
    with pytest.raises(KeyboardInterrupt):
        run(COMMAND, ONE=ONE, TWO=TWO)

    assert next(given for name, given in server.asked if name == "ssm:CancelCommand") == {"CommandId": COMMAND_ID}


def test_a_secret_is_fetched_and_never_shown(run: Run) -> None:
    text = run("secretsmanager get-secret-value --secret-id db", read_only=True)

    assert SECRET_VALUE not in text
    assert '"Name": "db"' in text
