"""Git: what reads a repository, what changes one, and what a word of the call makes it run.

What a repository's own settings name (a pager, a diff driver, a monitor of files) is the operator's, as are
the plug-ins
of a kubeconfig; the environment of a step turns off what can be turned off. What the *call* names is judged here.
"""

from __future__ import annotations

import re

from cockpit.safety.shell.families.wrappers import leading
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool
from cockpit.safety.shell.words import Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import MUTATING, Judgement, destructive, of_verdict, reading, unknown
from cockpit.words import _, shortened

_GIT_READS = names(
    """log rev-parse rev-list ls-files ls-tree describe shortlog name-rev merge-base for-each-ref show-ref
    count-objects version var check-ignore check-attr cherry whatchanged show-branch status diff show blame annotate
    diff-tree diff-index diff-files range-diff cat-file grep fsck check-ref-format"""
)
# Long options may be cut short. These start a program, write a file, or have a signature checked by a program.
_GIT_DENIED = re.compile(
    r"--ext.*|--exe.*|--textc.*|--filters.*|--show-sig.*|--ou.*|--op.*|--upl.*|--lost.*|.*%G.*|.*%\(signature.*"
)
_SETTINGS = re.compile(
    r"core\.fsmonitor=false|diff\.external=|color\.[\w.]+=\w+|core\.pager=(?:cat)?|core\.quotepath=\w+|safe\.directory=.*"
    r"|log\.showsignature=false|advice\.[\w.]+=\w+|gc\.auto=0",
    re.IGNORECASE,
)
_GIT_LOSSES = {
    "push": r"--force.*|-f|--delete|-d|--mirror|\+.*|:.+|--prune",
    "reset": r"--hard|--merge|--keep",
    "branch": r"-D|-d|--delete|-M|-f|--force",
    "tag": r"-d|--delete|-f|--force",
    "checkout": r"-f|--force|--|\.",
    "clean": r".*",
    "stash": r"drop|clear",
    "reflog": r"expire|delete",
    "gc": r"--prune.*|--aggressive",
    "restore": r".*",
    "update-ref": r"-d|--delete",
    "filter-branch": r".*",
    "filter-repo": r".*",
    "worktree": r"remove",
    "remote": r"remove|rm|prune",
    "notes": r"remove|prune",
}
_GIT_CHANGES = names(
    """add commit push pull fetch merge rebase cherry-pick revert reset checkout switch restore branch tag stash
    clone init apply am mv rm clean gc prune repack remote submodule worktree notes bisect config update-index
    update-ref filter-branch filter-repo format-patch archive bundle sparse-checkout maintenance"""
)
_FIRST_WORDS = {
    "remote": names("show get-url"),
    "stash": names("list show"),
    "worktree": names("list"),
    "reflog": names("show HEAD --all --date=iso --date=relative"),
    "notes": names("list show"),
    "submodule": names("status summary"),
    "bisect": names("log"),
    "bundle": names("verify list-heads"),
    "config": names("get list --get --get-all --get-regexp --list -l"),
}
_LISTS = {
    "branch": (
        r"-a|-r|-v|-vv|-l|-av|-rv|-avv|--list|--all|--remotes|--show-current|--contains.*|--merged.*|--no-merged.*|--sort.*"
        r"|--format.*|--no-color|--points-at.*|--column.*|--no-column|--no-contains.*"
    ),
    "tag": r"-l|--list|-n\d*|--sort.*|--contains.*|--points-at.*|--merged.*|--no-merged.*|--format.*|--column.*",
}
_CONFIG_OPTIONS = re.compile(
    r"--get|--get-all|--list|-l|--show-origin|--show-scope|--global|--local|--system|--get-regexp|--name-only|-z|--null"
)
_VALUES = names("-C -c --git-dir --work-tree --namespace")


def _git(call: Call, tool: Tool) -> Judgement:
    at = leading(call.args, _VALUES, names("--no-pager --no-optional-locks --bare --literal-pathspecs -P"))
    if call.args and call.args[0] == Word("--version"):
        return reading()
    if at is None or at >= len(call.args) or not call.args[at].constant:
        return unknown(_("git: which sub-command runs is not certain"))
    for name, value in read_options(call.args[:at], _VALUES).options:
        if name == "-c" and (value is None or not value.constant or not _SETTINGS.fullmatch(value.text)):
            return unknown(_("git -c sets what git runs"))
    return _verb(call.args[at].text, call.args[at + 1 :])


def _verb(verb: str, rest: tuple[Word, ...]) -> Judgement:
    texts = [word.text for word in rest]
    if verb in _GIT_LOSSES and any(re.fullmatch(_GIT_LOSSES[verb], text) for text in texts):
        return destructive(
            _("git {verb} with {word} loses work").format(verb=verb, word=shortened(" ".join(texts), 60))
        )
    if any(word.may_be_option and not word.constant for word in rest):
        return unknown(_("git: a word built when it runs could be an option"))
    options = texts[: texts.index("--")] if "--" in texts else texts
    starts = any(_GIT_DENIED.fullmatch(text) for text in options if text.startswith("-"))
    if starts or (verb == "grep" and any(re.match(r"-\w*O", text) for text in options)):
        return unknown(_("git {verb}: an option writes a file or starts a program").format(verb=verb))
    if verb in _GIT_READS:
        return reading()
    if verb == "ls-remote" and not any("::" in text for text in texts):
        return reading("network-egress")
    if verb == "symbolic-ref" and len([text for text in texts if not text.startswith("-")]) == 1 and "-d" not in texts:
        return reading()
    if _lists(verb, texts):
        return reading()
    if verb in _GIT_CHANGES:
        return of_verdict(MUTATING, f"git {verb}")
    return unknown(_("git {verb} is not known to be read-only").format(verb=verb))


def _lists(verb: str, texts: list[str]) -> bool:
    """Whether a verb that may change something only lists here."""
    if verb in _LISTS:
        lists = any(
            (text.startswith("-l") and verb == "tag")
            or text.startswith(("--list", "--contains", "--merged", "--no-merged", "--points-at", "--no-contains"))
            for text in texts
        )
        return all(re.fullmatch(_LISTS[verb], text) or (lists and not text.startswith("-")) for text in texts)
    if verb == "config":
        asks = bool(texts) and any(text in _FIRST_WORDS["config"] for text in texts)
        alone = len(texts) == 1 and re.fullmatch(r"[\w-]+\.[\w.-]+", texts[0]) is not None
        known = all(_CONFIG_OPTIONS.fullmatch(text) for text in texts if text.startswith("-"))
        return alone or (asks and known and (texts[0].startswith("-") or texts[0] in ("get", "list")))
    if verb == "remote":
        texts = [text for text in texts if text not in ("-v", "--verbose")]
    if verb == "reflog" and texts and re.fullmatch(r"-\d+|-n\d*", texts[0]):
        return True
    return texts[0] in _FIRST_WORDS.get(verb, ()) if texts else verb in ("remote", "reflog")


TOOLS: dict[str, Tool] = {"git": Tool(special=_git)}
