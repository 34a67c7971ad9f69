"""What GitHub answers about Actions, as far as it is used here."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

FAILED = frozenset({"failure", "timed_out", "startup_failure"})
PASSED = frozenset({"success", "neutral", "skipped"})


class Person(Struct, frozen=True):
    """Who did it."""

    login: str = ""


class Workflow(Struct, frozen=True):
    """One workflow. `state`: active, disabled_manually …"""

    id: int
    name: str = ""
    path: str = ""
    state: str = ""


class Run(Struct, frozen=True):
    """One run. `status` is queued, in_progress, waiting, completed …; `conclusion` is None until it is completed."""

    id: int
    name: str | None = ""
    display_title: str = ""
    run_number: int = 0
    run_attempt: int = 1
    workflow_id: int = 0
    status: str | None = ""
    conclusion: str | None = None
    event: str = ""
    head_branch: str | None = ""
    head_sha: str = ""
    html_url: str = ""
    created_at: str = ""
    run_started_at: str | None = None
    updated_at: str = ""
    actor: Person | None = None
    triggering_actor: Person | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status == "completed"

    @property
    def state(self) -> str:
        """How it ended, or where it is."""
        return (self.conclusion if self.over else self.status) or self.status or "?"

    @property
    def who(self) -> str:
        """Who began this attempt."""
        person = self.triggering_actor or self.actor
        return person.login if person else ""

    @property
    def began_at(self) -> str:
        """When this attempt began, RFC 3339."""
        return self.run_started_at or self.created_at

    @property
    def title(self) -> str:
        """The workflow and its number: deploy #45."""
        return f"{self.name or self.workflow_id} #{self.run_number}"

    def duration_s(self, now: datetime) -> float | None:
        """How long this attempt took, or takes so far; None where it does not say."""
        begun, ended = at(self.began_at), at(self.updated_at) if self.over else now
        return None if begun is None or ended is None else max(0.0, (ended - begun).total_seconds())


class Stage(Struct, frozen=True):
    """A step of a job, as GitHub calls it."""

    name: str = ""
    status: str = ""
    conclusion: str | None = None
    number: int = 0


class Job(Struct, frozen=True):
    """One job of a run."""

    id: int
    run_id: int = 0
    name: str = ""
    status: str = ""
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    steps: list[Stage] = []

    @property
    def state(self) -> str:
        """How it ended, or where it is."""
        return self.conclusion or self.status


class Workflows(Struct, frozen=True):
    """A page of workflows."""

    workflows: list[Workflow]
    total_count: int = 0


class Runs(Struct, frozen=True):
    """A page of runs, newest first."""

    workflow_runs: list[Run]
    total_count: int = 0


class Jobs(Struct, frozen=True):
    """A page of jobs."""

    jobs: list[Job]
    total_count: int = 0


class Rights(Struct, frozen=True):
    """What who asks may do with a repository."""

    push: bool = False


class Repository(Struct, frozen=True):
    """A repository."""

    full_name: str = ""
    default_branch: str = "main"
    permissions: Rights | None = None


def at(written: str | None) -> datetime | None:
    """A time of GitHub's; None where it is none."""
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
