"""Where a step goes: by what it says, what the session says, what ran before, and who speaks its language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.base import RunsSteps
from cockpit.adapters.redis.adapter import RedisAdapter
from cockpit.config import TargetConfig, load
from cockpit.errors import ConfigError, UsageError
from cockpit.runbook.reading import parse
from cockpit.safety.permit import Confirmation, Rung
from cockpit.safety.verdict import Verdict
from cockpit.session.record.event import Event, Status
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.secrets import SecretBook
from cockpit.session.steps.engine import Engine
from cockpit.session.steps.targets import adapter_for, target_for, targets_of

RUNBOOK = """
# Orders

```bash
uptime
```

```sql
select count(*) from orders
```

```sql {target=archive}
select 1
```

```redis
DBSIZE
```
"""


class _Journal:
    def __init__(self) -> None:
        self.seq = 0

    def append(self, kind: str, data: Any, *, actor: str, durable: bool = False) -> Event:
        self.seq += 1
        return Event(self.seq, "2026-01-01T00:00:00+00:00", 0, "boot", actor, kind, dict(data))


class _Speaks:
    """An adapter as far as choosing one goes."""

    name = "fake"

    def __init__(self, *languages: str) -> None:
        self.languages = frozenset(languages)

    async def start(self, permit: Any, request: Any) -> Any:
        raise NotImplementedError

    async def adopt(self, folder: Path, secrets: Sequence[str] = ()) -> Any:
        raise NotImplementedError


def engine_with(tmp_path: Path, **adapters: RunsSteps) -> Engine:
    made: dict[str, RunsSteps] = {"local": _Speaks("bash"), **adapters}
    engine = Engine(SessionFolder(tmp_path), parse(RUNBOOK), _Journal(), made, SecretBook({}))
    engine.record("session.started", session="INC-1", mode="live", target="local")
    return engine


def ids(engine: Engine) -> list[str]:
    return [step.id for step in engine.runbook.steps]


def ran(engine: Engine, step: str, target: str, status: Status = Status.PASSED, **more: Any) -> None:
    number = len(engine.state.runs) + 1
    language = next(s.language for s in engine.runbook.steps if s.id == step)
    engine.record("step.intent", step=step, run=number, attempt=1, language=language, target=target, **more)
    engine.finish(step, status, run=number, exit_code=3 if status is Status.REFUSED else 0)


def test_a_query_goes_to_the_one_target_that_can_run_it(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"))
    bash, sql, *_rest = ids(engine)

    assert engine.propose(bash).target == "local"
    proposal = engine.propose(sql)
    assert (proposal.target, proposal.targets, proposal.refusal) == ("orders", ("orders",), "")


def test_between_several_the_responder_chooses_and_the_choice_holds(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"), archive=_Speaks("sql"))
    bash, sql, *_rest = ids(engine)

    undecided = engine.propose(sql)
    assert "local" in undecided.refusal
    assert "orders, archive" in undecided.mend
    engine.set_target("archive", "kim")
    assert engine.propose(sql).target == "archive"
    assert engine.propose(bash).target == "local"
    ran(engine, sql, "archive")
    engine.set_target("local", "kim")
    assert engine.propose(sql).target == "archive"


def test_a_query_shows_no_folder_and_a_command_its_own(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"))
    engine.homes |= {"local": str(tmp_path), "orders": str(tmp_path)}
    bash, sql, *_rest = ids(engine)

    assert engine.propose(bash).cwd == str(tmp_path)
    assert engine.propose(sql).cwd is None


def test_a_step_may_name_its_target(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"), archive=_Speaks("sql"))

    assert engine.propose(ids(engine)[2]).target == "archive"
    assert engine.propose(ids(engine)[2], target="orders").target == "orders"


def test_a_step_for_a_target_that_is_not_there_runs_nowhere_else(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"))

    proposal = engine.propose(ids(engine)[2])

    assert proposal.target == "archive"
    assert "no target is called archive" in proposal.refusal
    with pytest.raises(UsageError, match="archive"):
        engine.permitted(proposal.proposal, Confirmation(proposal.sha256, Rung.NONE, "kim"), "kim")


def test_a_documents_own_target_that_can_not_be_had_is_left_out_and_told() -> None:
    told: list[str] = []
    configured = [TargetConfig(name=name, kind=kind, trusted=False) for name, kind in (("a", "telnet"), ("c", "redis"))]

    adapters = targets_of(configured, "", left_out=told.append)

    assert sorted(adapters) == ["c", "local"]
    assert "front matter: target.a" in told[0]
    assert "telnet" in told[0]


def test_a_language_nobody_speaks_is_said_with_what_to_do(tmp_path: Path) -> None:
    engine = engine_with(tmp_path)

    proposal = engine.propose(ids(engine)[3])

    assert "redis" in proposal.refusal
    assert "configure" in proposal.mend


def test_a_wish_that_can_not_run_it_is_passed_over() -> None:
    adapters = {"local": _Speaks("bash"), "db": _Speaks("sql"), "other": _Speaks("sql")}

    assert target_for("sql", adapters, None, ("local", None, "db")) == "db"
    assert target_for("sql", adapters, None, ("local", "nobody")) is None
    with pytest.raises(UsageError, match="nobody"):
        adapter_for("sql", adapters, "nobody")


def test_what_a_backend_found_to_change_things_needs_a_confirmation_from_then_on(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, orders=_Speaks("sql"))
    sql = ids(engine)[1]
    first = engine.propose(sql)
    assert (first.verdict, first.rung) == (Verdict.READ_ONLY, Rung.NONE)
    ran(engine, sql, "orders", Status.REFUSED, sha256=first.sha256)

    second = engine.propose(sql)

    assert (second.verdict, second.rung) == (Verdict.UNKNOWN, Rung.CONFIRM)
    assert "backend" in second.reasons[0]
    _made, (permit,) = engine.permitted(second.proposal, Confirmation(second.sha256, Rung.CONFIRM, "kim"), "kim")
    assert permit.judgement.verdict is Verdict.UNKNOWN


def test_a_typed_target_of_the_configuration_is_made_with_its_options(tmp_path: Path) -> None:
    path = tmp_path / "cockpit.toml"
    path.write_text('[target.cache]\nkind = "redis"\nhost = "10.0.0.5"\nport = 6380\ntls = true\n')

    adapter = targets_of(load(path).targets)["cache"]

    assert isinstance(adapter, RedisAdapter)
    assert (adapter.options.host, adapter.options.port, adapter.options.tls) == ("10.0.0.5", 6380, True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"hots": "x"}, "did you mean host"),
        ({"password": "x"}, "did you mean password_"),
        ({"port": "many"}, "a whole number"),
        ({"password_env": "A", "hosts": 1}, "did you mean host"),
    ],
)
def test_an_option_that_is_not_there_is_refused_with_the_nearest_one(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as told:
        targets_of([TargetConfig(name="cache", kind="redis", options=options)], "cockpit.toml")

    assert told.value.where.startswith("cockpit.toml: target.cache")


def test_this_machine_takes_no_options() -> None:
    with pytest.raises(ConfigError, match="no options"):
        targets_of([TargetConfig(name="here", options={"host": "x"})])


def test_a_document_gets_no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "ambient-password-1")
    asking = TargetConfig(name="c", kind="redis", options={"password_env": "HOME"}, trusted=False)
    with pytest.raises(ConfigError, match="document"):
        targets_of([asking])

    of_document = targets_of([TargetConfig(name="c", kind="redis", options={"host": "evil"}, trusted=False)])["c"]
    of_file = targets_of([TargetConfig(name="c", kind="redis", options={"host": "ours"})])["c"]

    assert isinstance(of_document, RedisAdapter)
    assert isinstance(of_file, RedisAdapter)
    assert of_document.secrets() == ()
    assert of_file.secrets() == ("ambient-password-1",)
