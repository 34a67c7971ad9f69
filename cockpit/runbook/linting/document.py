"""What an author should mend: what would go wrong, or leave a responder guessing, when the runbook is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from cockpit.runbook.commands.languages import LANGUAGES, RUNNABLE, SESSION_SPELLINGS, info_of
from cockpit.runbook.commands.prompts import session_of
from cockpit.runbook.commands.vocabulary import words
from cockpit.runbook.document.front_matter import front_matter
from cockpit.runbook.document.markdown import Block, Document, blocks_of
from cockpit.runbook.document.outline import Outline
from cockpit.runbook.linting.commands import COMMAND_RULES, NOTE_RULES
from cockpit.runbook.model import Problem, Runbook, StepKind
from cockpit.words import _, shortened

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|/|\{|<|\$")
_ENDINGS = ("", ".md", ".html.md", ".html.md.erb", "/README.md", "/index.md", "/_index.md")
_ATTRIBUTES = (
    *("id", "name", "interactive", "background", "cwd", "excludeFromRunAll", "ignore", "transform", "tag", "promptEnv"),
    *("interpreter", "timeout", "confirm", "env", "depends_on", "rollback", "duration", "kill_grace", "terminalRows"),
    *("closeTerminalOnSuccess", "mimeType", "category", "expected_similarity", "title", "linenums", "hl_lines"),
)
# What a block marked as shell is read as where it shows a file or a query.
_MISFILED = {"promql": "PromQL", "yaml": "YAML", "json": "JSON", "ini": "INI"}
_STANDARD_SPELLINGS = frozenset(
    {
        "bash",
        "sh",
        "shell",
        "zsh",
        "ksh",
        "fish",
        "powershell",
        "pwsh",
        "ps1",
        "sql",
        "promql",
        "logql",
        "http",
        "redis",
    }
)
_MISSPELT = frozenset(name for name, language in LANGUAGES.items() if language == "bash") - {
    *(
        "bash",
        "sh",
        "shell",
        "zsh",
        "ksh",
        "ash",
        "dash",
        "fish",
        "cmd",
        "cli",
        "term",
        "batch",
        "bat",
        "dos",
        "command",
    ),
    *(
        "commands",
        "cmdline",
        "command-line",
        "commandline",
        "/bin/sh",
        "/bin/bash",
        "bin/bash",
        "azure-cli",
        "azurecli",
    ),
    *("azurecli-interactive", "azurecli-bash", "bash-interactive", "gcloud", "aws", "oc", "kubectl", "shellscript"),
    *("shell-script",),
    *SESSION_SPELLINGS,
}


_WORD_ENDS = re.compile(r"[\W\d_]+")
_BLANK_WORDS = words(
    """
    name value values val number num key arg args argument param parameter var variable input foo bar baz qux xxx xxxx
    yyy zzz string str text thing something placeholder option options item your tbd todo yours data
    """
)


@dataclass
class Reading:
    """A runbook with its blocks, for rules that look at the document itself."""

    runbook: Runbook

    @cached_property
    def document(self) -> Document:
        """The blocks, by their lines in the file."""
        head = front_matter(self.runbook.text).lines
        lines = self.runbook.text.split("\n", head)
        return blocks_of(lines[-1] if len(lines) > head else "", head + 1)

    @cached_property
    def outline(self) -> Outline:
        """The sections and anchors."""
        return Outline(self.document.blocks)

    @cached_property
    def fences(self) -> list[Block]:
        """The fenced blocks."""
        return [block for block in self.document.blocks if block.kind == "code" and block.fenced]


def lint(runbook: Runbook) -> list[Problem]:
    """The problems of a runbook, by line; those the reader met are among them."""
    reading = Reading(runbook)
    found = list(runbook.problems)
    for rule in _DOCUMENT_RULES:
        found += rule(reading)
    for step in runbook.steps:
        for look in COMMAND_RULES if step.kind is StepKind.COMMAND else NOTE_RULES:
            found += look(step)
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.code))


def _title(reading: Reading) -> Iterator[Problem]:
    if not reading.runbook.sections and not reading.runbook.front_matter.get("title"):
        yield Problem(1, "no-heading", _("The document has no heading"), _("name what it is for: # Title"))


def _anchors(reading: Reading) -> Iterator[Problem]:
    for block in reading.document.blocks:
        for _text, target in block.links:
            if target.startswith("#") and len(target) > 1 and reading.outline.resolve(target) is None:
                message = _("No heading answers to {anchor}").format(anchor=unquote(target))
                yield Problem(block.line, "dangling-anchor", message, _("link to the anchor of a heading in this file"))


def _files(reading: Reading) -> Iterator[Problem]:
    home = Path(reading.runbook.path).parent
    if not reading.runbook.path or not Path(reading.runbook.path).is_file():
        return
    for block in reading.document.blocks:
        for _text, target in block.links:
            name = unquote(target.partition("#")[0].partition("?")[0])
            if not name or _SCHEME.match(name) or len(name) > 500 or _exists(home, name):
                continue
            message = _("The linked file {name} does not exist").format(name=name)
            yield Problem(block.line, "missing-file", message, _("correct the path, or add the file"))


def _exists(home: Path, name: str) -> bool:
    bare = name.removesuffix("/")
    candidates = [bare + ending for ending in _ENDINGS]
    if bare.endswith(".html"):
        candidates.append(bare.removesuffix(".html") + ".md")
    try:
        return any((home / candidate).exists() for candidate in candidates)
    except (OSError, ValueError):
        return False


def _languages(reading: Reading) -> Iterator[Problem]:
    steps = {step.line: step for step in reading.runbook.steps if step.kind in (StepKind.COMMAND, StepKind.NOTE)}
    for block in reading.fences:
        info, step = info_of(block.info), steps.get(block.line)
        if info.language == "bash" and step is not None and step.language in _MISFILED:
            message = _("This is {what} in a shell block").format(what=_MISFILED[step.language])
            yield Problem(block.line, "wrong-language", message, _("put it into a block of its own language"))
        elif not info.language and step is not None and step.kind is StepKind.COMMAND:
            message = _("This block holds commands and names no language")
            yield Problem(block.line, "no-language", message, _("write the language behind the fence: ```bash"))
        elif info.spelling in _MISSPELT:
            message = _("{name} is not a language; it is read as bash").format(name=info.spelling)
            yield Problem(block.line, "misspelt-language", message, _("write ```bash"))
        elif info.language and info.language not in RUNNABLE and info.spelling not in LANGUAGES:
            near = _meant(info.spelling)
            if near is not None:
                message = _("{name} is not a language; it is read as a note").format(name=info.spelling)
                yield Problem(block.line, "misspelt-language", message, _("write ```{near}").format(near=near))


def _answers_inside(reading: Reading) -> Iterator[Problem]:
    """Lines of output between commands, without prompts to tell them apart."""
    steps = {step.line: step for step in reading.runbook.steps if step.kind is StepKind.COMMAND}
    for block in reading.fences:
        step = steps.get(block.line)
        if step is None or step.language != "bash" or not step.sample_output:
            continue
        first = step.sample_output.split("\n", 1)[0]
        if first.startswith("#"):
            continue  # a symptom shown under its comment
        if first in block.text.split("\n") and session_of(block.text, "console") is None:
            message = _("{line} is not a command").format(line=shortened(first, 80))
            hint = _("move output into a block of its own, or mark commands with $")
            yield Problem(block.line, "output-among-commands", message, hint)


def _meant(spelling: str) -> str | None:
    """The runnable language a word is a slip of: letters swapped, or one wrong."""
    if len(spelling) < 4 or len(spelling) > 20:
        return None
    swapped = [name for name in _STANDARD_SPELLINGS if sorted(name) == sorted(spelling)]
    return next(iter(swapped or get_close_matches(spelling, sorted(_STANDARD_SPELLINGS), 1, 0.8)), None)


def _attributes(reading: Reading) -> Iterator[Problem]:
    for block in reading.fences:
        for key in info_of(block.info).attributes:
            near = get_close_matches(key, _ATTRIBUTES, 1, 0.8) if key not in _ATTRIBUTES else []
            if near:
                message = _("{word} is not an annotation").format(word=key)
                yield Problem(block.line, "near-miss-annotation", message, _("write {near}=").format(near=near[0]))
        if info_of(block.info).attributes.get("background") is True:
            message = _("background=true is not applied: a step runs to its end before the next one of its target")
            hint = _(
                "let the command itself go to the background (systemctl start, docker run -d), or use two terminals"
            )
            yield Problem(block.line, "background-not-applied", message, hint)


def _inputs(reading: Reading) -> Iterator[Problem]:
    steps = {step.id: step for step in reading.runbook.steps}
    for blank in reading.runbook.inputs:
        step = steps.get(blank.steps[0]) if blank.steps else None
        if step is None or step.kind is not StepKind.COMMAND or blank.help or blank.default is not None:
            continue
        if blank.style != "dollar" and not _says_nothing(blank.name):
            continue
        message = _("Nothing says what to put in for {written}").format(written=blank.written)
        hint = _("say in a sentence where its value comes from")
        yield Problem(step.line, "unexplained-input", message, hint)


def _says_nothing(name: str) -> bool:
    """Whether a name leaves open what to put in: <x>, <id>; <service-name> says it all."""
    words = [word for word in _WORD_ENDS.split(name.lower()) if word]
    return all(len(word) < 3 or word in _BLANK_WORDS for word in words)


_DOCUMENT_RULES: tuple[Callable[[Reading], Iterator[Problem]], ...] = (
    _title,
    _anchors,
    _files,
    _languages,
    _answers_inside,
    _attributes,
    _inputs,
)
