"""Tokens for what a credentials file holds: a service account's key, or a person's refresh token."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.adapters.http.address import is_http
from cockpit.adapters.http.api import Api, ApiOptions
from cockpit.errors import AccessDenied, ConfigError, Declined
from cockpit.words import _

_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LASTS_S = 3600
_LARGEST_BYTES = 1 << 16
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token, and for how many seconds it holds; 0 where that is not known."""

    text: str
    lasts_s: float


class Granted(Struct, frozen=True):
    """What a token's server answers."""

    access_token: str
    expires_in: float = 0.0


class _Credentials(Struct, frozen=True):
    type: str = ""
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    token_uri: str = _TOKEN_URI
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""


async def token_of_file(path: str, key: str) -> Fetched:
    """A token for the account of a credentials file.

    Args:
        key: the option or variable that names it, for messages.

    Raises:
        ConfigError: it can't be read, others may read it, or it is of a kind that only gcloud can use.
        AccessDenied: it is no longer accepted. AdapterError: the token's server can't be asked.
    """
    where = f"{key}: {path}"
    held = _read(path, where)
    if not is_http(held.token_uri):
        raise ConfigError(_("not an http address: {url}").format(url=held.token_uri[:80]), where=where)
    if held.type == "service_account":
        form = {"grant_type": _GRANT, "assertion": _assertion(held, where)}
    elif held.type == "authorized_user":
        form = {"grant_type": "refresh_token", "refresh_token": held.refresh_token}
        form |= {"client_id": held.client_id, "client_secret": held.client_secret}
    else:
        raise ConfigError(
            _("credentials of the type {type} can't be used here").format(type=repr(held.type)),
            where=where,
            mend=_("sign gcloud in with it (gcloud auth login --cred-file), and leave it out here"),
        )
    api = Api(ApiOptions(url=held.token_uri), {}, _PATIENCE_S)
    try:
        granted = await api.ask("", form, Granted, post=True)
    except Declined as error:
        raise AccessDenied(
            _("these credentials are no longer accepted: {why}").format(why=error.what),
            where=where,
            mend=_("make a new key, or sign in again; is this machine's clock right?"),
        ) from error
    finally:
        await api.close()
    return Fetched(granted.access_token, granted.expires_in)


def _read(written: str, where: str) -> _Credentials:
    path = Path(written).expanduser()
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) or info.st_size > _LARGEST_BYTES:
            raise ConfigError(_("not a small file"), where=where)
        if info.st_mode & 0o077:
            raise ConfigError(_("others may read this secret"), where=where, mend=f"chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=_Credentials)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(_("it can't be read: {error}").format(error=error), where=where) from error


def _assertion(held: _Credentials, where: str) -> str:
    """What the account says of itself, signed with its key (RFC 7523)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    now = int(time.time())
    claims = {"iss": held.client_email, "scope": _SCOPE, "aud": held.token_uri, "iat": now, "exp": now + _LASTS_S}
    said = f"{_packed({'alg': 'RS256', 'typ': 'JWT', 'kid': held.private_key_id})}.{_packed(claims)}"
    try:
        key = load_pem_private_key(held.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(_("its private key is none"), where=where, mend=_("make a new key"))
    return f"{said}.{_text(key.sign(said.encode(), PKCS1v15(), SHA256()))}"


def _packed(claims: Mapping[str, Any]) -> str:
    return _text(json.dumps(claims, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
