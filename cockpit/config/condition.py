"""What a rule waits for: "health failed or status != UP 3 in a row"."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from cockpit.config.bound import Bound, parse_bound
from cockpit.config.unit import seconds
from cockpit.errors import ConfigError
from cockpit.words import _, shortened

Standing = Literal["failed", "none", "red", "yellow"]
STANDINGS: tuple[str, ...] = get_args(Standing)

_SPAN = re.compile(
    r"\s+(?:(?P<row>\d+)\s+(?:times\s+)?in\s+a\s+row|(?P<some>\d+)\s+of\s+(?P<of>\d+)|for\s+(?P<time>\d+(?:\.\d+)?)\s*(?P<unit>[^\W\d_]+))\s*$"
)


class Condition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds when enough samples of one probe are bad.

    A sample is bad when any of `bounds` or `standings` holds for it. Enough is `times` in a row; or, with `of`,
    `times` of the last `of`; or, with `for_s`, bad samples only for that many seconds. Samples without data count
    neither way, unless "failed" or "none" is one of the standings. "failed" means that the service did not answer: a
    refused credential or a missing tool blinds the monitor and says nothing about the service.
    """

    probe: str
    bounds: tuple[Bound, ...] = ()
    standings: tuple[Standing, ...] = ()
    times: int = 1
    of: int | None = None
    for_s: float | None = None
    text: str = ""


def parse_condition(written: str, where: str) -> Condition:
    """Read 'PROBE TEST [or TEST]… [N in a row | M of N | for DURATION]'. A TEST is a bound or a standing.

    Raises:
        ConfigError: it does not read so.
    """
    span = _SPAN.search(written)
    head = written[: span.start()] if span else written
    probe, _gap, tests = head.strip().partition(" ")
    alternatives = [test.strip() for test in re.split(r"\s+or\s+", tests.strip()) if test.strip()]
    if not probe or not alternatives:
        raise ConfigError(
            _("not a condition: {written}").format(written=shortened(written.strip(), 80)),
            where=where,
            mend=_mend(),
        )
    values = {
        "probe": probe,
        "bounds": [_bound(test, where) for test in alternatives if test not in STANDINGS],
        "standings": [test for test in STANDINGS if test in alternatives],
        "text": written.strip(),
        **_span(span, where),
    }
    condition = msgspec.convert(values, Condition)
    check_condition(condition, where)
    return condition


def _bound(test: str, where: str) -> Bound:
    if test.replace(" ", "").replace("_", "").isalpha():  # there is nothing in it to compare
        raise ConfigError(
            _("not a condition: {written}").format(written=shortened(test, 80)), where=where, mend=_mend()
        )
    return parse_bound(test, where)


def _mend() -> str:
    return _('write it like "health failed or status != UP 3 in a row"')


def _span(found: re.Match[str] | None, where: str) -> dict[str, int | float]:
    if found is None:
        return {}
    if found["row"]:
        return {"times": int(found["row"])}
    if found["some"]:
        return {"times": int(found["some"]), "of": int(found["of"])}
    duration_s = seconds(float(found["time"]), found["unit"])
    if duration_s is None:
        raise ConfigError(
            _("{unit} is not a unit of time").format(unit=found["unit"]), where=where, mend=_("use s, min or h")
        )
    return {"for_s": duration_s}


def check_condition(condition: Condition, where: str) -> None:
    """Refuse counts that can never or always be reached.

    Raises:
        ConfigError: times below 1, more than `of`, or nothing to test.
    """
    if not condition.bounds and not condition.standings:
        raise ConfigError(
            _("the condition tests nothing"), where=where, mend=_("give metric, operator and bound, or standing")
        )
    if condition.times < 1 or (condition.of is not None and condition.times > condition.of):
        raise ConfigError(
            _("{times} of {of} can't be counted").format(times=condition.times, of=condition.of or "?"),
            where=where,
            mend=_("give times of at least 1 and at most `of`"),
        )
