"""The environment a step runs in: the operator's own, without what makes programs run something else. Stdlib only.

An incident tool that can't see KUBECONFIG or AWS_PROFILE is useless, so the operator's variables pass. What is taken
out is what redirects a program: exported shell functions, start-up files, preloaded libraries, pagers, editors, hooks
and interpreter options. That guards against accident, not against an operator who has set out to fool the tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_STEERS = re.compile(
    r"""
      BASH.* | SHELLOPTS | ENV | FPATH | ZDOTDIR | PROMPT_COMMAND | PROMPT | PS[0-4] | IFS | CDPATH | GLOBIGNORE
    | LD_.* | DYLD_.* | LIBPATH | SHLIB_PATH | GCONV_PATH | LOCPATH | NLSPATH | MALLOC_.* | GLIBC_TUNABLES | HOSTALIASES
    | .*PAGER | .*EDITOR | VISUAL | BROWSER | LESS(?:OPEN|CLOSE|KEY.*|EDIT|_.*|) | MORE | SUDO_ASKPASS | SSH_ASKPASS.*
    | GIT_.* | KUBECTL_.* | HELM_.* | TF_.* | PYTHON.* | PERL.* | RUBY.* | NODE_OPTIONS | NODE_PATH | NPM_CONFIG_.*
    | npm_config_.* | _?JAVA_.*OPTIONS | JDK_JAVA_OPTIONS | CLASSPATH | GREP_OPTIONS
    | TAR_OPTIONS | XZ_OPT | GZIP | AWKPATH
    | PGOPTIONS | PGSYSCONFDIR | PGSERVICEFILE | PSQLRC | PSQL_.* | CURL_HOME | WGETRC | OPENSSL_.* | AWS_ENDPOINT_URL.*
    | AWS_CONFIG_FILE | AWS_SHARED_CREDENTIALS_FILE | CLOUDSDK_PYTHON.* | MAKEFLAGS | MAKEFILES | INPUTRC | TERMINFO.*
    | .*_COMMAND | RSYNC_RSH | PM2_(?!HOME).* | RIPGREP_CONFIG_PATH
    """,
    re.VERBOSE,
)
# For a script's own assignments the rule is stricter: these are fine from the operator, not from a document.
_BELONGS_TO_THE_OPERATOR = re.compile(
    r"PATH|HOME|SHELL|USER|LOGNAME|TMPDIR|XDG_.*|.*_proxy|.*_PROXY|.*OPTIONS|.*_OPTS|SSH_.*|DOCKER_CONFIG|PGPASSFILE|SUDO_.*"
)
# Kept although a pattern above takes their kin out: they name an account or a place and run nothing.
_KEPT = frozenset({"HELM_NAMESPACE", "HELM_KUBECONTEXT", "GIT_SSL_CAINFO", "TF_WORKSPACE"})

FIXED: Mapping[str, str] = {
    # Reading a repository must not write its index.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # Nor start a repository's own monitor of files, or the program that checks signatures.
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "log.showSignature",
    "GIT_CONFIG_VALUE_1": "false",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "AWS_PAGER": "",
    "SYSTEMD_PAGER": "cat",
    "PSQL_PAGER": "cat",
    # psql would run the commands of ~/.psqlrc before those it is given.
    "PSQLRC": "/dev/null",
}
"""Set for every step, whatever the operator has: nothing pages, prompts, locks or runs more behind the screen."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Used when the operator has no PATH at all."""


def steers_programs(name: str) -> bool:
    """Whether a variable of this name makes some program load, start or obey something else."""
    return name not in _KEPT and _STEERS.fullmatch(name) is not None


def assignable(name: str) -> bool:
    """Whether a script may set this variable and still be judged by its commands alone."""
    return not steers_programs(name) and _BELONGS_TO_THE_OPERATOR.fullmatch(name) is None


def child_environment(operator: Mapping[str, str], values: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a step.

    Args:
        operator: the environment the cockpit itself was started with (`os.environ`).
        values: the step's inputs, by name; they win over the operator's variables, never over FIXED. An input whose
            name would steer programs is left out: the caller must refuse such a step.

    PATH is the operator's without empty and relative entries, which would look for programs in the current folder.
    Core dumps are not a matter of the environment: the runner sets RLIMIT_CORE to 0.
    """
    child = {name: text for name, text in operator.items() if not steers_programs(name) and "()" not in text[:2]}
    child.update((name, text) for name, text in (values or {}).items() if assignable(name))
    child["PATH"] = fixed_path(operator.get("PATH", ""))
    child.update(FIXED)
    return child


def fixed_path(path: str) -> str:
    """The absolute folders of a PATH, each once, in order; DEFAULT_PATH when none is left."""
    folders = dict.fromkeys(folder for folder in path.split(":") if folder.startswith("/"))
    return ":".join(folders) or DEFAULT_PATH
