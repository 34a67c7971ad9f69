"""Settings: typed, with every unknown key refused.

Found by `--config`, `$COCKPIT_CONFIG`, `./cockpit.toml`, then `$XDG_CONFIG_HOME/cockpit/cockpit.toml`:

    [cockpit]
    title = "AI chat"                 # above the runbook's own
    environment = "production"        # always on the screen

    [safety]
    read_only = false                 # true: nothing that changes anything runs
    timeout_s = 600                   # deadline of steps that have none

    [[probe]]                         # or [probe.health]
    name = "health"
    kind = "http"                     # http, pm2, machine, command
    title = "Chat API"
    url = "http://localhost:8080/actuator/health"
    headers = { Authorization = "Bearer ${API_TOKEN}" }   # from the environment, here only
    expect_status = [200]
    interval_s = 5
    deadline_s = 4
    thresholds = ["latency_ms > 500 ms red", "p95 latency_ms > 200 ms over 20 yellow", "5xx ratio > 50 % red",
                  { metric = "latency_ms", operator = ">=", bound = 30, unit = "s", statistic = "mean", level = "red" }]

    target = "web1"                   # looked at from there, over SSH: http, pm2, machine; no document can ask for it

    [[tail]]
    name = "app"
    path = "/var/log/app/application.log"
    filter = "ERROR|Exception"        # what the log pane begins with
    target = "web1"
    thresholds = ["errors_per_min > 10 red"]

    [[rule]]
    name = "roll-back"
    when = "health failed or status != UP 3 in a row"     # or "… 3 of 5", "… for 2 min"; or any = […], all = […]
    section = "p0-rollback"
    text = "The service does not answer: roll back first, find the cause after"

    [target.web1]
    kind = "ssh"
    host = "web1"                     # what one would give ssh

    [group.web]
    targets = ["web1", "web2"]        # one step goes to all of them
    rolling = 1                       # so many at a time; the first that does not pass stops the rest. Or: at_once = 10

An address or a path may begin with an input of the runbook: `url = "$SERVICE_URL/actuator/health"`.

`/etc/cockpit/cockpit.toml`, root's alone, may hold [cockpit] and [safety] for everybody. read_only set in any of the
sources counts when a session begins. With `locked = true` beside it nothing that changes anything runs on this machine,
whatever a flag, another file, a document or a request over the socket says: it is looked at again before every step, so
it also holds for sessions that were live before. A runbook's front matter may hold the
keys `probes`, `tails`, `rules`, `targets`, `groups`, `severity` and `mode: read-only`, or a `cockpit:` table of the
above. Probes and tails come from the first of these that has any: the file, the front matter, what is found on this
machine.
"""

from cockpit.config.administrator import Administrator
from cockpit.config.bound import Bound
from cockpit.config.condition import Condition
from cockpit.config.model import Config, General, GroupConfig, ProbeConfig, Rule, Safety, TailConfig, TargetConfig
from cockpit.config.source import find_config, load, stricter

__all__ = [
    "Administrator",
    "Bound",
    "Condition",
    "Config",
    "General",
    "GroupConfig",
    "ProbeConfig",
    "Rule",
    "Safety",
    "TailConfig",
    "TargetConfig",
    "find_config",
    "load",
    "stricter",
]
