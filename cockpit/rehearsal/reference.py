"""How scenarios and scripts name a step: by its id, or as KIND#N, the N-th step of that kind."""

from __future__ import annotations

from cockpit.errors import UsageError
from cockpit.runbook.model import Runbook, Step
from cockpit.words import _


def step_named(runbook: Runbook, name: str) -> Step:
    """The step that `name` means.

    Raises:
        UsageError: there is none.
    """
    kind, mark, number = name.partition("#")
    if mark and number.isdigit():
        of_kind = [step for step in runbook.steps if step.kind == kind]
        found = of_kind[int(number) - 1] if 0 < int(number) <= len(of_kind) else None
    else:
        found = runbook.step(name)
    if found is None:
        raise UsageError(
            _("no step {step}").format(step=name), where=runbook.path, mend=_("`cockpit show` lists the steps")
        )
    return found
