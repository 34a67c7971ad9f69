from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from cockpit.monitor.logs.reader import LogReader
from screens.logs.lines import LogLines
from screens.logs.output import OutputPane, source_of
from screens.logs.pane import LogPane
from screens.logs.source import LogSource
from tests.waiting import until


class Logs(App[None]):
    """An app with nothing but the pane."""

    def __init__(self, pane: LogPane) -> None:
        super().__init__()
        self.pane = pane
        self.happened: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.query_one(LogLines).focus()

    def on_log_pane_happened(self, message: LogPane.Happened) -> None:
        self.happened.append(message.event.happening.value)


class Reader:
    """What a person sees and does."""

    def __init__(self, app: Logs, pilot: Pilot[None]) -> None:
        self.app = app
        self.pane = app.pane
        self.pilot = pilot

    @property
    def rows(self) -> list[str]:
        lines = self.pane.query_one(LogLines)
        return [lines.render_line(y).text.rstrip() for y in range(lines.size.height)]

    @property
    def shown(self) -> list[str]:
        """Rows below the title, without the two cells of the mark, empty ones left out."""
        return [row[2:] for row in self.rows[1:] if row]

    @property
    def title(self) -> str:
        return self.rows[0]

    async def sees(self, what: Callable[[], bool]) -> None:
        """Wait for it to be shown; fails the test if it never is."""
        await until(what, "to be shown")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


@asynccontextmanager
async def reading(pane: LogPane, size: tuple[int, int] = (120, 12)) -> AsyncIterator[Reader]:
    app = Logs(pane)
    async with app.run_test(size=size) as pilot:
        yield Reader(app, pilot)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(1000)))
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def pane_on(*paths: Path) -> LogPane:
    return LogPane([LogSource(path.name, path) for path in paths])


async def test_it_opens_at_the_end_and_follows(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        assert len(reader.shown) == 11
        append(log, "새 줄\n")
        await reader.sees(lambda: reader.shown[-1] == "새 줄")
        assert reader.pane.following
        assert "following" in reader.title


async def test_going_up_pauses_and_tells_how_many_lines_wait(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("up", "up")
        assert reader.shown[-1] == "line 997"
        assert not reader.pane.following
        append(log, "a\nb\nc\n")
        await reader.sees(lambda: "3 new lines" in reader.title)
        assert reader.shown[-1] == "line 997"
        await reader.press("G")
        assert reader.shown[-3:] == ["a", "b", "c"]
        assert reader.pane.following


async def test_going_down_to_the_end_follows_again(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("pageup")
        assert reader.shown[-1] == "line 989"
        await reader.press("pagedown")
        assert reader.pane.following


async def test_home_shows_the_first_line_of_the_file(log: Path) -> None:
    append(log, "x" * 200 + "\n" * 400_000)
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.pane._store.kept_lines > 0)
        await reader.press("g")
        await reader.sees(lambda: reader.shown[:1] == ["line 0"])
        assert reader.shown[:2] == ["line 0", "line 1"]


async def test_space_pauses_and_follows(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("space")
        append(log, "later\n")
        await reader.sees(lambda: "1 new line" in reader.title)
        assert reader.shown[-1] == "line 999"
        await reader.press("space")
        assert reader.shown[-1] == "later"


async def test_search_goes_to_older_matches_and_back(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("slash", *"E 5", "enter")
        await reader.sees(lambda: "no other match" in reader.title)
        await reader.press("slash", *"e 55", "enter")
        await reader.sees(lambda: "line 559" in reader.shown)
        await reader.press("n")
        await reader.sees(lambda: "line 558" in reader.shown[:5])
        await reader.press("N")
        await reader.sees(lambda: "line 559" in reader.shown[:5])
        await reader.press("escape")
        assert "line 559" in reader.shown


async def test_letters_typed_ahead_go_to_the_prompt(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        for key, character in (("slash", "/"), *((letter, letter) for letter in "gsw")):
            reader.app.post_message(events.Key(key, character))
        await reader.sees(lambda: reader.pane._prompt.value == "gsw")
        assert reader.pane.following


async def test_only_lines_with_a_text(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("f", *"77", "enter")
        assert reader.shown[-2:] == ["line 877", "line 977"]
        assert "77" in reader.title
        append(log, "line 77 again\nnot this\n")
        await reader.sees(lambda: reader.shown[-1] == "line 77 again")
        await reader.press("escape")
        assert reader.shown[-1] == "not this"


async def test_a_log_begins_with_its_own_filter_which_says_so_and_can_be_taken_back(log: Path) -> None:
    append(log, "10:00 ERROR boom\n10:01 all is well\n10:02 java.lang.Exception: no\n")
    other = log.with_name("other.log")
    other.write_text("one\ntwo\n")
    sources = [LogSource("app", log, filter="ERROR|Exception"), LogSource("other", other)]
    async with reading(LogPane(sources)) as reader:
        await reader.sees(lambda: reader.shown == ["10:00 ERROR boom", "10:02 java.lang.Exception: no"])
        assert "only “ERROR|Exception”, as configured" in reader.title
        await reader.press("right_square_bracket")
        await reader.sees(lambda: reader.shown == ["one", "two"])
        await reader.press("left_square_bracket")
        await reader.sees(lambda: len(reader.shown) == 2)
        await reader.press("escape")
        assert reader.shown[-2] == "10:01 all is well"
        assert "only" not in reader.title
        await reader.press("right_square_bracket", "left_square_bracket")
        await reader.sees(lambda: reader.shown[-2:-1] == ["10:01 all is well"])


async def test_the_operators_own_text_stays_from_log_to_log(log: Path) -> None:
    other = log.with_name("other.log")
    other.write_text("line 7\nline 77\n")
    async with reading(LogPane([LogSource("app", log, filter="99"), LogSource("other", other, filter="x")])) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("f", *"77", "enter", "right_square_bracket")
        await reader.sees(lambda: reader.shown == ["line 77"])
        assert "as configured" not in reader.title


async def test_only_errors_with_their_stack_traces_marked_by_letters(log: Path) -> None:
    append(log, "10:00 ERROR boom\n\tat a.B.c(B.java:1)\n10:01 WARN slow\n10:02 FATAL end\n10:03 INFO fine\n")
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.rows[-1] == "  10:03 INFO fine")
        marks = [row[:2] for row in reader.rows[-5:]]
        assert marks == ["E ", "| ", "W ", "F ", "  "]
        await reader.press("s", "s")
        assert reader.shown[-3:] == ["10:00 ERROR boom", "    at a.B.c(B.java:1)", "10:02 FATAL end"]


async def test_wide_characters_never_reach_beyond_the_edge(log: Path) -> None:
    append(log, "가나다라마바사아자차카타파하" * 20 + "\n")
    async with reading(pane_on(log), size=(41, 8)) as reader:
        await reader.sees(lambda: "가" in reader.rows[-1])
        for keys in ((), ("w",), ("right",), ("right", "left"), ("w",)):
            await reader.press(*keys)
            lines = reader.pane.query_one(LogLines)
            assert all(lines.render_line(y).cell_length == 41 for y in range(8))
            assert all(cell_len(row) <= 41 for row in reader.rows)


async def test_long_lines_are_folded_whole(log: Path) -> None:
    text = "abc-가나-" * 30
    append(log, text + "\n")
    async with reading(pane_on(log), size=(60, 20)) as reader:
        await reader.sees(lambda: "line 999" in reader.shown)
        folded = "".join(reader.shown[reader.shown.index("line 999") + 1 :])
        assert folded == text


async def test_untrusted_text_stays_text(log: Path) -> None:
    append(log, "[bold red]x[/] [@click=app.quit]y[/]\x1b]0;title\x07 \u202e end\n")
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: "[bold red]x[/] [@click=app.quit]y[/]" in "".join(reader.shown))
        assert "\x1b" not in reader.shown[-1]
        assert "\u202e" not in reader.shown[-1]


async def test_secrets_are_masked_before_they_are_seen(log: Path) -> None:
    append(log, "password=hunter2hunter2\nAuthorization: Bearer abcdef0123456789abcdef\n")
    async with reading(LogPane([LogSource("app", log)], secrets=["correcthorse"])) as reader:
        append(log, "login correcthorse ok\n")
        await reader.sees(lambda: "login" in "".join(reader.shown))
        assert not any(secret in row for row in reader.shown for secret in ("hunter2", "abcdef0123", "correcthorse"))


async def test_a_rotation_is_seen_where_it_happened(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        # In one step: between two, a poll might see that there is no file.
        log.with_suffix(".1").hardlink_to(log)
        append(log.with_suffix(".new"), "new file\n")
        log.with_suffix(".new").replace(log)
        await reader.sees(lambda: reader.shown[-1] == "new file")
        assert "rotated" in reader.shown[-2]
        await reader.sees(lambda: reader.app.happened == ["rotated"])


async def test_a_truncation_is_marked_as_doubtful(log: Path) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        os.truncate(log, 0)
        append(log, "anew\n")
        await reader.sees(lambda: reader.shown[-1] == "anew")
        assert "truncated" in reader.shown[-2]


async def test_a_missing_file_is_said_and_shown_once_it_comes(tmp_path: Path) -> None:
    missing = tmp_path / "later.log"
    async with reading(pane_on(missing)) as reader:
        await reader.sees(lambda: "no such file" in "".join(reader.rows))
        append(missing, "here\n")
        await reader.sees(lambda: reader.shown[-1] == "here")
        assert "can be read again" in "".join(reader.rows)


async def test_another_log_can_be_chosen(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.log"
    other.write_text("from the other\n")
    async with reading(pane_on(log, other)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        await reader.press("right_square_bracket")
        await reader.sees(lambda: reader.shown == ["from the other"])
        assert "other.log" in reader.title
        await reader.press("left_square_bracket")
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])


async def test_no_line_is_lost_or_repeated_while_many_come(log: Path) -> None:
    seen: list[int] = []
    async with reading(pane_on(log), size=(80, 40)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        for start in range(1000, 60_000, 1000):
            append(log, "".join(f"line {n}\n" for n in range(start, start + 1000)))
            await asyncio.sleep(0)
        await reader.sees(lambda: reader.shown[-1] == "line 59999")
        await reader.press("g")
        await reader.sees(lambda: reader.shown[0] == "line 0")
        store = reader.pane._store
        first = store.first()
        assert first
        for place in store.forward(first, reader.pane._view.sieve, float("inf")):
            seen.append(int(place.page.line(place.index).split()[1]))
        assert store.kept_lines <= 60_000
    assert seen == list(range(60_000))


def test_a_log_that_stands_still_wakes_nobody(log: Path) -> None:
    woken: list[bool] = []
    reader = LogReader(log, lambda: woken.append(True), start="end", provisional_s=1.0)
    for _ in range(50):
        reader._hand_over(reader._tail.poll().pieces)
    assert woken == [True]  # that it was opened


async def test_what_stays_the_same_is_not_painted_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: reader.shown[-1:] == ["line 999"])
        lines = reader.pane.query_one(LogLines)
        refreshed: list[tuple[Region, ...]] = []
        monkeypatch.setattr(lines, "refresh", lambda *regions, **_kwargs: refreshed.append(regions))
        lines.paint()
        assert refreshed == []
        await reader.press("space")  # the title changes, and nothing else
        ((title,),) = refreshed
        assert (title.y, title.height) == (0, 1)


async def test_a_run_is_shown_as_it_writes_each_byte_once(tmp_path: Path) -> None:
    run = tmp_path / "0007"
    run.mkdir()
    pane = OutputPane()
    async with reading(pane) as reader:
        pane.show(source_of(run, "step"))
        output = run / "output"
        append(output, "step 1\nPassword: ")
        await reader.sees(lambda: reader.shown == ["step 1", "Password:"])
        append(output, "\nprogress 10%\rprogress 100%")
        await reader.sees(lambda: "progress 100%" in reader.shown[-1])
        append(output, "\ndone\n")
        await reader.sees(lambda: reader.shown[-1] == "done")
        assert reader.shown[:2] == ["step 1", "Password:"]
        assert len(reader.shown) == 4


async def test_another_run_takes_the_place_of_the_first(tmp_path: Path) -> None:
    for name in ("0001", "0002"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "output").write_text(f"of {name}\n")
    pane = OutputPane()
    async with reading(pane) as reader:
        pane.show(source_of(tmp_path / "0001", "first"))
        await reader.sees(lambda: reader.shown == ["of 0001"])
        pane.show(source_of(tmp_path / "0002", "second"))
        await reader.sees(lambda: "of 0002" in reader.shown)
        assert reader.shown == ["of 0002"]


async def test_without_colours_severity_is_still_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    append(log, "10:00 ERROR boom\n")
    async with reading(pane_on(log)) as reader:
        await reader.sees(lambda: "10:00 ERROR boom" in reader.rows[-1])
        assert reader.rows[-1] == "E 10:00 ERROR boom"


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (20, 5), (400, 120)])
async def test_every_size_is_painted(log: Path, size: tuple[int, int]) -> None:
    append(log, "긴 줄 " * 100 + "\n")
    async with reading(pane_on(log), size=size) as reader:
        await reader.sees(lambda: reader.pane._store.kept_lines > 0)
        await reader.press("up", "w", "pageup", "g", "G")
        assert len(reader.rows) == size[1]
