"""Releases on a real API server, made by the real helm from a chart of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.kubernetes import ADMIN, KubernetesServer, built_path

_TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {greeting: {{ .Values.greeting | default "hello" | quote }}}
"""
_DEPLOYMENT = """\
{{- if .Values.deployed }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas | default 2 }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {nodeName: node-1, containers: [{name: app, image: {{ .Values.image | default "shop:1" | quote }}}]}
{{- end }}
"""


@dataclass
class Releases:
    """helm, and the API server it works on."""

    server: KubernetesServer
    folder: Path

    def chart(self, version: str = "0.1.0", app: str = "1.0") -> Path:
        """A chart of that version: a ConfigMap, and a deployment where `deployed` is set."""
        folder = self.folder / f"shop-{version}"
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "Chart.yaml").write_text(
            json.dumps({"apiVersion": "v2", "name": "shop", "version": version, "appVersion": app})
        )
        (folder / "templates" / "settings.yaml").write_text(_TEMPLATE)
        (folder / "templates" / "deployment.yaml").write_text(_DEPLOYMENT)
        return folder

    def helm(self, *words: str) -> None:
        """Run helm as the admin."""
        argv = [_helm(), *words, f"--kubeconfig={self.server.kubeconfig(ADMIN)}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=self._environment())
        assert done.returncode == 0, done.stderr

    def install(self, name: str, revisions: int = 1, *, namespace: str = "shop", **values: Any) -> None:
        """A release with so many revisions, the chart's version 0.N.0 in the Nth."""
        given = self.folder / f"{name}.json"
        for number in range(1, revisions + 1):
            given.write_text(json.dumps(values | {"greeting": values.get("greeting", f"hello {number}")}))
            chart = self.chart(f"0.{number}.0", f"{number}.0")
            where = [f"--namespace={namespace}", "--create-namespace", f"--values={given}"]
            self.helm("upgrade", "--install", name, str(chart), *where, "--description", f"the {number}")

    def status(self, name: str, number: int, status: str, *, changed_s: int | None = None) -> None:
        """Make a revision's label say something else, as a helm that was killed leaves it."""
        labels = {"status": status} | ({"modifiedAt": str(changed_s)} if changed_s is not None else {})
        path = f"/api/v1/namespaces/shop/secrets/sh.helm.release.v1.{name}.v{number}"
        merge = "application/merge-patch+json"
        self.server.ask("PATCH", path, {"metadata": {"labels": labels}}, content_type=merge)

    def _environment(self) -> dict[str, str]:
        return os.environ | {"HOME": str(self.folder)}


def _helm() -> str:
    """The helm that was built with the API server; the test skips where there is none."""
    found = shutil.which("helm", path=built_path())
    if found is None:
        pytest.skip("there is no helm on this machine; .ci/cluster/build builds it where Go is")
    return found


def require_helm() -> str:
    """The folder of helm; the test skips where there is none."""
    return str(Path(_helm()).parent)
