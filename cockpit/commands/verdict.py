"""`cockpit verdict`: what safety says of a command, with reasons."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cockpit.errors import UsageError
from cockpit.safety.judge import judge
from cockpit.safety.text import one_line
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """Judge one command, or with --batch JSON lines from standard input, in order."""
    if options.batch:
        for number, line in enumerate(sys.stdin, 1):
            if line.strip():
                print(json.dumps(_batch_answer(line, number), ensure_ascii=False))
        return 0
    command = options.command_text if options.command_text is not None else sys.stdin.read()
    answer = _answer(options.language, command)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(answer["verdict"])
        for reason in answer["reasons"]:
            print(f"  {one_line(reason)}")
        if answer["tags"]:
            print("  " + ", ".join(answer["tags"]))
    return 0


def _batch_answer(line: str, number: int) -> dict[str, Any]:
    try:
        question = json.loads(line)
        return _answer(str(question.get("language", "bash")), str(question["command"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            _('not a JSON object with "language" and "command"'), where=_("line {n}").format(n=number)
        ) from error


def _answer(language: str, command: str) -> dict[str, Any]:
    judgement = judge(language, command)
    return {
        "language": language,
        "command": command,
        "verdict": judgement.verdict.value,
        "reasons": list(judgement.reasons),
        "tags": list(judgement.tags),
    }
