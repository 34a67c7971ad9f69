"""GitHub Actions as steps: what they print, what they wait for, and what they say where GitHub says no."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.adapters.github import api, following
from cockpit.adapters.github.adapter import GithubAdapter
from cockpit.adapters.github.options import GithubOptions
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.config import TargetConfig
from cockpit.errors import (
    ConfigError,
    Declined,
    OutcomeUnknown,
    PolicyRefusal,
    UsageError,
)
from cockpit.session.steps.targets import targets_of
from tests.runs import Runs, read_permit
from tests.servers.github import GithubServer, github_server
from tests.waiting import until

TOKEN = "ghp_Zq71Zq71Zq71Zq71"


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with github_server(TOKEN) as made:
        made.workflow("deploy", "deploy.yml")
        made.workflow("tests", "tests.yml")
        yield made


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST_LOOK_S", "_LAST_LOOK_S"):
        monkeypatch.setattr(following, name, 0.01)


def asked(url: str, body: str, *, token: str = TOKEN, read_only: bool = False, **given: str) -> str:
    """What the step prints."""
    out = io.BytesIO()
    adapter = GithubAdapter(GithubOptions(repo="acme/shop", url=url))
    credentials = {"token": token} if token else {}
    adapter.perform(
        Task(language="github", body=body, values=given, read_only=read_only, credentials=credentials), Page(out)
    )
    return out.getvalue().decode()


def test_runs_are_listed_with_how_they_ended_when_and_by_whom(server: GithubServer) -> None:
    server.run(1, "success")
    server.run(2, "failure", triggering_actor={"login": "lee"}, head_branch="dev")

    told = asked(server.url, "actions/list-workflow-runs-for-repo --per_page 10", read_only=True)

    row = next(line for line in told.split("\n") if "tests #2" in line)
    assert [word in row for word in ("102", "failure", "dev", "lee", "1:30")] == [True] * 5
    assert "deploy #1" in told
    assert server.asked == [("GET", "/repos/acme/shop/actions/runs", {"per_page": "10"})]
    assert server.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("actions.listRepoWorkflows", "/actions/workflows"),
        ("actions list-workflow-runs --workflow_id deploy.yml", "/actions/workflows/deploy.yml/runs"),
        ("actions/get-workflow --workflow_id 1", "/actions/workflows/1"),
        ("actions/get-workflow-run --run_id $RUN_ID", "/actions/runs/101"),
        ("actions/list-jobs-for-workflow-run --run_id 101", "/actions/runs/101/jobs"),
        ("actions/get-job-for-workflow-run --job_id=1101", "/actions/jobs/1101"),
        ("repos/get-latest-release --owner acme --repo shop", "/releases/latest"),
    ],
)
def test_an_operation_is_asked_at_its_own_address(server: GithubServer, body: str, path: str) -> None:
    server.run(1)

    told = asked(server.url, body, read_only=True, RUN_ID="101")

    assert [one[:2] for one in server.asked] == [("GET", f"/repos/acme/shop{path}")]
    assert told.strip()


def test_a_rerun_is_followed_to_its_end(server: GithubServer) -> None:
    run = server.run(1, "failure")

    told = asked(server.url, f"actions/re-run-workflow-failed-jobs --run_id {run} --wait")

    assert server.runs[run]["run_attempt"] == 2
    assert told.index("accepted") < told.index("queued") < told.index("in_progress") < told.index("ended: success")
    assert told.count("build: in_progress") == 1
    assert ("POST", f"/repos/acme/shop/actions/runs/{run}/rerun-failed-jobs", {}) in server.asked


def test_a_rerun_that_fails_fails_the_step_and_names_the_job(server: GithubServer) -> None:
    run, server.will_end = server.run(1, "failure"), "failure"

    with pytest.raises(Declined) as caught:
        asked(server.url, f"actions/re-run-workflow --run_id {run} --wait")

    assert "ended: failure" in caught.value.what
    assert "build: Run tests" in caught.value.what
    assert f"--job_id {server.job_of(run)}" in caught.value.mend


@pytest.mark.parametrize("conclusion", ["success", "neutral", "skipped"])
def test_what_is_no_failure_passes(server: GithubServer, conclusion: str) -> None:
    run, server.will_end = server.run(1), conclusion

    assert f"ended: {conclusion}" in asked(server.url, f"actions/re-run-workflow --run_id {run} --wait")


@pytest.mark.parametrize("conclusion", ["cancelled", "timed_out", "startup_failure", "action_required", "stale"])
def test_any_other_end_fails(server: GithubServer, conclusion: str) -> None:
    run, server.will_end = server.run(1), conclusion

    with pytest.raises(Declined, match=conclusion):
        asked(server.url, f"actions/re-run-workflow --run_id {run} --wait")


def test_a_job_is_run_again_alone_and_its_run_followed(server: GithubServer) -> None:
    run = server.run(1, "failure")

    told = asked(server.url, f"actions/re-run-job-for-workflow-run --job_id {server.job_of(run)} --wait")

    assert f"run {run} ended: success" in told


def test_a_dispatched_run_is_found_though_it_appears_late(server: GithubServer) -> None:
    before = server.run(1, "failure", event="workflow_dispatch")
    server.appears_after = 3

    inputs = """--inputs '{"version": "v1.4.1"}'"""
    told = asked(server.url, f"actions/create-workflow-dispatch --workflow_id deploy.yml --ref main {inputs} --wait")

    new = max(server.runs)
    assert new != before
    assert f"run {new} ended: success" in told
    assert server.bodies == [{"ref": "main", "inputs": {"version": "v1.4.1"}}]


def test_which_of_several_new_runs_is_ours_is_not_guessed(server: GithubServer) -> None:
    watched = server.answer

    def with_another(method: str, path: str, values: dict[str, str], body: object) -> tuple[int, object]:
        if method == "POST":
            server.run(1, None, event="workflow_dispatch", triggering_actor={"login": "lee"})
        return watched(method, path, values, body)

    server.answer = with_another  # type: ignore[method-assign]

    with pytest.raises(OutcomeUnknown, match="lee"):
        asked(server.url, "actions/create-workflow-dispatch --workflow_id deploy.yml --ref main --wait")


def test_a_cancelled_run_is_what_cancelling_is_for(server: GithubServer) -> None:
    run = server.run(1, None)

    told = asked(server.url, f"actions/cancel-workflow-run --run_id {run} --wait")

    assert f"run {run} ended: cancelled" in told


def test_waiting_for_a_run_that_is_under_way_only_reads(server: GithubServer) -> None:
    run = server.run(1, None)

    told = asked(server.url, f"actions/get-workflow-run --run_id {run} --wait", read_only=True)

    assert "ended: success" in told
    assert {method for method, _path, _values in server.asked} == {"GET"}


async def test_a_wait_that_is_given_up_leaves_the_run_and_says_so(server: GithubServer, tmp_path: Path) -> None:
    run = server.run(1, None, stuck=True)
    server.token = ""
    adapter = GithubAdapter(GithubOptions(repo="acme/shop", url=server.url))
    runs: Runs[Any] = Runs(tmp_path)
    permit = read_permit(f"actions/get-workflow-run --run_id {run} --wait", language="github", target="ci")
    running, folder = await runs.begin(adapter, permit)
    await until(lambda: b"in_progress" in (folder / "output").read_bytes(), "the run's state")

    await running.cancel()
    outcome = await running.wait()

    assert outcome.ending == "cancelled"
    assert f"run {run} goes on at GitHub" in (folder / "output").read_text()
    assert server.runs[run]["status"] == "in_progress"


def test_a_link_that_breaks_while_waiting_leaves_the_end_of_a_change_unknown(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_PATIENCE_S", 0.01)
    run, asked_of = server.run(1, "failure"), server.answer

    def gone_after_the_change(method: str, path: str, values: dict[str, str], body: object) -> tuple[int, object]:
        if any(one[0] == "POST" for one in server.asked) and method == "GET":
            return 502, {"message": "Server Error"}
        return asked_of(method, path, values, body)

    server.answer = gone_after_the_change  # type: ignore[method-assign]

    with pytest.raises(OutcomeUnknown, match="502"):
        asked(server.url, f"actions/re-run-workflow --run_id {run} --wait")
    assert [method for method, _path, _values in server.asked].count("POST") == 1


def test_a_workflow_is_switched_off_and_on(server: GithubServer) -> None:
    asked(server.url, "actions/disable-workflow --workflow_id deploy.yml")
    assert server.workflows[1]["state"] == "disabled_manually"
    asked(server.url, "actions/enable-workflow --workflow_id deploy.yml")
    assert server.workflows[1]["state"] == "active"


def test_a_log_is_fetched_where_it_lies_without_the_token(server: GithubServer) -> None:
    run = server.run(1, "failure")
    server.logs[server.job_of(run)] = b"##[error]Process completed with exit code 1.\n"

    told = asked(
        server.url, f"actions/download-job-logs-for-workflow-run --job_id {server.job_of(run)}", read_only=True
    )

    assert told == "##[error]Process completed with exit code 1.\n"
    assert server.tokens == [f"Bearer {TOKEN}", ""]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("actions/delete-workflow-run --run_id 1", "actions/delete-workflow-run is not served"),
        ("repos/get-content --path x", "not served"),
        ("actions/list-repo-workflows --wait", "--wait is not known"),
        ("actions/get-workflow-run", "lacks --run_id"),
        ("actions/get-workflow-run --run_id latest", "wants a number"),
        ("actions/get-workflow-run --run_id 1 --colour red", "no parameter --colour"),
        ("actions/create-workflow-dispatch --workflow_id deploy.yml", "lacks --ref"),
        ("actions/create-workflow-dispatch --workflow_id .. --ref main", "lacks --workflow_id"),
        ("actions/create-workflow-dispatch --workflow_id d.yml --ref main --inputs a=b", "JSON object"),
        ("repos/get --owner .. --repo x", "no repository"),
        ("gh run list", "shell command"),
    ],
)
def test_what_is_not_served_is_one_clear_refusal_and_nothing_is_sent(
    server: GithubServer, body: str, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        asked(server.url, f"actions/list-repo-workflows\n{body}")

    assert server.asked == []


@pytest.mark.parametrize(
    "body",
    [
        "actions/re-run-workflow --run_id 101",
        "actions/cancel-workflow-run --run_id 101",
        "actions/disable-workflow --workflow_id deploy.yml",
        "actions/list-repo-workflows\nactions/create-workflow-dispatch --workflow_id deploy.yml --ref main",
    ],
)
def test_a_step_that_reads_sends_nothing_else(server: GithubServer, body: str) -> None:
    server.run(1)
    before = server.fingerprint()

    with pytest.raises(PolicyRefusal):
        asked(server.url, body, read_only=True)

    assert (server.fingerprint(), server.asked) == (before, [])


async def test_a_sealed_client_sends_nothing_but_get(server: GithubServer) -> None:
    client = api.GithubApi(GithubOptions(repo="acme/shop", url=server.url), {"token": TOKEN}, 5.0)

    with pytest.raises(PolicyRefusal):
        await client.change("POST", "/repos/acme/shop/actions/runs/101/rerun", None)

    assert server.asked == []


async def test_who_holds_the_line_is_asked_of_github(server: GithubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_TOKEN", TOKEN)
    adapter = GithubAdapter(GithubOptions(repo="acme/shop", url=server.url, token_env="CI_TOKEN"))

    assert (await adapter.enforcement()).by == "tool"
    server.push = False
    assert (await adapter.enforcement()).by == "server"
    (found,) = await adapter.checks()
    assert (found.standing, "acme/shop" in found.text) == ("ok", True)


@pytest.mark.parametrize("repo", ["shop", "acme/", "../shop", "acme/shop/x", "acme/.."])
def test_what_is_no_repository_is_refused(repo: str) -> None:
    with pytest.raises(ConfigError, match="no repository"):
        GithubAdapter(GithubOptions(repo=repo))


def test_a_document_can_not_have_a_token_sent(server: GithubServer) -> None:
    options = {"repo": "acme/shop", "url": server.url, "token_env": "CI_TOKEN"}
    target = TargetConfig(name="ci", kind="github", options=options)

    assert "ci" in targets_of([target])
    with pytest.raises(ConfigError, match="credentials"):
        targets_of([msgspec.structs.replace(target, trusted=False)])
