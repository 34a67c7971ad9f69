"""How long a server's certificate lasts, as the panel tells it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from cockpit.config import ProbeConfig
from cockpit.config.bound import parse_bound
from cockpit.monitor.registry import build
from cockpit.monitor.sample import Level
from tests.servers.server import require
from tests.unit.monitor.test_http import UP, Service, reply


def trusted(folder: Path, days: int) -> ssl.SSLContext:
    """A certificate of localhost for so many days, which is trusted as its own authority: `folder`/cert.pem."""
    (openssl,) = require("openssl")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(
    ("days", "thresholds", "level"),
    [
        (200, (), Level.GREEN),
        (10, (), Level.YELLOW),
        (2, (), Level.RED),
        (20, ("certificate_days < 30 yellow",), Level.YELLOW),
        (2, ("certificate_days < 1 red",), Level.GREEN),
    ],
)
async def test_a_certificate_about_to_end_is_told_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, thresholds: tuple[str, ...], level: Level
) -> None:
    served = Service(trusted(tmp_path, days))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    for name in ("https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    bounds = tuple(parse_bound(written, "test") for written in thresholds)
    config = ProbeConfig(name="web", kind="http", thresholds=bounds, options={"url": f"{served.url}/h"})
    probe = build(config, lambda text: text)
    try:
        served.answers["/h"] = reply(200, UP)
        sample = await probe.sample()
    finally:
        await probe.close()
        served.close()
    (left,) = (reading for reading in sample.readings if reading.name == "certificate_days")
    assert isinstance(left.value, float)
    assert days - 1 <= left.value <= days
    assert (left.level, sample.level) == (level, level)
    assert ("certificate ends in" in sample.text) == (days < 14)
    assert bool(sample.mend) == (days < 14)
