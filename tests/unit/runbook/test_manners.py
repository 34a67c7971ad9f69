"""Commands that need a terminal, never end, or open a session for what follows."""

from __future__ import annotations

import pytest

from cockpit.runbook.commands.manners import manners_of
from cockpit.runbook.reading import parse


@pytest.mark.parametrize(
    "code",
    [
        "tail -f /var/log/x",
        "tail -50f x",
        "sudo tail -F x | grep y",
        "watch -n 5 'ls | wc'",
        "pm2 monit",
        "pm2 logs api",
        "top",
        "kubectl logs -f pod",
        "kubectl -n x get pods -w",
        "journalctl -fu nginx",
        "ping 10.0.0.1",
        "docker compose logs -f",
        "kubectl port-forward svc/x 80",
        "vmstat 1",
        'ssh host "tail -f x"',
        "while true; do date; done",
    ],
)
def test_endless_commands_are_known(code: str) -> None:
    assert manners_of(code).endless


@pytest.mark.parametrize(
    "code",
    [
        "tail -n 50 x",
        "top -b -n 1 | head",
        "pm2 logs --nostream",
        "pm2 status",
        "kubectl logs pod --tail=5",
        "kubectl get po -o wide",
        "kubectl apply -f logs.yaml",
        "ping -c 3 x",
        "timeout 30 tail -f x",
        "iostat -x 1 3",
        "echo 'tail -f x'",
        "# tail -f x\nls",
        "journalctl -u x --since today",
        "grep -f patterns x",
    ],
)
def test_commands_that_end_are_left_alone(code: str) -> None:
    assert not manners_of(code).endless


@pytest.mark.parametrize(
    "code",
    [
        "vim x",
        "sudo nano x",
        "less x",
        "kubectl edit cm x",
        "crontab -e",
        "read -p 'sure?' x",
        "top",
        "htop",
        "systemctl edit x",
    ],
)
def test_commands_that_need_a_terminal_are_known(code: str) -> None:
    assert manners_of(code).interactive


@pytest.mark.parametrize(
    ("code", "session"),
    [
        ("ssh ec2-user@host", "ssh ec2-user@host"),
        ("ssh -i key.pem user@host", "ssh -i key.pem user@host"),
        ("ssh host uptime", None),
        ("ssh -L 80:localhost:80 host", None),
        ("kubectl exec -it pod -n x -- /bin/sh", "kubectl exec -it pod -n x -- /bin/sh"),
        ("kubectl exec pod -- ls", None),
        ("kubectl exec -it pod -- psql -c 'select 1'", None),
        ("oc rsh pod", "oc rsh pod"),
        ("docker exec -it db mysql -p", "docker exec -it db mysql -p"),
        ("psql -h localhost", "psql -h localhost"),
        ('psql -c "select 1"', None),
        ("psql -h x <<EOF\nselect 1\nEOF", None),
        ("cat q.sql | psql -h x", None),
        ("redis-cli", "redis-cli"),
        ("redis-cli PING", None),
        ("redis-cli --version", None),
        ("psql --help", None),
        ("mysql --help | head", None),
        ("docker exec -it db psql --version", None),
        ("ssh -V; psql", "psql"),
        ("kubectl exec -it redis-0 -- redis-cli ping", None),
        ("kubectl exec -it redis-0 -- redis-cli", "kubectl exec -it redis-0 -- redis-cli"),
        ("sudo -i", "sudo -i"),
    ],
)
def test_a_session_that_stays_open_is_named(code: str, session: str | None) -> None:
    found = manners_of(code)
    assert found.opens == session
    assert found.interactive is (session is not None)


def test_what_follows_a_session_is_inside_it_until_the_section_ends_or_it_exits() -> None:
    text = (
        "## A\n\n```bash\n# 1. go\nssh web\n\n# 2. look\nls\n```\n\n```bash\nuptime\n```\n\n```bash\nexit\n```\n\n"
        "```bash\ndate\n```\n\n## B\n\n```bash\nssh db\n```\n\n## C\n\n```bash\npwd\n```\n"
    )
    runbook = parse(text)
    assert [part.inside for part in runbook.steps[0].parts] == [None, "ssh web"]
    assert [step.inside for step in runbook.steps] == [None, "ssh web", "ssh web", None, None, None]


def test_a_client_that_statements_follow_is_left_where_the_last_of_them_says_so() -> None:
    text = (
        "# t\n\n```bash\nfly postgres connect -a db\n\n# in psql:\nSELECT 1;\n\\q\n\n# then\nfly apps start shop\n```\n"
    )
    parts = parse(text).steps[0].parts
    assert [part.inside for part in parts] == [None, "fly postgres connect -a db", None]
