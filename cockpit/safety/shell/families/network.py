"""The network: curl and wget, ssh, name look-ups and probes, and load generators."""

from __future__ import annotations

import re

from cockpit.safety.http import judge_url
from cockpit.safety.shell.families.wrappers import joined_script, leading, tagged
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import (
    MUTATING,
    UNKNOWN,
    Call,
    Tool,
    denied,
    mutating,
    names,
    plain,
    reading,
    unknown,
)
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.verdict import Judgement, worst
from cockpit.words import _

_CURL_VALUES = names(
    """-H --header -X --request -m --max-time --connect-timeout -A --user-agent -u --user -e --referer -w
    --write-out -b --cookie --resolve --retry --retry-delay --retry-max-time -x --proxy --noproxy --cacert
    --capath -E --cert --key --cert-type --key-type -r --range --interface --max-redirs --url -o --output -d
    --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form -T --upload-file
    --connect-to --limit-rate -y --speed-time -Y --speed-limit --tls-max --ciphers --dns-servers --unix-socket
    --oauth2-bearer --aws-sigv4 -z --time-cond --pass --form-string --rate --expect100-timeout
    --keepalive-time --local-port --proto --proto-redir --tlsv1 --max-filesize"""
)
_CURL_FLAGS = names(
    """-s --silent -S --show-error -f --fail --fail-with-body -L --location -k --insecure -v --verbose -i
    --include -I --head -G --get -g --globoff -4 --ipv4 -6 --ipv6 --compressed -N --no-buffer -#
    --progress-bar --http1.1 --http2 --http1.0 --http2-prior-knowledge --http3 -q --disable --tlsv1.2
    --tlsv1.3 -n --netrc --path-as-is --no-progress-meter --tr-encoding --tcp-nodelay --retry-connrefused
    --retry-all-errors --no-keepalive --no-sessionid --ntlm --negotiate --basic --digest --anyauth -V
    --version -h --help --raw --styled-output --no-styled-output -0 -1 -Z --parallel --location-trusted
    --ssl-reqd"""
)
_CURL_BODY = names(
    """-d --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form -T --upload-file
        --form-string"""
)


def _curl(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, _CURL_VALUES)
    if found.unclear is not None:
        return unknown(_("curl: a word built when it runs could be an option"), "network-egress")
    if found.has("-V", "--version") and not found.operands:
        return reading()
    for name, value in found.options:
        if name in ("-o", "--output") and value is not None and value.constant and value.text in ("/dev/null", "-"):
            continue
        if name in (
            "-o",
            "--output",
            "-O",
            "--remote-name",
            "-D",
            "--dump-header",
            "-c",
            "--cookie-jar",
            "--trace",
            "-J",
        ):
            return mutating(_("curl {option} writes a file").format(option=name), "local-write", "network-egress")
        if name not in _CURL_VALUES and name not in _CURL_FLAGS:
            return unknown(
                _("curl: the option {option} is not known to be harmless").format(option=name), "network-egress"
            )
        if (
            name in ("-w", "--write-out")
            and value is not None
            and (not value.constant or re.search(r"^@|%output", value.text))
        ):
            return unknown(_("curl -w with a file or a text built when it runs"), "network-egress")
    return _curl_request(found.options, found.operands, get=found.has("-G", "--get"), head=found.has("-I", "--head"))


def _curl_request(options: list[tuple[str, Word | None]], operands: list[Word], *, get: bool, head: bool) -> Judgement:
    urls = operands + [value for name, value in options if name == "--url" and value]
    if not urls:
        return unknown(_("curl without a URL"))
    has_body = any(name in _CURL_BODY for name, _value in options)
    uploads = any(name in ("-T", "--upload-file") for name, _value in options)
    method = "HEAD" if head else "PUT" if uploads else "POST" if has_body and not get else "GET"
    for name, value in options:
        if name in ("-X", "--request"):
            if value is None or not value.constant:
                return unknown(_("curl: the method is only known when it runs"), "network-egress")
            method = value.text.upper()
    if has_body and method in ("GET", "HEAD") and not get:
        # A body with GET is how search engines are asked; what it does is theirs to say.
        return worst(
            [judge_url(method, url) for url in urls]
            + [unknown(_("it sends a body with {method}").format(method=method))]
        )
    return worst(judge_url(method, url) for url in urls)


_WGET_VALUES = names(
    """-O --output-document -T --timeout -t --tries --header -U --user-agent --user --password -e --execute
        -P -w --wait --method --body-data --post-data --post-file -o --output-file -a -i"""
)


def _wget(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, _WGET_VALUES)
    flags = names("""-q --quiet -S --server-response -nv --no-verbose -v --no-check-certificate -4 -6 --spider
        -n -d""")
    if found.unclear is not None:
        return unknown(_("wget: a word built when it runs could be an option"), "network-egress")
    target = found.value("-O", "--output-document")
    to_screen = found.has("--spider") or (
        target is not None and target.constant and target.text in ("-", "/dev/null", "/dev/stdout")
    )
    if not to_screen:
        return mutating(_("wget writes a file"), "local-write", "network-egress")
    harmless = flags | names(
        "-O --output-document -T --timeout -t --tries --header -U --user-agent --user --password -w --wait"
    )
    for name, _value in found.options:
        if name not in harmless:
            return unknown(
                _("wget: the option {option} is not known to be harmless").format(option=name), "network-egress"
            )
    return (
        worst(judge_url("GET", url) for url in found.operands) if found.operands else unknown(_("wget without a URL"))
    )


_SSH_VALUES = names("-i -p -l -o -J -c -m -b -e")
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
    for name, value in read_options(call.args[:at], _SSH_VALUES).options:
        if name == "-o" and (value is None or not value.constant or not _SSH_SETTINGS.fullmatch(value.text)):
            return unknown(_("ssh: a setting is not known to be harmless"), *tags)
    rest = list(call.args[at:])
    if not rest or rest[0].kind > Kind.DATA:
        return unknown(_("ssh: the host is only known when it runs"), *tags)
    inner = rest[1:]
    more = leading(inner, _SSH_VALUES, _SSH_FLAGS)
    if more is None or more:
        # ssh takes options behind the host too.
        return unknown(_("ssh: options stand behind the host"), *tags)
    if inner:
        return tagged(joined_script(call, inner), *tags)
    if call.stdin.text is not None and call.stdin.text.constant:
        return tagged(call.shell.script(call.stdin.text.text), *tags)
    return unknown(_("ssh opens a session on another machine"), *tags)


def _openssl(call: Call, tool: Tool) -> Judgement:
    verb = call.args[0].text if call.args and call.args[0].constant else ""
    if verb == "version":
        return reading()
    allowed = names(
        """-connect -servername -showcerts -in -noout -text -dates -enddate -startdate -subject -issuer
        -fingerprint -sha256 -sha1 -serial -CAfile -CApath -checkend -brief -starttls -verify
        -verify_return_error -tls1_2 -tls1_3 -inform -quiet -status -alpn -purpose -modulus -ext -nameopt
        -verify_hostname -crlf -ign_eof -host -port -untrusted -prexit"""
    )
    if verb not in ("s_client", "x509", "verify", "ciphers", "crl"):
        return unknown(_("openssl {verb} is not known to be read-only").format(verb=verb))
    for word in call.args[1:]:
        if word.may_be_option and not (word.constant and word.text in allowed):
            return unknown(_("openssl: an option is not known to be harmless"))
    return reading("network-egress")


def _nc(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-w -p -s -i -x -X -e -c -q -G"))
    if found.unclear is None and found.has("-z") and not found.has("-e", "-c", "-l"):
        return reading("network-egress")
    return unknown(_("nc without -z opens a connection that carries anything"), "network-egress")


_EGRESS = Tool(tags=("network-egress",))

TOOLS: dict[str, Tool] = {
    "curl": Tool(special=_curl),
    "wget": Tool(special=_wget),
    "ssh": Tool(special=_ssh),
    **plain(
        """scp sftp rsync rclone ftp lftp aria2c""", Tool(verdict=MUTATING, tags=("network-egress", "local-write"))
    ),
    **plain("host nslookup tracepath whois drill kdig delv", _EGRESS),
    "dig": Tool(denied=denied("-f -k", UNKNOWN), tags=("network-egress",)),
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
    "arping": _EGRESS,
    **plain("nc ncat netcat", Tool(special=_nc)),
    "openssl": Tool(special=_openssl),
    "nmap": Tool(verdict=UNKNOWN, tags=("network-egress", "heavy")),
    "telnet": Tool(verdict=UNKNOWN),
    **plain(
        "ab wrk hey k6 vegeta siege newman locust jmeter oha bombardier",
        Tool(verdict=UNKNOWN, tags=("heavy", "network-egress")),
    ),
    "grpcurl": Tool(verdict=UNKNOWN, tags=("network-egress",)),
    **plain("mail mailx sendmail wall write", Tool(verdict=MUTATING)),
    "ssh-keyscan": _EGRESS,
    "ssh-add": Tool(flags=names("-l -L"), operands=0),
    **plain("http https", Tool(verdict=UNKNOWN, tags=("network-egress",))),
    "iperf3": Tool(verdict=UNKNOWN, tags=("heavy", "network-egress")),
}
