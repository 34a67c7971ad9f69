"""From a step of the runbook to a judged draft of what would run: filled, judged, and placed on the ladder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cockpit.config.names import LOCAL
from cockpit.errors import UsageError
from cockpit.runbook.expectations.repetition import lasting_s
from cockpit.runbook.inputs.omissions import omission_in
from cockpit.runbook.model import Expectation, Input, Part, Runbook, Step, StepKind
from cockpit.safety.permit import GRAVITY, Action, Mode, Rung, Spread, required_rung
from cockpit.safety.verdict import Judgement, Verdict
from cockpit.session.filling.filling import Filled, fill, fill_text, spelling
from cockpit.words import _


@dataclass(frozen=True, slots=True)
class Draft:
    """What would run, before anyone said yes.

    `original` is the author's text when `code` was edited; `omission` the line where the author, whose text it still
    is, left something out ("..."). `each` are the drafts for the targets of a group, in their order, where the action's
    target is one; `manner` is how they follow each other. Its `values` tell of each target where they differ.
    """

    step: Step
    part: Part | None
    action: Action
    judgement: Judgement
    missing: tuple[str, ...]
    values: Mapping[str, str]
    original: str | None
    rung: Rung
    omission: str | None = None
    undo: str = ""
    manner: str = ""
    each: tuple[Draft, ...] = ()

    @property
    def spread(self) -> Spread:
        """What each target of the group is asked to do. Of the draft for a group only."""
        return Spread(self.action.target, self.manner, tuple(made.action for made in self.each))

    @property
    def sha256(self) -> str:
        """The identity of what would run: what a confirmation names."""
        return self.spread.sha256 if self.each else self.action.sha256

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What must come back."""
        return self.part.expectations if self.part else self.step.expectations

    @property
    def interactive(self) -> bool:
        """Whether it needs a real terminal."""
        return self.part.interactive if self.part else self.step.interactive

    @property
    def endless(self) -> bool:
        """Whether it runs until stopped."""
        return self.part.endless if self.part else self.step.endless

    @property
    def lasts_s(self) -> float | None:
        """How long the author wants what never ends by itself to go on, in seconds; None where nobody says."""
        if self.interactive or not self.endless:
            return None
        piece = self.part or self.step
        return lasting_s(piece.label, piece.code or "")

    @property
    def inside(self) -> str | None:
        """The session it is meant to run inside, if an earlier command opened one."""
        return self.part.inside if self.part else self.step.inside


def draft(
    runbook: Runbook,
    step_id: str,
    *,
    part_id: str | None = None,
    code: str | None = None,
    target: str,
    mode: Mode,
    values: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> Draft:
    """The draft of a command step, of one of its parts, or of an edited text in its place.

    Args:
        values: of inputs, by name.
        environment: what the command's other variables will be, so that it is judged as it will run; None when that
            is not known, and then a variable nobody assigned is taken for one word of data.

    Raises:
        UsageError: no such step or part, not a command, or a value that can't stand in its place.
    """
    from cockpit.safety.judge import judge

    step = command_step(runbook, step_id)
    part = _part(step, part_id)
    written = part.code if part else (step.code or "")
    text = code if code is not None else written
    language = step.language or "bash"
    blanks = _blanks(runbook, step, part, text)
    filled = fill(text, language, blanks, values)
    action = Action(language, filled.body, target, filled.environment)
    judgement = _judge_blank(filled) or judge(
        language, filled.body, values=None if environment is None else {**environment, **filled.environment}
    )
    judgement = _with_what_is_typed(judgement, part.interactive if part else step.interactive)
    edited = text.strip() != written.strip()
    result = Draft(
        step=step,
        part=part,
        action=action,
        judgement=judgement,
        missing=filled.missing,
        values={b.name: values.get(b.name, b.default or "") for b in blanks if b.name not in filled.missing},
        original=written if edited else None,
        rung=required_rung(judgement, mode),
        omission=None if edited else omission_in(text, language),
        undo="" if judgement.verdict is Verdict.READ_ONLY else _way_back(runbook, step, part, values),
    )
    return result if _is_there(runbook, result, target, values) else _raise_for_inside(result)


def _is_there(runbook: Runbook, result: Draft, target: str, values: Mapping[str, str]) -> bool:
    """Where the document leaves open which machine its `ssh` goes to, that is the one that was chosen as the target."""
    if target == LOCAL or not result.inside:
        return False
    names = [blank.name for blank in runbook.inputs]
    return any(blank.name not in values for blank in used_inputs(runbook.inputs, result.inside, names))


def _blanks(runbook: Runbook, step: Step, part: Part | None, text: str) -> tuple[Input, ...]:
    return used_inputs(runbook.inputs, text, part.inputs if part and part.inputs else step.inputs)


def filled_text(
    runbook: Runbook, step_id: str, part_id: str | None, code: str | None, values: Mapping[str, str]
) -> str:
    """What a step would be with the values there are; "" where one can't stand in its place, which `draft` then says.

    Raises:
        UsageError: no such step or part, or not a command.
    """
    step = command_step(runbook, step_id)
    part = _part(step, part_id)
    text = code if code is not None else part.code if part else (step.code or "")
    try:
        return fill(text, step.language or "bash", _blanks(runbook, step, part, text), values).body
    except UsageError:
        return ""


def doubted(made: Draft, mode: Mode) -> Draft:
    """The draft of what its backend would not run as something that only reads: a person has to decide."""
    judgement = Judgement(Verdict.UNKNOWN, (_("the backend found that it may change things"),), made.judgement.tags)
    return replace(made, judgement=judgement, rung=required_rung(judgement, mode))


def drafts_together(group: str, manner: str, each: Sequence[Draft]) -> Draft:
    """The draft of one command for every target of a group, judged as the gravest of them.

    Raises:
        UsageError: it is not the same text everywhere.
    """
    first, gravest = each[0], max(each, key=lambda made: _gravity(made.judgement.verdict, made.rung))
    odd = next((made for made in each if made.action.body != first.action.body), None)
    if odd is not None:
        raise UsageError(
            _("it would be another command on {target} than on {first}").format(
                target=odd.action.target, first=first.action.target
            ),
            mend=_("fill in its inputs (i), or choose one of these targets"),
        )
    return replace(
        gravest,
        action=Action(first.action.language, first.action.body, group, first.action.values),
        missing=tuple(dict.fromkeys(name for made in each for name in made.missing)),
        values={name: _told_value(name, each) for name in first.values},
        undo=first.undo,
        manner=manner,
        each=tuple(each),
    )


def _gravity(verdict: Verdict, rung: Rung) -> tuple[int, int]:
    return tuple(Rung).index(rung), GRAVITY.index(verdict)


def _told_value(name: str, each: Sequence[Draft]) -> str:
    values = {made.values.get(name, "") for made in each}
    if len(values) == 1:
        return values.pop()
    return "; ".join(f"{made.action.target}: {made.values.get(name, '')}" for made in each)


def _judge_blank(filled: Filled) -> Judgement | None:
    if not filled.missing:
        return None
    return Judgement(Verdict.UNKNOWN, (_("inputs are missing: {names}").format(names=", ".join(filled.missing)),))


def _with_what_is_typed(judgement: Judgement, interactive: bool) -> Judgement:
    """A program that has the terminal does what is typed into it (`top` kills, `less` starts shells): not proven."""
    if not interactive or judgement.verdict is not Verdict.READ_ONLY:
        return judgement
    reasons = (_("what is typed into it is not judged"), *judgement.reasons)
    return Judgement(Verdict.UNKNOWN, reasons, judgement.tags, judgement.commands)


def _raise_for_inside(result: Draft) -> Draft:
    """A command meant for the far side of an `ssh` above it never runs here without a question."""
    if not result.inside or result.rung is not Rung.NONE:
        return result
    return replace(result, rung=Rung.CONFIRM)


def _way_back(runbook: Runbook, step: Step, part: Part | None, values: Mapping[str, str]) -> str:
    undo = (part.undo if part else "") or step.undo
    return fill_text(undo, [blank for blank in runbook.inputs if blank.style != "dollar"], values) if undo else ""


def require_whole(made: Draft) -> None:
    """Refuse a command in which the author left something out.

    Raises:
        UsageError: says where.
    """
    if made.omission is not None:
        raise UsageError(
            _("something is left out of this command"), where=made.omission, mend=_("edit it and write that in")
        )


def command_step(runbook: Runbook, step_id: str) -> Step:
    """The command step of that id.

    Raises:
        UsageError: there is none, or it is of another kind.
    """
    step = runbook.step(step_id)
    if step is None:
        raise UsageError(_("no step {step}").format(step=step_id), mend=_("`cockpit show` lists the steps"))
    if step.kind is not StepKind.COMMAND or step.code is None:
        raise UsageError(_("the step {step} is not a command").format(step=step_id), mend=_("tick it instead"))
    return step


def _part(step: Step, part_id: str | None) -> Part | None:
    if part_id is None:
        return None
    for part in step.parts:
        if part.id == part_id:
            return part
    raise UsageError(_("the step {step} has no part {part}").format(step=step.id, part=part_id))


def used_inputs(inputs: Sequence[Input], text: str, names: Sequence[str]) -> tuple[Input, ...]:
    """The inputs of those names that this text really holds: an edit may have dropped or pasted one."""
    return tuple(blank for blank in inputs if _holds(text, blank, names))


def _holds(text: str, blank: Input, names: Sequence[str]) -> bool:
    if blank.style == "dollar":
        return re.search(rf"\$\{{?{re.escape(blank.name)}\b", text) is not None and blank.name in names
    return blank.name in names and any(spelling(form).search(text) for form in blank.forms)
