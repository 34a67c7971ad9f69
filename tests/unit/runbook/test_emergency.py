"""Where a runbook is opened when the service is down."""

from __future__ import annotations

import pytest

from cockpit.monitor.discover import emergency_section
from cockpit.runbook.reading import parse


@pytest.mark.parametrize(
    ("headings", "chosen"),
    [
        (
            ("Rollback checklist|- [ ] roll back", "Evidence (after the rollback)|```bash\nls\n```"),
            "rollback-checklist",
        ),
        (
            ("롤백 체크리스트|- [ ] 롤백", "Scenario 5: 서비스 완전 다운|```bash\n./x\n```"),
            "scenario-5-서비스-완전-다운",
        ),
        (("Service is down|```bash\nls\n```", "Rollback|```bash\n./rollback.sh\n```"), "rollback"),
        (("Rollback|```bash\n./rollback.sh\n```", "P0|```bash\nls\n```"), "p0"),
        (("Overview|```bash\nls\n```",), None),
        (("Rollback|words",), None),
    ],
)
def test_a_service_that_is_down_leads_to_the_section_that_mends_it(
    headings: tuple[str, ...], chosen: str | None
) -> None:
    text = "\n\n".join(f"## {title}\n\n{body}" for title, _bar, body in (one.partition("|") for one in headings))
    found = emergency_section(parse(text))
    assert (found.id if found else None) == chosen
