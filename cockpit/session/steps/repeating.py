"""Commands that the engine runs several times by itself: how often, how far apart, and what the runs come to together.

Only what is provably read-only is repeated; one run of anything else says so and leaves the rest to a person.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.safety.verdict import Verdict
from cockpit.session.steps.checking import Finding, Result, check
from cockpit.session.steps.drafting import Draft
from cockpit.words import _

Next = Literal["again", "held", "not-held"]

_LOOPS = frozenset({"for_statement", "while_statement", "c_style_for_statement"})
_REPEATERS = frozenset({"watch", "xargs", "parallel", "ping", "ab", "hey", "wrk", "k6", "siege", "vegeta", "repeat"})
_NO_WORK = frozenset({"sleep", "echo", "printf", "wait", "true", ":"})


class Plan(Struct, frozen=True):
    """How often a command is run. `times` runs in a row must hold, begun `every_s` apart.

    Without `within_s` the first that does not hold is the end; with it they go on until so many in a row did, or the
    time is over. `in_a_row` False: the words may as well count lines of one output, and the first run tells which.
    """

    times: int = 1
    every_s: float = 0.0
    within_s: float | None = None
    in_a_row: bool = True

    @property
    def once(self) -> bool:
        """Whether there is nothing to repeat."""
        return self.times < 2 and self.within_s is None

    def next(self, tries: Sequence[bool], elapsed_s: float) -> Next:
        """What follows the tries so far.

        Args:
            tries: whether each held, in order; at least one.
            elapsed_s: since the first began.
        """
        in_a_row = next((n for n, held in enumerate(reversed(tries)) if not held), len(tries))
        if in_a_row >= self.times:
            return "held"
        if self.within_s is None:
            return "again" if tries[-1] else "not-held"
        return "again" if max(elapsed_s, len(tries) * self.every_s) <= self.within_s else "not-held"

    def as_json(self) -> dict[str, Any]:
        """For the record: `of` is 0 where the number of runs is not fixed."""
        of = self.times if self.within_s is None else 0
        return {"of": of, "times": self.times, "every_s": self.every_s, "within_s": self.within_s}


ONCE = Plan()


def plan_of(made: Draft) -> tuple[Plan, str]:
    """How a draft is to be run, and, where it asks to be repeated and is not, why not."""
    asking = [
        each for each in made.expectations if each.every_s is not None and each.kind is not ExpectationKind.MANUAL
    ]
    if not asking:
        return ONCE, ""
    plan = Plan(
        max(each.times for each in asking),
        max(each.every_s or 0.0 for each in asking),
        max((each.within_s for each in asking if each.within_s is not None), default=None),
        any(each.in_a_row for each in asking),
    )
    if plan.once:
        return ONCE, _("run once: the runbook names no end")
    if made.interactive or made.endless:
        return ONCE, _("run once: it does not end by itself")
    if made.judgement.verdict is not Verdict.READ_ONLY:
        return ONCE, _("run once: it is not provably read-only, so it is not repeated by itself")
    if plan.within_s is None and made.action.language == "bash" and repeats_itself(made.action.body):
        return ONCE, ""
    return plan, ""


def repeats_itself(script: str) -> bool:
    """Whether a shell script does what it does several times: in a loop, or written out."""
    from cockpit.session.filling.shell_place import tree_of

    waiting, commands = [tree_of(script.encode())], Counter[str]()
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        if node.type in _LOOPS:
            return True
        if node.type == "command":
            name = node.child_by_field_name("name")
            word = ((name.text if name else None) or b"").decode("utf-8", "replace").rsplit("/", 1)[-1]
            if word in _REPEATERS:
                return True
            commands[(node.text or b"").decode("utf-8", "replace")] += word not in _NO_WORK
    return any(count > 1 for count in commands.values())


def findings_of(
    plan: Plan, expectations: Sequence[Expectation], result: Result, *, first: bool, unrepeated: str
) -> tuple[tuple[Finding, ...], bool]:
    """One run's findings, and whether they settle the matter although the plan would go on.

    Args:
        first: it is the first of the plan's runs.
        unrepeated: why a run that should be repeated is not; "" where nothing asks for it.
    """
    if plan.once:
        return check(expectations, result, unrepeated=unrepeated), False
    if first and not plan.in_a_row:
        counted = check(expectations, result)
        asking = [f for e, f in _paired(expectations, counted) if e.times > 1]
        if all(finding.held for finding in asking):
            return counted, True
        if _is_a_list(expectations, result):
            why = _("perhaps one output should hold it so often: it was not repeated")
            return check(expectations, result, unrepeated=why), True
    return check([replace(each, times=1) for each in expectations], result), False


def _paired(expectations: Sequence[Expectation], findings: Sequence[Finding]) -> list[tuple[Expectation, Finding]]:
    """Each expectation with its finding; the unstated one on the exit code comes before them."""
    return list(zip(expectations, findings[len(findings) - len(expectations) :], strict=True))


def _is_a_list(expectations: Sequence[Expectation], result: Result) -> bool:
    """Whether some lines of the output hold what is asked for, and others do not: pods, rather than one answer."""
    lines = [line for line in result.output.split("\n") if line.strip()]
    asked = [each for each in expectations if each.times > 1 and each.kind is ExpectationKind.CONTAINS]
    holding = [line for line in lines if any(str(each.value) in line for each in asked)]
    return bool(holding) and len(holding) < len(lines)


def held(findings: Sequence[Finding]) -> bool | None:
    """Whether a run held: None when a person has to say about more than the questions that are asked at the end."""
    if any(finding.held is False for finding in findings):
        return False
    if any(finding.held is None and finding.kind != ExpectationKind.MANUAL for finding in findings):
        return None
    return True


def together(
    expectations: Sequence[Expectation], findings: Sequence[Finding], tries: Sequence[bool], *, held: bool
) -> tuple[Finding, ...]:
    """The findings of the last run in the light of all: what asked to be repeated holds as the plan came out."""
    told = _("{held} of {tries} runs held").format(held=sum(tries), tries=len(tries))
    asking = {each.text for each in expectations if each.every_s is not None}
    return tuple(
        dataclasses.replace(
            finding, held=finding.held and held, seen=f"{told}: {finding.seen}" if finding.seen else told
        )
        if finding.text in asking and finding.held is not None
        else finding
        for finding in findings
    )
