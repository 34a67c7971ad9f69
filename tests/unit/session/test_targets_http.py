"""Where a request goes: to the configured target that serves its address, or to the host it names itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.config import TargetConfig
from cockpit.errors import ConfigError
from cockpit.runbook.reading import parse
from cockpit.safety.verdict import Verdict
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.secrets import SecretBook
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.targets import adapter_on_record, targets_of
from tests.unit.session.session_desk import MemoryJournal

RUNBOOK = """# Doc

```http
GET http://api.example.com:8443/health
```

```http
GET {{base_url}}/health
```

```http
GET /orders/{{id}}
```

```http
GET http://one.example.com/a
###
GET http://two.example.com/b
```
"""
API = TargetConfig(name="api", kind="http", options={"base_url": "http://api.example.com:8443"})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return desk(tmp_path)


def desk(tmp_path: Path, *configured: TargetConfig) -> Engine:
    made = Engine(SessionFolder(tmp_path), parse(RUNBOOK), MemoryJournal(), targets_of(configured), SecretBook({}))
    made.record("session.started", session="INC-1", mode="live", target="local")
    return made


def ids(engine: Engine) -> list[str]:
    return [step.id for step in engine.runbook.steps]


def test_a_whole_address_goes_to_the_host_it_names(engine: Engine) -> None:
    proposal = engine.propose(ids(engine)[0])

    assert (proposal.target, proposal.targets) == ("api.example.com:8443", ("api.example.com:8443",))
    assert (proposal.verdict, proposal.refusal) == (Verdict.READ_ONLY, "")


def test_a_host_that_is_an_input_is_the_target_once_it_is_known(engine: Engine) -> None:
    before = engine.propose(ids(engine)[1])

    engine.set_input("base_url", "https://api.example.com/v1", "kim")
    after = engine.propose(ids(engine)[1])

    assert (before.missing, before.refusal) == (("base_url",), "")
    assert (after.target, after.refusal) == ("api.example.com", "")
    assert after.command == "GET https://api.example.com/v1/health"


def test_an_address_that_does_not_say_where_needs_a_target_and_says_so(engine: Engine) -> None:
    engine.set_input("id", "7", "kim")

    proposal = engine.propose(ids(engine)[2])

    assert "http steps can't run on local" in proposal.refusal
    assert "base_url" in proposal.mend


def test_one_block_goes_to_one_host(engine: Engine) -> None:
    assert engine.propose(ids(engine)[3]).refusal


def test_a_configured_target_gets_its_own_requests_and_no_others(tmp_path: Path) -> None:
    engine = desk(tmp_path, API)
    whole, _open, relative, _two = ids(engine)
    engine.set_input("id", "7", "kim")
    elsewhere = "GET http://other.example.com/health"

    assert engine.propose(whole).target == "api"
    assert engine.propose(relative).target == "api"
    stranger = engine.propose(whole, code=elsewhere)
    forced = engine.propose(whole, code=elsewhere, target="api")

    assert (stranger.target, stranger.refusal) == ("other.example.com", "")
    assert "does not go to api" in forced.refusal
    assert "other.example.com" in forced.mend


def test_a_host_with_the_name_of_another_target_is_not_mistaken_for_it(tmp_path: Path) -> None:
    web = TargetConfig(name="web", kind="ssh", options={"host": "web-1"})
    engine = desk(tmp_path, web)

    proposal = engine.propose(ids(engine)[0], code="GET http://web/health")

    assert (proposal.target, proposal.refusal) == ("web", "")


def test_what_takes_over_a_request_knows_how_requests_end() -> None:
    adapters = targets_of()

    taken = adapter_on_record({"language": "http", "target": "api.example.com"}, adapters, adapters["local"])

    assert "http" in taken.languages
    assert adapter_on_record({"language": "bash", "target": "gone"}, adapters, adapters["local"]) is adapters["local"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "base_url"),
        ({"base_url": "api.example.com"}, "can't be read"),
        ({"base_url": "ftp://x"}, "not HTTP"),
        ({"base_url": "http://kim:pw@x"}, "without credentials"),
        ({"base_url": "http://x", "headers": {"Authorization": "Bearer x"}}, "secrets"),
        ({"base_url": "http://x", "headers": {"X-HTTP-Method-Override": "DELETE"}}, "header of every request"),
        ({"base_url": "http://x", "token_env": "A", "token_file": "B"}, "give one of"),
        ({"base_url": "http://x", "timeout_s": 0}, "timeout_s"),
        ({"base_url": "http://x", "tokn_env": "A"}, "did you mean token_env"),
    ],
)
def test_a_target_that_can_not_work_is_refused_when_it_is_read(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        targets_of([TargetConfig(name="api", kind="http", options=options)], "cockpit.toml")


def test_a_document_brings_no_credentials_of_this_machine_along() -> None:
    options = {"base_url": "http://evil", "headers_env": {"x": "HOME"}}

    with pytest.raises(ConfigError, match="document"):
        targets_of([TargetConfig(name="api", kind="http", options=options, trusted=False)])
