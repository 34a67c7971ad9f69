"""When AWS, or the way to it, says no: each cause by its name and with what mends it, and nothing else suffers."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.aws.looking import Pace
from cockpit.adapters.aws.session import Account, AwsOptions
from cockpit.config import Config, ProbeConfig
from cockpit.config.document import read_front_matter
from cockpit.errors import AskedTooOften, CockpitError
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from tests.servers.aws import Answer, AwsStandIn, aws_stand_in, refusal, sign_in
from tests.servers.pages import Page, page_server
from tests.servers.server import free_port
from tests.waiting import until

SERVICE = {"serviceName": "api", "status": "ACTIVE", "desiredCount": 1, "runningCount": 1, "deployments": []}
STEADY: Answer = {"services": [SERVICE]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStandIn]:
    sign_in(monkeypatch)
    with aws_stand_in() as made:
        made.says("ecs:DescribeServices", STEADY)
        yield made


def config(url: str, name: str = "it", **more: Any) -> ProbeConfig:
    options = {"region": "eu-west-9", "endpoint_url": url, "services": ["api"]}
    return ProbeConfig(name=name, kind="ecs", options=options, **({"deadline_s": 30.0} | more))


def probe(url: str, **more: Any) -> WatchedProbe:
    return build(config(url, **more), lambda text: text)


@pytest.mark.parametrize(
    ("said", "error", "mend", "level"),
    [
        (refusal("ExpiredTokenException", "The security token is expired"), "expired", "sign in again", "yellow"),
        (refusal("UnrecognizedClientException", "invalid"), "does not know", "not enabled", "yellow"),
        (refusal("InvalidSignatureException", "Signature expired: 1 is earlier than 2"), "clock", "chrony", "yellow"),
        (refusal("InvalidSignatureException", "does not match"), "signature", "secret key", "yellow"),
        (refusal("AccessDeniedException", "x is not authorized to perform"), "not authorized", "role", "yellow"),
        (refusal("ThrottlingException", "Rate exceeded"), "too often", "wait", "yellow"),
        (refusal("ClusterNotFoundException", "Cluster not found."), "eu-west-9", "region", "red"),
        (refusal("ServerException", "oops", 500), "oops", "", "red"),
        ((500, "<html>Internal Server Error</html>"), "status 500", "proxy", "red"),
        ((403, "<html>Sign in to the guest network</html>"), "status 403", "proxy", "red"),
        ((200, "<html>Sign in to the guest network</html>"), "can't be read", "proxy", "red"),
        ((200, '{"services": "none"}'), "can't be read", "proxy", "red"),
        ((200, "{"), "can't be read", "proxy", "red"),
    ],
)
async def test_each_refusal_has_its_cause_and_its_mend(
    server: AwsStandIn, said: Answer, error: str, mend: str, level: str
) -> None:
    server.says("ecs:DescribeServices", said)

    sample = await probe(server.url).sample()

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level(level))
    assert error in sample.error
    assert mend in sample.mend


def test_a_clock_that_is_wrong_is_told_by_how_much(server: AwsStandIn) -> None:
    from botocore.exceptions import ClientError

    account = Account(AwsOptions("us-east-1", "", server.url), sealed=True)
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=17), usegmt=True)

    def refuse(**_given: Any) -> None:
        about = {"HTTPStatusCode": 403, "HTTPHeaders": {"date": date}}
        raise ClientError({"Error": {"Code": "RequestTimeTooSkewed"}, "ResponseMetadata": about}, "x")

    account.client("sts").meta.events.register("before-call", refuse)
    with pytest.raises(CockpitError, match=r"17 min behind"):
        account.call("sts", "GetCallerIdentity", {})


def written(folder: Path, key: str) -> None:
    text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\naws_session_token = t\n"
    (folder / "credentials").write_text(text)


async def test_a_token_that_expires_midway_costs_looks_until_it_is_renewed(
    server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, tmp_path)
    monkeypatch.setattr("cockpit.adapters.aws.looking._SIGN_IN_AGAIN_S", 0.0)
    written(tmp_path, "AKIAOLD")
    server.says("ecs:DescribeServices", STEADY, refusal("ExpiredTokenException", "expired"), STEADY)
    made = probe(server.url)

    well = await made.sample()
    expired = await made.sample()
    written(tmp_path, "AKIANEW")
    again = await made.sample()

    assert [each.outcome for each in (well, expired, again)] == [Outcome.DATA, Outcome.FAILED, Outcome.DATA]
    assert "sign in again" in expired.mend
    keys = [given["authorization"] for _name, given in server.signed]
    assert ["AKIANEW" in key for key in keys] == [False, False, True]


class Slow(Page):
    """A metadata service that takes its time."""

    over = threading.Event()

    def answer(self) -> None:
        self.over.wait(60)

    do_PUT = answer  # noqa: N815


async def test_a_slow_metadata_service_is_named(
    server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, tmp_path)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with page_server(Slow) as port:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{port}/")
        sample = await probe(server.url).sample()
        Slow.over.set()

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert "metadata service did not answer in time" in sample.error
    assert "AWS_METADATA_SERVICE_TIMEOUT" in sample.mend


async def test_no_credentials_at_all_is_not_called_slow(
    server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, tmp_path)

    sample = await probe(server.url).sample()

    assert (sample.level, "there are no AWS credentials" in sample.error) == (Level.YELLOW, True)
    assert "in time" not in sample.error
    assert "get-caller-identity" in sample.mend


async def test_credentials_that_come_later_are_used(
    server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, tmp_path)
    monkeypatch.setattr("cockpit.adapters.aws.looking._SIGN_IN_AGAIN_S", 0.0)
    made = probe(server.url)
    await made.sample()
    written(tmp_path, "AKIANEW")

    assert (await made.sample()).outcome is Outcome.DATA


async def test_a_region_that_is_not_there_is_named(server: AwsStandIn) -> None:
    sample = await probe(f"http://127.0.0.1:{free_port()}").sample()

    assert (sample.outcome, "can't be reached" in sample.error) == (Outcome.FAILED, True)
    assert "eu-west-9" in sample.mend


@pytest.mark.parametrize("code", ["PermanentRedirect", "AuthorizationHeaderMalformed"])
def test_a_bucket_of_another_region_says_so(server: AwsStandIn, code: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>the region is wrong; expecting 'eu-north-1'</Message></Error>"
    server.says("*", (400, body))

    with pytest.raises(CockpitError, match=r"in another region.*eu-north-1"):
        Account(AwsOptions("us-east-1", "", server.url), sealed=True).call("s3", "ListObjectsV2", {"Bucket": "b"})


async def test_a_missing_library_says_what_to_install(server: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    sample = await probe(server.url).sample()

    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
    assert sample.mend == "pip install 'incident-cockpit[aws]'"


async def test_an_account_that_has_enough_of_us_is_left_alone_for_a_while(server: AwsStandIn) -> None:
    server.says("ecs:DescribeServices", refusal("ThrottlingException", "Rate exceeded"))
    first, second = probe(server.url), probe(server.url)

    await first.sample()
    asked = server.times("ecs:DescribeServices")
    again = [await first.sample(), await second.sample()]

    assert server.times("ecs:DescribeServices") == asked <= 2
    assert all("asked again in" in sample.error for sample in again)


def test_the_pauses_grow_and_end() -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    for pause_s in (5, 10, 20, 40, 80, 120, 120):
        pace.too_often(AskedTooOften("enough"))
        clock[0] += pause_s - 1
        with pytest.raises(AskedTooOften):
            pace.require_turn()
        clock[0] += 1
        pace.require_turn()
    pace.answered()
    pace.too_often(AskedTooOften("enough"))
    clock[0] += 5
    pace.require_turn()


async def test_a_server_that_hangs_costs_its_own_panel_only(server: AwsStandIn, folder: SessionFolder) -> None:
    with aws_stand_in() as hung:
        hung.held.add("*")
        found: list[str] = []
        probes = (config(hung.url, "hung", interval_s=0.2, deadline_s=0.5), config(server.url, "well", interval_s=0.2))
        watch = Watch(
            Config(probes=probes),
            parse("# T\n"),
            folder,
            on_change=lambda change: found.append(f"{change['probe']} {change['outcome']}"),
        )
        await watch.start()
        await until(lambda: {"hung failed", "well data"} <= set(found), "both")
        well = server.times("ecs:DescribeServices")
        await until(lambda: server.times("ecs:DescribeServices") > well + 3, "further looks")
        await watch.stop()

    assert found.count("well data") == 1
    assert "well failed" not in found


async def test_many_probes_of_one_account_share_its_clients(server: AwsStandIn) -> None:
    from cockpit.adapters.aws import looking

    probes = [probe(server.url) for _number in range(12)]
    samples = await asyncio.gather(*(made.sample() for made in probes))

    assert {sample.outcome for sample in samples} == {Outcome.DATA}
    (account,) = looking._SHARED._accounts.values()
    assert list(account._clients) == ["ecs"]


@pytest.mark.parametrize("key", ["profile", "endpoint_url"])
def test_a_document_says_neither_whose_credentials_sign_nor_where_that_goes(key: str) -> None:
    probes = [{"name": "it", "kind": "ecs", "region": "us-east-1", key: "x"}]

    read = read_front_matter({"probes": probes})

    assert (read.probes, "credentials" in read.problems[0]) == ((), True)
