"""Looking again and again at what is under way in an account, through clients that can only read."""

from __future__ import annotations

import time
from typing import Any

from cockpit.adapters.aws.session import Account
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AskedTooOften, TargetUnreachable, TimedOut
from cockpit.words import _

LOOK_S = 3.0
_LONGEST_LOOK_S = 30.0
_PATIENT_LOOKS = 6

Parameters = dict[str, Any]


class Following:
    """One thing that is followed to its end. `account` is the one that began it, for what ends it early."""

    def __init__(self, account: Account, page: Page) -> None:
        self.account = account
        self.page = page
        self._eyes = account.sealed_twin()
        self._told = ""

    def ask(self, service: str, operation: str, parameters: Parameters) -> dict[str, Any]:
        """What an operation that reads answers; asked again, later each time, where nobody answers or it is too often.

        Raises:
            AdapterError: it does not answer for minutes, or refuses.
        """
        pause_s = LOOK_S
        for _look in range(_PATIENT_LOOKS):
            try:
                return self._eyes.call(service, operation, parameters)
            except (AskedTooOften, TargetUnreachable, TimedOut) as error:
                self.tell(_("{why}; asked again in {seconds:.0f} s").format(why=error.what, seconds=pause_s))
                time.sleep(pause_s)
                pause_s = min(_LONGEST_LOOK_S, pause_s * 2)
        return self._eyes.call(service, operation, parameters)

    def tell(self, line: str) -> None:
        """Print how it stands, where that is something new."""
        if line != self._told:
            self.page.line(line)
            self._told = line

    @staticmethod
    def pause() -> None:
        """Until the next look."""
        time.sleep(LOOK_S)
