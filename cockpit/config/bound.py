"""A bound on a metric: always with its operator and its statistic, so that an edge is never a matter of taste."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec import Struct

from cockpit.config.unit import known
from cockpit.errors import ConfigError
from cockpit.words import _, shortened

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Statistic = Literal["single", "mean", "p95", "ratio"]
WarningLevel = Literal["red", "yellow", "green"]

_SPELLINGS: dict[str, str] = {"=": "==", "≤": "<=", "≥": ">=", "≠": "!="}
_WRITTEN = re.compile(
    r"""^\s*
    (?:(?P<statistic>single|mean|p95|ratio)\s+(?:of\s+)?)?
    (?P<metric>[^\s<>=!≤≥≠]+)\s*
    (?P<operator><=|>=|==|!=|<|>|=|≤|≥|≠)\s*
    (?:(?P<number>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>%|(?!(?:red|yellow|green|over)\b)[^\W\d_]+)?
       |"(?P<quoted>[^"]*)"|(?P<word>[^\s\d][^\s]*))
    (?:\s+over\s+(?P<over>\d+))?
    (?:\s+(?P<level>red|yellow|green))?
    \s*$""",
    re.VERBOSE,
)


class Bound(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """ "latency_ms > 500 ms red".

    `statistic`: single looks at one sample; mean and p95 at the last `over` samples; ratio is the share (in %) of the
    last `over` samples in which the value was true. `level` is what a value beyond the bound means; a green bound
    says where all is well. `bound` is a number, a word ("UP") or true/false. `text` is how it was written.
    """

    metric: str
    operator: Operator
    bound: float | bool | str
    unit: str = ""
    statistic: Statistic = "single"
    level: WarningLevel = "red"
    over: int = 12
    text: str = ""

    def __str__(self) -> str:
        head = "" if self.statistic == "single" else f"{self.statistic} "
        return f"{head}{self.metric} {self.operator} {self._value}{' ' + self.unit if self.unit else ''}"

    @property
    def _value(self) -> str:
        if isinstance(self.bound, bool):
            return str(self.bound).lower()
        if isinstance(self.bound, str):
            return f'"{self.bound}"' if " " in self.bound or not self.bound else self.bound
        return f"{self.bound:.12g}"


def parse_bound(written: str, where: str) -> Bound:
    """Read "p95 latency_ms >= 500 ms over 20 yellow".

    Raises:
        ConfigError: it does not read as [statistic] metric operator value [unit] [over N] [level].
    """
    found = _WRITTEN.match(written)
    if not found:
        raise ConfigError(
            _("not a bound: {written}").format(written=shortened(written.strip(), 80)),
            where=where,
            mend=_('write it like "latency_ms > 500 ms red"'),
        )
    parts = found.groupdict()
    unit = parts["unit"] or ""
    if not known(unit):
        raise ConfigError(
            _("unknown unit {unit}").format(unit=unit), where=where, mend=_("use ms, s, min, h, %, kB, MB or GB")
        )
    operator = parts["operator"]
    values = {
        "metric": parts["metric"],
        "operator": _SPELLINGS.get(operator, operator),
        "bound": _value(parts),
        "unit": unit,
        "statistic": parts["statistic"] or "single",
        "level": parts["level"] or "red",
        "over": int(parts["over"] or 12),
        "text": written.strip(),
    }
    return msgspec.convert(values, Bound)


def _value(parts: dict[str, str | None]) -> float | bool | str:
    if parts["number"] is not None:
        return float(parts["number"])
    word = parts["quoted"] if parts["quoted"] is not None else (parts["word"] or "")
    return {"true": True, "false": False}.get(word, word)
