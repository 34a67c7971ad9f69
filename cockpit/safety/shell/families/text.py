"""Text and files: coreutils, grep, jq and their kin."""

from __future__ import annotations

import re

from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import (
    DESTRUCTIVE,
    MUTATING,
    UNKNOWN,
    Call,
    Tool,
    denied,
    mutating,
    names,
    of_verdict,
    plain,
    reading,
    unknown,
)
from cockpit.safety.shell.words import Kind, Word, constants
from cockpit.safety.verdict import Judgement, worst
from cockpit.words import _

_FIND_TESTS = names(
    """-name -iname -path -ipath -wholename -regex -iregex -regextype -type -xtype -size -mtime -mmin -atime
    -amin -ctime -cmin -newer -newermt -newerct -anewer -cnewer -user -group -uid -gid -perm -maxdepth
    -mindepth -links -inum -samefile -fstype -lname -printf -used"""
)
_FIND_PLAIN = names(
    """-print -print0 -ls -prune -quit -empty -readable -writable -executable -nouser -nogroup -o -a -or -and -not ! ( )
    , -true -false -depth -xdev -mount -daystart -follow -noleaf -ignore_readdir_race -nowarn -H -L -P -delete"""
)


def _find(call: Call, tool: Tool) -> Judgement:
    """Find runs what stands behind -exec, deletes with -delete, and writes with -fprint."""
    parts = [reading()]
    words = list(call.args)
    in_paths = True
    while words:
        word = words.pop(0)
        if in_paths and not word.may_be_option and word.text not in ("!", "(", ")"):
            continue
        in_paths = False
        if not word.constant:
            return unknown(_("find: a word of the expression is only known when it runs"))
        if word.text == "-delete":
            parts.append(of_verdict(DESTRUCTIVE, "find -delete"))
        elif word.text in _FIND_TESTS:
            if words and not words.pop(0).single:
                return unknown(_("find: a word of the expression is only known when it runs"))
        elif word.text in ("-exec", "-execdir"):
            parts.append(_find_exec(call, words))
        elif word.text in ("-ok", "-okdir", "-fprint", "-fprint0", "-fprintf", "-fls"):
            parts.append(of_verdict(MUTATING if word.text.startswith("-f") else UNKNOWN, f"find {word.text}"))
        elif word.text not in _FIND_PLAIN:
            parts.append(unknown(_("find: {word} is not known to be harmless").format(word=word.text)))
    return worst(parts)


def _find_exec(call: Call, words: list[Word]) -> Judgement:
    inner: list[Word] = []
    while words:
        word = words.pop(0)
        if word.constant and (word.text == ";" or (word.text == "+" and inner and inner[-1].text == "{}")):
            break
        inner.append(word)
    # A found path begins as the searched one does, so in place of {} stands data; but not inside a script.
    found = [_substituted(word, "{}") for word in inner]
    return call.shell.command(found, call.stdin)


def _substituted(word: Word, mark: str) -> Word:
    if mark not in word.text:
        return word
    before = word.text.partition(mark)[0]
    return Word(before or "./", Kind.DATA)


_SED_PRINT = re.compile(
    r"""\s*(?:(?:\d+|\$|/(?:[^/\\\n]|\\.)*/I?)?(?:\s*,\s*(?:[+~]?\d+|\$|/(?:[^/\\\n]|\\.)*/I?))?\s*!?\s*(?:[pdqQ=]|
    s(?P<d>[/|\#,:@!])(?:(?!(?P=d))[^\\\n]|\\.)*(?P=d)(?:(?!(?P=d))[^\\\n]|\\.)*(?P=d)[gpIi0-9]*)\s*(?:;|\n|$)\s*)+""",
    re.VERBOSE,
)


def _sed(call: Call, tool: Tool) -> Judgement:
    """Sed is read-only with printing, deleting and substituting scripts: no w, e, r, i, a, c, and no -i."""
    found = read_options(call.args, names("-e --expression -f --file -l --line-length"))
    if found.unclear is not None:
        return unknown(_("sed: a word built when it runs could be an option"))
    for name, _value in found.options:
        if name in ("-i", "--in-place") or (name.startswith("--i") and "--in-place".startswith(name)):
            return mutating(_("sed -i changes files in place"), "local-write")
        if name not in names(
            "-n -E -r -e -u -s -z --quiet --silent --regexp-extended --expression --unbuffered --posix"
        ):
            return unknown(_("sed: the option {option} is not known to be harmless").format(option=name))
    scripts = [value for name, value in found.options if name in ("-e", "--expression") and value]
    scripts = scripts or found.operands[:1]
    if not scripts or not all(_harmless_sed(script) for script in scripts):
        return unknown(_("""sed: the script does more than print, delete or substitute, or is built when it runs"""))
    return reading()


def _harmless_sed(script: Word) -> bool:
    return script.constant and len(script.text) < 2000 and _SED_PRINT.fullmatch(script.text) is not None


_AWK_ACTS = re.compile(r"system|getline|@|(?<!\|)\|(?!\|)")
_AWK_PRINTS_INTO = re.compile(r"print.*>(?!=)", re.DOTALL)


def _awk(call: Call, tool: Tool) -> Judgement:
    """Awk is read-only when its program is constant and neither starts commands nor writes files."""
    found = read_options(call.args, names("-F -v --field-separator --assign"))
    if found.unclear is not None or not found.operands:
        return unknown(_("awk: its program is only known when it runs"))
    for name, _value in found.options:
        if name not in ("-F", "-v", "--field-separator", "--assign"):
            return unknown(_("awk: the option {option} is not known to be harmless").format(option=name))
    program = found.operands[0]
    if not program.constant or _awk_acts(program.text):
        return unknown(_("awk: its program may start commands or write files"))
    return reading()


def _awk_acts(program: str) -> bool:
    # On the bare text: telling strings, regular expressions and divisions apart is where others were fooled.
    return bool(_AWK_ACTS.search(program) or _AWK_PRINTS_INTO.search(program))


def _date(call: Call, tool: Tool) -> Judgement:
    """Date sets the clock with -s, and with an operand that is no format."""
    found = read_options(call.args, names("-d --date -f --file -r --reference -I? -v -j"))
    if found.unclear is not None:
        return unknown(_("date: a word built when it runs could be an option"))
    if any(name == "-s" or (name.startswith("--s") and "--set".startswith(name)) for name, _v in found.options):
        return mutating(_("date -s sets the clock"))
    if any(not word.text.startswith("+") for word in found.operands):
        return unknown(_("date with an operand that is no +FORMAT sets the clock"))
    return reading()


def _tee(call: Call, tool: Tool) -> Judgement:
    files = [
        word for word in call.args if not (word.constant and word.text in ("-a", "-i", "/dev/null", "/dev/stderr"))
    ]
    return mutating(_("tee writes files"), "local-write") if files else reading()


def _tar(call: Call, tool: Tool) -> Judgement:
    texts = constants(call.args[:1])
    first = texts[0] if texts else ""
    listing = re.fullmatch(r"-?[vzjJa]*t[vzjJaf]*", first) or first == "--list"
    if not listing:
        return mutating(_("tar writes files"), "local-write")
    rest = constants(call.args[1:])
    if rest is None or any(word.startswith("-") and word not in ("-f", "-v", "-z", "-j", "-J") for word in rest):
        return unknown(_("tar: an option is not known to be harmless"))
    return reading()


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


_SORT_VALUES = names("-k -t -S --key --field-separator --buffer-size --parallel --batch-size --files0-from")

TOOLS: dict[str, Tool] = {
    **plain(
        """cat head wc cut tr nl tac stat ls readlink realpath basename dirname du df md5sum sha1sum sha224sum
            sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum strings od hexdump jq grep egrep fgrep
            zgrep zegrep zfgrep zcat bzcat xzcat zstdcat bzgrep xzgrep comm column fold fmt paste join rev seq
            echo true false : sleep pwd expr factor numfmt cal uname arch nproc tty look ll la tsort expand
            unexpand pr diff cmp sdiff diff3 vdir dir lz4cat gzcat tree jo gron xsv logname groups factor which
            whereis type cd pushd popd dirs exit return break continue shift ulimit umask ts pv namei getfacl
            lsattr bc""",
    ),
    "tail": Tool(unbounded=names("-f -F --follow --retry"), values=names("-n -c --lines --bytes -s --pid")),
    **plain(
        """cp mv ln install chmod chown chgrp mkdir rmdir touch split csplit mktemp gzip gunzip bzip2 bunzip2 xz
        unxz zstd unzstd unzip zip patch rename setfacl chattr mkfifo mknod logrotate sponge ed ex visudo vipw
        updatedb ldconfig dos2unix unix2dos 7z cpio""",
        Tool(verdict=MUTATING, tags=("local-write",)),
    ),
    **plain("rm unlink shred dd truncate srm wipe", Tool(verdict=DESTRUCTIVE, tags=("local-write",))),
    **plain("vi vim nvim nano emacs less more most view man info", Tool(verdict=UNKNOWN)),
    "iconv": Tool(denied=denied("-o --output")),
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
    "fd": Tool(denied=denied("-x -X --exec --exec-batch", UNKNOWN), values=names("-e -t -d -E")),
    "yq": Tool(denied=denied("-i --inplace --in-place -s --split-exp")),
    "tree": Tool(denied=denied("-o -R"), values=names("-L -P -I")),
    "sdiff": Tool(denied=denied("-o --output --diff-program")),
    "pr": Tool(),
    "bat": Tool(denied=denied("--pager --diff", UNKNOWN)),
    "base64": Tool(denied=denied("-o --output"), values=names("-w -i")),
    "base32": Tool(),
    "find": Tool(special=_find),
    "sed": Tool(special=_sed),
    "gsed": Tool(special=_sed),
    **plain("awk gawk mawk nawk", Tool(special=_awk)),
    "date": Tool(special=_date),
    "gdate": Tool(special=_date),
    "xmllint": Tool(denied=denied("-o --output") | denied("--shell", UNKNOWN), values=names("--xpath")),
    "tee": Tool(special=_tee),
    "tar": Tool(special=_tar),
    "printf": Tool(special=_printf),
    "test": Tool(special=_test),
    "[": Tool(special=_test),
}
