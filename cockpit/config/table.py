"""From a table as written (TOML or front matter) to a typed value, refusing what is not known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from cockpit.errors import ConfigError
from cockpit.words import _

Shape = TypeVar("Shape", bound=msgspec.Struct)

_MISMATCH = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]+)`")
_NO_CHOICE = re.compile(r"Invalid enum value '(?P<got>.*)'")


def fields_of(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """The keys a table of that shape may have."""
    return tuple(field.encode_name for field in msgspec.structs.fields(shape))


def below(where: str, key: str) -> str:
    """The path of a key inside `where`, which is a file ("cockpit.toml: ") or another key's path."""
    return where + key if where.endswith(": ") else f"{where}.{key}"


def mapping(raw: object, where: str) -> dict[str, Any]:
    """The raw value as a table.

    Raises:
        ConfigError: it is something else, or has a key that is no string.
    """
    if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
        raise ConfigError(_("a table is expected here"), where=where, mend=_("write KEY = VALUE pairs"))
    return dict(raw)


def check_keys(raw: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse the first key that is not known, naming the nearest one that is.

    Raises:
        ConfigError: with the key's path in `where`.
    """
    keys = tuple(known)
    for key in raw:
        check_word(key, keys, below(where, key), _("unknown key {word}"))


def check_word(word: str, known: Iterable[str], where: str, message: str) -> None:
    """Refuse a word that is not among those known, naming the nearest one.

    Raises:
        ConfigError: with `message`, its {word} filled.
    """
    words = sorted(set(known))
    if word in words:
        return
    near = difflib.get_close_matches(word.lower().replace("-", "_"), words, n=1, cutoff=0.5)
    mend = (
        _("did you mean {word}?").format(word=near[0])
        if near
        else _("known here: {words}").format(words=", ".join(words))
    )
    raise ConfigError(message.format(word=word), where=where, mend=mend)


def typed(raw: object, shape: type[Shape], where: str) -> Shape:
    """The table as a value of that shape.

    Raises:
        ConfigError: unknown key, missing key or wrong type, with its path.
    """
    values = mapping(raw, where)
    check_keys(values, fields_of(shape), where)
    try:
        return msgspec.convert(values, shape)
    except msgspec.ValidationError as error:
        raise _plain(str(error), shape, where) from error


def _plain(message: str, shape: type[msgspec.Struct], where: str) -> ConfigError:
    what, _at, path = message.partition(" - at `$")
    where += path.rstrip("`")
    if found := _MISSING.search(what):
        key = found["key"]
        return ConfigError(_("{key} is missing").format(key=key), where=where, mend=_("add {key} = …").format(key=key))
    if found := _MISMATCH.search(what):
        told = _("{wanted} is expected here, not {got}")
        what = told.format(wanted=_called(found["wanted"]), got=_called(found["got"]))
    elif found := _NO_CHOICE.search(what):
        choices = get_args(get_type_hints(shape).get(path.rstrip("`").lstrip("."), None))
        mend = _("one of: {words}").format(words=", ".join(str(each) for each in choices if each))
        return ConfigError(_("{word} can't be chosen here").format(word=repr(found["got"])), where=where, mend=mend)
    return ConfigError(what, where=where, mend=_("mend the value"))


def _called(types: str) -> str:
    """Types by the words for what one writes."""
    words = {
        "int": _("a whole number"),
        "float": _("a number"),
        "str": _("a text in quotes"),
        "bool": _("true or false"),
        "array": _("a list in brackets"),
        "object": _("a table"),
    }
    return " / ".join(words.get(each, each) for each in types.split(" | ") if each != "null")
