"""Commands that start other commands: each is judged by what it starts. And the shell's own builtins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.safety.environment import assignable
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.roles import PRIVILEGED, names_privileged
from cockpit.safety.shell.tool import Call, Stdin, Tool, plain
from cockpit.safety.shell.words import ANYTHING, Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import UNKNOWN, Judgement, reading, unknown, worst
from cockpit.words import _


def tagged(judgement: Judgement, *tags: str) -> Judgement:
    """The same judgement with more tags."""
    joined = tuple(dict.fromkeys((*judgement.tags, *tags)))
    return Judgement(judgement.verdict, judgement.reasons, joined, judgement.commands)


def leading(args: Sequence[Word], values: frozenset[str], flags: frozenset[str]) -> int | None:
    """How many words in front are options, all of them known. None: one is not."""
    at = 0
    while at < len(args):
        word = args[at]
        if not word.may_be_option:
            return at
        if not word.constant and not (word.kind is Kind.DATA and "=" in word.text):
            return None
        if word.text == "--":
            return at + 1
        name = word.text.partition("=")[0]
        if word.text in values or _ends_in_value(word.text, values, flags):
            if at + 1 >= len(args) or not args[at + 1].single:
                return None
            at += 2
        elif name in flags or (name in values and "=" in word.text) or _cluster(word.text, values, flags):
            at += 1
        else:
            return None
    return at


def _ends_in_value(text: str, values: frozenset[str], flags: frozenset[str]) -> bool:
    """Whether the word is short flags in a row and then an option whose value is the next word: `-itu root`."""
    letters = [f"-{letter}" for letter in text[1:]]
    return (
        len(letters) > 1
        and letters[-1] in values
        and not text.startswith("--")
        and all(map(flags.__contains__, letters[:-1]))
    )


def _cluster(text: str, values: frozenset[str], flags: frozenset[str]) -> bool:
    """Whether the word is short flags in a row, the last perhaps with its value attached."""
    if text.startswith("--"):
        return False
    for at, letter in enumerate(text[1:], start=1):
        if f"-{letter}" in values:
            return at + 1 < len(text)
        if f"-{letter}" not in flags:
            return False
    return True


def _runs(values: str = "", flags: str = "", *, operands: int = 0, tags: tuple[str, ...] = ()) -> Tool:
    """A wrapper: its own options, then `operands` words of its own, then the command it starts."""

    def judge(call: Call, tool: Tool) -> Judgement:
        at = leading(call.args, names(values), names(flags))
        if at is None:
            return unknown(_("{command}: an option is not known to be harmless").format(command=call.name), *tags)
        own, inner = call.args[at : at + operands], call.args[at + operands :]
        if not all(word.single for word in own):
            return unknown(_("{command}: what it starts is only known when it runs").format(command=call.name), *tags)
        if not inner:
            return unknown(_("{command} starts nothing that can be judged").format(command=call.name), *tags)
        return tagged(call.shell.command(inner, call.stdin), *tags)

    return Tool(special=judge)


def _sudo(call: Call, tool: Tool) -> Judgement:
    values = names("-u -g -h -p -C -T -U --user --group --prompt --host")
    args = list(call.args)
    at = leading(
        args, values, names("-n -H -S -k -b -P -E -i --non-interactive --set-home --stdin --preserve-env --login")
    )
    if args and args[0].text in ("-l", "-v", "-V", "--list", "--validate") and len(args) == 1:
        return reading("needs-sudo")
    account = read_options(args[:at], values).value("-u", "--user") if at else None
    privileged = _role(account) if account is not None else ()
    if at is None:
        return unknown(_("sudo: an option opens a shell or is not known to be harmless"), "needs-sudo")
    while at < len(args) and _is_assignment(args[at]):
        if not assignable(args[at].text.partition("=")[0]):
            return unknown(_("{name} changes what other commands do").format(name=args[at].text.partition("=")[0]))
        at += 1
    if at >= len(args):
        return unknown(_("sudo starts nothing that can be judged"), "needs-sudo")
    return tagged(call.shell.elsewhere().command(args[at:], call.stdin), "needs-sudo", *privileged)


def _role(account: Word | None) -> tuple[str, ...]:
    """The tag of acting as that account; nobody named is root."""
    return ("privileged-role",) if account is None or account.text in PRIVILEGED else ()


_LOGIN = names("- -l --login -m -p --preserve-environment")
_SHELLS = names("/bin/bash /usr/bin/bash /bin/sh /usr/bin/sh")


def _su(call: Call, tool: Tool) -> Judgement:
    """su and runuser: what another account's shell is given with -c, or what `runuser -u NAME` starts."""
    values = names("-c --command -s --shell -u --user -g --group -G --supp-group")
    found = read_options(call.args, values)
    texts = [word.text for word in found.operands if word.text != "-"]
    shell = found.value("-s", "--shell")
    given = [name for name, _value in found.options]
    twice = any(sum(map(given.count, pair)) > 1 for pair in (("-c", "--command"), ("-s", "--shell"), ("-u", "--user")))
    if (
        found.unclear is not None
        or not values | _LOGIN >= set(given)
        or twice
        or (shell is not None and shell.text not in _SHELLS)
    ):
        return unknown(_("{command}: an option is not known to be harmless").format(command=call.name), "needs-sudo")
    user = found.value("-u", "--user")
    if user is not None and call.name == "runuser":
        words = _behind(call.args, values)
        inner = call.shell.elsewhere().command(words, call.stdin) if words else _starts_nothing(call)
        return tagged(inner, "needs-sudo", *_role(user))
    account = next((word for word in found.operands if word.text != "-"), None)
    script = found.value("-c", "--command")
    if script is None or len(texts) > 1:
        return tagged(_starts_nothing(call), "needs-sudo", *_role(account))
    return tagged(_script_word_elsewhere(call, script), "needs-sudo", *_role(account))


def _behind(args: Sequence[Word], values: frozenset[str]) -> Sequence[Word]:
    """The command behind a wrapper's own options."""
    at = leading(args, values, frozenset())
    return args[at:] if at is not None else ()


def _starts_nothing(call: Call) -> Judgement:
    return unknown(_("{command} starts nothing that can be judged").format(command=call.name))


def _script_word_elsewhere(call: Call, script: Word) -> Judgement:
    if not script.constant:
        return unknown(_("{command}: the script it starts is only known when it runs").format(command=call.name))
    return call.shell.elsewhere().script(script.text, call.stdin)


def _coproc(call: Call, tool: Tool) -> Judgement:
    """What it starts reads from where nobody sees, so it is never proven."""
    doubt = unknown(_("{command} can do anything").format(command=call.name))
    return worst([doubt, call.shell.command(call.args, Stdin("file"))]) if call.args else doubt


def _setpriv(call: Call, tool: Tool) -> Judgement:
    values = names("--reuid --ruid --euid --regid --rgid --egid --groups --inh-caps --ambient-caps --bounding-set")
    at = leading(call.args, values, names("--clear-groups --keep-groups --init-groups --no-new-privs --reset-env"))
    if at is None or at >= len(call.args):
        return _starts_nothing(call)
    account = read_options(call.args[:at], values).value("--reuid", "--euid")
    role = _role(account) if account is not None else ()
    return tagged(call.shell.elsewhere().command(call.args[at:], call.stdin), "needs-sudo", *role)


def _is_assignment(word: Word) -> bool:
    return re.match(r"[A-Za-z_]\w*=", word.text) is not None


def _env(call: Call, tool: Tool) -> Judgement:
    at = leading(call.args, names("-u --unset -C --chdir"), names("-i -0 --ignore-environment --null"))
    if at is None:
        return unknown(_("env: an option is not known to be harmless"))
    args, role = call.args, set[str]()
    while at < len(args) and _is_assignment(args[at]):
        name, _equals, value = args[at].text.partition("=")
        if not assignable(name):
            return unknown(_("{name} changes what other commands do").format(name=name))
        role |= {"privileged-role"} if names_privileged(name, value) else set()
        at += 1
    if at >= len(args):
        return reading("sensitive-read")
    return tagged(call.shell.command(args[at:], call.stdin), *role)


def _xargs(call: Call, tool: Tool) -> Judgement:
    values = names(
        """-n -L -P -d -E -s -I -a --max-args --max-lines --max-procs --delimiter --max-chars --replace
            --arg-file"""
    )
    flags = names("-0 -r -t -x --null --no-run-if-empty --verbose --exit")
    at = leading(call.args, values, flags)
    if at is None:
        return unknown(_("xargs: an option is not known to be harmless"))
    mark = read_options(call.args[:at], values).value("-I", "--replace")
    inner = list(call.args[at:]) or [Word("echo")]
    if mark is None:
        return call.shell.command([*inner, ANYTHING], Stdin("file"))
    if not mark.constant or not mark.text:
        return unknown(_("xargs: what it starts is only known when it runs"))
    return call.shell.command([_replaced(word, mark.text) for word in inner], Stdin("file"))


def _replaced(word: Word, mark: str) -> Word:
    return Word(word.text.partition(mark)[0], Kind.OUTPUT) if mark in word.text else word


def _watch(call: Call, tool: Tool) -> Judgement:
    flags = names(
        """-d -t -b -e -g -c -p -w -x --differences --no-title --beep --errexit --chgexit --color --precise
            --exec"""
    )
    at = leading(call.args, names("-n --interval -q --equexit"), flags)
    if at is None or at >= len(call.args):
        return unknown(_("watch: what it starts can't be judged"), "unbounded")
    inner = call.args[at:]
    if read_options(call.args[:at], names("-n --interval")).has("-x", "--exec"):
        return tagged(call.shell.command(inner, Stdin("file")), "unbounded")
    return tagged(joined_script(call, inner), "unbounded")


def joined_script(call: Call, words: Sequence[Word], *, remote: bool = False) -> Judgement:
    """Judge words that the command joins with blanks and hands to a shell."""
    shell = call.shell.elsewhere() if remote else call.shell
    if all(word.constant for word in words):
        return shell.script(" ".join(word.text for word in words), call.stdin)
    return unknown(_("{command}: the script it starts is only known when it runs").format(command=call.name))


def _shell(call: Call, tool: Tool) -> Judgement:
    """A shell: only `-c CONSTANT` is judged, or a constant here-document."""
    at = 0
    while (
        at < len(call.args)
        and call.args[at].constant
        and re.fullmatch(r"-[leuxnof]+|--norc|--noprofile|--login|pipefail", call.args[at].text)
    ):
        at += 1
    rest = call.args[at:]
    if rest and rest[0].constant and re.fullmatch(r"-[leuxf]*c", rest[0].text) and len(rest) > 1:
        return _script_word(call, rest[1], call.stdin)
    if not rest and call.stdin.text is not None:
        return _script_word(call, call.stdin.text, Stdin("file"))
    if rest and rest[0].constant and rest[0].text in ("--version", "--help"):
        return reading()
    return unknown(_("{command} runs a script or a terminal that can't be seen").format(command=call.name))


def _script_word(call: Call, script: Word, stdin: Stdin) -> Judgement:
    if not script.constant:
        return unknown(_("{command}: the script it starts is only known when it runs").format(command=call.name))
    return call.shell.script(script.text, stdin)


def _command(call: Call, tool: Tool) -> Judgement:
    if call.args and call.args[0].constant and call.args[0].text in ("-v", "-V"):
        return reading()
    if not call.args or call.args[0].may_be_option:
        return unknown(_("{command}: what it starts can't be judged").format(command=call.name))
    return call.shell.command(call.args, call.stdin)


def _exec(call: Call, tool: Tool) -> Judgement:
    if not call.args:
        return reading()
    return (
        _command(call, tool) if not call.args[0].may_be_option else unknown(_("""exec with an option is not judged"""))
    )


def _read(call: Call, tool: Tool) -> Judgement:
    """The builtin read: it assigns plain variables."""
    found = read_options(call.args, names("-p -d -t -n -N -u"))
    if found.unclear is not None or any(name not in names("-r -s -p -d -t -n -N -u") for name, _v in found.options):
        return unknown(_("read: an option is not known to be harmless"))
    for word in found.operands:
        if not word.constant or not re.fullmatch(r"[A-Za-z_]\w*", word.text) or not assignable(word.text):
            return unknown(_("read assigns something that is not a plain variable"))
    return reading()


def _set(call: Call, tool: Tool) -> Judgement:
    plain_options = re.compile(r"[-+][euxfCo]+|pipefail|errexit|nounset|xtrace|noglob|noclobber")
    if all(word.constant and plain_options.fullmatch(word.text) for word in call.args) and call.args:
        return reading()
    return unknown(_("set with other than plain options is not judged"))


def _time_and_more(call: Call, tool: Tool) -> Judgement:
    if call.args and call.args[0].constant and call.args[0].text == "-p":
        return call.shell.command(call.args[1:], call.stdin)
    return worst([call.shell.command(call.args, call.stdin)]) if call.args else reading()


_LANGUAGES = names(
    """python python2 python3 node perl ruby php lua java javac deno bun make cmake gradle mvn rake bundle rails tmux
    screen strace gdb perf Rscript dotnet gcc g++ rustc nvm tsc"""
)

TOOLS: dict[str, Tool] = {
    **plain("sudo doas", Tool(special=_sudo)),
    **plain("su runuser", Tool(special=_su)),
    "setpriv": Tool(special=_setpriv),
    "coproc": Tool(special=_coproc),
    "env": Tool(special=_env),
    **plain("sh bash dash ash zsh ksh rbash", Tool(special=_shell)),
    "xargs": Tool(special=_xargs),
    "watch": Tool(special=_watch),
    "viddy": Tool(special=_watch),
    "command": Tool(special=_command),
    "builtin": Tool(special=_command),
    "exec": Tool(special=_exec),
    "read": Tool(special=_read),
    "set": Tool(special=_set),
    "time": Tool(special=_time_and_more),
    "nohup": _runs(),
    "setsid": _runs(flags="-w -f -c"),
    "nice": _runs("-n --adjustment"),
    "ionice": _runs("-c -n --class --classdata", "-t"),
    "chrt": _runs("-T", "-b -o -i", operands=1),
    "taskset": _runs("", "-c", operands=1),
    "stdbuf": _runs("-i -o -e --input --output --error"),
    "unbuffer": _runs(flags="-p"),
    "timeout": _runs("-s -k --signal --kill-after", """-v --verbose --foreground --preserve-status""", operands=1),
    "gtimeout": _runs("-s -k", "--foreground --preserve-status", operands=1),
    "systemd-cat": _runs("-t -p"),
    "faketime": _runs(operands=1),
    "ltrace": Tool(verdict=UNKNOWN),
    **plain(
        """eval source . trap let alias unalias enable mapfile readarray bind complete compgen
        fc fg bg disown suspend shopt getopts local typeset declare parallel script chroot nsenter
        unshare strace gdb perf expect screen tmux flock python python2 python3 node perl ruby php lua
        java javac deno bun Rscript make cmake gradle mvn rake bundle rails dotnet gcc g++ rustc tsc bpftrace""",
        Tool(special=lambda call, tool: _interpreter(call)),
    ),
}


_VERSION = names("--version -V -version version -v")


def _interpreter(call: Call) -> Judgement:
    if len(call.args) == 1 and call.args[0].constant and call.args[0].text in _VERSION and call.name in _LANGUAGES:
        return reading()
    words = [word.text for word in call.args if word.constant]
    if call.name.startswith("python") and words[:2] == ["-m", "json.tool"] and len(call.args) <= 3:
        return reading()
    return unknown(_("{command} can do anything").format(command=call.name))
