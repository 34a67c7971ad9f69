"""`cockpit verify`: check the journal's chain and every artefact's hash."""

from __future__ import annotations

import argparse
import json

from cockpit.safety.text import one_line
from cockpit.session.record.folder import find_session
from cockpit.session.record.roots import state_roots
from cockpit.session.record.verify import Verification, verify
from cockpit.words import _


def run(options: argparse.Namespace) -> int:
    """0 when every record and artefact is whole; 1 with the first bad one named."""
    verification = verify(find_session(state_roots(), options.session))
    if options.json:
        print(json.dumps(verification.as_json(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(map(one_line, _lines(verification))))
    return 0 if verification.ok else 1


def _lines(found: Verification) -> list[str]:
    """What was found, the first bad record first."""
    lines = []
    if found.first_bad is not None:
        bad = found.first_bad
        lines.append(
            _("first bad record: line {line}, byte {offset}: {why}").format(
                line=bad.line, offset=bad.offset, why=bad.why
            )
        )
    lines += [_("{path}: {why}").format(path=bad.path, why=bad.why) for bad in found.bad_artefacts]
    lines += [
        _("a record was written in part only, at byte {offset}, and never counted").format(offset=offset)
        for offset in found.torn
    ]
    lines += [_("{path} was left out of this export").format(path=path) for path in found.left_out]
    verdict = _("whole") if found.ok else _("NOT whole")
    lines.append(
        _("{verdict}: {records} records, {artefacts} artefacts, head {seq} {head}").format(
            verdict=verdict,
            records=found.records,
            artefacts=found.artefacts_checked,
            seq=found.head_seq,
            head=found.head,
        )
    )
    return lines
