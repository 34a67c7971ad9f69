"""`cockpit doctor` on a target of kind aws: who one is, where, for how long, and what is wrong with that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.adapters.aws.adapter import AwsAdapter
from cockpit.adapters.aws.session import AwsOptions
from cockpit.adapters.checking import Check
from cockpit.errors import AccessDenied, CockpitError, ConfigError, TargetUnreachable, ToolMissing
from tests.servers.aws import AwsStandIn, aws_stand_in, sign_in
from tests.servers.moto import MotoServer, moto_server
from tests.servers.server import free_port

pytestmark = pytest.mark.real
EXPIRED = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>"


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with moto_server() as made:
        yield made


@pytest.fixture
def server(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in(moto.port) as made:
        yield made


async def checked(url: str, **options: str) -> list[Check]:
    adapter = AwsAdapter(AwsOptions(**({"region": "eu-west-1", "endpoint_url": url} | options)))
    return list(await adapter.checks())


async def test_who_one_is_and_where_is_told(server: AwsStandIn) -> None:
    found = await checked(server.url)

    assert "arn:aws:" in found[0].text
    assert "eu-west-1" in found[0].text
    assert "read-only" in found[-1].text
    assert not any("ends" in check.text for check in found)


@pytest.mark.parametrize(("minutes", "standing"), [(9, "warning"), (240, "ok")])
async def test_when_a_sign_in_ends_is_told_and_soon_is_a_warning(
    server: AwsStandIn, monkeypatch: pytest.MonkeyPatch, minutes: int, standing: str
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", end.isoformat())

    told = (await checked(server.url))[1]

    assert (told.standing, end.strftime("%H:%M") in told.text) == (standing, True)
    assert bool(told.mend) == (standing == "warning")


async def test_a_token_that_does_not_say_when_it_ends_is_a_warning(
    server: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")

    told = (await checked(server.url))[1]

    assert (told.standing, "nothing here says when" in told.text) == ("warning", True)


async def test_a_sign_in_that_has_ended_is_said_with_a_mend(server: AwsStandIn) -> None:
    server.says("sts:GetCallerIdentity", (403, EXPIRED))

    with pytest.raises(AccessDenied, match="expired") as caught:
        await checked(server.url)
    assert "sign in again" in caught.value.mend


async def test_each_thing_that_keeps_it_from_being_used_is_named(
    server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        await checked(server.url, profile="nowhere")
    with pytest.raises(TargetUnreachable, match="can't be reached"):
        await checked(f"http://127.0.0.1:{free_port()}")
    sign_in(monkeypatch, tmp_path)
    with pytest.raises(CockpitError, match="no AWS credentials"):
        await checked(server.url)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ToolMissing, match="boto3") as caught:
        await checked(server.url)
    assert caught.value.mend == "pip install 'incident-cockpit[aws]'"
