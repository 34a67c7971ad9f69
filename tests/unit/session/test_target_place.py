"""What is shown of where a target is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.config import TargetConfig
from cockpit.session.steps.place import place_of
from cockpit.session.steps.targets import targets_of

SECRET = "Zq8-very-secret-value-71"


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("local", {}, ""),
        ("ssh", {"host": "web-1"}, "web-1"),
        ("kubernetes", {"context": "shop-prod", "namespace": "shop"}, "context shop-prod, namespace shop"),
        ("kubernetes", {"namespace": "shop"}, "the context that is current, namespace shop"),
        ("helm", {}, "the context that is current"),
        ("aws", {"profile": "oncall", "region": "eu-west-1"}, "profile oncall, region eu-west-1"),
        ("aws", {}, "the profile that is current"),
        (
            "postgresql",
            {"host": "10.0.0.7", "database": "orders", "user": "oncall"},
            "10.0.0.7, database orders, user oncall",
        ),
        ("redis", {"host": "10.0.0.5"}, "10.0.0.5, port 6379"),
        ("prometheus", {"url": "http://prometheus:9090"}, "http://prometheus:9090"),
        (
            "github",
            {"repo": "acme/shop", "url": "https://git.internal/api/v3"},
            "https://git.internal/api/v3, acme/shop",
        ),
    ],
)
def test_a_person_is_told_where_a_target_is(kind: str, options: dict[str, str], told: str) -> None:
    adapters = targets_of([TargetConfig(name="it", kind=kind, options=options)])

    assert place_of(adapters["it"]) == told


def test_no_credential_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_PASSWORD", SECRET)
    options = {"host": "db", "password_env": "ORDERS_PASSWORD"}

    told = place_of(targets_of([TargetConfig(name="it", kind="postgresql", options=options)])["it"])

    assert told == "db"
