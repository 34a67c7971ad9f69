"""What a step's environment keeps of the operator's, and what it does not."""

from __future__ import annotations

import pytest

from cockpit.safety.environment import DEFAULT_PATH, assignable, child_environment, fixed_path, steers_programs

NEEDED = {
    "HOME": "/home/x",
    "LANG": "ko_KR.UTF-8",
    "LC_ALL": "ko_KR.UTF-8",
    "TERM": "xterm",
    "TZ": "Asia/Seoul",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "KUBECONFIG": "/k",
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "x",
    "PM2_HOME": "/pm2",
    "PGHOST": "db",
    "PGPASSWORD": "x",
    "DATABASE_URL": "postgres://x",
    "https_proxy": "http://p",
    "NO_PROXY": "x",
    "GOOGLE_APPLICATION_CREDENTIALS": "/g",
    "DOCKER_HOST": "unix:///x",
    "VAULT_ADDR": "http://v",
    "HELM_NAMESPACE": "a",
    "ARGOCD_SERVER": "a",
    "USER": "x",
    "XDG_RUNTIME_DIR": "/run/user/1",
    "ORACLE_HOME": "/o",
}
STEERING = [
    "BASH_ENV",
    "ENV",
    "BASH_FUNC_ls%%",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "PROMPT_COMMAND",
    "IFS",
    "PS4",
    "SHELLOPTS",
    "BASHOPTS",
    "LESSOPEN",
    "GIT_EXTERNAL_DIFF",
    "GIT_SSH_COMMAND",
    "KUBECTL_EXTERNAL_DIFF",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "NODE_OPTIONS",
    "PERL5OPT",
    "RUBYOPT",
    "JAVA_TOOL_OPTIONS",
    "PGOPTIONS",
    "EDITOR",
    "VISUAL",
    "AWS_ENDPOINT_URL",
    "MANPAGER",
    "CURL_HOME",
    "WGETRC",
    "HELM_PLUGINS",
    "GCONV_PATH",
]


def test_what_an_operator_needs_arrives() -> None:
    child = child_environment({**NEEDED, "PATH": "/usr/bin"})
    assert {name: child.get(name) for name in NEEDED} == NEEDED


@pytest.mark.parametrize("name", STEERING)
def test_what_makes_programs_run_something_else_does_not(name: str) -> None:
    assert name not in child_environment({name: "rm x"}) or child_environment({name: "rm x"})[name] != "rm x"
    assert steers_programs(name)


def test_an_exported_function_is_left_out_whatever_its_name() -> None:
    assert "ls" not in child_environment({"ls": "() { rm x; }"})


def test_inputs_arrive_but_cannot_steer() -> None:
    child = child_environment(
        {"A": "1", "PATH": "/bin"}, {"A": "2", "POD": "x", "LD_PRELOAD": "/tmp/x", "PATH": "/tmp"}
    )
    assert (child["A"], child["POD"], child["PATH"]) == ("2", "x", "/bin")
    assert "LD_PRELOAD" not in child


def test_path_has_no_entry_that_depends_on_the_folder() -> None:
    assert fixed_path(":/usr/bin:.:bin:/usr/bin:/bin:") == "/usr/bin:/bin"
    assert fixed_path("") == DEFAULT_PATH


def test_nothing_pages_or_locks() -> None:
    child = child_environment({"PAGER": "less", "GIT_PAGER": "delta"})
    assert (child["PAGER"], child["GIT_PAGER"], child["GIT_OPTIONAL_LOCKS"]) == ("cat", "cat", "0")


def test_a_script_may_set_less_than_the_operator() -> None:
    assert assignable("NS")
    assert assignable("TZ")
    assert not assignable("PATH")
    assert not assignable("LD_PRELOAD")
