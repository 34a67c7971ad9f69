"""AWS for the contract suite: an emulator, behind a wire that holds back what is about the service "stuck"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cockpit.adapters.aws.adapter import AwsAdapter
from cockpit.adapters.aws.session import AwsOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.holding import holding
from tests.servers.moto import MotoServer, moto_server
from tests.servers.server import free_port

_SERVICE = "--cluster shop --service"


@contextmanager
def specimen() -> Iterator[Specimen]:
    with moto_server() as server, holding(server.port, b"stuck") as wire, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing-Zq71")
        server.fill()
        _fill(server)
        yield Specimen(
            adapter=_adapter(wire.port),
            language="aws",
            cut=wire.cut,
            hello="ssm get-parameter --name hello",
            streams=(
                f"ssm get-parameter --name hello\necs update-service {_SERVICE} stuck --desired-count 7",
                b"hello",
                wire.let_go,
                b'"desiredCount": 7',
            ),
            endless="ecs describe-services --cluster shop --services stuck",
            at_it=wire.holds,
            large="s3api get-object --bucket site --key large",
            no_text="s3api get-object --bucket site --key bytes",
            as_shown=b"a\xff\xfeb\x1b[31m",
            echo=lambda value: f"ssm get-parameter --name '{value}'",
            with_input="s3api list-objects-v2 --bucket site --prefix $WORD",
            mistake="ecs update-service --cluster nowhere --service api --desired-count 1",
            complaint=b"Cluster not found",
            changes=f"ecs update-service {_SERVICE} api --desired-count 3",
            changes_slowly=f"ecs update-service {_SERVICE} stuck --force-new-deployment",
            fingerprint=server.fingerprint,
            absent=_adapter(free_port()),
            library="boto3",
            wrong_credentials=None,
        )


def _adapter(port: int) -> AwsAdapter:
    return AwsAdapter(AwsOptions(region="us-east-1", endpoint_url=f"http://127.0.0.1:{port}"))


def _fill(server: MotoServer) -> None:
    server.client("ssm").put_parameter(Name="hello", Value="hello", Type="String")
    server.client("ecs").create_service(cluster="shop", serviceName="stuck", taskDefinition="api:1", desiredCount=1)
    s3 = server.client("s3")
    s3.put_object(Bucket="site", Key="large", Body=b"x" * 10_000_000)
    s3.put_object(Bucket="site", Key="bytes", Body=b"a\xff\xfeb\x1b[31m")
