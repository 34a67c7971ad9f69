"""The expressions of find: it runs what stands behind -exec, deletes with -delete, and writes with -fprint."""

from __future__ import annotations

from cockpit.safety.shell.tool import Call, Tool
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, of_verdict, reading, unknown, worst
from cockpit.words import _

_TESTS = names(
    """-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -type -xtype -size -mtime -mmin -atime
    -amin -ctime -cmin -newer -newermt -newerct -newerat -newermm -anewer -cnewer -user -group -uid -gid -perm -maxdepth
    -mindepth -links -inum -samefile -fstype -lname -ilname -printf -used -context"""
)
_PLAIN = names(
    """-print -print0 -ls -prune -quit -empty -readable -writable -executable -nouser -nogroup -o -a -or -and -not ! ( )
    , -true -false -depth -d -xdev -mount -daystart -follow -noleaf -ignore_readdir_race -nowarn -warn -H -L -P -E -x
    -help --help -version --version -O1 -O2 -O3"""
)


def find(call: Call, tool: Tool) -> Judgement:
    """Judge a call of find by its expression."""
    parts = [reading()]
    words = list(call.args)
    in_paths = True
    while words:
        word = words.pop(0)
        if in_paths and not word.may_be_option and word.text not in ("!", "(", ")"):
            continue
        in_paths = in_paths and word.text in ("-H", "-L", "-P", "-E", "-x")
        if not word.constant:
            return unknown(_("find: a word of the expression is only known when it runs"))
        if word.text == "-delete":
            parts.append(of_verdict(DESTRUCTIVE, "find -delete"))
        elif word.text in _TESTS:
            if words and not _is_one_operand(words.pop(0)):
                return unknown(_("find: a word of the expression is only known when it runs"))
        elif word.text in ("-exec", "-execdir"):
            parts.append(_started(call, words))
        elif word.text in ("-ok", "-okdir", "-fprint", "-fprint0", "-fprintf", "-fls"):
            parts.append(of_verdict(MUTATING if word.text.startswith("-f") else UNKNOWN, f"find {word.text}"))
        elif word.text not in _PLAIN:
            parts.append(unknown(_("find: {word} is not known to be harmless").format(word=word.text)))
    return worst(parts)


def _is_one_operand(word: Word) -> bool:
    """One word; or a pattern that the shell may expand, to names that find then refuses: none begins an expression."""
    return word.single or (word.kind is Kind.FILES and word.text[:1] not in ("-", "(", ")", "!", ",", ""))


def _started(call: Call, words: list[Word]) -> Judgement:
    inner: list[Word] = []
    while words:
        word = words.pop(0)
        if word.constant and (word.text == ";" or (word.text == "+" and inner and inner[-1].text == "{}")):
            break
        inner.append(word)
    # A found path begins as the searched one does, so in place of {} stands data; but not inside a script.
    return call.shell.command([_substituted(word, "{}") for word in inner], call.stdin)


def _substituted(word: Word, mark: str) -> Word:
    if mark not in word.text:
        return word
    before = word.text.partition(mark)[0]
    return Word(before or "./", Kind.DATA)
