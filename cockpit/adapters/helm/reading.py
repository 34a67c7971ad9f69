"""Typed Helm actions that read: list, status, history, get values. They read records and never start helm.

What is printed is the same in every language, with helm's own heads: a runbook's expectations are held against it.
"""

from __future__ import annotations

import json
import re

from cockpit.adapters.helm.call import Call, chosen
from cockpit.adapters.helm.records import Record, listed, newest, record, records, revisions_of
from cockpit.errors import UsageError
from cockpit.words import _

_GONE = frozenset({"uninstalled", "superseded"})


def list_releases(call: Call) -> None:
    """Each release that is there, with its last revision; `--filter` is a regular expression on names."""
    call.expect(0)
    wanted = call.option("--filter")
    try:
        pattern = re.compile(wanted)
    except re.error as error:
        raise UsageError(_("{pattern} is no pattern: {error}").format(pattern=wanted, error=error)) from error
    there = [it for it in newest(listed(call.cluster, call.namespace)) if it.status not in _GONE]
    rows = []
    for it in there:
        if pattern.search(it.name):
            one = record(call.cluster, it)
            rows.append([it.name, it.namespace, str(it.number), *_about(one)])
    if rows:
        heads = ["NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"]
        call.page.table(heads, rows, right=(2,))
    else:
        call.page.line(f"No releases found: {wanted or call.namespace}".rstrip(": "))


def history(call: Call) -> None:
    """The revisions of a release, the newest last; `--max` of them."""
    call.expect(1)
    found = records(call.cluster, call.namespace, call.release)
    if not found:
        revisions_of(call.cluster, call.namespace, call.release)  # it says what there is instead
    most = call.number("--max") or len(found)
    rows = [[str(one.version), *_about(one), one.info.description] for one in found[-most:]]
    call.page.table(["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"], rows, right=(0,))


def _about(one: Record) -> list[str]:
    return [one.updated, one.info.status, one.chart_name, one.chart.metadata.app_version]


def status(call: Call) -> None:
    """How a release stands, or stood at `--revision`."""
    one = _wanted(call)
    told = {
        "NAME": one.name,
        "LAST DEPLOYED": one.updated,
        "NAMESPACE": one.namespace,
        "STATUS": one.info.status,
        "REVISION": str(one.version),
        "CHART": one.chart_name,
        "APP VERSION": one.chart.metadata.app_version,
        "DESCRIPTION": one.info.description,
    }
    for name, value in told.items():
        call.page.line(f"{name}: {value}")


def get_values(call: Call) -> None:
    """The values that somebody gave, as YAML or `-o json`."""
    form = call.option("--output", "yaml")
    if form not in ("yaml", "json"):
        raise UsageError(_("-o is one of {names}").format(names="yaml, json"))
    given = _wanted(call).config or {}
    if form == "json":
        call.page.line(json.dumps(given, ensure_ascii=False, indent=2))
        return
    import yaml

    call.page.line(yaml.safe_dump(given, allow_unicode=True, sort_keys=False).rstrip())


def _wanted(call: Call) -> Record:
    call.expect(1)
    revisions = revisions_of(call.cluster, call.namespace, call.release)
    number = call.number("--revision")
    return record(call.cluster, revisions[-1] if number is None else chosen(revisions, number))
