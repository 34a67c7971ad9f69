"""Typed Helm actions: judged as the same words at a prompt, and never worse for what an input may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.safety.helm.action import OPTIONS, helm_actions
from cockpit.safety.judge import judge
from cockpit.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("list", "read-only"),
        ("ls -A --filter '^api'", "read-only"),
        ("status shop --revision 3", "read-only"),
        ("hist shop --max=5 -n $NS", "read-only"),
        ("history $RELEASE --namespace=$NS", "read-only"),
        ("get values shop -o json", "read-only"),
        ("rollback shop 3 --wait", "mutating"),
        ("upgrade shop repo/shop --version 1.2.0 --set a=b --set c=d", "mutating"),
        ("uninstall shop", "destructive"),
        ("list\nuninstall shop | cat", "destructive"),
        ("history shop --kubeconfig=/x", "unknown"),
        ("upgrade shop x --post-renderer /x", "unknown"),
        ("rollback shop --dry-run", "unknown"),
        ("helm list", "unknown"),
        ("get $WHAT", "unknown"),
        ("diff upgrade shop", "unknown"),
    ],
)
def test_a_typed_action_is_judged_by_its_verb(text: str, verdict: str) -> None:
    assert judge("helm", text).verdict == verdict


def test_values_are_a_sensitive_read() -> None:
    assert "sensitive-read" in judge("helm", "get values $RELEASE").tags


@pytest.mark.parametrize("verb", sorted(OPTIONS))
def test_what_is_served_is_judged_as_helm_itself_is(verb: str) -> None:
    assert judge("helm", f"{verb} shop").verdict is judge("bash", f"helm {verb} shop").verdict


@pytest.mark.parametrize("text", ["rollback shop --wait=false", "history shop --max", "list --kube-context=x"])
def test_an_option_that_is_not_known_or_not_whole_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        helm_actions(text)


@given(st.text(alphabet="ab '\"\\$-={}|\n#", max_size=30))
def test_any_words_behind_a_change_leave_it_one(text: str) -> None:
    assert judge("helm", f"rollback shop {text}").verdict.rank >= Verdict.UNKNOWN.rank
