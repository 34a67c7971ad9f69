"""How a command behaves at a terminal: does it want one, does it ever end, does it open a session for what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Manners:
    """`interactive`: needs a real terminal; `endless`: runs until stopped; `opens`: the session it leaves open."""

    interactive: bool = False
    endless: bool = False
    opens: str | None = None


_PLAIN = Manners()
_LONGEST_CHARS = 4000


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_ALWAYS = _rule("")
_FOLLOWS = r"(?:^|\s)(?:-[A-Za-z]*f[A-Za-z]*(?=[\s=]|$)|--follow(?!=false)\b)"
_SHELL = r"(?:^|\s)(?:/\S*/)?(?:ba|z|k|a|da|c)?sh(?:\s+-l?i?)?\s*$"
_CLIENT = r"(?:psql|mysql|mariadb|mongo(?:sh)?|cqlsh|python3?|rails c\w*|irb|sqlplus)"
_REDIS = r"\sredis-cli(?:\s+-[hpna]\s*\S+|\s+--\w\S*)*\s*$"
_TTY = r"(?=.*\s(?:-[a-z]*[it][a-z]*|--tty|--stdin)(?:[\s=]|$))"
_KUBERNETES_ENDLESS = _rule(
    rf"^(?:.*\s)?logs?(?=\s).*{_FOLLOWS}|^(?:.*\s)?get(?=\s).*(?:^|\s)(?:-[A-Za-z]*w(?=\s|$)|"
    rf"--watch(?!=false)(?:-only)?\b)|^(?:.*\s)?port-forward\s"
)
_KUBERNETES_INTERACTIVE = _rule(r"^(?:-\S+\s+(?:[^\s-]\S*\s+)?){0,6}(?:edit|attach)\s")
_KUBERNETES_OPENS = _rule(
    rf"^(?:.*\s)?exec(?=\s){_TTY}.*(?:{_SHELL}|{_REDIS}|\s(?:/\S*/)?{_CLIENT}\b(?!.*\s(?:-[a-z]*[ce]|--command|"
    rf"--execute|--eval)(?:[\s=]|$))[^<]*$)"
    rf"|^(?:.*\s)?rsh\s+(?:(?:-[nc]|--\w+)\s+\S+\s+)*[^\s-]\S*\s*$|^(?:.*\s)?debug\s.*(?:-it?\b|node/\S+\s*$)|"
    rf"^(?:.*\s)?run(?=\s){_TTY}.*{_SHELL}"
)
_CONTAINER_ENDLESS = _rule(rf"^(?:.*\s)?logs(?=\s).*{_FOLLOWS}|^(?:stats|events)\b(?!.*--no-stream)")
_CONTAINER_OPENS = _rule(
    rf"^(?:.*\s)?(?:exec|run)(?=\s){_TTY}.*(?:{_SHELL}|{_REDIS}|\s{_CLIENT}\b(?!.*\s-[a-z]*[ce](?:\s|$))[^<]*$)|"
    rf"^compose\s(?:.*\s)?exec\s.*{_SHELL}"
)
_TOP = _rule(r"^(?!(?:.*\s)?-[A-Za-z]*[bl])")

_ENDLESS = {
    "tail": _rule(r"(?:^|\s)(?:-[A-Za-z\d]*[fF][A-Za-z]*(?=\s|$)|--follow\S*)"),
    "watch": _ALWAYS,
    "top": _TOP,
    "pm2": _rule(r"^(?:monit|dash|logs?(?!.*--nostream))\b"),
    "journalctl": _rule(_FOLLOWS),
    "dmesg": _rule(r"(?:^|\s)(?:-[A-Za-z]*[wW]|--follow)"),
    "ping": _rule(r"^(?!(?:.*\s)?-[cwWn])"),
    "stern": _rule(r"^(?!.*--no-follow)"),
    "tcpdump": _rule(r"^(?!(?:.*\s)?-(?:c|r))"),
    "vmstat": _rule(r"^(?:-\S+\s+)*\d+\s*$"),
    "iostat": _rule(r"^(?:-\S+\s+)*\d+\s*$"),
    "aws": _rule(r"^logs\s+tail\s.*--follow"),
    "heroku": _rule(r"^logs\s.*(?:--tail|-t)\b"),
    "Get-Content": _rule(r"-Wait\b"),
    "while": _rule(r"^(?:true|:|\[\s*1\s*\])\s*$"),
    "mtr": _rule(r"^(?!(?:.*\s)?(?:-[a-z]*r|--report))"),
    "kubectl": _KUBERNETES_ENDLESS,
    "docker": _CONTAINER_ENDLESS,
}
_ENDLESS |= dict.fromkeys(("htop", "atop", "iotop", "iftop", "nload", "dstat", "k9s", "lazydocker"), _ALWAYS)
_INTERACTIVE = {
    "top": _TOP,
    "pm2": _rule(r"^(?:monit|dash)\b"),
    "crontab": _rule(r"(?:^|\s)-[a-z]*e"),
    "read": _rule(r"(?:^|\s)-[a-z]*p"),
    "systemctl": _rule(r"^edit\b"),
    "fdisk": _rule(r"^(?!-l)"),
    "screen": _rule(r"^(?!-d|-ls)"),
    "tmux": _rule(r"^(?:a|attach\S*|new\S*(?!.*\s-d))?(?:\s|$)"),
    "kubectl": _KUBERNETES_INTERACTIVE,
}
_INTERACTIVE |= dict.fromkeys(
    (
        *("vi", "vim", "nano", "emacs", "less", "more", "visudo", "passwd", "telnet", "ftp", "sftp", "Read-Host"),
        *("htop", "atop", "iotop", "iftop", "nload", "k9s", "lazydocker"),
    ),
    _ALWAYS,
)
_OPENS = {
    "ssh": _rule(
        r"^(?!(?:.*\s)?-[A-Za-z]*[NfLRDVOQG])(?:-[46AaCgKkMnqsTtvXxYy]+\s+|"
        r"-[BbcEeFIiJlmopSWw]\s*\S+\s+)*[^\s-]\S*(?:\s+(?:-[46AaCgKkMnqsTtvXxYy]+|-[BbcEeFIiJlmopSWw]\s*\S+))*\s*$"
    ),
    "mosh": _ALWAYS,
    "psql": _rule(r"^(?!(?:.*\s)?(?:-[A-Za-z]*[cflLV]|--command|--file|--list|--version))[^<>]*$"),
    "mysql": _rule(r"^(?!(?:.*\s)?(?:-[A-Za-z]*[eV](?=[\s\"']|$)|--execute|--version))[^<>]*$"),
    "mongo": _rule(r"^(?!.*--(?:eval|version))[^<>]*(?<!\.js)$"),
    "redis-cli": _rule(r"^(?:-[hpnau]\s*\S+\s*|--\w[\w-]*\s*)*$"),
    "sqlite3": _rule(r"^[^\s-]\S*\s*$"),
    "cqlsh": _rule(r"^(?!.*-[ef])[^<>]*$"),
    "sqlplus": _rule(r"^[^<@]*$"),
    "python": _rule(r"^\s*$"),
    "rails": _rule(r"^(?:c|console)\b(?!.*<)"),
    "su": _rule(r"^(?!.*-c)"),
    "gcloud": _rule(r"^compute\s+ssh\s+(?!.*--command)"),
    "aws": _rule(r"^ssm\s+start-session\b(?!.*--parameters)"),
    "virsh": _rule(r"^console\s"),
    "Enter-PSSession": _ALWAYS,
    "fly": _rule(r"^(?:postgres|pg|ssh)\s+(?:connect|console)\b(?!.*\s-[cC]\b)"),
    "kubectl": _KUBERNETES_OPENS,
    "docker": _CONTAINER_OPENS,
}
_SAME = {
    **dict.fromkeys(("oc", "k", "microk8s.kubectl"), "kubectl"),
    **dict.fromkeys(("podman", "nerdctl", "crictl", "docker-compose"), "docker"),
    "mariadb": "mysql",
    "mongosh": "mongo",
    "flyctl": "fly",
    "ping6": "ping",
    "irb": "python",
    "ipython": "python",
    "python3": "python",
    "iex": "python",
    "mpstat": "vmstat",
    "sar": "vmstat",
}
_KNOWN = frozenset({*_ENDLESS, *_INTERACTIVE, *_OPENS, *_SAME, "sudo"})
_WORDS = re.compile(r"[A-Za-z][\w.-]*")
_SEPARATOR = re.compile(r"(\|\||&&|[;|&\n(){}]|(?:(?<=\s)|^)(?:do|then|else)(?=\s))")
_PREFIX = re.compile(
    r"\s*(?:(?:sudo(?:\s+-[EHnkbS]+|\s+-[ugp]\s+\S+)*|time|nohup|exec|env|command|stdbuf\s+\S+|!|"
    r"[A-Za-z_]\w*=[^\s'\"]*)\s+)*(?:\S*/)?(\S+)\s*(.*)",
    re.DOTALL,
)
_SUDO_SHELL = re.compile(
    r"\s*sudo\s+(?:-\S+\s+\S+\s+)*(?:-[is]\s*$|-i\b(?!\s+[^-\s])|su\b(?!.*-c)|(?:ba|"
    r"z)?sh\s*$)"
)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_IN_QUOTES = str.maketrans("|;&\n(){}", "        ")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")
_HEREDOC = re.compile(r"<<[-~]?\s*[\"'\\]?\w")
_CUT_OFF = re.compile(r"(?:^|[;&|\n]\s*)timeout\s+\S+\s|\|\s*(?:head|grep\s+-\w*m\s*\d)")
_REMOTE = re.compile(r"\"(.*)\"|'(.*)'", re.DOTALL)
_ASKS_ABOUT_IT = re.compile(r"(?:^|\s)(?:--version|--help(?:=\S*)?|-\?)\Z")
_EXIT = re.compile(r"^\s*(?:exit|logout|\\q|quit|Exit-PSSession|\.quit|:q!?)\s*;?\s*$", re.MULTILINE)


@lru_cache(maxsize=512)
def manners_of(code: str) -> Manners:
    """How the code of one or more commands behaves."""
    if _KNOWN.isdisjoint(_WORDS.findall(code)):
        return _PLAIN
    flat = _flat(code)
    interactive = endless = False
    opens = None
    for text, name, rest, fed in _simple_commands(flat):
        endless = endless or _matches(_ENDLESS, name, rest) or (name == "ssh" and _remote_endless(rest))
        interactive = interactive or _matches(_INTERACTIVE, name, rest)
        talks = not (fed or _HEREDOC.search(flat) or _ASKS_ABOUT_IT.search(rest))
        if (_matches(_OPENS, name, rest) or name == "su-shell") and talks:
            opens = _whole(text.strip(), flat)
    if endless and _CUT_OFF.search(flat):
        endless = False
    return Manners(interactive or opens is not None, endless, opens)


def closes(code: str) -> bool:
    """Whether code leaves the session it is in."""
    return _EXIT.match(code.strip().rpartition("\n")[2]) is not None


def _matches(rules: dict[str, re.Pattern[str]], name: str, rest: str) -> bool:
    rule = rules.get(name)
    return rule is not None and rule.search(rest) is not None


def _whole(text: str, flat: str) -> str:
    """A command that a substitution cut short, with the rest of its line."""
    if not text.endswith("$"):
        return text
    at = flat.find(text)
    return flat[at : (flat + "\n").find("\n", at)].strip()


def _remote_endless(rest: str) -> bool:
    remote = _REMOTE.search(rest)
    return remote is not None and manners_of((remote[1] or remote[2] or "")[:_LONGEST_CHARS]).endless


def _flat(code: str) -> str:
    """One command a line, without comments; separators inside quotes do not separate."""
    flat = _CONTINUED.sub(" ", code) if "\\\n" in code else code
    if len(flat) > _LONGEST_CHARS:
        flat = "\n".join(line[:_LONGEST_CHARS] for line in flat.split("\n"))
    if "#" in flat:
        flat = _COMMENT.sub("", flat)
    if "'" in flat or '"' in flat:
        flat = _QUOTED.sub(lambda match: match[0].translate(_IN_QUOTES), flat)
    return flat


def _simple_commands(flat: str) -> Iterator[tuple[str, str, str, bool]]:
    """The commands of a text: as written, name, arguments, and whether a pipe feeds it."""
    pieces = _SEPARATOR.split(flat)
    for position in range(0, len(pieces), 2):
        piece = pieces[position]
        fed = position > 0 and pieces[position - 1] == "|"
        if piece.isspace() or not piece:
            continue
        if "sudo" in piece and _SUDO_SHELL.match(piece):
            yield piece, "su-shell", "", fed
            continue
        match = _PREFIX.match(piece)
        if match is not None:
            yield piece, _SAME.get(match[1], match[1]), match[2].rstrip(), fed
