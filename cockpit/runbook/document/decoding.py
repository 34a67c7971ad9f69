"""Bytes on disk -> text with \\n line ends. Says what it had to mend; refuses only what is not text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from cockpit.errors import RunbookError
from cockpit.runbook.model import Problem
from cockpit.words import _

LIMIT_BYTES = 16 * 1024 * 1024
_SAMPLE_BYTES = 8192
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, and what was wrong with the bytes."""

    text: str
    problems: tuple[Problem, ...] = ()


def decode(data: bytes, path: str) -> Decoded:
    """The text of a runbook's bytes.

    Raises:
        RunbookError: it is larger than LIMIT_BYTES, or is not text.
    """
    check_size(len(data), path)
    encoding, start = _encoding(data)
    if encoding == "utf-8" and _is_binary(data[start : start + _SAMPLE_BYTES]):
        raise RunbookError(_("This is not text"), where=path, mend=_("give a Markdown file"))
    problems: list[Problem] = []
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, start + error.start) + 1
        text = data[start:].decode(encoding, errors="replace")
        message = _("Bytes here are not {encoding}; they are shown as �").format(encoding=encoding)
        problems.append(Problem(line, "broken-encoding", message, _("save the file as UTF-8")))
    text = with_unix_line_ends(text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.append(Problem(line, "nul-character", _("A NUL character stands here"), _("remove it")))
        text = text.replace("\0", "�")
    return Decoded(text, tuple(problems))


def check_size(size_bytes: int, path: str) -> None:
    """Refuse what no person wrote as a runbook, before it is read into memory.

    Raises:
        RunbookError: it is larger than LIMIT_BYTES.
    """
    if size_bytes > LIMIT_BYTES:
        what = _("This is {size} MiB; a runbook has at most {limit} MiB").format(
            size=size_bytes // 2**20, limit=LIMIT_BYTES // 2**20
        )
        raise RunbookError(what, where=path, mend=_("split it, or give the runbook itself"))


def with_unix_line_ends(text: str) -> str:
    """The text with \\r\\n and lone \\r as \\n: a line on disk stays a line here."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _encoding(data: bytes) -> tuple[str, int]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding, len(bom)
    sample = data[:_SAMPLE_BYTES]
    if sample and sample.count(0) * 3 >= len(sample):
        # UTF-16 without a BOM: ASCII letters leave their zero on one side only.
        high, low = sample[0::2].count(0), sample[1::2].count(0)
        if not high or not low:
            return ("utf-16-be" if high else "utf-16-le"), 0
    return "utf-8", 0


def _is_binary(sample: bytes) -> bool:
    control = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\f\r\x1b")
    return control > 8 and control * 10 > len(sample)
