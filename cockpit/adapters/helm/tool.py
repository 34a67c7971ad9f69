"""The helm program: whether it is there, and that it is one we know."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping

from cockpit.errors import ToolMissing
from cockpit.words import _

_VERSION = re.compile(r"v([34])\.\d+[\w.+-]*")
_PATIENCE_S = 5.0
# They say which cluster and namespace, or where releases are kept: the target does.
_OURS = frozenset({"HELM_NAMESPACE", "HELM_KUBECONTEXT", "HELM_DRIVER"})


def environment() -> dict[str, str]:
    """What helm is started with: what this program has, but for what the target says."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def helm(path: str | None = None) -> tuple[str, str]:
    """Where helm is, and its version.

    Args:
        path: where to look, as in $PATH; None for $PATH itself.

    Raises:
        ToolMissing: it is not there, can't be started, or is another program or version.
    """
    place = shutil.which("helm", path=path)
    if place is None:
        raise ToolMissing(_("helm is not on this machine"), mend=_("install Helm 3 and see that PATH leads to it"))
    said = _version(place, environment())
    found = _VERSION.search(said)
    if found is None:
        raise ToolMissing(
            _("it is not the helm that is known here: it says {said}").format(said=repr(said[:80])),
            where=place,
            mend=_("install Helm 3 and see that PATH leads to it"),
        )
    return place, found[0]


def _version(place: str, held: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [place, "version", "--template={{.Version}}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=held,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolMissing(
            _("helm can't be started: {error}").format(error=error), where=place, mend=_("see what `helm version` says")
        ) from error
    return (done.stdout or done.stderr).decode("utf-8", "replace").strip()
