"""What GitHub Actions steps say where GitHub says no, is not well, or does not answer."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest

from cockpit.adapters.github import api
from cockpit.adapters.github.adapter import GithubAdapter
from cockpit.adapters.github.options import GithubOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, Declined, Malformed, OutcomeUnknown, TargetUnreachable, TimedOut
from tests.servers.github import GithubServer, github_server
from tests.servers.misbehaving import misbehaving

TOKEN = "ghp_Zq71Zq71Zq71Zq71"


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with github_server(TOKEN) as made:
        made.workflow("deploy", "deploy.yml")
        yield made


def asked(url: str, body: str, *, token: str = TOKEN) -> None:
    """Carry out the step."""
    credentials = {"token": token} if token else {}
    task = Task(language="github", body=body, read_only=False, credentials=credentials)
    GithubAdapter(GithubOptions(repo="acme/shop", url=url)).perform(task, Page(io.BytesIO()))


def test_a_wrong_token_is_said(server: GithubServer) -> None:
    with pytest.raises(AccessDenied, match="Bad credentials") as caught:
        asked(server.url, "actions/list-repo-workflows", token="ghp_wrong")

    assert "token_env" in caught.value.mend
    assert "ghp_wrong" not in str(caught.value)


def test_a_private_repository_that_can_not_be_seen_is_explained(server: GithubServer) -> None:
    server.private = True

    with pytest.raises(Declined, match="may not see it") as caught:
        asked(server.url, "actions/list-repo-workflows", token="")

    assert "token_env" in caught.value.mend


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"X_RateLimit_Remaining": "0"}),
        (429, {"X_RateLimit_Remaining": "0"}),
        (403, {"Retry_After": "700"}),
        (429, {"Retry_After": "700"}),
    ],
)
def test_a_used_up_rate_limit_says_until_when(server: GithubServer, status: int, headers: dict[str, str]) -> None:
    if "Retry_After" not in headers:
        headers = {**headers, "X_RateLimit_Reset": str(int(time.time()) + 700)}
    server.refuse = (status, headers, "API rate limit exceeded")

    with pytest.raises(AccessDenied, match=r"nothing before \d\d:\d\d:\d\d UTC, in 1\d min"):
        asked(server.url, "actions/list-repo-workflows")


async def test_a_refusal_that_is_no_rate_limit_costs_that_question_alone(server: GithubServer) -> None:
    reset = {"X_RateLimit_Remaining": "4990", "X_RateLimit_Reset": str(int(time.time()) + 700)}
    server.refuse = (403, reset, "Resource not accessible by personal access token")
    client = api.GithubApi(GithubOptions(repo="acme/shop", url=server.url), {"token": TOKEN}, 30.0)
    with pytest.raises(AccessDenied, match="not accessible"):
        await client.get("/repos/acme/shop/actions/workflows", dict)
    server.refuse = None
    told = await client.get("/repos/acme/shop/actions/workflows", dict)
    await client.close()

    assert told["total_count"] == 1


@pytest.mark.parametrize("place", ["ftp://127.0.0.1:1/log", "file:///etc/passwd", "http://me:secret@127.0.0.1:1/log"])
async def test_a_log_is_not_fetched_from_wherever_an_answer_points(server: GithubServer, place: str) -> None:
    server.refuse = (302, {"Location": place}, "")
    client = api.GithubApi(GithubOptions(repo="acme/shop", url=server.url), {"token": TOKEN}, 30.0)
    with pytest.raises(api.Elsewhere):
        await client.log("/repos/acme/shop/actions/jobs/1/logs")
    await client.close()


async def test_a_used_up_rate_limit_is_not_asked_again_before_it_begins_anew(server: GithubServer) -> None:
    server.refuse = (403, {"Retry_After": "600"}, "You have exceeded a secondary rate limit")
    client = api.GithubApi(GithubOptions(repo="acme/shop", url=server.url), {"token": TOKEN}, 5.0)

    for _attempt in range(3):
        with pytest.raises(AccessDenied, match="too often"):
            await client.fetch("/repos/acme/shop")
    await client.close()

    assert len(server.asked) == 1


def test_missing_rights_are_no_rate_limit(server: GithubServer) -> None:
    server.refuse = (403, {}, "Resource not accessible by personal access token")

    with pytest.raises(AccessDenied, match="not accessible") as caught:
        asked(server.url, "actions/list-repo-workflows")

    assert "Actions" in caught.value.mend


def test_single_sign_on_is_named(server: GithubServer) -> None:
    server.refuse = (403, {"X_GitHub_SSO": "required; url=https://github.example.com/sso"}, "Resource protected")

    with pytest.raises(AccessDenied) as caught:
        asked(server.url, "actions/list-repo-workflows")

    assert "single sign-on" in caught.value.mend


@pytest.mark.parametrize(
    ("status", "head", "told"),
    [
        ("500 Internal Server Error", "", "answers 500"),
        ("503 Service Unavailable", "", "answers 503"),
        ("301 Moved Permanently", "Location: http://127.0.0.1:1/repositories/7\r\n", "another name or place"),
        ("200 OK", "", "not what such a server says"),
    ],
)
def test_a_server_that_is_not_well_is_told_and_not_followed_anywhere(status: str, head: str, told: str) -> None:
    with misbehaving() as wild:
        wild.says(b"<html>" * 100, status, head)

        with pytest.raises((TargetUnreachable, Malformed), match=told):
            asked(wild.url, "actions/list-repo-workflows")

        assert len(wild.requests) == 1


def test_a_change_without_an_answer_leaves_its_end_unknown_and_is_sent_once() -> None:
    with misbehaving() as wild:
        with pytest.raises(OutcomeUnknown):
            asked(wild.url, "actions/re-run-workflow --run_id 101")
        wild.says(b"", "502 Bad Gateway")
        with pytest.raises(OutcomeUnknown):
            asked(wild.url, "actions/cancel-workflow-run --run_id 101")

        assert len(wild.requests) == 2


def test_a_server_that_hangs_ends_at_the_deadline() -> None:
    with misbehaving() as wild:
        wild.hangs = True
        adapter = GithubAdapter(GithubOptions(repo="acme/shop", url=wild.url, timeout_s=0.3))

        with pytest.raises(TimedOut):
            adapter.perform(Task(language="github", body="repos/get"), Page(io.BytesIO()))
