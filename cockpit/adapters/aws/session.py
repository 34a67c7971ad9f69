"""Clients of AWS services through boto3, and the same sealed: clients that can send nothing but reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from cockpit.adapters.aws.credentials import tame
from cockpit.adapters.aws.failure import as_our_errors, no_credentials, unreadable
from cockpit.adapters.step_program.adapter import only_reads
from cockpit.adapters.step_program.sent import Sent
from cockpit.errors import UsageError
from cockpit.safety.aws.action import kebab, letters
from cockpit.safety.aws.judgement import judge_operation
from cockpit.safety.verdict import Verdict
from cockpit.words import _

_CONNECTIONS = 25


class Patience(Struct, frozen=True):
    """How long one request may take to connect and to answer, and how often one that reads is sent at most."""

    connect_s: float = 5.0
    read_s: float = 60.0
    attempts: int = 3


class AwsOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """[target.NAME] of kind aws. Empty ones are what boto3 would use. `endpoint_url` is for an emulator."""

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""


class Account:
    """One account and region, as one user; threads may share it. `sent` tells whether something may have changed.

    Raises:
        ConfigError: there is no such profile, or no region.
    """

    def __init__(self, options: AwsOptions, *, sealed: bool, patience: Patience | None = None) -> None:
        import boto3

        self._options = options
        self._sealed = sealed
        self._patience = patience or Patience()
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self.sent = Sent()
        with as_our_errors():
            self._session = boto3.Session(profile_name=options.profile or None, region_name=options.region or None)
            tame(self._session, self._config(attempts=2))

    def sealed_twin(self) -> Account:
        """The same account with clients that can send nothing but reads, and send those again where that helps."""
        return Account(self._options, sealed=True)

    @property
    def region(self) -> str:
        """Where it is asked; "" where nothing says so."""
        return self._session.region_name or ""

    def expires(self) -> datetime | None:
        """When the credentials end, if that is known here; None for those that last, and those that don't say.

        Raises:
            ConfigError: there are none. AdapterError: they can't be had.
        """
        with as_our_errors(self.region):
            found = self._credentials()
        # botocore keeps the time to itself.
        end = getattr(found, "_expiry_time", None)
        return end if isinstance(end, datetime) else None

    def is_temporary(self) -> bool:
        """Whether the credentials hold a token, and so end some time."""
        with as_our_errors(self.region):
            return bool(self._credentials().token)

    def _credentials(self) -> Any:
        """Such as hold now: they are fetched, or renewed, where that is due."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        try:
            found = self._session.get_credentials()
            if found is None:
                raise NoCredentialsError
            found.get_frozen_credentials()
        except BotoCoreError:  # some are an OSError as well
            raise
        except (OSError, ValueError, RuntimeError) as error:
            # A program that is not there or prints no JSON, a token file that can't be read, a role given too late.
            raise no_credentials(error) from error
        return found

    def client(self, service: str) -> Any:
        """The client of a service, made once.

        Raises:
            UsageError: there is no such service. ConfigError: no region.
        """
        with self._making:  # a session is no threads' to share; a client is
            if service not in self._clients:
                self._clients[service] = self._made(service)
        return self._clients[service]

    def operation(self, service: str, name: str) -> str:
        """The API's spelling of an operation that is written in kebab case.

        Raises:
            UsageError: the service has none of that name.
        """
        for known in self.client(service).meta.service_model.operation_names:
            if letters(known) == letters(name):
                return str(known)
        raise UsageError(_("{name} is no AWS operation").format(name=f"{service} {name}"))

    def call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What an operation (in the API's spelling) answers.

        Raises:
            PolicyRefusal: this account is sealed, and the operation may change something. AdapterError: it failed.
        """
        from botocore import xform_name

        client = self.client(service)
        model = client.meta.service_model.operation_model(operation)
        changing = not reads(model)
        with as_our_errors(self.region):
            self._credentials()
        with self.sent.request(changing=changing), as_our_errors(self.region):
            send = getattr(client, xform_name(operation))
            try:
                answer: dict[str, Any] = send(**parameters)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                # What botocore's parsers do with JSON of another shape.
                raise unreadable(f"{service} {operation}: {error}") from error
        if model.output_shape and model.output_shape.members and answer.keys() == {"ResponseMetadata"}:
            _require_no_page(answer["ResponseMetadata"]["HTTPHeaders"], f"{service} {operation}")
        return answer

    def _config(self, attempts: int) -> Any:
        from botocore.config import Config

        return Config(
            connect_timeout=self._patience.connect_s,
            read_timeout=self._patience.read_s,
            max_pool_connections=_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path"} if self._options.endpoint_url else None,
        )

    def _made(self, service: str) -> Any:
        # What changes something is never sent a second time by itself.
        config = self._config(self._patience.attempts if self._sealed else 1)
        if service not in self._session.get_available_services():
            raise UsageError(_("{name} is no AWS service").format(name=service))
        with as_our_errors(self.region):
            # botocore would make it all the same, and say that there are none with the first request.
            self._credentials()
            client = self._session.client(service, endpoint_url=self._options.endpoint_url or None, config=config)
        if self._sealed:
            seal(client)
        return client


def _require_no_page(headers: Mapping[str, str], where: str) -> None:
    """Where JSON is due, botocore takes a page of a proxy for an answer with nothing in it."""
    if headers.get("content-type", "").startswith("text/html") and headers.get("content-length", "0") not in ("0", "2"):
        raise unreadable(f"{where}: text/html")


def reads(model: Any) -> bool:
    """Whether an operation only reads: by its name, and nothing in its own model says otherwise."""
    service = model.service_model.service_name
    if judge_operation(service, kebab(model.name)).verdict is not Verdict.READ_ONLY:
        return False
    members = model.input_shape.members.values() if model.input_shape else ()
    once = any(member.metadata.get("idempotencyToken") for member in members)
    return not once and model.http.get("method") in ("GET", "HEAD", "POST")


def seal(client: Any) -> None:
    """Make a client unable to send what may change something: before it is signed, and again before it is sent.

    On the client and not its session: what fetches credentials (AssumeRole) has clients of its own.
    """
    service = client.meta.service_model.service_name

    def before_call(model: Any, **_rest: Any) -> None:
        if not reads(model):
            raise only_reads(f"{service} {kebab(model.name)}")

    def by_name(event_name: str, **_rest: Any) -> None:
        operation = kebab(event_name.rpartition(".")[2])
        if judge_operation(service, operation).verdict is not Verdict.READ_ONLY:
            raise only_reads(f"{service} {operation}")

    client.meta.events.register_first("before-call", before_call)
    client.meta.events.register_first("before-sign", by_name)
    client.meta.events.register_first("before-send", by_name)
