"""Which words are commands, for telling commands from prose and output. Not for safety: that has a grammar."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set to look up in."""
    return frozenset(text.split())


_SURE = words(
    """
    ab alembic ansible ansible-playbook apk apt apt-get argo argocd aws awk az base64 bosh brew bundle bunzip2
    bzip2 calicoctl cd cephadm ceph certbot chage chmod chown cilium cmctl consul cp crictl crontab ctr curl
    cypher-shell dd df dig dmesg dnf docker docker-compose dpkg du ebs echo egrep etcdctl ethtool eksctl esrally
    ettercap export fdisk fgrep flux flyctl free fsck gcloud gem git gitlab-ctl gitlab-rails gitlab-rake gpg
    grep groupadd gsutil gunzip gzip haproxy hdfs helm heroku hostname hostnamectl htop httpd influx initctl
    iostat ip ipmitool iptables istioctl java jcmd jmap journalctl jq jstack k9s kafka-topics kafka-topics.sh
    kafka-consumer-groups kafka-consumer-groups.sh kill killall kinit knife kubeadm kubectl kubectx kubens
    kustomize ldapsearch ln logrotate ls lsblk lsof lvcreate lvs lvextend mkdir mkfs mongo mongod mongodump
    mongorestore mongosh mpstat mv mysql mysqladmin mysqldump nc netstat newman nerdctl nginx nft ng nmap nmcli
    nohup nomad node nodetool npm npx nslookup ntpdate ntpq oc odf openssl openstack pcs pg_basebackup pg_ctl
    pg_dump pg_isready pg_restore pgrep php ping pip pip3 pip-audit pkill pm2 podman postqueue ps psql pvs
    pvresize pwd py-spy python python3 pytest rabbitmqctl rabbitmq-diagnostics rake redis-cli resize2fs restic
    rm rmdir rpm rsync ruby salt scp screen scontrol sed semanage sha256sum sinfo skopeo slappasswd smartctl
    solr ss ssh ssh-keygen sqlcmd sqlite3 squeue stern strace su sudo supervisorctl swapoff swapon sysctl
    systemctl tar tcpdump telnet terraform tctl tee timedatectl tmux toolbox traceroute tracepath trivy truncate
    tshark ufw ulimit umount unzip update-ca-certificates useradd usermod uptime vacuumdb vagrant vault velero
    vgextend vgs vi vim virsh virtctl vmstat wget which xargs xfs_growfs yarn yq yum zcat zgrep zfs zpool zypper
    zkCli.sh bundle-exec cqlsh rook-ceph chroot chronyc multipath iscsiadm nvme mdadm sg bxs mi2 fio tkn rosa
    ocm osdctl gcrane crane kind minikube k3s k3d kops kapp ytt pulumi packer oci doctl linode-cli hcloud dotnet
    mvn gradle make cmake cargo rustc rustup go tsh tbot gh glab hub kubelogin kubeseal sops age
    """
)
# English words too: a command only with something behind them that prose does not have.
_ALSO_WORDS = words(
    """
    at cat cut date diff env exit fg file find head host id install join less last local logger login ls
    make man more mount nice open passwd patch pause ping printf read reboot reset script service service set
    shutdown sleep sort source split stat stop tail test time timeout top touch tr trap type uniq unset use
    users wait watch w who whoami go node kill free echo export history alias apply run start restart tree if
    for while until case do select function eval exec command
    """
)
# Commands that stand alone on a line; among other commands they are no English.
BARE_COMMANDS = words("top uptime date whoami who w id env mount hostname history users last free df jobs")
_SQL = re.compile(
    r"^\s*(?:SELECT\s.{1,2000}?(?:\bFROM\b|;|\d)|WITH\s+\w+\s+AS\s*\(|INSERT\s+INTO\s|"
    r"UPDATE\s+[\w.\"`]+\s+SET\s|DELETE\s+FROM\s|"
    r"(?:CREATE|DROP|ALTER)\s+(?:TABLE|INDEX|USER|DATABASE|ROLE|VIEW|SCHEMA|EXTENSION|UNIQUE|MATERIALIZED|"
    r"OR)\s|TRUNCATE\s(?!-)|"
    r"SHOW\s+(?:TABLES|DATABASES|PROCESSLIST|FULL|SLAVE|MASTER|ENGINE|STATUS|VARIABLES|GLOBAL|REPLICA\w*|"
    r"GRANTS|CREATE|INDEX)\b|"
    r"EXPLAIN\s+(?:ANALYZE\s+)?(?:SELECT|UPDATE|DELETE)|VACUUM\b|ANALYZE\s+\w+\s*;|GRANT\s.{1,200}?\sTO\s|"
    r"REVOKE\s.{1,200}?\sFROM\s)",
    re.IGNORECASE | re.DOTALL,
)
_POWERSHELL = re.compile(
    r"^\s*(?:\$\w+\s*=\s*)?(?:Get|Set|New|Remove|Stop|Start|Restart|Invoke|Test|Import|Export|Connect|"
    r"Disconnect|Add|Enable|Disable|"
    r"Install|Uninstall|Update|Write|Select|Where|Clear|Copy|Move|Repair|Suspend|Resume|Enter|Exit|Register|"
    r"Resolve)-[A-Z]\w+"
)
_PATH = re.compile(r"(?:\.{1,2}|~)?/[\w.+@%-]+(?:/[\w.+@%-]+)*$|[\w-]+\.(?:sh|py|pl|rb)$")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=(?!=)")
_SHELLISH = re.compile(r"(?:^|\s)-{1,2}[A-Za-z]|[|$=]|/|\s>{1,2}\s?\S|\*|\\$|&&|\.\w")
_PROSE_END = re.compile(r"(?<! )[.:,!?]$|[,:]\s")
_SUDO = re.compile(r"sudo (?!(?:is|access|rights?|privileges?|permissions?|users?|commands?|without|mode)\b)\S")
_MAKE = re.compile(
    r"make(?! (?:sure|it|use|the|a|an|any|them|this|that|certain|changes?|your|one|backups?|copies|note)\b)"
    r"(?: (?:-\S+|\S+=\S*|[a-z][\w./-]*|&&|\|\||;))*(?:[ \t]+#.*)?$"
)
_FLOW = re.compile(
    r"(?:for\s+\w+\s+in\b|while\s|until\s|if\s+(?:\[|!|\w)|case\s.+\sin$|do$|done\b|fi\b|then$|else$|esac\b|\}|"
    r"function\s+\w+)"
)


def first_word(line: str) -> str:
    """The word a line begins with, past `sudo`, `time` and VAR=value."""
    words = line.split(maxsplit=6)
    for word in words:
        if word in ("sudo", "time", "nohup", "exec", "!", "command") or (_ASSIGNMENT.match(word) and len(words) > 1):
            continue
        return word
    return words[0] if words else ""


def is_command_word(line: str) -> bool:
    """Whether a line begins with a word that is a command and not an English word."""
    word = first_word(line)
    return word in _SURE or word in _ALSO_WORDS or _PATH.match(word) is not None


def looks_typed(line: str) -> bool:
    """Whether one line is clearly a shell command rather than prose, output or data."""
    text = line.strip().removesuffix("/...")
    if text.startswith("sudo "):
        return _SUDO.match(text) is not None
    word = first_word(text)
    if word == "make":
        return _MAKE.match(text) is not None
    if not word or (not text.isascii() and word not in _SURE and not word.isascii()):
        return False
    if _FLOW.match(text):
        return True
    if word in _SURE and word not in _ALSO_WORDS:
        rest = text[text.find(word) + len(word) :]
        return not rest or (rest[0] in " \t;|&>" and not (_PROSE_END.search(text) and not _SHELLISH.search(text)))
    if word in _ALSO_WORDS:
        return _SHELLISH.search(text) is not None and not _PROSE_END.search(text)
    if _PATH.match(word):
        return (len(text.split()) > 1 and not text.lower().startswith(("/*", "//"))) or word.startswith("./")
    return _ASSIGNMENT.match(text) is not None and ("$(" in text or text.startswith(("export ",)))


def looks_like_sql(text: str) -> bool:
    """Whether a text is clearly SQL."""
    return _SQL.match(text) is not None


def looks_like_powershell(line: str) -> bool:
    """Whether a line is clearly PowerShell."""
    return _POWERSHELL.match(line) is not None
