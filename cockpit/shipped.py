"""Where the runbooks that come with the program are: beside this package, in a checkout and when installed."""

from __future__ import annotations

from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parents[1] / "runbooks"
