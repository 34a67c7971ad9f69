"""Bash itself as the oracle: what a command really starts, with which words, and what it writes.

A command runs in an empty folder with an empty PATH, as nobody where the tests run as root. Nothing can start: whatever
bash looks for is logged with its words instead, and answers with a status and a text of the test's choice.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

BASH = shutil.which("bash") or ""
NOBODY = 65534
# Commands of which the judge knows what they print answer so; the rest answers with the test's text. A loop that waits
# for another answer is ended after so many calls, and what calls nothing by the limit of its CPU.
STARTUP = """
ulimit -t 1
enable -n kill
command_not_found_handle() {
  printf '%s\\0' "$@" $'\\001' >> "$ORACLE_LOG/$BASHPID"
  calls=("$ORACLE_LOG"/*)
  [ "${#calls[@]}" -lt 200 ] || { enable kill; kill -KILL $$; }
  case "$1:$*" in
    date:*|nproc:*|wc:*|stat:*|pgrep:*|pidof:*|id:*|seq:*|hostname:*|uname:*|whoami:*|which:*|tr:*|git:*|grep:*)
      echo 7 ;;
    kubectl:*" -o name"*|kubectl:*" -o=name"*) echo pod/web-0 ;;
    *) printf '%s\\n' "$ORACLE_OUTPUT" ;;
  esac
  return "$ORACLE_STATUS"
}
"""
# What would touch more than the empty folder, or never end, even with nothing to start.
UNSAFE = re.compile(
    r"""[>&]\s*["']?(?:[/~$]|\.\.)(?!dev/(?:null|stdout|stderr)\b)|(?:^|[;|&({!`]\s*|(?:command|exec|builtin|then|do|else)\s+)[/~.]+/"""
    r"|while\s+(?:true|rm|:)|\bsuspend\b|\blogout\b|/dev/(?:tcp|udp)|for\s*\(\(;;",
)
BUILTINS = frozenset(
    """: . [ [[ alias bg bind break builtin caller cd command compgen complete continue coproc declare dirs disown echo
    enable eval exec exit export false fc fg getopts hash help history jobs let local logout mapfile popd printf pushd
    pwd read readarray readonly return set shift shopt source test time times trap true type typeset ulimit umask
    unalias unset wait""".split()  # noqa: SIM905 - a quoted list of sixty names is harder to read
)


@dataclass(frozen=True)
class Answer:
    """What every command that bash starts answers with."""

    status: int
    output: str


class Run:
    """What bash did with a command: `argvs` it started, names of them, and `files` it wrote."""

    def __init__(self, command: str, folder: Path, answer: Answer) -> None:
        place = folder / "place"
        log = folder / "log"
        for path in (folder, place, log):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        startup = folder / "startup"
        startup.write_text(STARTUP)
        startup.chmod(0o644)
        environment = {
            "PATH": str(folder / "empty"), "HOME": str(place), "BASH_ENV": str(startup), "ORACLE_LOG": str(log),
            "ORACLE_STATUS": str(answer.status), "ORACLE_OUTPUT": answer.output, "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        subprocess.run(
            [BASH, "--noprofile", "--norc", "-c", command],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
            user=NOBODY if os.geteuid() == 0 else None,
        )
        # A file for each process: bash writes what it prints line by line, and two ends of a pipe would mix theirs.
        logs = sorted(log.iterdir(), key=lambda path: int(path.name))
        calls = b"".join(path.read_bytes() for path in logs).decode("utf-8", "replace").split("\0\1\0")
        self.argvs = [call.split("\0") for call in calls if call]
        self.started = {argv[0] for argv in self.argvs} - {""}
        self.files = set(os.listdir(place))


def runs_of(tries: Iterable[tuple[str, Answer]]) -> list[Run]:
    """What bash did with each command, in turn; it tries as many at once as the machine has cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_tried, tries))


def _tried(given: tuple[str, Answer]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        return Run(given[0], Path(folder) / "run", given[1])
