"""What steps print of GitHub's answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cockpit.adapters.github.shapes import FAILED, Job, Run, Workflow, at
from cockpit.adapters.step_program.page import Page
from cockpit.words import _, plural, shortened

_TITLE_CHARACTERS = 48


def show_workflows(found: Sequence[Workflow], page: Page) -> None:
    """A row each."""
    rows = [[str(one.id), one.name, one.path, one.state] for one in found]
    page.table(["workflow_id", "name", "file", "state"], rows)


def show_runs(found: Sequence[Run], total: int, asked: str, page: Page) -> None:
    """A row each, newest first.

    Args:
        total: how many there are.
        asked: what was asked for, where there may be none of it.
    """
    if not found:
        page.line(_("no run matches {what}").format(what=asked) if asked else _("there is no run"))
        return
    now = datetime.now(UTC)
    heads = ["run_id", "workflow", "state", "branch", "event", "by", "began", "took", "title"]
    rows = [
        [
            str(run.id),
            run.title,
            run.state,
            run.head_branch or "",
            run.event,
            run.who,
            moment(run.began_at),
            duration(run.duration_s(now)),
            shortened(run.display_title, _TITLE_CHARACTERS),
        ]
        for run in found
    ]
    page.table(heads, rows)
    if total > len(found):
        page.line(plural("{n} run in all", "{n} runs in all", total).format(n=total))


def show_run(run: Run, page: Page) -> None:
    """One run, a line each fact."""
    page.line(_("run {id}: {title}").format(id=run.id, title=run.title))
    page.line(f"  {run.state}  {run.display_title}")
    page.line(f"  {run.head_branch or '-'} {run.head_sha[:12]}  {run.event}  {run.who}")
    took = duration(run.duration_s(datetime.now(UTC)))
    page.line(f"  {moment(run.began_at)}  {took}  " + _("attempt {n}").format(n=run.run_attempt))
    page.line(f"  {run.html_url}")


def show_jobs(found: Sequence[Job], page: Page) -> None:
    """A row each, and what failed in them."""
    rows = [[str(job.id), job.name, job.state, duration(took_s(job)), failed_steps(job)] for job in found]
    page.table(["job_id", "job", "state", "took", "failed in"], rows)


def show_job(job: Job, page: Page) -> None:
    """One job with its steps."""
    show_jobs([job], page)
    for stage in job.steps:
        page.line(f"  {stage.number:>3}. {stage.conclusion or stage.status:<12} {stage.name}")


def failed_steps(job: Job) -> str:
    """The names of the steps that failed."""
    return ", ".join(stage.name for stage in job.steps if stage.conclusion in FAILED)


def took_s(job: Job) -> float | None:
    """How long a job took; None while that is not known."""
    begun, ended = at(job.started_at), at(job.completed_at)
    return None if begun is None or ended is None else max(0.0, (ended - begun).total_seconds())


def moment(written: str) -> str:
    """A time as a person reads it, in UTC."""
    found = at(written)
    return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if found else "-"


def duration(seconds: float | None) -> str:
    """1:02:03 or 2:03."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
