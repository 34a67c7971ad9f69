"""The pass over a document's blocks that finds its steps."""

from __future__ import annotations

import re

from cockpit.runbook.commands.block import command_draft, duration_s
from cockpit.runbook.commands.classify import BOX_LINE, GATE_KEYS, Sort, names_output, sort_of
from cockpit.runbook.commands.languages import RUNNABLE, TYPED, Info, info_of
from cockpit.runbook.commands.printed import looks_printed
from cockpit.runbook.commands.typed_actions import without_disguise
from cockpit.runbook.document.markdown import Block, Document, ListNode
from cockpit.runbook.document.outline import Outline
from cockpit.runbook.drafts import Draft
from cockpit.runbook.expectations.written import PROSE_LABEL, from_bullet, from_sample, from_words, similarity
from cockpit.runbook.inputs.table import InputTable
from cockpit.runbook.lists import Procedures, box_draft, decision_draft, short
from cockpit.runbook.model import Expectation, ExpectationKind, Problem, Section, StepKind
from cockpit.runbook.ways_back import WaysBack, way_back_in_prose
from cockpit.words import _

# Held against lower-cased text.
_WARNING = re.compile(
    r"주의|경고|위험|조심|⚠|\b(?:warning|caution|danger(?:ous)?|irreversible|cannot be undone|data loss)\b|"
    r"警告|注意|危险|危険|谨慎"
)
_SIMILARITY = re.compile(r"<!--\s*expected_similarity\s*=\s*(?:\"([^\"]*)\"|([\d.]+))\s*-->")
_NEAR_SIMILARITY = re.compile(r"<!--\s*(expected[_-]?\w*|similarity\w*)\s*=", re.IGNORECASE)
_CHECK_MARK = re.compile(r"^\s*[✅✓☑]")
_SAW = re.compile(r"확인|메시지|표시|출력|see|message|shown|appears?|output|log|returns?", re.IGNORECASE)
_CRITERION = re.compile(r"^\s*([A-Za-z_]\w*?)_(max|min)(?:_(ms|s|percent|pct))?\s*:\s*([\d.]+)", re.MULTILINE)
_GATE_TIME = re.compile(r"^\s*duration_(minutes|seconds|hours)\s*:\s*(\d+)", re.MULTILINE)
_GATE_UNIT_S = {"seconds": 1, "minutes": 60, "hours": 3600}


class StepPass:
    """Reads blocks in order; what it found is in `drafts`, `outputs` (blocks of sample output) and `problems`."""

    def __init__(self, document: Document, outline: Outline, inputs: InputTable) -> None:
        self.drafts: list[Draft] = []
        self.outputs: set[int] = set()
        self.problems: list[Problem] = []
        self._blocks = document.blocks
        self._outline = outline
        self._inputs = inputs
        self._procedures = Procedures(document.blocks, outline)
        self._decided: dict[int, bool] = {}
        self._command: Draft | None = None
        self._since = 0
        self._section: Section | None = None
        self._inside: str | None = None
        self._inside_level = 0
        self._similarity: Expectation | None = None
        self._ways_back = WaysBack()

    def run(self) -> None:
        """Read the whole document."""
        for block in self._blocks:
            kind = block.kind
            if kind == "code":
                self._code(block)
            elif kind == "paragraph":
                self._paragraph(block)
            elif kind == "heading":
                self._heading(block)
            elif kind == "html":
                self._html(block)
            self._since += 1
        self._inputs.settle(self.drafts)
        self._ways_back.named(self.drafts)

    def _add(self, draft: Draft) -> None:
        self._inputs.take(draft)
        self.drafts.append(draft)

    def _heading(self, block: Block) -> None:
        self._section = self._outline.of_block[block.index]
        self._ways_back.heading(block)
        if self._command is not None and not (self._since <= 1 and names_output(block.text)):
            self._command = None
        if self._inside is not None and block.level <= self._inside_level:
            self._inside = None

    def _html(self, block: Block) -> None:
        if "variables" in block.text:
            self._inputs.variables(block.text)
        found = _SIMILARITY.search(block.text)
        if found is not None:
            self._similarity = similarity(found[1] or found[2], block.line)
        elif (near := _NEAR_SIMILARITY.search(block.text)) is not None:
            message = _("{word} is not an annotation").format(word=near[1])
            self.problems.append(Problem(block.line, "near-miss-annotation", message, _("write expected_similarity=")))

    # --- code

    def _code(self, block: Block) -> None:
        info = without_disguise(info_of(block.info), block.text)
        if not block.closed:
            message = _("This code block is never closed; it runs to the end of what holds it")
            self.problems.append(Problem(block.line, "unclosed-fence", message, _("close it with the same fence")))
        if self._similarity is not None and self._command is not None and info.language not in RUNNABLE:
            self._command.expectations.append(self._similarity)
            self._similarity = None
            self._answer(block)
            return
        if info.language in TYPED:
            self._typed(block, info)
            return
        intro = self._intro(block)
        heading = self._section.title if self._section else ""
        follows, adjacent = self._command is not None, self._since <= 1 + bool(intro)
        if not (block.fenced or intro or looks_printed(block.text)):
            adjacent = False  # an indented block is output only where something says so
        around = self._outline.get(self._section.parent) if self._section and self._section.parent else None
        headings = (heading, around.title if around is not None else "")
        sort, language = sort_of(block.text, info, intro, headings, follows, adjacent)
        if sort is Sort.COMMAND:
            self._run(block, info, language, intro)
        elif sort is Sort.OUTPUT and self._command is not None:
            self._answer(block)
        elif sort is Sort.MESSAGE:
            self._message(block, info, intro or heading)
        else:
            self._note(block, info, language, intro or heading)

    def _intro(self, block: Block) -> str:
        if not block.index:
            return ""
        before = self._blocks[block.index - 1]
        told = before.kind == "paragraph" or (
            before.kind == "heading" and self._command is not None and names_output(before.text)
        )
        return before.text[:1000] if told else ""

    def _answer(self, block: Block) -> None:
        if self._command is not None:
            self._command.answer(block.text)
            self._command.expectations += from_sample(self._intro(block), block.text, block.first_line)
        self.outputs.add(block.index)
        self._since = 0

    def _run(self, block: Block, info: Info, language: str, intro: str) -> None:
        draft, inside = command_draft(block, self._section, info, language, self._inside)
        if inside is not None and inside is not self._inside:
            self._inside_level = self._section.level if self._section else 0
        self._inside = inside
        if not draft.parts:
            # Comments and no command: there is nothing to run.
            self._note(block, info, language, intro)
            return
        if block.item is not None and block.item.blocks[0].kind == "paragraph":
            draft.label = short(block.item.blocks[0].text) or draft.label
        elif intro.rstrip().endswith((":", "：")) and len(intro) <= 100 and len(draft.parts) > 1:
            draft.label = short(intro)
        draft.warning = self._warning(block, draft)
        self._add(draft)
        self._ways_back.command(draft, intro, self._command if self._since <= 2 else None)
        self._command, self._since = draft, -1

    def _warning(self, block: Block, draft: Draft) -> str | None:
        for before in self._blocks[max(0, block.index - 2) : block.index][::-1]:
            if before.kind == "paragraph" and _WARNING.search(before.text.lower()):
                return before.text.strip()[:300]
        comments = [line for line in (draft.code or "").split("\n") if line.lstrip()[:1] in ("#", "-")]
        found = _WARNING.search("\n".join(comments).lower()) if comments else None
        if found is None:
            return None
        return next(line.strip("#- \t") for line in comments if found[0] in line.lower())

    def _message(self, block: Block, info: Info, said: str) -> None:
        label = short(said)
        draft = Draft(StepKind.MESSAGE, self._section, block.line, block.end_line, label, block.index, hint=label)
        draft.text, draft.attributes = block.text, dict(info.attributes)
        self._add(draft)

    def _note(self, block: Block, info: Info, language: str, said: str) -> None:
        if language == "yaml" and GATE_KEYS.search(block.text):
            self._gate(block, said)
            return
        draft = Draft(StepKind.NOTE, self._section, block.line, block.end_line, short(said), block.index)
        draft.language, draft.text, draft.attributes = language or None, block.text, dict(info.attributes)
        self._add(draft)
        if language in ("", "text") and info.language not in RUNNABLE:
            for match in BOX_LINE.finditer(block.text):
                line = block.first_line + block.text.count("\n", 0, match.start(1))
                label = short(match[1])
                self._add(
                    Draft(StepKind.CHECK, self._section, line, line, label, block.index, hint=label, text=match[1])
                )

    def _gate(self, block: Block, said: str) -> None:
        draft = Draft(StepKind.GATE, self._section, block.line, block.end_line, short(said), block.index, hint=said)
        draft.language, draft.code = "yaml", block.text
        for match in _CRITERION.finditer(block.text):
            line = block.first_line + block.text.count("\n", 0, match.start())
            bound = {
                "operator": "<=" if match[2] == "max" else ">=",
                "bound": float(match[4]),
                "unit": match[3] or "",
                "label": match[1],
            }
            draft.expectations.append(Expectation(ExpectationKind.NUMBER, bound, text=match[0].strip(), line=line))
        lasts = _GATE_TIME.search(block.text)
        if lasts is not None:
            draft.timeout_s = float(lasts[2]) * _GATE_UNIT_S[lasts[1]]
        self._add(draft)

    def _typed(self, block: Block, info: Info) -> None:
        if info.language == "wait":
            lasts = duration_s(info.attributes.get("duration"))
            text = block.text.strip() or _("Wait {seconds} s").format(seconds=f"{lasts or 0:g}")
            draft = Draft(
                StepKind.CHECK, self._section, block.line, block.end_line, short(text), block.index, hint="wait"
            )
            draft.text, draft.timeout_s, draft.attributes = text, lasts, dict(info.attributes)
            self._add(draft)
            return
        self._run(block, info, "bash", "")
        if self.drafts and self.drafts[-1].block == block.index:
            self.drafts[-1].attributes["fence"] = info.language

    # --- lists and prose

    def _paragraph(self, block: Block) -> None:
        item = block.item
        if self._command is not None and self._since <= 2:
            self._command.undo = self._command.undo or way_back_in_prose(block)
        if item is not None and item.blocks[0] is block:
            if item.checked is not None:
                self._task(block, item.node)
            elif self._expected_bullet(block) or self._inline(block):
                return
            elif self._procedures.is_step(block):
                self._add(box_draft(block, self._section, self._outline))
        elif item is None and self._inline(block):
            return
        elif self._command is not None and self._since <= 2:
            label = PROSE_LABEL.match(block.text)
            if label is not None:
                self._command.expectations += from_words(label["what"].strip("`* "), block.line)

    def _task(self, block: Block, node: ListNode) -> None:
        decided = self._decided.get(id(node))
        if decided is None:
            draft = decision_draft(node, self._blocks, self._outline)
            self._decided[id(node)] = decided = draft is not None
            if draft is not None:
                self._add(draft)
        if not decided:
            self._add(box_draft(block, self._section, self._outline))
        self._inline(block)

    def _expected_bullet(self, block: Block) -> bool:
        """A bullet below a command that says what to see there."""
        command = self._command
        if command is None or block.item is None or block.item.node.ordered:
            return False
        near = block.item.node.start - command.block <= 2 + bool(self.outputs)
        if not near or not (_CHECK_MARK.match(block.text) and _SAW.search(block.text)):
            return False
        command.expectations += from_bullet(block.text, block.line)
        return True

    def _inline(self, block: Block) -> bool:
        code = self._procedures.inline_command(block)
        if code is None:
            return False
        stand_in = Block(
            "code", block.line, block.end_line, text=code, first_line=block.line, index=block.index, item=block.item
        )
        draft, self._inside = command_draft(stand_in, self._section, Info("bash", "bash"), "bash", self._inside)
        if not draft.parts:
            return False
        draft.label = short(block.text)
        draft.links = self._outline.links(block.links)
        draft.attributes["inline"] = True
        self._add(draft)
        self._command, self._since = draft, -1
        return True
