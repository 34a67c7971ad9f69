"""The token of whoever gcloud is signed in as on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from cockpit.adapters.google.signing import Fetched
from cockpit.errors import AccessDenied, Malformed, TimedOut, ToolMissing
from cockpit.safety.environment import child_environment
from cockpit.words import _

_PATIENCE_S = 60.0
_SAID_CHARACTERS = 300


class _Credential(Struct, frozen=True):
    access_token: str = ""
    token_expiry: str | None = None


class _Told(Struct, frozen=True):
    credential: _Credential = _Credential()


async def token_of_gcloud(program: str) -> Fetched:
    """Ask gcloud, which renews what has expired.

    Args:
        program: its path.

    Raises:
        AccessDenied: it is signed in as nobody. TimedOut, Malformed, ToolMissing: as they say.
    """
    told, complaint, status = await _run(program, "config", "config-helper", "--format=json", "--quiet")
    if status:
        lines = complaint.decode("utf-8", "replace").strip().split("\n")
        raise AccessDenied(
            _("gcloud gives no token: {why}").format(why=lines[0].removeprefix("ERROR: ")[:_SAID_CHARACTERS]),
            mend="gcloud auth login",
        )
    try:
        credential = msgspec.json.decode(told, type=_Told).credential
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(_("what gcloud prints can't be understood"), mend="gcloud config config-helper") from error
    if not credential.access_token:
        raise AccessDenied(_("gcloud gives no token: {why}").format(why="-"), mend="gcloud auth login")
    return Fetched(credential.access_token, _lasts_s(credential.token_expiry))


def _lasts_s(expiry: str | None) -> float:
    try:
        moment = datetime.fromisoformat(expiry or "")
    except ValueError:
        return 0.0
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()


async def _run(*argv: str) -> tuple[bytes, bytes, int]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(os.environ),
            start_new_session=True,
        )
    except OSError as error:
        raise ToolMissing(_("gcloud can't be started: {error}").format(error=error), mend="gcloud --version") from error
    try:
        async with asyncio.timeout(_PATIENCE_S):
            told, complaint = await process.communicate()
    except TimeoutError as error:
        raise TimedOut(
            _("gcloud gave no token within {seconds:g} s").format(seconds=_PATIENCE_S), mend="gcloud auth login"
        ) from error
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return told, complaint, process.returncode or 0
