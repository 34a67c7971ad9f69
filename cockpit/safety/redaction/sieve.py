"""Which of many values may stand in a text, told in one pass over it. Stdlib only.

A value of 23 bytes holds eight that begin at a multiple of 16 in the text, wherever it stands: so those eights of the
text are looked up among all that the values have, and the values are looked for one by one only where one is known.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BYTES = 8
_STRIDE = 2
_LEAST = _STRIDE * _BYTES + _BYTES - 1
_FEW = 4
_WORTH_IT_BYTES = 4096


class Sieve:
    """Passes those values that a text may hold.

    Args:
        values: the longest first.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = tuple(values)
        self._short = tuple(value for value in self._values if len(value) < _LEAST)
        self._eights: frozenset[int] | None = None

    def maybe_in(self, text: bytes) -> Sequence[bytes]:
        """All values, or fewer where the others are not in the text."""
        few = len(self._values) - len(self._short) < _FEW
        if few or (self._eights is None and len(text) < _WORTH_IT_BYTES):
            return self._values
        with memoryview(text) as bytewise, bytewise[: len(text) // _BYTES * _BYTES].cast("Q") as eights:
            return self._short if self._known().isdisjoint(eights[::_STRIDE]) else self._values

    def _known(self) -> frozenset[int]:
        if self._eights is None:
            self._eights = frozenset(
                memoryview(value[at : at + _BYTES]).cast("Q")[0]
                for value in self._values
                if len(value) >= _LEAST
                for at in range(len(value) - _BYTES + 1)
            )
        return self._eights
