"""Which environments are the real thing."""

from __future__ import annotations

import pytest

from screens.marks import is_production


@pytest.mark.parametrize("name", ["production", "PROD", "prod-eu-1", "eu_prd", "live", "운영", "chat 운영계"])
def test_the_real_thing_is_known_by_its_name(name: str) -> None:
    assert is_production(name)


@pytest.mark.parametrize(
    "name", ["", "staging", "non-prod", "pre-production", "prod-like", "product", "개발", "비운영"]
)
def test_nothing_else_is_taken_for_it(name: str) -> None:
    assert not is_production(name)
