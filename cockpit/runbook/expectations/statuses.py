"""What "expected: 404" means below an HTTP request: the answer's status, and no text somewhere in its body."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from cockpit.runbook.expectations.repetition import repetition_of
from cockpit.runbook.model import Expectation, ExpectationKind

_CODE = r"[1-5](?:\d\d|[xX]{2})"
_STATUS = re.compile(
    r"(?:(?:returns?|http(?:/[\d.]+)?|response|status|code|응답|상태|코드|스테이터스|반환|状态码?|状態|コード)(?:는|은|가|이|が|は)?"
    rf"[\s:：=]*)*(?P<codes>{_CODE}(?:\s*(?:,|/|\||or|또는|혹은|或|または)\s*{_CODE})*)"
    r"(?:\s+[A-Z][A-Za-z' -]{1,40})?(?:\s*(?:이어야\s?함|이어야\s?한다|임|응답|반환))?",
    re.IGNORECASE,
)
_SAID_BY_WORDS = frozenset({ExpectationKind.CONTAINS, ExpectationKind.NUMBER, ExpectationKind.MANUAL})


def of_answers(expectations: Iterable[Expectation]) -> tuple[Expectation, ...]:
    """The expectations of an HTTP request, those that name a status as such."""
    return tuple(map(_of_an_answer, expectations))


def _of_an_answer(expectation: Expectation) -> Expectation:
    if expectation.kind not in _SAID_BY_WORDS or expectation.absent:
        return expectation
    repeated = repetition_of(expectation.text)
    named = _STATUS.fullmatch((repeated.rest if repeated else expectation.text).strip(" `*"))
    if named is None:
        quoted = re.search(r"[\"'“「]", expectation.text)
        named = _STATUS.fullmatch(str(expectation.value)) if not quoted else None
    if named is None:
        return expectation
    codes = [code.lower() for code in re.findall(_CODE, named["codes"])]
    meant = replace(expectation, kind=ExpectationKind.STATUS, value=codes)
    return repeated.on(meant) if repeated else meant
