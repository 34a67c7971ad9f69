"""`cockpit verify`: check the journal's chain and every artefact's hash."""

from __future__ import annotations

import argparse
import json

from cockpit.session.folder import find_session, state_root


def run(options: argparse.Namespace) -> int:
    """0 when every record and artefact is whole; 1 with the first bad one named."""
    from cockpit.session.verify import verify

    verification = verify(find_session(state_root(), options.session))
    if options.json:
        print(json.dumps(verification.as_json(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(verification.lines()))
    return 0 if verification.ok else 1
