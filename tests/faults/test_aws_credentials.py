"""Ways to AWS credentials that are not at hand: each is told by its cause and its mend, and none hangs or asks."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.adapters.aws import credentials
from cockpit.adapters.aws.session import Account, AwsOptions, Patience
from cockpit.config import ProbeConfig
from cockpit.errors import CockpitError
from cockpit.monitor.probe import WatchedProbe
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from tests.servers.aws import AwsStandIn, aws_stand_in, sign_in
from tests.waiting import until

ROLE = "arn:aws:iam::123456789012:role/oncall"
CODE = "arn:aws:iam::123456789012:mfa/kim"
BASE = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
BY_CODE = f"[profile oncall]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = {CODE}\n"
BY_SSO = "[profile oncall]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
SSO = "[sso-session s]\nsso_start_url = https://x.example/start\nsso_region = us-east-1\n"
STEADY = {"services": [{"serviceName": "api", "desiredCount": 1, "runningCount": 1, "deployments": []}]}

Configured = Callable[[str], WatchedProbe]


@pytest.fixture
def server() -> Iterator[AwsStandIn]:
    with aws_stand_in() as made:
        made.says("ecs:DescribeServices", STEADY)
        yield made


@pytest.fixture
def configured(server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """A probe of the profile "oncall", which the configuration file says."""
    sign_in(monkeypatch, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def probe(text: str) -> WatchedProbe:
        (tmp_path / "config").write_text(text)
        options = {"region": "us-east-1", "profile": "oncall", "endpoint_url": server.url, "services": ["api"]}
        return build(ProbeConfig(name="it", kind="ecs", deadline_s=30.0, options=options), lambda each: each)

    return probe


@pytest.mark.parametrize(
    ("text", "error", "mend"),
    [
        (BASE + BY_CODE, "asks for a code", "aws sts get-caller-identity --profile"),
        (
            "[profile oncall]\ncredential_process = sh -c 'echo no vault >&2; exit 3'\n",
            "no vault",
            "get-caller-identity",
        ),
        ("[profile oncall]\ncredential_process = echo hello\n", "no AWS credentials", "get-caller-identity"),
        ("[profile oncall]\ncredential_process = /no/such/tool\n", "/no/such/tool", "get-caller-identity"),
        (
            f"[profile oncall]\nrole_arn = {ROLE}\nweb_identity_token_file = /no/token\n",
            "/no/token",
            "get-caller-identity",
        ),
        (BY_SSO, "sso-session does not exist", "get-caller-identity"),
        (BY_SSO + SSO, "the sign-in has run out", "aws sso login"),
        ("[profile other]\n", "oncall", "region and profile"),
    ],
)
async def test_what_keeps_credentials_away_is_told_and_says_nothing_of_the_service(
    configured: Configured, server: AwsStandIn, text: str, error: str, mend: str
) -> None:
    probe = configured(text)

    for _look in range(2):
        sample = await probe.sample()
        assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.YELLOW)
        assert error in sample.error
        assert mend in sample.mend
    assert server.asked == []


@pytest.mark.parametrize("source", ["", "via"])
async def test_a_credential_process_that_hangs_is_ended_and_left_alone_for_a_while(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(credentials, "PROCESS_PATIENCE_S", 0.5)
    script = tmp_path / "hangs"
    script.write_text(f"#!/bin/sh\ncat >&2\necho $$ >> {tmp_path}/pids\nsleep 3600\n")
    script.chmod(0o755)
    way = f"[profile {source or 'oncall'}]\ncredential_process = {script}\n"
    way += f"[profile oncall]\nrole_arn = {ROLE}\nsource_profile = via\n" if source else ""
    probe = configured(way)

    samples = [await probe.sample(), await probe.sample()]

    assert {sample.level for sample in samples} == {Level.YELLOW}
    assert all("did not end within 0.5 s" in sample.error for sample in samples)
    assert "run it in a shell" in samples[0].mend
    (pid,) = (tmp_path / "pids").read_text().split()
    await until(lambda: not _runs(int(pid)), "its end")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_role_that_the_command_line_was_given_for_a_code_serves_here_too(
    configured: Configured, server: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.aws.looking._SIGN_IN_AGAIN_S", 0.0)
    probe = configured(BASE + BY_CODE)
    before = await probe.sample()
    kept = tmp_path / ".aws" / "cli" / "cache"
    kept.mkdir(parents=True)
    # As botocore, which the command line has too, calls what it keeps.
    name = hashlib.sha1(json.dumps({"RoleArn": ROLE, "SerialNumber": CODE}, sort_keys=True).encode()).hexdigest()
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    given = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": end}
    (kept / f"{name}.json").write_text(json.dumps({"Credentials": given}))
    after = await probe.sample()

    assert (before.outcome, after.outcome) == (Outcome.FAILED, Outcome.DATA)
    assert "ASIAROLE" in server.signed[-1][1]["authorization"]
    assert [path.name for path in kept.iterdir()] == [f"{name}.json"]


def test_asking_for_a_role_takes_no_longer_than_asking_for_anything_else(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(f"{BASE}[profile oncall]\nrole_arn = {ROLE}\nsource_profile = base\n")
    with aws_stand_in() as silent:
        silent.held.add("sts:AssumeRole")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", silent.url)
        account = Account(AwsOptions("us-east-1", "oncall"), sealed=True, patience=Patience(1.0, 0.3, attempts=2))
        with pytest.raises(CockpitError, match="did not answer in time"):
            account.call("ecs", "ListClusters", {})
