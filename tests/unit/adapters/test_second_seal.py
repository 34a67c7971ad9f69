"""A task that only reads, and a judge that is wrong about it: nothing that changes anything leaves this machine."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.argocd import adapter as argocd
from cockpit.adapters.argocd.api import ArgocdOptions
from cockpit.adapters.aws import adapter as aws
from cockpit.adapters.aws.session import AwsOptions
from cockpit.adapters.github import adapter as github
from cockpit.adapters.github.options import GithubOptions
from cockpit.adapters.kubernetes import adapter as kubernetes
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import PolicyRefusal
from cockpit.runs.files import RECALLED
from cockpit.safety.permit import Mode
from cockpit.safety.verdict import Judgement, Verdict
from tests.servers.pages import Page as Answers
from tests.servers.pages import page_server

PODS = {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "singularResource": "pod"}
KINDS = {"items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [PODS]}]}]}


class Server:
    """Says yes to everything; `changes` are the requests that may have changed something."""

    def __init__(self) -> None:
        self.port = 0
        self.changes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    held = Server()

    class Yes(Answers):
        def answer(self) -> None:
            if self.command not in ("GET", "HEAD"):
                held.changes.append(f"{self.command} {self.path}")
            self.says(200, json.dumps(KINDS if self.path == "/api" else {}).encode(), "application/json")

        do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # named by http.server

    with page_server(Yes) as held.port:
        yield held


@pytest.fixture
def kubeconfig(server: Server, tmp_path: Path) -> str:
    path = tmp_path / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "clusters": [{"name": "here", "cluster": {"server": server.url}}],
                "users": [{"name": "me", "user": {"token": "abc"}}],
            }
        )
    )
    return str(path)


@pytest.fixture(autouse=True)
def wrong_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def fine(*_asked: Any) -> Judgement:
        return Judgement(Verdict.READ_ONLY, ("so it says",))

    for module in (argocd, kubernetes):
        monkeypatch.setattr(module, "judge_action", fine)
    monkeypatch.setattr(github, "_require_reading", fine)
    monkeypatch.setattr(aws, "_check", fine)
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(
    params=["argocd app sync", "argocd app get --refresh", "github cancel", "github re-run", "kubernetes", "aws"]
)
def changing(request: pytest.FixtureRequest, server: Server, kubeconfig: str) -> tuple[StepProgram[Any], str]:
    """An adapter, and what would change something there."""
    made: dict[str, tuple[StepProgram[Any], str]] = {
        "argocd app sync": (argocd.ArgocdAdapter(ArgocdOptions(url=server.url)), "app sync shop --async"),
        "argocd app get --refresh": (argocd.ArgocdAdapter(ArgocdOptions(url=server.url)), "app get shop --refresh"),
        "github cancel": (
            github.GithubAdapter(GithubOptions(url=server.url, repo="acme/shop")),
            "actions/cancel-workflow-run --run_id 7",
        ),
        "github re-run": (
            github.GithubAdapter(GithubOptions(url=server.url, repo="acme/shop")),
            "actions/re-run-workflow --run_id 7",
        ),
        "kubernetes": (
            kubernetes.KubernetesAdapter(KubernetesOptions(kubeconfig_file=kubeconfig)),
            "delete pod api-0 -n shop",
        ),
        "aws": (
            aws.AwsAdapter(AwsOptions(region="eu-west-1", endpoint_url=server.url)),
            "ecs update-service --cluster shop --service api",
        ),
    }
    return made[request.param]


def test_a_task_that_only_reads_sends_no_change(server: Server, changing: tuple[StepProgram[Any], str]) -> None:
    adapter, body = changing
    task = Task(language=adapter.name, body=body, read_only=True)
    with pytest.raises(PolicyRefusal):
        adapter.perform(task, Page(io.BytesIO()))
    assert server.changes == []


def test_a_session_that_became_read_only_on_the_way_sends_no_change(
    server: Server, changing: tuple[StepProgram[Any], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / RECALLED).touch()
    monkeypatch.setenv("COCKPIT_RUN", str(tmp_path))
    adapter, body = changing
    task = Task(language=adapter.name, body=body, read_only=False, mode=Mode.LIVE)
    with pytest.raises(PolicyRefusal):
        adapter.perform(task, Page(io.BytesIO()))
    assert server.changes == []
