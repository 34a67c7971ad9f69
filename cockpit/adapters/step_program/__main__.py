"""The step program: `python -I -m cockpit.adapters.step_program FILE`, with what to do in the file (see adapter.py).

Exit status: 0 done · 1 the backend said no, or gave an answer that can't be understood · 2 wrong usage, credentials,
or no connection · 3 refused because nothing may change · 4 the connection broke while something was being changed ·
130 cancelled. One clear line on stderr tells why.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType

from cockpit.adapters.step_program.adapter import LOST_EXIT, REFUSED_EXIT, Task, performed
from cockpit.adapters.step_program.page import Page
from cockpit.errors import (
    AccessDenied,
    CockpitError,
    ConfigError,
    OutcomeUnknown,
    PolicyRefusal,
    TargetUnreachable,
    ToolMissing,
    UsageError,
)
from cockpit.safety.permit import Action
from cockpit.safety.text import sanitise
from cockpit.words import _, choose

CANCELLED = 130
_MEMORY_BYTES = 2 << 30
_NOT_EVEN_ASKED = (UsageError, ConfigError, AccessDenied, ToolMissing, TargetUnreachable)


def main() -> int:
    """Read the task from the file and do it. Returns the exit status."""
    adapter, task, words = performed(Path(sys.argv[1]).read_bytes())
    choose(words)
    signal.signal(signal.SIGTERM, _interrupt)
    limit_memory()
    page = Page(sys.stdout.buffer)
    try:
        _require_permitted(task)
        adapter.perform(task, page)
    except CockpitError as error:
        return _fail(str(error), exit_status(error))
    except KeyboardInterrupt:
        return _fail(_("cancelled"), CANCELLED)
    except MemoryError:
        return _fail(_("the answer is too large to hold; ask for less"), 1)
    except Exception as error:  # noqa: BLE001 - one clear line, whatever a library thought of
        return _fail(f"{type(error).__name__}: {error}", 1)
    return 0


def _require_permitted(task: Task) -> None:
    """The last look at what is about to be done: it is what was judged and confirmed.

    Raises:
        PolicyRefusal: it is not.
    """
    if Action(task.language, task.body, task.target, task.values).sha256 != task.sha256:
        raise PolicyRefusal(_("what is about to run is not what was confirmed"), mend=_("confirm it again"))


def exit_status(error: CockpitError) -> int:
    """What the program ends with for an error."""
    if isinstance(error, PolicyRefusal):
        return REFUSED_EXIT
    if isinstance(error, OutcomeUnknown):
        return LOST_EXIT
    return 2 if isinstance(error, _NOT_EVEN_ASKED) else 1


def limit_memory() -> None:
    """One answer of gigabytes must not take the machine along. (Not every system enforces it.)"""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(_MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; what does not end is killed after the grace
    raise KeyboardInterrupt


def _fail(text: str, status: int) -> int:
    line = " ".join(sanitise(text).split())
    os.write(2, line.encode("utf-8", "backslashreplace") + b"\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
