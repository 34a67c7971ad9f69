"""A message in the form that each service takes, so that people read what was previewed."""

from __future__ import annotations

import json
import re

from cockpit.errors import UsageError
from cockpit.words import _

_LONGEST = {"discord": 2_000, "slack": 40_000, "json": 100_000}
# What Slack reads as a mention or a link, where the author wrote one. Any other < is text: "<pod>" would be swallowed.
_SLACK_MARKUP = re.compile(
    r"(<(?:!(?:here|channel|everyone|subteam\^\w+)|@[UW]\w+|#C\w+|https?://[^\s<>|]+)(?:\|[^<>]*)?>)"
)


def payload_of(flavour: str, text: str) -> bytes:
    """The body of the request.

    Args:
        flavour: discord, slack or json.

    Raises:
        UsageError: it is empty, or longer than the service takes.
    """
    if not text.strip():
        raise UsageError(_("the message is empty"))
    size, most = len(text.encode("utf-16-le")) // 2, _LONGEST[flavour]  # as the services count
    if size > most:
        raise UsageError(
            _("the message has {size} characters, {most} at most").format(size=size, most=most),
            where=flavour,
            mend=_("make it shorter, or send it by hand"),
        )
    if flavour == "discord":
        return json.dumps({"content": text}).encode()
    return json.dumps({"text": _for_slack(text) if flavour == "slack" else text}).encode()


def _for_slack(text: str) -> str:
    return "".join(
        part if index % 2 else part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for index, part in enumerate(_SLACK_MARKUP.split(text))
    )
