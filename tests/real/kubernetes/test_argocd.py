"""ArgoCD's applications over its REST API: steps with what came of them, refusals, and the panel. The server is a
stand-in, for none can be had here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.argocd.adapter import ArgocdAdapter
from cockpit.adapters.argocd.api import ArgocdOptions
from cockpit.adapters.argocd.call import SERVED
from cockpit.adapters.argocd.probe import ArgocdProbe, ArgocdProbeOptions
from cockpit.adapters.probing import Finding
from cockpit.adapters.step_program.adapter import Task
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    CockpitError,
    ConfigError,
    Declined,
    Malformed,
    OutcomeUnknown,
    PolicyRefusal,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.monitor.panel import fold_sample
from cockpit.monitor.sample import Level, Outcome, Sample
from cockpit.safety.judge import judge
from cockpit.safety.permit import Action, Confirmation, Mode, Rung, grant
from cockpit.safety.verdict import Judgement, Verdict
from screens.panels import detail_of
from tests.corpus.reading import rows
from tests.runs import Runs
from tests.servers.argocd import ArgocdServer, argocd_server, revision
from tests.servers.misbehaving import misbehaving
from tests.waiting import until

BUSY = (429, {"retry_after": "0"}, '{"message": "slow down"}')
WAITING = ("Running", "waiting for healthy state of apps/Deployment/shop")


@pytest.fixture
def server() -> Iterator[ArgocdServer]:
    with argocd_server() as made:
        made.app("shop")
        made.phases = [("Running", "one or more tasks are running"), WAITING]
        yield made


def run(server: ArgocdServer, body: str, *, read_only: bool = False, timeout_s: float = 30.0, **values: str) -> str:
    page = BytesIO()
    task = Task(language="argocd", body=body, mode=Mode.LIVE, read_only=read_only, values=values)
    try:
        ArgocdAdapter(ArgocdOptions(url=server.url, timeout_s=timeout_s)).perform(task, Page(page))
    except Declined as error:
        raise Declined(f"{page.getvalue().decode()}{error.what}", mend=error.mend) from error
    return page.getvalue().decode()


async def look(server: ArgocdServer, **options: Any) -> Finding:
    probe = ArgocdProbe(ArgocdProbeOptions(url=server.url, **options), 10)
    try:
        return await probe.look(grant(probe.action, probe.judgement, Mode.READ_ONLY, by="test"))
    finally:
        await probe.close()


def sent(server: ArgocdServer, method: str) -> list[tuple[str, Any]]:
    return [(path, body) for asked, path, _values, body in server.asked if asked == method]


# -- steps -------------------------------------------------------------------------------------------------------------


def test_how_an_application_stands_and_what_it_was_is_read(server: ArgocdServer) -> None:
    server.app("shop", health="Degraded", sync="OutOfSync", message="0 of 2 ready")
    server.apps["shop"]["manifests"] = {
        "manifests": [json.dumps({"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "aHVudGVy"}})]
    }
    live, target = ({"kind": "Deployment", "spec": {"replicas": number}} for number in (1, 3))
    server.apps["shop"]["managed_resources"] = {
        "items": [{"kind": "Deployment", "namespace": "prod", "name": "shop",
                   "normalizedLiveState": json.dumps(live), "predictedLiveState": json.dumps(target)}]
    }  # fmt: skip

    told = run(
        server,
        "app list\napp get shop\napp history shop\napp resources argocd/shop\napp manifests shop\napp diff shop",
        read_only=True,
    )

    assert "Sync Status: OutOfSync (ccccccc)\nHealth Status: Degraded\n" in told
    assert "0 of 2 ready" in told
    assert [line.split(" | ")[2].strip() for line in told.splitlines() if "2026-01-02" in line] == ["bbbbbbb"]
    assert "password: '[hidden]'" in told
    assert "aHVudGVy" not in told
    assert "-  replicas: 1\n+  replicas: 3" in told
    assert {method for method, *_rest in server.asked} == {"GET"}


def test_the_health_of_objects_is_told_where_argocd_3_keeps_it_in_the_applications_tree(server: ArgocdServer) -> None:
    app = server.app("shop", health="Degraded")
    app["status"]["resourceHealthSource"] = "appTree"
    for it in app["status"]["resources"]:
        del it["health"]
    about = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "prod", "name": "shop"}
    sick = {"status": "Degraded", "message": "exceeded its progress deadline"}
    pod = {"version": "v1", "kind": "Pod", "namespace": "prod", "name": "shop-1", "health": {"status": "Healthy"}}
    app["resource_tree"] = {"nodes": [about | {"health": sick}, pod]}

    for action in ("app get shop", "app resources shop"):
        told = run(server, action, read_only=True)
        (line,) = (line for line in told.splitlines() if "Deployment" in line)
        assert "Degraded" in line
        assert "exceeded its progress deadline" in line
        assert "shop-1" not in told


def test_a_sync_is_followed_through_its_phases_to_what_it_came_to(server: ArgocdServer) -> None:
    told = run(server, "app sync shop --revision $TAG --prune --wait", TAG=revision("e"))

    assert sent(server, "POST") == [
        ("/api/v1/applications/shop/sync", {"prune": True, "revision": revision("e")}),
    ]
    lines = told.splitlines()
    assert lines.index("shop: Running - one or more tasks are running") < lines.index(f"shop: Running - {WAITING[1]}")
    assert "  Deployment/shop: Synced deployment.apps configured" in lines
    assert re.fullmatch(r"shop synced to eeeeeee: Succeeded in \d+ s; Healthy, Synced", lines[-1])


def test_a_sync_that_fails_says_how_and_is_no_success(server: ArgocdServer) -> None:
    server.will_end = ("Failed", "one or more objects failed to apply: quota exceeded")

    with pytest.raises(Declined, match=r"the sync of shop ended: Failed - .*quota exceeded"):
        run(server, "app sync shop")


def test_a_rollback_goes_to_the_entry_that_is_named_or_to_the_one_before(server: ArgocdServer) -> None:
    told = run(server, "app rollback shop 1")
    assert re.search(r"shop rolled back to 1 \(aaaaaaa\): Succeeded in \d+ s; Healthy, Synced", told)
    assert "shop rolled back to 2 (bbbbbbb)" in run(server, "app rollback shop")
    with pytest.raises(Declined, match="no entry 9") as caught:
        run(server, "app rollback shop 9")
    assert "2 (bbbbbbb)" in caught.value.mend
    assert [body["id"] for _path, body in sent(server, "POST")] == [1, 2]


def test_nobody_waits_for_what_is_begun_with_async_and_it_can_be_ended(server: ArgocdServer) -> None:
    server.phases = [WAITING] * 1000

    told = run(server, "app sync shop --async\napp terminate-op shop")

    assert "shop: sync begun" in told
    assert ("/api/v1/applications/shop/operation", None) in sent(server, "DELETE")
    with pytest.raises(Declined, match="another operation is already in progress") as caught:
        run(server, "app sync shop")
    assert "app terminate-op" in caught.value.mend


def test_a_wait_that_takes_too_long_says_how_things_stand(server: ArgocdServer) -> None:
    server.app("slow", health="Progressing")
    server.phases = [WAITING] * 1000

    with pytest.raises(Declined, match="shop is not through after 1 s"):
        run(server, "app sync shop --timeout 1")
    with pytest.raises(Declined, match=r"slow is not through after 0 s: .*Progressing, Synced"):
        run(server, "app wait slow --health --timeout 0")
    assert "slow: Succeeded" in run(server, "app wait slow --sync --timeout 0")


async def test_a_cancelled_step_leaves_the_operation_and_says_so(server: ArgocdServer, tmp_path: Path) -> None:
    server.phases = [WAITING] * 100_000
    action = Action("argocd", "app sync shop", "it", {})
    confirmed = Confirmation(action.sha256, Rung.CONFIRM, "test")
    permit = grant(action, Judgement(Verdict.MUTATING), Mode.LIVE, by="test", confirmation=confirmed)
    runs: Runs[Any] = Runs(tmp_path)
    running, folder = await runs.begin(ArgocdAdapter(ArgocdOptions(url=server.url)), permit)
    await until(lambda: b"waiting for healthy state" in (folder / "output").read_bytes())

    await running.cancel()
    outcome = await running.wait()

    assert (outcome.ending, outcome.survivors) == ("cancelled", ())
    assert b"goes on, until app terminate-op" in (folder / "output").read_bytes()
    assert sent(server, "DELETE") == []


@pytest.mark.parametrize(
    "body",
    [
        "app sync shop",
        "app rollback shop 1",
        "app terminate-op shop",
        "app get shop --refresh",
        "app list\napp sync shop",
    ],
)
def test_a_task_that_only_reads_sends_nothing_but_reads(server: ArgocdServer, body: str) -> None:
    before = server.fingerprint()

    with pytest.raises(PolicyRefusal):
        run(server, body, read_only=True)

    assert (server.asked, server.fingerprint()) == ([], before)


def test_a_refresh_is_made_where_something_may_change(server: ArgocdServer) -> None:
    assert "Name: shop" in run(server, "app get shop --hard-refresh")
    assert server.apps["shop"]["metadata"]["refreshed"] == "hard"


def test_what_is_judged_is_served_or_refused_in_one_clear_line(server: ArgocdServer) -> None:
    listed = sorted({command for _language, _verdict, command in rows("argocd.tsv")})
    told: dict[str, tuple[CockpitError | None, bool, bool]] = {}
    for command in listed:
        served = " ".join(command.split()[:2]) in SERVED
        reads = judge("argocd", command).verdict is Verdict.READ_ONLY
        outcome: CockpitError | None = None
        try:
            run(server, command.replace("app wait shop", "app wait shop --timeout 0"), read_only=True, APP="shop")
        except CockpitError as error:
            outcome = error
        told[command] = outcome, served, reads

    done = {command for command, (outcome, _served, _reads) in told.items() if not isinstance(outcome, UsageError)}
    assert {"app list", "app get shop", "app history shop", "app sync shop"} <= done
    for command, (outcome, served, reads) in told.items():
        if isinstance(outcome, PolicyRefusal):
            assert not reads, command
        elif command in done:
            assert reads, command
            assert served or command.startswith("#"), command
        assert "\n" not in str(outcome)
    assert {method for method, *_rest in server.asked} == {"GET"}


def test_an_unwell_or_busy_server_is_asked_again_for_reads_and_never_for_a_change(server: ArgocdServer) -> None:
    nothing: dict[str, str] = {}
    unwell = (503, nothing, '{"message": "upstream connect error"}')
    server.refuse = [unwell, BUSY, unwell]
    assert "Name: shop" in run(server, "app get shop", read_only=True)

    server.refuse = [unwell] * 4
    with pytest.raises(TargetUnreachable, match="503"):
        run(server, "app get shop", read_only=True)

    server.asked.clear()
    run(server, "app list")
    server.app("other")
    posted = server.answer
    answered: list[str] = []

    def refusing(method: str, path: str, values: dict[str, str], body: Any) -> tuple[int, Any]:
        answered.append(method)
        return (503, {"message": "bad gateway"}) if method == "POST" else posted(method, path, values, body)

    server.answer = refusing  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown, match="503"):
        run(server, "app sync other")
    assert answered.count("POST") == 1


@pytest.mark.parametrize(
    ("status", "body", "expected", "told"),
    [
        (401, '{"message": "no session information"}', AccessDenied, "no session"),
        (403, '{"message": "permission denied: applications, get"}', AccessDenied, "permission denied"),
        (404, '{"message": "not found"}', Declined, "not found"),
        (404, "<html>", Declined, "no such API"),
        (302, "", Malformed, "leads elsewhere"),
        (500, '{"message": "rpc error: repo server"}', TargetUnreachable, "repo server"),
        (200, "<html>", Malformed, "not what such a server says"),
        (200, '{"items": 7}', Malformed, "not what such a server says"),
    ],
)
def test_each_refusal_is_told_for_what_it_is(
    server: ArgocdServer, status: int, body: str, expected: type[Exception], told: str
) -> None:
    server.refuse = [(status, {"location": "https://elsewhere.test/"} if status == 302 else {}, body)] * 4

    with pytest.raises(expected, match=told) as caught:
        run(server, "app list", read_only=True)
    assert getattr(caught.value, "mend", "") or status == 404


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with misbehaving() as silent:
        silent.hangs = True
        with pytest.raises(TimedOut):
            run(ArgocdServer(port=silent.port), "app list", read_only=True, timeout_s=0.3)


def test_what_can_not_work_is_refused_before_anything_is_asked() -> None:
    for url in ("argo.test", "https://me:secret@argo.test", "https://argo.test?x=1"):
        with pytest.raises(ConfigError):
            ArgocdAdapter(ArgocdOptions(url=url))


async def test_who_keeps_it_read_only_is_asked_of_the_server(server: ArgocdServer) -> None:
    adapter = ArgocdAdapter(ArgocdOptions(url=server.url))
    assert (await adapter.enforcement()).by == "tool"
    server.may = set()
    assert (await adapter.enforcement()).by == "server"


# -- the panel ---------------------------------------------------------------------------------------------------------


async def test_an_applications_health_sync_operation_and_revision_are_told(server: ArgocdServer) -> None:
    found = await look(server, apps=("shop",))

    told = {value.name: (value.value, value.level) for value in found.values}
    assert told["health"] == ("Healthy", "green")
    assert told["sync"] == ("Synced", "green")
    assert told["operation"] == ("Succeeded", "green")
    assert told["revision"] == ("ccccccc", "")
    assert found.text == "shop · Healthy, Synced · ccccccc"


async def test_what_is_degraded_failed_or_missing_is_red_and_what_is_out_of_sync_yellow(server: ArgocdServer) -> None:
    server.app("late", sync="OutOfSync")
    server.app("sick", health="Degraded", sync="OutOfSync")
    server.app("failed")["status"]["operationState"] = {"phase": "Failed", "message": "quota"}

    found = await look(server, apps=("shop", "late", "sick", "failed", "gone"), project="shop")

    assert [(row["name"], row["status"], row["level"]) for row in found.rows] == [
        ("failed", "Failed", "red"),
        ("gone", "missing", "red"),
        ("sick", "Degraded, OutOfSync", "red"),
        ("late", "OutOfSync", "yellow"),
        ("shop", "Healthy, Synced", "green"),
    ]
    assert "1 of 5 applications healthy and in sync" in found.text
    assert all("manifest" not in path for _method, path, *_rest in server.asked)


async def test_what_argocd_complains_of_is_told_and_shown(server: ArgocdServer) -> None:
    complaints = [{"type": "OrphanedResourceWarning", "message": "2 orphans"},
                  {"type": "ComparisonError", "message": "rpc error: no such branch"}]  # fmt: skip
    server.app("lost", sync="Unknown", conditions=complaints)

    found = await look(server, apps=("lost",))

    assert [row["message"] for row in found.rows] == ["rpc error: no such branch"]
    sample = Sample("apps", "argocd", "2026-01-01T00:00:00Z", 0, Outcome.DATA, Level.YELLOW, "", rows=found.rows)
    assert any("rpc error: no such branch" in line.text for line in detail_of(fold_sample(None, sample), 56))


async def test_an_account_that_sees_nothing_is_told_so(server: ArgocdServer) -> None:
    server.apps.clear()
    assert (await look(server)).none
