"""HTTP: requests as steps, written as in .http files (see cockpit/safety/http_request.py).

[target.api]
kind = "http"
base_url = "https://api.example.com/v1"
headers = { accept = "application/json" }
token_env = "API_TOKEN"                          # or token_file; sent as "Authorization: Bearer …"
headers_env = { x-api-key = "API_KEY" }          # or headers_file: values from the environment or from files
ca_file = "/etc/ssl/company.pem"                 # an authority beside those this machine trusts
timeout_s = 60                                   # the whole of one exchange
body_bytes = 33554432                            # the most that is shown of one answer
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, ClassVar

from msgspec import Struct

from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.filling import filled_request
from cockpit.adapters.http.wire import require_library
from cockpit.adapters.step_program.adapter import StepProgram, Task
from cockpit.adapters.step_program.credentials import from_environment, from_file
from cockpit.adapters.step_program.page import Page
from cockpit.errors import AdapterError, ConfigError, PolicyRefusal, UsageError
from cockpit.safety.http import judge_url, overrides_method
from cockpit.safety.http_request import Location, Request, located, location, requests_of
from cockpit.safety.judge import judge
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Verdict
from cockpit.words import _

_SEALED = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET_HEADER = re.compile(r"authoriz|cookie|token|key|secret|passw|credential|signature|session", re.IGNORECASE)
_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey)\s+", re.IGNORECASE)
_HEADER_VALUE = re.compile(r"[^\x00-\x1f\x7f]*")


class HttpTargetOptions(Struct, frozen=True, kw_only=True):
    """Keys of a target of kind "http"."""

    base_url: str
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}
    headers_file: dict[str, str] = {}
    token_env: str = ""
    token_file: str = ""
    ca_file: str = ""
    timeout_s: float = 60.0
    body_bytes: int = 32 << 20


class HttpAdapter(StepProgram[HttpTargetOptions]):
    """Sends the requests of a block, one after the other; the first that fails ends the step."""

    name = "http"
    languages = frozenset({"http"})
    Options: ClassVar[type[Struct]] = HttpTargetOptions

    def __init__(self, options: HttpTargetOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        _check(options)

    def serves(self, body: str) -> bool:
        """Whether every request of a block goes to this target, as far as it can be read. See `ServesAddresses`."""
        base_url = self.options.base_url
        try:
            return all(location(each, base_url).origin == located(base_url).origin for each in requests_of(body))
        except UsageError:
            return True

    def credentials(self) -> dict[str, str]:
        """The token, and the secret headers as "header NAME". See `StepProgram.credentials`."""
        options = self.options
        held = {f"header {name}": from_environment(held, "headers_env") for name, held in options.headers_env.items()}
        held |= {f"header {name}": from_file(path, "headers_file") for name, path in options.headers_file.items()}
        if options.token_env:
            held["token"] = from_environment(options.token_env, "token_env")
        elif options.token_file:
            held["token"] = from_file(options.token_file, "token_file")
        for value in held.values():
            if not _HEADER_VALUE.fullmatch(value):
                raise ConfigError(_("a secret with control characters can't be a header"))
        return held

    def other_secrets(self) -> Sequence[str]:
        """What stands behind "Bearer" in a header, by itself. Raises nothing: see `secrets`."""
        try:
            held = self.credentials().values()
        except ConfigError:
            return ()
        return [_SCHEME.sub("", value, count=1) for value in held if _SCHEME.match(value)]

    def perform(self, task: Task, page: Page) -> None:
        """Send them one by one. See `StepProgram.perform`."""
        import asyncio

        require_library()
        body = filled_request(task.body, list(_values(task.values)))
        pairs = [(request, self._place(request)) for request in requests_of(body)]
        if task.read_only:
            _require_reading(body, pairs)
        asyncio.run(self._send(pairs, task, page))

    def enforced(self, task: Task) -> Enforcement:
        """HTTP knows no read-only sign-in, so it is always this tool; asked is only whether something answers."""
        import asyncio

        require_library()
        asyncio.run(self._exchange(task, Page(BytesIO())).enquire(located(self.options.base_url)))
        return Enforcement(
            "tool", _("only GET, HEAD and OPTIONS are sent, and nothing at the service stands behind that")
        )

    async def _send(self, pairs: Sequence[tuple[Request, Location]], task: Task, page: Page) -> None:
        exchange = self._exchange(task, page)
        for number, (request, place) in enumerate(pairs, 1):
            if len(pairs) > 1:
                page.line(f"### {number}/{len(pairs)}")
            try:
                await exchange.run(request, place)
            except AdapterError as error:
                raise _at(error, number, len(pairs)) from error

    def _exchange(self, task: Task, page: Page) -> Any:
        from cockpit.adapters.http.exchange import Exchange, Terms

        options = self.options
        headers = {name.lower(): value for name, value in options.headers.items()}
        for name, value in task.credentials.items():
            kind, _blank, header = name.partition(" ")
            headers |= {header.lower(): value} if kind == "header" else {"authorization": f"Bearer {value}"}
        terms = Terms(
            headers=headers,
            ca_file=options.ca_file,
            timeout_s=options.timeout_s,
            cap_bytes=options.body_bytes,
            sealed=task.read_only,
            still_permitted=task.require_still_permitted,
        )
        return Exchange(terms, page)

    def _place(self, request: Request) -> Location:
        """Where it goes: to this target, and with its credentials to nowhere else.

        Raises:
            UsageError: the address says another place, or none.
        """
        base_url = self.options.base_url
        place = location(request, base_url)
        if place.origin != located(base_url).origin:
            raise UsageError(
                _("{place} is not this target").format(place=place.name),
                where=base_url,
                mend=_("choose a target with that base_url, or none"),
            )
        return place


def _check(options: HttpTargetOptions) -> None:
    try:
        if located(options.base_url).user or set("?#") & set(options.base_url):
            raise UsageError(_("an address without credentials and query is expected"))
    except UsageError as error:
        raise ConfigError(error.what, where="base_url", mend=error.mend) from error
    if options.token_env and options.token_file:
        raise ConfigError(_("give one of {keys}").format(keys="token_env, token_file"))
    for name in options.headers:
        if _SECRET_HEADER.search(name):
            raise ConfigError(
                _("secrets don't belong into this file: {name}").format(name=name),
                where="headers",
                mend=_("name an environment variable in headers_env, or a file in headers_file"),
            )
    for name, value in (options.headers | dict.fromkeys(options.headers_env | options.headers_file, "")).items():
        try:
            (request,) = requests_of(f"GET /\n{name}: {value}")
            fits = len(request.headers) == 1 and not overrides_method(f"{name}:") and name.lower() != "host"
        except (UsageError, ValueError):
            fits = False
        if not fits:
            raise ConfigError(_("{name} can't be a header of every request").format(name=name), where="headers")
    if not 0.1 <= options.timeout_s <= 86400 or not 1024 <= options.body_bytes <= 1 << 28:
        raise ConfigError(_("timeout_s is 0.1 to 86400, body_bytes 1024 to 268435456"))


def _values(values: Any) -> Iterator[tuple[re.Pattern[str], str]]:
    for name, value in values.items():
        yield re.compile(rf"\$(?:{re.escape(name)}(?!\w)|\{{{re.escape(name)}\}})"), value


def _require_reading(body: str, pairs: Sequence[tuple[Request, Location]]) -> None:
    """What is sealed is GET, HEAD and OPTIONS, without a body, to an address that only reads; it is judged again here.

    Raises:
        PolicyRefusal: something else.
    """
    for request, place in pairs:
        if request.method not in _SEALED:
            raise PolicyRefusal(
                _("only GET, HEAD and OPTIONS are sent by a step that reads"), where=f"{request.method} {place.url}"
            )
        if judge_url(request.method, Word(place.path)).verdict is not Verdict.READ_ONLY:
            raise PolicyRefusal(_("the address says that this {method} acts").format(method=request.method))
    judged = judge("http", body)
    if judged.verdict is not Verdict.READ_ONLY:
        raise PolicyRefusal("; ".join(judged.reasons), mend=_("run it in a live session"))


def _at(error: AdapterError, number: int, total: int) -> AdapterError:
    """The error with the request it stopped at, where there were several."""
    if total == 1:
        return error
    where = _("request {number} of {total}").format(number=number, total=total)
    return type(error)(error.what, where=f"{where}, {error.where}" if error.where else where, mend=error.mend)
