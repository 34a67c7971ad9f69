"""Whether something was sent that may have changed something: then a link that breaks leaves open what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.errors import OutcomeUnknown, TargetUnreachable, TimedOut
from cockpit.words import _


class NotConnected(TargetUnreachable):
    """Nothing was sent."""


class Sent:
    """What one link has sent. `changing` tells whether any of it may have changed something."""

    def __init__(self) -> None:
        self.changing = False

    @contextmanager
    def request(self, *, changing: bool) -> Iterator[None]:
        """Around one request: it was sent, unless NotConnected comes of it."""
        before = self.changing
        self.changing = before or changing
        try:
            yield
        except NotConnected:
            self.changing = before
            raise

    @contextmanager
    def unknown_if_it_breaks(self) -> Iterator[None]:
        """Around an action of one or more requests.

        Raises:
            OutcomeUnknown: the link broke, or no answer came in time, behind what may have changed something.
        """
        try:
            yield
        except (TargetUnreachable, TimedOut) as error:
            if not self.changing:
                raise
            raise OutcomeUnknown(error.what, where=error.where, mend=_("look before you run it again")) from error
