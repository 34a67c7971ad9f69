"""Steps while they are being read: mutable, without ids; `finished` turns them into the model's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cockpit.runbook.expectations.statuses import of_answers
from cockpit.runbook.identity import Ids
from cockpit.runbook.model import Expectation, Item, Link, Part, Section, Step, StepKind


@dataclass(slots=True, eq=False)
class PartDraft:
    """One command of a block."""

    label: str
    line: int
    end_line: int
    code: str
    expectations: tuple[Expectation, ...] = ()
    interactive: bool = False
    endless: bool = False
    sample: str | None = None
    inputs: tuple[str, ...] = ()
    inside: str | None = None
    alternative: bool = False
    undo: str = ""


@dataclass(slots=True, eq=False)
class Draft:
    """A step without its id. `hint` makes the id readable; `block` is the index of the block it comes from."""

    kind: StepKind
    section: Section | None
    line: int
    end_line: int
    label: str
    block: int
    hint: str = ""
    language: str | None = None
    code: str | None = None
    text: str | None = None
    sample: str | None = None
    expectations: list[Expectation] = field(default_factory=list)
    parts: list[PartDraft] = field(default_factory=list)
    interactive: bool = False
    endless: bool = False
    links: tuple[Link, ...] = ()
    items: tuple[Item, ...] = ()
    any_of: int = 0
    inside: str | None = None
    warning: str | None = None
    timeout_s: float | None = None
    inputs: tuple[str, ...] = ()
    undo: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def answer(self, text: str) -> None:
        """Take a block of sample output; a second one is appended."""
        self.sample = text if self.sample is None else f"{self.sample}\n{text}"

    def finished(self, ids: Ids) -> Step:
        """The step, with an id."""
        step_id = self._id(ids)
        return Step(
            id=step_id,
            section=self.section.id if self.section else "",
            line=self.line,
            end_line=self.end_line,
            kind=self.kind,
            label=self.label,
            language=self.language,
            code=self.code,
            text=self.text,
            inputs=self.inputs,
            sample_output=self.sample,
            expectations=self._meant(self.expectations),
            interactive=self.interactive,
            endless=self.endless,
            links=self.links,
            items=self.items,
            any_of=self.any_of,
            inside=self.inside,
            warning=self.warning,
            timeout_s=self.timeout_s,
            parts=self._parts(step_id) if len(self.parts) > 1 else (),
            attributes=_frozen(self.attributes),
            undo=self.undo,
        )

    def _meant(self, expectations: Iterable[Expectation]) -> tuple[Expectation, ...]:
        return of_answers(expectations) if self.language == "http" else tuple(expectations)

    def _id(self, ids: Ids) -> str:
        name = self.attributes.get("id") or self.attributes.get("name")
        if isinstance(name, str) and name.strip():
            return ids.named(name)
        section = self.section
        heading = section.title if section is not None and section.level > 1 else ""
        return ids.of(self.hint, self.kind.value, heading, f"{self.kind.value}\0{self.code or self.text or ''}")

    def _parts(self, step_id: str) -> tuple[Part, ...]:
        return tuple(
            Part(
                f"{step_id}.{number}",
                part.label,
                part.line,
                part.end_line,
                part.code,
                self._meant(part.expectations),
                part.interactive,
                part.endless,
                part.sample,
                part.inputs,
                part.inside,
                part.alternative,
                part.undo,
            )
            for number, part in enumerate(self.parts, 1)
        )


_NONE: Mapping[str, Any] = MappingProxyType({})


def _frozen(attributes: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(attributes) if attributes else _NONE
