"""From the words of an action to an operation's parameters, as its own model describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from cockpit.adapters.aws import shorthand
from cockpit.errors import UsageError
from cockpit.safety.action_words import ActionWord
from cockpit.safety.aws.action import letters
from cockpit.words import _

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def parameters_of(
    shape: Any, options: Mapping[str, tuple[ActionWord, ...]], values: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters that options stand for. Args: shape: botocore's input shape, or None.

    Raises:
        UsageError: there is no such parameter, or the words are none of its values.
    """
    members = shape.members if shape else {}
    by_letters = {letters(name): name for name in members}
    found: dict[str, Any] = {}
    for option, words in options.items():
        name, negated = by_letters.get(letters(option)), False
        if name is None and option.startswith("no-"):
            name, negated = by_letters.get(letters(option[3:])), True
        if name is None:
            raise UsageError(
                _("there is no parameter --{name}").format(name=option),
                mend=_("there are {names}").format(names=", ".join(members) or "-"),
            )
        texts = [word.filled(values) for word in words]
        found[name] = (
            not negated if not texts and members[name].type_name == "boolean" else _value(members[name], texts, option)
        )
    return found


def taken_apart(
    service: str, operation: str, options: Mapping[str, tuple[ActionWord, ...]], values: Mapping[str, str]
) -> tuple[Mapping[str, tuple[ActionWord, ...]], dict[str, Any]]:
    """The options without such as only the command line has, and the parameters that those stand for."""
    if (service, operation) != ("cloudfront", "CreateInvalidation") or "paths" not in options:
        return options, {}
    paths = [word.filled(values) for word in options["paths"]]
    batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": f"cockpit-{token_hex(8)}"}
    return {name: words for name, words in options.items() if name != "paths"}, {"InvalidationBatch": batch}


def _value(shape: Any, texts: Sequence[str], option: str) -> Any:
    kind = shape.type_name
    if kind == "list" and not (len(texts) == 1 and texts[0].lstrip().startswith("[")):
        return [_value(shape.member, [text], option) for text in texts]
    if len(texts) != 1:
        raise UsageError(_("--{name} wants one value").format(name=option))
    text = texts[0]
    if text.startswith(("file://", "fileb://")):
        raise UsageError(
            _("--{name} would read a file, which nobody has confirmed").format(name=option),
            mend=_("write its content here, in single quotes"),
        )
    if kind in ("structure", "map", "list"):
        return _structure(shape, text, option)
    return _scalar(kind, text, option)


def _scalar(kind: str, text: str, option: str) -> Any:
    if kind in _NUMBERS:
        try:
            return _NUMBERS[kind](text)
        except ValueError as error:
            raise UsageError(
                _("{option} wants a number, not {value}").format(option=f"--{option}", value=repr(text))
            ) from error
    if kind == "boolean":
        if text not in ("true", "false"):
            raise UsageError(_("--{name} is true or false").format(name=option))
        return text == "true"
    return text.encode() if kind == "blob" else text


def _structure(shape: Any, text: str, option: str) -> Any:
    """JSON, or the short form `Name=a,Values=b,c`."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(_("--{name} is no JSON: {error}").format(name=option, error=error)) from error
    try:
        return _shaped(shape, shorthand.read(text), option)
    except UsageError as error:
        raise UsageError(f"--{option}: {error.what}", mend=error.mend) from error


def _shaped(shape: Any, value: shorthand.Value, option: str) -> Any:
    """A value of the short form as the operation's model has it: one that stands alone is a list too."""
    kind = shape.type_name
    if kind == "list":
        return [_shaped(shape.member, one, option) for one in (value if isinstance(value, list) else [value])]
    if kind in ("structure", "map"):
        if not isinstance(value, dict):
            raise UsageError(_("it wants JSON, or NAME=value"))
        if kind == "map":
            return {key: _shaped(shape.value, one, option) for key, one in value.items()}
        absent = sorted(value.keys() - shape.members.keys())
        if absent:
            raise UsageError(
                _("it has no member {member}").format(member=absent[0]),
                mend=_("there are {names}").format(names=", ".join(shape.members)),
            )
        return {key: _shaped(shape.members[key], one, option) for key, one in value.items()}
    if isinstance(value, dict):
        raise UsageError(_("it wants one value"))
    return _scalar(kind, value if isinstance(value, str) else ",".join(map(str, value)), option)
