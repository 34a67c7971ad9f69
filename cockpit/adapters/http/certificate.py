"""How long the certificate lasts that a server showed."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from cockpit.config.bound import Bound

if TYPE_CHECKING:
    import httpx

DAYS = "certificate_days"
"""The value's name, in thresholds too."""
RENEW_DAYS = 14.0
BOUNDS = (
    Bound(metric=DAYS, operator="<", bound=3.0, unit="d", level="red", over=1),
    Bound(metric=DAYS, operator="<", bound=RENEW_DAYS, unit="d", level="yellow", over=1),
)
_DAY_S = 86400.0


def days_left(response: httpx.Response) -> float | None:
    """Days until the certificate of the connection ends; None without TLS, or where that can't be known."""
    stream = response.extensions.get("network_stream")
    shown = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = shown.getpeercert() if shown is not None else None
    ends = certificate.get("notAfter") if certificate else None
    return round((ssl.cert_time_to_seconds(ends) - time.time()) / _DAY_S, 1) if ends else None
