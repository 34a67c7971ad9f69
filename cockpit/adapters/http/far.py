"""HTTP health as another machine sees it, asked by curl there. See `probe` for what is read out of the answer.

Address and headers go to curl on its standard input: everybody on that machine could read them as arguments. Redirects
are not followed, and no ~/.curlrc counts.
"""

from __future__ import annotations

import os
from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.far import Far
from cockpit.adapters.http.body import BODY_CAP_BYTES
from cockpit.adapters.http.probe import HttpOptions, HttpProbe
from cockpit.adapters.own_thread import OwnThread
from cockpit.adapters.probing import TEXT_CHARACTERS, Finding
from cockpit.errors import AdapterError, Malformed, TargetUnreachable, TimedOut, ToolMissing
from cockpit.safety.permit import Permit
from cockpit.words import _

_SHARE_OF_DEADLINE = 0.85
_SHARE_OF_CURL = 0.8
"""curl gives up before we do, and so can say why."""
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_NOT_FOUND = 127


class FarHttpProbe(HttpProbe):
    """One address, looked at with GET or HEAD from a target."""

    Options: ClassVar[type[Struct]] = HttpOptions

    def __init__(self, options: HttpOptions, deadline_s: float, far: Far) -> None:
        super().__init__(options, deadline_s)
        self._far = far
        self._wait_s = deadline_s * _SHARE_OF_DEADLINE
        self._thread = OwnThread[bytes](f"look from {far.name}")
        self.where = _("{url}, seen from {target}").format(url=self.where, target=far.name)

    async def look(self, permit: Permit) -> Finding:
        """One request, and what came back. See `Watchable`."""
        permit.covers(self.action)
        mark = os.urandom(12).hex()
        said = await self._thread.run(
            lambda: self._far.ask(self._script(mark), deadline_s=self._wait_s, most_bytes=2 * BODY_CAP_BYTES)
        )
        answer, _mark, status = said.rpartition(f"\n{mark} ".encode())
        if status.strip() != b"0":
            raise _failure(status.strip(), answer.partition(f"\n{mark}".encode())[0], self.where)
        return self._answered(answer, mark)

    def _script(self, mark: str) -> str:
        options = self._options
        lines = [
            f"url = {_quoted(options.url)}",
            *(f"header = {_quoted(f'{name}: {value}')}" for name, value in options.headers.items()),
            f'write-out = "\\n{mark} %{{http_code}} %{{time_total}} %{{content_type}}"',
            f"max-time = {self._wait_s * _SHARE_OF_CURL:.2f}",
            'proto = "=http,https"',
            'user-agent = "incident-cockpit"',
            "globoff",
            "silent",
            "show-error",
            *(["head"] if options.method == "HEAD" else []),
        ]
        return f"curl -q -K - <<'{mark}' 2>&1\n" + "\n".join(lines) + f"\n{mark}\nprintf '\\n{mark} %s' $?"

    def _answered(self, answer: bytes, mark: str) -> Finding:
        """What curl printed: the body, then status code, seconds and content type."""
        import httpx

        body, _mark, told = answer.rpartition(f"\n{mark} ".encode())
        code, _space, rest = told.decode("utf-8", "replace").partition(" ")
        seconds, _space, content_type = rest.partition(" ")
        if not code.isdigit() or not 100 <= int(code) <= 599:
            raise Malformed(_("curl's answer can't be understood"), where=self.where)
        response = httpx.Response(int(code), headers={"content-type": content_type.strip()[:TEXT_CHARACTERS]})
        whole = len(body) <= BODY_CAP_BYTES
        return self._finding(response, body[:BODY_CAP_BYTES], whole, float(seconds.replace(",", ".")) * 1000)


def _quoted(text: str) -> str:
    """As curl's configuration file wants it."""
    return f'"{text.translate(_ESCAPED)}"'


def _failure(status: bytes, said: bytes, where: str) -> AdapterError:
    """What curl's exit status means (curl(1), EXIT CODES)."""
    code = int(status) if status.isdigit() else -1
    words = said.decode("utf-8", "replace").strip().rpartition("\n")[2][:TEXT_CHARACTERS]
    if code == _NOT_FOUND:
        return ToolMissing(_("there is no curl on that machine"), where=where, mend=_("install curl there"))
    if code == 28:
        return TimedOut(_("it took too long"), where=where, mend=_("look at the service's load"))
    if code == 6:
        return TargetUnreachable(
            _("the name can't be resolved"), where=where, mend=_("check the host name and that machine's DNS")
        )
    if code == 7:
        return TargetUnreachable(
            _("nothing listens there"), where=where, mend=_("is the service running, and on this port?")
        )
    if code in (35, 51, 58, 60, 77, 83):
        return TargetUnreachable(
            _("its certificate can't be trusted: {why}").format(why=words),
            where=where,
            mend=_("renew it, or have that machine trust the authority that signed it"),
        )
    if code == 63:
        return Malformed(_("the answer is too large"), where=where)
    return TargetUnreachable(
        _("the connection broke: {error}").format(error=words or f"curl: {code}"),
        where=where,
        mend=_("look at the service and the network between"),
    )
