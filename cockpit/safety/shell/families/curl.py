"""Curl and wget: the method and the options decide; what writes a file, or comes from one, is not read-only."""

from __future__ import annotations

import re

from cockpit.safety.http import judge_url, overrides_method
from cockpit.safety.shell.options import Reading, read_options
from cockpit.safety.shell.tool import Call, Tool
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import Judgement, mutating, reading, unknown, worst
from cockpit.words import _

_CURL_VALUES = names(
    """-H --header -X --request -m --max-time --connect-timeout -A --user-agent -u --user -e --referer -w
    --write-out -b --cookie --resolve --retry --retry-delay --retry-max-time -x --proxy --noproxy --cacert
    --capath -E --cert --key --cert-type --key-type -r --range --interface --max-redirs --url -o --output -d
    --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form -T --upload-file
    --connect-to --limit-rate -y --speed-time -Y --speed-limit --tls-max --ciphers --dns-servers --unix-socket
    --oauth2-bearer --aws-sigv4 -z --time-cond --pass --form-string --rate --expect100-timeout
    --keepalive-time --local-port --proto --proto-redir --max-filesize -D --dump-header -c --cookie-jar --trace
    --trace-ascii --stderr --output-dir --etag-save --hsts --alt-svc --libcurl --url-query --proxy-user --proxy-header
    --tls13-ciphers --doh-url --crlfile --pinnedpubkey --service-name --happy-eyeballs-timeout-ms --dns-interface
    --haproxy-clientip --preproxy --socks5 --socks5-hostname --proxy-cacert --request-target"""
)
_CURL_FLAGS = names(
    """-s --silent -S --show-error -f --fail --fail-with-body -L --location -k --insecure -v --verbose -i
    --include -I --head -G --get -g --globoff -4 --ipv4 -6 --ipv6 --compressed -N --no-buffer -#
    --progress-bar --http1.1 --http2 --http1.0 --http2-prior-knowledge --http3 -q --disable --tlsv1.2
    --tlsv1.3 -n --netrc --path-as-is --no-progress-meter --tr-encoding --tcp-nodelay --retry-connrefused
    --retry-all-errors --no-keepalive --no-sessionid --ntlm --negotiate --basic --digest --anyauth -V
    --version -h --help --raw --styled-output --no-styled-output -0 -1 -Z --parallel --location-trusted
    --ssl-reqd --ssl --trace-time --fail-early --http0.9 --tcp-fastopen --no-alpn --tlsv1.0 --tlsv1.1
    --tlsv1 --trace-ids --proxy-insecure --cert-status --ssl-no-revoke -p --proxytunnel --haproxy-protocol"""
)
_CURL_FILES = names(
    """-o --output -O --remote-name -D --dump-header -c --cookie-jar --trace --trace-ascii --stderr -J --remote-name-all
        --output-dir --create-dirs --etag-save --hsts --alt-svc --libcurl"""
)
_SCREENS = names("- /dev/null /dev/stdout /dev/stderr /dev/tty /dev/fd/1 /dev/fd/2")
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
        judged = _curl_option(name, value)
        if judged is not None:
            return judged
    return _curl_request(call, found)


def _curl_option(name: str, value: Word | None) -> Judgement | None:
    """Why an option is not read-only; None when it is."""
    if name in _CURL_FILES:
        if value is not None and value.constant and value.text in _SCREENS:
            return None
        return mutating(_("curl {option} writes a file").format(option=name), "local-write", "network-egress")
    if name not in _CURL_VALUES and name not in _CURL_FLAGS:
        return unknown(_("curl: the option {option} is not known to be harmless").format(option=name), "network-egress")
    writes_out = name in ("-w", "--write-out") and value is not None
    if writes_out and value and (not value.constant or re.search(r"^@|%output", value.text)):
        return unknown(_("curl -w with a file or a text built when it runs"), "network-egress")
    if name in ("-H", "--header") and value is not None and overrides_method(value.text):
        return unknown(_("a header tells the server to take the request for another method"), "network-egress")
    return None


def _curl_request(call: Call, found: Reading) -> Judgement:
    get, head = found.has("-G", "--get"), found.has("-I", "--head")
    urls = found.operands + [value for name, value in found.options if name == "--url" and value]
    if not urls:
        return unknown(_("curl without a URL"))
    has_body = any(name in _CURL_BODY for name, _value in found.options)
    uploads = found.has("-T", "--upload-file")
    method = "HEAD" if head else "PUT" if uploads else "POST" if has_body and not get else "GET"
    for name, value in found.options:
        if name in ("-X", "--request"):
            if value is None or not value.constant:
                return unknown(_("curl: the method is only known when it runs"), "network-egress")
            method = value.text.upper()
    silent = call.stdin.kind == "inherited"
    parts = [_curl_url(method, url, silent=silent and not has_body) for url in urls]
    if has_body and method in ("GET", "HEAD") and not get:
        # A body with GET is how search engines are asked; what it does is theirs to say.
        parts.append(unknown(_("it sends a body with {method}").format(method=method), "network-egress"))
    return worst(parts)


def _curl_url(method: str, url: Word, *, silent: bool) -> Judgement:
    if silent and method == "GET" and re.match(r"telnet://[^/]+/?$", url.text) and url.kind <= Kind.DATA:
        # Nothing to type: it connects and waits. A step's input is empty.
        return reading("network-egress")
    return judge_url(method, url)


_WGET_VALUES = names(
    """-O --output-document -T --timeout -t --tries --header -U --user-agent --user --password -e --execute
        -P -w --wait --method --body-data --post-data --post-file -o --output-file -a -i --connect-timeout
        --read-timeout
        --dns-timeout --waitretry --bind-address --ca-certificate --referer --max-redirect"""
)
_WGET_HARMLESS = names(
    """-q --quiet -S --server-response -nv --no-verbose -v --no-check-certificate -4 -6 --spider -n -d
        -O --output-document -T --timeout -t --tries --header -U --user-agent --user --password -w --wait
        --connect-timeout
        --read-timeout --dns-timeout --waitretry --ca-certificate --referer --max-redirect --no-proxy --no-cache
        --inet4-only --inet6-only --no-hsts --no-cookies --retry-connrefused"""
)


def _wget(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, _WGET_VALUES)
    if found.unclear is not None:
        return unknown(_("wget: a word built when it runs could be an option"), "network-egress")
    if [word.text for word in call.args] in (["--version"], ["-V"], ["--help"]):
        return reading()
    target = found.value("-O", "--output-document")
    to_screen = found.has("--spider") or (target is not None and target.constant and target.text in _SCREENS)
    if not to_screen:
        return mutating(_("wget writes a file"), "local-write", "network-egress")
    for name, value in found.options:
        if name not in _WGET_HARMLESS:
            return unknown(
                _("wget: the option {option} is not known to be harmless").format(option=name), "network-egress"
            )
        if name == "--header" and value is not None and overrides_method(value.text):
            return unknown(_("a header tells the server to take the request for another method"), "network-egress")
    return (
        worst(judge_url("GET", url) for url in found.operands) if found.operands else unknown(_("wget without a URL"))
    )


_HTTPIE_VALUES = names(
    "--timeout --verify -p --print --auth -a --auth-type -A --style -s --pretty --cert --max-redirects"
)
_HTTPIE_FLAGS = names(
    "-h --headers -b --body -v --verbose -F --follow --ignore-stdin -I --check-status -q --quiet -m --meta"
)


def _httpie(call: Call, tool: Tool) -> Judgement:
    """HTTPie: items with `=` are a body; with `:` they are headers, with `==` parts of the address."""
    found = read_options(call.args, _HTTPIE_VALUES)
    known = all(name in _HTTPIE_VALUES | _HTTPIE_FLAGS for name, _v in found.options)
    words = list(found.operands)
    if not known or found.unclear is not None or not words or any(not word.single for word in words):
        return unknown(
            _("{command}: an option is not known to be harmless").format(command=call.name), "network-egress"
        )
    method = words.pop(0).text if re.fullmatch(r"[A-Z]+", words[0].text) and words[0].constant else "GET"
    if not words or call.stdin.kind != "inherited":
        return unknown(_("{command}: it may send what it reads").format(command=call.name), "network-egress")
    for item in words[1:]:
        plain_item = re.match(r"[\w-]+(?:==|:(?!=))", item.text)
        if plain_item is None or overrides_method(item.text):
            return mutating(_("{command} sends a body").format(command=call.name), "network-egress")
    return judge_url(method, words[0])


TOOLS: dict[str, Tool] = {
    "curl": Tool(special=_curl),
    "wget": Tool(special=_wget),
    "http": Tool(special=_httpie),
    "https": Tool(special=_httpie),
    "xh": Tool(special=_httpie),
}
