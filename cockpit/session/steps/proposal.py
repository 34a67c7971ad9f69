"""What the host tells a responder before anything runs: the exact command, where, and what it takes to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from cockpit.safety.permit import Rung
from cockpit.safety.verdict import Verdict


class Proposal(Struct, frozen=True):
    """One command, judged and not yet run.

    `command` is the redacted text to show, `sha256` the identity of the exact action (see Action); a confirmation
    must carry it. `missing` are inputs still to fill: with any, it can't run. `values` are the inputs as shown
    (secrets masked). `refusal` says why the mode or the adapter refuses; empty when it may go on. `folder_gone`: a
    fresh shell would mend that. `undo` is a command the runbook names as the way back; `inside` the session the command
    is meant for, when an earlier one opened it.
    `place` says where the target is (see `place_of`); `targets` are all that can run its language. Where that is a
    group, `group` are the targets it goes to, in their order, and `manner` how they follow each other. `times`,
    `every_s` and `within_s` say how the engine will repeat it by itself (see Plan); `unrepeated` why it will not
    although the runbook asks for it.
    """

    proposal: str
    step: str
    part: str | None
    sha256: str
    language: str
    command: str
    target: str
    verdict: Verdict
    rung: Rung
    reasons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    interactive: bool = False
    endless: bool = False
    lasts_s: float | None = None
    edited: bool = False
    timeout_s: float | None = None
    refusal: str = ""
    mend: str = ""
    folder_gone: bool = False
    undo: str = ""
    environment: str = ""
    inside: str | None = None
    targets: tuple[str, ...] = ()
    times: int = 1
    every_s: float = 0.0
    within_s: float | None = None
    unrepeated: str = ""
    group: tuple[str, ...] = ()
    manner: str = ""
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values for the socket."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Proposal:
        """The proposal a host sent."""
        return cls(
            **{
                **data,
                "verdict": Verdict(data["verdict"]),
                "rung": Rung(data["rung"]),
                **{k: tuple(data.get(k, ())) for k in ("reasons", "tags", "missing", "targets", "group")},
            }
        )
