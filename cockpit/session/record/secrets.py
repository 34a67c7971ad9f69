"""What must never be written down in this session, and the masking of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cockpit.adapters.step_program.credentials import secrets_named
from cockpit.safety.redaction.redactor import Known, Redactor, secrets_of_environment

if TYPE_CHECKING:
    from cockpit.config import Config

_SECRET_HEADER = re.compile(r"authoriz|cookie|token|key|secret|passw|credential|signature|session|jwt", re.IGNORECASE)
_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey|negotiate)\s+", re.IGNORECASE)


class SecretBook:
    """The secret values the session knows. They live in the memory of the host and of its viewers, and nowhere else.

    `on_new` is called when there are more of them.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._values: list[str] = list(secrets_of_environment(environment))
        self._redactor = Redactor(self._values)
        self.on_new: Callable[[], None] = lambda: None

    @property
    def values(self) -> tuple[str, ...]:
        """Every known secret, for the redactor of a runner or a viewer."""
        return tuple(self._values)

    @property
    def known(self) -> Known:
        """What is known of them, for the redactor of a stream that is read here."""
        return self._redactor.known

    def learn(self, values: Iterable[str]) -> None:
        """Mask these from now on."""
        new = [value for value in dict.fromkeys(values) if value and value not in self._values]
        if new:
            self._values += new
            self._redactor = Redactor(self._values)
            self.on_new()

    def redact(self, text: str) -> str:
        """The text with every known secret and secret-looking pattern masked."""
        return self._redactor.redact(text)

    def holds_secret(self, name: str, value: str) -> bool:
        """Whether a value of that name is secret, or has something secret in it."""
        return any(self.redact(text) != text for text in (value, f"{name}={value}"))


def redacted(data: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """JSON values with every text masked, by itself and as the value of its key.

    The keys of the first level are our own words; those below are names of inputs and the like.
    """
    return {key: _redacted(value, redact) for key, value in data.items()}


def _redacted(value: Any, redact: Callable[[str], str], name: str = "") -> Any:
    if isinstance(value, str):
        named = f"{name}={value}"
        return redact(value) if not name or redact(named) == named else redact(named).removeprefix(f"{name}=")
    if isinstance(value, Mapping):
        return {key: _redacted(inner, redact, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner, redact) for inner in value]
    return value


def secrets_of_config(config: Config) -> tuple[str, ...]:
    """The secret values of cockpit.toml: header values, passwords in addresses, keys that say so; those of probes that
    an environment variable or a file holds."""
    pattern = Redactor()
    options = [probe.options for probe in config.probes] + [target.options for target in config.targets]
    named = [value for probe in config.probes for value in secrets_named(probe.options)]
    return tuple(dict.fromkeys([*named, *(value for each in options for value in _in_table(each, pattern))]))


def _in_table(table: Mapping[str, Any], pattern: Redactor) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _in_headers(value) if key == "headers" else ()
            yield from _in_table(value, pattern)
        elif isinstance(value, list | tuple):
            yield from _in_table({f"{key}_{number}": each for number, each in enumerate(value)}, pattern)
        elif isinstance(value, str) and not key.endswith(("_env", "_file")):
            yield from secrets_of_environment({key.upper().replace("-", "_"): value})
            yield from pattern.values_in(value)


def _in_headers(headers: Mapping[str, Any]) -> Iterator[str]:
    for name, value in headers.items():
        if not isinstance(value, str) or not _SECRET_HEADER.search(name) or "${" in value:
            continue
        scheme = _SCHEME.match(value)
        token = value[scheme.end() :] if scheme else value
        yield token
        if scheme and scheme[0].lower().startswith("basic"):
            yield from _of_basic(token)


def _of_basic(token: str) -> Iterator[str]:
    try:
        yield base64.b64decode(token, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return
