"""Access tokens of Google Cloud: fetched once, kept until shortly before they end, shared by all that sign in alike.

gcloud takes a second to start, so it is asked for a token now and then and not for every answer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from cockpit.adapters.google.gcloud import token_of_gcloud
from cockpit.adapters.google.metadata import token_of_machine
from cockpit.adapters.google.options import GoogleOptions
from cockpit.adapters.google.signing import Fetched, token_of_file
from cockpit.adapters.step_program.credentials import from_environment, from_file
from cockpit.safety.environment import fixed_path

_EARLIER_S = 120.0
_AT_LEAST_S, _AT_MOST_S = 30.0, 3000.0

Key = tuple[str, str, str]


class Tokens:
    """One sign-in. A fetch outlives the look that began it, so that a slow gcloud costs one look and not every one.

    Args:
        fetch: gets a token, whatever that takes.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Fetched]]) -> None:
        self._fetch = fetch
        self._held = ""
        self._until_m = 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def token(self) -> str:
        """A token that holds for a while.

        Raises:
            CockpitError: there is none to be had.
        """
        if self._held and time.monotonic() < self._until_m:
            return self._held
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.ensure_future(self._fetched())
            self._fetching.add_done_callback(_looked_at)
        return await asyncio.shield(self._fetching)

    def spoil(self, token: str) -> None:
        """It was refused: get another next time."""
        if self._held == token:
            self._held = ""

    async def _fetched(self) -> str:
        found = await self._fetch()
        self._held = found.text
        kept_s = min(_AT_MOST_S, max(_AT_LEAST_S, found.lasts_s - _EARLIER_S))
        self._until_m = time.monotonic() + kept_s
        return found.text


def _looked_at(task: asyncio.Task[str]) -> None:
    """Nobody may be left to hear of its failure; the next who asks tries again."""
    if not task.cancelled():
        task.exception()


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Tokens]] = WeakKeyDictionary()


def tokens_of(options: GoogleOptions) -> Tokens:
    """The sign-in that the options say, shared by all probes of this loop that have the same."""
    held = _SHARED.setdefault(asyncio.get_running_loop(), {})
    key = (options.token_env, options.token_file, options.credentials_file)
    return held.setdefault(key, Tokens(lambda: _fetch(*key)))


async def _fetch(token_env: str, token_file: str, credentials_file: str) -> Fetched:
    # What stands somewhere may be renewed there at any time.
    if token_env:
        return Fetched(from_environment(token_env, "token_env"), 0.0)
    if token_file:
        return Fetched(from_file(token_file, "token_file"), 0.0)
    if credentials_file:
        return await token_of_file(credentials_file, "credentials_file")
    if named := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", ""):
        return await token_of_file(named, "GOOGLE_APPLICATION_CREDENTIALS")
    if gcloud := shutil.which("gcloud", path=fixed_path(os.environ.get("PATH", ""))):
        return await token_of_gcloud(gcloud)
    return await token_of_machine()
