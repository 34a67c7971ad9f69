"""Judging a step of typed actions, whichever system they are for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from cockpit.errors import UsageError
from cockpit.safety.verdict import Judgement, unknown, worst

A = TypeVar("A")
_PIECES = re.compile(r"[\n;&|]+")


def judge_actions(text: str, read: Callable[[str], Iterable[A]], judge: Callable[[A], Judgement]) -> Judgement:
    """The judgement of every action of a text. Where one can't be read it is unknown, or as bad as another is.

    Args:
        read: the actions of a text; raises UsageError where there is something else.
        judge: what is said of one action.
    """
    try:
        return worst(map(judge, read(text)))
    except UsageError as error:
        doubt = unknown(str(error))
    seen = worst([doubt, *(judged for piece in _PIECES.split(text) for judged in _seen(piece, read, judge))])
    return seen if seen.verdict.rank > doubt.verdict.rank else doubt


def _seen(piece: str, read: Callable[[str], Iterable[A]], judge: Callable[[A], Judgement]) -> list[Judgement]:
    try:
        return [judge(action) for action in read(piece)]
    except UsageError:
        return []
