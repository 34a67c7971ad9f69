"""The incident report: facts from the record, and one file a format."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "markdown": "cockpit.report.markdown:render",
        "html": "cockpit.report.html_format:render",
        "json": "cockpit.report.json_format:render",
    }
)
"""Format name to "module:function"; each function is (SessionFolder, language | None) -> str."""
