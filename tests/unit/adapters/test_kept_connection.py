"""A probe's connection: kept, made anew when it broke, and not asked for again and again while it can't be had."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cockpit.adapters import kept_connection
from cockpit.adapters.kept_connection import KeptConnection
from cockpit.errors import AccessDenied, CockpitError, Declined, TargetUnreachable


class Server:
    """Gives connections, numbered, or the failure that is set."""

    def __init__(self) -> None:
        self.tried = 0
        self.open: list[int] = []
        self.failure: CockpitError | None = None

    def connect(self) -> int:
        self.tried += 1
        if self.failure:
            raise self.failure
        self.open.append(self.tried)
        return self.tried

    def kept(self) -> KeptConnection[int]:
        return KeptConnection(self.connect, self.open.remove, lambda number: number in self.open)


class Hands:
    """A monotonic clock that stands until it is set."""

    now_m = 1000.0

    def monotonic(self) -> float:
        return self.now_m


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(kept_connection, "time", made)
    return made


def same(number: int) -> int:
    return number


def broken_first(number: int) -> int:
    if number == 1:
        raise TargetUnreachable("it is gone")
    return number


def declined(_number: int) -> int:
    raise Declined("no such view")


def test_one_connection_serves_all_looks_and_is_closed_once() -> None:
    server = Server()
    kept = server.kept()

    assert [kept.use(same) for _look in range(3)] == [1, 1, 1]
    kept.close()
    kept.close()
    assert server.open == []
    assert kept.use(same) == 2


def test_a_kept_connection_that_broke_is_made_anew_within_the_look() -> None:
    server = Server()
    kept = server.kept()
    kept.use(same)

    assert kept.use(broken_first) == 2
    assert server.open == [2]


def test_a_fresh_connection_that_breaks_is_not_tried_twice_in_a_look() -> None:
    server = Server()

    with pytest.raises(TargetUnreachable):
        server.kept().use(broken_first)
    assert (server.tried, server.open) == (1, [])


def test_an_answer_that_says_no_costs_no_connection() -> None:
    server = Server()
    kept = server.kept()
    with pytest.raises(Declined):
        kept.use(declined)

    assert kept.use(same) == 1


@pytest.mark.parametrize(("failure", "most"), [(TargetUnreachable("refused"), 15), (AccessDenied("wrong"), 60)])
def test_what_can_not_be_had_is_tried_later_each_time_and_its_failure_stands(
    hands: Hands, failure: CockpitError, most: int
) -> None:
    server = Server()
    server.failure = failure
    kept = server.kept()
    tried_at = []
    for _second in range(300):
        before = server.tried
        with pytest.raises(type(failure), match=failure.what):
            kept.use(same)
        tried_at += [hands.now_m] if server.tried > before else []
        hands.now_m += 1
    gaps = [later - earlier for earlier, later in pairwise(tried_at)]

    assert gaps[:3] == [1, 2, 4]
    assert gaps == sorted(gaps)
    assert gaps[-1] == most
    server.failure = None
    hands.now_m += most
    assert kept.use(same) == server.tried


def test_once_one_was_had_the_next_failure_is_tried_again_as_soon_as_a_first_one(hands: Hands) -> None:
    server = Server()
    kept = server.kept()
    for _time in range(2):
        server.failure = TargetUnreachable("refused")
        for wait_s in (1, 2, 4):
            with pytest.raises(TargetUnreachable):
                kept.use(same)
            hands.now_m += wait_s
        server.failure = None
        assert kept.use(same) == server.tried
        kept.close()


def test_a_connection_that_an_answer_left_unusable_is_not_asked_again() -> None:
    server = Server()
    usable = {1: True}
    kept = KeptConnection(server.connect, server.open.remove, lambda number: usable.get(number, True))
    kept.use(same)
    usable[1] = False  # half of an answer may still lie in it
    with pytest.raises(Declined):
        kept.use(declined)

    assert server.open == []
    assert kept.use(same) == 2
