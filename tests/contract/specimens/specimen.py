"""What a backend brings along so that the contract suite can ask of it what it asks of every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cockpit.adapters.step_program.adapter import StepProgram


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """Texts in the backend's language, and hands on its server.

    `adapter` works, over a wire that `cut` breaks. `hello` prints hello. `streams` is a text, what it prints first,
    what lets it go on, and what it prints then. `endless` goes on until it is cancelled, and only reads; `at_it` says
    whether the server is working on it. `large` prints ten million times the letter x. `no_text` prints bytes that are
    no UTF-8, shown as `as_shown`. `echo` prints the value it is given. `with_input` prints its input WORD. `mistake`
    is refused by the server with words that hold `complaint`. `changes` changes what `fingerprint` sees;
    `changes_slowly` is still at it when the wire is cut; both are "" where nothing can be asked that changes anything.
    `absent` is an address where nobody listens,
    `wrong_credentials` takes those of $COCKPIT_TEST_SECRET. `library` is the package that only the program loads.
    """

    adapter: StepProgram[Any]
    language: str
    cut: Callable[[], None]
    hello: str
    streams: tuple[str, bytes, Callable[[], object], bytes]
    endless: str
    at_it: Callable[[], bool]
    large: str
    no_text: str
    as_shown: bytes
    echo: Callable[[str], str]
    with_input: str
    mistake: str
    complaint: bytes
    changes: str = ""
    changes_slowly: str = ""
    fingerprint: Callable[[], Any] = lambda: None
    absent: StepProgram[Any]
    library: str
    wrong_credentials: StepProgram[Any] | None
