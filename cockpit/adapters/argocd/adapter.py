"""ArgoCD: typed actions on its applications through its REST API, in the words of its command line.

[target.argo]
kind = "argocd"
url = "https://argocd.internal"
token_env = "ARGOCD_TOKEN"         # of an account or a project's role; or token_file
ca_file = "/etc/ssl/our-ca.pem"

`app sync` and `app rollback` follow the operation to its end, as the command line does, unless `--async` is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import quote

from msgspec import Struct

from cockpit.adapters.argocd import changing, reading
from cockpit.adapters.argocd.api import APPLICATIONS, ArgocdApi, ArgocdOptions
from cockpit.adapters.argocd.api import check as check_options
from cockpit.adapters.argocd.call import Call, check
from cockpit.adapters.argocd.shapes import Answer, Applications
from cockpit.adapters.base import Enforcement
from cockpit.adapters.http.api import credentials_of
from cockpit.adapters.step_program.adapter import StepProgram, Task, only_reads
from cockpit.adapters.step_program.page import Page
from cockpit.safety.argocd.action import ArgocdAction, argocd_actions
from cockpit.safety.argocd.judgement import judge_action
from cockpit.safety.verdict import Verdict
from cockpit.words import _

_PERFORMERS: Mapping[str, Callable[[Call], Awaitable[None]]] = MappingProxyType(
    {
        "app list": reading.list_applications,
        "app get": reading.get,
        "app history": reading.history,
        "app resources": reading.resources,
        "app manifests": reading.manifests,
        "app diff": reading.diff,
        "app wait": changing.wait,
        "app sync": changing.sync,
        "app rollback": changing.rollback,
        "app terminate-op": changing.terminate,
    }
)
_CHANGES = ("sync", "update", "override", "delete", "create")
"""What read-only credentials may not do with applications."""
_MOST_PROJECTS = 10


class ArgocdAdapter(StepProgram[ArgocdOptions]):
    """Runs the actions of a block in order, up to the first that fails."""

    name: ClassVar[str] = "argocd"
    languages: ClassVar[frozenset[str]] = frozenset({"argocd"})
    Options: ClassVar[type[Struct]] = ArgocdOptions

    def __init__(self, options: ArgocdOptions, *, trusted: bool = True) -> None:
        super().__init__(options, trusted=trusted)
        check_options(options)

    def credentials(self) -> dict[str, str]:
        """The token. See `StepProgram.credentials`."""
        return credentials_of(self.options.as_api())

    def perform(self, task: Task, page: Page) -> None:
        """Carry out the step's actions. See `StepProgram.perform`."""
        actions = argocd_actions(task.body)
        for action in actions:
            check(action)
            if task.read_only and judge_action(action).verdict is not Verdict.READ_ONLY:
                raise only_reads(action.verb)
        begun: list[ArgocdAction] = []
        try:
            asyncio.run(self._perform(actions, task, page, begun))
        except KeyboardInterrupt:
            if begun and begun[-1].verb in ("app sync", "app rollback"):
                page.line(_("nobody waits any more; what was begun goes on, until app terminate-op"))
            raise

    def enforced(self, task: Task) -> Enforcement:
        """Asks what this account may do with the applications it sees. See `StepProgram.enforced`."""
        may = asyncio.run(self._may(task))
        if may:
            shown = ", ".join(may[:3]) + (", …" if len(may) > 3 else "")
            return Enforcement("tool", _("these credentials may {what}").format(what=shown))
        return Enforcement("server", _("the server lets these credentials only read"))

    async def _perform(
        self, actions: Sequence[ArgocdAction], task: Task, page: Page, begun: list[ArgocdAction]
    ) -> None:
        async with self._connected(task, sealed=task.read_only) as api:
            for action in actions:
                begun.append(action)
                if len(actions) > 1:
                    page.line(f"> {_headline(action)}")
                await _PERFORMERS[action.verb](Call(api, action, task.values, page))

    async def _may(self, task: Task) -> list[str]:
        """Rights are a project's: each project that is seen is asked for, and all of them."""
        async with self._connected(task, sealed=True) as api:
            found = (await api.get(APPLICATIONS, Applications, {"fields": "items.spec.project"})).items or []
            projects = sorted({it.spec.project for it in found if it.spec.project})
            may: list[str] = []
            for project in ["*", *projects[:_MOST_PROJECTS]]:
                for verb in _CHANGES:
                    path = f"/api/v1/account/can-i/applications/{verb}/{quote(project, safe='*')}/*"
                    if (await api.get(path, Answer)).value != "no":
                        may.append(f"{verb} {project}/*")
                if may:
                    break
            return may or ["…"] * (len(projects) > _MOST_PROJECTS)

    @asynccontextmanager
    async def _connected(self, task: Task, *, sealed: bool) -> AsyncIterator[ArgocdApi]:
        permitted = task.require_still_permitted
        api = ArgocdApi(
            self.options, task.credentials, self.options.timeout_s, sealed=sealed, permitted=permitted, patient=True
        )
        try:
            yield api
        finally:
            await api.close()


def _headline(action: ArgocdAction) -> str:
    return " ".join([action.verb, *(word.text or "$…" for word in action.operands)])
