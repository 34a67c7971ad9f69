"""Inputs of the runbook inside addresses and paths to watch: "$SERVICE_URL/actuator/health"."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cockpit.config import Config, ProbeConfig
from cockpit.runbook.model import Runbook

_NAME = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def known_inputs(runbook: Runbook, given: Mapping[str, str]) -> dict[str, str]:
    """Values of inputs that are no secret, by name: those given, else the document's defaults."""
    defaults = {one.name: one.default for one in runbook.inputs if one.default is not None and not one.secret}
    secret = {one.name for one in runbook.inputs if one.secret}
    return defaults | {name: value for name, value in given.items() if name not in secret}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with $NAME and ${NAME} of known inputs filled in; others stay as they are."""
    return _NAME.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def fill_written(text: str, runbook: Runbook, values: Mapping[str, str]) -> str:
    """As `fill`, for every spelling of an input in the document: "<host>", "[port]", "your-server-ip" too."""
    for one in runbook.inputs:
        if one.name in values and not one.written.startswith("$"):
            for form in one.forms:
                text = text.replace(form, values[one.name])
    return fill(text, values)


def with_inputs(config: Config, values: Mapping[str, str]) -> Config:
    """The configuration with inputs filled in http addresses and log paths; never in commands, which are code."""
    return msgspec.structs.replace(
        config,
        probes=tuple(_filled(probe, values) for probe in config.probes),
        tails=tuple(msgspec.structs.replace(tail, path=fill(tail.path, values)) for tail in config.tails),
    )


def _filled(probe: ProbeConfig, values: Mapping[str, str]) -> ProbeConfig:
    url = probe.options.get("url")
    if not isinstance(url, str) or "$" not in url:
        return probe
    return msgspec.structs.replace(probe, options={**probe.options, "url": fill(url, values)})
