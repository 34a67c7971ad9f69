"""This machine, asked as another one is: to go on where an earlier host stopped is the same on both."""

from __future__ import annotations

import os
import signal
import subprocess

from cockpit.config.names import LOCAL
from cockpit.errors import Malformed, TimedOut
from cockpit.safety.environment import child_environment
from cockpit.words import _


class ThisMachine:
    """Each question goes to a /bin/sh of its own. See `Far`."""

    name = LOCAL

    def ask(self, script: str, *, deadline_s: float, most_bytes: int = 1 << 20) -> bytes:
        """What the script prints. See `Far`."""
        process = subprocess.Popen(
            ["/bin/sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(os.environ) | {"LC_ALL": "C"},
            start_new_session=True,
        )
        with process:
            try:
                said, _nothing = process.communicate(script.encode("utf-8", "surrogateescape"), timeout=deadline_s)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                raise TimedOut(
                    _("no answer within {seconds:g} s").format(seconds=deadline_s), mend=_("is a network disk away?")
                ) from error
        if len(said) > most_bytes:
            raise Malformed(_("the machine's answer can't be understood"), where=self.name)
        return said
