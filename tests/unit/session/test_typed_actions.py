"""Typed actions in a runbook: which fences hold them, their words, their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.runbook.model import Input, Step
from cockpit.runbook.reading import parse
from cockpit.safety.action_words import action_lines
from cockpit.session.filling.filling import fill

BLANK = Input("x", "<x>", "angle")
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)


def first(info: str, code: str) -> Step:
    return parse(f"# T\n\n```{info}\n{code}\n```\n").steps[0]


def words(text: str) -> list[list[str]]:
    return [[word.filled({"NS": "shop prod", "X": "--as"}) for word in line] for line in action_lines(text)]


def test_each_line_of_a_kubernetes_block_is_an_action_of_its_own() -> None:
    step = first("kubernetes", "get pods -n <namespace>\n\nrollout undo deployment/api -n $NS\n# expected: rolled back")
    assert (step.kind, step.language, step.inputs) == ("command", "kubernetes", ("namespace", "NS"))
    assert [part.code.split("\n")[0] for part in step.parts] == [
        "get pods -n <namespace>",
        "rollout undo deployment/api -n $NS",
    ]
    assert step.parts[1].expectations


def test_an_action_goes_on_behind_a_backslash_and_in_quotes() -> None:
    step = first("aws", "ecs describe-services \\\n  --cluster a\nroute53 get-change --id '{\n \"a\": 1\n}'")
    assert [part.code.count("\n") for part in step.parts] == [1, 2]


@pytest.mark.parametrize(
    ("info", "code", "language"),
    [
        ("aws", "ecs describe-services --cluster a", "aws"),
        ("aws", "ecs:DescribeServices --cluster a", "aws"),
        ("aws", "aws ecs describe-services --cluster a", "bash"),
        ("aws", "ecs describe-services --cluster a\naws s3 ls", "bash"),
        ("aws", "export AWS_REGION=x\naws s3 ls", "bash"),
        ("k8s", "rollout status deployment/api", "kubernetes"),
        ("kubernetes", "kubectl get pods", "bash"),
        ("kubectl", "kubectl get pods", "bash"),
        ("helm", "history shop\nrollback $REL <revision> --wait", "helm"),
        ("helm", "helm history shop", "bash"),
        ("argocd", "app get shop\napp sync shop --prune", "argocd"),
        ("argocd", "argocd app get shop", "bash"),
    ],
)
def test_a_shell_block_stays_one_whatever_its_fence_is_called(info: str, code: str, language: str) -> None:
    assert first(info, code).language == language


@pytest.mark.parametrize("info", ["kubernetes", "helm", "argocd"])
@pytest.mark.parametrize("code", ["apiVersion: v1\nkind: Pod", "{{- if .Values.a }}\nname: x\n{{- end }}"])
def test_a_manifest_is_not_run(info: str, code: str) -> None:
    assert first(info, code).kind == "note"


def test_words_are_quoted_as_in_a_shell_and_inputs_are_never_split() -> None:
    assert words("get 'a b' \"c $NS\" d\\ e -n=$NS ${X}x '$NS' \"\" # rest\n# only\nlogs x") == [
        ["get", "a b", "c shop prod", "d e", "-n=shop prod", "--asx", "$NS", ""],
        ["logs", "x"],
    ]


@pytest.mark.parametrize(
    "text", ["a | b", "a;b", "a&", "a > b", "a < b", "a `b`", "a $(b)", "a ${b:-c}", "a $", "'a", '"a']
)
def test_what_only_a_shell_understands_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        action_lines(text)


@given(VALUES)
def test_a_value_is_one_word_whatever_it_holds(value: str) -> None:
    body = fill("get pods -n <x> -l a", "kubernetes", [BLANK], {"x": value}).body
    assert words(body) == [["get", "pods", "-n", value, "-l", "a"]]


def test_a_value_inside_quotes_must_need_none() -> None:
    assert fill("get pods -l 'app=<x>'", "kubernetes", [BLANK], {"x": "api-2.0"}).body == "get pods -l 'app=api-2.0'"
    with pytest.raises(UsageError):
        fill("get pods -l 'app=<x>'", "kubernetes", [BLANK], {"x": "a' -A '"})


@given(st.text(alphabet="ab '\"\\$NS{}|\n#", max_size=30))
def test_any_text_is_words_or_an_error(text: str) -> None:
    try:
        lines = action_lines(text)
    except UsageError:
        return
    assert all(line for line in lines)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        (
            "actions/list-workflow-runs --workflow_id deploy.yml\nactions/re-run-workflow --run_id $RUN_ID --wait",
            "github",
        ),
        ("actions.listRepoWorkflows", "github"),
        ("actions get-workflow-run --run_id <run-id>", "github"),
        ("gh run list", "bash"),
        ("name: deploy\non: push", "text"),
    ],
)
def test_a_github_block_holds_operations_of_its_api(code: str, language: str) -> None:
    assert first("github", code).language == language
