"""The values of a runbook's inputs. Plain ones live in the record; secret ones in this process only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.session.record.secrets import SecretBook
from cockpit.session.record.state import SessionState
from cockpit.words import _

# Far more than any word of a command holds, and little enough that every record it gets into can be written.
LONGEST_BYTES = 8 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def check_value(name: str, value: str) -> None:
    """Refuse a value that no command could take.

    Raises:
        UsageError: it is too long, or holds a control character.
    """
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > LONGEST_BYTES:
        raise UsageError(
            _("the value of {name} is too long: {size} bytes, {most} at most").format(
                name=name, size=size, most=LONGEST_BYTES
            ),
            mend=_("put it into a file, and give the name of that"),
        )
    if _CONTROL.search(value):
        raise UsageError(_("the value of {name} holds a control character").format(name=name))


class InputBook:
    """What was filled in so far, as far as the record may not hold it."""

    def __init__(self, inputs: Sequence[Input], secrets: SecretBook) -> None:
        self._inputs = {blank.name: blank for blank in inputs}
        self._secrets = secrets
        self._secret_values: dict[str, str] = {}

    def values(self, state: SessionState, environment: Mapping[str, str]) -> dict[str, str]:
        """Every value by input name; a secret that an earlier host was told is not among them: ask again.

        Args:
            environment: what a `$NAME` that nobody filled in would hold anyway: the operator's variables, and what
                earlier steps exported.
        """
        known = {
            name: environment[name]
            for name, blank in self._inputs.items()
            if blank.style == "dollar" and environment.get(name)
        }
        plain = {name: value for name, value in state.inputs.items() if name not in state.secret_inputs}
        return {**known, **plain, **self._secret_values}

    def shown(self, name: str, value: str) -> str:
        """The value as a screen or a record may hold it."""
        blank = self._inputs.get(name)
        if name in self._secret_values or (blank and blank.secret):
            return _("[secret]")
        return self._secrets.redact(value)

    def typed(self, name: str) -> str:
        """A secret input's value.

        Raises:
            UsageError: there is none.
        """
        if name not in self._secret_values:
            raise UsageError(
                _("no secret value of {name} is known here").format(name=name),
                mend=_("what was typed is kept in the host's memory only; fill it in again"),
            )
        return self._secret_values[name]

    def fill(self, name: str, value: str) -> tuple[str, bool]:
        """Take a value; returns it as the record may hold it, and whether it is secret.

        Raises:
            UsageError: the runbook has no such input, or no command could take the value.
        """
        check_value(name, value)
        blank = self._inputs.get(name)
        if blank is None:
            raise UsageError(
                _("the runbook has no input {name}").format(name=name),
                mend=_("its inputs: {names}").format(names=", ".join(self._inputs) or "-"),
            )
        # A record that holds half of an address would have the next step run with that half.
        secret = blank.secret or self._secrets.holds_secret(name, value)
        self._secret_values.pop(name, None)
        if secret:
            self._secret_values[name] = value
            self._secrets.learn([value])
        return self.shown(name, value), secret
