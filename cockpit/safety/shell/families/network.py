"""The network: curl and wget, ssh, name look-ups and probes, and load generators."""

from __future__ import annotations

import re

from cockpit.safety.shell.families.wrappers import joined_script, leading, tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Stdin, Tool, denied, plain
from cockpit.safety.shell.words import Kind, Word, constants
from cockpit.safety.tables import names
from cockpit.safety.verdict import MUTATING, UNKNOWN, Judgement, mutating, reading, unknown
from cockpit.words import _

_SSH_VALUES = names("-i -p -l -o -J -c -m -b -e -B")
_SSH_FLAGS = names("-4 -6 -A -a -C -n -q -T -t -tt -v -x -k")
_SSH_SETTINGS = re.compile(
    r"(?:ConnectTimeout|ConnectionAttempts|BatchMode|StrictHostKeyChecking|ServerAliveInterval|ServerAliveCountMax|LogLevel|User"
    r"|Port|IdentityFile|IdentitiesOnly|TCPKeepAlive|RequestTTY|PasswordAuthentication|PreferredAuthentications|HostName"
    r"|ForwardAgent|AddressFamily|ProxyJump|PubkeyAuthentication|UserKnownHostsFile|ControlMaster|ControlPath|ControlPersist)"
    r"\s*=.*",
    re.IGNORECASE,
)


def _ssh(call: Call, tool: Tool) -> Judgement:
    tags = ("exec-remote", "network-egress")
    at = leading(call.args, _SSH_VALUES, _SSH_FLAGS)
    if at is None:
        return unknown(_("ssh: an option is not known to be harmless"), *tags)
    if call.args and call.args[0] == Word("-V"):
        return reading()
    rest = list(call.args[at:])
    if not rest or rest[0].kind > Kind.DATA:
        return unknown(_("ssh: the host is only known when it runs"), *tags)
    inner = rest[1:]
    # ssh takes options behind the host too.
    more = leading(inner, _SSH_VALUES, _SSH_FLAGS)
    if more is None or (more and inner[more - 1].text == "--"):
        return unknown(_("ssh: options stand behind the host"), *tags)
    for name, value in read_options([*call.args[:at], *inner[:more]], _SSH_VALUES).options:
        if name == "-o" and (value is None or not value.constant or not _SSH_SETTINGS.fullmatch(value.text)):
            return unknown(_("ssh: a setting is not known to be harmless"), *tags)
    inner = inner[more:]
    if inner:
        return tagged(joined_script(call, inner, remote=True), *tags)
    if call.stdin.text is not None and call.stdin.text.constant:
        return tagged(call.shell.elsewhere().script(call.stdin.text.text, Stdin("file")), *tags)
    return unknown(_("ssh opens a session on another machine"), *tags)


_CERTIFICATES = """-in -noout -text -dates -enddate -startdate -subject -issuer -fingerprint -sha256 -sha1
-serial -CAfile
    -CApath -checkend -purpose -modulus -ext -nameopt -certopt -inform -untrusted -verify_hostname -subject_hash -hash
    -issuer_hash -email -ocsp_uri -pubkey -alias -checkhost -checkip -show_chain -crl_check -partial_chain -lastupdate
    -nextupdate -crlnumber -verify -nokeys -clcerts -cacerts -info -passin -password -check -print_certs -strparse -i"""
_TLS = """-connect -servername -showcerts -CAfile -CApath -brief -starttls -verify -verify_return_error -tls1_2 -tls1_3
    -tls1_1 -tls1 -quiet -status -alpn -crlf -ign_eof -no_ign_eof -host -port -prexit -verify_hostname -cipher
    -ciphersuites
    -no_tls1 -no_tls1_1 -no_tls1_2 -no_tls1_3 -ssl3 -no_ssl3 -state -tlsextdebug -msg -debug -noservername -4
    -6 -xmpphost
    -proxy -cert -key -reconnect -nocommands -curves -groups -sigalgs -bugs -name -no-interactive -verify_quiet"""
_OPENSSL = {
    "s_client": names(_TLS),
    **dict.fromkeys(
        ("x509", "verify", "crl", "pkcs12", "rsa", "req", "ec", "pkey", "asn1parse", "pkcs7", "dsa"),
        names(_CERTIFICATES),
    ),
    "ciphers": names("-v -V -s -tls1_2 -tls1_3 -stdname"),
    "dgst": names("-sha256 -sha1 -sha512 -sha384 -md5 -hex -r -c"),
    "version": names("-a -v -d -b -o -f -p"),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512"), names("-hex -r -c")),
    "errstr": frozenset(),
    "list": names("-commands -digest-algorithms -cipher-algorithms -providers -disabled"),
}
_PRIVATE = frozenset({"rsa", "pkcs12", "ec", "pkey", "dsa"})


def _openssl(call: Call, tool: Tool) -> Judgement:
    verb = call.args[0].text if call.args and call.args[0].constant else ""
    allowed = _OPENSSL.get(verb)
    if allowed is None:
        return unknown(_("openssl {verb} is not known to be read-only").format(verb=verb))
    for word in call.args[1:]:
        if word.may_be_option and not (word.constant and word.text in allowed):
            return unknown(_("openssl: an option is not known to be harmless"))
    if verb in ("x509", "req") and not {"-noout", "-in", "-text"} & {word.text for word in call.args}:
        # Without any of these a request is made, or asked for at the terminal.
        return (
            reading() if verb == "x509" else unknown(_("openssl {verb} is not known to be read-only").format(verb=verb))
        )
    if verb == "s_client":
        return _spoken(call, reading("network-egress"))
    return reading(*(("sensitive-read",) if verb in _PRIVATE else ()))


# What a connection may be told in words and only answers: Redis, ZooKeeper, memcached, HAProxy's socket, Beanstalk.
_QUESTIONS = re.compile(
    r"\s*|q|quit|exit|(?:HEAD \S+|GET /(?:[\w/.-]*health\w*|metrics|status|version)?)(?: HTTP/[\d.]+)?"
    r"|(?:host|connection|user-agent|accept): .*|ping|info(?: \w+)?|ehlo \S+|helo \S+|noop|status|version"
    r"|ruok|stat|srvr|mntr|conf|cons|envi|wchs|wchc|wchp|isro|dirs|dump|stats(?: (?:items|slabs|settings|sizes|conns))?"
    r"|show (?:stat|info|servers state|servers conn|table|errors|sess|pools|activity|backend|version|env)(?: [^;]*)?",
    re.IGNORECASE,
)


def _spoken(call: Call, silent: Judgement) -> Judgement:
    """A connection that carries the command's input: read-only when that is empty, or only asks."""
    text = call.stdin.text
    if call.stdin.kind == "inherited":
        return silent
    if text is not None and text.constant:
        lines = re.split(r"\\r\\n|\\n|\\r|\r?\n", text.text)
        if all(_QUESTIONS.fullmatch(line.strip()) for line in lines):
            return silent
    return unknown(
        _("{command}: what is sent over the connection is not known").format(command=call.name), "network-egress"
    )


def _nc(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-w -p -s -i -x -X -e -c -q -G -W -L -g -m"))
    harmless = names("-z -v -n -u -t -w -4 -6 -q -N -C -G -i -W")
    if found.unclear is None and all(name in harmless for name, _v in found.options):
        if found.has("-z"):
            return reading("network-egress")
        # Like telnet, it shows what the other side says first.
        return _spoken(call, reading("network-egress"))
    return unknown(_("nc without -z opens a connection that carries anything"), "network-egress")


_SOCAT = re.compile(
    r"(?:-|stdio|stdin|stdout)(?:,.*)?|/[\w./-]+|(?:unix-connect|unix|unix-client|tcp|tcp4|tcp6|tcp-connect|openssl|ssl):[\w./:-]+",
    re.IGNORECASE,
)


def _socat(call: Call, tool: Tool) -> Judgement:
    """Socat between the standard input and a socket, as HAProxy's is asked."""
    found = read_options(call.args, names("-t -T"))
    addresses = constants(found.operands)
    known = found.unclear is None and all(name in ("-t", "-T") for name, _v in found.options)
    asked = call.stdin.text is not None and addresses is not None and len(addresses) == 2
    if known and asked and all(_SOCAT.fullmatch(address) for address in addresses or ()):
        return _spoken(call, reading())
    return unknown(_("socat joins what can't be seen"), "network-egress")


def _rsync(call: Call, tool: Tool) -> Judgement:
    """Rsync that only tries, or only lists, with options that start nothing."""
    found = read_options(
        call.args, names("-e --rsh --exclude --include --exclude-from --include-from --timeout --bwlimit -f")
    )
    harmless = names(
        """-n --dry-run --list-only -a -v -z -h -r -l -p -t -g -o -D -i -P -x -u -c -H -A -X --archive
        --verbose --recursive
        --delete --exclude --include --stats --itemize-changes --progress --checksum --human-readable
        --size-only --update
        --numeric-ids --timeout --bwlimit"""
    )
    tries = found.has("-n", "--dry-run", "--list-only")
    if tries and found.unclear is None and all(name in harmless for name, _v in found.options):
        return reading("network-egress")
    return mutating(_("rsync copies files"), "network-egress", "local-write")


def _grpcurl(call: Call, tool: Tool) -> Judgement:
    found = read_options(
        call.args, names("-H -proto -import-path -cacert -cert -key -authority -servername"), long_single=True
    )
    operands = constants(found.operands)
    known = names("-plaintext -insecure -H -proto -import-path -cacert -cert -key -authority -servername -v")
    if found.unclear is None and operands and all(name in known for name, _v in found.options):
        if len(operands) > 1 and operands[1] in ("list", "describe"):
            return reading("network-egress")
        if operands[-1].startswith("grpc.health."):
            return reading("network-egress")
    return unknown(_("grpcurl calls a method that may do anything"), "network-egress")


_EGRESS = Tool(tags=("network-egress",))

TOOLS: dict[str, Tool] = {
    "ssh": Tool(special=_ssh),
    **plain("""scp sftp rclone ftp lftp aria2c tftp""", Tool(verdict=MUTATING, tags=("network-egress", "local-write"))),
    "rsync": Tool(special=_rsync),
    **plain("host nslookup tracepath whois delv", _EGRESS),
    **plain("dig kdig", Tool(denied=denied("-f -k", UNKNOWN), tags=("network-egress",))),
    "drill": Tool(denied=denied("-w -f -i"), tags=("network-egress",)),
    "grpc_health_probe": _EGRESS,
    **plain(
        "ping ping6",
        Tool(
            tags=("network-egress",),
            trusting=True,
            unbounded_unless=names("-c -w"),
            denied=denied("-f", UNKNOWN),
            values=names("-c -w -W -i -s -I -t"),
        ),
    ),
    **plain("traceroute traceroute6 tcptraceroute", _EGRESS),
    "mtr": Tool(tags=("network-egress",), unbounded_unless=names("-r --report -c")),
    "arping": Tool(
        flags=names("-b -D -f -q"),
        values=names("-c -w -I -i"),
        tags=("network-egress",),
        unbounded_unless=names("-c -w -f"),
    ),
    **plain("nc ncat netcat", Tool(special=_nc)),
    "socat": Tool(special=_socat),
    "tcpdump": Tool(
        flags=names("""-n -nn -nnn -v -vv -vvv -e -A -X -XX -x -q -t -tt -ttt -tttt -l -D -S -p -U -K -N -O -#"""),
        values=names("-i -c -s -r -y"),
        tags=("heavy",),
        unbounded_unless=names("-c -r -D"),
    ),
    "tshark": Tool(flags=names("-n -V -q -D -l"), values=names("-i -c -r -Y -f -T -e -a -z"), tags=("heavy",)),
    "openssl": Tool(special=_openssl),
    "nmap": Tool(verdict=UNKNOWN, tags=("network-egress", "heavy")),
    "telnet": Tool(verdict=UNKNOWN),
    **plain(
        "ab wrk hey k6 vegeta siege newman locust jmeter oha bombardier",
        Tool(verdict=UNKNOWN, tags=("heavy", "network-egress")),
    ),
    "grpcurl": Tool(special=_grpcurl),
    **plain("mail mailx sendmail wall write", Tool(verdict=MUTATING)),
    "ssh-keyscan": _EGRESS,
    "ssh-add": Tool(flags=names("-l -L"), operands=0),
    "iperf3": Tool(verdict=UNKNOWN, tags=("heavy", "network-egress")),
}
