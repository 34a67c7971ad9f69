"""The machine: processes, memory, disks, sockets, services and their logs."""

from __future__ import annotations

import re

from cockpit.safety.shell.tool import (
    DESTRUCTIVE,
    MUTATING,
    READ,
    UNKNOWN,
    Call,
    Tool,
    denied,
    destructive,
    mutating,
    names,
    of_verdict,
    plain,
    reading,
    tree,
    unknown,
)
from cockpit.safety.shell.words import constants
from cockpit.safety.verdict import Judgement
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


_IP_CHANGES = names(
    "add del delete set flush replace change append prepend restore save exec attach detach up down rename"
)
_IP_FLAGS = names(
    """-4 -6 -s -d -o -br -brief -c -color -j -json -p -pretty -h -human -f -family inet inet6 -details -stats
    -statistics -r -resolve -t -timestamp -N -Numeric --json --brief -a -all -B -M -0 -oneline"""
)


def _ip(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args)
    if texts is None:
        return unknown(_("ip: a word is only known when it runs"))
    words = [text for text in texts if text not in _IP_FLAGS]
    if any(text in _IP_CHANGES for text in words):
        return mutating(_("ip changes the network's settings"))
    if any(text.startswith("-") for text in words):
        return unknown(_("ip: an option is not known to be harmless"))
    actions = ("show", "list", "ls", "lst", "sh", "l", "get", "help", "s")
    if len(words) < 2 or words[1] in actions:
        return reading()
    return unknown(_("ip {verb} is not known to be read-only").format(verb=words[1]))


def _sysctl(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args)
    if texts is None or any("=" in text for text in texts):
        return of_verdict(UNKNOWN if texts is None else MUTATING, "sysctl")
    if all(not t.startswith("-") or t in ("-a", "-n", "-e", "-A", "-N", "-q", "--all", "--values") for t in texts):
        return reading()
    return of_verdict(MUTATING, "sysctl")


def _kill(call: Call, tool: Tool) -> Judgement:
    first = call.args[0] if call.args else None
    if first is not None and first.constant and first.text in ("-0", "-l", "-L"):
        return reading()
    return mutating(_("it sends a signal to a process"))


_SYSTEMCTL = tree(
    bare=READ,
    values="""-n --lines -o --output -p --property -t --type --state --root -H --host -M --machine --job-mode
        --kill-who --signal -s --what --timestamp""",
    flags="""-a --all -l --full --no-pager -q --quiet --failed --user --system --plain --no-legend -r --recursive
        --reverse --now -f --force""",
    read="""status show cat is-active is-enabled is-failed is-system-running list-units list-timers list-sockets
    list-unit-files list-dependencies list-jobs list-machines list-paths list-automounts get-default
    show-environment help""",
    mutating="""start reload enable disable reenable preset edit daemon-reload daemon-reexec reset-failed set-property
    set-default link revert import-environment set-environment unset-environment add-wants add-requires unmask
    bind clean cancel freeze thaw log-level service-log-level""",
    destructive="""poweroff reboot halt kexec rescue emergency isolate suspend hibernate mask exit switch-root
        soft-reboot""",
    overrides={verb: Tool(special=_stop_service) for verb in _STOPS},
)
_PM2 = tree(
    values="""--lines --out --err --only --env -n --name -i --instances --watch-delay -l --log --format --timestamp
        --highlight""",
    flags="""--nostream --raw --json --silent -s --no-color --mini-list -m --no-daemon --sort -v -V
        --no-autorestart""",
    read="""list ls l ps status jlist prettylist describe show info desc id pid ping slist sysinfos report logs
        log monit imonit dash""",
    mutating="""start scale save dump startup unstartup install uninstall update updatePM2 reset resurrect sendSignal
    trigger deploy link unlink set multiset unset serve login logout plus module:install package publish
    reloadLogs backward forward pull register cleardump attach send""",
    destructive="delete del kill flush",
    overrides={
        **{verb: Tool(special=_pm2_stop) for verb in ("restart", "reload", "stop", "gracefulReload")},
        "env": Tool(tags=("sensitive-read",)),
        "logs": Tool(unbounded_unless=names("--nostream")),
        "log": Tool(unbounded_unless=names("--nostream")),
        **{verb: Tool(tags=("unbounded",)) for verb in ("monit", "imonit", "dash")},
    },
)
_LIST_ONLY = names("-L -S -n -v -x --list --list-rules --line-numbers --numeric --verbose --exact -w")

TOOLS: dict[str, Tool] = {
    **plain(
        """ps uptime free vmstat iostat mpstat netstat id who w whoami users last lastb lastlog getent lscpu
            lsblk lsmem lspci lsusb lsmod lsns lsipc findmnt pgrep pidof pstree pmap numastat slabtop prtstat
            lslogins sestatus getenforce ipcs lsb_release sw_vers vm_stat iotop lnstat uuidgen getconf locale
            tload nfsstat nfsiostat showmount lslocks nm readelf objdump modinfo runlevel systemd-cgls""",
    ),
    **plain("top htop atop btop glances nmon", Tool(unbounded_unless=names("-b -n"))),
    **plain("printenv", Tool(tags=("sensitive-read",))),
    **plain("pkill killall skill snice renice swapoff modprobe insmod rmmod", Tool(verdict=MUTATING)),
    **plain(
        """useradd usermod groupadd passwd chpasswd rpm dpkg update-alternatives setenforce semanage restorecon
            tc ifup ifdown umount ntpdate hwclock at batch systemd-run initctl mkswap parted lvextend lvcreate
            resize2fs xfs_growfs fsck growpart""",
        Tool(verdict=MUTATING),
    ),
    **plain(
        """reboot shutdown halt poweroff init telinit userdel groupdel mkfs mkfs.ext4 mkfs.xfs wipefs lvremove
        vgremove""",
        Tool(verdict=DESTRUCTIVE),
    ),
    "sar": Tool(denied=denied("-o"), values=names("-f -s -e -i -n -P -I")),
    "pidstat": Tool(denied=denied("-e", UNKNOWN), values=names("-p -C -T -U")),
    "lsof": Tool(denied=denied("-D", UNKNOWN)),
    "dstat": Tool(denied=denied("--output")),
    "sensors": Tool(denied=denied("-s --set")),
    "dmidecode": Tool(denied=denied("--dump-bin")),
    "rpcinfo": Tool(denied=denied("-d")),
    "blkid": Tool(denied=denied("-g --garbage-collect -w")),
    "nstat": Tool(flags=names("-a -s -z -r")),
    "ldd": Tool(verdict=UNKNOWN),
    "ss": Tool(denied=denied("-K --kill -D --diag")),
    "fuser": Tool(denied=denied("-k --kill -K"), values=names("-n --namespace")),
    "hostname": Tool(operands=0, denied=denied("-F --file -b --boot")),
    "mount": Tool(operands=0, flags=names("-l -v --verbose"), values=names("-t --types")),
    "ifconfig": Tool(operands=1, flags=names("-a -s -v")),
    "route": Tool(operands=0, flags=names("-n -e -ee -v")),
    "arp": Tool(flags=names("-a -n -e -v"), operands=1, values=names("-i")),
    "ethtool": Tool(operands=1, flags=names("-i -S -k -a -c -g -l -T -P -m"), long_single=True),
    "ip": Tool(special=_ip),
    "sysctl": Tool(special=_sysctl),
    **plain(
        """iptables ip6tables iptables-legacy iptables-nft""",
        Tool(
            flags=_LIST_ONLY,
            values=names("-t --table"),
            operands=1,
            denied=denied("-A -D -I -R -P -N -E -Z --append --insert --policy") | denied("-F -X --flush", DESTRUCTIVE),
        ),
    ),
    "iptables-save": Tool(denied=denied("-f --file -M")),
    "nft": tree(flags="-a -n -s -j -nn", read="list"),
    "ipset": tree(read="list"),
    "dmesg": Tool(
        denied=denied("-c -C -D -E -n --clear --read-clear --console-off --console-on --console-level"),
        values=names("-l -f -s --level --facility --since --until"),
        unbounded=names("-w -W --follow"),
    ),
    "crontab": Tool(flags=names("-l"), values=names("-u"), operands=0, denied=denied("-r", DESTRUCTIVE) | denied("-e")),
    "journalctl": Tool(
        denied=denied(
            """--rotate --vacuum-size --vacuum-time --vacuum-files --flush --sync --relinquish-var
            --smart-relinquish-var --update-catalog --setup-keys --cursor-file"""
        ),
        values=names(
            """-u -n -p -S -U -o -t -g -c --unit --lines --since --until --priority --output --grep --identifier"""
        ),
        unbounded=names("-f --follow"),
    ),
    "timedatectl": tree(bare=READ, flags="--no-pager", read="status show timesync-status show-timesync list-timezones"),
    "hostnamectl": tree(bare=READ, flags="--no-pager", read="status"),
    "loginctl": tree(
        bare=READ,
        flags="--no-pager",
        read="""list-sessions list-users show-session show-user session-status user-status list-seats""",
    ),
    "resolvectl": tree(
        bare=READ, flags="--no-pager", read="""status query statistics dns domain""", mutating="flush-caches"
    ),
    "networkctl": tree(bare=READ, flags="--no-pager", read="list status lldp"),
    "systemd-analyze": tree(bare=READ, flags="--no-pager", read="time blame critical-chain", verb_values="--fuzz"),
    "systemctl": _SYSTEMCTL,
    "service": Tool(special=_service),
    "supervisorctl": tree(
        values="-c --configuration -s --serverurl -u -p",
        read="status tail avail pid version maintail",
        mutating="start stop restart reload reread update signal add clear",
        destructive="remove shutdown",
    ),
    "monit": tree(read="status summary report"),
    "pm2": _PM2,
    "kill": Tool(special=_kill),
    "smartctl": Tool(
        flags=names("""-a -i -H -A -x --all --info --health --attributes --xall"""),
        values=names("-l -d --log"),
        operands=1,
    ),
    "nvidia-smi": Tool(
        flags=names("-q -L"),
        values=names("""-i -d --query-gpu --format --query-compute-apps"""),
        operands=0,
        unbounded=names("-l"),
    ),
    "chronyc": tree(flags="-n", read="tracking sources sourcestats activity"),
    "ntpq": Tool(flags=names("-p -n")),
    "coredumpctl": tree(flags="--no-pager", read="list info"),
    "dpkg": Tool(flags=names("-l -s -L -S -V"), verdict=READ),
    "rpm": Tool(flags=names("-q -a -i -l -f -V"), verdict=READ),
    "fdisk": Tool(flags=names("-l"), verdict=READ),
    "zpool": tree(read="status list iostat get history"),
    "zfs": tree(read="list get", mutating="set create snapshot mount", destructive="destroy rollback"),
    **plain("pvs vgs lvs pvdisplay vgdisplay lvdisplay"),
    "apt-cache": tree(read="policy show search depends rdepends madison"),
    **plain(
        "apt apt-get yum dnf snap brew gem",
        tree(
            values="--installed --enablerepo",
            flags="-q -qq -y --quiet",
            read="list show info search policy repolist changelog leaves deps",
            mutating="""install reinstall update upgrade full-upgrade dist-upgrade downgrade refresh tap link clean
            autoclean makecache mark hold start stop restart""",
            destructive="remove purge autoremove uninstall erase",
        ),
    ),
    **plain(
        "pip pip3",
        tree(
            read="list show freeze check index/versions",
            mutating="install download wheel config/set cache/purge",
            destructive="uninstall",
        ),
    ),
    "ufw": tree(
        read="status show", mutating="allow deny reject limit enable reload route", destructive="delete reset disable"
    ),
    "firewall-cmd": Tool(
        flags=names("--state --list-all --list-ports --list-services --get-active-zones --get-default-zone"),
        values=names("--zone"),
        operands=0,
    ),
    "conntrack": Tool(
        flags=names("-L -C -S -n -o"), operands=0, denied=denied("-D -F", DESTRUCTIVE) | denied("-I -U -E")
    ),
    "swapon": Tool(flags=names("-s --show --summary"), operands=0),
    "tcpdump": Tool(
        flags=names("""-n -nn -v -vv -e -A -X -q -t -tttt -l -D"""),
        values=names("-i -c -s -r"),
        tags=("heavy",),
        long_single=True,
    ),
    "crictl": tree(
        values="-r --runtime-endpoint",
        read="""ps pods images inspect inspectp logs stats statsp info version imagefsinfo""",
        mutating="""pull create start stop runp stopp update""",
        destructive="rm rmp rmi",
        unknown="exec attach port-forward",
    ),
}
