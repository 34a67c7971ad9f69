"""A document as it may be shown: secrets that its author wrote into it are masked. What runs is what was written."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from cockpit.runbook.model import Item, Part, Passage, Runbook, Step

Redact = Callable[[str], str]

_PLAIN = frozenset({"code", "output", "table", "html", "front-matter"})


def masked(runbook: Runbook) -> Runbook:
    """The document with its words masked. Commands (`code`) stay: see `shown_code`."""
    redact = _redact()
    if redact(runbook.text) == runbook.text:
        return runbook
    return replace(
        runbook,
        title=redact(runbook.title),
        sections=tuple(replace(each, title=redact(each.title)) for each in runbook.sections),
        steps=tuple(_step(each, redact) for each in runbook.steps),
        passages=tuple(_passage(each, redact) for each in runbook.passages),
    )


@lru_cache(maxsize=64)
def shown_code(code: str) -> str:
    """A command as it may be shown before the host has said how it would run."""
    return _redact()(code)


@lru_cache(maxsize=1)
def _redact() -> Redact:
    from cockpit.safety.redaction.redactor import Redactor, secrets_of_environment

    return Redactor(secrets_of_environment(os.environ)).redact


def _step(step: Step, redact: Redact) -> Step:
    return replace(
        step,
        label=redact(step.label or _first_line(step.code)),
        text=redact(step.text) if step.text else step.text,
        warning=redact(step.warning) if step.warning else step.warning,
        items=tuple(_item(each, redact) for each in step.items),
        parts=tuple(_part(each, redact) for each in step.parts),
    )


def _part(part: Part, redact: Redact) -> Part:
    return replace(part, label=redact(part.label or _first_line(part.code)))


def _item(item: Item, redact: Redact) -> Item:
    return replace(item, text=redact(item.text))


def _first_line(code: str | None) -> str:
    return (code or "").split("\n", 1)[0]


def _passage(passage: Passage, redact: Redact) -> Passage:
    """Its text masked; a secret that runs over several spans costs their styles."""
    written = "".join(text for text, _style in passage.spans)
    shown = redact(written)
    if shown == written:
        return passage
    spans = tuple((redact(text), style) for text, style in passage.spans)
    if passage.kind in _PLAIN or "".join(text for text, _style in spans) != shown:
        spans = ((shown, ""),)
    return replace(passage, spans=spans)
