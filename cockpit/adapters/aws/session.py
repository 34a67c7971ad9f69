"""Clients of AWS services through boto3, and the same sealed: clients that can send nothing but reads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from cockpit.adapters.step_program.adapter import only_reads
from cockpit.adapters.step_program.sent import NotConnected, Sent
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    ConfigError,
    Declined,
    Malformed,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.safety.aws.action import kebab, letters
from cockpit.safety.aws.judgement import judge_operation
from cockpit.safety.verdict import Verdict
from cockpit.words import _, shortened

_CONNECT_S, _READ_S = 5, 60
_ATTEMPTS_OF_READS = 3
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_NOT_KNOWN = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure", "InvalidToken"}
)
_CLOCK = frozenset({"RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException", "SignatureExpired"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "403"})
_BUSY = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"})


class AwsOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """[target.NAME] of kind aws. Empty ones are what boto3 would use. `endpoint_url` is for an emulator."""

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""


class Account:
    """One account and region, as one user. `sent` tells whether something may have changed.

    Raises:
        ConfigError: there is no such profile, or no region.
    """

    def __init__(self, options: AwsOptions, *, sealed: bool) -> None:
        import boto3

        self._options = options
        self._sealed = sealed
        self._clients: dict[str, Any] = {}
        self.sent = Sent()
        with as_our_errors():
            self._session = boto3.Session(profile_name=options.profile or None, region_name=options.region or None)

    def client(self, service: str) -> Any:
        """The client of a service, made once.

        Raises:
            UsageError: there is no such service. ConfigError: no region.
        """
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
        changing = not reads(client.meta.service_model.operation_model(operation))
        with self.sent.request(changing=changing), as_our_errors():
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        return answer

    def _made(self, service: str) -> Any:
        from botocore.config import Config

        attempts = _ATTEMPTS_OF_READS if self._sealed else 1
        config = Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            # What changes something is never sent a second time by itself.
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path"} if self._options.endpoint_url else None,
        )
        if service not in self._session.get_available_services():
            raise UsageError(_("{name} is no AWS service").format(name=service))
        with as_our_errors():
            client = self._session.client(service, endpoint_url=self._options.endpoint_url or None, config=config)
        if self._sealed:
            seal(client)
        return client


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


@contextlib.contextmanager
def as_our_errors() -> Iterator[None]:
    """What botocore raises, as errors of our tree, each with its cause."""
    from botocore import exceptions as trouble
    from botocore.parsers import ResponseParserError

    try:
        yield
    except trouble.ClientError as error:
        raise _said_no(error) from error
    except (trouble.ParamValidationError, trouble.UnknownServiceError) as error:
        raise UsageError(" ".join(str(error).split())) from error
    except (trouble.NoCredentialsError, trouble.PartialCredentialsError, trouble.CredentialRetrievalError) as error:
        raise ConfigError(
            _("there are no AWS credentials: {error}").format(error=error),
            mend=_("see whether `aws sts get-caller-identity` works"),
        ) from error
    except (
        trouble.ProfileNotFound,
        trouble.NoRegionError,
        trouble.ConfigParseError,
        trouble.InvalidRegionError,
    ) as error:
        raise ConfigError(str(error), mend=_("name region and profile in the target")) from error
    except (trouble.SSOError, trouble.TokenRetrievalError) as error:
        raise AccessDenied(_("the sign-in has run out: {error}").format(error=error), mend="aws sso login") from error
    except trouble.ReadTimeoutError as error:
        raise TimedOut(_("AWS did not answer in time: {error}").format(error=error)) from error
    except trouble.ConnectionError as error:
        raise NotConnected(_("AWS can't be reached: {error}").format(error=error)) from error
    except trouble.HTTPClientError as error:
        raise TargetUnreachable(_("AWS can't be reached: {error}").format(error=error)) from error
    except ResponseParserError as error:
        raise Malformed(
            _("AWS answered with something that can't be read"), where=shortened(str(error), 200)
        ) from error
    except trouble.BotoCoreError as error:
        raise AdapterError(str(error)) from error


def _said_no(error: Any) -> AdapterError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = str(error.response.get("Error", {}).get("Message", "") or error)
    if code in _EXPIRED:
        return AccessDenied(_("the AWS credentials have expired"), where=code, mend=_("sign in again"))
    if code in _NOT_KNOWN:
        return AccessDenied(_("AWS does not know these credentials"), where=code, mend=_("sign in again"))
    if code in _CLOCK:
        return AccessDenied(
            _("AWS does not accept the signature: {error}").format(error=said),
            where=code,
            mend=_("see whether this machine's clock is right, and the secret key"),
        )
    if code in _DENIED:
        return AccessDenied(said, where=code)
    if code in _BUSY:
        return Declined(
            _("AWS is asked too often: {error}").format(error=said), where=code, mend=_("wait, then run it again")
        )
    return Declined(said, where=code)
