"""The way to an API server for the several threads that watch it: one sign-in for all of them."""

from __future__ import annotations

import threading

from cockpit.adapters.kubernetes.cluster import Cluster
from cockpit.adapters.kubernetes.sign_in import KubernetesOptions, plugin_errors
from cockpit.adapters.step_program.sent import NotConnected
from cockpit.errors import AdapterError, TargetUnreachable, TimedOut
from cockpit.words import _

_END_S = 1.0


class Door:
    """The way to one API server for several threads: signed in once, sealed, and anew after `forget`."""

    def __init__(self, options: KubernetesOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._closed = self._signing_in = False
        self._cluster: Cluster | None = None

    def cluster(self) -> Cluster:
        """A cluster of the caller's own.

        Raises:
            CockpitError: signing in does not work.
        """
        with self._lock:
            return self._let_in()

    def _let_in(self) -> Cluster:
        if self._closed:
            raise NotConnected(_("nobody looks there any more"))
        if self._cluster is None:
            self._signing_in = True
            try:
                self._cluster = Cluster(self._options, sealed=True)
            finally:
                self._signing_in = False
        return self._cluster.another()

    def silence(self) -> AdapterError:
        """Why nothing is known yet."""
        if self._signing_in:
            told = _("signing in has not ended yet: the kubeconfig's credential plugin may hang, or ask something")
            return TimedOut(told, mend=_("sign in by hand, then it is tried again"))
        told = _("the API server has not answered yet")
        return TargetUnreachable(told, mend=_("is it up, and is the way there open?"))

    def knock(self, within_s: float) -> None:
        """See whether the server answers: a stream on which nothing happens looks like one whose server hangs.

        Raises:
            CockpitError: it does not.
        """
        if not self._lock.acquire(timeout=within_s):
            raise self.silence()
        try:
            with plugin_errors(within_s):
                cluster = self._let_in()
        finally:
            self._lock.release()
        cluster.get_raw("/version", {}, within_s=within_s)

    def forget(self, refused: Cluster | None) -> None:
        """Sign in again next time: what this one signed in with is refused. Others may have noticed before."""
        with self._lock:
            cluster = self._cluster
            if cluster is None or refused is None or cluster.api is not refused.api:
                return
            self._cluster = None
        cluster.forget()

    def close(self) -> None:
        """Let nobody in any more, and end what is under way; a sign-in that hangs is not waited for."""
        self._closed = True
        if not self._lock.acquire(timeout=_END_S):
            return
        try:
            cluster, self._cluster = self._cluster, None
        finally:
            self._lock.release()
        if cluster is not None:
            cluster.close()
