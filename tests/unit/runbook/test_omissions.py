"""What an author left out is written in before it runs; dots that mean themselves are left alone."""

from __future__ import annotations

import pytest

from cockpit.runbook.inputs.omissions import omission_in


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("helm upgrade api ... --set canary.weight=10", "bash"),
        ("aws cloudfront create-invalidation …", "bash"),
        ("export TOKEN=...", "bash"),
        ("kubectl set image deploy/api api=registry/api:…", "bash"),
        ("kubectl delete pod api-7d9f...", "bash"),
        ("docker pull x@sha256:0c1f…", "bash"),
        ("curl -d {...} https://x", "bash"),
        ("curl -d '{...}' https://x", "bash"),
        ('curl -d \'{"message": "..."}\' https://x', "bash"),
        ('curl -H "Authorization: Bearer ..." https://x', "bash"),
        ('gh pr create --title "..."', "bash"),
        ("ssh host '...'", "bash"),
        ('psql -c "SELECT ... FROM users"', "bash"),
        ("cd /srv\n...\nmake deploy", "bash"),
        ("curl x | ... | sort", "bash"),
        ("for i in 1 2 3 ...; do date; done", "bash"),
        ("SELECT ... FROM users", "sql"),
        ("Invoke-Deploy -Name ...", "powershell"),
    ],
)
def test_an_omission_is_found(code: str, language: str) -> None:
    line = omission_in(code, language)
    assert line is not None
    assert line in code


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("go test ./...", "bash"),
        ("golangci-lint run ./...", "bash"),
        ("go vet ...", "bash"),
        ("bazel test //...", "bash"),
        ("git log main...HEAD", "bash"),
        ("git diff a...b", "bash"),
        ("git rev-list origin/main...", "bash"),
        ('echo "Processing..."', "bash"),
        ("echo Restarting...", "bash"),
        ("printf 'waiting ...\\n'", "bash"),
        ('notify "Deploying... please wait"', "bash"),
        ("grep -c '...' words", "bash"),
        ("sed 's/.../x/' f", "bash"),
        ("ls # and so on ...", "bash"),
        ("cat <<EOF > a.yml\n---\nx: 1\n...\nEOF", "bash"),
        ("echo {1..5} ../..", "bash"),
        ("SELECT 'a...b' FROM t -- and so on ...", "sql"),
        ("uptime", "bash"),
    ],
)
def test_dots_that_mean_themselves_are_none(code: str, language: str) -> None:
    assert omission_in(code, language) is None
