"""The report: what the record holds and nothing more, with nothing in it that a renderer would act upon."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cockpit.report import FORMATS
from cockpit.report.facts import StepTitle, facts_of, seconds_between
from cockpit.report.markdown import render
from cockpit.report.wording import duration
from cockpit.runbook.reading import read
from cockpit.session.record.event import Event
from cockpit.session.record.folder import SessionFolder
from cockpit.session.record.journal import Journal
from cockpit.session.record.state import SessionState, fold

RUNBOOK = """# P0 rollback

## Look

```bash
uptime
```

## Mend

```bash
./rollback.sh
```
"""
NASTY = (
    "</td><script>alert(1)</script> [x](javascript:y) ![i](http://e/x.png) | **b** `c` \n# head\n- item\x1b[31m\u202e"
)


class Story:
    """Events of one session, written into a real journal."""

    def __init__(self, root: Path) -> None:
        self.folder = SessionFolder.create(root, datetime(2026, 11, 21, tzinfo=UTC))
        self.folder.runbook.write_text(RUNBOOK, encoding="utf-8")
        document = read(self.folder.runbook)
        self.steps = [step.id for step in document.steps]
        self.journal = Journal.open(self.folder)
        about = {"title": document.title, "path": "/srv/p0.md", "sha256": document.sha256, "language": "en"}
        self.tell("session.started", "host", session=self.folder.name, runbook=about, mode="live", user="kim")

    def tell(self, kind: str, actor: str = "operator:kim", **data: Any) -> None:
        self.journal.append(kind, data, actor=actor)

    def run(self, step: int, output: bytes = b"fine\n", *, run: int = 1, **more: Any) -> None:
        intent = {"step": self.steps[step], "run": run, "command": "uptime", "language": "bash", "target": "local"}
        self.tell("step.intent", **intent | {"verdict": "read-only"} | more.pop("intent", {}))
        self.folder.run(run).mkdir()
        (self.folder.run(run) / "output").write_bytes(output)
        evidence = {
            "output": f"runs/{run:04d}/output",
            "output_bytes": len(output),
            "output_sha256": hashlib.sha256(output).hexdigest(),
        }
        end = {"step": self.steps[step], "run": run, "status": "passed", "exit_code": 0, "duration_s": 1.25}
        self.tell("step.finished", "host", **end | evidence | more)

    def report(self) -> str:
        self.journal.close()
        return render(self.folder)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    told = Story(tmp_path)
    yield told
    told.journal.close()


def shown(markdown: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(markdown))


def test_each_step_is_told_with_its_command_result_and_evidence(story: Story) -> None:
    story.run(0, b"load 0.1\n")

    report = story.report()

    assert "### uptime" in report
    assert "```bash\nuptime\n```" in report
    assert "passed (exit 0)" in report
    assert "1.25 s" in report
    assert "```\nload 0.1\n```" in report
    assert hashlib.sha256(b"load 0.1\n").hexdigest() in report


def test_the_head_of_the_journal_and_its_verification_are_printed(story: Story) -> None:
    story.run(0)
    head = story.journal.head[1]
    report = story.report()
    (story.folder.run(1) / "output").write_bytes(b"forged")

    assert head in report
    assert "NOT WHOLE" not in report
    assert "NOT WHOLE" in render(story.folder)


def test_what_was_skipped_edited_and_done_by_hand_is_told_with_its_reason(story: Story) -> None:
    story.run(0, intent={"original": "uptime -p", "command": "uptime", "difference": "-uptime -p\n+uptime"})
    story.tell("step.finished", step=story.steps[1], status="skipped", reason="already rolled back")
    deviations = story.report().partition("## Deviations")[2].partition("## Steps")[0]

    assert "Skipped: ./rollback.sh `rollback-sh-542444` (operator:kim): already rolled back" in deviations
    assert "Edited before it ran: uptime" in deviations
    assert "```diff\n-uptime -p\n+uptime\n```" in render(story.folder)


def test_the_runs_of_a_repeated_step_are_one_attempt_with_a_row_and_evidence_each(story: Story) -> None:
    for number in (1, 2, 3):
        told = {"number": number, "of": 3, "first": 1, "times": 3, "every_s": 2.0, "within_s": None}
        intent: dict[str, Any] = {"step": story.steps[0], "run": number, "command": "uptime", "verdict": "read-only"}
        story.tell("step.intent", **intent, repetition=told)
        kind = "step.finished" if number == 3 else "step.repeated"
        finding = {"kind": "contains", "text": "UP", "held": True, "seen": f"UP {number}"}
        more = {"repetitions": {"held": 3, "tries": 3, "duration_s": 4.5}} if number == 3 else {}
        end = {"step": story.steps[0], "run": number, "status": "passed", "exit_code": 0, "duration_s": 0.1, **more}
        story.tell(kind, "host", **end, expectations=[finding])
    text = story.report()
    assert text.count("#### Attempt") == 1
    assert [f"| {n} |" in text and f"| UP {n} | `runs/{n:04d}/output`" in text for n in (1, 2, 3)] == [True] * 3
    timeline = text.split("## Timeline")[1].split("##")[0]
    assert timeline.count("is run on") == 1
    assert "3 of 3 runs held, after 4.50 s" in timeline


def test_the_way_back_is_told_with_the_attempt(story: Story) -> None:
    story.run(1, intent={"undo": "helm rollback api 7"})
    assert "| Way back | `helm rollback api 7` |" in story.report()


def test_a_command_done_by_hand_is_a_deviation(story: Story) -> None:
    story.tell("step.finished", step=story.steps[1], status="passed", reason="in the console", by_hand=True)

    assert "Done by hand: ./rollback.sh `rollback-sh-542444` (operator:kim): in the console" in story.report()


def test_what_only_people_know_is_left_to_fill_in(story: Story) -> None:
    report = story.report()

    for blank in ("severity", "root cause", "who was affected, how, for how long"):
        assert f"TO FILL: {blank}]" in report
    assert "Nothing was done." in report


def test_nothing_from_outside_becomes_markup(story: Story) -> None:
    story.tell("severity.set", severity="P0", reason=NASTY)
    story.tell("note.added", text=NASTY, step=None, by=NASTY)
    story.run(
        0,
        NASTY.encode() + b"```\n~~~\n" + b"`" * 7 + b"\n<script>x</script>\n",
        intent={"command": f"echo '```'\n{NASTY}", "language": "bash\n# x", "cwd": NASTY, "inputs": {"A": NASTY}},
        expectations=[{"kind": "contains", "text": NASTY, "held": True, "seen": NASTY}],
        reason=NASTY,
    )
    story.tell("step.finished", step=story.steps[1], status="skipped", reason=NASTY)

    report = story.report()

    html = shown(report)
    assert not [tag for tag in ("<script", "<img", "<a ", "javascript:y&quot;", "<h1>head", "<strong>b") if tag in html]
    assert "\x1b" not in report
    assert "\u202e" not in report
    assert html.count("<h3>") == 2


def test_evidence_keeps_its_blank_lines(story: Story) -> None:
    story.run(0, b"a\n\n\n\n\nb\n")

    assert "```\na\n\n\n\n\nb\n```" in story.report()


def test_of_a_long_output_the_end_is_shown(story: Story) -> None:
    story.run(0, b"".join(b"line %d\n" % n for n in range(100_000)))

    report = story.report()

    assert "The last lines of the output" in report
    assert "line 99999" in report
    assert "line 99000\n" not in report
    assert len(report) < 10_000


def test_gaps_in_the_record_are_owned_up_to(story: Story) -> None:
    story.journal.close()
    with story.folder.journal.open("ab") as file:
        file.write(b'{"v":1,')
    Journal.open(story.folder).close()

    assert "7 bytes set aside" in render(story.folder)


def test_a_session_whose_runbook_is_gone_is_still_told(story: Story) -> None:
    story.run(0)
    story.folder.runbook.unlink()

    report = story.report()

    assert f"### {story.steps[0]}".replace("_", "\\_") in report
    assert "runbook.md" in report


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders(story: Story, name: str) -> None:
    story.run(0)
    story.journal.close()
    module, _colon, function = FORMATS[name].partition(":")

    text = getattr(import_module(module), function)(story.folder, None)

    assert story.folder.name in text


def test_the_page_shows_evidence_as_text_and_loads_nothing(story: Story) -> None:
    story.run(0, b"<script>alert(1)</script> &amp; <img src=http://evil>\n")
    story.journal.close()
    module, _colon, function = FORMATS["html"].partition(":")

    page = getattr(import_module(module), function)(story.folder, "en")

    assert '<html lang="en">' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; &lt;img src=http://evil&gt;" in page
    assert not re.search(r"<(script|img|link|iframe|form)|\s(src|href|on\w+)=[\"']", page)
    assert page.count("<h2>") == story.report().count("\n## ")


def test_json_holds_the_facts(story: Story) -> None:
    story.run(0, b"out\n")
    story.journal.close()
    module, _colon, function = FORMATS["json"].partition(":")

    told = json.loads(getattr(import_module(module), function)(story.folder))

    [step] = told["facts"]["steps"]
    assert (step["step"], step["status"]) == (story.steps[0], "passed")
    assert step["attempts"][0]["command"] == "uptime"
    assert told["verification"]["ok"] is True
    assert told["tails"]["1"]["text"] == "out"


def event(seq: int, kind: str, boot: str = "one", *, wall_s: float = 0, m_s: float = 0, **data: Any) -> Event:
    t = (datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=wall_s)).isoformat(timespec="microseconds")
    return Event(seq, t, int(m_s * 1e9), boot, "operator:kim", kind, data)


def test_durations_are_monotonic_whatever_the_wall_clock_does() -> None:
    first = event(1, "a", wall_s=0, m_s=100)
    jumped = event(2, "b", wall_s=-86_400, m_s=103.5)
    rebooted = event(3, "c", "two", wall_s=60, m_s=1)

    assert seconds_between(first, jumped) == 3.5
    assert seconds_between(first, rebooted) == 60


def test_steps_come_in_the_runbooks_order_and_attempts_in_their_own() -> None:
    intents = [("b", 1), ("a", 2), ("b", 3), ("extra", 4)]
    events = [event(1, "session.started", session="S")]
    for step, run in intents:
        events.append(event(run * 2, "step.intent", step=step, run=run, command=f"{step}{run}"))
        events.append(event(run * 2 + 1, "step.finished", step=step, run=run, status="failed"))
    titles = {name: StepTitle(name.upper(), "command", "") for name in ("a", "b", "c")}

    facts = facts_of(events, reduce(fold, events, SessionState()), titles, (9, "ff"))

    assert [step.step for step in facts.steps] == ["a", "b", "extra"]
    assert [(run.run, run.number) for run in facts.steps[1].attempts] == [(1, 1), (3, 2)]
    assert [step.step for step in facts.off_runbook] == ["extra"]


def test_a_block_s_commands_are_told_one_by_one_with_what_was_left_out(story: Story, tmp_path: Path) -> None:
    text = "# Doc\n\n```bash\n# Look\nuptime\n\n# Sign in\nssh far-away\n```\n"
    story.folder.runbook.write_text(text, encoding="utf-8")
    step = read(story.folder.runbook).steps[0]
    look, sign_in = (part.id for part in step.parts)
    about: dict[str, Any] = {"step": step.id, "run": 1, "part": look}
    story.tell("step.intent", **about, command="uptime", language="bash", target="local", verdict="read-only")
    story.tell("step.finished", "host", **about, status="passed", step_status="todo", exit_code=0, duration_s=1.0)
    left_out: dict[str, Any] = {
        "part": sign_in,
        "status": "skipped",
        "step_status": "passed",
        "reason": "already there",
    }
    story.tell("step.finished", step=step.id, **left_out)

    report = story.report()

    assert f"Skipped: Sign in `{sign_in}` (operator:kim): already there" in report
    assert "“Look” is run on local" in report
    assert "“Sign in”: skipped. already there" in report


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.254, "0.25 s"), (12.34, "12.3 s"), (245, "4 min 05 s"), (3725, "1 h 02 min"), (59.99, "60.0 s")],
)
def test_durations_read_well(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
