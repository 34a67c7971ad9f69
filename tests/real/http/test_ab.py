"""ApacheBench itself, and what is understood of its output."""

from __future__ import annotations

import subprocess

import pytest

from cockpit.runbook.expectations.written import from_words
from cockpit.session.steps.checking import Result, check
from tests.servers.server import require
from tests.servers.web import web_server


@pytest.mark.parametrize(
    ("path", "words", "held"),
    [
        ("/hello", "complete requests = 12", True),
        ("/hello", "failed requests = 0", True),
        ("/hello", "p95 < 60 s", True),
        ("/hello", "p95 < 0 ms", False),
        ("/hello", "requests per second > 0", True),
        ("/nothing", "failed requests = 0", None),
    ],
)
def test_what_a_real_ab_prints_is_understood(path: str, words: str, held: bool | None) -> None:
    (ab,) = require("ab")
    with web_server() as web:
        ran = subprocess.run([ab, "-n", "12", "-c", "2", web.url + path], capture_output=True, text=True, check=True)
    script = f"ab -n 12 -c 2 {web.url}{path}"
    result = Result(0, (0,), ran.stdout + ran.stderr, command=script)
    (found,) = (each for each in check(from_words(words, 1, script), result) if each.kind != "exit")
    assert found.held is held, found.seen
