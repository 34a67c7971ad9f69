"""The judge of shell commands: parses, walks, and looks each command up in the families."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from cockpit.safety.shell.agreement import check_agreement
from cockpit.safety.shell.families import TOOLS
from cockpit.safety.shell.grammar import Refused, parse
from cockpit.safety.shell.options import judge_call
from cockpit.safety.shell.roles import is_privileged
from cockpit.safety.shell.script import Script
from cockpit.safety.shell.second_look import pieces
from cockpit.safety.shell.tool import Call, Stdin
from cockpit.safety.shell.words import Word
from cockpit.safety.verdict import Judgement, Verdict, mutating, unknown, worst
from cockpit.words import _

_BIN = re.compile(r"(?:/usr)?(?:/local)?/s?bin/|/opt/homebrew/bin/")
# A script's name may make the verdict worse, never better.
_CHANGES = re.compile(
    r"(?:^|[-_.])(?:rollback|roll-back|restart|deploy|redeploy|undeploy|delete|remove|purge|cleanup|clean|reset|restore"
    r"|failover|switchover|promote|migrate|upgrade|downgrade|install|uninstall|kill|stop|start|shutdown|reboot|scale|apply"
    r"|drop|truncate|flush|update|sync|push|publish|provision|destroy|rotate)(?:[-_.]|$)",
    re.IGNORECASE,
)
_MOST_NESTED = 8
_MOST_LINES = 500
_LONGEST_REREAD = 16 * 1024
_SECRETS = re.compile(
    r"(?:^|/)\.env(?:\.\w+)?$|(?:^|/)(?:shadow|gshadow|id_(?:rsa|dsa|ecdsa|ed25519)|\.pgpass|\.netrc|\.my\.cnf|credentials|\.npmrc)$"
    r"|\.(?:pem|key|p12|pfx|jks|kdbx)$|/\.(?:ssh|aws|kube|gnupg)/|/(?:etc/environment|proc/\w+/environ)$|/run/secrets/",
)


class ShellJudge:
    """Judges scripts and the commands in them, however deep one starts another."""

    def __init__(self, values: Mapping[str, str] | None = None, nested: int = 0) -> None:
        self._values = values
        self._nested = nested

    def elsewhere(self) -> ShellJudge:
        """The judge of what runs without this environment's variables."""
        return ShellJudge(None, self._nested)

    def script(self, text: str, stdin: Stdin = Stdin()) -> Judgement:  # noqa: B008 - it is frozen
        """Judge a script."""
        if self._nested > _MOST_NESTED:
            return unknown(_("it starts one shell in another too often"))
        self._nested += 1
        script: Script | None = None
        try:
            root = parse(text)
            script = Script(root, self.command, self._values, TOOLS.__contains__)
            found = script.run(root, stdin)
            check_agreement(text, root)
            return worst(found)
        except Refused as refusal:
            found = script.found if script else []
            return worst([*found, unknown(str(refusal)), *self._worse_lines(text), *self.at_a_glance(text)])
        finally:
            self._nested -= 1

    def at_a_glance(self, text: str) -> Iterator[Judgement]:
        """What in a text that is not proven plainly can't be undone."""
        for piece in pieces(text):
            try:
                judged = self.command([Word(each) for each in piece.split()], Stdin())
            except (Refused, RecursionError):
                continue
            if judged.verdict is Verdict.DESTRUCTIVE:
                yield judged

    def _worse_lines(self, text: str) -> Iterator[Judgement]:
        """Lines of a refused script that by themselves are worse than unknown: doubt must not hide them."""
        lines = text.replace("\\\n", " ").split("\n")
        if lines == [text] or len(text) > _LONGEST_REREAD:
            return
        for line in lines[:_MOST_LINES]:
            try:
                root = parse(line)
                found = Script(root, self.command, self._values, TOOLS.__contains__).run(root, Stdin())
            except Refused:
                continue
            yield from (part for part in found if part.verdict.rank > Verdict.UNKNOWN.rank)

    def command(self, words: Sequence[Word], stdin: Stdin) -> Judgement:
        """Judge one command by its words."""
        if not words:
            return Judgement(unknown("").verdict, (_("nothing to judge"),))
        first = words[0]
        if not first.constant or not first.text:
            return unknown(_("which command runs is only known when it runs"))
        name = _BIN.sub("", first.text) if _BIN.match(first.text) else first.text
        judgement = self._look_up(name, words, stdin)
        tags = judgement.tags
        if any(_SECRETS.search(word.text) for word in words[1:]):
            tags = tuple(dict.fromkeys((*tags, "sensitive-read")))
        if is_privileged(name, words[1:]):
            tags = tuple(dict.fromkeys((*tags, "privileged-role")))
        started = tuple(dict.fromkeys((first.text, *judgement.commands)))
        return Judgement(judgement.verdict, judgement.reasons, tags, started)

    def _look_up(self, name: str, words: Sequence[Word], stdin: Stdin) -> Judgement:
        tool = TOOLS.get(name)
        if tool is None:
            if _CHANGES.search(name.rpartition("/")[2]):
                return mutating(_("{command} makes changes, by its name").format(command=name))
            return unknown(_("{command} is not a command that safety knows").format(command=name))
        return judge_call(tool, Call(name, tuple(words[1:]), stdin, self), name)
