"""Text and files: coreutils, grep, jq and their kin. What is listed without options has none that writes or starts."""

from __future__ import annotations

import re

from cockpit.safety.shell.awk import NotProven, started_by_awk
from cockpit.safety.shell.families.find import find
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.sed import harmless_sed
from cockpit.safety.shell.tool import Call, Stdin, Tool, denied, plain, tree
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, mutating, reading, unknown, worst
from cockpit.words import _

_SED_OPTIONS = names(
    """-n -E -r -e -u -s -z -l --quiet --silent --regexp-extended --expression --unbuffered --posix --null-data
    --separate --sandbox --line-length --debug"""
)


def _sed(call: Call, tool: Tool) -> Judgement:
    """Sed is read-only when its scripts write no file and start nothing, and without -i."""
    found = read_options(call.args, names("-e --expression -f --file -l --line-length"))
    if found.unclear is not None:
        return unknown(_("sed: a word built when it runs could be an option"))
    for name, _value in found.options:
        if name == "-i" or (len(name) > 2 and "--in-place".startswith(name)):
            return mutating(_("sed -i changes files in place"), "local-write")
        if name not in _SED_OPTIONS:
            return unknown(_("sed: the option {option} is not known to be harmless").format(option=name))
    scripts = [value for name, value in found.options if name in ("-e", "--expression") and value]
    scripts = scripts or found.operands[:1]
    if not scripts or not all(script.constant and harmless_sed(script.text) for script in scripts):
        return unknown(_("""sed: the script does more than print, delete or substitute, or is built when it runs"""))
    return reading()


_AWK_OPTIONS = names("-F -v --field-separator --assign --posix --re-interval --traditional --csv --non-decimal-data")


def _awk(call: Call, tool: Tool) -> Judgement:
    """Awk is as bad as what its program starts, and unknown when it writes or is not constant."""
    found = read_options(call.args, names("-F -v --field-separator --assign"))
    if call.args and all(word.text in ("--version", "-W", "version", "-V") and word.constant for word in call.args):
        return reading()
    if found.unclear is not None or not found.operands:
        return unknown(_("{command}: its program is only known when it runs").format(command=call.name))
    for name, _value in found.options:
        if name not in _AWK_OPTIONS:
            return unknown(
                _("{command}: the option {option} is not known to be harmless").format(command=call.name, option=name)
            )
    program = found.operands[0]
    try:
        started = started_by_awk(program.text) if program.constant else None
    except NotProven:
        started = None
    if started is None:
        return unknown(_("{command}: its program may start commands or write files").format(command=call.name))
    return worst([reading(), *(call.shell.script(script, Stdin("file")) for script in started)])


def _date(call: Call, tool: Tool) -> Judgement:
    """Date sets the clock with -s, and with an operand that is no format."""
    found = read_options(call.args, names("-d --date -f --file -r --reference -v"))
    if found.unclear is not None:
        return unknown(_("date: a word built when it runs could be an option"))
    if any(name == "-s" or (len(name) > 2 and "--set".startswith(name)) for name, _v in found.options):
        return mutating(_("date -s sets the clock"))
    formats_input = found.has("-j")
    if any(not word.text.startswith("+") for word in found.operands) and not formats_input:
        return unknown(_("date with an operand that is no +FORMAT sets the clock"))
    return reading()


_SCREENS = names("/dev/null /dev/stderr /dev/stdout /dev/tty /dev/fd/1 /dev/fd/2")


def _tee(call: Call, tool: Tool) -> Judgement:
    options = names("-a -i -p --append --ignore-interrupts")
    files = [word for word in call.args if not (word.constant and word.text in _SCREENS | options)]
    return mutating(_("tee writes files"), "local-write") if files else reading()


_TAR_LISTS = re.compile(r"-?[vzjJap]*t[vzjJapf]*")


def _tar(call: Call, tool: Tool) -> Judgement:
    """Tar lists with -t and options that can't start another program; all else writes."""
    args = list(call.args)
    first = args[0] if args else Word("")
    if not first.constant or not (_TAR_LISTS.fullmatch(first.text) or first.text == "--list"):
        return mutating(_("tar writes files"), "local-write")
    args[0] = Word(first.text if first.text.startswith("-") else f"-{first.text}")
    found = read_options(args, names("-f -C --file --directory --exclude"))
    harmless = names(
        """-t -v -f -z -j -J -a -p -C --list --verbose --file --gzip --bzip2 --xz --zstd --directory --exclude
        --full-time --auto-compress --numeric-owner --wildcards --no-wildcards --block-number"""
    )
    if found.unclear is not None or any(name not in harmless for name, _v in found.options):
        return unknown(_("tar: an option is not known to be harmless"))
    archives = [value for name, value in found.options if name in ("-f", "--file") and value]
    if any(":" in word.text or not word.single for word in archives):
        return unknown(_("tar: an archive on another machine is fetched by a program of its own"))
    return reading()


def _compressor(call: Call, tool: Tool) -> Judgement:
    """Gzip and its kin write files, unless they list, test or print."""
    found = read_options(call.args, frozenset())
    prints = names("-c -l -t --stdout --to-stdout --list --test")
    harmless = prints | names("-d -k -v -q -f -N -n -9 -1 --decompress --uncompress --keep --quiet --verbose --force")
    if found.unclear is None and found.has(*prints) and all(name in harmless for name, _v in found.options):
        return reading()
    return mutating(_("{command} writes files").format(command=call.name), "local-write")


def _printf(call: Call, tool: Tool) -> Judgement:
    first = call.args[0] if call.args else Word("")
    if first.may_be_option and first.text[:2] != "--" and not (first.constant and first.text == "-"):
        return unknown(_("printf -v assigns a variable"))
    return reading()


def _test(call: Call, tool: Tool) -> Judgement:
    if any(word.constant and word.text in ("-v", "-R") for word in call.args):
        return unknown(_("test -v computes what it is given"))
    if len(call.args) < 2 and any(word.kind is Kind.MANY for word in call.args):
        return unknown(_("a test depends on a word built when it runs"))
    return reading()


def _only(harmless: str, one_of: str) -> Tool:
    """A tool that only reads when nothing but harmless options stand, with one that makes it so; else it writes."""

    def judge(call: Call, tool: Tool) -> Judgement:
        found = read_options(call.args, frozenset())
        only = found.unclear is None and all(name in names(harmless) for name, _v in found.options)
        if only and found.has(*names(one_of)):
            return reading()
        return mutating(_("{command} writes files").format(command=call.name), "local-write")

    return Tool(special=judge)


_SORT_VALUES = names("-k -t -S --key --field-separator --buffer-size --parallel --batch-size --files0-from")

TOOLS: dict[str, Tool] = {
    **plain(
        """cat head wc cut tr nl tac stat ls readlink realpath basename dirname du df md5sum sha1sum sha224sum
            sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum strings od hexdump hd jq gojq grep egrep fgrep
            zgrep zegrep zfgrep zcat bzcat xzcat bzgrep xzgrep comm column fold fmt paste join rev seq
            echo true false : sleep pwd expr factor numfmt cal uname arch nproc tty look ll la tsort expand
            unexpand pr diff zdiff zcmp cmp diff3 vdir dir gzcat gron groups which
            whereis type cd pushd popd dirs exit return break continue shift ulimit umask ts namei getfacl
            lsattr bc yes zipinfo pathchk sha3sum getopt tput""",
    ),
    "tail": Tool(unbounded=names("-f -F --follow --retry"), values=names("-n -c --lines --bytes -s --pid")),
    **plain(
        """cp mv ln install chmod chown chgrp mkdir rmdir touch split csplit zip patch rename setfacl chattr
        mkfifo mknod
            sponge ed ex visudo vipw updatedb dos2unix unix2dos 7z cpio ar pax rar unrar xsel xclip""",
        Tool(verdict=MUTATING, tags=("local-write",)),
    ),
    **plain("gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd pigz unpigz lz4 unlz4", Tool(special=_compressor)),
    **plain("rm unlink shred dd truncate srm wipe", Tool(verdict=DESTRUCTIVE, tags=("local-write",))),
    **plain("vi vim nvim nano emacs less more most zless zmore view man info", Tool(verdict=UNKNOWN)),
    **plain("zstdcat lz4cat", Tool(flags=names("-f -q -v"))),
    "mktemp": _only("-u --dry-run -d -t", "-u --dry-run"),
    "unzip": _only("-l -v -Z -t -p -q -1 -z", "-l -Z -t -p -z"),
    "logrotate": _only("-d -v --debug --verbose", "-d --debug"),
    "ldconfig": _only("-p -v --print-cache", "-p --print-cache"),
    "iconv": Tool(denied=denied("-o --output")),
    "shuf": Tool(flags=names("-e -z -r"), values=names("-n -i")),
    "history": Tool(flags=frozenset(), operands=1, beyond=UNKNOWN),
    "hash": Tool(flags=names("-l"), operands=0, beyond=UNKNOWN),
    "wait": Tool(flags=frozenset()),
    "jobs": Tool(flags=names("-l -p -r -s"), operands=0),
    "sort": Tool(
        values=_SORT_VALUES,
        denied=denied("-o --output") | denied("--compress-program -T --temporary-directory", UNKNOWN),
    ),
    "uniq": Tool(values=names("-f -s -w --skip-fields --skip-chars --check-chars"), operands=1),
    "file": Tool(denied=denied("-C --compile"), values=names("-F -m -e -P --separator")),
    "xxd": Tool(
        values=names("""-c -g -l -s -n -o -cols -len -seek"""),
        denied=denied("-r -revert"),
        operands=1,
        long_single=True,
    ),
    "rg": Tool(
        denied=denied("""--pre --hostname-bin -z --search-zip""", UNKNOWN), values=names("-e -g -t -A -B -C -m -f")
    ),
    **plain("fd fdfind", Tool(denied=denied("-x -X --exec --exec-batch", UNKNOWN), values=names("-e -t -d -E"))),
    "yq": Tool(
        denied=denied("-i --inplace --in-place -s --split-exp --split-exp-file --security-enable-system-operator")
    ),
    "tree": Tool(denied=denied("-o -R"), values=names("-L -P -I")),
    "sdiff": Tool(denied=denied("-o --output --diff-program"), values=names("-w -I")),
    **plain(
        "bat batcat",
        Tool(
            flags=names("-p -pp -n -A -P --plain --number --show-all --no-pager"),
            values=names("-l -r --language --line-range --style --color --paging --theme --tabs --wrap -H"),
        ),
    ),
    "base64": Tool(denied=denied("-o --output"), values=names("-w -i")),
    "base32": Tool(),
    "xsv": tree(read="count headers select search slice stats table frequency", denied=denied("-o --output")),
    "pv": Tool(flags=names("-p -t -e -r -a -b -n -q -l -f -i -W"), values=names("-s -L -N -i")),
    "find": Tool(special=find),
    **plain("sed gsed", Tool(special=_sed)),
    **plain("awk gawk mawk nawk", Tool(special=_awk)),
    **plain("date gdate", Tool(special=_date)),
    "xmllint": Tool(
        flags=names("--noout --format --nonet --recover --huge --html --noblanks"), values=names("--xpath --encode")
    ),
    "tee": Tool(special=_tee),
    **plain("tar gtar bsdtar", Tool(special=_tar)),
    "printf": Tool(special=_printf),
    **plain("test [", Tool(special=_test)),
}
