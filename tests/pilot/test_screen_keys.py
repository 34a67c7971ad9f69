"""One table of keys: everything in it does something, is told, and clashes with nothing."""

from __future__ import annotations

from collections import Counter

from screens.keys import KEYS, about, bindings
from screens.main import MainScreen


def test_every_key_leads_to_an_action_that_is_told() -> None:
    for key in KEYS:
        assert callable(getattr(MainScreen, f"action_{key.action}", None)), key.action
        assert about(key.action), key.action


def test_no_key_means_two_things() -> None:
    counted = Counter(binding.key for binding in bindings())
    assert [key for key, times in counted.items() if times > 1] == []


def test_every_letter_works_on_a_korean_keyboard_too() -> None:
    keys = {binding.key for binding in bindings()}
    latin = [key for key in keys if len(key) == 1 and key.isascii() and key.islower()]
    by_action = Counter(binding.action for binding in bindings() if len(binding.key) == 1)
    for key in latin:
        action = next(binding.action for binding in bindings() if binding.key == key)
        assert by_action[action] >= 2, key
