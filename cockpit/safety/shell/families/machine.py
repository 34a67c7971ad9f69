"""The machine: processes, memory, disks, sockets, kernel. What is listed without options has none that writes."""

from __future__ import annotations

import re

from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, denied, plain, tree
from cockpit.safety.shell.words import Kind, Word, constants
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, mutating, of_verdict, reading, unknown
from cockpit.words import _

_IP_CHANGES = names(
    "add del delete set flush replace change append prepend restore save exec attach detach up down rename"
)
_IP_SHOWS = names("show list ls lst sh get help")
_IP_FLAGS = names(
    """-4 -6 -s -d -o -br -brief -c -color -j -json -p -pretty -h -human -details -stats
    -statistics -r -resolve -t -timestamp -ts -N -Numeric --json --brief -a -all -B -M -0 -oneline -iec"""
)
_IP_VALUES = names("-f -family -n -netns -rc -rcvbuf -l -loops")


def _ip(call: Call, tool: Tool) -> Judgement:
    """Options of ip stand in front of the object; behind a verb that shows, every word only selects."""
    words = list(call.args)
    while words and words[0].text.startswith("-"):
        if not words[0].constant or (
            words[0].text not in _IP_FLAGS | _IP_VALUES and not words[0].text.startswith("-c")
        ):
            return unknown(_("ip: an option is not known to be harmless"))
        words = words[2:] if words[0].text in _IP_VALUES else words[1:]
    first = constants(words[:2])
    if not words or first is None:
        return unknown(_("ip: a word is only known when it runs"))
    if first[0] == "monitor":
        return reading("unbounded")
    if len(first) < 2 or first[1] in _IP_SHOWS or (first[0] == "netns" and first[1] in ("identify", "pids", "list-id")):
        return reading()
    if any(word.text in _IP_CHANGES for word in words):
        return mutating(_("ip changes the network's settings"))
    return unknown(_("ip {verb} is not known to be read-only").format(verb=first[1]))


def _sysctl(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-r --pattern"))
    if found.unclear is not None or any(not word.single for word in found.operands):
        return unknown(_("sysctl: a word is only known when it runs"))
    harmless = names(
        "-a -n -e -A -N -q -X -b -r --all --values --names --ignore --pattern --binary -h --help -V --version"
    )
    if any("=" in word.text for word in found.operands) or any(name not in harmless for name, _v in found.options):
        return of_verdict(MUTATING, "sysctl")
    if any(not word.constant for word in found.operands):
        # What is not known yet may hold the `=` that writes.
        return unknown(_("sysctl: a word is only known when it runs"))
    return reading()


def _kill(call: Call, tool: Tool) -> Judgement:
    first = call.args[0] if call.args else None
    if first is not None and first.constant and first.text in ("-0", "-l", "-L"):
        return reading()
    return mutating(_("it sends a signal to a process"))


_INTERVAL = re.compile(r"\d+(?:\.\d+)?")


def _sampler(values: str = "", denied_options: str = "") -> Tool:
    """A program that prints figures at an interval, for ever unless it is told how often: `vmstat 1 5`."""

    def judge(call: Call, tool: Tool) -> Judgement:
        found = read_options(call.args, names(values))
        if any(name in names(denied_options) for name, _value in found.options):
            return mutating(_("{command} writes a file or starts a program").format(command=call.name))
        if denied_options and found.unclear is not None:
            return unknown(_("{command}: a word built when it runs could be an option").format(command=call.name))
        numbers = [word for word in found.operands if not word.constant or _INTERVAL.fullmatch(word.text)]
        return reading(*(("unbounded",) if len(numbers) == 1 else ()))

    return Tool(special=judge)


def _jcmd(call: Call, tool: Tool) -> Judgement:
    """The Java process's own commands: those that print."""
    texts = constants(call.args[1:]) if call.args and call.args[0].kind <= Kind.DATA else None
    if call.args == (Word("-l"),) or (texts is not None and not call.args):
        return reading()
    if texts and re.fullmatch(
        r"VM\.(?:flags|version|uptime|command_line|system_properties|info|native_memory|classloader_stats|metaspace|stringtable"
        r"|symboltable|events)|Thread\.print|GC\.(?:heap_info|finalizer_info)|Compiler\.(?:codecache|queue)|help",
        texts[0],
    ):
        return reading()
    return unknown(_("jcmd with this command is not known to be read-only"))


def _jmap(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args[:1])
    if texts and texts[0] in ("-histo", "-heap", "-clstats", "-finalizerinfo") and len(call.args) == 2:
        return reading("heavy")
    return unknown(_("jmap writes a dump or makes the process collect its garbage"))


_LIST_ONLY = names("-L -S -n -v -x --list --list-rules --line-numbers --numeric --verbose --exact -w")

TOOLS: dict[str, Tool] = {
    **plain(
        """ps uptime netstat id who w whoami users last lastb lastlog getent lscpu lsblk lsmem lspci lsusb lsmod lsns
            lsipc findmnt pgrep pidof pstree pmap numastat prtstat lslogins ipcs lsb_release sw_vers vm_stat uuidgen
            getconf locale showmount lslocks modinfo runlevel systemd-cgls iotop slabtop tload lnstat
            lsattr nfsiostat pwdx logname lsscsi ptree""",
    ),
    "vmstat": _sampler("-S -p"),
    "iostat": _sampler("-p -g -j -o"),
    "mpstat": _sampler("-P -I -N -o"),
    "sar": _sampler("-f -s -e -i -n -P -I -m -j", "-o"),
    "pidstat": _sampler("-p -C -T -U -G", "-e"),
    "dstat": _sampler("-C -D -N -S -I -M", "--output"),
    "free": Tool(values=names("-s -c --seconds --count"), unbounded=names("-s --seconds")),
    **plain("top htop", Tool(unbounded_unless=names("-b -n"))),
    "glances": Tool(flags=names("-1 -2 -3 -4 -5"), values=names("-t"), tags=("unbounded",)),
    **plain(
        "btop nmon iftop nethogs", Tool(flags=names("-n -N -P -B -b -t"), values=names("-i -s"), tags=("unbounded",))
    ),
    "atop": Tool(
        flags=names("-a -A -M -d -n -u -p -s -c -v -g -m -1 -f -C -D -N"), values=names("-r -b -e"), tags=("unbounded",)
    ),
    "nfsstat": Tool(flags=names("-c -s -n -r -m -l -v -2 -3 -4")),
    **plain("printenv", Tool(tags=("sensitive-read",))),
    **plain(
        "pkill killall skill snice renice swapoff modprobe insmod rmmod killall5 irqbalance",
        Tool(verdict=MUTATING),
    ),
    **plain(
        """useradd usermod groupadd passwd chpasswd update-alternatives setenforce semanage restorecon adduser
            tc ifup ifdown umount at batch systemd-run mkswap parted lvextend lvcreate vgextend pvcreate vgcreate
            resize2fs xfs_growfs growpart chage gpasswd setcap setsebool auditd partprobe losetup cryptsetup""",
        Tool(verdict=MUTATING),
    ),
    **plain(
        """reboot shutdown halt poweroff init telinit userdel groupdel deluser delgroup mkfs mkfs.ext4 mkfs.xfs wipefs
        lvremove vgremove pvremove fsck fsck.ext4 e2fsck xfs_repair sgdisk sfdisk""",
        Tool(verdict=DESTRUCTIVE),
    ),
    "hwclock": Tool(required=names("-r --show"), flags=names("-r --show --verbose -u --utc"), operands=0),
    "lsof": Tool(denied=denied("-D", UNKNOWN), unbounded=names("-r")),
    "sensors": Tool(denied=denied("-s --set")),
    "dmidecode": Tool(denied=denied("--dump-bin")),
    "lshw": Tool(denied=denied("-dump"), long_single=True),
    "rpcinfo": Tool(denied=denied("-d")),
    "numactl": Tool(required=names("-H --hardware -s --show"), flags=names("-H --hardware -s --show"), operands=0),
    "blkid": Tool(denied=denied("-g --garbage-collect -w")),
    "nstat": Tool(flags=names("-a -s -z")),
    "ldd": Tool(verdict=UNKNOWN),
    "ss": Tool(denied=denied("-K --kill -D --diag"), unbounded=names("-E --events")),
    "fuser": Tool(denied=denied("-k --kill -K"), values=names("-n --namespace")),
    "hostname": Tool(operands=0, denied=denied("-F --file -b --boot")),
    "mount": Tool(operands=0, flags=names("-l -v --verbose"), values=names("-t --types")),
    "ifconfig": Tool(operands=1, flags=names("-a -s -v")),
    "route": Tool(operands=0, flags=names("-n -e -ee -v")),
    "arp": Tool(flags=names("-a -n -e -v"), operands=1, values=names("-i")),
    "ethtool": Tool(operands=1, flags=names("-i -S -k -a -c -g -l -T -P -m -n -x"), long_single=True),
    "ip": Tool(special=_ip),
    "bridge": tree(flags="-s -d -j", read="link/show fdb/show vlan/show"),
    "sysctl": Tool(special=_sysctl),
    **plain(
        """iptables ip6tables iptables-legacy iptables-nft""",
        Tool(
            required=names("-L -S --list --list-rules"),
            flags=_LIST_ONLY,
            values=names("-t --table"),
            operands=1,
            denied=denied("-A -D -I -R -P -N -E -Z --append --insert --policy") | denied("-F -X --flush", DESTRUCTIVE),
        ),
    ),
    **plain("iptables-save ip6tables-save", Tool(flags=names("-c"), values=names("-t"))),
    "nft": tree(flags="-a -n -s -j -nn -y", read="list", mutating="add insert create", destructive="flush delete"),
    "ipset": tree(read="list", mutating="add create", destructive="del destroy flush"),
    "ipvsadm": Tool(
        required=names("-L -l"), flags=names("-L -l -n --stats --rate --connection -c --timeout"), operands=0
    ),
    "dmesg": Tool(
        denied=denied("-c -C -D -E -n --clear --read-clear --console-off --console-on --console-level"),
        values=names("-l -f -s --level --facility --since --until"),
        unbounded=names("-w -W --follow"),
    ),
    "kill": Tool(special=_kill),
    "smartctl": Tool(
        flags=names("""-a -i -H -A -x -j --all --info --health --attributes --xall --scan"""),
        values=names("-l -d --log"),
        operands=1,
    ),
    "nvidia-smi": Tool(
        flags=names("-q -L"),
        values=names("""-i -d --query-gpu --format --query-compute-apps"""),
        operands=0,
        unbounded=names("-l"),
    ),
    "nvme": tree(read="list smart-log id-ctrl id-ns error-log"),
    "fdisk": Tool(required=names("-l --list"), flags=names("-l --list")),
    "mdadm": Tool(
        required=names("-D --detail -Q --query -E --examine"),
        flags=names("-D --detail -Q --query -E --examine --scan -s"),
    ),
    "multipath": Tool(required=names("-l"), flags=names("-l"), operands=1),
    "zpool": tree(
        read="status list iostat get history",
        denied=denied("-c", UNKNOWN),
        mutating="scrub clear online",
        destructive="destroy offline",
    ),
    "zfs": tree(read="list get", mutating="set create snapshot mount", destructive="destroy rollback"),
    "btrfs": tree(
        read="filesystem/show filesystem/df filesystem/usage device/stats subvolume/list scrub/status",
        denied=denied("-z --reset"),
    ),
    **plain("pvs vgs lvs pvdisplay vgdisplay lvdisplay"),
    "ufw": tree(
        read="status show", mutating="allow deny reject limit enable reload route", destructive="delete reset disable"
    ),
    "firewall-cmd": Tool(
        flags=names("--state --list-all --list-ports --list-services --get-active-zones --get-default-zone"),
        values=names("--zone"),
        operands=0,
    ),
    "conntrack": Tool(
        required=names("-L -C -S"),
        flags=names("-L -C -S -n"),
        values=names("-o -p -s -d --state --sport --dport --orig-port-dst --src --dst"),
        operands=1,
        denied=denied("-D -F", DESTRUCTIVE) | denied("-I -U -E"),
    ),
    "swapon": Tool(
        required=names("-s --show --summary"), flags=names("-s --show --summary --noheadings --bytes"), operands=0
    ),
    "ipmitool": tree(
        values="-I -H -U -P -L",
        read="""sdr sdr/list sdr/elist sdr/type sdr/info sensor/list sel/list sel/elist sel/info chassis/status
        power/status fru fru/print mc/info lan/print""",
        destructive="sel/clear chassis/power power/off power/cycle power/reset power/soft",
        mutating="power/on",
    ),
    "virsh": tree(
        values="-c --connect",
        flags="-r --readonly",
        read="list dominfo domstate nodeinfo domblklist domiflist vcpuinfo pool-list net-list version dumpxml domstats",
        mutating="start shutdown reboot suspend resume",
        destructive="destroy undefine reset",
    ),
    "ceph": tree(
        bare=UNKNOWN,
        asks="-s -v",
        flags="-s",
        read="""status health health/detail df osd/tree osd/df osd/stat osd/status osd/dump osd/perf
        osd/pool/ls pg/stat pg/dump
        mon/stat mon/dump mds/stat fs/status fs/ls quorum_status versions features""",
        mutating="osd/out osd/in osd/set osd/unset osd/reweight",
        destructive="osd/down osd/rm osd/purge osd/pool/delete",
    ),
    "gluster": tree(
        read="volume/info volume/status volume/list peer/status pool/list version",
        mutating="volume/start",
        destructive="volume/stop volume/delete peer/detach",
    ),
    "pcs": tree(read="status cluster/status resource/config stonith/config"),
    "crm_mon": Tool(flags=names("-1 -r -A -f -n"), required=names("-1")),
    **plain("lxc incus", tree(read="list info version", mutating="start stop restart", destructive="delete")),
    **plain("jstack jps"),
    "jstat": _sampler(),
    "jinfo": Tool(flags=names("-flags -sysprops"), required=names("-flags -sysprops"), long_single=True),
    "jcmd": Tool(special=_jcmd),
    "jmap": Tool(special=_jmap),
    "py-spy": tree(values="-p --pid", read="dump", mutating="record", unknown="top"),
    **plain("pstack eu-stack", Tool(tags=("heavy",))),
}
