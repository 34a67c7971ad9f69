"""What must never be written down in this session, and the masking of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cockpit.safety.redaction import Redactor, secrets_of_environment


class SecretBook:
    """The secret values the session knows. They live in the host's memory and nowhere else."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._values: list[str] = list(secrets_of_environment(environment))
        self._redactor = Redactor(self._values)

    @property
    def values(self) -> tuple[str, ...]:
        """Every known secret, for a runner's redactor."""
        return tuple(self._values)

    def learn(self, values: Iterable[str]) -> None:
        """Mask these from now on."""
        new = [value for value in values if value and value not in self._values]
        if new:
            self._values += new
            self._redactor = Redactor(self._values)

    def redact(self, text: str) -> str:
        """The text with every known secret and secret-looking pattern masked."""
        return self._redactor.redact(text)
