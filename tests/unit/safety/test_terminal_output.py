"""What a lent terminal is sent: drawing, moving and colours, and nothing that acts on the terminal itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.safety.terminal import TerminalOutput

KEPT = [b"plain\r\n", b"\x1b[31mred\x1b[0m", b"\x1b[2J\x1b[H", b"\x1b[?1049h", b"\x1b(B\x1b=", "한국 é 🚨".encode()]
DROPPED = [
    b"\x1b]52;c;ZXZpbA==\x07",
    b"\x1b]0;title\x1b\\",
    b"\x1b]8;;http://evil\x1b\\",
    b"\x1bPq#0;1\x1b\\",
    b"\x1b_apc\x1b\\",
    b"\x1b^pm\x1b\\",
    b"\x1bXsos\x1b\\",
    b"\xc2\x9b",
    b"\xc2\x9d",
]


def through(data: bytes, cut: int | None = None) -> bytes:
    output = TerminalOutput()
    return output.feed(data[:cut]) + (output.feed(data[cut:]) if cut is not None else b"")


@pytest.mark.parametrize("data", KEPT)
def test_what_draws_passes_unchanged(data: bytes) -> None:
    assert all(through(data + b" ", cut) == data + b" " for cut in range(len(data) + 1))


@pytest.mark.parametrize("data", DROPPED)
def test_what_acts_is_gone_wherever_the_chunks_are_cut(data: bytes) -> None:
    assert all(through(b"before " + data + b" after", cut) == b"before  after" for cut in range(len(data) + 14))


def test_a_string_that_never_ends_does_not_swallow_the_rest() -> None:
    assert through(b"\x1b]0;" + b"x" * 10_000).endswith(b"x" * 4000)
    assert through(b"\x1b]0;broken off\x1b[31mred") == b"\x1b[31mred"


@given(st.lists(st.sampled_from([*KEPT, *DROPPED, b"\x1b", b"\x1b]", b"\x07", b"x"]), max_size=8), st.integers(0, 80))
def test_where_it_is_cut_makes_no_difference(pieces: list[bytes], cut: int) -> None:
    data = b"".join(pieces)
    assert through(data, min(cut, len(data))) == through(data)
    assert b"\x1b]" not in through(data)
