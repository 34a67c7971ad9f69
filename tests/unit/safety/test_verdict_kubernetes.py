"""Verdicts of typed Kubernetes actions, and which requests the second wall lets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.safety.judge import judge
from cockpit.safety.kubernetes.request import refusal_of

SERVER = "https://10.0.0.1:6443"


def verdict(text: str) -> str:
    return str(judge("kubernetes", text).verdict)


@pytest.mark.parametrize(
    "action",
    [
        "get pods -n shop",
        "list deployments -A",
        "get deployment/api -n $NS",
        "get pods,services -l app=api -o wide",
        "describe pod api-0",
        "logs $POD -c app --tail=100 --since 5m",
        "events -n shop --for deployment/api",
        "top nodes",
        "rollout status deployment/api --timeout=2m",
        "rollout history deployment/api",
        "auth can-i delete pods -n shop",
        "watch pods",
        "get pods -n shop # before\n\nget services -n shop",
        "get pods \\\n  -n shop",
        "get applications.argoproj.io -n argocd",
    ],
)
def test_reading_is_read_only(action: str) -> None:
    assert verdict(action) == "read-only"
    assert judge("k8s", action).reasons


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("rollout undo deployment/api -n shop", "mutating"),
        ("rollout restart deployment/api", "mutating"),
        ("scale deployment/api --replicas=0", "mutating"),
        ("set env deployment/api MODEL=small", "mutating"),
        ("set image deployment/api app=shop:2", "mutating"),
        ("delete pod api-0", "mutating"),
        ("delete pod/api-0", "mutating"),
        ("delete deployment api", "destructive"),
        ("delete pod a service/b", "destructive"),
        ("delete pods,services a", "destructive"),
        ("delete $KIND a", "destructive"),
        ("delete pod$X a", "destructive"),
        ("deletecollection pods", "destructive"),
        ("patch deployments/scale", "mutating"),
        ("create pods/eviction", "mutating"),
        ("create serviceaccounts/token", "mutating"),
        ("update certificatesigningrequests/approval", "mutating"),
        ("get pods\nrollout undo deployment/api", "mutating"),
    ],
)
def test_changes_stand_on_their_rung(action: str, expected: str) -> None:
    assert verdict(action) == expected


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "proxy", "exec", "connect", ""])
@pytest.mark.parametrize(
    "door",
    ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "nodes/proxy", "nodes/n1/proxy", "services/proxy",
     "pods/ephemeralcontainers", "serviceaccounts/token", "pods/eviction", "namespaces/finalize"],
)  # fmt: skip
def test_a_door_that_acts_is_never_read_only_whatever_the_verb(verb: str, door: str) -> None:
    assert verdict(f"{verb} {door}".strip()) != "read-only"


@pytest.mark.parametrize(
    "action",
    [
        "exec api-0 -- ls",
        "exec api-0",
        "get $KIND",
        "get pod$X",
        "$VERB pods",
        "get pods --as admin",
        "get pods --context other",
        "get --raw /api/v1/pods",
        "get pods --token x",
        "get pods | sh",
        "get pods > file",
        "get pods $(delete pod a)",
        "get pods `x`",
        "get pods ${X:-y}",
        "kubectl get pods",
        "get 'pods",
        "impersonate users",
        "escalate clusterroles",
        "port-forward pods/a",
        "cp a b",
        "frobnicate pods",
        "get",
    ],
)
def test_doubt_is_unknown(action: str) -> None:
    assert verdict(action) == "unknown"


@pytest.mark.parametrize("action", ["get pods; delete pod a", "get pods && delete pod a"])
def test_what_can_not_be_read_is_as_bad_as_what_is_seen_in_it(action: str) -> None:
    assert verdict(action) == "mutating"
    assert judge("kubernetes", action).reasons


def test_what_a_program_in_a_pod_destroys_is_said() -> None:
    judged = judge("kubernetes", "exec db-0 -- rm -rf /data")
    assert (judged.verdict, "exec-remote" in judged.tags) == ("destructive", True)


def test_reading_secrets_is_tagged() -> None:
    for action in ("get secrets", "get secret/db -o yaml", "describe secret db", "get pods,secrets", "list SECRETS"):
        assert "sensitive-read" in judge("kubernetes", action).tags, action
    assert judge("kubernetes", "get pods").tags == ()


@given(st.text(alphabet="get podsxc/-$'\"\\;|&#\n{}NS=", max_size=40))
def test_no_text_makes_the_judge_fall_over_and_no_change_of_case_hides_a_door(text: str) -> None:
    assert verdict(text)
    assert verdict(f"get pods/Exec {text}") != "read-only"


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/namespaces/shop/pods?watch=true", "GET"),
        ("/api/v1/namespaces/shop/pods/api-0", "GET"),
        ("/api/v1/namespaces/shop/pods/api-0/log?follow=true", "GET"),
        ("/apis/apps/v1/namespaces/shop/deployments/api/scale", "GET"),
        ("/apis/apps/v1/deployments", "HEAD"),
        ("/apis/metrics.k8s.io/v1beta1/nodes", "GET"),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node", "GET"),
        ("/api/v1/namespaces/shop", "GET"),
        ("/api/v1/namespaces/shop/status", "GET"),
        ("/api/v1", "GET"),
        ("/apis", "GET"),
        ("/version", "GET"),
        ("/openapi/v3/apis/apps/v1", "GET"),
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "POST"),
    ],
)
def test_requests_that_read_pass_the_second_wall(path: str, method: str) -> None:
    assert refusal_of(method, SERVER + path, {"Accept": "application/json", "authorization": "Bearer x"}) == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/api/v1/namespaces/shop/pods/api-0") for method in
          ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "get", "")),
        *(("GET", f"/api/v1/namespaces/shop/pods/api-0/{door}") for door in
          ("exec", "exec?command=sh", "attach", "portforward", "proxy", "proxy/", "proxy/admin/shutdown", "eviction",
           "ephemeralcontainers", "binding", "token", "Exec", "anything", "status/more")),
        ("GET", "/api/v1/nodes/n1/proxy/run/shop/api-0/app?cmd=id"),
        ("GET", "/api/v1/nodes/https:n1:10250/proxy/exec"),
        ("GET", "/api/v1/namespaces/shop/services/https:api:443/proxy/x"),
        ("GET", "/api/v1/proxy/namespaces/shop/pods/api-0"),
        ("GET", "/api/v1/namespaces/shop/pods/api-0/%65xec"),
        ("GET", "/api/v1/namespaces/shop/pods/../pods/api-0/exec"),
        ("GET", "/api/v1/namespaces/shop/pods//api-0/exec"),
        ("GET", "/logs/kube-apiserver.log"),
        ("GET", "/debug/pprof/profile"),
        ("GET", "/api/v1/namespaces/shop/pods/a/log/more"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?dryRun=All"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x"),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
    ],
)  # fmt: skip
def test_anything_else_stops_at_the_second_wall(method: str, path: str) -> None:
    assert refusal_of(method, SERVER + path, {}) != ""


@pytest.mark.parametrize(
    "header",
    ["Impersonate-User", "impersonate-group", "Impersonate-Extra-scopes", "Upgrade", "X-HTTP-Method-Override",
     "X-Remote-User", "Sec-WebSocket-Key"],
)  # fmt: skip
def test_headers_that_change_what_a_request_does_are_refused(header: str) -> None:
    assert refusal_of("GET", f"{SERVER}/api/v1/pods", {header: "x"}) != ""


def test_only_http_is_spoken() -> None:
    assert refusal_of("GET", "wss://10.0.0.1/api/v1/pods", {}) != ""
    assert refusal_of("GET", "file:///api/v1/pods", {}) != ""
