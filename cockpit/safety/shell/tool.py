"""The shape of the rules: what is known of a command, its options and its verbs. The families fill it
with data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from cockpit.safety.shell.words import Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, READ, UNKNOWN, Judgement, Verdict


class Shell(Protocol):
    """What a rule may ask of the judge that called it."""

    def command(self, words: Sequence[Word], stdin: Stdin) -> Judgement:
        """Judge a command that this one starts."""

    def script(self, text: str, stdin: Stdin) -> Judgement:
        """Judge a shell script that this one starts, in an environment of its own."""

    def elsewhere(self) -> Shell:
        """The judge of what starts where this environment's variables are not: on another machine, as another user."""


@dataclass(frozen=True, slots=True)
class Stdin:
    """Where a command reads from. `kind`: inherited (a step's own, which is empty), pipe, file, text; `text` is that
    of a here-document, or of an `echo` in front of it, decoded."""

    kind: str = "inherited"
    text: Word | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A command about to be judged: its name, its words after the name, its standard input, and the judge."""

    name: str
    args: tuple[Word, ...]
    stdin: Stdin
    shell: Shell


Special = Callable[["Call", "Tool"], Judgement]


@dataclass(frozen=True, slots=True)
class Tool:
    """What is known of a command or of one of its verbs.

    Args:
        verdict: of a call that breaks none of the rules below.
        values: options that take the next word (or what follows `=`) as a value.
        flags: options without a value. None: every option is harmless but for the denied ones, and the tool is open.
        denied: options that make it worse, with the verdict they lead to.
        trusting: words built when it runs are taken for operands: what such tools are fed is names from listings.
        bare: of a call without any verb.
        asks: words that alone only make it print its version or help.
        required: options of which one must be given, or nothing is known of the call.
        operands: how many operands it may have; more lead to `beyond`.
        verbs: sub-commands; then nothing but a known verb is judged, and only listed options may stand before it.
        long_single: options are words behind one dash (`-auto-approve`), not letters.
        unbounded: options with which it runs until stopped; `unbounded_unless` those without which it does.
        special: judges instead of these rules.
    """

    verdict: Verdict = READ
    values: frozenset[str] = frozenset()
    flags: frozenset[str] | None = None
    denied: Mapping[str, Verdict] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    operands: int | None = None
    beyond: Verdict = MUTATING
    verbs: Mapping[str, Tool] = field(default_factory=dict)
    trusting: bool = False
    bare: Verdict = UNKNOWN
    asks: frozenset[str] = frozenset({"--help", "--version", "-h"})
    tags: tuple[str, ...] = ()
    long_single: bool = False
    unbounded: frozenset[str] = frozenset()
    unbounded_unless: frozenset[str] = frozenset()
    special: Special | None = None

    @property
    def harmless(self) -> bool:
        """Whether no word added to a call could change its verdict."""
        return not (
            self.denied or self.verbs or self.special or self.unbounded or self.unbounded_unless or self.required
        ) and (self.flags is None and self.operands is None)


def denied(text: str, verdict: Verdict = MUTATING) -> dict[str, Verdict]:
    """A table of denied options, all with one verdict."""
    return dict.fromkeys(text.split(), verdict)


def plain(text: str, tool: Tool | None = None) -> dict[str, Tool]:
    """The same rule for each command named in the text; without one, read-only whatever its options."""
    return dict.fromkeys(text.split(), tool or Tool())


def tree(
    *,
    values: str = "",
    flags: str = "",
    read: str = "",
    mutating: str = "",
    destructive: str = "",
    unknown: str = "",
    verb_values: str = "",
    overrides: Mapping[str, Tool] | None = None,
    denied: Mapping[str, Verdict] | None = None,
    trusting: bool = False,
    bare: Verdict = UNKNOWN,
    asks: str = "",
) -> Tool:
    """A command with verbs. Nested verbs are written with slashes: `rollout/status`.

    Args:
        values: options with a value, known before and after the verb; `flags` those without.
        verb_values: options with a value, known after the verb only.
        denied: options denied on every read-only verb.
        overrides: whole rules for single verbs, by the same spelling; `values` are added to them.
        asks: words beside `--help` and `--version` that alone only make it print.
    """
    own_values, own_flags = names(values), names(flags) | {"--help", "--version"}
    leaf_values = own_values | names(verb_values)
    leaves: dict[str, Tool] = {}
    for listed, verdict in ((read, READ), (mutating, MUTATING), (destructive, DESTRUCTIVE), (unknown, UNKNOWN)):
        for path in listed.split():
            extra = dict(denied or {}) if verdict is READ else {}
            leaves[path] = Tool(verdict=verdict, values=leaf_values, denied=extra, trusting=trusting)
    for path, tool in (overrides or {}).items():
        leaves[path] = replace(tool, values=tool.values | leaf_values)
    own = replace(_nested(leaves, own_values, own_flags), values=own_values, flags=own_flags, bare=bare)
    return replace(own, asks=own.asks | names(asks))


def _nested(leaves: Mapping[str, Tool], values: frozenset[str], flags: frozenset[str]) -> Tool:
    verbs: dict[str, Tool] = {}
    deeper: dict[str, dict[str, Tool]] = {}
    for path, tool in leaves.items():
        first, _slash, rest = path.partition("/")
        if rest:
            deeper.setdefault(first, {})[rest] = tool
        else:
            verbs[first] = tool
    for first, below in deeper.items():
        # A verb that is both a leaf and a branch (`cluster-info`, `cluster-info dump`) is the leaf only when bare.
        alone = verbs[first].verdict if first in verbs else UNKNOWN
        verbs[first] = replace(_nested(below, values, flags), bare=alone)
    return Tool(values=values, flags=flags, verbs=verbs)
