"""What of ArgoCD's answers is read: applications, as its API writes them. What is null there is empty here."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

OVER = frozenset({"Succeeded", "Failed", "Error"})
"""Phases of an operation that has ended."""
_SHORT = 7
_HASH_LENGTH = 40


class _Shape(Struct, rename="camel", frozen=True):
    pass


class Health(_Shape, frozen=True):
    """`status`: Healthy, Progressing, Degraded, Suspended, Missing or Unknown."""

    status: str = ""
    message: str = ""


class Sync(_Shape, frozen=True):
    """`status`: Synced, OutOfSync or Unknown; `revision` what it was compared with."""

    status: str = ""
    revision: str = ""
    revisions: list[str] | None = None


class Resource(_Shape, frozen=True):
    """One object that belongs to an application."""

    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""
    health: Health | None = None
    requires_pruning: bool = False
    # Of the result of a sync only.
    message: str = ""
    hook_phase: str = ""

    @property
    def label(self) -> str:
        """As a person names it: Deployment/shop."""
        return f"{self.kind}/{self.name}"


class SyncResult(_Shape, frozen=True):
    """What a sync came to so far."""

    revision: str = ""
    resources: list[Resource] | None = None


class OperationState(_Shape, frozen=True):
    """The last operation: a sync, or a rollback."""

    phase: str = ""
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    sync_result: SyncResult | None = None

    @property
    def took_s(self) -> int:
        """How long it took, or has taken until now."""
        begun, ended = moment(self.started_at), moment(self.finished_at) or datetime.now(UTC)
        return max(0, round((ended - begun).total_seconds())) if begun else 0


class Source(_Shape, frozen=True):
    """Where manifests come from."""

    repo_url: str = msgspec.field(default="", name="repoURL")
    path: str = ""
    chart: str = ""
    target_revision: str = ""


class Deployed(_Shape, frozen=True):
    """An entry of the history; `id` is what a rollback names."""

    id: int = 0
    revision: str = ""
    revisions: list[str] | None = None
    deployed_at: str = ""
    source: Source | None = None

    @property
    def told(self) -> str:
        """Its revision, short."""
        return short(self.revision or ", ".join(self.revisions or ()))


class Condition(_Shape, frozen=True):
    """What the controller has to complain of."""

    type: str = ""
    message: str = ""


class Status(_Shape, frozen=True):
    """How an application stands."""

    health: Health = Health()
    sync: Sync = Sync()
    operation_state: OperationState | None = None
    resources: list[Resource] | None = None
    history: list[Deployed] | None = None
    conditions: list[Condition] | None = None
    resource_health_source: str = ""
    """"appTree" since ArgoCD 3: the health of objects is not with them, but in the application's tree."""


class Destination(_Shape, frozen=True):
    """The cluster and namespace that it is deployed to."""

    server: str = ""
    name: str = ""
    namespace: str = ""


class Spec(_Shape, frozen=True):
    """What was asked for."""

    project: str = ""
    source: Source | None = None
    sources: list[Source] | None = None
    destination: Destination = Destination()


class Metadata(_Shape, frozen=True):
    """What tells it from others."""

    name: str = ""
    namespace: str = ""


class Application(_Shape, frozen=True):
    """One application; `operation` is there while one is asked for or under way."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status = Status()
    operation: dict[str, object] | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def state(self) -> OperationState:
        """Its last operation; an empty one where there was none."""
        return self.status.operation_state or OperationState()

    @property
    def revision(self) -> str:
        """What it is compared with, short."""
        return short(self.status.sync.revision or ", ".join(self.status.sync.revisions or ()))

    @property
    def out_of_sync(self) -> list[Resource]:
        """Its objects that are not as they should be."""
        return [it for it in self.status.resources or () if it.status == "OutOfSync"]


class Applications(_Shape, frozen=True):
    """A list of them."""

    items: list[Application] | None = None


class Manifests(_Shape, frozen=True):
    """Objects as they should be, each as JSON."""

    manifests: list[str] | None = None


class Managed(_Shape, frozen=True):
    """One object as it is and as it should be, both as JSON; "" or null where it is not there."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    hook: bool = False
    normalized_live_state: str = ""
    predicted_live_state: str = ""


class ManagedResources(_Shape, frozen=True):
    """All of one application."""

    items: list[Managed] | None = None


class Node(_Shape, frozen=True):
    """One object of an application's tree."""

    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    health: Health | None = None


class Tree(_Shape, frozen=True):
    """The objects of an application, and those that they made."""

    nodes: list[Node] | None = None


class Answer(_Shape, frozen=True):
    """The answer to "may I?": yes or no."""

    value: str = ""


def short(revision: str) -> str:
    """A commit as git shortens it; anything else as it is."""
    return revision[:_SHORT] if len(revision) == _HASH_LENGTH and revision.isalnum() else revision


def moment(stamp: str) -> datetime | None:
    """A time of the API's; None where there is none."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None
