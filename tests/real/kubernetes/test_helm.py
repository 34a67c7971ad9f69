"""Helm's releases on a real API server: steps with what came of them, and the panel. helm and its chart are real."""

from __future__ import annotations

import base64
import gzip
import json
import os
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.helm.adapter import HelmAdapter
from cockpit.adapters.helm.probe import HelmProbe, HelmProbeOptions
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions
from cockpit.adapters.probing import Finding
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AccessDenied, Declined, Malformed, PolicyRefusal, ToolMissing, UsageError
from cockpit.safety.permit import Action, Confirmation, Mode, Rung, grant
from cockpit.safety.verdict import Judgement, Verdict
from tests.runs import Runs
from tests.servers.helm import Releases, require_helm
from tests.servers.kubernetes import ADMIN, NOBODY, READER, KubernetesServer, kubernetes_server
from tests.waiting import until

pytestmark = pytest.mark.real
SECRETS = "/api/v1/namespaces/shop/secrets"


@pytest.fixture(scope="module")
def server() -> Iterator[KubernetesServer]:
    folder = require_helm()
    with kubernetes_server(alive=True) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", folder, prepend=":")
        yield made


@pytest.fixture(scope="module")
def releases(server: KubernetesServer) -> Releases:
    made = Releases(server, server.folder)
    made.install("shop", 2, deployed=True)
    return made


def adapter_of(server: KubernetesServer, token: str = ADMIN) -> HelmAdapter:
    return HelmAdapter(KubernetesOptions(kubeconfig_file=str(server.kubeconfig(token))))


def run(server: KubernetesServer, body: str, *, token: str = ADMIN, read_only: bool = False, **values: str) -> str:
    page = BytesIO()
    task = Task(language="helm", body=body, mode=Mode.LIVE, read_only=read_only, values=values)
    try:
        adapter_of(server, token).perform(task, Page(page))
    except Declined as error:
        raise Declined(f"{page.getvalue().decode()}{error.what}", mend=error.mend) from error
    return page.getvalue().decode()


async def look(server: KubernetesServer, token: str = ADMIN, **options: Any) -> Finding:
    probe = HelmProbe(HelmProbeOptions(kubeconfig_file=str(server.kubeconfig(token)), **options), 20)
    try:
        return await probe.look(grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test"))
    finally:
        await probe.close()


def values_of(found: Finding) -> dict[str, Any]:
    return {value.name: value.value for value in found.values}


def stub(folder: Path, body: str, mode: int = 0o755) -> None:
    """A helm of the test's own, first on the PATH."""
    (folder / "helm").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "helm").chmod(mode)


def nowhere(chart: Path) -> None:
    """Let the chart's pods be placed on no node, so that they are never ready."""
    template = chart / "templates" / "deployment.yaml"
    template.write_text(template.read_text().replace("nodeName: node-1", "nodeSelector: {no: where}"))


# -- steps -------------------------------------------------------------------------------------------------------------


def test_what_there_is_and_was_is_read_without_helm(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    releases.server.log.touch()

    told = run(releases.server, "list\nstatus shop\nhistory shop\nget values shop --revision 1", read_only=True)

    assert "NAME | NAMESPACE | REVISION" in told
    assert "STATUS: deployed\nREVISION: 2\nCHART: shop-0.2.0\nAPP VERSION: 2.0\nDESCRIPTION: the 2" in told
    assert [line.split(" | ")[2].strip() for line in told.splitlines() if "the 1" in line] == ["superseded"]
    assert "deployed: true\ngreeting: hello 1" in told
    assert "greeting: hello 2" not in told


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("history absent", "no release is called absent in the namespace shop"),
        ("rollback absent", "no release is called absent"),
        ("rollback shop 99", "there is no revision 99"),
        ("status shop --revision 99", "there is no revision 99"),
        ("upgrade shop /nowhere/at/all", "/nowhere/at/all"),
    ],
)
def test_what_is_not_there_is_declined_and_what_is_there_is_told(releases: Releases, body: str, complaint: str) -> None:
    with pytest.raises(Declined, match=complaint):
        run(releases.server, body)


@pytest.mark.parametrize(
    "body",
    [
        "rollback",
        "rollback shop two",
        "rollback shop 1 2",
        "upgrade shop ./chart",
        "list shop",
        "status ../x",
        "uninstall shop",
    ],
)
def test_what_can_not_be_meant_is_refused_before_anything_is_asked(releases: Releases, body: str) -> None:
    with pytest.raises(UsageError):
        run(releases.server, body)


def test_a_rollback_is_followed_and_its_revision_is_told(releases: Releases) -> None:
    releases.install("back", 2, deployed=True)

    told = run(releases.server, "rollback back 1 --wait --timeout=2m")

    assert (
        "back rolled back to 1 as revision 3: deployed, shop-0.1.0, app 1.0, Rollback to 1 (it was revision 2)" in told
    )
    assert "REVISION: 3" in run(releases.server, "status back")


def test_an_upgrade_tells_its_progress_and_what_it_came_to(releases: Releases) -> None:
    releases.install("up")
    chart = releases.chart("0.7.0", "7.0")

    told = run(releases.server, f"upgrade up {chart} --set deployed=true --set replicas=3 --wait --timeout=2m")

    assert "up upgraded to revision 2: deployed, shop-0.7.0, app 7.0" in told
    assert "(it was revision 1)" in told


def test_an_upgrade_that_does_not_get_through_tells_how_the_release_stands(releases: Releases) -> None:
    releases.install("late")
    chart = releases.chart("0.8.0")
    nowhere(chart)

    with pytest.raises(Declined, match="late: revision 2 is failed") as caught:
        run(releases.server, f"upgrade late {chart} --set=deployed=true --wait --timeout=4s")

    assert "late: 0 of 2 new" in caught.value.what or "late: 2 of 2 new, 0 ready" in caught.value.what
    assert caught.value.mend


async def test_a_cancelled_upgrade_ends_helm_and_tells_how_the_release_stands(
    releases: Releases, tmp_path: Path
) -> None:
    releases.install("halted")
    chart = releases.chart("0.9.0")
    nowhere(chart)
    action = Action("helm", f"upgrade halted {chart} --set deployed=true --wait", "it", {})
    confirmed = Confirmation(action.sha256, Rung.CONFIRM, "test")
    permit = grant(action, Judgement(Verdict.MUTATING), Mode.LIVE, by="test", confirmation=confirmed)
    runs: Runs[Any] = Runs(tmp_path)
    running, folder = await runs.begin(adapter_of(releases.server), permit)
    await until(lambda: b"revision 2 is pending-upgrade" in (folder / "output").read_bytes())

    await running.cancel()
    outcome = await running.wait()

    told = (folder / "output").read_text()
    assert (outcome.ending, outcome.survivors) == ("cancelled", ())
    assert "halted: revision 2 is failed" in told or "halted: revision 2 is pending-upgrade (new)" in told


def test_a_task_that_only_reads_never_starts_helm(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, f"touch {tmp_path}/started")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    before = releases.server.fingerprint()

    for body in ("rollback shop 1", "upgrade shop /x", "list\nrollback shop 1"):
        with pytest.raises(PolicyRefusal):
            run(releases.server, body, read_only=True)
    run(releases.server, "list\nhistory shop", read_only=True)

    assert not (tmp_path / "started").exists()
    assert releases.server.fingerprint() == before


def test_a_value_never_becomes_an_option(releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, f'[ "$1" = version ] && echo v3.18.0 || printf "%s\\n" "$@" > {tmp_path}/argv')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    evil = "--post-renderer=/tmp/x"

    run(releases.server, "upgrade shop $C --set=$S --description=$S --wait", C=evil, S=evil)
    with pytest.raises(UsageError):
        run(releases.server, "rollback $C", C=evil)

    config = releases.server.kubeconfig(ADMIN)
    told = (tmp_path / "argv").read_text().splitlines()
    assert told == [
        "upgrade", "--namespace=shop", f"--kubeconfig={config}",
        f"--description={evil}", "--wait", *told[5:6], "--", "shop", evil,
    ]  # fmt: skip
    assert told[5].startswith("--set-file=--post-renderer=/dev/fd/")


@pytest.mark.parametrize(
    ("body", "mode"), [("echo v2.17.0", 0o755), ("echo '{\"garbage'", 0o755), ("exit 1", 0o755), ("echo v3.1.0", 0o644)]
)
async def test_a_helm_that_can_not_be_used_is_told_and_reading_goes_on(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, mode: int
) -> None:
    stub(tmp_path, body, mode)
    monkeypatch.setenv("PATH", str(tmp_path))
    before = releases.server.fingerprint()

    with pytest.raises(ToolMissing) as caught:
        run(releases.server, "rollback shop 1")

    assert "Helm 3" in caught.value.mend
    assert "REVISION: 2" in run(releases.server, "status shop", read_only=True)
    assert releases.server.fingerprint() == before
    tool = (await adapter_of(releases.server).checks())[-1]
    assert (tool.standing, "can be read" in tool.text, "Helm 3" in tool.mend) == ("warning", True, True)


async def test_the_server_may_be_what_keeps_releases_from_being_changed(releases: Releases) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]
    releases.server.apply(f"{rbac}/roles", {"metadata": {"name": "releases"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "releases"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "readers"}]
    binding = {"metadata": {"name": "releases"}, "roleRef": role, "subjects": subjects}
    releases.server.apply(f"{rbac}/rolebindings", binding)

    assert "the 2" in run(releases.server, "history shop", token=READER, read_only=True)
    assert (await adapter_of(releases.server, READER).enforcement()).by == "server"
    assert (await adapter_of(releases.server).enforcement()).by == "tool"
    with pytest.raises(Declined, match="forbidden"):
        run(releases.server, "rollback shop 1", token=READER)
    with pytest.raises(AccessDenied):
        run(releases.server, "history shop", token=NOBODY)


def test_a_record_that_unpacks_without_end_is_refused(releases: Releases) -> None:
    packed = gzip.compress(b'{"name":"' + b"x" * (80 << 20) + b'"}')
    secret = "sh.helm.release.v1.bomb.v1"
    labels = {"owner": "helm", "name": "bomb", "version": "1", "status": "deployed"}
    data = {"release": base64.b64encode(base64.b64encode(packed)).decode()}
    item = {"metadata": {"name": secret, "labels": labels}, "type": "helm.sh/release.v1", "data": data}
    releases.server.apply(SECRETS, item)
    try:
        with pytest.raises(Malformed, match="64 MiB"):
            run(releases.server, "status bomb", read_only=True)
    finally:
        releases.server.ask("DELETE", f"{SECRETS}/{secret}")


# -- the panel ---------------------------------------------------------------------------------------------------------


async def test_the_panel_tells_a_releases_revision_status_chart_and_version(releases: Releases) -> None:
    found = await look(releases.server, releases=("shop",))

    assert values_of(found) == {
        "releases": 1, "releases_not_deployed": 0, "revision": 2, "status": "deployed",
        "chart": "shop-0.2.0", "app_version": "2.0",
    }  # fmt: skip
    assert found.text == "shop · deployed · revision 2 · shop-0.2.0 · 2.0"


async def test_what_failed_is_stuck_or_missing_is_red_and_stands_first(releases: Releases) -> None:
    for name in ("alpha", "failing", "moving", "stuck", "gone"):
        releases.install(name)
    releases.status("failing", 1, "failed")
    releases.status("moving", 1, "pending-upgrade", changed_s=int(time.time()))
    releases.status("stuck", 1, "pending-rollback", changed_s=int(time.time()) - 720)
    releases.status("gone", 1, "uninstalled")

    found = await look(releases.server, releases=("alpha", "failing", "moving", "stuck", "absent"))
    every = await look(releases.server, namespace="*")

    told = [(row["name"], row["status"], row["level"]) for row in found.rows]
    assert told == [
        ("failing", "failed", "red"),
        ("stuck", "pending-rollback for 12 min", "red"),
        ("absent", "missing", "red"),
        ("moving", "pending-upgrade", "yellow"),
        ("alpha", "deployed", "green"),
    ]
    assert "gone" not in {row["name"] for row in every.rows}
    assert {"shop", "alpha"} <= {row["name"] for row in every.rows}
    json.dumps(found.rows)


async def test_a_namespace_without_releases_is_told_so_and_no_rights_as_well(releases: Releases) -> None:
    found = await look(releases.server, namespace="kube-system")

    assert (found.none, bool(found.mend)) == (True, True)
    with pytest.raises(AccessDenied):
        await look(releases.server, NOBODY)
