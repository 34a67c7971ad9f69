"""The values of a runbook's inputs. Plain ones live in the record; secret ones in this process only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cockpit.errors import UsageError
from cockpit.runbook.model import Input
from cockpit.session.secrets import SecretBook
from cockpit.session.state import SessionState
from cockpit.words import _


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
        return _("[secret]") if name in self._secret_values or (blank and blank.secret) else value

    def fill(self, name: str, value: str) -> tuple[str, bool]:
        """Take a value; returns it as the record may hold it, and whether it is secret.

        Raises:
            UsageError: the runbook has no such input.
        """
        blank = self._inputs.get(name)
        if blank is None:
            raise UsageError(
                _("the runbook has no input {name}").format(name=name),
                mend=_("its inputs: {names}").format(names=", ".join(self._inputs) or "-"),
            )
        if blank.secret:
            self._secret_values[name] = value
            self._secrets.learn([value])
        return self.shown(name, value), blank.secret
