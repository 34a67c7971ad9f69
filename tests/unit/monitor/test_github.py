"""The last runs of workflows as a panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import workflow_runs
from tests.servers.github import GithubServer, github_server
from tests.servers.server import free_port


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with github_server() as made:
        made.workflow("deploy", "deploy.yml")
        made.workflow("tests", "tests.yml")
        yield made


async def sampled(url: str, **options: Any) -> Sample:
    config = ProbeConfig(
        name="ci", kind="github", deadline_s=30.0, options={"repo": "acme/shop", "url": url, **options}
    )
    probe = build(config, lambda text: text)
    sample = await probe.sample()
    await probe.close()
    return sample


def readings(sample: Sample) -> dict[str, object]:
    return {reading.name: reading.value for reading in sample.readings}


async def test_each_workflow_has_its_last_run_on_the_default_branch(server: GithubServer) -> None:
    server.run(1, "failure", age_s=910)
    server.run(1, "success", age_s=600)
    server.run(2, "success", age_s=300, triggering_actor={"login": "lee"})
    server.run(2, "failure", head_branch="dev")

    sample = await sampled(server.url)

    assert (sample.outcome, sample.level) == (Outcome.DATA, Level.GREEN)
    assert sample.text == "2 workflows well on main"
    assert readings(sample) == {"failed": 0.0, "running": 0.0, "workflows": 2.0}
    assert [(row["name"], row["state"], row["by"]) for row in sample.rows] == [
        ("tests", "success", "lee"),
        ("deploy", "success", "kim"),
    ]


async def test_a_failed_main_branch_is_red_though_a_new_run_has_begun(server: GithubServer) -> None:
    server.run(2, "success")
    server.run(1, "failure", age_s=910)
    server.run(1, "cancelled", age_s=600)
    server.run(1, None, age_s=60)

    sample = await sampled(server.url)

    assert sample.level is Level.RED
    assert sample.text == "failed on main: deploy · 1 running"
    assert [row["state"] for row in sample.rows] == ["failure", "in_progress", "success"]
    panel = fold_sample(None, sample)
    for width in (38, 60, 100):
        rows = ["".join(text for text, _style in row.spans) for row in workflow_runs.detail(panel, width)]
        assert "failure" in rows[1]
        assert "15 min" in rows[1]
        assert all(len(row) <= width for row in rows)


async def test_only_the_workflows_that_are_named_count(server: GithubServer) -> None:
    server.run(1, "failure")
    server.run(2, "success")

    assert (await sampled(server.url, workflows=["tests.yml"])).level is Level.GREEN
    assert (await sampled(server.url, workflows=["deploy"])).level is Level.RED


async def test_a_branch_without_a_run_is_none(server: GithubServer) -> None:
    sample = await sampled(server.url, branch="release")

    assert (sample.outcome, bool(sample.mend)) == (Outcome.NONE, True)


@pytest.mark.parametrize(
    ("refuse", "told"),
    [
        ((401, {}, "Bad credentials"), "refuses these credentials"),
        ((403, {"Retry_After": "600"}, "API rate limit exceeded"), "nothing before"),
        ((404, {}, "Not Found"), "may not see it"),
        ((502, {}, "Server Error"), "502"),
    ],
)
async def test_what_github_refuses_costs_this_panel_and_says_why(
    server: GithubServer, refuse: tuple[int, dict[str, str], str], told: str
) -> None:
    server.refuse = refuse

    sample = await sampled(server.url)

    assert sample.outcome is Outcome.FAILED
    assert told in sample.error
    assert sample.mend


async def test_a_probe_sends_nothing_but_get(server: GithubServer) -> None:
    server.run(1)
    await sampled(server.url)
    assert {method for method, _path, _values in server.asked} == {"GET"}


async def test_a_server_that_is_not_there_is_failed() -> None:
    sample = await sampled(f"http://127.0.0.1:{free_port()}")
    assert (sample.outcome, sample.level) == (Outcome.FAILED, Level.RED)
