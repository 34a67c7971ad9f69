"""Whatever a document, an argument, a file name, the environment or a program holds, no command sends it raw."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.cli import main
from tests.hostile import RAW, TEXTS, in_text, offences, quoted

# A program's arguments can hold no NUL.
HOSTILE = "".join(piece.text for piece in TEXTS).replace("\x00", "") + "\ncockpit: forged\rgone"
NAME = HOSTILE.replace("/", "-").encode()[:120].decode("utf-8", "ignore") + "\n.md"
DOCUMENT = f"""---
title: {quoted("T" + HOSTILE)}
cockpit:
  cockpit: {{environment: {quoted(HOSTILE)}}}
---
# T{HOSTILE}

## Section {HOSTILE} (2 min)

Set `$NOT_SET` and <name-{HOSTILE}>.

```bash {{name=prints}}
cat output
# expected: {HOSTILE.splitlines()[0]}
```

```bash {{name={quoted(HOSTILE)}}}
true '{HOSTILE}'
```

- [ ] check {HOSTILE}

| {HOSTILE} | b |
|---|---|
| {HOSTILE} | c |

```kubernetes
get pods {HOSTILE}
```
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the document under a hostile name, and the output that its first step prints."""
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COCKPIT_USER_NOTE", HOSTILE)
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "plain.md").write_text("# T\n\n```bash {name=prints}\ncat output\n```\n")
    lines = [piece.text.encode() for piece in TEXTS] + [raw for _name, raw, _seen in RAW]
    (tmp_path / "output").write_bytes(b"\n".join(lines) + b"\nlast, without an end" + lines[0])
    return tmp_path


class Said:
    """What a command said: Saying, on both streams."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def harmless(self) -> Said:
        """Fails the test if it is not."""
        assert list(in_text((self.out + self.err).replace("\t", ""))) == []
        assert self.code in (0, 1, 2, 3)
        assert "defect" not in self.err
        return self


Saying = Callable[..., Said]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Saying:
    def run(*arguments: str) -> Said:
        capsys.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Said(code, *capsys.readouterr())

    return run


def session_of(desk: Path) -> str:
    return next(path.name for path in (desk / "state").iterdir() if path.name.startswith("INC-"))


@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_document_holds_is_printed_as_text(desk: Path, said: Saying, as_json: bool) -> None:
    more = ("--json",) if as_json else ()
    for arguments in (("show", NAME), ("lint", NAME), ("lint", "."), ("run", NAME, "--dry-run")):
        done = said(*arguments, *more).harmless()
        assert done.out or arguments[0] == "lint", done.err
        if as_json:
            [json.loads(each) for each in (done.out.splitlines() if "run" in arguments else [done.out])]


def test_a_run_its_report_and_its_record_are_printed_as_text(desk: Path, said: Saying) -> None:
    ran = said("run", NAME, "--yes", "--keep-going").harmless()
    assert "␛]52;c;ZXZpbA==␇" in ran.out
    name = session_of(desk)
    for arguments in (
        ("sessions",), ("verify", name), ("report", name), ("report", name, "--format", "json"),
        ("sessions", "--json"), ("verify", name, "--json"), ("export", name, "--output", f"{HOSTILE}/x.tar.gz"),
        ("report", name, "--output", f"{HOSTILE}/x"), ("attach", name), ("replay", name),
    ):  # fmt: skip
        said(*arguments).harmless()
    with (desk / "state" / name / "journal.jsonl").open("ab") as journal:
        journal.write(HOSTILE.encode() + b"\n")
    assert said("verify", name).harmless().code == 1
    said("report", name).harmless()
    events = said("run", NAME, "--yes", "--keep-going", "--json").harmless()
    assert [json.loads(line)["seq"] for line in events.out.splitlines()][:2] == [1, 2]


OURS = ("== prints  [read-only]  local", "-- prints: passed exit 0", "   ok exit code 0: 0", "$ echo", "> x", "", "|")


def test_a_program_can_print_no_line_that_looks_like_ours(desk: Path, said: Saying) -> None:
    (desk / "output").write_text("\n".join([*OURS, "50 %\r100 %", "cockpit: it failed", "end"]))
    lines = said("run", "plain.md").harmless().out.split("\n")
    printed = [line for line in lines if line.startswith("|")]
    assert printed == [*(f"| {each}".rstrip() for each in OURS), "| 100 % (↺1)", "| cockpit: it failed", "| end"]
    assert lines == ["", OURS[0], "$ cat output", *printed, OURS[2], OURS[1], ""]


def test_no_line_of_a_command_looks_like_ours(desk: Path, said: Saying) -> None:
    (desk / "two.md").write_text("# T\n\n```bash {name=here}\ncat <<'END'\n" + "\n".join(OURS[1:3]) + "\nEND\n```\n")
    for arguments in (("run", "two.md", "--yes"), ("run", "two.md", "--dry-run")):
        lines = said(*arguments).harmless().out.split("\n")
        begin = lines.index("$ cat <<'END'")
        assert lines[begin + 1 : begin + 4] == [*(f"> {each}" for each in OURS[1:3]), "> END"]
        assert OURS[1] not in lines


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", HOSTILE],
        ["lint", HOSTILE],
        ["run", HOSTILE],
        ["run", "plain.md", "--target", HOSTILE],
        ["run", "plain.md", "--section", HOSTILE],
        ["run", "plain.md", "--step", HOSTILE],
        ["run", "plain.md", "--set", HOSTILE],
        ["run", "plain.md", "--set", f"{HOSTILE}=x"],
        ["run", "plain.md", "--config", HOSTILE],
        ["run", "plain.md", f"--{HOSTILE}"],
        ["run", "plain.md", HOSTILE],
        ["--lang", HOSTILE, "sessions"],
        [f"--{HOSTILE}"],
        ["report", HOSTILE],
        ["report", "x", "--format", HOSTILE],
        ["verify", HOSTILE],
        ["export", HOSTILE, "--output", "x"],
        ["attach", HOSTILE],
        ["approve", HOSTILE],
        ["replay", HOSTILE],
        ["replay", "x", "--speed", HOSTILE],
        ["rehearse", HOSTILE],
        ["open", HOSTILE],
        ["watch", HOSTILE],
        ["verdict", "--language", HOSTILE, "x"],
    ],
    ids=lambda arguments: " ".join(arguments)[:24].encode("ascii", "replace").decode().replace("\x1b", "?"),
)
def test_wrong_usage_is_told_in_one_line(desk: Path, said: Saying, arguments: list[str]) -> None:
    done = said(*arguments).harmless()
    assert done.code == 2 or arguments[0] == "verdict"
    assert len(done.err.splitlines()) <= 1
    assert not done.err.startswith("cockpit: forged")


@pytest.mark.parametrize(
    "language", ["bash", "sql", "redis", "http", "powershell", "promql", "kubernetes", "helm", "argocd", "aws"]
)
def test_a_verdict_tells_of_the_command_without_sending_it(
    desk: Path, said: Saying, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [piece.text for piece in TEXTS] + [f"get {piece.text}" for piece in TEXTS] + [HOSTILE]
    for question in questions:
        said("verdict", "--language", language, question).harmless()
    batch = "".join(json.dumps({"language": language, "command": each}) + "\n" for each in questions)
    monkeypatch.setattr(sys, "stdin", io.StringIO(batch))
    done = said("verdict", "--batch").harmless()
    assert [json.loads(line)["command"] for line in done.out.splitlines()] == questions


@pytest.mark.parametrize(
    "text",
    [
        f"[{quoted(HOSTILE)}]\nx = 1\n",
        f"[[probe]]\nname = {quoted(HOSTILE)}\nkind = {quoted(HOSTILE)}\n",
        f'[[probe]]\nname = {quoted(HOSTILE)}\nkind = "http"\nurl = {quoted(HOSTILE)}\n',
        f"[target.{quoted(HOSTILE)}]\nkind = {quoted(HOSTILE)}\n",
        f'[target.x]\nkind = "ssh"\nhost = {quoted(HOSTILE)}\n{quoted(HOSTILE)} = 1\n',
        f"cockpit = {HOSTILE}",
        f"[cockpit]\nenvironment = {quoted(HOSTILE)}\n",
    ],
)
def test_what_is_wrong_with_a_configuration_is_told_as_text(desk: Path, said: Saying, text: str) -> None:
    (desk / "cockpit.toml").write_text(text, encoding="utf-8")
    for how in ("--dry-run", "--yes"):
        assert said("run", "plain.md", "--config", str(desk / "cockpit.toml"), how).harmless().code in (0, 1, 2)


@pytest.mark.parametrize("name", ["COCKPIT_CONFIG", "COCKPIT_STATE_DIR", "LANG", "TERM", "COCKPIT_THEME", "TZ", "USER"])
def test_the_environment_is_told_as_text(desk: Path, said: Saying, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, HOSTILE)
    for arguments in (["run", "plain.md", "--yes"], ["sessions"], ["open", "plain.md"], ["show", "plain.md"]):
        assert said(*arguments).harmless().code in (0, 1, 2)


def test_what_is_looked_for_is_found_when_it_is_there() -> None:
    controls = [piece for piece in TEXTS if piece.seen != piece.text]
    assert len(controls) > 40
    for piece in controls:
        sent = piece.text.encode("utf-8")
        assert list(in_text(piece.text)) or piece.name == "conceal", piece.name
        assert piece.text == "\x07" or list(offences(b"\x1b[0mbefore" + sent + b"after\x1b[1;1H")), piece.name
