"""Redis commands as they are written: the same words for who judges and who runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.adapters.redis.replies import shown
from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.safety.judge import judge
from cockpit.safety.redis.words import redis_commands, redis_words
from cockpit.safety.verdict import Verdict
from cockpit.session.filling.filling import fill


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("GET key", [b"GET", b"key"]),
        ('SET key "two words"', [b"SET", b"key", b"two words"]),
        (r'SET k "a\"b\\c\n\x41\q"', [b"SET", b"k", b'a"b\\c\nAq']),
        (r"SET k 'it\'s \n'", [b"SET", b"k", rb"it's \n"]),
        ('SET k ""', [b"SET", b"k", b""]),
        (r"SET k a\b", [b"SET", b"k", rb"a\b"]),
    ],
)
def test_quotes_are_read_as_redis_cli_reads_them(line: str, words: list[bytes]) -> None:
    assert redis_words(line) == words


@pytest.mark.parametrize("line", ['GET "key', "GET 'key", 'GET "a"b', "GET a'b", 'GET "a" "b'])
def test_a_quote_that_does_not_end_its_word_is_no_command(line: str) -> None:
    with pytest.raises(ValueError, match="quote"):
        redis_words(line)
    assert judge("redis", line).verdict is Verdict.UNKNOWN


def test_prompts_comments_and_blank_lines_are_no_commands() -> None:
    assert redis_commands("# look first\n\n> GET a\n-- and\nGET b\n") == [[b"GET", b"a"], [b"GET", b"b"]]


KEY = Input("k", "<k>", "angle")


@pytest.mark.parametrize("place", ["SET <k> 1", 'SET "<k>" 1', "SET <k> 1\nGET x"])
@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1))
def test_a_value_filled_in_is_always_one_word_and_the_same_value(place: str, value: str) -> None:
    body = fill(place, "redis", [KEY], {"k": value}).body
    assert redis_commands(body)[0] == [b"SET", value.encode(), b"1"]
    assert len(redis_commands(body)) == place.count("\n") + 1


@pytest.mark.parametrize("place", ["DEL session:<k>", "DEL '<k>'", 'DEL "a\\" <k>"'])
def test_a_value_that_needs_quotes_is_refused_where_none_can_be_written(place: str) -> None:
    assert fill(place, "redis", [KEY], {"k": "a:1"}).body == place.replace("<k>", "a:1")
    for value in ("a b", "a\nFLUSHALL", "a'b", 'a"b'):
        with pytest.raises(UsageError, match="not understood"):
            fill(place, "redis", [KEY], {"k": value})


def test_replies_are_shown_as_a_person_reads_them() -> None:
    reply = [b"a", [b"b", [b"c\xff\n", 1]], None]

    assert list(shown(reply)) == ['1) "a"', '2) 1) "b"', '   2) 1) "c\\xff\\n"', "      2) (integer) 1", "3) (nil)"]
    assert list(shown(b"# Memory\r\nused:1\r\n")) == ["# Memory\nused:1"]
    assert list(shown([])) == ["(empty array)"]


def test_a_list_of_a_million_is_cut_and_says_so() -> None:
    lines = list(shown([b"x"] * 1_000_000))

    assert len(lines) == 100_001
    assert "100000" in lines[-1]
