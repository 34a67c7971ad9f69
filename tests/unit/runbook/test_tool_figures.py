"""What known tools print is held against what an author expects of it by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.runbook.expectations.written import from_words
from cockpit.safety.text import decode, sanitise
from cockpit.session.steps.checking import Finding, Result, check

DATA = Path(__file__).parents[2] / "data" / "figures"


def held(words: str, code: str, output: str) -> Finding:
    """The finding of one expectation, with an exit code that is right."""
    result = Result(0, (0,), sanitise(decode(output.encode())), command=code)
    (found,) = (finding for finding in check(from_words(words, 1, code), result) if finding.kind != "exit")
    return found


@pytest.mark.parametrize(
    ("file", "code", "words", "wanted"),
    [
        ("ab-2.3.txt", "ab -n 50 -c 2 http://api/ok", "p95 < 500 ms", True),
        ("ab-2.3.txt", "ab -n 50 -c 2 http://api/ok", "p95 < 0.5 s", True),
        ("ab-2.3.txt", "ab -n 50 -c 2 http://api/ok", "p95 < 9 ms", False),
        ("ab-2.3.txt", "ab -n 50 -c 2 http://api/ok", "p99 응답 시간 12ms 이하", True),
        ("ab-2.3.txt", "/usr/bin/ab -n 50 http://api/ok | tee ab.txt", "실패 0", True),
        ("ab-2.3.txt", "ab -n 50 http://api/ok", "failed requests = 0", True),
        ("ab-2.3.txt", "ab -n 50 http://api/ok", "초당 요청 수 > 900", True),
        ("ab-2.3.txt", "ab -n 50 http://api/ok", "requests per second >= 1000", False),
        ("ab-2.3-non-2xx.txt", "ab -n 20 http://api/bad", "failed requests = 0", None),
        ("ab-2.3-non-2xx.txt", "ab -n 20 http://api/bad", "non-2xx responses = 0", False),
        ("newman-6.2.2-failed.txt", "newman run smoke.json", "failed assertions = 0", False),
        ("newman-6.2.2-failed.txt", "newman run smoke.json", "failed requests = 0", True),
        ("newman-6.2.2-failed.txt", "npx newman run smoke.json", "실패 0", False),
        ("newman-6.2.2-passed.txt", "newman run smoke.json", "실패 0", True),
        ("newman-6.2.2-passed.txt", "newman run smoke.json", "average response time < 1 s", True),
        ("newman-6.2.2-report.json", "newman run s.json -r json; cat newman/r.json", "failed assertions = 0", False),
        ("newman-6.2.2-report.json", "newman run s.json -r json; cat newman/r.json", "assertions = 3", True),
        ("alembic-1.20.1-head.txt", "alembic current", "revision is de98844b2e72", True),
        ("alembic-1.20.1-head.txt", "docker compose exec api alembic -c a.ini current", "de98844b2e72 (head)", True),
        ("alembic-1.20.1-head.txt", "alembic current", "head", True),
        ("alembic-1.20.1-behind.txt", "alembic current", "revision is head", False),
        ("alembic-1.20.1-behind.txt", "alembic current", "현재 리비전은 3c31d144", True),
        ("alembic-1.20.1-behind.txt", "alembic current", "revision is de98844b2e72", False),
        ("alembic-1.20.1-none.txt", "alembic current", "revision is de98844b2e72", None),
        ("alembic-1.20.1-verbose.txt", "alembic current -v", "revision is de98844b2e72", False),
        ("pytest-9.2.0-failed.txt", "pytest tests", "0 failed", False),
        ("pytest-9.2.0-failed.txt", "python -m pytest tests", "passed >= 1", True),
        ("pytest-9.2.0-quiet.txt", "pytest -q tests", "failed = 0", True),
        ("npm-11.19.1-audit.txt", "npm audit", "high = 0", False),
        ("npm-11.19.1-audit.txt", "npm audit", "critical = 0", True),
        ("npm-11.19.1-audit.json", "npm audit --json", "0 high severity vulnerabilities", False),
        ("npm-11.19.1-audit-none.txt", "npm audit", "found 0 vulnerabilities", True),
        ("pip-audit-2.10.1-found.txt", "pip-audit -r requirements.txt", "취약점 없음", False),
        ("pip-audit-2.10.1-skipped.txt", "pip-audit -r requirements.txt", "취약점 없음", None),
        ("pip-audit-2.10.1.json", "pip-audit -f json", "vulnerabilities <= 2", True),
        ("trivy-0.45.txt", "trivy image shop/api:1.4.2", "critical = 0", False),
        ("trivy-0.45.txt", "trivy image shop/api:1.4.2", "high vulnerabilities <= 5", True),
    ],
)
def test_what_a_tool_printed_is_held_against_the_author_s_words(
    file: str, code: str, words: str, wanted: bool | None
) -> None:
    assert held(words, code, (DATA / file).read_text()).held is wanted


def test_a_refused_answer_is_a_doubt_about_ab_s_count_and_is_shown() -> None:
    found = held("failed requests = 0", "ab -n 20 http://api/bad", (DATA / "ab-2.3-non-2xx.txt").read_text())
    assert "Failed requests: 0" in found.seen
    assert "Non-2xx responses: 20" in found.seen


def test_what_was_filtered_out_is_not_known() -> None:
    seen = "Total: 2 (HIGH: 2, CRITICAL: 0)\n"
    assert held("critical = 0", "trivy image --severity HIGH,CRITICAL x", seen).held is True
    assert held("low = 0", "trivy image --severity HIGH,CRITICAL x", seen).held is None
    assert held("취약점 2개 이하", "trivy image --severity HIGH,CRITICAL x", seen).held is None


def test_several_runs_of_a_tool_in_one_step_all_have_to_hold() -> None:
    quick, slow = "  95%      9\nFailed requests:        0\n", "  95%    900\nFailed requests:        0\n"
    assert held("p95 < 500 ms", "ab -n 9 http://a/; ab -n 9 http://b/", quick + slow).held is False
    assert held("failed = 0", "ab -n 9 http://a/; ab -n 9 http://b/", quick + slow).held is True


def test_a_figure_that_two_tools_tell_is_asked_of_a_person() -> None:
    both = "Failed requests:        0\n" + (DATA / "newman-6.2.2-passed.txt").read_text()
    assert held("failed requests = 0", "ab -n 9 http://a/ && newman run s.json", both).held is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ab -n 9 http://a/", "실패율 < 1%"),
        ("alembic current", "revision is unchanged"),
        ("git status", "branch is protected"),
        ("trivy image x", "no secrets"),
    ],
)
def test_words_that_name_no_figure_are_asked_of_a_person(code: str, words: str) -> None:
    assert held(words, code, "Failed requests:        0\nOn branch main\n").held is None


def test_a_tool_s_words_mean_nothing_where_it_is_not_called() -> None:
    assert held("failed requests = 0", "cat notes.txt", "Failed requests:        0\n").held is None


def test_git_tells_commit_and_branch() -> None:
    commit = "5cc3c21d8e9f0a1b2c3d4e5f60718293a4b5c6d7\n"
    assert held("commit is 5cc3c21", "git rev-parse HEAD", commit).held is True
    assert held("commit is 5cc3c22", "git rev-parse HEAD", commit).held is False
    assert held("branch is main", "git status", "On branch main\nnothing to commit, working tree clean\n").held is True
    assert held("브랜치는 hotfix/7", "git branch --show-current", "hotfix/7\n").held is True


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("현재 브랜치 main\n커밋할 사항 없음, 작업 폴더 깨끗함\n", True),
        ("On branch develop\n", False),
        ("HEAD가 다음 위치에서 분리: 1a2b3c4\n", None),
    ],
)
def test_git_tells_its_branch_in_korean_too(output: str, wanted: bool | None) -> None:
    assert held("branch is main", "git status", output).held is wanted
