"""A connection that a probe keeps from look to look, and makes anew when it has to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from cockpit.errors import AccessDenied, CockpitError, TargetUnreachable

Made = TypeVar("Made")
Result = TypeVar("Result")

_FIRST_WAIT_S, _LONGEST_WAIT_S, _LONGEST_REFUSED_S = 1.0, 15.0, 60.0


class KeptConnection(Generic[Made]):
    """One connection. Not for two threads at a time.

    Args:
        make: a new one, or a CockpitError.
        close: lets go of one; never raises.
        usable: whether one can be asked again after something went wrong on it.
    """

    def __init__(self, make: Callable[[], Made], close: Callable[[Made], None], usable: Callable[[Made], bool]) -> None:
        self._make = make
        self._close = close
        self._usable = usable
        self._made: Made | None = None
        self._failure: CockpitError | None = None
        self._wait_s = 0.0
        self._again_m = 0.0

    def use(self, work: Callable[[Made], Result]) -> Result:
        """What the work gives.

        A kept connection that turns out to be dead is made anew at once: the server may have been started again. One
        that can't be made is tried again later each time (a refused password much later, for that may lock an
        account), and until then its failure stands.

        Raises:
            CockpitError: the connection's, or the work's.
        """
        kept = self._made
        if kept is None:
            return self._worked(self._fresh(), work)
        try:
            return self._worked(kept, work)
        except TargetUnreachable:
            return self._worked(self._fresh(), work)

    def close(self) -> None:
        """Let go of it. The next use makes one."""
        made, self._made = self._made, None
        if made is not None:
            self._close(made)

    def _worked(self, made: Made, work: Callable[[Made], Result]) -> Result:
        try:
            return work(made)
        except TargetUnreachable:
            self.close()
            raise
        finally:
            if self._made is not None and not self._usable(made):
                self.close()

    def _fresh(self) -> Made:
        failure = self._failure
        if failure is not None and time.monotonic() < self._again_m:
            raise type(failure)(failure.what, where=failure.where, mend=failure.mend)
        try:
            self._made = self._make()
        except CockpitError as error:
            longest_s = _LONGEST_REFUSED_S if isinstance(error, AccessDenied) else _LONGEST_WAIT_S
            self._wait_s = min(longest_s, max(_FIRST_WAIT_S, self._wait_s * 2))
            self._failure, self._again_m = error, time.monotonic() + self._wait_s
            raise
        self._failure, self._wait_s = None, 0.0
        return self._made
