"""Tokens of Google Cloud: from where they come, how long they are kept, and to whom they go."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cockpit.adapters.google.api import GoogleApi
from cockpit.adapters.google.options import GoogleOptions, check
from cockpit.adapters.google.signing import Fetched
from cockpit.adapters.google.tokens import Tokens, tokens_of
from cockpit.errors import AccessDenied, ConfigError, Malformed, PolicyRefusal
from tests.servers.google import PROJECT, TOKEN, GoogleServer, claims_of, google_server
from tests.waiting import until

GOOGLE = "https://run.googleapis.com"


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    with google_server() as made:
        yield made


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that is signed in as nobody, and has no gcloud."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def options(**given: str) -> GoogleOptions:
    return GoogleOptions(project=PROJECT, **given)


def private(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def gcloud(folder: Path, script: str) -> None:
    path = folder / "bin" / "gcloud"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def told(token: str, expiry: str = "null") -> str:
    return f"""echo '{{"credential": {{"access_token": "{token}", "token_expiry": {expiry}}}}}'"""


async def test_a_file_is_read_again_for_what_was_renewed_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    held = tokens_of(options(token_file=private(file, "first\n")))
    assert await held.token() == "first"

    private(file, "second\n")
    assert await held.token() == "first"
    held.spoil("first")

    assert await held.token() == "second"


async def test_gcloud_is_asked_once_and_shared(tmp_path: Path) -> None:
    gcloud(tmp_path, f"echo x >> {tmp_path}/asked; {told('ya29.once')}")

    first = await asyncio.gather(*(tokens_of(options()).token() for _probe in range(5)))

    assert set(first) == {"ya29.once"}
    assert (tmp_path / "asked").read_text() == "x\n"


async def test_a_token_that_is_about_to_end_is_not_kept_for_long() -> None:
    count = 0

    async def fetch() -> Fetched:
        nonlocal count
        count += 1
        return Fetched(f"t{count}", 3600.0)

    tokens = Tokens(fetch)
    assert [await tokens.token(), await tokens.token()] == ["t1", "t1"]
    tokens._until_m = 0.0
    assert await tokens.token() == "t2"


async def test_a_slow_gcloud_costs_one_look_and_not_the_next(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    gcloud(tmp_path, f"read x < {tmp_path}/gate; {told('ya29.slow')}")
    tokens = tokens_of(options())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tokens.token()
    fetching = tokens._fetching
    await asyncio.to_thread((tmp_path / "gate").write_text, "go\n")

    assert await tokens.token() == "ya29.slow"
    assert tokens._fetching is fetching


async def test_what_gcloud_complains_of_is_told(tmp_path: Path) -> None:
    gcloud(tmp_path, "echo 'ERROR: (gcloud) You do not currently have an active account selected.' >&2; exit 1")

    with pytest.raises(AccessDenied, match="active account") as caught:
        await tokens_of(options()).token()

    assert caught.value.mend == "gcloud auth login"


async def test_a_gcloud_that_prints_nonsense_is_told(tmp_path: Path) -> None:
    gcloud(tmp_path, "echo '<html>'")
    with pytest.raises(Malformed, match="gcloud"):
        await tokens_of(options()).token()


async def test_a_machine_that_is_signed_in_as_nobody_says_how_to_mend_it() -> None:
    with pytest.raises(AccessDenied, match="not signed in") as caught:
        await tokens_of(options()).token()
    assert "gcloud auth login" in caught.value.mend


@functools.cache
def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def key_file(path: Path, server: GoogleServer, **changes: Any) -> tuple[str, rsa.RSAPrivateKey]:
    key = a_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    written = {"type": "service_account", "client_email": "cockpit@my-project.example", "private_key": pem}
    written |= {"private_key_id": "k1", "token_uri": f"{server.url}/token", **changes}
    return private(path, json.dumps(written)), key


async def test_a_service_accounts_key_signs_for_a_token(server: GoogleServer, tmp_path: Path) -> None:
    path, key = key_file(tmp_path / "key.json", server)

    assert await tokens_of(options(credentials_file=path)).token() == TOKEN

    (form,) = server.granted
    claims = claims_of(form["assertion"])
    assert (claims["iss"], claims["aud"]) == ("cockpit@my-project.example", f"{server.url}/token")
    assert claims["exp"] - claims["iat"] == 3600
    said, _dot, signature = form["assertion"].rpartition(".")
    signed = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.public_key().verify(signed, said.encode(), padding.PKCS1v15(), SHA256())


async def test_the_variable_that_googles_own_tools_read_is_read(
    server: GoogleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "1//r"}
    path = private(tmp_path / "adc.json", json.dumps(person | {"token_uri": f"{server.url}/token"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", path)

    assert await tokens_of(options()).token() == TOKEN
    assert server.granted == [
        {"grant_type": "refresh_token", "refresh_token": "1//r", "client_id": "c", "client_secret": "s"}
    ]


async def test_a_key_that_was_withdrawn_is_told(server: GoogleServer, tmp_path: Path) -> None:
    path, _key = key_file(tmp_path / "key.json", server)
    server.refuse_grant = "invalid_grant"

    with pytest.raises(AccessDenied, match="invalid_grant") as caught:
        await tokens_of(options(credentials_file=path)).token()

    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told_of"),
    [
        ({"type": "external_account"}, "external_account"),
        ({"private_key": "none"}, "private key"),
        ({"token_uri": "file:///etc/passwd"}, "not an http address"),
    ],
)
async def test_a_key_file_that_can_not_be_used_is_refused(
    server: GoogleServer, tmp_path: Path, changes: dict[str, str], told_of: str
) -> None:
    path, _key = key_file(tmp_path / "key.json", server, **changes)
    with pytest.raises(ConfigError, match=told_of):
        await tokens_of(options(credentials_file=path)).token()


async def test_a_key_file_that_others_may_read_is_refused(server: GoogleServer, tmp_path: Path) -> None:
    path, _key = key_file(tmp_path / "key.json", server)
    Path(path).chmod(0o644)
    with pytest.raises(ConfigError, match="others may read"):
        await tokens_of(options(credentials_file=path)).token()


async def test_a_machine_of_googles_has_an_account_of_its_own(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.servers.misbehaving import misbehaving

    with misbehaving() as metadata:
        metadata.says(json.dumps({"access_token": "ya29.machine", "expires_in": 1800}).encode())
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{metadata.port}")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

        assert await tokens_of(options()).token() == "ya29.machine"
        assert b"metadata-flavor: google" in metadata.requests[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "http://run.googleapis.com",
        "https://run.googleapis.com.evil.example",
        "https://evilgoogleapis.com",
        "http://127.0.0.1:8080",
    ],
)
def test_the_sign_in_of_this_machine_goes_to_google_alone(url: str) -> None:
    with pytest.raises(ConfigError, match="no other address"):
        check(options(), url)
    check(options(token_env="MY_TOKEN"), url)


@pytest.mark.parametrize("url", [GOOGLE, "https://us-central1-run.googleapis.com", "https://run-x.p.googleapis.com"])
def test_every_address_of_googles_will_do(url: str) -> None:
    check(options(), url)


@pytest.mark.parametrize("project", ["", "a/b", "../x", "My Project"])
def test_what_is_no_project_is_refused(project: str) -> None:
    with pytest.raises(ConfigError, match="no project"):
        check(GoogleOptions(project=project), GOOGLE)


async def test_nothing_but_questions_leaves(server: GoogleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    api = GoogleApi(options(token_env="MY_TOKEN"), server.url, 5.0)

    for method, path in [("PUT", "/v2/x"), ("DELETE", "/v2/x"), ("POST", "/v2/x"), ("POST", "/v2/entries:write")]:
        with pytest.raises(PolicyRefusal):
            await api._exchange(method, path)
    await api.close()

    assert server.asked == []


async def test_a_token_that_expired_early_is_renewed_and_the_question_asked_again(
    server: GoogleServer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    given = options(token_file=private(file, "ya29.old"))
    await tokens_of(given).token()
    private(file, TOKEN)
    api = GoogleApi(given, server.url, 5.0)

    service = await api.fetch(f"/v2/projects/{PROJECT}/locations/us-central1/services/ion-api-canary")
    await api.close()

    assert b"terminalCondition" in service
    assert len(server.asked) == 2


async def test_a_fetch_that_nobody_waits_for_any_more_leaves_no_noise(tmp_path: Path) -> None:
    gcloud(tmp_path, "exit 3")
    tokens = tokens_of(options())
    with pytest.raises((TimeoutError, AccessDenied)):
        async with asyncio.timeout(0):
            await tokens.token()
    fetching = tokens._fetching
    await until(lambda: fetching is None or fetching.done())
