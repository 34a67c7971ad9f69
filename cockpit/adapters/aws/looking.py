"""How a probe looks into an AWS account: sealed, over clients that all probes share, in time, and never too often."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from cockpit.adapters.aws.credentials import CredentialProcessHangs
from cockpit.adapters.aws.failure import SignInOver, unreadable
from cockpit.adapters.aws.session import Account, AwsOptions, Patience
from cockpit.adapters.library import needing
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import Finding
from cockpit.errors import AskedTooOften, ConfigError, TimedOut
from cockpit.safety.aws.judgement import judge_aws
from cockpit.safety.permit import Action, Permit
from cockpit.safety.verdict import Judgement
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.9
_CONNECT_SHARE, _READ_SHARE = 0.25, 0.4
_SIGN_IN_AGAIN_S, _HUNG_S = 5.0, 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 120.0

Shape = TypeVar("Shape", bound=Struct)
_Key = tuple[AwsOptions, float]


class AwsProbeOptions(Struct, frozen=True, kw_only=True):
    """Keys of every probe of AWS; empty ones are what boto3 would use. `endpoint_url` is for an emulator."""

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""

    @property
    def target(self) -> str:
        """Where it looks, in words."""
        return " ".join(filter(None, ("aws", self.profile, self.region, self.endpoint_url)))


class Pace:
    """Asks a service that has enough of us less and less often, until it answers again.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause_s = 0.0
        self._until_s = 0.0
        self._why: AskedTooOften | None = None

    def require_turn(self) -> None:
        """Raise what it last said while it is to be left alone."""
        left_s = self._until_s - self._clock()
        if self._why is not None and left_s > 0:
            raise AskedTooOften(
                _("{why}; asked again in {seconds:.0f} s").format(why=self._why.what, seconds=left_s),
                where=self._why.where,
                mend=_("raise interval_s of the probes of this account"),
            )

    def too_often(self, error: AskedTooOften) -> None:
        """Leave it alone for a while: longer each time."""
        self._pause_s = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, self._pause_s * 2))
        self._until_s, self._why = self._clock() + self._pause_s, error

    def answered(self) -> None:
        """It takes questions again."""
        self._pause_s, self._why = 0.0, None


class _Shared:
    """The accounts that probes look into, each made once, and how each of their services bears it."""

    def __init__(self) -> None:
        self._accounts: dict[_Key, Account] = {}
        self._paces: dict[tuple[AwsOptions, str], Pace] = {}
        self._forgotten_m: dict[AwsOptions, float] = {}
        self._hung: dict[AwsOptions, tuple[float, CredentialProcessHangs]] = {}
        self._making = threading.Lock()

    def account(self, options: AwsOptions, patience_s: float) -> Account:
        with self._making:
            key = (options, patience_s)
            if key not in self._accounts:
                patience = Patience(patience_s * _CONNECT_SHARE, patience_s * _READ_SHARE, attempts=2)
                with needing("boto3", "aws"):
                    self._accounts[key] = Account(options, sealed=True, patience=patience)
            return self._accounts[key]

    def require_no_hang(self, options: AwsOptions) -> None:
        """Raise what hung lately instead of having every look hang on it: who gave up a look heard nothing of it."""
        until_m, error = self._hung.get(options, (0.0, None))
        if error is not None and time.monotonic() < until_m:
            raise error

    def hung(self, options: AwsOptions, error: CredentialProcessHangs) -> None:
        """It is left alone for a while."""
        self._hung[options] = (time.monotonic() + _HUNG_S, error)

    def pace(self, options: AwsOptions, service: str) -> Pace:
        return self._paces.setdefault((options, service), Pace())

    def forget(self, options: AwsOptions) -> None:
        """Sign in anew next time: what was renewed on this machine since is not in a session that stands."""
        with self._making:
            if time.monotonic() - self._forgotten_m.get(options, -_SIGN_IN_AGAIN_S) < _SIGN_IN_AGAIN_S:
                return
            self._forgotten_m[options] = time.monotonic()
            for key in [key for key in self._accounts if key[0] == options]:
                del self._accounts[key]


_SHARED = _Shared()


class Asking:
    """One look: its questions, all to be answered before its deadline."""

    def __init__(self, account: Account, options: AwsOptions, until_m: float) -> None:
        self._account = account
        self._options = options
        self._until_m = until_m

    @property
    def left_s(self) -> float:
        """Of the time for this look."""
        return self._until_m - time.monotonic()

    def call(self, service: str, operation: str, parameters: Mapping[str, Any], shape: type[Shape]) -> Shape:
        """What an operation (in the API's spelling) answers.

        Raises:
            AdapterError: it failed; TimedOut when the look's time is over before it is asked.
        """
        if self.left_s <= 0:
            raise TimedOut(_("AWS takes too long for one look"), mend=_("raise deadline_s, or look at less"))
        pace = _SHARED.pace(self._options, service)
        pace.require_turn()
        try:
            answer = self._account.call(service, operation, dict(parameters))
        except AskedTooOften as error:
            pace.too_often(error)
            raise
        pace.answered()
        try:
            return msgspec.convert(answer, shape)
        except msgspec.ValidationError as error:
            raise unreadable(f"{service} {operation}: {error}") from error


class Looking:
    """Runs a probe's looks in a thread of their own, for boto3 blocks."""

    def __init__(self, options: AwsProbeOptions, deadline_s: float, name: str) -> None:
        self._options = AwsOptions(options.region, options.profile, options.endpoint_url)
        self._patience_s = deadline_s * _SHARE_OF_DEADLINE
        self._thread: OwnThread[Finding] = OwnThread(f"{name} probe")

    async def run(self, look: Callable[[Asking], Finding]) -> Finding:
        """What a look finds.

        Raises:
            AdapterError: what went wrong, by its cause. ConfigError: no credentials, region or profile.
        """
        return await self._thread.run(lambda: self._look(look))

    def _look(self, look: Callable[[Asking], Finding]) -> Finding:
        until_m = time.monotonic() + self._patience_s
        _SHARED.require_no_hang(self._options)
        try:
            account = _SHARED.account(self._options, self._patience_s)
            return look(Asking(account, self._options, until_m))
        except CredentialProcessHangs as error:
            _SHARED.hung(self._options, error)
            raise
        except (SignInOver, ConfigError):
            _SHARED.forget(self._options)
            raise


class AwsProbe(ABC):
    """What every probe of AWS is, whatever it looks at."""

    def __init__(self, options: AwsProbeOptions, deadline_s: float, name: str) -> None:
        self._looking = Looking(options, deadline_s, name)

    @property
    @abstractmethod
    def action(self) -> Action:
        """Exactly what is asked."""

    @property
    def judgement(self) -> Judgement:
        """What safety says of it."""
        return judge_aws(self.action.body)

    async def look(self, permit: Permit) -> Finding:
        """How it stands. See `Watchable`."""
        permit.covers(self.action)
        return await self._looking.run(self._look)

    async def close(self) -> None:  # noqa: B027  # nothing to do is what most have to do
        """Nothing is held but what all probes share."""

    @abstractmethod
    def _look(self, asking: Asking) -> Finding: ...
