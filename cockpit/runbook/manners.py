"""How a command behaves at a terminal: does it want one, does it ever end, does it open a session for what follows."""

from __future__ import annotations

import re

_ANY = re.compile(
    r"\b(?:tail|watch|[hnia]?top|pm2|kubectl|oc|docker|podman|nerdctl|compose|journalctl|ping6?|vim?|nano|emacs|less|more|"
    r"ssh|gcloud|aws|psql|mysql|mariadb|redis-cli|mongo(?:sh)?|sqlite3|cqlsh|sqlplus|read|visudo|crontab|passwd|port-forward|"
    r"rsh|screen|tmux|su|sudo|tcpdump|stern|dmesg|telnet|ftp|sftp|logs|iex|irb|ipython|python3?|rails|vmstat|iostat|fdisk|"
    r"parted|mtr|az|Read-Host|Get-Content|Enter-PSSession|while|iotop|iftop|dstat|nload|k9s|lazydocker|crictl|kubectl-debug|virsh)\b"
)
_HEAD = (
    r"(?:^|[;&|({]\s*|\b(?:do|then|else)\s+)(?:(?:sudo(?:\s+-[EHnuS]+(?:\s+\w+)?)*|time|nohup|exec|env|command|stdbuf\s+\S+)\s+"
    r"|[A-Za-z_]\w*=\S*\s+)*"
)
_KUBE = (
    r"(?:kubectl|oc|k)\b(?:\s+(?!exec\b|logs?\b|get\b|edit\b|rsh\b|debug\b|attach\b|port-forward\b|run\b)[^\s|;&]+)*\s+"
)
_REST = r"[^|;&\n]*"


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


_ENDLESS = (
    _rule(_HEAD + r"tail\b[^|;&\n]*?\s(?:-\w*[fF]\w*|--follow\S*)(?=\s|$)"),
    _rule(_HEAD + r"watch\s"),
    _rule(_HEAD + r"top(?![^|;&\n]*\s-\w*[bl])(?=\s|$|[|;&])"),
    _rule(_HEAD + r"(?:htop|atop|iotop|iftop|nload|dstat|k9s|lazydocker|mtr(?![^|;&\n]*\s(?:-r|--report)))(?=\s|$)"),
    _rule(_HEAD + r"pm2\s+(?:monit|dash|logs?(?![^|;&\n]*--nostream))\b"),
    _rule(_KUBE + r"logs?\b" + _REST + r"\s(?:-\w*f\b|--follow(?!=false)|--tail\s+-f)"),
    _rule(_KUBE + r"get\b" + _REST + r"\s(?:-\w*w\b|--watch(?!=false)|--watch-only)"),
    _rule(_KUBE + r"port-forward\b"),
    _rule(
        r"\b(?:docker|podman|nerdctl|crictl|compose|stack)\b"
        + _REST
        + r"\blogs\b"
        + _REST
        + r"\s(?:-\w*f\b|--follow\b)"
    ),
    _rule(_HEAD + r"(?:journalctl|dmesg)\b" + _REST + r"\s(?:-\w*[fw]\w*|--follow)\b(?!=)"),
    _rule(_HEAD + r"ping6?\b(?!" + _REST + r"\s-(?:c|w|W|n))"),
    _rule(_HEAD + r"(?:stern|tcpdump(?!" + _REST + r"\s-c))\b"),
    _rule(_HEAD + r"(?:vmstat|iostat|sar|mpstat)\s+(?:-\w+\s+)*\d+\s*$"),
    _rule(r"\baws\s+logs\s+tail\b" + _REST + r"--follow"),
    _rule(r"\bGet-Content\b" + _REST + r"-Wait\b"),
    _rule(r"\bwhile\s+(?:true|:|\[\s*1\s*\])\s*;?\s*do\b"),
)
_INTERACTIVE = (
    _rule(_HEAD + r"(?:vim?|nano|emacs|less|more|visudo|passwd|telnet|s?ftp|fdisk(?!\s+-l)|screen(?!\s+-d)|tmux(?:\s+(?:a|attach\S*|new\S*))?(?!\s+\w))(?=\s|$)"),
    _rule(_HEAD + r"(?:top(?![^|;&\n]*\s-\w*[bl])|htop|atop|iotop|iftop|nload|k9s|lazydocker)(?=\s|$|[|;&])"),
    _rule(_HEAD + r"crontab\s+" + _REST + r"-\w*e"),
    _rule(_HEAD + r"pm2\s+(?:monit|dash)\b"),
    _rule(_KUBE + r"(?:edit|attach)\b"),
    _rule(_HEAD + r"read\s+" + _REST + r"-\w*p"),
    _rule(r"\bRead-Host\b"),
    _rule(r"\bsystemctl\s+edit\b"),
)  # fmt: skip
_SSH = re.compile(
    _HEAD
    + r"((?:ssh|mosh|sshpass\s[^|;&\n]*?ssh)\s+(?:-[46AaCfGgKkMNnqsTtVvXxYy]+\s+|-[BbcDEeFIiJLlmOopQRSWw]\s*\S+\s+)*"
    r"(?!-)(\S+)((?:\s+-\w+(?:\s+(?!-)\S+)?)*))\s*(?:#.*)?$",
    re.MULTILINE,
)
_OPENS = (
    _rule(_KUBE + r"exec\b(?=" + _REST + r"\s(?:-\w*[it]\w*|--tty|--stdin)\b)" + _REST + r"\s(?:/\S*/)?(?:ba|z|k|a|da)?sh\s*(?:#.*)?$"),
    _rule(_KUBE + r"exec\b(?=" + _REST + r"\s(?:-\w*[it]\w*|--tty|--stdin)\b)" + _REST + r"\s(?:psql|mysql|mariadb|redis-cli|mongo(?:sh)?|cqlsh|python3?|rails c\w*|ceph)\b(?!" + _REST + r"\s(?:-\w*[ce]|--command|--execute|--eval)\b)[^|;&<\n]*$"),
    _rule(_KUBE + r"(?:rsh\b(?:\s+(?:-\w+\s+\S+|-\w+|--\S+))*\s+\S+\s*$|debug\b" + _REST + r"(?:-it\b|node/\S+\s*$))"),
    _rule(_KUBE + r"run\b(?=" + _REST + r"\s-\w*(?:it|ti)\b)" + _REST + r"(?:ba|z)?sh\s*$"),
    _rule(r"\b(?:docker|podman|nerdctl|crictl|compose)\b" + _REST + r"\b(?:exec|run)\b(?=" + _REST + r"\s-\w*[it]\w*\b)" + _REST + r"\s(?:/\S*/)?(?:(?:ba|z|a)?sh|psql|mysql|mongo(?:sh)?|redis-cli)\b(?!" + _REST + r"\s-\w*[ce]\b)[^|;&\n]*$"),
    _rule(_HEAD + r"psql\b(?![^|;&\n]*\s(?:-\w*[cflL]\w*|--command|--file|--list|--version)\b)[^|;&<>\n]*$"),
    _rule(_HEAD + r"(?:mysql|mariadb)\b(?![^|;&\n]*\s(?:-\w*[eV]\w*|--execute|--version)\b)[^|;&<>\n]*$"),
    _rule(_HEAD + r"(?:mongo(?:sh)?)\b(?![^|;&\n]*\s(?:--eval|--version)\b)[^|;&<>\n]*$"),
    _rule(_HEAD + r"(?:sqlite3\s+\S+|cqlsh(?:\s+[^\s-]\S*)?|sqlplus\s[^|;&<>\n]*|irb|ipython|python3?|rails\s+(?:c|console)|iex)\s*$"),
    _rule(_HEAD + r"redis-cli(?:\s+-[hpna]\s*\S+|\s+--\w\S*)*\s*$"),
    _rule(r"(?:^|[;&|]\s*)(?:sudo\s+(?:-i|-s|su\b[^|;&\n]*)|su\s+(?:-l?\s*)?\w*)\s*$"),
    _rule(r"\bgcloud\s+compute\s+ssh\s+(?!" + _REST + r"--command)" + _REST + r"$"),
    _rule(r"\baws\s+ssm\s+start-session\b" + _REST + r"$"),
    _rule(r"\bvirsh\s+console\b" + _REST + r"$"),
    _rule(r"\bEnter-PSSession\b" + _REST + r"$"),
)  # fmt: skip
_EXIT = re.compile(r"^\s*(?:exit|logout|\\q|quit|Exit-PSSession|\.quit|:q!?)\s*;?\s*$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")
_LONGEST_CHARS = 4000
_HEREDOC = re.compile(r"<<[-~]?\s*[\"'\\]?\w")


def behaviour(code: str) -> tuple[bool, bool]:
    """Whether a command (interactive: needs a real terminal, endless: runs until it is stopped)."""
    if not _ANY.search(code):
        return False, False
    flat = _flat(code)
    endless = any(rule.search(flat) for rule in _ENDLESS) and not _bounded(flat)
    interactive = any(rule.search(flat) for rule in _INTERACTIVE) or _opened(flat) is not None
    return interactive, endless


def opens(code: str) -> str | None:
    """The command by which code opens a session for what follows ("ssh ec2-user@host"), or None."""
    return _opened(_flat(code)) if _ANY.search(code) else None


def closes(code: str) -> bool:
    """Whether code leaves the session it is in."""
    return "\n" not in code.strip() and _EXIT.search(code) is not None


def _flat(code: str) -> str:
    flat = _CONTINUED.sub(" ", code) if "\\\n" in code else code
    if len(flat) > _LONGEST_CHARS:
        flat = "\n".join(line[:_LONGEST_CHARS] for line in flat.split("\n"))
    return _COMMENT.sub("", flat) if "#" in flat else flat


def _opened(flat: str) -> str | None:
    if _HEREDOC.search(flat):
        return None
    found = None
    ssh = _SSH.search(flat)
    if ssh is not None and not re.search(r"\s-\w*[NfLRDVO]\b", ssh[1]):
        found = ssh[1].strip()
    for rule in _OPENS:
        match = rule.search(flat)
        if match is not None:
            found = match[0].strip(" ;&|({")
    return found


def _bounded(flat: str) -> bool:
    # "timeout 30 tail -f log" ends; so does a stream that a reader cuts off.
    return re.search(r"(?:^|[;&|]\s*)timeout\s+\S+\s", flat, re.MULTILINE) is not None or bool(
        re.search(r"\|\s*(?:head|grep\s+-\w*m\s*\d)", flat)
    )
