"""What one step hands to the next: exported variables and the working directory. Stdlib only.

bash reads a prelude before the script (BASH_ENV), which sets an EXIT trap that reports on a pipe of its own. A script
that sets its own EXIT trap, replaces itself with `exec` or is killed reports nothing, and that is said.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

NOT_CARRIED = frozenset({"_", "SHLVL", "PWD", "BASH_ENV", "COCKPIT_RUN"})
_VARIABLE = re.compile(
    rb"declare -([A-Za-z]+) ([A-Za-z_][A-Za-z0-9_]*)"
    rb"(?:=(?:\"((?:[^\"\\]|\\.)*)\"|\$'((?:[^'\\]|\\.)*)'|([^\n]*)))?\n",
    re.DOTALL,
)
_DOUBLE_QUOTED = re.compile(rb"\\(.)", re.DOTALL)
_DOLLAR_QUOTED = re.compile(rb"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_ESCAPES = dict(zip(b"abeEfnrtv", b"\a\b\x1b\x1b\f\n\r\t\v", strict=True))


def prelude(report: int) -> bytes:
    """The text bash runs first. It holds no value: those are in the environment.

    PIPESTATUS is still the last pipeline's inside an EXIT trap. The braces keep `set -x` from tracing the trap.

    Args:
        report: the descriptor of the pipe.
    """
    return (
        "unset BASH_ENV\n"
        'trap \'{ __cockpit_end="$? ${PIPESTATUS[*]}"; set +x; } 2>/dev/null; '
        f'builtin printf "%s\\0%s\\0" "$__cockpit_end" "$PWD" >&{report}; '
        f'builtin declare -px >&{report}; builtin printf "\\0" >&{report}\' EXIT\n'
    ).encode("ascii")


class ShellState:
    """What a script's shell was at its end: pipe status, working directory, exported variables."""

    __slots__ = ("cwd", "pipe_status", "variables")

    def __init__(self, pipe_status: list[int], cwd: str, variables: dict[str, str]) -> None:
        self.pipe_status = pipe_status
        self.cwd = cwd
        self.variables = variables


def reported(report: bytes) -> ShellState | None:
    """What the trap wrote; None when it wrote nothing or was cut short."""
    parts = report.split(b"\0")
    if len(parts) != 4 or parts[3]:
        return None
    codes = [int(code) for code in parts[0].split()[1:] if code.isdigit()]
    return ShellState(codes, os.fsdecode(parts[1]), variables_of(parts[2]))


def carried(
    state: ShellState, given: Mapping[str, str], brought: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The variables the next step starts with, and the names of those that are not handed on.

    Args:
        given: the whole environment the script was started with.
        brought: what of it earlier steps had handed on.
    """
    from cockpit.safety.environment import steers_programs

    kept = {name: text for name, text in brought.items() if state.variables.get(name) == text}
    refused = []
    for name, text in state.variables.items():
        if name in NOT_CARRIED or given.get(name) == text:
            continue
        if steers_programs(name):
            refused.append(name)
        else:
            kept[name] = text
    return kept, sorted(refused)


def without_secrets(passed_on: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """What may lie on disk of {cwd, variables, lost}: a variable that holds a secret is only named, as lost."""
    from cockpit.safety.redaction.redactor import Redactor

    redact = Redactor(secrets).redact
    cwd = passed_on["cwd"]
    lines = {name: f"{name}={text}" for name, text in passed_on["variables"].items()}
    secret = sorted(name for name, line in lines.items() if redact(line) != line)
    public = {name: text for name, text in passed_on["variables"].items() if name not in secret}
    return {"cwd": cwd and redact(cwd), "variables": public, "lost": sorted([*passed_on["lost"], *secret])}


def variables_of(listing: bytes) -> dict[str, str]:
    """What `declare -px` printed: scalars by name. Arrays and variables without a value are passed over."""
    found: dict[str, str] = {}
    for flags, name, double, dollar, bare in (match.groups() for match in _VARIABLE.finditer(listing)):
        if b"a" in flags or b"A" in flags or (double is None and dollar is None and bare is None):
            continue
        found[name.decode("ascii")] = os.fsdecode(_unquoted(double, dollar, bare))
    return found


def _unquoted(double: bytes | None, dollar: bytes | None, bare: bytes | None) -> bytes:
    if double is not None:
        return _DOUBLE_QUOTED.sub(rb"\1", double)
    if dollar is not None:
        return _DOLLAR_QUOTED.sub(_dollar_escape, dollar)
    return bare or b""


def _dollar_escape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[0] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    if code[0] in b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    return bytes([_ESCAPES.get(code[0], code[0])])
