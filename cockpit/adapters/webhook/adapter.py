"""Messages to people: a message step's text to one channel of Discord, Slack or anything that takes JSON.

[target.incident-response]
kind = "webhook"
flavour = "slack"            # or "discord"; without it "json": {"text": "…"}
url_env = "INCIDENT_WEBHOOK" # or url_file: who knows the address can post, so it is never in this file
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.wire import require_library
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.credentials import from_environment, from_file
from cockpit.adapters.step_program.page import Page
from cockpit.adapters.webhook.payload import payload_of
from cockpit.errors import ConfigError, PolicyRefusal, UsageError
from cockpit.safety.http_request import Location, located
from cockpit.words import _


class WebhookOptions(Struct, frozen=True, kw_only=True):
    """Keys of a target of kind "webhook"."""

    flavour: Literal["json", "discord", "slack"] = "json"
    url_env: str = ""
    url_file: str = ""
    ca_file: str = ""
    timeout_s: float = 60.0


class WebhookAdapter(StepProgram[WebhookOptions]):
    """Posts a message, once; again only where the service itself says that it took none of it."""

    name = "webhook"
    languages = frozenset({"message"})
    Options: ClassVar[type[Struct]] = WebhookOptions

    def __init__(self, options: WebhookOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        if bool(options.url_env) == bool(options.url_file):
            raise ConfigError(_("give one of {keys}").format(keys="url_env, url_file"))
        if not 0.1 <= options.timeout_s <= 3600:
            raise ConfigError(_("{value} s is out of range").format(value=options.timeout_s), where="timeout_s")

    def credentials(self) -> dict[str, str]:
        """The address. See `StepProgram.credentials`."""
        options = self.options
        if options.url_env:
            return {"url": from_environment(options.url_env, "url_env")}
        return {"url": from_file(options.url_file, "url_file")}

    def other_secrets(self) -> Sequence[str]:
        """The path alone: it is what lets somebody post."""
        try:
            path = urlsplit(self.credentials()["url"]).path
        except (ConfigError, ValueError):
            return ()
        return [path] if len(path) > 8 else []

    def perform(self, task: Task, page: Page) -> None:
        """Send the message. See `StepProgram.perform`."""
        import asyncio

        if task.read_only:
            raise PolicyRefusal(_("a message is not sent by a step that reads"))
        require_library()
        from cockpit.adapters.webhook.sending import Sending

        options, place = self.options, self._place(task)
        payload = payload_of(options.flavour, task.body)
        still = task.require_still_permitted
        asyncio.run(Sending(options.flavour, options.ca_file, options.timeout_s, page, still).run(place, payload))

    def enforced(self, task: Task) -> Enforcement:
        """Whoever has the address can post, so it is always this tool; asked is only whether something answers."""
        import asyncio

        require_library()
        from cockpit.adapters.webhook.sending import enquire

        asyncio.run(enquire(self._place(task), self.options.ca_file, self.options.timeout_s))
        return Enforcement("tool", _("whoever knows this address can post; in read-only mode nothing is sent"))

    def _place(self, task: Task) -> Location:
        """Where to. Over plain HTTP everybody on the way would know the address from then on.

        Raises:
            ConfigError: it is no address, or not one to give away.
        """
        try:
            place = located(task.credentials["url"])
        except UsageError as error:
            raise ConfigError(error.what, where=self.options.url_env or self.options.url_file) from error
        if place.scheme == "http" and not _is_near(place.host):
            raise ConfigError(
                _("the address of a webhook is a secret, and http gives it away"),
                where=place.name,
                mend=_("use https"),
            )
        return place


def _is_near(host: str) -> bool:
    """Whether a host is of this machine, or of a private network."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".internal", ".local", ".localhost"))
