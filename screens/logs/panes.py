"""The output of runs and the followed logs: heavier panes, made when there is first something to show."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.containers import Vertical

from cockpit.words import _
from screens.paint import clean
from screens.view import View

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from cockpit.monitor.logs.raw_tail import Start
    from cockpit.session.record.folder import SessionFolder
    from screens.feed import Source
    from screens.logs.output import OutputPane
    from screens.logs.pane import LogPane
    from screens.logs.source import LogSource


class Logs:
    """Makes and shows them on a screen. `output` and `followed` are None until then.

    Args:
        folder: the session's.
        source: says how the output of a run grows.
    """

    def __init__(self, screen: Screen[None], folder: SessionFolder, source: Source) -> None:
        self._screen = screen
        self._folder = folder
        self._source = source
        self.output: OutputPane | None = None
        self.followed: LogPane | None = None
        self._run: int | None = None
        self._secrets: Sequence[str] | None = None

    def show_output(self, view: View) -> None:
        """The output of the run that goes with the cursor."""
        run = view.shown_run()
        if run is None:
            return
        over = view.state.runs[run].finished_t is not None
        if run == self._run and self.output is not None:
            self.output.tell_over(over)
            return
        from screens.logs.output import OutputPane, source_of

        self._run = run
        source = source_of(self._folder.run(run), clean(view.run_title(run)), self._source.growth(run))
        if self.output is None:
            self.output = OutputPane((source,), id="output")
            self._screen.query_one("#centre", Vertical).mount(self.output)
        else:
            self.output.show(source)
        self.output.over = over

    @property
    def has_output(self) -> bool:
        """Whether there is an output to show."""
        return self._run is not None

    def start_over(self) -> None:
        """Another moment is told: what was shown of an output may not have come yet."""
        self._run = None

    async def open(self, tails: Sequence[Mapping[str, Any]]) -> bool:
        """The followed logs, ready to take keys; False when there are none."""
        if self.followed is None and tails:
            from screens.logs.pane import LogPane

            sources = [_source_of(tail) for tail in tails]
            self.followed = LogPane(sources, secrets=self._known_secrets(), id="logs")
            await self._screen.query_one("#centre", Vertical).mount(self.followed)
        return self.followed is not None

    async def open_kept(self, tails: Sequence[Mapping[str, Any]]) -> bool:
        """What the session kept of them; False when it kept nothing."""
        if self.followed is None and (sources := kept_sources(tails, self._folder)):
            from screens.logs.kept import KeptPane

            self.followed = KeptPane(sources, id="logs")
            await self._screen.query_one("#centre", Vertical).mount(self.followed)
        return self.followed is not None

    def _known_secrets(self) -> Sequence[str]:
        """The host's; until it has told them, or where there is none, those of the viewer's own environment."""
        from cockpit.safety.redaction.redactor import secrets_of_environment

        return secrets_of_environment(os.environ) if self._secrets is None else self._secrets

    def learn(self, secrets: Sequence[str]) -> None:
        """Mask these in followed logs."""
        self._secrets = secrets
        if self.followed is not None:
            self.followed.learn(secrets)

    def display(self, shown: frozenset[str]) -> None:
        """Show those of this layout."""
        if self.output is not None:
            self.output.display = "output" in shown
        if self.followed is not None:
            self.followed.display = "logs" in shown

    def holds(self, widget: Widget) -> bool:
        """Whether a widget lies in one of them."""
        return any(pane is not None and pane in widget.ancestors_with_self for pane in (self.output, self.followed))

    def focus(self, name: str) -> None:
        """Keys to one of them, or back to the screen."""
        pane = {"output": self.output, "logs": self.followed}.get(name)
        if pane is None:
            self._screen.set_focus(None)
        else:
            pane.on_focus()


def _source_of(tail: Mapping[str, Any]) -> LogSource:
    """A log of panel.json. Lines that the host fetched from another machine were cleaned by it."""
    from screens.logs.source import LogSource

    fetched = bool(tail.get("fetched"))
    start: Start = "beginning" if fetched else "end"
    return LogSource(
        tail.get("title") or tail["name"],
        Path(tail["path"]),
        start=start,
        redacted=fetched,
        filter=tail.get("filter", ""),
    )


def kept_sources(tails: Sequence[Mapping[str, Any]], folder: SessionFolder) -> list[LogSource]:
    """What the session's folder holds of the logs of panel.json, wherever that folder lies by now."""
    from screens.logs.source import LogSource

    found = []
    for tail in tails:
        title = tail.get("title") or tail["name"]
        kept = folder.logs / Path(f"{tail['name']}.lines" if tail.get("fetched") else f"{tail['name']}.log").name
        if not kept.is_file():
            continue
        told = title if tail.get("fetched") else _("{log}: warnings and worse").format(log=title)
        found.append(LogSource(told, kept, start="beginning", redacted=True))
    return found
