"""One typed action with its values in place, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.kinds import Kind, checked, kind_called, kinds_of, targets_of
from cockpit.adapters.step_program.page import Page
from cockpit.errors import UsageError
from cockpit.safety.kubernetes.action import KubernetesAction
from cockpit.words import _

WORKLOADS = ("deployments", "statefulsets", "daemonsets")
_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


@dataclass
class Call:
    """An action to carry out. `kinds` are asked of the server once, on first use."""

    cluster: Cluster
    action: KubernetesAction
    values: Mapping[str, str]
    page: Page
    known: list[Kind] = field(default_factory=list)

    @cached_property
    def operands(self) -> list[str]:
        """What it is about, with values."""
        return [word.filled(self.values) for word in self.action.operands]

    def option(self, name: str, default: str = "") -> str:
        """An option's value."""
        word = self.action.options.get(name)
        return default if word is None else word.filled(self.values)

    def flag(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.action.options

    def number(self, name: str) -> int | None:
        """An option's value as a whole number; None when it was not given.

        Raises:
            UsageError: it is none.
        """
        text = self.option(name)
        if text and not re.fullmatch(r"\d{1,9}", text):
            raise UsageError(_("{option} wants a number, not {value}").format(option=name, value=repr(text)))
        return int(text) if text else None

    def span_s(self, name: str) -> int | None:
        """An option's value as seconds: 90, 90s, 5m, 1h30m; None when it was not given.

        Raises:
            UsageError: it is none.
        """
        text = self.option(name)
        found = _SPAN.fullmatch(text)
        if text and (found is None or not any(found.groups())):
            raise UsageError(_("{option} wants a time such as 90s, not {value}").format(option=name, value=repr(text)))
        hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        return hours * 3600 + minutes * 60 + seconds if text else None

    @property
    def namespace(self) -> str:
        """Where it goes; "" for all namespaces."""
        if self.flag("--all-namespaces"):
            return ""
        return checked(self.option("--namespace", self.cluster.namespace))

    @property
    def kinds(self) -> list[Kind]:
        """Every kind the server has."""
        if not self.known:
            self.known += kinds_of(self.cluster)
        return self.known

    def kind(self, word: str) -> Kind:
        """The kind of that name."""
        return kind_called(word, self.kinds)

    def targets(self) -> list[tuple[Kind, str]]:
        """What the operands name."""
        return targets_of(self.operands, self.kinds)

    def workload(self) -> tuple[Kind, str]:
        """The one deployment, statefulset or daemonset that the first operands name; the rest stays in `operands`.

        Raises:
            UsageError: it names no such object.
        """
        operands = self.operands[:1] if "/" in "".join(self.operands[:1]) else self.operands[:2]
        found = targets_of(operands, self.kinds)
        kind, name = found[0]
        if kind.plural not in WORKLOADS or kind.group != "apps" or not name:
            raise UsageError(
                _("this works on deployments, statefulsets and daemonsets"), mend=_("for instance: deployment/api")
            )
        self.operands[:] = self.operands[len(operands) :]
        return kind, name

    def pods_of(self, selector: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The pods that a workload's selector names, by name."""
        query = {"labelSelector": selector_text(selector)}
        pods = self.cluster.get(self.kind("pods").path(self.namespace), query).get("items", [])
        return sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))


def selector_text(selector: Mapping[str, Any]) -> str:
    """A workload's selector as the API takes it in a query."""
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for rule in selector.get("matchExpressions") or ():
        key, values = rule["key"], ",".join(rule.get("values") or ())
        terms.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[rule["operator"]]
        )
    return ",".join(terms)
