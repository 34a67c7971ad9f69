"""What may be watched on another machine, and who may say so: a file of the operator's, never a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import Config, TargetConfig, load
from cockpit.errors import ConfigError, LinkDown
from cockpit.monitor.watch import Watch
from cockpit.runbook.reading import parse
from cockpit.session.record.folder import SessionFolder
from cockpit.session.steps.targets import targets_of
from tests.unit.conftest import Document
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("elsewhere")
TARGET = '[target.web1]\nkind = "ssh"\nhost = "web1"\n'
PROBE = '[[probe]]\nname = "cpu"\nkind = "machine"\ntarget = "web1"\n'
TAIL = '[[tail]]\nname = "app"\npath = "/var/log/app.log"\ntarget = "web1"\n'


def loaded(text: str, front_matter: Mapping[str, Any] | None = None) -> Config:
    path = Path("cockpit.toml")
    path.write_text(text)
    return load(path, Document(front_matter or {}))


def test_a_file_may_name_a_target_of_its_own() -> None:
    config = loaded(TARGET + PROBE + TAIL)

    assert (config.probes[0].target, config.tails[0].target) == ("web1", "web1")
    assert config.tails[0].path == "/var/log/app.log"
    assert [tail["title"] for tail in config.as_panel()["tails"]] == ["app (web1)"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (PROBE, "cpu.target"),
        (TARGET + PROBE.replace("web1", "web2"), "cpu.target"),
        (TARGET + TAIL.replace("/var", "var"), "tail app.path"),
    ],
)
def test_a_target_that_is_not_there_and_a_path_without_a_beginning_are_refused(text: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    assert where in str(caught.value)


def test_a_files_probe_never_comes_to_mean_a_target_of_a_document() -> None:
    with pytest.raises(ConfigError, match="no target is called web1"):
        loaded(PROBE, {"targets": {"web1": {"kind": "ssh", "host": "evil"}}})


@pytest.mark.parametrize("key", ["probes", "tails"])
def test_a_document_can_have_no_machine_looked_at_not_even_a_target_of_the_file(key: str) -> None:
    entry = {"name": "x", "kind": "machine", "target": "web1"}
    if key == "tails":
        entry = {"name": "x", "path": "/etc/passwd", "target": "web1"}
    config = loaded(TARGET, {key: [entry], "targets": {"web1": {"kind": "ssh", "host": "evil"}}})

    assert (config.probes, config.tails) == ((), ())
    assert "document" in config.problems[0]
    assert [target.options["host"] for target in config.targets] == ["web1"]
    with pytest.raises(ConfigError, match="document"):
        loaded("", {"cockpit": {key.rstrip("s"): [entry]}})


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_document_can_have_no_server_looked_at_that_passwords_of_this_machine_would_be_shown_to(kind: str) -> None:
    asked = {"probes": [{"name": "db", "kind": kind, "host": "evil.example.com"}]}
    config = loaded("", asked)

    assert config.probes == ()
    assert any("credentials of this machine" in problem for problem in config.problems)


def test_a_documents_ssh_target_can_not_choose_the_ssh_configuration() -> None:
    fine = TargetConfig(name="web1", kind="ssh", options={"host": "web1"}, trusted=False)
    assert "web1" in targets_of([fine])
    with pytest.raises(ConfigError, match="ssh configuration"):
        targets_of([TargetConfig(name="x", kind="ssh", options={"host": "x", "ssh_config": "evil"}, trusted=False)])


def test_a_kind_that_can_not_look_at_another_machine_says_so(folder: SessionFolder) -> None:
    text = TARGET + PROBE.replace("machine", "command") + 'command = "true"\n'
    with pytest.raises(ConfigError, match="can't look at another machine"):
        watch_of(loaded(text), folder, {"web1": Away()})
    with pytest.raises(ConfigError, match="can't be looked at"):
        watch_of(loaded(TARGET + PROBE), folder, {"web1": object()})


class Away:
    """A machine to which there is no way."""

    name = "web1"

    def far(self, _name: str) -> Away:
        return self

    def ask(self, _script: str, *, deadline_s: float, most_bytes: int = 0) -> bytes:
        raise LinkDown("no connection yet", where="web1", mend="try ssh")


def watch_of(config: Config, folder: SessionFolder, adapters: Mapping[str, object]) -> Watch:
    return Watch(config, parse("# Nothing\n"), folder, adapters=adapters)


async def test_viewers_are_led_to_the_lines_that_were_fetched_and_told_why_there_are_none(
    folder: SessionFolder,
) -> None:
    watch = watch_of(loaded(TARGET + PROBE + TAIL), folder, {"web1": Away()})
    await watch.start()
    told = json.loads(folder.panel.read_text())["tails"][0]
    kept = Path(told["path"])
    await until(lambda: "no connection yet" in kept.read_text(), "why there are no lines")
    await until(folder.samples.exists, "samples")
    await until(lambda: all(f'"{name}"' in folder.samples.read_text() for name in ("cpu", "app")), "a sample of each")
    await watch.stop()

    assert (told["fetched"], kept.parent) == (True, folder.logs)
    samples = [json.loads(line) for line in folder.samples.read_text().split("\n") if line]
    assert {one["probe"]: one["level"] for one in samples} == {"cpu": "red", "app": "yellow"}
    assert {one["mend"] for one in samples} == {"try ssh"}
