"""Groups of targets in cockpit.toml and in front matter: what they mean, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cockpit.config import load
from cockpit.errors import ConfigError
from tests.unit.conftest import Document

pytestmark = pytest.mark.usefixtures("elsewhere")
TARGETS = """
[target]
web-1 = { kind = "ssh", host = "10.0.0.1" }
web-2 = { kind = "ssh", host = "10.0.0.2" }
"""


def loaded(text: str, front_matter: dict[str, Any] | None = None) -> Any:
    Path("cockpit.toml").write_text(TARGETS + text)
    return load(Path("cockpit.toml"), Document(front_matter or {}))


@pytest.mark.parametrize(
    ("policy", "width", "stops"),
    [
        ("", 10, False),
        ("at_once = 3", 3, False),
        ("rolling = 2", 2, True),
        ("rolling = 2\nstop_at_first_failure = false", 2, False),
        ("stop_at_first_failure = true", 1, True),
        ("stop_at_first_failure = true\nat_once = 5", 5, True),
    ],
)
def test_a_policy_says_how_many_at_a_time_and_whether_a_failure_stops(policy: str, width: int, stops: bool) -> None:
    (group,) = loaded(f'[group.web]\ntargets = ["web-1", "web-2", "local"]\n{policy}\n').groups
    assert (group.targets, group.width, group.stops) == (("web-1", "web-2", "local"), width, stops)


@pytest.mark.parametrize(
    ("text", "where", "what", "mend"),
    [
        ('[group.web]\ntargets = ["web-1", "web-22"]', "group.web.targets", "no target is called web-22", "web-2?"),
        ('[group.web]\ntargets = ["web-1"]\nroling = 1', "group.web.roling", "unknown key", "rolling?"),
        ('[group.web]\ntargets = ["web-1"]\nrolling = 0', "group.web.rolling", "out of range", "1 to 50"),
        ('[group.web]\ntargets = ["web-1"]\nat_once = 51', "group.web.at_once", "out of range", "1 to 50"),
        ('[group.web]\ntargets = ["web-1"]\nat_once = 2\nrolling = 2', "group.web", "the same thing", "one of them"),
        ('[group.web]\ntargets = ["web-1", "web-1"]', "group.web.targets", "named twice", ""),
        ("[group.web]\ntargets = []", "group.web.targets", "needs a target", ""),
        ('[group.web-1]\ntargets = ["web-2"]', "group.web-1", "a target is called web-1 as well", ""),
        ('[group.local]\ntargets = ["web-2"]', "group.local", "a target is called local as well", ""),
        ('[group.a]\ntargets = ["web-1"]\n[group.b]\ntargets = ["a"]', "group.b.targets", "no target is called a", ""),
    ],
)
def test_what_makes_no_group_is_refused_with_the_way_to_mend_it(text: str, where: str, what: str, mend: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert caught.value.where.endswith(where)
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_a_group_beyond_one_bastions_reach_is_refused_and_told_what_reaches_further() -> None:
    names = [f"h-{number}" for number in range(501)]
    targets = "\n".join(f'{name} = {{ kind = "ssh", host = "{name}" }}' for name in names)
    with pytest.raises(ConfigError, match="501 targets are too many") as caught:
        loaded(f"{targets}\n[group.all]\ntargets = {names}")
    assert "at most 500" in caught.value.mend
    assert "SSM Run Command" in caught.value.mend


def test_a_document_may_group_the_targets_that_there_are() -> None:
    config = loaded("", {"groups": {"web": {"targets": ["web-1", "web-2"], "rolling": 1}}})
    assert [group.name for group in config.groups] == ["web"]
    assert config.problems == ()


@pytest.mark.parametrize("groups", [{"web": {"targets": ["db-1"]}}, "all hosts", {"web-1": {"targets": ["web-2"]}}])
def test_what_a_document_calls_groups_otherwise_is_told_and_left_out(groups: Any) -> None:
    config = loaded("", {"groups": groups})
    assert config.groups == ()
    assert len(config.problems) == 1


def test_the_files_groups_are_not_changed_by_a_document() -> None:
    config = loaded('[group.web]\ntargets = ["web-1"]', {"groups": {"web": {"targets": ["web-2"]}}})
    assert [group.targets for group in config.groups] == [("web-1",)]
