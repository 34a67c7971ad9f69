"""GitHub for the contract suite: a stand-in, behind a wire that holds back what is about the workflow "stuck.yml"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.adapters.github.adapter import GithubAdapter
from cockpit.adapters.github.options import GithubOptions
from tests.contract.specimens.specimen import Specimen
from tests.servers.github import GithubServer, github_server
from tests.servers.holding import holding
from tests.servers.server import free_port

_DISPATCH = "actions/create-workflow-dispatch --workflow_id stuck.yml --ref main"


@contextmanager
def specimen() -> Iterator[Specimen]:
    with github_server() as server, github_server("another") as closed, holding(server.port, b"stuck.yml") as wire:
        large, odd, again = _fill(server)
        yield Specimen(
            adapter=_adapter(wire.port),
            language="github",
            cut=wire.cut,
            hello="actions/list-repo-workflows",
            streams=(f"actions/list-repo-workflows\n{_DISPATCH}", b"hello", wire.let_go, b"accepted"),
            endless="actions/list-workflow-runs --workflow_id stuck.yml",
            at_it=wire.holds,
            large=f"actions/download-job-logs-for-workflow-run --job_id {large}",
            no_text=f"actions/download-job-logs-for-workflow-run --job_id {odd}",
            as_shown=b"a\xff\xfeb\x1b[31m",
            echo=lambda value: f"actions/list-workflow-runs-for-repo --branch '{value}'",
            with_input="actions/list-workflow-runs-for-repo --branch $WORD",
            mistake="actions/create-workflow-dispatch --workflow_id deploy.yml --ref nowhere",
            complaint=b"No ref found for: nowhere",
            changes=f"actions/re-run-workflow --run_id {again} --wait",
            changes_slowly=_DISPATCH,
            fingerprint=server.fingerprint,
            absent=_adapter(free_port()),
            library="httpx",
            wrong_credentials=GithubAdapter(
                GithubOptions(repo="acme/shop", url=closed.url, token_env="COCKPIT_TEST_SECRET")
            ),
        )


def _fill(server: GithubServer) -> tuple[int, int, int]:
    server.workflow("hello", "deploy.yml")
    server.workflow("stuck", "stuck.yml")
    server.run(1, head_branch="a'b\"c $(id) ; -- /* 한글")
    large, odd, again = (server.run(1) for _number in range(3))
    server.logs[server.job_of(large)] = b"x" * 10_000_000
    server.logs[server.job_of(odd)] = b"a\xff\xfeb\x1b[31m"
    return server.job_of(large), server.job_of(odd), again


def _adapter(port: int) -> GithubAdapter:
    return GithubAdapter(GithubOptions(repo="acme/shop", url=f"http://127.0.0.1:{port}"))
