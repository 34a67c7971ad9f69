"""What a Markdown document means to a responder. Values only: frozen, no Markdown library in sight.

Lines are 1-based in the file as it stands on disk. Text is as written; screens sanitise what they show.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field


class StepKind(StrEnum):
    """What a step asks of the responder."""

    COMMAND = "command"
    CHECK = "check"
    DECISION = "decision"
    MESSAGE = "message"
    GATE = "gate"
    NOTE = "note"


class ExpectationKind(StrEnum):
    """How a step's result is held against what the author wrote."""

    EXIT = "exit"
    CONTAINS = "contains"
    REGEX = "regex"
    JSON = "json"
    NUMBER = "number"
    STATUS = "status"
    FIGURE = "figure"
    MANUAL = "manual"


class Phase(StrEnum):
    """What a section is for, from the words of its heading; NEUTRAL when no word says."""

    NEUTRAL = "neutral"
    MEANING = "meaning"
    IMPACT = "impact"
    PREREQUISITES = "prerequisites"
    DIAGNOSIS = "diagnosis"
    FIX = "fix"
    VERIFY = "verify"
    ROLLBACK = "rollback"
    TROUBLESHOOTING = "troubleshooting"
    CONTACTS = "contacts"
    REFERENCE = "reference"


class Problem(Struct, frozen=True):
    """Something the reader or the linter noticed. `code` is stable and kebab-case: "unclosed-fence"."""

    line: int
    code: str
    message: str
    hint: str = ""


class Link(Struct, frozen=True):
    """A link as written, and the section of this document it jumps to (None: another file, a URL, or dangling)."""

    text: str
    target: str
    section: str | None = None


class Expectation(Struct, frozen=True):
    """What must come back.

    `value` by kind: exit int; contains str; regex str; json {"path": "$.status", "equals": any};
    number {"operator": "<", "bound": float, "unit": str, "label": str}; status (of an HTTP answer) a list of codes,
    "404" or "2xx"; figure {"name": "revision", "equals": str} of what a known tool prints; manual the question to ask.
    `times` counts how often it must hold: in a run after another where `in_a_row` says so ("5번 모두"), else ("x3",
    "3 times") perhaps in one output. The runs begin `every_s` apart; with `within_s` they go on until it has held so
    often in a row, or the time is over. `absent` turns contains and regex around ("no new ERROR"). `text` is the
    author's sentence, `line` where it stands.
    """

    kind: ExpectationKind
    value: Any
    times: int = 1
    text: str = ""
    line: int = 0
    absent: bool = False
    every_s: float | None = None
    within_s: float | None = None
    in_a_row: bool = False


class Input(Struct, frozen=True):
    """A blank to fill: asked once a session and remembered.

    `written` is the spelling in the document ("[이전_버전]", "$DB_HOST", "<pod-name>"), `style` one of dollar, angle,
    square, brace, literal ("your-server-ip", XXXX); `default` None means it has none; `steps` use it;
    `help` is what the document says about it nearby. A secret is never shown, stored or put into argv.
    `spellings` are the forms it is written in when there are several ("{{ a }}" and "{{a}}"), `written` among them.
    """

    name: str
    written: str
    style: str
    default: str | None = None
    secret: bool = False
    steps: tuple[str, ...] = ()
    help: str = ""
    spellings: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Every form it is written in, the longest first: a shorter one may be a part of it."""
        return tuple(sorted(self.spellings or (self.written,), key=len, reverse=True))


def joined(name: str) -> str:
    """A name without regard to what joins its words: "pod name", "pod_name" and "pod-name" are one."""
    return "-".join(name.replace("_", " ").replace("-", " ").split())


class Item(Struct, frozen=True):
    """One line of a checklist inside a decision."""

    text: str
    line: int
    checked: bool = False


class Part(Struct, frozen=True):
    """One command of a step's block, with the comments above it: what runs when the block is run one by one.

    `id` is the step's id and a number ("disk-1a2b3c.2"). `line` and `end_line` are the first and the last line in the
    file. `alternative` ones are "or" ways to the same end: running all of them is not what the author meant.
    """

    id: str
    label: str
    line: int
    end_line: int
    code: str
    expectations: tuple[Expectation, ...] = ()
    interactive: bool = False
    endless: bool = False
    sample_output: str | None = None
    inputs: tuple[str, ...] = ()
    inside: str | None = None
    alternative: bool = False
    undo: str = ""


class Step(Struct, frozen=True):
    """One thing to do.

    `id` survives text inserted above it. `code` is the exact text to run with prompts stripped (None unless a
    command); `label` is the short line a step list shows. `items` are a decision's checks, with `any_of` how many
    must hold (1 = any, 0 = all). `inside` names the session an earlier command opened ("ssh ec2-user@host").
    `endless` commands (tail -f, watch, top) run until stopped; `interactive` ones need a real terminal.
    `parts` are the commands of a block that holds several, in order; empty when it holds one. `undo` is the command
    that the document names as the way back.
    """

    id: str
    section: str
    line: int
    end_line: int
    kind: StepKind
    label: str
    language: str | None = None
    code: str | None = None
    text: str | None = None
    inputs: tuple[str, ...] = ()
    sample_output: str | None = None
    expectations: tuple[Expectation, ...] = ()
    interactive: bool = False
    endless: bool = False
    links: tuple[Link, ...] = ()
    items: tuple[Item, ...] = ()
    any_of: int = 0
    inside: str | None = None
    warning: str | None = None
    timeout_s: float | None = None
    parts: tuple[Part, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    undo: str = ""


class Section(Struct, frozen=True):
    """A heading and what stands below it. `id` is the GitHub anchor."""

    id: str
    title: str
    level: int
    line: int
    budget_s: int | None = None
    severity: str | None = None
    phase: Phase = Phase.NEUTRAL
    parent: str | None = None


class Contact(Struct, frozen=True):
    """A row of a contacts table: the role, and every other column under its heading as written."""

    role: str
    fields: Mapping[str, str]
    section: str
    line: int


class StatedThreshold(Struct, frozen=True):
    """A bound the document states ("에러율 > 1.0%"), with its operator, unit and sentence.

    `level` is red, yellow, green, or a severity such as P0.
    """

    metric: str
    operator: str
    bound: float
    unit: str
    level: str
    text: str
    section: str
    line: int
    times_in_a_row: int = 1


class Symptom(Struct, frozen=True):
    """A troubleshooting section, and the texts whose appearance in an output suggests it."""

    section: str
    texts: tuple[str, ...]
    line: int


class Passage(Struct, frozen=True):
    """A stretch of the document for the screen to paint, in order, none left out.

    `kind`: heading, paragraph, item, code, output, table, quote, rule, html, front-matter. `depth` is the list or
    quote nesting. `spans` are (text, style) pairs with newlines inside, style "" | strong | em | code | link;
    code and tables have one plain span. `step` is the step whose main text this is, if any.
    """

    kind: str
    line: int
    end_line: int
    spans: tuple[tuple[str, str], ...]
    depth: int = 0
    level: int = 0
    step: str | None = None
    marker: str = ""


class Runbook(Struct, frozen=True):
    """A document, read. `sha256` is of the bytes on disk; `text` is decoded, with line ends as \\n."""

    title: str
    path: str
    language: str
    text: str
    sha256: str
    front_matter: Mapping[str, Any]
    sections: tuple[Section, ...]
    steps: tuple[Step, ...]
    inputs: tuple[Input, ...]
    contacts: tuple[Contact, ...] = ()
    thresholds: tuple[StatedThreshold, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    passages: tuple[Passage, ...] = ()
    problems: tuple[Problem, ...] = ()

    def step(self, step_id: str) -> Step | None:
        """The step of that id, or None."""
        return next((step for step in self.steps if step.id == step_id), None)

    def input(self, name: str) -> Input | None:
        """The input of that name, whichever way it is joined ("pod name" is "pod-name"), or None."""
        exact = next((blank for blank in self.inputs if blank.name == name), None)
        return exact or next((blank for blank in self.inputs if joined(blank.name) == joined(name)), None)

    def section(self, section_id: str) -> Section | None:
        """The section of that anchor, or None."""
        return next((section for section in self.sections if section.id == section_id), None)
