"""What goes wrong on the way to AWS, as errors of our tree: each named by its cause, with what mends it."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cockpit.adapters.step_program.sent import NotConnected
from cockpit.errors import (
    AccessDenied,
    AdapterError,
    AskedTooOften,
    CockpitError,
    ConfigError,
    Declined,
    Malformed,
    TargetUnreachable,
    TimedOut,
    UsageError,
)
from cockpit.words import _, shortened

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_NOT_KNOWN = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure", "InvalidToken"}
)
_SIGNATURE = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "SignatureExpired", "RequestInTheFuture"})
_CLOCK_WORDS = ("signature expired", "not yet current", "too skewed")
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"})
_BUSY = re.compile(
    r"Throttl(?:ing|ed)(?:Exception)?|RequestThrottled(?:Exception)?|EC2ThrottledException|TooManyRequestsException"
    r"|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded|PriorRequestNotComplete"
    r"|ProvisionedThroughputExceededException"
)
_ELSEWHERE = frozenset(
    {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_NOT_THERE = ("NotFound", "NotFoundException", "NoSuchBucket", "NoSuchHostedZone", "NoSuchDistribution")


class SignInOver(AccessDenied):
    """The credentials are no good any more, or not yet: signing in anew may help."""


def needs_code() -> SignInOver:
    """The role is given for a code, which only a person has."""
    return SignInOver(
        _("the role of this profile asks for a code (MFA), and nobody is asked for one here"),
        mend=_("aws sts get-caller-identity --profile NAME asks for it; the sign-in it keeps is used here too"),
    )


class _Metadata(logging.Filter):
    """Notes what kept the machine's own credentials away: botocore says it to its log and to nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self._noted = threading.local()

    def begin(self) -> None:
        """Forget what this thread heard, and hear from now on."""
        self._noted.failure = None
        log = logging.getLogger("botocore.utils")
        if self not in log.filters:
            log.addFilter(self)
            log.setLevel(logging.DEBUG)

    def filter(self, record: logging.LogRecord) -> bool:
        """Note an exception. What is only heard because of this goes no further."""
        for told in record.args if isinstance(record.args, tuple) else ():
            if isinstance(told, BaseException):
                self._noted.failure = told
        return record.levelno > logging.DEBUG

    @property
    def was_slow(self) -> bool:
        """Whether the metadata service was there and gave no answer in time. (Elsewhere than on EC2 there is none.)"""
        from botocore.exceptions import ReadTimeoutError

        return isinstance(self._noted.failure, ReadTimeoutError)


_METADATA = _Metadata()


@contextlib.contextmanager
def as_our_errors(region: str = "") -> Iterator[None]:
    """What botocore raises, as errors of our tree, each with its cause. Args: region: where it is asked."""
    _METADATA.begin()
    try:
        yield
    except CockpitError:
        raise
    except Exception as error:
        found = _ours(error, region)
        if found is None:
            raise
        raise found from error


def _ours(error: Exception, region: str) -> CockpitError | None:
    """The error of our tree; None for a defect."""
    from botocore import exceptions as trouble
    from botocore.parsers import ResponseParserError

    if isinstance(error, trouble.ClientError):
        return _said_no(error.response, str(error), region)
    if isinstance(error, trouble.ParamValidationError | trouble.UnknownServiceError):
        return UsageError(" ".join(str(error).split()))
    if isinstance(
        error,
        trouble.NoCredentialsError
        | trouble.PartialCredentialsError
        | trouble.CredentialRetrievalError
        | trouble.InvalidConfigError
        | trouble.MetadataRetrievalError,
    ):
        return no_credentials(error)
    if isinstance(
        error,
        trouble.ProfileNotFound | trouble.NoRegionError | trouble.ConfigParseError | trouble.InvalidRegionError,
    ):
        return ConfigError(str(error), mend=_("name region and profile in the target"))
    if isinstance(error, trouble.RefreshWithMFAUnsupportedError):
        return needs_code()
    if isinstance(error, trouble.SSOError | trouble.TokenRetrievalError):
        return SignInOver(_("the sign-in has run out: {error}").format(error=error), mend="aws sso login")
    if isinstance(error, ResponseParserError):
        return unreadable(shortened(str(error), 200))
    return _on_the_way(error, region)


def unreadable(where: str) -> Malformed:
    """What answered was not AWS, or not in order."""
    return Malformed(
        _("AWS answered with something that can't be read"),
        where=where,
        mend=_("is there a proxy in between? Else look at the AWS Health dashboard"),
    )


def _on_the_way(error: Exception, region: str) -> CockpitError | None:
    from botocore import exceptions as trouble

    if isinstance(error, trouble.ReadTimeoutError):
        return TimedOut(
            _("AWS did not answer in time: {error}").format(error=error),
            mend=_("look at the way there: proxy, VPC endpoint, firewall"),
        )
    if isinstance(error, trouble.ConnectionError | trouble.HTTPClientError):
        kind = NotConnected if isinstance(error, trouble.ConnectionError) else TargetUnreachable
        mend = _("see whether this machine reaches AWS (proxy, VPC endpoint)")
        if region:
            mend = _("see whether there is a region {region}, and whether this machine reaches it")
        return kind(_("AWS can't be reached: {error}").format(error=error), mend=mend.format(region=region))
    return AdapterError(str(error)) if isinstance(error, trouble.BotoCoreError) else None


def no_credentials(error: Exception) -> CockpitError:
    """None are to be had, for that reason."""
    if _METADATA.was_slow:
        return ConfigError(
            _("there are no AWS credentials: the machine's metadata service did not answer in time"),
            mend=_("export AWS_METADATA_SERVICE_TIMEOUT=5 AWS_METADATA_SERVICE_NUM_ATTEMPTS=3, or sign in"),
        )
    return ConfigError(
        _("there are no AWS credentials: {error}").format(error=error),
        mend=_("see whether `aws sts get-caller-identity` works"),
    )


def _said_no(response: dict[str, Any], whole: str, region: str) -> CockpitError:
    code = str(response.get("Error", {}).get("Code", ""))
    said = str(response.get("Error", {}).get("Message", "") or whole)
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    if (code.isdigit() and status >= 500) or _is_page(said):
        # No error of AWS's own: a page of a proxy or a load balancer, or of nobody.
        return Malformed(
            _("AWS answered with status {code} and no error that can be read").format(code=status or code),
            mend=_("is there a proxy in between? Else look at the AWS Health dashboard"),
        )
    if _BUSY.fullmatch(code):
        return AskedTooOften(
            _("AWS is asked too often: {error}").format(error=said), where=code, mend=_("wait, then run it again")
        )
    return _refused(code, said, response) or _elsewhere(code, said, region)


def _refused(code: str, said: str, response: dict[str, Any]) -> AccessDenied | None:
    """What is about who asks."""
    if code in _CLOCK or any(words in said.lower() for words in _CLOCK_WORDS):
        return SignInOver(
            _("AWS does not accept the signature: this machine's clock is wrong{far}").format(far=_skew(response)),
            where=code,
            mend=_("set the clock: timedatectl, chronyc makestep"),
        )
    if code in _SIGNATURE:
        return SignInOver(
            _("AWS does not accept the signature: {error}").format(error=said),
            where=code,
            mend=_("see whether the secret key is right, and this machine's clock"),
        )
    if code in _EXPIRED:
        mend = _("sign in again: aws sso login, or renew what gives the token")
        return SignInOver(_("the AWS credentials have expired"), where=code, mend=mend)
    if code in _NOT_KNOWN:
        mend = _("sign in again; a region that the account has not enabled says the same")
        return SignInOver(_("AWS does not know these credentials"), where=code, mend=mend)
    if code in _DENIED:
        return AccessDenied(said, where=code, mend=_("have the role allowed to do it, or sign in as one that is"))
    return None


def _elsewhere(code: str, said: str, region: str) -> Declined:
    where = f"{code}, {region}" if region else code
    if code in _ELSEWHERE:
        told = _("it is in another region: {error}").format(error=said)
        return Declined(told, where=where, mend=_("name its region"))
    if code.endswith(_NOT_THERE):
        return Declined(said, where=where, mend=_("see whether it is called so, in this account and region"))
    return Declined(said, where=where)


def _is_page(said: str) -> bool:
    return said.lstrip()[:9].lower().startswith(("<!doctype", "<html"))


def _skew(response: dict[str, Any]) -> str:
    """How far this clock is from the one that answered: " (17 min behind)"; "" when that can't be told."""
    told = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        minutes = round((datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds() / 60)
    except (TypeError, ValueError):
        return ""
    if not minutes:
        return ""
    words = _(" ({n} min ahead)") if minutes > 0 else _(" ({n} min behind)")
    return words.format(n=abs(minutes))
