"""From the words of an action to addresses on the API server: which kinds there are, and what an operand names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.adapters.kubernetes.cluster import Cluster, path_of
from cockpit.errors import Declined, UsageError
from cockpit.words import _

_DISCOVERY = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: `plural` as in addresses, `name` as in manifests; `short` are its other spellings."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool
    short: frozenset[str] = frozenset()

    def path(self, namespace: str, *rest: str) -> str:
        """The address of its list, of one object, or of a door of one; of all namespaces when `namespace` is ""."""
        root = ("apis", self.group, self.version) if self.group else ("api", self.version)
        where = ("namespaces", namespace) if self.namespaced and namespace else ()
        return path_of(*root, *where, self.plural, *rest)

    @property
    def label(self) -> str:
        """As kubectl writes it before a name: `deployment.apps`."""
        return f"{self.name.lower()}.{self.group}" if self.group else self.name.lower()


def kinds_of(cluster: Cluster) -> tuple[Kind, ...]:
    """Every kind the server has, in its preferred versions, the core ones first."""
    found: dict[tuple[str, str], Kind] = {}
    for root in ("/api", "/apis"):
        for group in cluster.get(root, accept=_DISCOVERY).get("items", ()):
            for version in group.get("versions", ()):
                for kind in _kinds(group, version):
                    found.setdefault((kind.group, kind.plural), kind)
    return tuple(found.values())


def _kinds(group: dict[str, Any], version: dict[str, Any]) -> Iterable[Kind]:
    for resource in version.get("resources", ()):
        plural = resource["resource"]
        name = (resource.get("responseKind") or {}).get("kind") or plural
        spellings = {plural, name.lower(), resource.get("singularResource") or plural, *resource.get("shortNames", ())}
        yield Kind(
            group["metadata"].get("name", ""),
            version["version"],
            plural,
            name,
            resource.get("scope") == "Namespaced",
            frozenset(spellings),
        )


def kind_called(word: str, kinds: Sequence[Kind]) -> Kind:
    """The kind of that name: plural, singular, short or as in a manifest, its group behind a dot or left out.

    Raises:
        Declined: the server has none.
    """
    spelling, _dot, group = word.lower().partition(".")
    for kind in kinds:
        if spelling in kind.short and (not group or kind.group.startswith(group)):
            return kind
    raise Declined(_("the cluster has no kind called {word}").format(word=word))


def targets_of(operands: Sequence[str], kinds: Sequence[Kind]) -> list[tuple[Kind, str]]:
    """What operands name: `KIND`, `KIND,KIND`, `KIND NAME…` or `KIND/NAME…`; a whole kind has the name "".

    Raises:
        UsageError: they name nothing. Declined: there is no such kind.
    """
    if not operands:
        raise UsageError(_("a kind is missing"), mend=_("for instance: deployment/api"))
    if "/" in operands[0]:
        return [_one(operand, kinds) for operand in operands]
    first, *names = operands
    if not names:
        return [(kind_called(word, kinds), "") for word in first.split(",") if word]
    return [(kind_called(first, kinds), checked(name)) for name in names]


def _one(operand: str, kinds: Sequence[Kind]) -> tuple[Kind, str]:
    word, slash, name = operand.partition("/")
    if not slash:
        raise UsageError(_("{word} is neither KIND/NAME nor a name of the kind before it").format(word=operand))
    return kind_called(word, kinds), checked(name)


def checked(name: str) -> str:
    """An object's name, which is one segment of an address and nothing else.

    Raises:
        UsageError: it can't be a name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(_("{name} can't be an object's name").format(name=repr(name)))
    return name
