"""What can't be proven is still as bad as what plainly stands in it; and as whom a command acts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.safety.judge import LONGEST_BYTES, judge
from cockpit.safety.shell.second_look import pieces


@pytest.mark.parametrize(
    "command",
    [
        "select x in a b; do rm -rf /srv; done",
        "a=(1 2); rm -rf /srv",
        "if true; then rm -rf /srv",
        "kubectl delete ns prod; [[ x",
        "echo 'x; rm -rf /srv",
        "(rm -rf /srv",
        "select x in a; do 'rm' -rf \"/srv\"; done",
        "[[ a\nX=1 FOO=2 sudo -n kubectl delete ns prod",
        "[[ a\nssh web rm -rf /srv",
        "[[ a\ncase x in a) dropdb shop ;; esac",
        "a=(1); psql -c 'drop table x'",
        "a=(1); redis-cli \\\n  flushall",
        "coproc rm -rf /srv",
        "! rm -rf /x; a=(1)",
        "[[ x\nterraform destroy | tee log",
    ],
)
def test_doubt_hides_nothing_that_plainly_can_not_be_undone(command: str) -> None:
    assert judge("bash", command).verdict == "destructive"


@pytest.mark.parametrize(
    "command",
    [
        "ls # rm -rf /\nselect x in a; do :; done",
        "[[ x\n# rm -rf /\nls",
        "echo 'rm -rf /'; select x in a; do :; done",
        "select x in a; do touch y; done",
    ],
)
def test_what_is_only_spoken_of_makes_nothing_worse(command: str) -> None:
    assert judge("bash", command).verdict == "unknown"


@pytest.mark.parametrize("filler", ["ls\n", "echo 'a' | ", "x", "sudo ", "a=b ", "find . -name ", "((", "'"])
def test_a_script_too_long_to_be_proven_is_unknown_at_best_and_destructive_where_it_shows(filler: str) -> None:
    long = filler * (LONGEST_BYTES // len(filler) + 1)
    assert judge("bash", long).verdict in ("unknown", "destructive")
    assert judge("bash", f"{long}\nrm -rf /srv\n").verdict == "destructive"
    assert judge("bash", f"rm -rf /srv\n{long}").verdict == "destructive"


@given(st.text(alphabet="ab |;&(){}[]$'\"\\\n#=<>`", max_size=40))
def test_every_line_is_looked_at_whatever_stands_around_it(around: str) -> None:
    assert "rm -rf /srv" in pieces(f"{around}\nrm -rf /srv\n{around}") or around.endswith("\\")


@pytest.mark.parametrize(
    ("command", "verdict", "tags"),
    [
        ("su - postgres -c 'psql -Xc \"select 1\"'", "read-only", {"needs-sudo", "privileged-role"}),
        ("su -c 'rm -rf /x'", "destructive", {"needs-sudo", "privileged-role"}),
        ("su kim -c uptime", "read-only", {"needs-sudo"}),
        ("su -lc uptime kim", "read-only", {"needs-sudo"}),
        ("su -c uptime -c 'rm -rf /x'", "unknown", {"needs-sudo"}),
        ("su -s /tmp/x -c uptime", "unknown", {"needs-sudo"}),
        ("su -c uptime kim extra", "unknown", {"needs-sudo"}),
        ("su - root", "unknown", {"needs-sudo", "privileged-role"}),
        ('su kim -c "$X"', "unknown", {"needs-sudo"}),
        ("doas -u postgres psql -c 'select 1'", "read-only", {"needs-sudo", "privileged-role"}),
        ("runuser -u postgres -- psql -c 'select 1'", "read-only", {"needs-sudo", "privileged-role"}),
        ("runuser -l postgres -c 'rm -rf /x'", "destructive", {"needs-sudo", "privileged-role"}),
        ("runuser -u kim", "unknown", {"needs-sudo"}),
        ("setpriv --reuid postgres --clear-groups ls", "read-only", {"needs-sudo", "privileged-role"}),
        ("setpriv --reuid=0 rm -rf /x", "destructive", {"needs-sudo", "privileged-role"}),
        ("kubectl --as system:admin get pods", "read-only", {"privileged-role"}),
        ("PGUSER=postgres psql -c 'select 1'", "read-only", {"privileged-role"}),
        ("env PGUSER=postgres psql -c 'select 1'", "read-only", {"privileged-role"}),
        ("export PGUSER=postgres; psql -c 'select 1'", "read-only", {"privileged-role"}),
        ("kubectl get pods --as-group=system:masters", "read-only", {"privileged-role"}),
        ("psql -U postgres -c 'select 1'", "read-only", {"privileged-role"}),
        ("psql -AtU postgres -c 'select 1'", "read-only", {"privileged-role"}),
        ("psql postgres://postgres:x@db/shop -c 'select 1'", "read-only", {"privileged-role"}),
        ("psql 'host=db user=postgres' -c 'select 1'", "read-only", {"privileged-role"}),
        ("psql -U app -c 'select 1'", "read-only", set()),
        ("mysql -uroot -e 'show tables'", "read-only", {"privileged-role"}),
        ("ls --as x", "read-only", set()),
    ],
)
def test_as_whom_a_command_acts_is_told(command: str, verdict: str, tags: set[str]) -> None:
    judged = judge("bash", command)
    assert judged.verdict == verdict
    assert {tag for tag in judged.tags if tag in ("needs-sudo", "privileged-role")} == tags
