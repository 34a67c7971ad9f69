"""A bastion that lacks something: a package, a tool, a credential, the network. Each costs what needs it and says how
to mend it; nothing else suffers. Kinds come from the registries, so that a new one is asked by its name."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level, Outcome
from tests.bastion import Bastion, kinds_of_probes, kinds_of_targets, of_the_network, said, stub
from tests.servers.misbehaving import misbehaving
from tests.servers.server import free_port

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {
    extra: re.split(r"[\[<>=!]", wanted[0])[0]
    for extra, wanted in _PROJECT["optional-dependencies"].items()
    if extra != "dev"
}
"""By its extra, the package that brings it."""
TOOLS = {
    "pm2": "pm2 jlist",
    "kubectl": "kubectl get pods",
    "helm": "helm list",
    "psql": "psql -c 'select 1'",
    "redis-cli": "redis-cli PING",
    "argocd": "argocd app list",
    "aws": "aws s3 ls",
    "gcloud": "gcloud run services list",
    "alembic": "alembic current",
}
"""By a tool's name, a step that needs it."""
NOWHERE = "COCKPIT_TEST_NOT_SET"


@pytest.fixture(scope="module")
def bastion(tmp_path_factory: pytest.TempPathFactory) -> Bastion:
    """Nobody listens where everything leads to."""
    return Bastion(tmp_path_factory.mktemp("bastion"), free_port())


@pytest.fixture(scope="module")
def whole(bastion: Bastion) -> dict[str, tuple[str, str]]:
    """What is wrong with each while every package is there."""
    return bastion.looked(bastion.config())


def test_what_can_not_be_reached_says_so_with_a_mend_and_costs_nothing_here(
    whole: dict[str, tuple[str, str]],
) -> None:
    assert {name for name, (trouble, _mend) in whole.items() if trouble} == of_the_network() - {"target ssh"}
    assert [name for name, (trouble, mend) in whole.items() if trouble and not mend] == []
    assert [name for name, (trouble, _mend) in whole.items() if "Error(" in trouble or "Traceback" in trouble] == []


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_a_package_that_is_missing_costs_what_needs_it_and_nothing_else(
    bastion: Bastion, whole: dict[str, tuple[str, str]], extra: str
) -> None:
    found = bastion.looked(bastion.config(), without=[EXTRAS[extra]])

    hit = {name for name, (trouble, _mend) in found.items() if "is not installed" in trouble}
    assert hit
    for name in hit:
        assert EXTRAS[extra] in found[name][0]
        assert found[name][1] == f"pip install 'incident-cockpit[{extra}]'"
    assert {name: found[name] for name in found if name not in hit} == {
        name: whole[name] for name in whole if name not in hit
    }


def test_the_doctor_of_a_bastion_without_any_package_still_tells_of_everything(bastion: Bastion) -> None:
    status, told = bastion.doctor(bastion.config(), without=EXTRAS.values())

    assert status == 1
    named = {f"probe {kind}" for kind in kinds_of_probes()} | {f"target {kind}" for kind in kinds_of_targets()}
    assert named <= set(told)
    assert {about for about in of_the_network() if told[about]["standing"] != "failed"} == set()
    assert [about for about in named if told[about]["standing"] == "failed" and not told[about]["mend"]] == []


def test_a_credential_that_is_missing_costs_what_signs_in_with_it(
    bastion: Bastion, whole: dict[str, tuple[str, str]]
) -> None:
    found = bastion.looked(bastion.config(token_env=NOWHERE))

    hit = {name for name, (trouble, _mend) in found.items() if NOWHERE in trouble}
    every: dict[str, Mapping[str, Any]] = {"probe": kinds_of_probes(), "target": kinds_of_targets()}
    wanted = {
        f"{what} {kind}"
        for what, kinds in every.items()
        for kind, options in kinds.items()
        if "token_env" in getattr(options, "__struct_fields__", ())
    }
    assert hit == wanted
    assert [name for name in hit if not found[name][1] and "token_env" not in found[name][0]] == []
    assert {name: found[name] for name in found if name not in hit} == {
        name: whole[name] for name in whole if name not in hit
    }


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield int(listener.getsockname()[1])


def test_everything_that_hangs_is_waited_for_at_once(silent: int, tmp_path: Path) -> None:
    bastion = Bastion(tmp_path, silent)

    # One after another they would take longer than `doctor` waits.
    assert len(of_the_network()) * 7 > 120
    status, told = bastion.doctor(bastion.config())

    assert status == 1
    assert {about for about in of_the_network() if told[about]["standing"] != "failed"} == set()
    assert [told[about] for about in of_the_network() if not told[about]["mend"]] == []
    assert {"probe machine", "probe command", "target local"} <= set(told)


# -- tools -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "status", "told"),
    [
        ("missing", 127, "a command is not there"),
        ("not executable", 126, "can't be started"),
        ("another version", 1, "unknown flag: --output"),
        ("garbage", 0, '{"garbage'),
    ],
)
def test_a_tool_that_can_not_be_used_costs_its_own_steps(
    tmp_path: Path, condition: str, status: int, told: str
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        if condition == "not executable":
            stub(tools, tool, "exit 0", 0o644)
        elif condition == "another version":
            stub(tools, tool, "echo 'unknown flag: --output' >&2; exit 1")
        elif condition == "garbage":
            stub(tools, tool, said('{"garbage'))
    steps = "\n".join(f"```bash {{id={tool}}}\n{step}\n# expected: fine\n```\n" for tool, step in TOOLS.items())
    (tmp_path / "book.md").write_text(f"# It\n\n{steps}\n```bash {{id=last}}\necho fine\n```\n")

    shells = tmp_path / "shells"
    shells.mkdir()
    for shell in ("bash", "sh"):
        (shells / shell).symlink_to(str(shutil.which(shell)))

    ended = {event["step"]: event for event in ran(tmp_path, path=f"{tools}:{shells}")}

    assert {ended[tool]["status"] for tool in TOOLS} == {"failed"}
    assert {ended[tool]["exit_code"] for tool in TOOLS} == {status}
    assert ended["last"]["status"] == "passed"
    for tool in TOOLS:
        seen = json.dumps(ended[tool]["expectations"], ensure_ascii=False)
        output = (tmp_path / ended[tool]["output"]).read_text()
        assert told in seen or told in output


def ran(folder: Path, *, path: str) -> list[dict[str, Any]]:
    """What `cockpit run` says of each step's end."""
    environment = {"HOME": str(folder), "LANG": "C.UTF-8", "PATH": path, "COCKPIT_STATE_DIR": str(folder / "state")}
    command = [sys.executable, "-m", "cockpit.cli", "run", "book.md", "--yes", "--keep-going", "--json"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    session = next((folder / "state").glob("INC-*"))
    ends = [event["data"] for event in events if event["kind"] == "step.finished"]
    return [{**end, "output": os.path.relpath(session / end["output"], folder)} for end in ends]


@pytest.mark.parametrize("body", [None, "exit 1", said('{"garbage'), said("[{}]"), said("pm2 5.0"), "sleep 60"])
async def test_a_pm2_that_can_not_be_used_costs_its_own_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None
) -> None:
    if body is not None:
        stub(tmp_path / "bin", "pm2", body)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    probes = [ProbeConfig(name="pm2", kind="pm2", options={"home": str(tmp_path)}, deadline_s=1.0)]
    probes += [ProbeConfig(name="cpu", kind="machine", deadline_s=30.0)]

    samples = [await build(probe, str).sample() for probe in probes]

    assert samples[0].outcome in (Outcome.NONE, Outcome.FAILED)
    assert samples[0].level is not Level.GREEN
    assert samples[0].mend
    assert samples[1].outcome is Outcome.DATA


# -- metrics that are no numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "value"),
    [
        ([], "no data"),
        (['{"metric":{},"value":[1,"NaN"]}'], "NaN"),
        (['{"metric":{},"value":[1,"+Inf"]}'], "+Inf"),
        (['{"metric":{},"value":[1,"-Inf"]}'], "-Inf"),
        (['{"metric":{},"value":[1,"1"]}'] * 1_000_000, "1000000 series, one is wanted"),
    ],
    ids=["empty", "NaN", "Inf", "-Inf", "a million series"],
)
async def test_a_metric_that_is_no_number_is_told_and_never_green(series: list[str], value: str) -> None:
    with misbehaving() as server:
        answer = f'{{"status":"success","data":{{"resultType":"vector","result":[{",".join(series)}]}}}}'
        server.says(answer.encode())
        options = {"url": server.url, "queries": {"errors": "sum(errors)"}}
        bounds = (parse_bound("errors > 5 red", "it"),)
        probe = build(
            ProbeConfig(name="it", kind="prometheus", options=options, deadline_s=300.0, thresholds=bounds), str
        )
        sample = await probe.sample()
        await probe.close()

    assert sample.readings[0].value == value
    assert sample.level is not Level.GREEN
    assert len(sample.text) < 400
