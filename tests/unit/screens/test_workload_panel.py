"""Rows of what runs on a cluster: names that can be told apart, states in full, and a word for each kind."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.monitor.panel import fold_sample
from cockpit.monitor.sample import Level, Outcome, Sample
from screens.panels import detail_of


def shown(width: int, *rows: dict[str, Any]) -> list[str]:
    sample = Sample("it", "kubernetes", "2026-01-01T00:00:00Z", 0, Outcome.DATA, Level.RED, "", rows=rows)
    return [line.text for line in detail_of(fold_sample(None, sample), width)]


def pod(name: str, **rest: Any) -> dict[str, Any]:
    told = {"status": "CrashLoopBackOff (exit status 1)", "level": "red", "ready": "0/1", "since_s": 60, "restarts": 4}
    return {"what": "pod", "name": name, **told, **rest}


@pytest.mark.parametrize("width", [56, 78, 98, 110])
def test_pods_of_one_deployment_are_told_apart_and_their_reason_is_whole(width: int) -> None:
    first, second = "judgment-service-896dfd84c-6t6sz", "judgment-service-896dfd84c-lls72"

    lines = shown(width, pod(first), pod(second))

    assert first in lines[1]
    assert any(second in line for line in lines)
    assert sum("CrashLoopBackOff (exit status 1)" in line for line in lines) == 2


def test_what_is_cut_of_a_name_is_its_middle() -> None:
    (_head, first, *_rest) = shown(40, pod("a-service-with-a-very-long-name-896dfd84c-6t6sz"))

    assert "…" in first
    assert "6t6sz" in first
    assert "a-serv" in first


@pytest.mark.parametrize(("what", "told"), [("statefulset", "sts"), ("daemonset", "ds"), ("job", "job")])
def test_each_kind_is_named_at_any_width(what: str, told: str) -> None:
    row = {"what": what, "name": "loki", "ready": "1/2", "status": "not ready", "level": "yellow"}

    assert f"{told}/loki" in shown(56, row)[1]
    assert shown(78, row)[1].split()[1:3] == [told, "loki"]


@pytest.mark.parametrize("width", [56, 78, 120])
def test_the_bounds_of_an_autoscaler_are_told_however_long_its_name_is(width: int) -> None:
    row = {"what": "autoscaler", "name": "a" * 30, "ready": "2/2", "status": "scales", "level": "green"}

    assert any("scales, 2 to 9" in line for line in shown(width, row | {"note": "2 to 9"}))
