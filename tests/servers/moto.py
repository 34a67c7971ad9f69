"""The AWS emulator, and everything in it as one value to compare."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.server import answers, free_port, running, server_folder

SECRET_VALUE = "Zq9-the-database-password-55"


@dataclass
class MotoServer:
    """One account in one region; `client` speaks to it as anybody."""

    port: int
    zone: str = ""
    queue: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, region: str = "us-east-1") -> Any:
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def fingerprint(self) -> dict[str, Any]:
        """Every object of every service, but for those that the emulator itself fills with thousands."""
        with urllib.request.urlopen(f"{self.url}/moto-api/data.json") as answer:
            held: dict[str, Any] = json.loads(answer.read())
        return {service: objects for service, objects in held.items() if service not in ("ec2", "elb", "elbv2")}

    def fill(self) -> None:
        """Something of each service of the tests."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket="site")
        s3.put_bucket_versioning(Bucket="site", VersioningConfiguration={"Status": "Enabled"})
        for body in (b"first", b"second"):
            s3.put_object(Bucket="site", Key="index.html", Body=body)
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="shop")
        for image in ("shop:1", "shop:2"):
            environment = [{"name": "DB_PASSWORD", "value": SECRET_VALUE}, {"name": "MODEL", "value": "large"}]
            container = {"name": "app", "image": image, "memory": 64, "environment": environment}
            ecs.register_task_definition(family="api", containerDefinitions=[container])
        ecs.create_service(cluster="shop", serviceName="api", taskDefinition="api:2", desiredCount=1)
        self.client("secretsmanager").create_secret(Name="db", SecretString=SECRET_VALUE)
        ssm = self.client("ssm")
        ssm.put_parameter(Name="/shop/password", Value=SECRET_VALUE, Type="SecureString")
        ssm.put_parameter(Name="/shop/model", Value="large", Type="String")
        sqs = self.client("sqs")
        self.queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        sqs.send_message(QueueUrl=self.queue, MessageBody="job-1")
        self.client("ecr").create_repository(repositoryName="shop")
        zone = self.client("route53").create_hosted_zone(Name="shop.test", CallerReference="1")
        self.zone = zone["HostedZone"]["Id"].rpartition("/")[2]
        self.client("logs").create_log_group(logGroupName="api")
        self.client("iam").create_user(UserName="oncall")


@contextmanager
def moto_server() -> Iterator[MotoServer]:
    pytest.importorskip("moto", reason="the AWS emulator is not installed")
    with server_folder() as folder:
        port = free_port()
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with running(argv, lambda: answers(port), folder):
            yield MotoServer(port)
