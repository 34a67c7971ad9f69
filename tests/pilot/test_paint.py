"""What really reaches a terminal: the program itself on a pseudo terminal, fed hostile text through every source.

A spectator follows a session folder that grows under it, as it does beside a live host, so every source of the screen
can be fed without a backend; the last story runs a real host with real probes, steps and tails.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.benchmarks.terminal import Terminal
from tests.hostile import RAW, TEXTS, Hostile, marked, offences, quoted

SIZES = [(80, 24), (200, 50)]
DEADLINE_S = 60.0
NUMBERED = tuple(enumerate(TEXTS))
# Narrow columns cut what does not fit.
LEAST_SEEN = 8
PANES = ("Steps  0/1", " Live ", "Timeline", "Contacts and notes")
T = TypeVar("T")
EVERYTHING = "".join(piece.text for piece in TEXTS)


class Growing:
    """A session folder that this test writes as a host would."""

    def __init__(self, root: Path, runbook: str) -> None:
        self.path = root / "INC-20260102-001"
        (self.path / "runs").mkdir(parents=True, mode=0o700)
        root.chmod(0o700)
        self.path.chmod(0o700)
        (self.path / "runbook.md").write_text(runbook, encoding="utf-8", errors="surrogatepass")
        self.log = root.parent / "app.log"
        self.log.touch()
        probes = [
            {"name": name, "kind": name, "title": f"{name}{EVERYTHING}"} for name in ("http", "pm2", "kubernetes")
        ]
        tails = [{"name": "app", "title": f"app{EVERYTHING}", "path": str(self.log)}]
        (self.path / "panel.json").write_text(json.dumps({"probes": probes, "tails": tails}))
        self._seq = 0
        self.tell("session.started", session=self.path.name, mode="live", user=EVERYTHING, environment=EVERYTHING)

    def tell(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self._write(
            "journal.jsonl", {"seq": self._seq, "boot": "b", "actor": "operator:" + EVERYTHING, "kind": kind}, data=data
        )

    def sample(self, probe: str, **given: Any) -> None:
        self._write("samples.jsonl", {"probe": probe, "kind": probe, "outcome": "data", "level": "red", **given})

    def run(self, number: int, output: bytes) -> None:
        """A command that is over, with its output."""
        folder = self.path / "runs" / f"{number:04d}"
        folder.mkdir(mode=0o700)
        (folder / "output").write_bytes(output)
        about = {"step": "first", "run": number}
        self.tell("step.intent", **about, command=EVERYTHING, target=EVERYTHING, verdict="read-only", language="bash")
        self.tell("step.started", **about)
        found = [{"kind": "contains", "text": EVERYTHING, "held": False, "seen": EVERYTHING}]
        ended = {"status": "failed", "exit_code": 1, "duration_s": 1.0, "reason": EVERYTHING, "expectations": found}
        self.tell("step.finished", **about, **ended)
        self.tell("recommendation.raised", rule="over", section="", text=f"run {number} is over", samples=[])

    def on_group(self, first: int, told: Sequence[str]) -> None:
        """A step on a group, of which every target failed with such words; one is called so, too."""
        group = {"name": EVERYTHING, "first": first, "of": len(told) + 1}
        names = [f"web-{number}" for number in range(len(told))] + [EVERYTHING]
        policy = {"targets": names, "at_once": 1, "stop_at_first_failure": False}
        for place, (name, text) in enumerate(zip(names, [*told, EVERYTHING], strict=True), 1):
            about = {"step": "first", "run": first + place - 1, "target": name}
            more = policy if place == 1 else {}
            self.tell(
                "step.intent", **about, command="true", verdict="read-only", group=group | more | {"place": place}
            )
            self.tell("target.finished", **about, status="failed", exit_code=1, told=text, expectations=[])
        self.tell("step.finished", step="first", status="failed", reason=EVERYTHING, group=group)

    def _write(self, name: str, record: dict[str, Any], **more: Any) -> None:
        now = {"t": "2026-01-02T03:04:05+00:00", "m": time.monotonic_ns()}
        with (self.path / name).open("a") as file:
            file.write(json.dumps({**record, **now, **more}) + "\n")


class Watched(Terminal):
    """The program on a terminal, and what is expected of it."""

    def sees(self, *texts: str) -> None:
        """All of these stand on the screen, soon; else the test fails, with the screen."""
        deadline = time.monotonic() + DEADLINE_S
        while missing := [text for text in texts if text not in self.text]:
            if self._next(deadline) is None:
                raise AssertionError(f"no {missing} on\n{self.text}")

    def goes_round(self) -> None:
        """Shows every pane, ending at the notes. Where there is room for all of them they are there already."""
        for title in PANES:
            if any(other not in self.text for other in PANES):
                self.press("tab")
            self.sees(title)

    def sent_besides(self) -> list[Any]:
        """What the terminal got besides text and the screen's own sequences."""
        self.settle()
        return list(offences(self.sent))


def runbook() -> str:
    """Every piece in every part of a document, four pieces to a section."""
    lines = [
        "---",
        f"title: {quoted('T' + EVERYTHING)}",
        f"owner: {quoted(EVERYTHING)}",
        "---",
        f"# T{EVERYTHING}",
    ]
    for number, group in enumerate(batched(NUMBERED, 4)):
        texts = [marked(n, piece.text) for n, piece in group]
        together = " ".join(texts)
        lines += ["", f"## S{number:02d} {together}", "", f"Words {together}", "", f"> Quoted {together}", ""]
        lines += [f"- item {together}", "", f"| {texts[0]} | x |", "|---|---|", f"| {together} | y |", ""]
        lines += [f"```bash {{name=s{number:02d}}}", *(f"true '{text}'" for text in texts), "```", ""]
        lines += [f"- [ ] check {together}", "", f"```text\noutput {together}\n```"]
    return "\n".join(lines) + "\n"


def batched(given: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    yield from (given[at : at + size] for at in range(0, len(given), size))


def seen(number: int, piece: Hostile, cells: int | None = None) -> str:
    return marked(number, piece.seen)[: cells and cells + 3]


def in_document(number: int, piece: Hostile) -> str:
    # What CommonMark makes of NUL.
    return seen(number, piece, LEAST_SEEN).replace("␀", "�")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    return folder


def following(growing: Growing, size: tuple[int, int]) -> Watched:
    command = [sys.executable, "-P", "-m", "cockpit.cli", "--lang", "en", "attach", growing.path.name, "--spectate"]
    return Watched(command, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_samples_notes_and_events_are_painted_as_text(state: Path, size: tuple[int, int]) -> None:
    growing = Growing(state, "# T\n\n```bash {name=first}\ntrue\n```\n")
    with following(growing, size) as screen:
        screen.sees("1/1")
        for group in batched(NUMBERED, 6):
            texts = [marked(n, piece.text) for n, piece in group]
            together = " ".join(texts)
            rows = [{"name": text, "status": text, "level": text, "namespace": text, "kind": text} for text in texts]
            readings = [{"name": text, "value": text, "unit": text, "level": "red", "bound": text} for text in texts]
            growing.sample("http", text=together, readings=readings)
            growing.sample("pm2", text=together, rows=rows)
            growing.sample("kubernetes", text=together, rows=rows)
            growing.sample("http", outcome="failed", text=together, error=together, mend=together)
            growing.sample(together, kind=together, text=together)
            for text in texts:
                growing.tell("note.added", text=text, step=None, by=text)
            for kind in ("warning.raised", "probe.changed", "target.changed", "severity.set", "approval.given"):
                growing.tell(kind, text=together, mend=together, probe=together, outcome="data", level=together,
                             target=together, severity=together, by=together)  # fmt: skip
            growing.tell("viewer.attached", viewer=together, user=together, origin=together, spectator=True)
            growing.tell("recommendation.raised", rule=together, section=together, text=together, samples=[])
            growing.tell("enforcement.found", target=together, by="tool", detail=together)
            growing.tell("message.prepared", step="first", text=together)
            screen.goes_round()
            screen.sees(*(seen(n, piece, LEAST_SEEN) for n, piece in group))
            screen.press("tab")
        growing.tell("session.ended", reason=EVERYTHING)
        screen.sees("THE SESSION IS OVER")
        assert screen.sent_besides() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_document_is_painted_as_text(state: Path, size: tuple[int, int]) -> None:
    growing = Growing(state, runbook())
    with following(growing, size) as screen:
        screen.sees("[1/")
        for number, group in enumerate(batched(NUMBERED, 4)):
            screen.sees(f"[{2 * number + 1}/", *(in_document(n, piece) for n, piece in group))
            screen.press("j")
            screen.sees(f"[{2 * number + 2}/")
            screen.press("j")
        screen.press(":")
        screen.sees("Commands and sections")
        screen.press("S03 Q")
        screen.sees("S03 Q12")
        assert screen.sent_besides() == []


@pytest.mark.parametrize("size", SIZES)
def test_outputs_and_followed_logs_are_painted_as_text(state: Path, size: tuple[int, int]) -> None:
    growing = Growing(state, "# T\n\n```bash {name=first}\ntrue\n```\n")
    lines = [(seen(n, piece), marked(n, piece.text).encode("utf-8", "surrogatepass")) for n, piece in NUMBERED]
    lines += [(f"R{n:02d}{shown}R", b"R%02d%bR" % (n, raw)) for n, (_name, raw, shown) in enumerate(RAW)]
    with following(growing, size) as screen:
        screen.sees("1/1")
        for number, group in enumerate(batched(lines, 15), 1):
            growing.run(number, b"".join(raw + b"\n" for _shown, raw in group) + b"unfinished" + group[-1][1])
            screen.sees(f"run {number} is over")
            screen.press("f")
            screen.sees("Esc back")
            screen.sees(*(shown.partition("\n")[0][: size[0] - 4] for shown, _raw in group))
            screen.press("escape")
            screen.sees("q leave")
        screen.press("l")
        for number, group in enumerate(batched(lines, 15), 1):
            with growing.log.open("ab") as log:
                log.write(b"".join(raw + b"\n" for _shown, raw in group) + b"end of %d\n" % number)
            screen.sees(*(shown.partition("\n")[0][: size[0] - 4] for shown, _raw in group), f"end of {number}")
        assert screen.sent_besides() == []


@pytest.mark.parametrize("size", SIZES)
def test_what_the_targets_of_a_group_say_is_painted_as_text(state: Path, size: tuple[int, int]) -> None:
    growing = Growing(state, "# T\n\n```bash {name=first}\ntrue\n```\n")
    with following(growing, size) as screen:
        screen.sees("1/1")
        for number, group in enumerate(batched(NUMBERED, 15)):
            growing.on_group(1 + 100 * number, [marked(n, piece.text) for n, piece in group])
            screen.sees(f"{len(group) + 1} failed")
            screen.press("f")
            screen.sees(*(seen(n, piece, LEAST_SEEN) for n, piece in group))
            screen.press("escape")
            screen.sees("q leave")
        assert screen.sent_besides() == []


LIVE = """---
title: Live
cockpit:
  cockpit: {environment: %(hostile)s}
---
# Live

```bash {name=prints}
cat output; ls names; cat output >&2
```

- [ ] check
"""
CONFIG = """
[[probe]]
name = "web"
kind = "http"
url = "http://127.0.0.1:%(port)d/health"
interval_s = 0.3
values = { said = "$.said" }

[[probe]]
name = "gone"
kind = "http"
url = "http://127.0.0.1:%(port)d/broken"
interval_s = 0.3

[[probe]]
name = "told"
kind = "command"
title = %(hostile)s
command = "cat output"
interval_s = 0.3

[[tail]]
name = "app"
title = %(hostile)s
path = %(log)s
interval_s = 0.3
"""


class Shouting(BaseHTTPRequestHandler):
    """Answers with hostile text wherever HTTP has room for it."""

    def do_GET(self) -> None:
        body = json.dumps({"said": EVERYTHING, "status": EVERYTHING}).encode()
        plain = EVERYTHING.encode().replace(b"\n", b"")
        if self.path == "/broken":
            self.wfile.write(b"HTTP/1.1 503 " + plain + b"\r\nx-reason: " + plain + b"\r\n\r\n" + plain)
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shouting)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(DEADLINE_S)


@pytest.fixture
def work(tmp_path: Path, state: Path, port: int) -> Iterator[Path]:
    """A folder to stand in, with files of hostile names and contents; the host that is started in it ends with it."""
    folder = tmp_path / "work"
    (folder / "names").mkdir(parents=True)
    for n, piece in NUMBERED:
        (folder / "names" / marked(n, piece.text).replace("\x00", "").replace("/", "-")).touch()
    lines = [marked(n, piece.text).encode() for n, piece in NUMBERED] + [raw for _name, raw, _seen in RAW]
    (folder / "output").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "app.log").write_bytes(b"first\n")
    told = {"hostile": quoted(EVERYTHING), "port": port, "log": json.dumps(str(folder / "app.log"))}
    (folder / "live.md").write_text(LIVE % told)
    (folder / "cockpit.toml").write_text(CONFIG % told)
    yield folder
    for host in state.glob("INC-*/host.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            os.kill(int(json.loads(host.read_bytes())["pid"]), signal.SIGTERM)


@pytest.mark.parametrize("size", SIZES)
def test_a_live_session_paints_nothing_but_text(work: Path, size: tuple[int, int]) -> None:
    command = [sys.executable, "-P", "-m", "cockpit.cli", "--lang", "en", "open", "live.md", "--config", "cockpit.toml"]
    with Watched(command, size=size, cwd=work) as screen:
        screen.sees("cat output", "read-only")
        with (work / "app.log").open("ab") as log:
            log.write((work / "output").read_bytes())
        screen.press("n")
        screen.sees("Cancel")
        screen.press(f"\x1b[200~{EVERYTHING} pasted\x1b[201~")
        screen.sees("␛[8;5mhidden")
        screen.press("escape")
        screen.sees("q leave")
        screen.press("enter")
        screen.sees("ended")
        screen.press("f")
        screen.sees("Esc back", marked(56, TEXTS[56].seen))
        screen.press("g")
        screen.sees(marked(0, TEXTS[0].seen))
        screen.press("escape")
        screen.sees("q leave")
        assert screen.sent_besides() == []
