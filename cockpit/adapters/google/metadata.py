"""The token of the service account that a machine of Google's runs as."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cockpit.adapters.google.signing import Fetched, Granted
from cockpit.adapters.http.api import Api, ApiOptions
from cockpit.errors import AccessDenied, AdapterError
from cockpit.words import _

if TYPE_CHECKING:
    import httpx

_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
_PATIENCE_S = 3.0


async def token_of_machine() -> Fetched:
    """The token of this machine's own account.

    Raises:
        AccessDenied: it is no machine of Google's, or has none.
    """
    host = os.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
    api = _Metadata(ApiOptions(url=f"http://{host}"), {}, _PATIENCE_S)
    try:
        granted = await api.ask(_PATH, {}, Granted)
    except AdapterError as error:
        raise AccessDenied(
            _("this machine is not signed in at Google: no gcloud, no key, no account of its own"),
            mend=_("gcloud auth login, or GOOGLE_APPLICATION_CREDENTIALS, or give credentials_file"),
        ) from error
    finally:
        await api.close()
    return Fetched(granted.access_token, granted.expires_in)


class _Metadata(Api):
    async def _signature(self) -> Mapping[str, str]:
        return {"metadata-flavor": "Google"}

    def _new_client(self) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False)  # no proxy stands between
