"""From configured targets to the adapters that run their steps, and from a step to its target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from cockpit.adapters import powershell
from cockpit.adapters.base import Adapter, RunsSteps, ServesAddresses
from cockpit.adapters.registry import load
from cockpit.config import GroupConfig, TargetConfig
from cockpit.config.document import WHERE
from cockpit.config.names import LOCAL
from cockpit.config.table import typed
from cockpit.errors import CockpitError, ConfigError, UsageError
from cockpit.safety.http_request import Location, location, requests_of
from cockpit.words import _

NO_GROUPS: Mapping[str, GroupConfig] = MappingProxyType({})
_SHELLS = frozenset({"bash", "sh", "zsh"})
_CREDENTIALS = ("_env", "_file")


def targets_of(
    configured: Iterable[TargetConfig] = (), origin: str = "", *, left_out: Callable[[str], None] | None = None
) -> dict[str, RunsSteps]:
    """An adapter per target name; this machine, called "local", is always one.

    Args:
        origin: the file they are configured in, for messages.
        left_out: told why a document's own target can't be had: its runbook has to open all the same. None raises.

    Raises:
        ConfigError: an adapter that can't run steps, or options that it does not have. ToolMissing: one that isn't
            installed.
    """
    adapters: dict[str, RunsSteps] = {}
    for target in (TargetConfig(name=LOCAL), *configured):
        source = origin if target.trusted else WHERE
        where = f"{source}: target.{target.name}" if source else f"target.{target.name}"
        try:
            adapters[target.name] = _adapter_of(target, where)
        except CockpitError as error:
            if target.trusted or left_out is None:
                raise
            left_out(str(error) if error.where else f"{where}: {error}")
    return adapters


def _adapter_of(target: TargetConfig, where: str) -> RunsSteps:
    adapter = load(target.kind, partial(_made, target=target, where=where))
    if not isinstance(adapter, RunsSteps):
        raise ConfigError(
            _("the adapter {kind} runs no steps").format(kind=target.kind), where=where, mend=_("choose another kind")
        )
    return adapter


def _made(kind: Any, target: TargetConfig, where: str) -> Adapter:
    """An adapter of that class, with the target's options if it has any."""
    shape = getattr(kind, "Options", None)
    if not target.trusted:
        asked = next((key for key in target.options if key.endswith(_CREDENTIALS)), None)
        if asked:
            raise ConfigError(
                _("a document can't ask for credentials of this machine"),
                where=f"{where}.{asked}",
                mend=_("configure the target in cockpit.toml"),
            )
    if shape is None:
        if target.options:
            raise ConfigError(
                _("unknown key {word}").format(word=next(iter(target.options))),
                where=where,
                mend=_('this machine has no options; for another place say its kind, such as kind = "ssh"')
                if target.kind == LOCAL
                else _("a target of kind {kind} has no options").format(kind=target.kind),
            )
        made: Adapter = kind()
        return made
    try:
        options = typed(target.options, shape, where)
        made = kind(options) if target.trusted else kind(options, trusted=False)
    except ConfigError as error:
        raise ConfigError(error.what, where=error.where or where, mend=error.mend) from error
    return made


def has_folders(adapter: RunsSteps) -> bool:
    """Whether steps there run in a folder: those of a shell do; a database, a cluster or an account has none."""
    return not _SHELLS.isdisjoint(adapter.languages)


def able(
    adapters: Mapping[str, RunsSteps], language: str, text: str = "", groups: Mapping[str, GroupConfig] = NO_GROUPS
) -> tuple[str, ...]:
    """The targets that can run a step of this language and text, by name; after them the groups all of whose can.

    A request whose address names no target's host goes to that host itself, a target of that name.
    """
    names = tuple(name for name, adapter in adapters.items() if language in adapter.languages and _takes(adapter, text))
    together = () if language == "message" else groups.values()
    names += tuple(group.name for group in together if set(group.targets) <= set(names))
    host = _host_in(language, text)
    return names if names or host is None else (host.name,)


def _takes(adapter: RunsSteps, text: str) -> bool:
    """Whether a step of this text may go there, as far as it says itself where it goes."""
    return not isinstance(adapter, ServesAddresses) or adapter.serves(text)


def _host_in(language: str, text: str) -> Location | None:
    """The one host that the requests of a text name; None when it holds none, several, or leaves one open."""
    if language != "http":
        return None
    try:
        places = [location(request) for request in requests_of(text)]
    except UsageError:
        return None
    return places[0] if len({place.origin for place in places}) == 1 else None


def _of_a_host(origin: str) -> RunsSteps:
    """What sends requests to a host that no target is configured for: nothing but what they say goes along."""
    adapter = load("http", lambda kind: kind(kind.Options(base_url=origin)))
    assert isinstance(adapter, RunsSteps)
    return adapter


def target_for(
    language: str,
    adapters: Mapping[str, RunsSteps],
    named: Any,
    wishes: Sequence[Any],
    text: str = "",
    groups: Mapping[str, GroupConfig] = NO_GROUPS,
) -> str | None:
    """Where a step of this language and text goes.

    The target that the document names for it, whether or not there is one: what was written for another machine runs
    nowhere else. Else the first wish that can run it; else the only target that can; else None.
    """
    if isinstance(named, str) and named:
        return named
    for wish in wishes:
        if wish in able(adapters, language, text, groups):
            return str(wish)
    names = able(adapters, language, text)
    return names[0] if len(names) == 1 else None


def adapter_called(target: str, adapters: Mapping[str, RunsSteps], groups: Iterable[str] = ()) -> RunsSteps:
    """The adapter of that target. `groups` are told as well where there is none.

    Raises:
        UsageError: there is no such target.
    """
    if target in adapters:
        return adapters[target]
    raise UsageError(
        _("no target is called {target}").format(target=target),
        mend=_("known ones: {names}").format(names=", ".join(sorted([*adapters, *groups]))),
    )


def adapter_for(language: str, adapters: Mapping[str, RunsSteps], target: str, text: str = "") -> RunsSteps:
    """The adapter of that target, which can run this language and text.

    Raises:
        UsageError: there is no such target, or it can't.
    """
    known = adapters.get(target)
    speaks = known is not None and language in known.languages
    if known is not None and speaks and _takes(known, text):
        return known
    names, host = able(adapters, language, text), _host_in(language, text)
    if target in names and host and not speaks:
        return _of_a_host(f"{host.scheme}://{host.name}")
    adapter = adapter_called(target, adapters)
    if speaks and not names:  # why a request is none it says itself
        return adapter
    told = _("the request does not go to {target}") if speaks else _("{language} steps can't run on {target}")
    raise UsageError(
        told.format(language=language, target=target),
        mend=_("choose one of these targets: {names}").format(names=", ".join(names)) if names else _mend(language),
    )


def _mend(language: str) -> str:
    if language == "http":
        return _("write http://host in front of the path, or configure a target of kind http with base_url")
    if language == powershell.LANGUAGE:
        return powershell.mend()
    return _("configure a target that can, or run it by hand and tick it")


def adapter_on_record(intent: Mapping[str, Any], adapters: Mapping[str, RunsSteps], otherwise: RunsSteps) -> RunsSteps:
    """What takes over a run that another host started."""
    known = adapters.get(str(intent.get("target")))
    language = str(intent.get("language"))
    if language == "http" and (known is None or language not in known.languages):
        return _of_a_host("http://localhost")
    return known or otherwise
