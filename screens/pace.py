"""Whether a key was meant: one that is held down, pasted, or pressed just as the cursor moved, was not."""

from __future__ import annotations

from collections import deque

from screens.clock import Clock

_MACHINE_S = 0.03
_HELD_S = 0.12
_MOVED_ON_S = 0.4


class Pace:
    """How quickly keys come, and when the cursor last moved by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = ""
        self._too_fast = False
        self._presses: deque[tuple[object, bool]] = deque(maxlen=64)
        self._moved_on_s = -_MOVED_ON_S

    def keyed(self, press: object, key: str, gap_s: float) -> None:
        """A key came so many seconds after the one before; `press` is what it is known by until it is acted on."""
        self._presses.append((press, gap_s < (_HELD_S if key == self._key else _MACHINE_S)))
        self._key = key

    def acts_on(self, press: object) -> None:
        """That key is acted on now; others may have come since."""
        self._too_fast = next((fast for each, fast in self._presses if each is press), False)

    def moved_on(self) -> None:
        """The cursor went to another step by itself."""
        self._moved_on_s = self._clock.monotonic_s()

    def moved_by_hand(self) -> None:
        """The cursor went where somebody wanted it."""
        self._moved_on_s = -_MOVED_ON_S

    @property
    def too_fast(self) -> bool:
        """Whether the key that is acted on came as quickly as only a machine presses keys: held down, or pasted."""
        return self._too_fast

    @property
    def just_moved_on(self) -> bool:
        """Whether who pressed a key just now may have meant the step before."""
        return self._clock.monotonic_s() - self._moved_on_s < _MOVED_ON_S
