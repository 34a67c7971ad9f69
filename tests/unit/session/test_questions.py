"""What a system asks a person: handed to whoever looks, answered once, waited for no longer than that."""

from __future__ import annotations

import threading

import pytest

from cockpit.errors import UsageError
from cockpit.session.host.questions import Questions
from tests.waiting import wait_until

FIELDS = [("Password: ", False), ("Who: ", True)]


def asked_in_thread(questions: Questions, got: list[list[str]]) -> threading.Thread:
    thread = threading.Thread(target=lambda: got.append(questions.ask("deploy@web", FIELDS)), daemon=True)
    thread.start()
    return thread


def test_an_answer_reaches_who_asked_and_is_forgotten() -> None:
    told: list[bool] = []
    questions = Questions(lambda: told.append(questions.asked is not None), lambda: True)
    got: list[list[str]] = []
    thread = asked_in_thread(questions, got)
    wait_until(questions.as_json)
    shown = questions.as_json()
    with pytest.raises(UsageError):
        questions.answer(shown["number"], ["only one"])
    questions.answer(shown["number"], ["secret", "me"])
    thread.join()

    assert (shown["about"], shown["fields"]) == ("deploy@web", [["Password: ", False], ["Who: ", True]])
    assert (got, told, questions.as_json()) == ([["secret", "me"]], [True, False], {})
    assert "secret" not in repr(vars(questions))
    with pytest.raises(UsageError):
        questions.answer(shown["number"], ["late", "me"])


def test_where_nobody_looks_nobody_is_waited_for() -> None:
    questions = Questions(lambda: None, lambda: False)

    assert questions.ask("deploy@web", FIELDS) == []


def test_leaving_it_is_an_answer_too() -> None:
    questions = Questions(lambda: None, lambda: True)
    got: list[list[str]] = []
    thread = asked_in_thread(questions, got)
    wait_until(questions.as_json)
    questions.answer(questions.as_json()["number"], [])
    thread.join()

    assert got == [[]]


def test_a_terminal_answers_in_the_place_of_viewers() -> None:
    questions = Questions(lambda: None, lambda: False)
    questions.person = lambda _about, fields: ["typed"] * len(fields)

    assert questions.ask("deploy@web", FIELDS) == ["typed", "typed"]
