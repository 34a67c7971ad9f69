"""Inputs in what `--set` says reach the real helm as the same values, and stand in no words that others can read."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.adapters.helm.assignments import Told, told_apart
from cockpit.errors import UsageError
from tests.real.kubernetes.test_helm import releases, run, server, stub
from tests.servers.helm import Releases, require_helm

__all__ = ["releases", "server"]
pytestmark = pytest.mark.real
_CHART = {
    "Chart.yaml": '{"apiVersion": "v2", "name": "shown", "version": "0.1.0"}',
    "templates/all.yaml": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"all": '
    "{{ .Values | toJson | quote }}}}",
}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose one object holds all values, with their types."""
    folder = tmp_path_factory.mktemp("chart")
    (folder / "templates").mkdir()
    for name, text in _CHART.items():
        (folder / name).write_text(text)
    (folder / "base.yaml").write_text('{"a": 5, "l": ["one", "two", "three"], "m": {"x": 1, "kept": true}}')
    return folder


def rendered(chart: Path, *words: str) -> Any:
    """The values that helm arrives at; None where it refuses them."""
    argv = [f"{require_helm()}/helm", "template", "it", str(chart), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return None
    document = done.stdout.partition("\n# Source")[2].partition("\n")[2]
    return json.loads(json.loads(document)["data"]["all"])


def as_told(chart: Path, told: Told, folder: Path) -> list[str]:
    files = []
    for number, (path, text) in enumerate(told.texts):
        (folder / str(number)).write_text(text)
        files.append(f"--set-file={path}={folder / str(number)}")
    return [*(f"--set={word}" for word in told.words), *files]


@pytest.mark.parametrize("base", [(), ("--values=base.yaml",)], ids=["alone", "over a file"])
@pytest.mark.parametrize(
    "sets",
    [
        ("b=text", "c=12", "d=007", "e=true,f=TRUE,g=null,h=,i=-5,j=+5,k=1.5,n=1e3,o=0,p=00"),
        ("b=9223372036854775807,c=9223372036854775808,d=-9223372036854775808,e=1000000",),
        ("b={x,1,true,null,}", "c={}", "d={,}", "e={ 1, 2 }"),
        (r"b=x\,y", r"c=x\\y", r"d\.e=1", r"f\[0\]=x", r"g\=h=x", r"i={a\,b,c\}}", "j=a=b", "k=x}y", r"n=\1"),
        ("l[1]=zwei", "l[4]=five"),
        ("l={only}",),
        ("b[0].c=x,b[0].d=y", "b[2][1]=z"),
        ("m.x=text", "m.y.z=1"),
        ("b=first", "c=1", "b=last"),
        ("b=한글 값", "c=two\nlines", "d='quoted'", 'e="q"', "f=--option"),
        ("a=null", "m=null"),
        ("b=x,",),
        ("m.x.y=1",),
        ("a.b=text",),
        ("a[0]=text",),
    ],
)
def test_every_value_is_what_helm_itself_makes_of_the_words(
    chart: Path, tmp_path: Path, base: Sequence[str], sets: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(chart)

    expected = rendered(chart, *base, *(f"--set={one}" for one in sets))

    assert rendered(chart, *base, *as_told(chart, told_apart(sets, ()), tmp_path)) == expected


def test_what_is_set_as_text_stays_text_and_holds_over_what_is_not(chart: Path, tmp_path: Path) -> None:
    sets, strings = ("b=1", "c=2"), ("b=true,d={1,null}", "e=0")

    expected = rendered(chart, *(f"--set={one}" for one in sets), *(f"--set-string={one}" for one in strings))

    assert expected == {"b": "true", "c": 2, "d": ["1", "null"], "e": "0"}
    assert rendered(chart, *as_told(chart, told_apart(sets, strings), tmp_path)) == expected


_PART = st.text("ab01.,={}[]\\ -+", max_size=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds("{}={}".format, st.text("ab.[0]", min_size=1, max_size=6), _PART), min_size=1, max_size=3))
def test_whatever_is_set_is_the_same_or_is_refused(chart: Path, sets: list[str]) -> None:
    try:
        told = told_apart(sets, ())
    except UsageError:
        return
    folder = chart / "given"
    folder.mkdir(exist_ok=True)
    assert rendered(chart, *as_told(chart, told, folder)) == rendered(chart, *(f"--set={one}" for one in sets)), sets


@pytest.mark.parametrize(
    "expression",
    ["a", "=1", "a=1,b", "a.=1", "a[x]=1", "a[-1]=1", "a[0=1", "a[0]b=1", "a={1", "a={1}x", ".a=1", "a[]=1"],
)
def test_what_helm_would_not_understand_is_refused_before_it_is_started(expression: str) -> None:
    with pytest.raises(UsageError, match="helm would not understand"):
        told_apart((expression,), ())


@pytest.mark.parametrize("sets", [("a.b=1", "a=2"), ("a={1,2},a[1]=x",), ("a=1,a.b.c=2",)])
def test_values_that_lie_in_each_other_are_refused(sets: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="lie in each other"):
        told_apart(sets, ())


def test_an_input_is_in_the_release_and_in_no_words_of_helm(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart, real = releases.chart("0.9.5"), f"{require_helm()}/helm"
    stub(tmp_path, f'printf "%s\\n" "$@" >> {tmp_path}/argv; exec {real} "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    secret = "hunter2, and {more} = \\ 비밀"
    escaped = secret.replace("\\", "\\\\").replace(",", "\\,")
    releases.install("told")

    run(
        releases.server,
        f"upgrade told {chart} --set greeting=$GREETING --set db.password=$P,db.port=5432 --set-string=pin=$PIN --wait",
        GREETING="hello", P=escaped, PIN="0815",
    )  # fmt: skip

    held = json.loads(run(releases.server, "get values told --output json"))
    assert held == {"greeting": "hello", "db": {"password": secret, "port": 5432}, "pin": "0815"}
    words = (tmp_path / "argv").read_text()
    assert not [one for one in (secret, escaped, "hunter2", "0815", "greeting=hello") if one in words]
    assert "--set=db.port=5432" in words


def test_constant_words_are_handed_over_as_they_stand(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, f'[ "$1" = version ] && echo v3.18.0 || printf "%s\\n" "$@" > {tmp_path}/argv')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    run(
        releases.server, "upgrade shop /charts/shop --set canary.weight=10 --set-string=tag=1.4 --description=$D", D="x"
    )

    assert {"--set=canary.weight=10", "--set-string=tag=1.4"} <= set((tmp_path / "argv").read_text().splitlines())
