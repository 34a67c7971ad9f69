"""Typed GitHub and ArgoCD actions: what their names and options make of them. The lists are in `tests/corpus`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict
from tests.corpus.reading import rows

CHANGES = [(language, command) for name in ("github.tsv", "argocd.tsv") for language, verdict, command in rows(name)
           if verdict in (Verdict.MUTATING, Verdict.DESTRUCTIVE)]  # fmt: skip


@pytest.mark.parametrize("name", ["github.tsv", "argocd.tsv"])
def test_every_listed_change_has_its_own_verdict(name: str) -> None:
    wrong = [
        (command, judge(language, command).verdict)
        for language, verdict, command in rows(name)
        if verdict is not Verdict.UNKNOWN and judge(language, command).verdict is not verdict
    ]
    assert wrong in ([], [("app sync shop --help", Verdict.UNKNOWN)])


@pytest.mark.parametrize(
    ("language", "command", "tag"),
    [
        ("github", "secret-scanning/list-alerts-for-repo", "sensitive-read"),
        ("github", "actions/list-repo-secrets", "sensitive-read"),
        ("github", "actions/create-registration-token-for-repo", "sensitive-read"),
        ("argocd", "app logs shop --follow", "unbounded"),
        ("argocd", "app logs shop -f", "unbounded"),
        ("argocd", "app wait shop --health", "unbounded"),
        ("argocd", "app get-resource shop --kind Secret --resource-name db", "sensitive-read"),
        ("argocd", "account generate-token", "sensitive-read"),
    ],
)
def test_tags_say_what_a_verdict_does_not(language: str, command: str, tag: str) -> None:
    assert tag in judge(language, command).tags


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("github", "actions/get-repo-public-key"),
        ("argocd", "app logs shop --tail 10"),
        ("argocd", "app wait shop --timeout 60"),
        ("argocd", "app get-resource shop --kind Deployment"),
    ],
)
def test_what_needs_no_tag_has_none(language: str, command: str) -> None:
    assert (judge(language, command).verdict, judge(language, command).tags) == ("read-only", ())


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("github", "repos/get | cat\nrepos/delete --repo shop"),
        ("github", "repos/get; repos/delete --repo shop"),
        ("argocd", "app get $(id) && app delete shop"),
        ("kubernetes", "get pods | wc\ndelete namespace shop"),
        ("aws", "ecs describe-clusters > x\necs delete-cluster --cluster a"),
        ("aws", "'unclosed\necs delete-cluster --cluster a"),
    ],
)
def test_a_line_that_can_not_be_read_hides_no_worse_one(language: str, command: str) -> None:
    assert judge(language, command).verdict == "destructive"


@pytest.mark.parametrize(
    ("language", "name"), [("GitHub", "repos/get"), ("argo-cd", "app list"), ("ArgoCD", "app list")]
)
def test_languages_go_by_any_case_and_alias(language: str, name: str) -> None:
    assert judge(language, name).verdict == "read-only"


@given(st.sampled_from(CHANGES), st.text(alphabet="ab -=/'\"$\\\n", max_size=12))
def test_nothing_added_to_a_change_makes_it_read_only(change: tuple[str, str], more: str) -> None:
    language, command = change
    assert judge(language, f"{command} {more}").verdict != "read-only"
    assert judge(language, f"{more}\n{command}").verdict != "read-only"


@given(st.text(alphabet="apt get-list/.--force=$NS'\"\n", max_size=40))
def test_any_text_is_judged(text: str) -> None:
    for language in ("github", "argocd"):
        assert judge(language, text).reasons
