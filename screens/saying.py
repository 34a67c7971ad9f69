"""What a responder says rather than runs: ticks, answers, decisions, notes, messages, severity, mode, the end."""

from __future__ import annotations

from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING

from cockpit.errors import UsageError
from cockpit.runbook.model import StepKind
from cockpit.safety.permit import Mode
from cockpit.safety.text import sanitise
from cockpit.session.record.event import Status
from cockpit.session.record.fanout import questions_of
from cockpit.words import _
from screens.gates import proposal_of
from screens.masked import shown_code
from screens.paint import Line, line, pad, plain_rows, wrapped
from screens.rows import Row, first_command

if TYPE_CHECKING:
    from screens.moves import Moves
    from screens.view import View
    from screens.work import Work

SEVERITIES = ("P0", "P1", "P2", "P3")


class Saying:
    """The words that go into the record by a person's hand."""

    def __init__(self, main: Moves, work: Work) -> None:
        self._main = main
        self._work = work

    async def tick(self, row: Row) -> None:
        """A check holds; once more takes it back."""
        status = row.status(self._main.view.state)
        if status in (Status.PASSED, Status.FAILED):
            await self.reopen(row)
        else:
            await self._tick(row, True)

    async def _tick(self, row: Row, held: bool, reason: str = "") -> None:
        await self._main.feed.call("tick", **_of(row), held=held, reason=reason)

    async def reopen(self, row: Row) -> None:
        """Take a tick or a skip back."""
        if row.status(self._main.view.state) is Status.TODO:
            self._main.tell(_("there is nothing to take back"))
            return
        await self._main.feed.call("reopen", **_of(row), reason="")

    async def answer(self, row: Row) -> None:
        """Answer what a machine can't check; or say that a step was done, or did not hold."""
        if row.status(self._main.view.state) is Status.AWAITING:
            await self._answer_questions(row)
            return
        from screens.dialogs.sheet import Read

        by_hand = row.step.kind is StepKind.COMMAND
        shown = row.step.text or shown_code(row.code or "") or row.label
        proposed = [f"{proposal_of(self._main.view, row)}\n"] if proposal_of(self._main.view, row) else []
        title = _("Done by hand? {step}") if by_hand else _("Does it hold? {step}")
        taken = await self._main.ask(
            Read(
                self._main.view,
                title.format(step=row.label),
                partial(_text_rows, "\n".join([*proposed, shown]), ""),
                [("later", _("Later")), ("yes", _("Yes")), ("no", _("No"))],
                hint=_("left and right choose   Enter takes   Esc: later"),
            )
        )
        if taken in ("yes", "no"):
            reason = await self._reason(_("what was done?")) if by_hand else proposal_of(self._main.view, row)
            if reason is not None:
                await self._tick(row, taken == "yes", reason)

    async def gate(self, row: Row) -> None:
        """Have a gate's criteria watched; once they are, or where nothing can watch them, say whether it holds."""
        main = self._main
        state = main.view.state
        if row.step.id not in state.gates and row.status(state) is Status.TODO:
            try:
                await main.feed.call("watch_gate", step=row.step.id)
            except UsageError as error:
                main.tell(str(error))
            else:
                return
        await self.answer(row)

    async def _answer_questions(self, row: Row) -> None:
        from screens.dialogs.sheet import Read

        for question in questions_of(self._main.view.state, row.step.id):
            taken = await self._main.ask(
                Read(
                    self._main.view,
                    _("Does the output show this?"),
                    partial(_text_rows, f" {question}", "strong"),
                    [("later", _("Later")), ("yes", _("Yes")), ("no", _("No"))],
                    hint=_("left and right choose   Enter takes   Esc: later"),
                )
            )
            if taken not in ("yes", "no"):
                return
            await self._main.feed.call("answer", step=row.step.id, question=question, held=taken == "yes")

    async def decide(self, row: Row) -> None:
        """Go through a decision's items, and where they lead."""
        from screens.dialogs.decide import GO_ON, Decide

        main, step = self._main, row.step

        def say(question: str, held: bool) -> None:
            main.flow(self._say(step.id, question, held))

        way = await main.ask(Decide(main.view, step, main.view.state.step(step.id).answers, say))
        if way is None:
            return
        section = main.view.runbook.section(way)
        reason = _("went on here") if way == GO_ON or section is None else f"-> {section.title}"
        await self._tick(row, True, reason)
        if section is not None:
            main.go_to_section(way)

    async def _say(self, step: str, question: str, held: bool) -> None:
        await self._main.feed.call("answer", step=step, question=question, held=held)

    async def message(self, row: Row) -> None:
        """Fill, preview, copy and mark a message as sent."""
        from screens.dialogs.sheet import Read

        main = self._main
        if row.step.kind is not StepKind.MESSAGE:
            main.tell(_("this step has no message"))
            return
        while True:
            text, unfilled = self.message_text(row), self._unfilled(row)
            channels = self._channels()
            where = channels[0] if len(channels) == 1 else _("a channel")
            sending = [("send", _("Send to {name}").format(name=where))] if channels else []
            closing = [] if channels else [("close", _("Close"))]  # five do not fit side by side, and Esc does it too
            by_hand = [("copy", _("Copy")), ("fill", _("Fill in")), ("sent", _("It is sent")), *closing]
            taken = await main.ask(
                Read(
                    main.view,
                    row.label,
                    partial(_text_rows, text, ""),
                    [*sending, *by_hand],
                    hint=unfilled or ("" if sending else _("send it by hand; the record keeps this text")),
                    at=len(sending) + 1 if unfilled else 0,
                )
            )
            if taken == "send":
                channel = await self._channel(channels)
                if channel:
                    await self._work.run(row, target=channel)
                return
            if taken == "fill":
                await self._work.fill(row)
            elif taken == "copy":
                main.app.copy_to_clipboard(text)
                await main.feed.call("message", step=row.step.id, text=text, sent=False)
                main.tell(_("copied; paste it where it goes, then mark it as sent"))
            elif taken == "sent":
                await main.feed.call("message", step=row.step.id, text=text, sent=True)
                return
            else:
                return

    def _channels(self) -> tuple[str, ...]:
        """Where messages can be sent from here, in this mode."""
        main = self._main
        return () if main.view.mode == Mode.READ_ONLY else tuple(main.feed.hello.get("channels", ()))

    async def _channel(self, channels: tuple[str, ...]) -> str | None:
        """The one channel, or the one that is picked."""
        from screens.dialogs.pick import Option, Pick

        if len(channels) == 1:
            return channels[0]
        return await self._main.ask(Pick(self._main.view, _("Send to"), [Option(name, name) for name in channels]))

    def _unfilled(self, row: Row) -> str:
        """What a message still lacks, in a sentence; "" when it lacks nothing."""
        view = self._main.view
        names = [b.written for b in view.inputs_of(row) if b.default is None and b.name not in view.state.inputs]
        return _("still to fill: {names}").format(names=", ".join(names)) if names else ""

    def message_text(self, row: Row) -> str:
        """The template with the values that are known; secrets stay blanks."""
        from cockpit.session.filling.filling import announcement

        state = self._main.view.state
        used = [b for b in self._main.view.inputs_of(row) if not b.secret]
        return sanitise(announcement(row.step.text or "", used, state.inputs, rehearsal=state.rehearsal))

    async def skip(self, row: Row) -> None:
        """Leave a step out, with a reason."""
        reason = await self._reason(_("Skip: why?"))
        if reason:
            await self._main.feed.call("skip", **_of(row), reason=reason)

    async def note(self, row: Row | None) -> None:
        """Write something down."""
        text = await self._reason(_("Note"))
        if text:
            await self._main.feed.call("note", text=text, step=row.step.id if row else None)
            self._main.tell(_("noted"))

    async def _reason(self, title: str) -> str | None:
        from screens.dialogs.form import Field, Form

        given = await self._main.ask(Form(self._main.view, title, [Field("text", title)]))
        return given["text"] if given else None

    async def target(self) -> None:
        """Choose where steps run."""
        from screens.dialogs.pick import Option, Pick

        view = self._main.view
        # Those that can run the step under the cursor stand first.
        names = sorted(view.targets, key=lambda name: not self._speaks(name))
        options = [Option(name, name, self._target_hint(name)) for name in names]
        chosen = await self._main.ask(Pick(view, _("Where steps run"), options))
        if chosen and chosen != view.state.target:
            await self._main.feed.call("set_target", target=chosen)

    def _target_hint(self, name: str) -> str:
        """Whether it is the one of now, and in read-only mode who enforces that there."""
        state = self._main.view.state
        told = [_("now")] if name == state.target else []
        told += [] if self._speaks(name) else [_("not for this step")]
        if group := self._main.feed.hello.get("groups", {}).get(name):
            told += [", ".join(group["targets"]), group["manner"]]
        found = state.enforcement.get(name)
        if found and self._main.view.mode == "read-only":
            told.append(_("enforced by the server") if found["by"] == "server" else _("enforced by this tool only"))
            told.append(str(found.get("detail", "")))
        return ", ".join(filter(None, told))

    def _speaks(self, name: str) -> bool:
        """Whether a target, or each of a group, knows the language of the step under the cursor."""
        row, hello = self._main.view.row, self._main.feed.hello
        language = row.step.language if row is not None and row.step.kind is StepKind.COMMAND else None
        group, known = hello.get("groups", {}).get(name), hello.get("languages", {})
        names = group["targets"] if group else [name]
        return language is None or all(language in known.get(each, (language,)) for each in names)

    async def severity(self) -> None:
        """Set the severity, with a reason."""
        from screens.dialogs.pick import Option, Pick

        chosen = await self._main.ask(Pick(self._main.view, _("Severity"), [Option(s, s) for s in SEVERITIES]))
        reason = await self._reason(_("why?")) if chosen else None
        if chosen and reason is not None:
            await self._main.feed.call("set_severity", severity=chosen, reason=reason)

    async def mode(self) -> None:
        """Between read-write and read-only; a rehearsal stays one."""
        from screens.dialogs.pick import Option, Pick

        main = self._main
        if main.view.state.rehearsal:
            main.tell(_("a rehearsal stays a rehearsal"))
            return
        to = "live" if main.view.mode == "read-only" else "read-only"
        words = {"live": _("read-write: steps may change things, asked for one by one"), "read-only": _("read-only")}
        options = [Option("stay", _("leave it as it is")), Option(to, words[to])]
        if await main.ask(Pick(main.view, _("Mode"), options)) == to:
            await main.feed.call("set_mode", mode=to)

    async def leave(self) -> None:
        """Leave the screen. The session goes on unless its end is chosen."""
        from screens.dialogs.pick import Option, Pick

        main = self._main
        if main.view.state.ended_t or main.view.spectator or not main.feed.live or not main.feed.connected:
            main.app.exit(0)
            return
        running = [first_command(run.intent.get("command", "")) for run in main.view.state.running]
        says = [line((_(" still running: {command}").format(command=each), "warn")) for each in running]
        says += [line((_(" `cockpit attach` comes back to this session"), "dim"))]
        options = [
            Option("leave", _("Leave the screen"), _("the session goes on, and watches")),
            Option("end", _("End the session"), _("closes the record")),
            Option("stay", _("Stay")),
        ]
        taken = await main.ask(Pick(main.view, _("Leave?"), options, says=says))
        if taken == "leave":
            main.app.exit(0)
        elif taken == "end":
            await self.end()

    async def end(self) -> None:
        """End the session, with a word for the record."""
        from screens.dialogs.form import Field, Form

        main = self._main
        given = await main.ask(
            Form(main.view, _("End the session"), [Field("reason", _("how did it end?"), required=False)])
        )
        if given is not None:
            await main.feed.call("end", reason=given["reason"])
            main.app.exit(0)


def _of(row: Row) -> dict[str, str]:
    """What a word is about: a step, or one command of it."""
    return {"step": row.step.id, **({"part": row.part.id} if row.part else {})}


def _text_rows(text: str, style: str, width: int) -> list[Line]:
    return plain_rows(text, width - 1, style)


def rows_of_help(view: View, width: int) -> list[Line]:
    """Every key that does something for this viewer, and what it does."""
    from screens.keys import about, log_keys, offered

    told = [(key.shown, about(key.action)) for key in offered(view) if key.shown]
    told.append(("1-9", _("open a live panel by its number; 0: all of them")))
    told += [(keys, _("in outputs and logs: {what}").format(what=word)) for keys, word in log_keys()]
    indent = " " * 10
    return [
        Line(((pad(f" {keys}", 10), "key"), *row.spans[1:]) if first else row.spans)
        for keys, text in told
        for first, row in zip(
            chain([True], repeat(False)), wrapped([(text, "")], width - 1, first=indent, rest=indent), strict=False
        )
    ]
