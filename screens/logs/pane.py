"""Logs as they grow: following, going back, searching, sieving; and the output of a run the same way.

`LogPane` shows one of its sources at a time. Reading is a thread's work (`LogReader`), keeping a store's (`LineStore`),
choosing rows a view's (`LogView`), painting a widget's (`LogLines`); this one joins them and answers keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive

from cockpit.monitor.logs.cleaning import Cleaning
from cockpit.monitor.logs.line_store import LineStore
from cockpit.monitor.logs.page import Sieve
from cockpit.monitor.logs.raw_tail import TailEvent
from cockpit.monitor.logs.reader import LogReader, Opened
from cockpit.monitor.logs.search import Direction, Search
from cockpit.monitor.logs.severity import Severity
from cockpit.words import _, plural
from screens.logs.lines import LogLines
from screens.logs.prompt import LogPrompt, Purpose
from screens.logs.source import LogSource
from screens.logs.view import LogView
from screens.paint import Line, line, spread

_SIDEWAYS_CELLS = 20
_LEVELS = (Severity.NONE, Severity.WARN, Severity.ERROR)


def _bound(keys: str, action: str, about: str, *, at_once: bool = False) -> Binding:
    # `at_once`: acted upon before the keys typed after it are given to whoever has the focus then.
    return Binding(keys, action, about, show=False, priority=at_once)


class LogPane(Vertical):
    """Follows one of several logs.

    Args:
        sources: the logs; the first one is shown when the pane is mounted.
        secrets: exact values to mask, besides everything that looks like a secret.
    """

    DEFAULT_CSS = """
    LogPane { height: 1fr; width: 1fr; }
    """
    # Letters stand beside those that the same key gives in a two-set Korean layout.
    BINDINGS: ClassVar[list[BindingType]] = [
        _bound("up,k,ㅏ", "move(-1)", _("up")),
        _bound("down,j,ㅓ", "move(1)", _("down")),
        _bound("pageup,ctrl+b", "page(-1)", _("a page up")),
        _bound("pagedown,ctrl+f", "page(1)", _("a page down")),
        _bound("home,g", "home", _("oldest line")),
        _bound("end,G", "follow", _("newest line, and follow")),
        _bound("space", "pause", _("pause or follow")),
        _bound("left,h,ㅗ", "sideways(-1)", _("left")),
        _bound("right", "sideways(1)", _("right")),
        _bound("slash", "ask_search", _("search"), at_once=True),
        _bound("n,ㅜ", "search_on(-1)", _("next older match")),
        _bound("N,f3", "search_on(1)", _("next newer match")),
        _bound("f,ㄹ", "ask_sieve", _("show only lines with a text"), at_once=True),
        _bound("escape", "take_back", _("take back the prompt, the search, the text"), at_once=True),
        _bound("s,ㄴ", "severity", _("all lines, warnings and worse, errors")),
        _bound("w,ㅈ", "wrap", _("wrap long lines")),
        _bound("right_square_bracket", "source(1)", _("next log")),
        _bound("left_square_bracket", "source(-1)", _("previous log")),
    ]

    following: reactive[bool] = reactive(True, repaint=False)
    status_text: reactive[str] = reactive("", repaint=False)

    class StateChanged(Message):
        """`following` or `status_text` is another one."""

        def __init__(self, pane: LogPane) -> None:
            super().__init__()
            self.pane = pane

    class Happened(Message):
        """Something happened to the file that is shown."""

        def __init__(self, pane: LogPane, source: LogSource, event: TailEvent) -> None:
            super().__init__()
            self.pane = pane
            self.source = source
            self.event = event

    class Arrived(Message, bubble=False):
        """The reader has something."""

    def __init__(
        self,
        sources: Sequence[LogSource] = (),
        *,
        secrets: Iterable[str] = (),
        id: str | None = None,  # noqa: A002  # Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.sources = tuple(sources)
        self.source: LogSource | None = None
        self._secrets = tuple(secrets)
        self._reader: LogReader | None = None
        self._store = LineStore()
        self._view = LogView(self._store, Cleaning())
        self._search: Search | None = None
        self._sieve: Sieve | None = None
        """What the operator sieves by, in every log; None as long as each log's own filter counts."""
        self._notice = ""
        self._lines = LogLines(self._compose_rows)
        self._prompt = LogPrompt()

    # -- what to show ------------------------------------------------------------------------------------------------

    def show(self, source: LogSource) -> None:
        """Follow this log from now on, through its own filter. What was typed to search or sieve by stays."""
        self._let_go()
        former, self.source = self._view, source
        cleaning = Cleaning(self._secrets, redacted=source.redacted)
        self._store = LineStore(cleaning.anew())
        self._view = LogView(self._store, cleaning)
        self._view.sieve = Sieve(source.filter) if self._sieve is None else self._sieve
        self._view.needle, self._view.wrap = former.needle, former.wrap
        self._notice = ""
        self._reader = LogReader(
            source.path,
            self._tell_arrived,
            start=source.start,
            provisional_s=source.provisional_s,
            growth=source.growth,
        )
        self._reader.start()
        self._changed()

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these too, from now on."""
        self._secrets = tuple(secrets)
        if self.source and not self.source.redacted:
            cleaning = Cleaning(self._secrets)
            self._store.learn(cleaning.anew())
            self._view.learn(cleaning)
            self._changed()

    def compose(self) -> ComposeResult:
        """The lines, and below them a line to type in."""
        yield self._lines
        yield self._prompt

    def on_mount(self) -> None:
        """Begin with the first source."""
        if self.sources and self.source is None:
            self.show(self.sources[0])

    def on_unmount(self) -> None:
        """Stop reading."""
        self._let_go()

    def on_focus(self) -> None:
        """The lines take the keys."""
        self._lines.focus()

    def on_log_pane_arrived(self) -> None:
        """Take what the reader has, and paint when it is time."""
        if self._reader is None or self.source is None:
            return
        opened = False
        for piece in self._reader.take():
            if isinstance(piece, Opened):
                self._store.attach(piece.file, piece.offset)
                opened = True
                continue
            if isinstance(piece, TailEvent):
                if not self.worth_showing(piece):
                    continue
                self.post_message(self.Happened(self, self.source, piece))
            self._store.add(piece)
        if opened and self._view.sieve:
            self._store.fill()
        self._view.provisional = self._reader.provisional
        self._lines.paint_soon()

    def worth_showing(self, event: TailEvent) -> bool:
        """Whether an event of the file is to be seen among its lines."""
        return True

    def _tell_arrived(self) -> None:
        # In the reader's thread: the one call that may come from there.
        self.post_message(self.Arrived())

    def _let_go(self) -> None:
        self._search = None
        if self._reader:
            self._reader.stop()
            self._reader = None
        self._store.close()

    # -- painting ----------------------------------------------------------------------------------------------------

    def _compose_rows(self, width: int, height: int) -> list[Line]:
        rows = self._view.rows(width, height - 1)
        self.following = self._view.following
        self.status_text = self._status()
        if self._view.unfinished:
            self.call_later(self._lines.paint_soon)
        bar = "bar-active" if self._lines.has_focus else "bar"
        name = self.source.name if self.source else ""
        return [spread(line(" ", (name, "strong"), row=bar), line(self.status_text + " "), width), *rows]

    def _status(self) -> str:
        parts = [self._notice] if self._notice else []
        if self._search and not self._search.done:
            share = self._store.share(self._search.at)
            parts.append(_("searching {share}").format(share=f"{share:.0%}" if share is not None else "…"))
        sieve = self._view.sieve
        if sieve.text:
            only = _("only “{text}”") if self._sieve is not None else _("only “{text}”, as configured (Esc: all)")
            parts.append(only.format(text=sieve.text))
        if sieve.least > Severity.NONE:
            parts.append(_("warnings and worse") if sieve.least is Severity.WARN else _("errors and worse"))
        if sieve:
            parts.append(_("of the last {count} lines").format(count=f"{self._store.kept_lines:,}"))
        if self._view.left:
            parts.append(f"→{self._view.left}")
        parts.append(self._position())
        return " · ".join(parts)

    def at_end(self) -> str:
        """What standing at the end is called."""
        return _("following")

    def _position(self) -> str:
        if self._view.following:
            return self.at_end()
        waiting = self._view.waiting_lines
        new = plural("{count} new line", "{count} new lines", waiting).format(count=f"{waiting:,}")
        share = self._store.share(self._view.bottom) if self._view.bottom else None
        return " · ".join(
            filter(None, (_("paused"), new if waiting else "", f"{share:.0%}" if share is not None else ""))
        )

    def _changed(self) -> None:
        self._lines.paint()

    def watch_following(self) -> None:
        """Tell the screen."""
        self.post_message(self.StateChanged(self))

    def watch_status_text(self) -> None:
        """Tell the screen."""
        self.post_message(self.StateChanged(self))

    @property
    def _rows(self) -> int:
        return max(1, self._lines.size.height - 1)

    # -- keys --------------------------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Up or down by rows."""
        self._view.move(rows, self._lines.size.width, self._rows)
        self._changed()

    def action_page(self, pages: int) -> None:
        """Up or down by pages, one row of which stays."""
        self.action_move(pages * max(1, self._rows - 1))

    def action_home(self) -> None:
        """To the oldest line that can be reached."""
        self._view.home()
        self._changed()

    def action_follow(self) -> None:
        """To the end, and stay there."""
        self._view.follow()
        self._changed()

    def action_pause(self) -> None:
        """Stop where one is, or follow again."""
        if self._view.following:
            self._view.pause()
        else:
            self._view.follow()
        self._changed()

    def action_sideways(self, steps: int) -> None:
        """Left or right, where lines are longer than the screen is wide."""
        self._view.left = max(0, self._view.left + steps * _SIDEWAYS_CELLS)
        self._changed()

    def action_wrap(self) -> None:
        """Fold long lines, or cut them."""
        self._view.wrap = not self._view.wraps(self._lines.size.width)
        self._view.left = 0
        self._changed()

    def action_source(self, step: int) -> None:
        """The next log, or the one before."""
        if self.sources and self.source:
            here = self.sources.index(self.source) if self.source in self.sources else 0
            self.show(self.sources[(here + step) % len(self.sources)])

    def action_severity(self) -> None:
        """All lines, then warnings and worse, then errors."""
        level = _LEVELS[(_LEVELS.index(self._view.sieve.least) + 1) % len(_LEVELS)]
        self._sieve_by(Sieve(self._view.sieve.text, level))

    def action_ask_sieve(self) -> None:
        """Ask which text lines must hold."""
        self._prompt.ask(Purpose.SIEVE, self._view.sieve.text)

    def action_ask_search(self) -> None:
        """Ask what to look for."""
        self._prompt.ask(Purpose.SEARCH, self._view.needle)

    def action_search_on(self, direction: int) -> None:
        """The next match, older or newer."""
        start = self._search.found if self._search and self._search.found else self._view.bottom
        if self._view.needle and start:
            self._search = Search(self._store, self._view.needle, start, Direction(direction), self._view.sieve)
            self._notice = ""
            self._search_step()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters belong to the prompt while it is open; Escape to others while there is nothing for it."""
        if action in ("ask_search", "ask_sieve"):
            return self.screen.focused is not self._prompt
        return self._something_to_take_back() if action == "take_back" else True

    def on_input_submitted(self, submitted: LogPrompt.Submitted) -> None:
        """A text was typed."""
        submitted.stop()
        text, purpose = submitted.value, self._prompt.purpose
        self._close_prompt()
        if purpose is Purpose.SIEVE:
            self._sieve_by(Sieve(text, self._view.sieve.least))
            return
        self._view.needle, self._search = text, None
        self.action_search_on(Direction.OLDER.value)
        self._changed()

    def action_take_back(self) -> None:
        """The prompt, a search under way, what was searched, the sieve: the first of them that there is."""
        if self._prompt.display:
            self._close_prompt()
        elif self._search and not self._search.done:
            self._search = None
        elif self._view.needle:
            self._view.needle, self._search, self._notice = "", None, ""
        else:
            self._view.sieve = self._sieve = Sieve()
        self._changed()

    def _something_to_take_back(self) -> bool:
        searching = self._search is not None and not self._search.done
        return self._prompt.display or searching or bool(self._view.needle) or bool(self._view.sieve)

    def _close_prompt(self) -> None:
        self._prompt.display = False
        self.screen.set_focus(self._lines)

    def _sieve_by(self, sieve: Sieve) -> None:
        self._view.sieve = self._sieve = sieve
        if sieve:
            self._store.fill()
        self._changed()

    def _search_step(self) -> None:
        search = self._search
        if search is None:
            return
        search.step()
        if not search.done:
            self.call_later(self._search_step)
            self._lines.paint_soon()
            return
        if search.found:
            self._view.reveal(search.found, self._lines.size.width, self._rows)
        else:
            self._notice = _("no other match")
            self._search = None
        self._changed()
