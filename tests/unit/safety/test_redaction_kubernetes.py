"""What a Kubernetes Secret holds is masked whatever its keys are called; a ConfigMap stays readable."""

from __future__ import annotations

import base64
import json

import pytest

from cockpit.safety.redaction.redactor import Redactor

VALUES = ["YWRtaW5pc3RyYXRvcg==", "aHVudGVyMmh1bnRlcjI=", "3q2+78r+ur7erb7vyv66vt6tvu/K/rq+3q2+7w=="]
MANIFEST = {
    "apiVersion": "v1",
    "data": dict(zip(("username", "settings", "seed"), VALUES, strict=True)),
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "prod"},
}
YAML = f"""apiVersion: v1
data:
  username: {VALUES[0]}
  settings: "{VALUES[1]}"
  seed: {VALUES[2]}
kind: Secret
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {json.dumps(MANIFEST, separators=(",", ":"))}
  name: db
"""
CONFIG_MAP = """kind: ConfigMap
data:
  LOG_LEVEL: warning1
  mode: production
  replicas: '12345678'
  url: http://db:5432/x
  flags: "--foo=bar --baz"
  class: AbstractFactoryBean12345
metadata:
  name: c
"""
OUTPUTS = {
    "yaml": YAML,
    "a list in yaml": "apiVersion: v1\nitems:\n- " + YAML.replace("\n", "\n  ").rstrip() + "\nkind: List\n",
    "json": json.dumps(MANIFEST, indent=4) + "\n",
    "a list in json": json.dumps({"items": [MANIFEST, MANIFEST], "kind": "List"}, indent=2) + "\n",
    "json on a line": json.dumps(MANIFEST) + "\n",
    "json inside json": json.dumps({"log": json.dumps(MANIFEST)}) + "\n",
    "a difference": "".join(f"-{line}\n" for line in YAML.splitlines()),
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_no_value_of_a_secret_is_left_wherever_the_output_is_cut(output: str) -> None:
    data = output.encode()
    whole = Redactor().redact(output)
    assert whole.count("\n") == output.count("\n")
    assert "username" in whole
    for at in range(len(data) + 1):
        plain, paused = Redactor(), Redactor()
        assert (plain.feed(data[:at]) + plain.feed(data[at:]) + plain.flush()).decode() == whole
        shown = paused.feed(data[:at]) + paused.idle() + paused.feed(data[at:]) + paused.idle() + paused.flush()
        assert not any(value[:8] in shown.decode() for value in VALUES)


def test_plain_values_of_a_secret_are_masked_too() -> None:
    text = "kind: Secret\nstringData:\n  a: one plain value\n  b: |\n    line of it\n    another of it\ntype: Opaque\n"
    masked = Redactor().redact(text)
    assert "plain value" not in masked
    assert "of it" not in masked
    assert masked.endswith("type: Opaque\n")
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        CONFIG_MAP,
        "volumes:\n  data:\n    driver: local\n",
        '{"data": {"id": "abcdefgh", "name": "someone"}, "kind": "Person"}\n',
        "data: 12 rows\nmetadata: none\n",
        "NAME      TYPE     DATA   AGE\ndb-creds  Opaque   3      41d\n",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert Redactor().redact(text) == text


def test_the_values_of_a_config_map_that_are_base64_of_text_are_masked_which_is_the_price() -> None:
    packed = base64.b64encode(b"key=value of something").decode()
    assert packed not in Redactor().redact(f"kind: ConfigMap\ndata:\n  blob: {packed}\n")
