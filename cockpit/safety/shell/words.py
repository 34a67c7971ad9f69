"""What a shell word is known to become when it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """How much is known of a word, from everything to nothing."""

    CONSTANT = 0
    DATA = 1
    """Exactly one word, of a variable that the script does not build: data, not an option."""
    FILES = 2
    """Any number of words, all beginning with the known text: a glob."""
    OUTPUT = 3
    """Exactly one word with any content: what a command printed."""
    MANY = 4
    """Any number of words with any content."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command. `text` is all of a constant, and the known beginning of anything else."""

    text: str
    kind: Kind = Kind.CONSTANT

    @property
    def constant(self) -> bool:
        """Whether every character is known."""
        return self.kind is Kind.CONSTANT

    @property
    def may_be_option(self) -> bool:
        """Whether a program could take it for an option."""
        if self.text:
            return self.text[0] == "-" or (self.kind is Kind.MANY)
        return self.kind >= Kind.OUTPUT

    @property
    def single(self) -> bool:
        """Whether it is one word, neither none nor several."""
        return self.kind not in (Kind.FILES, Kind.MANY)

    def without(self, prefix_length: int) -> Word:
        """The rest of the word behind a known beginning."""
        return Word(self.text[prefix_length:], self.kind)


def constants(words: Iterable[Word]) -> list[str] | None:
    """The texts of the words, or None unless all are constant."""
    listed = list(words)
    return [word.text for word in listed] if all(word.constant for word in listed) else None


ANYTHING = Word("", Kind.MANY)
