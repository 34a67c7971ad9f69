"""Headings: anchors, budgets, severities, phases, and the links that jump to them."""

from __future__ import annotations

import pytest

from cockpit.runbook.model import Phase
from cockpit.runbook.reading import parse


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("P0 롤백 프로세스 (전체 서비스 중단)", "p0-롤백-프로세스-전체-서비스-중단"),
        ("🔄 P0 롤백", "-p0-롤백"),
        ("Phase 3: DB 복구 (1~2시간)", "phase-3-db-복구-12시간"),
        ("CPU/Memory > 90%", "cpumemory--90"),
        ("`kubectl` and *friends*", "kubectl-and-friends"),
        ("[Linked](https://example.org/x) title", "linked-title"),
        ("snake_case stays", "snake_case-stays"),
        ("Named {#there}", "there"),
        ("故障处理 步骤", "故障处理-步骤"),
    ],
)
def test_an_anchor_is_the_one_github_gives(heading: str, anchor: str) -> None:
    assert parse(f"## {heading}\n").sections[0].id == anchor


def test_repeated_headings_count_up_and_never_collide() -> None:
    ids = [section.id for section in parse("# Check\n## Check\n## Check 1\n## Check\n").sections]
    assert ids == ["check", "check-1", "check-1-1", "check-2"]


@pytest.mark.parametrize(
    ("heading", "seconds"),
    [
        ("STEP 1: 공지 (1분)", 60),
        ("Phase 3 (1~2시간)", 7200),
        ("Phase 1: 즉시 (0-1분)", 60),
        ("모니터링 (10분간)", 600),
        ("보고서 (1시간 이내)", 3600),
        ("회고 (1주일 이내)", 604800),
        ("Step 2 (5 min)", 300),
        ("Restart (30s)", 30),
        ("Failover (1h 30m)", 5400),
        ("恢复 (5分钟)", 300),
        ("復旧（約10分）", 600),
        ("Drain - 5 minutes", 300),
        ("API 느림 (>10초)", None),
        ("점검 (매일 오전 09:00)", None),
        ("Release (2024-01-27)", None),
        ("Keep 30 days of logs", None),
        ("P95 budget", None),
        ("Quick rollback (< 2 minutes)", 120),
        ("Triage (first 5 minutes)", 300),
        ("初步分类（前 5 分钟）", 300),
        ("초동 조치 (처음 10분)", 600),
        ("Slow for long (> 5 min)", None),
    ],
)
def test_a_heading_grants_time_in_seconds(heading: str, seconds: int | None) -> None:
    assert parse(f"## {heading}\n").sections[0].budget_s == seconds


def test_severity_comes_from_the_heading_or_the_nearest_one_above() -> None:
    sections = parse("# Runbook\n## P0 rollback\n### Step 1\n## P95 is slow\n## SEV-2 degraded\n").sections
    assert [section.severity for section in sections] == [None, "P0", "P0", None, "SEV2"]


@pytest.mark.parametrize(
    ("heading", "phase"),
    [
        ("Diagnosis", Phase.DIAGNOSIS),
        ("Mitigation", Phase.FIX),
        ("롤백 실행", Phase.ROLLBACK),
        ("Rollback after a failed deploy", Phase.ROLLBACK),
        ("1단계: 실시간 증거 수집 (롤백 직후)", Phase.VERIFY),
        ("롤백 후 품질 검증", Phase.VERIFY),
        ("롤백 후 원인 분석", Phase.DIAGNOSIS),
        ("롤백 전", Phase.PREREQUISITES),
        ("After the rollback", Phase.VERIFY),
        ("Post-rollback validation", Phase.VERIFY),
        ("Before rolling back", Phase.PREREQUISITES),
        ("回滚后", Phase.VERIFY),
        ("롤백 후보 버전", Phase.ROLLBACK),
        ("복구 조치", Phase.FIX),
        ("前提条件", Phase.PREREQUISITES),
        ("回滚", Phase.ROLLBACK),
        ("Escalation", Phase.CONTACTS),
        ("Prefix testingly", Phase.NEUTRAL),
        ("Wombats", Phase.NEUTRAL),
        ("STEP 3", Phase.FIX),
    ],
)
def test_the_words_of_a_heading_say_what_it_is_for(heading: str, phase: Phase) -> None:
    assert parse(f"## {heading}\n").sections[0].phase is phase


def test_a_checkbox_in_a_heading_is_not_part_of_its_title() -> None:
    assert parse("#### ☐ STEP 1: 공지 (1분)\n").sections[0].title == "STEP 1: 공지 (1분)"


def test_links_find_their_section_with_other_punctuation_case_and_explicit_ids() -> None:
    text = (
        '## 🔄 Roll Back!\n\n<a name="old-name"></a>\n## Kept\n\n'
        "- [ ] one → [a](#Roll-back)\n- [ ] two → [b](#old-name)\n- [ ] three → [c](#nowhere)\n"
    )
    targets = [step.links[0].section for step in parse(text).steps]
    assert targets == ["-roll-back", "kept", None]
