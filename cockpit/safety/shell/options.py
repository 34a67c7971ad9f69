"""Holding a command's words against its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cockpit.safety.shell.tool import Call, Tool
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.verdict import READ, UNKNOWN, Judgement, Verdict, of_verdict, reading, unknown, worst
from cockpit.words import _


@dataclass(slots=True)
class Reading:
    """A command's words sorted: options with their values, operands, and a word that could be either."""

    options: list[tuple[str, Word | None]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)
    unclear: Word | None = None

    def value(self, *option_names: str) -> Word | None:
        """The value of the last of the named options, if one was given with a value."""
        return next((value for name, value in reversed(self.options) if name in option_names and value), None)

    def has(self, *option_names: str) -> bool:
        """Whether one of the named options was given."""
        return any(name in option_names for name, _value in self.options)


def read_options(args: Sequence[Word], values: frozenset[str], *, long_single: bool = False) -> Reading:
    """Sort the words of a command, as getopt would that lets options stand anywhere."""
    reading = Reading()
    rest = iter(args)
    for word in rest:
        if not word.may_be_option or (word.constant and word.text == "-"):
            reading.operands.append(word)
        elif word.constant and word.text == "--":
            reading.operands.extend(rest)
        elif not word.text or (word.kind >= Kind.OUTPUT and "=" not in word.text):
            reading.unclear = reading.unclear or word
            reading.operands.append(word)
        else:
            wants_value = (
                _long(reading, word, values) if _is_long(word, long_single) else _cluster(reading, word, values)
            )
            if wants_value:
                value = next(rest, None)
                reading.options.append((wants_value, value))
                if value is not None and not value.single:
                    reading.unclear = value
    return reading


def _is_long(word: Word, long_single: bool) -> bool:
    return long_single or word.text.startswith("--")


def _long(reading: Reading, word: Word, values: frozenset[str]) -> str:
    """Take in a long option; its name, if its value is the next word."""
    name, equals, _text = word.text.partition("=")
    if equals:
        reading.options.append((name, word.without(len(name) + 1)))
        return ""
    if not word.constant:
        reading.unclear = word
    if name in values:
        return name
    reading.options.append((name, None))
    return ""


def _cluster(reading: Reading, word: Word, values: frozenset[str]) -> str:
    """Take in letters behind one dash; the name of the last, if its value is the next word."""
    for at, letter in enumerate(word.text[1:], start=1):
        name = f"-{letter}"
        if name not in values:
            reading.options.append((name, None))
        elif at + 1 < len(word.text) or not word.constant:
            reading.options.append((name, word.without(at + 1)))
            return ""
        else:
            return name
    if not word.constant:
        reading.unclear = word
    return ""


def judge_call(tool: Tool, call: Call, label: str) -> Judgement:
    """The judgement of a call under its rule. `label` is the command with its verbs, for the reasons."""
    if tool.verdict is UNKNOWN and call.args == (Word("--version"),):
        return of_verdict(READ, label)
    if tool.special:
        judged = tool.special(call, tool)
        return judged if judged.reasons else of_verdict(judged.verdict, label, *judged.tags, started=judged.commands)
    if tool.verbs:
        return _judge_verb(tool, call, label)
    if tool.harmless:
        return of_verdict(tool.verdict, label, *tool.tags)
    return _judge_options(tool, call.args, label)


def _judge_options(tool: Tool, args: Sequence[Word], label: str) -> Judgement:
    reading = read_options(args, tool.values, long_single=tool.long_single)
    parts = [of_verdict(tool.verdict, label, *tool.tags)]
    parts += (_judge_option(tool, name, label) for name, _value in reading.options)
    if (tool.unbounded_unless and not reading.has(*tool.unbounded_unless)) or reading.has(*tool.unbounded):
        parts.append(of_verdict(READ, label, "unbounded"))
    if tool.required and not reading.has(*tool.required):
        parts.append(of_verdict(UNKNOWN, label))
    picky = bool(tool.denied) or bool(tool.required) or tool.flags is not None or tool.operands is not None
    if picky and not tool.trusting and reading.unclear is not None:
        parts.append(unknown(_("{command}: a word built when it runs could be an option").format(command=label)))
    if tool.operands is not None and _count(reading.operands) > tool.operands:
        parts.append(of_verdict(tool.beyond, label))
    return worst(parts)


def _count(operands: Sequence[Word]) -> int:
    return sum(1 if word.single else 1000 for word in operands)


def _judge_option(tool: Tool, name: str, label: str) -> Judgement:
    verdict = _denied(tool, name)
    if verdict is not READ:
        return of_verdict(verdict, f"{label} {name}")
    if tool.flags is not None and name not in tool.flags and name not in tool.values and not name[1:].isdigit():
        return unknown(
            _("{command}: the option {option} is not known to be harmless").format(command=label, option=name)
        )
    return reading()


def _denied(tool: Tool, name: str) -> Verdict:
    """The verdict an option leads to. Long options may be cut short, so a beginning counts as the whole."""
    if name in tool.denied:
        return tool.denied[name]
    if name.startswith("--") and name not in tool.values and not (tool.flags and name in tool.flags):
        matches = [verdict for option, verdict in tool.denied.items() if option.startswith(name)]
        return max(matches, key=lambda verdict: verdict.rank, default=READ)
    return READ


def _judge_verb(tool: Tool, call: Call, label: str) -> Judgement:
    args = list(call.args)
    if args and args[-1] == Word("--help") and not (len(args) > 1 and args[-2].may_be_option):
        return of_verdict(READ, label)
    if len(args) == 1 and _asks(tool, args):
        return of_verdict(READ, label)
    at = _verb_index(tool, args)
    if at == len(args):
        return of_verdict(READ if _asks(tool, args) else tool.bare, label)
    if at is None or not args[at].constant:
        return unknown(_("{command}: which sub-command runs is not certain").format(command=label))
    verb = args[at].text
    below = tool.verbs.get(verb)
    if below is None:
        return unknown(_("{command} {verb} is not known to be read-only").format(command=label, verb=verb))
    inner = Call(
        call.name,
        tuple(args[:at] + args[at + 1 :]) if not below.verbs else tuple(args[at + 1 :]),
        call.stdin,
        call.shell,
    )
    return judge_call(below, inner, f"{label} {verb}")


def _asks(tool: Tool, args: Sequence[Word]) -> bool:
    """Whether the words only ask for the version or for help."""
    return bool(args) and all(word.constant and word.text in tool.asks for word in args)


def _verb_index(tool: Tool, args: list[Word]) -> int | None:
    """Where the verb stands: behind options that are all known. None: not certain. len(args): there is none."""
    at = 0
    while at < len(args):
        word = args[at]
        if not word.may_be_option:
            return at
        name, equals, _rest = word.text.partition("=")
        if not word.constant and not (equals and word.kind <= Kind.DATA):
            return None
        if name in tool.values:
            at += 1 if equals else 2
            if not equals and (at > len(args) or not args[at - 1].single):
                return None
        elif (tool.flags is not None and name in tool.flags) or (
            len(name) > 2 and name[:2] in tool.values and name[1] != "-"
        ):
            at += 1
        else:
            return None
    return at
