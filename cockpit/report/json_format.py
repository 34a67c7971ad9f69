"""The report as JSON: the facts as they are, for other programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from cockpit.report.gathering import gather
from cockpit.session.record.folder import SessionFolder


def render(folder: SessionFolder, language: str | None = None) -> str:
    """{"facts", "verification", "tails": {run: {text, cut}}}; `language` changes nothing, keys are keys.

    Raises:
        JournalError: there is no journal, or it can't be read.
    """
    gathered = gather(folder)
    document = {
        "facts": gathered.facts.as_json(),
        "verification": gathered.verification.as_json(),
        "tails": {str(run): asdict(tail) for run, tail in gathered.tails.items()},
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=dict) + "\n"
