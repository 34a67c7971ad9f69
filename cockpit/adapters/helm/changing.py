"""Typed Helm actions that change a release: rollback and upgrade, by the helm program itself.

helm does it; what came of it is read from the release's records before and after, and never from what helm says.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

from cockpit.adapters.helm.assignments import Told, told_apart
from cockpit.adapters.helm.call import Call, chosen, whole
from cockpit.adapters.helm.handing import Handed, handed
from cockpit.adapters.helm.records import Listed, Record, listed, record, revisions_of
from cockpit.adapters.helm.tool import environment, helm
from cockpit.adapters.kubernetes.kinds import Kind
from cockpit.adapters.kubernetes.rollouts import progress
from cockpit.errors import AdapterError, Declined, UsageError
from cockpit.safety.helm.action import FLAGS
from cockpit.words import _

_LOOK_S = 1.0
_END_S = 3.5
"""A cancelled step is killed after five seconds; by then it has to have said how things are."""
_COMPLAINT_CHARACTERS = 4000
_WORKLOADS = {
    "Deployment": Kind("apps", "v1", "deployments", "Deployment", namespaced=True),
    "StatefulSet": Kind("apps", "v1", "statefulsets", "StatefulSet", namespaced=True),
    "DaemonSet": Kind("apps", "v1", "daemonsets", "DaemonSet", namespaced=True),
}
_FILES = ("./", "../", ".")
_SETS = ("--set", "--set-string")


def rollback(call: Call) -> None:
    """Go back to the revision before, or to the one named.

    Raises:
        Declined: there is no such release or revision, or helm says no.
    """
    call.expect(2)
    before = revisions_of(call.cluster, call.namespace, call.release)
    number = whole(call.operands[1], _("the revision")) if len(call.operands) > 1 else before[-1].number - 1
    aim = chosen(before, number)
    after = _changed(call, "rollback", [call.release, str(aim.number)], before[-1])
    call.page.line(
        f"{after.name} rolled back to {aim.number} as revision {after.version}: {_told(after)}"
        f" (it was revision {before[-1].number})"
    )


def upgrade(call: Call) -> None:
    """Install another version or other values of a release; with `--install`, also where there is none yet.

    Raises:
        UsageError: no chart, or a path that depends on a folder. Declined: no such release, or helm says no.
    """
    call.expect(2)
    if len(call.operands) < 2:
        raise UsageError(_("{verb} wants the name of a release and a chart").format(verb="upgrade"))
    for path in (call.operands[1], *call.given("--values")):
        if path.startswith(_FILES):
            raise UsageError(_("a typed action has no folder: give the whole path, not {path}").format(path=repr(path)))
    if call.flag("--install"):
        before = listed(call.cluster, call.namespace, call.release)
    else:
        before = revisions_of(call.cluster, call.namespace, call.release)
    after = _changed(call, "upgrade", [call.release, call.operands[1]], before[-1] if before else None)
    was = f" (it was revision {before[-1].number})" if before else ""
    call.page.line(f"{after.name} upgraded to revision {after.version}: {_told(after)}{was}")


def _told(one: Record) -> str:
    app = f", app {one.chart.metadata.app_version}" if one.chart.metadata.app_version else ""
    return f"{one.info.status}, {one.chart_name}{app}, {one.info.description}"


def _changed(call: Call, verb: str, operands: list[str], before: Listed | None) -> Record:
    """Let helm do it; the release's record afterwards.

    Raises:
        Declined: helm says no; how the release stands is printed. KeyboardInterrupt: cancelled, likewise.
    """
    program, _version = helm()
    told = _told_apart(call)
    call.about_to_change()
    with call.cluster.sent.request(changing=True), handed([text for _path, text in told.texts]) as handles:
        given = [f"--set={word}" for word in told.words]
        given += [f"--set-file={path}={one.path}" for (path, _text), one in zip(told.texts, handles, strict=True)]
        argv = [program, verb, *_signed_in(call), *_options(call), *given, "--", *operands]
        try:
            complaint = _run(call, argv, handles, before)
        except KeyboardInterrupt:
            with contextlib.suppress(AdapterError):
                _print_standing(call, before)
            raise
    if complaint is not None:
        _print_standing(call, before)
        raise Declined(_without_head(complaint), mend=_("look at its history before you run it again"))
    return record(call.cluster, listed(call.cluster, call.namespace, call.release)[-1])


def _signed_in(call: Call) -> list[str]:
    """Where it goes, said in full: nothing of the environment decides it."""
    told = [f"--namespace={call.namespace}"]
    if call.target.context:
        told.append(f"--kube-context={call.target.context}")
    if call.target.kubeconfig_file:
        from pathlib import Path

        told.append(f"--kubeconfig={Path(call.target.kubeconfig_file).expanduser()}")
    return told


def _told_apart(call: Call) -> Told:
    """What is set, where inputs have a part in it: their values are nobody's to read in the words of a process.

    Raises:
        UsageError: helm would not understand it.
    """
    if not _has_inputs(call):
        return Told((), ())
    return told_apart(call.given("--set"), call.given("--set-string"))


def _has_inputs(call: Call) -> bool:
    return not all(word.constant for name in _SETS for word in call.action.options.get(name, ()))


def _options(call: Call) -> list[str]:
    """The action's own options, each one word, so that no value is taken for another option."""
    elsewhere = {"--namespace", *(_SETS if _has_inputs(call) else ())}
    return [
        text
        for name in call.action.options
        if name not in elsewhere
        for text in ([name] if name in FLAGS else [f"{name}={value}" for value in call.given(name)])
    ]


def _run(call: Call, argv: list[str], handles: Sequence[Handed], before: Listed | None) -> str | None:
    """Start helm and follow it to its end; what it complains of, None when it is done."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
        pass_fds=[one.descriptor for one in handles],
    )
    try:
        for one in handles:
            one.give()
        watching = _progress(call, before) if call.flag("--wait") or call.flag("--atomic") else iter(())
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                _out, said = process.communicate(timeout=_LOOK_S)
                break
            for line in next(watching, []):
                call.page.line(line)
    except BaseException:
        _end(process)
        raise
    return said.decode("utf-8", "replace")[-_COMPLAINT_CHARACTERS:] or argv[0] if process.returncode else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """An upgrade that is told to end marks its release as failed; give it the time."""
    process.terminate()
    try:
        process.communicate(timeout=_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _progress(call: Call, before: Listed | None) -> Iterator[list[str]]:
    """What is new about the revision that helm makes, and about its workloads, each time it is asked."""
    told: dict[str, str] = {}
    made: Record | None = None
    while True:
        now: dict[str, str] = {}
        try:
            newest = listed(call.cluster, call.namespace, call.release)[-1:]
            if newest and (before is None or newest[0].number > before.number):
                now[""] = f"{newest[0].name}: revision {newest[0].number} is {newest[0].status}"
                made = made or record(call.cluster, newest[0])
                now |= dict(_workloads(call, made))
        except AdapterError as error:
            now["!"] = str(error)  # helm goes on, and so do we
        yield [line for about, line in now.items() if told.get(about) != line]
        told |= now


def _workloads(call: Call, made: Record) -> Iterator[tuple[str, str]]:
    import yaml

    try:
        objects = [it for it in yaml.safe_load_all(made.manifest) if isinstance(it, dict)]
    except yaml.YAMLError:
        return
    for it in objects:
        kind, metadata = _WORKLOADS.get(str(it.get("kind"))), it.get("metadata") or {}
        if kind is not None:
            path = kind.path(str(metadata.get("namespace") or call.namespace), str(metadata.get("name")))
            try:
                yield path, progress(kind, call.cluster.get(path))[1]
            except Declined as error:  # not made yet, or its rollout failed: helm says what becomes of it
                yield path, str(error)


def _print_standing(call: Call, before: Listed | None) -> None:
    """How the release stands now, where helm did not get through."""
    found = listed(call.cluster, call.namespace, call.release)
    if not found:
        call.page.line(f"{call.release}: there is no such release")
        return
    last = found[-1]
    changed = "" if before is not None and last.number == before.number else " (new)"
    call.page.line(f"{last.name}: revision {last.number} is {last.status}{changed}")
    if last.status.startswith("pending-"):
        call.page.line(f"{last.name}: helm refuses upgrades until a rollback ends what is pending")


def _without_head(complaint: str) -> str:
    """helm's own words on one line."""
    lines = [line for line in complaint.splitlines() if line.strip() and not line.startswith("WARNING")]
    return " ".join(" ".join(lines).split()).removeprefix("Error: ")
