"""Copies of lists on an API server: bounded, whatever the server holds. `tests/real` has them on a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import pytest

from cockpit.adapters.kubernetes import events
from cockpit.adapters.kubernetes.door import Door
from cockpit.adapters.kubernetes.events import Event, SeenWarning, warning_rows
from cockpit.adapters.kubernetes.mirror import Mirror
from cockpit.adapters.kubernetes.usage import quantity
from tests.waiting import PATIENCE_S

_NOW = 1_800_000_000.0


class ManyEvents:
    """A server, and the way there: 7,000 events in pages, and a watch in which nothing happens."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def cluster(self) -> ManyEvents:
        return self

    def get_raw(self, _path: str, query: dict[str, str]) -> bytes:
        begins = int(query.get("continue", 0))
        items = [self._event(n) for n in range(begins, begins + 500)]
        more = {"continue": str(begins + 500)} if begins + 500 < 7000 else {}
        return msgspec.json.encode({"metadata": {"resourceVersion": "1", **more}, "items": items})

    def lines(self, _path: str, _query: dict[str, str], **_rest: Any) -> Iterator[bytes]:
        self.ended.wait()
        yield from ()

    def interrupt(self) -> None:
        self.ended.set()

    def _event(self, n: int) -> dict[str, Any]:
        at = f"2027-01-15T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z"
        return {"metadata": {"name": f"e{n}", "namespace": "shop"}, "reason": "BackOff", "lastTimestamp": at}


@contextmanager
def mirrored() -> Iterator[Mirror[Event, SeenWarning]]:
    door = cast(Door, ManyEvents())
    mirror: Mirror[Event, SeenWarning] = Mirror(
        door, lambda _cluster: "/events", Event, events.seen, newest=events.MOST_KEPT, rank=lambda kept: kept.at
    )
    yield mirror
    mirror.close()


def test_of_very_many_warnings_the_newest_are_kept() -> None:
    with mirrored() as mirror:
        kept = sorted(it.at for it in mirror.items(PATIENCE_S))
    assert events.MOST_KEPT <= len(kept) <= 2 * events.MOST_KEPT + 500
    assert [int(at - kept[-1]) for at in kept[-events.MOST_KEPT :]] == list(range(-events.MOST_KEPT + 1, 1))


def test_a_warning_from_the_future_of_a_skewed_clock_is_just_now() -> None:
    it = SeenWarning("BackOff", "pod/api-0", "back-off", 3, _NOW + 500)
    assert warning_rows([it], _NOW)[0]["since_s"] == 0


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("250m", 0.25),
        ("1", 1.0),
        ("123456789n", 0.123456789),
        ("1.5Gi", 1.5 * 2**30),
        ("128Mi", 2**27),
        ("1e3", 1000.0),
        ("2k", 2000.0),
        ("", 0.0),
        ("many", 0.0),
        ("1Zi", 0.0),
        ("-1", 0.0),
    ],
)
def test_quantities_are_numbers(written: str, number: float) -> None:
    assert quantity(written) == pytest.approx(number)
