"""What runs services on a machine, and their logs: systemd, supervisor, PM2, init scripts, cron."""

from __future__ import annotations

import re

from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import constants
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, READ, Judgement, destructive, mutating, reading, unknown
from cockpit.words import _

DATABASE = re.compile(
    r"postgres|mysql|mariadb|mongo|redis|valkey|kafka|rabbitmq|elasticsearch|opensearch|etcd|cassandra|zookeeper|clickhouse"
    r"|qdrant|minio|cockroach|influx|(?:^|[-_.@])db(?:[-_.@\d]|$)",
    re.IGNORECASE,
)
"""Names of services that hold state: stopping or restarting one is on the last rung of the ladder."""

_STOPS = names("stop restart try-restart reload-or-restart force-reload kill condrestart")


def _stop_service(call: Call, tool: Tool) -> Judgement:
    """Systemctl with a verb that ends a service."""
    stateful = next((word.text for word in call.args if DATABASE.search(word.text)), "")
    if stateful:
        return destructive(_("{unit} holds state: its connections and unsaved work are lost").format(unit=stateful))
    return mutating(_("it stops or restarts a service"))


def _service(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args) or []
    if len(texts) == 2 and texts[1] in _STOPS:
        return _stop_service(call, tool)
    if len(texts) == 2 and texts[1] in ("start", "reload"):
        return mutating(_("it starts or reloads a service"))
    return unknown(_("service runs the service's own script"))


def _pm2_stop(call: Call, tool: Tool) -> Judgement:
    """Stopping or restarting every process at once is an outage of all of them."""
    if any(word.constant and word.text == "all" for word in call.args):
        return destructive(_("it stops every PM2 process at once"))
    return mutating(_("it stops or restarts PM2 processes"))


def _postconf(call: Call, tool: Tool) -> Judgement:
    """Postconf sets what is written with `=`, also without -e."""
    if all(word.single and (not word.may_be_option or word.text in ("-n", "-d", "-h", "-x")) for word in call.args):
        sets = any("=" in word.text or not word.constant for word in call.args)
        return mutating(_("postconf changes the mail server's settings")) if sets else reading()
    return unknown(_("postconf: an option is not known to be harmless"))


_SYSTEMCTL = tree(
    bare=READ,
    values="""-n --lines -o --output -p --property -t --type --state --root -H --host -M --machine --job-mode
        --kill-who --signal -s --what --timestamp""",
    flags="""-a --all -l --full --no-pager -q --quiet --failed --user --system --plain --no-legend -r --recursive
        --reverse --now -f --force""",
    read="""status show cat is-active is-enabled is-failed is-system-running list-units list-timers list-sockets
    list-unit-files list-dependencies list-jobs list-machines list-paths list-automounts get-default
    show-environment help whoami""",
    mutating="""start reload enable disable reenable preset edit daemon-reload daemon-reexec reset-failed set-property
    set-default link revert import-environment set-environment unset-environment add-wants add-requires unmask
    bind clean cancel freeze thaw log-level service-log-level""",
    destructive="""poweroff reboot halt kexec rescue emergency isolate suspend hibernate mask exit switch-root
        soft-reboot""",
    overrides={verb: Tool(special=_stop_service) for verb in _STOPS},
)
_ENDLESS = Tool(tags=("unbounded",))
_PM2_LOGS = Tool(unbounded_unless=names("--nostream"))
_PM2 = tree(
    asks="-v -V",
    values="""--lines --out --err --only --env -n --name -i --instances --watch-delay -l --log --format --timestamp
        --highlight""",
    flags="""--nostream --raw --json --silent -s --no-color --mini-list -m --no-daemon --sort --no-autorestart""",
    read="""list ls l ps status jlist prettylist describe show info desc id pid ping slist sysinfos report conf
        get""",
    mutating="""start scale save dump startup unstartup install uninstall update updatePM2 reset resurrect sendSignal
    trigger deploy link unlink set multiset unset serve login logout plus module:install package publish
    reloadLogs backward forward pull register cleardump attach send""",
    destructive="delete del kill flush",
    overrides={
        **{verb: Tool(special=_pm2_stop) for verb in ("restart", "reload", "stop", "gracefulReload")},
        "env": Tool(tags=("sensitive-read",)),
        "logs": _PM2_LOGS,
        "log": _PM2_LOGS,
        **dict.fromkeys(("monit", "imonit", "dash"), _ENDLESS),
    },
)
_QUIET = "--no-pager -a --all -l --full --no-legend -q"

TOOLS: dict[str, Tool] = {
    "journalctl": Tool(
        denied=denied(
            """--rotate --vacuum-size --vacuum-time --vacuum-files --flush --sync --relinquish-var
            --smart-relinquish-var --update-catalog --setup-keys --cursor-file"""
        ),
        values=names(
            """-u -n -p -S -U -o -t -g -c -D -M -T --unit --lines --since --until --priority --output --grep
            --identifier --directory"""
        ),
        unbounded=names("-f --follow"),
    ),
    "systemctl": _SYSTEMCTL,
    "service": Tool(special=_service),
    "supervisorctl": tree(
        values="-c --configuration -s --serverurl -u -p",
        read="status avail pid version",
        mutating="start stop restart reload reread update signal add clear",
        destructive="remove shutdown",
        overrides={"tail": Tool(unbounded=names("-f")), "maintail": Tool(unbounded=names("-f"))},
    ),
    "pm2": _PM2,
    "monit": tree(read="status summary report", mutating="start stop restart monitor unmonitor reload"),
    "timedatectl": tree(
        bare=READ,
        flags=_QUIET,
        read="status show timesync-status show-timesync list-timezones",
        mutating="set-time set-timezone set-ntp set-local-rtc",
    ),
    "hostnamectl": tree(bare=READ, flags="--no-pager --static --pretty --transient", read="status"),
    "loginctl": tree(
        bare=READ,
        flags=_QUIET,
        read="""list-sessions list-users show-session show-user session-status user-status list-seats seat-status
        show-seat""",
        mutating="lock-session unlock-session enable-linger disable-linger",
        destructive="terminate-session terminate-user kill-session kill-user",
        verb_values="-p --property",
    ),
    "resolvectl": tree(
        bare=READ,
        flags="--no-pager -4 -6",
        read="status query service statistics show-cache show-server-state",
        mutating="flush-caches reset-statistics reset-server-features revert log-level",
        overrides={
            verb: Tool(operands=1)
            for verb in ("dns", "domain", "llmnr", "mdns", "dnssec", "dnsovertls", "default-route")
        },
    ),
    "networkctl": tree(bare=READ, flags=_QUIET, read="list status lldp", mutating="reload reconfigure up down renew"),
    "systemd-analyze": tree(
        bare=READ,
        flags="--no-pager --user --system",
        read="time blame critical-chain security calendar timespan timestamp unit-paths verify",
        verb_values="--fuzz",
    ),
    "systemd-detect-virt": Tool(),
    "coredumpctl": tree(flags=_QUIET, read="list info", overrides={"dump": Tool(denied=denied("-o --output"))}),
    "crontab": Tool(
        required=names("-l"),
        flags=names("-l"),
        values=names("-u"),
        operands=0,
        denied=denied("-r", DESTRUCTIVE) | denied("-e"),
    ),
    "rc-service": Tool(special=_service),
    "rc-status": Tool(),
    "initctl": tree(read="list status version", mutating="start stop restart reload"),
    "chronyc": tree(
        flags="-n -4 -6 -c",
        values="-h -p",
        read="tracking sources sourcestats activity ntpdata serverstats clients rtcdata selectdata authdata waitsync",
        denied=denied("-r"),
        mutating="makestep burst offline online add delete",
    ),
    "ntpq": Tool(flags=names("-p -n -4 -6 -w")),
    "ntpstat": Tool(),
    "ntpdate": Tool(flags=names("-q -u -d"), required=names("-q -d")),
    "fail2ban-client": tree(
        flags="-v", read="status version ping", mutating="set reload restart start", destructive="stop unban"
    ),
    **plain("aa-status sestatus getenforce getsebool"),
    "auditctl": Tool(flags=names("-l -s"), operands=0, required=names("-l -s")),
    **plain("ausearch aureport", Tool(values=names("-m -ts -te -k -i -ui -if"))),
    **plain("mailq qshape", Tool()),
    "postqueue": Tool(flags=names("-p -j"), required=names("-p -j")),
    "postconf": Tool(special=_postconf),
}
