"""cockpit.toml: what it may hold, what it refuses, and which source wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cockpit.config import Config, ProbeConfig, load, source
from cockpit.errors import ConfigError
from tests.unit.conftest import Document

pytestmark = pytest.mark.usefixtures("elsewhere")
FULL = """
[cockpit]
title = "AI chat"
environment = "production"

[safety]
read_only = true
timeout_s = 600

[[probe]]
name = "health"
kind = "http"
url = "http://localhost:8080/actuator/health"
thresholds = ["latency_ms > 500 ms red",
              { metric = "latency_ms", operator = ">=", bound = 30, unit = "s", statistic = "mean" }]

[[tail]]
name = "app"
path = "logs/application.log"

[[rule]]
name = "roll-back"
when = "health failed or status != UP 3 in a row"
section = "#p0-rollback"

[target.bastion]
kind = "ssh"
host = "10.0.0.1"
"""


def written(text: str, path: Path = Path("cockpit.toml")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(written(text))
    return caught.value


def test_a_whole_file_becomes_typed_values(elsewhere: Path) -> None:
    config = load(written(FULL))
    assert (config.cockpit.environment, config.safety.read_only, config.safety.timeout_s) == ("production", True, 600)
    probe, rule = config.probes[0], config.rules[0]
    assert [(b.metric, b.operator, b.bound, b.unit, b.statistic) for b in probe.thresholds] == [
        ("latency_ms", ">", 500, "ms", "single"),
        ("latency_ms", ">=", 30, "s", "mean"),
    ]
    assert probe.options == {"url": "http://localhost:8080/actuator/health"}
    assert config.tails[0].path == str(elsewhere / "logs" / "application.log")
    assert (rule.section, rule.conditions[0].times, rule.conditions[0].standings) == ("p0-rollback", 3, ("failed",))
    assert config.targets[0].options == {"host": "10.0.0.1"}


def test_probes_may_be_named_tables() -> None:
    config = load(written('[probe.health]\nkind = "http"\nurl = "http://x/"\n'))
    assert [probe.name for probe in config.probes] == ["health"]


@pytest.mark.parametrize(
    ("text", "where", "mend"),
    [
        ('[cockpit]\ntitel = "x"', "cockpit.titel", "title"),
        ("[safty]\nread_only = true", "safty", "safety"),
        ("[safety]\nread-only = true", "safety.read-only", "read_only"),
        ('[[tail]]\nname = "a"\npath = "x"\nfiltre = "y"', "tail a.filtre", "filter"),
        ('[rule.r]\nwen = "a failed"', "rule.r.wen", "when"),
        ('[[probe]]\nname="a"\nkind="pm2"\n[rule.r]\nwhen="b failed"', "rule r", "a"),
    ],
)
def test_an_unknown_key_is_refused_with_its_path_and_the_nearest_known_one(text: str, where: str, mend: str) -> None:
    error = refused(text)
    assert error.where.endswith(where)
    assert mend in error.mend


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[cockpit]\ntitle = 3", "cockpit.title"),
        ('[cockpit]\nlanguage = "ko"', "cockpit.language"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\ninterval_s = "often"', "probe a.interval_s"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\ninterval_s = 0', "probe a.interval_s"),
        ('[[probe]]\nkind = "pm2"', "probe #1"),
        ('[[probe]]\nname = "../up"\nkind = "pm2"', "probe #1.name"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\nthresholds = "latency > 5"', "probe a.thresholds"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\nthresholds = ["latency > 5 furlong"]', "probe a.thresholds"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\nthresholds = [{ metric = "x", operator = "~", bound = 1 }]', "operator"),
        ("probe = 5", "probe"),
        ('[rule.r]\nwhen = "a failed"\nany = ["a none"]', "rule.r"),
        ('[rule.r]\nwhen = "a failed 4 of 3"', "rule.r.when"),
        ('[rule.r]\nwhen = "a failed for 3 parsec"', "rule.r.when"),
        ("[safety]\nlocked = true", "safety.locked"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(text: str, where: str) -> None:
    error = refused(text)
    assert where in error.where
    assert error.what
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ('[[probe]]\nkind = "pm2"', "name is missing", "add name = …"),
        (
            '[[probe]]\nname = "a"\nkind = "pm2"\ninterval_s = "5s"',
            "a number is expected here, not a text in quotes",
            "",
        ),
        ("[safety]\nread_only = 1", "true or false is expected here, not a whole number", ""),
        ('[safety]\nsecond_person = "always"', "'always' can't be chosen here", "one of: destructive, mutating"),
        ('[probe]\nname = "a"\nkind = "pm2"', "a table is expected here", "[[probe]] or [probe.NAME]"),
        ('[[probe]]\nname = "a"\nkind = "pm2"\ntarget = "web"', "no target is called web", "[target.web]"),
        ('[[rule]]\nname = "r"\nwhen = "a is down"', "not a condition: is down", "health failed or status != UP"),
    ],
)
def test_a_usual_mistake_is_told_in_words_of_who_made_it(text: str, what: str, mend: str) -> None:
    error = refused(text)
    assert what in error.what
    assert mend in error.mend


def test_a_path_that_begins_with_an_input_waits_for_its_value() -> None:
    config = load(written('[[tail]]\nname = "a"\npath = "$APP_LOG"\n[[tail]]\nname = "b"\npath = "~/x.log"'))
    assert [tail.path for tail in config.tails] == ["$APP_LOG", str(Path.home() / "x.log")]


def test_two_things_of_one_name_are_refused() -> None:
    assert "twice" in refused('[[probe]]\nname="a"\nkind="pm2"\n[[tail]]\nname="a"\npath="x"').what
    assert "twice" in refused('[[probe]]\nname="a"\nkind="pm2"\n[[probe]]\nname="a"\nkind="pm2"').what


def test_what_is_no_toml_names_the_line() -> None:
    assert "line 2" in refused("[cockpit]\ntitle = \n").what


def test_a_file_that_everybody_can_write_is_refused() -> None:
    path = written(FULL)
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="everybody"):
        load(path)


def test_the_file_named_wins_over_the_environment_the_folder_and_xdg(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def title(path: Path | None = None) -> str:
        return load(path).cockpit.title

    assert title() == ""
    written('[cockpit]\ntitle = "xdg"', elsewhere / "xdg" / "cockpit" / "cockpit.toml")
    assert title() == "xdg"
    written('[cockpit]\ntitle = "here"')
    assert title() == "here"
    monkeypatch.setenv("COCKPIT_CONFIG", str(written('[cockpit]\ntitle = "environment"', Path("other.toml"))))
    assert title() == "environment"
    assert title(written('[cockpit]\ntitle = "named"', Path("named.toml"))) == "named"


def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(Path("nowhere.toml"))
    monkeypatch.setenv("COCKPIT_CONFIG", "gone.toml")
    with pytest.raises(ConfigError, match="no such file"):
        load()


def test_a_file_of_somebody_else_is_taken_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    path = written('[cockpit]\ntitle = "theirs"')
    monkeypatch.setattr(source, "_own_uids", lambda: {path.stat().st_uid + 1})
    with pytest.raises(ConfigError, match="belongs to another user") as refused:
        load()
    assert "--config" in refused.value.mend
    assert load(path).cockpit.title == "theirs"


def test_a_session_keeps_the_file_of_the_folder_it_was_opened_in(elsewhere: Path) -> None:
    written('[cockpit]\ntitle = "there"', elsewhere / "there" / "cockpit.toml")
    assert load(here=elsewhere / "there").cockpit.title == "there"


def test_front_matter_is_used_where_the_file_watches_nothing() -> None:
    document = Document({"probes": [{"name": "health", "kind": "http", "url": "http://x/"}], "severity": "P1"})
    written('[cockpit]\ntitle = "AI chat"')
    config = load(None, document)
    assert [probe.name for probe in config.probes] == ["health"]
    assert (config.severity, config.cockpit.title) == ("P1", "AI chat")
    written('[[probe]]\nname = "mine"\nkind = "pm2"')
    assert [probe.name for probe in load(None, document).probes] == ["mine"]


def test_front_matter_may_ask_for_care_and_never_for_less() -> None:
    assert load(None, Document({"cockpit": {"safety": {"read_only": True}}})).safety.read_only
    written("[safety]\nread_only = true")
    assert load(None, Document({"cockpit": {"safety": {"read_only": False}}})).safety.read_only


@pytest.mark.parametrize(
    "foreign",
    [
        {"targets": "all hosts"},
        {"probes": [1, 2]},
        {"rules": {"alert": "expr"}},
        {"tails": None},
        {"severity": {"a": 1}},
    ],
)
def test_other_peoples_front_matter_never_keeps_a_runbook_from_opening(foreign: dict[str, Any]) -> None:
    config = load(None, Document(foreign))
    assert config.probes == ()
    assert config.targets == ()
    assert bool(config.problems) is ("severity" not in foreign)


def test_our_own_table_in_front_matter_is_strict() -> None:
    with pytest.raises(ConfigError, match="did you mean probe"):
        load(None, Document({"cockpit": {"probs": []}}))


def test_the_machine_is_asked_only_when_nobody_names_anything() -> None:
    found = Config(probes=(ProbeConfig(name="machine", kind="machine"),), origin="found")
    assert load(None, Document(), lambda: found).origin == "found"
    document = Document({"tails": [{"name": "app", "path": "/var/log/app.log"}]})
    assert load(None, document, lambda: found).probes == ()


def test_headers_are_filled_from_the_environment_in_files_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret-value")
    table = {"name": "a", "kind": "http", "url": "http://x/", "headers": {"Authorization": "Bearer ${API_TOKEN}"}}
    text = '[probe.a]\nkind="http"\nurl="http://x/"\nheaders={Authorization="Bearer ${API_TOKEN}"}'
    assert load(written(text)).probes[0].options["headers"] == {"Authorization": "Bearer s3cret-value"}
    Path("cockpit.toml").unlink()
    assert load(None, Document({"probes": [table]})).probes[0].options["headers"] == table["headers"]
    monkeypatch.delenv("API_TOKEN")
    assert "API_TOKEN" in refused(text).what


def test_the_panel_says_what_is_watched_and_no_secret() -> None:
    panel = load(written(FULL.replace("[[tail]]", 'headers = { Authorization = "Bearer abc" }\n\n[[tail]]'))).as_panel()
    assert [probe["name"] for probe in panel["probes"]] == ["health"]
    assert panel["probes"][0]["thresholds"] == ["latency_ms > 500 ms red", "mean latency_ms >= 30 s red"]
    assert panel["rules"][0]["when"] == "health failed or status != UP 3 in a row"
    assert "Bearer" not in str(panel)


def test_a_log_has_a_path_or_a_process_of_pm2() -> None:
    config = load(written('[[tail]]\nname = "errors"\npm2 = "backend"\n'))
    assert (config.tails[0].pm2, config.tails[0].path) == ("backend", "")
    for keys in ("", 'pm2 = "backend"\npath = "/var/log/app.log"\n'):
        error = refused(f'[[tail]]\nname = "errors"\n{keys}')
        assert ("either path or pm2" in error.what, error.where.endswith("tail errors")) == (True, True)
