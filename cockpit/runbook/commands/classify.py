"""What a block is, from its lines and the words in front of it: commands, sample output, a message, or to be read."""

from __future__ import annotations

import re
from enum import StrEnum

from cockpit.runbook.commands.languages import RUNNABLE, SESSION_SPELLINGS, Info
from cockpit.runbook.commands.printed import file_language, is_answer, is_json, is_promql, is_synopsis, looks_printed
from cockpit.runbook.commands.prompts import Session, session_of
from cockpit.runbook.commands.vocabulary import BARE_COMMANDS, looks_like_powershell, looks_like_sql, looks_typed


class Sort(StrEnum):
    """What a block is for."""

    COMMAND = "command"
    OUTPUT = "output"
    MESSAGE = "message"
    NOTE = "note"


OUTPUT_WORDS = re.compile(
    r"\b(?:outputs?|results?|returns?|responses?|responds?|prints?|displays?|shows?|looks? like|see(?:s|n)?|"
    r"similar to|produces?|yields?|reports?|"
    r"example:?\s*$|sample)\b|출력|결과|응답|표시|예시|나타나|输出|結果|结果|返回|显示|如下|類似|类似|"
    r"出力|表示|応答",
    re.IGNORECASE,
)
_STRONG_OUTPUT = re.compile(
    r"\b(?:(?:example|sample|expected|typical|command)\s+(?:output|result|response)s?|outputs?\s*:|"
    r"output\s+(?:is|looks|should|will|similar)|"
    r"(?:should|will|would)\s+(?:see|look|return|show|be similar|output|display|get))\b|출력\s*예|"
    r"예상\s*(?:출력|결과)|기대\s*(?:출력|결과)|输出(?:示例|如下|结果)|出力例|実行結果",
    re.IGNORECASE,
)
MESSAGE_WORDS = re.compile(
    r"\b(?:tell|inform)\s+(?!you\b|us\b|whether\b)\w+|\blet\s+\w+(?:\s\w+)?\s+know\b|알리|알려|전파|"
    r"공지|알림|통지|통보|안내|보고(?!서\s*작성)|메일|메시지\s*템플릿|템플릿|기록\s*양식|양식|announce\w*|"
    r"notif(?:y|ication)s?|templates?|status\s?page|"
    r"(?<!commit )(?:e-?mail|slack|message|communication|statement)\s*(?:\w+\s+)?(?:template|example|draft|to\s|:)|"
    r"post (?:the following|this|in|to)|send (?:the following|this|a message)|"
    r"公告|通知|通报|模板|邮件|告知|テンプレート|お知らせ|メール|報告",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"예시|모양|e\.g\.|\blooks? like|example|sample|示例|例\s*[:：]?$|サンプル", re.IGNORECASE)
_TEMPLATE_HEAD = re.compile(
    r"^\W{0,6}\[[^\]\n]{1,30}\]\s*\S|^(?:Subject|제목|件名|主题|Title|To)\s*[:：]", re.IGNORECASE
)
# A tag that opens what is said to people, never a log.
_ANNOUNCES = re.compile(
    r"^\W{0,6}\[(?:공지|긴급|안내|점검|장애|해결|복구|P[0-4]|SEV-?\d|incident|urgent|resolved|outage|maintenance|notice|"
    r"announcement|公告|通知|紧急|障害|お知らせ|重要)[^\]\n]{0,20}\]\s*\S|^(?:Subject|제목|件名|主题)\s*[:：]\s*\S",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"(?:[:：]\s*|-\s*)\[[^\]\n]{1,80}\]|<[A-Za-z가-힣][^>\n]{1,60}>|\{\{?[\w ]+\}\}?")
_BLANK_TO_FILL = re.compile(r"[:：@#-]\s*\[[^\]\[{}<>()=\n]{2,80}\]")
_KEYED_LINES = re.compile(r"^[ \t]*\**[^\s:：\n][^:：\n]{0,30}(?::(?:\s|\*)|：)", re.MULTILINE)
_FLAG = re.compile(r"\s--[a-z]")
SYMPTOM_HEADING = re.compile(
    r"\W*(?:\d+[.)]?\s*)?(?:증상|현상|(?:오류|에러)\s?메시지|symptoms?|error messages?|症状|现象|現象)\W*$",
    re.IGNORECASE,
)
_COLUMNS = re.compile(r"^\S+ {3,}\S", re.MULTILINE)
_DOLLAR_PROMPT = re.compile(r"^\s*\$\s", re.MULTILINE)
_PROGRAM = re.compile(
    r"(?:sudo |[A-Za-z_]\w*=\S* )*(?!\d+[/:.-]\d)(?:\.{1,2}/|~/|/)?(?=\d*[a-z])[a-z0-9][\w./+-]*(?:[ \t].*)?$|\s*$|#"
)
_RUN_THIS = re.compile(
    r"\b(?:run|runs|running|execute|executing|type|enter|issue|invoke)\b[^.]{0,100}[:：]\s*$|"
    r"\b(?:following|below|this|these)\s+commands?\b|\bcommands?\b[^.]{0,30}[:：]\s*$|"
    r"(?:다음|아래).{0,20}(?:실행|명령)|명령어?[^.]{0,20}[:：]\s*$|실행[^.]{0,10}[:：]\s*$|"
    r"(?:执行|執行|运行|運行|命令|実行|コマンド)[^。]{0,20}[:：]\s*$",
    re.IGNORECASE,
)
_TELLS_ANSWER = re.compile(
    r"\b(?:returns?|prints?|outputs?|displays?|yields?|responds?|produces?|answers?|results?|like this)\b|"
    r"출력|결과|输出|出力",
    re.IGNORECASE,
)
_PROSE = re.compile(r"[.!?,;:]$| (?:=|:=|=>) |\(\)|\b(?:the|is|are|and|of|to|you|your|will|be|with|or)\b")
_LONGEST_ANNOUNCED = 4_000
_DIAGRAM = re.compile(r"[├└│┌┐─╔═║▼▲◀▶→←↓↑⇒]|-->|<--|──")
_URL_ONLY = re.compile(r"^\s*(?:https?|ftp|s3|wss?)://\S+\s*$")
_YAML_LINE = re.compile(r"^\s*(?:-\s+)?[\w./-]+:(?:\s|$)")
BOX_LINE = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?[□☐⬜][ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
GATE_KEYS = re.compile(
    r"^\s*(?:[\w-]*(?:success|promotion|pass|gate|rollback)[\w-]*(?:criteria|conditions?|thresholds?)[\w-]*|"
    r"(?:gate|criteria))\s*:\s*$",
    re.MULTILINE | re.IGNORECASE,
)


def names_output(heading: str) -> bool:
    """Whether a heading stands over the output of the command above it, and over nothing else."""
    return len(heading) <= 40 and _STRONG_OUTPUT.search(heading.strip() + ":") is not None


def sort_of(
    text: str, info: Info, intro: str, headings: tuple[str, str], follows_command: bool, adjacent: bool
) -> tuple[Sort, str]:
    """What a block is for, and its language (canonical; "" when nothing says).

    Args:
        text: the block.
        info: its info string.
        intro: the paragraph right above it, "" when there is none.
        headings: its section's title, and that of the section around it.
        follows_command: whether the block before it, in the same section, is a command.
        adjacent: whether nothing but `intro` stands in between.
    """
    language = info.language
    if language == "output":
        return (Sort.OUTPUT if follows_command else Sort.NOTE), language
    if language in RUNNABLE:
        return _runnable(text, info, intro, headings[0], follows_command)
    if language in ("", "text", "markdown"):
        return _untyped(text, language, intro, headings, follows_command and adjacent)
    answers = OUTPUT_WORDS if language in ("json", "xml") else _STRONG_OUTPUT
    if follows_command and adjacent and answers.search(intro):
        return Sort.OUTPUT, language
    return Sort.NOTE, language


def _runnable(text: str, info: Info, intro: str, heading: str, follows_command: bool) -> tuple[Sort, str]:
    language = info.language
    if language != "bash":
        return Sort.COMMAND, language
    if SYMPTOM_HEADING.match(heading) and (session := session_of(text, "console")) is not None and session.sample:
        return Sort.NOTE, "text"  # what went wrong, pasted from a terminal: nobody is to run it again
    content = file_language(text)
    if content is not None:
        return Sort.NOTE, content
    if _has_typed(text):
        synopsis = is_synopsis(text) and session_of(text, "console") is None
        return (Sort.NOTE, "text") if synopsis else (Sort.COMMAND, language)
    answers = is_answer(text) or (info.spelling in SESSION_SPELLINGS and looks_printed(text))
    if answers or (follows_command and _STRONG_OUTPUT.search(intro)):
        return (Sort.OUTPUT if follows_command else Sort.NOTE), language
    if is_synopsis(text):
        return Sort.NOTE, "text"
    return Sort.COMMAND, "promql" if is_promql(text) else language


def _has_typed(text: str) -> bool:
    return session_of(text, "console") is not None or any(
        looks_typed(line) for line in text.split("\n") if line.strip() != "}"
    )


def _untyped(text: str, language: str, intro: str, headings: tuple[str, str], after_command: bool) -> tuple[Sort, str]:
    runnable = (commands_in(text) or _announced(text, intro)) if language != "markdown" else None
    if runnable and is_synopsis(text) and session_of(text, "") is None:
        return Sort.NOTE, "text"
    if runnable and not (after_command and _STRONG_OUTPUT.search(intro) and session_of(text, "") is None):
        return Sort.COMMAND, runnable
    if _is_message(text, intro, headings) or (not after_command and _announces(text, intro or headings[0])):
        return Sort.MESSAGE, language or "text"
    if after_command and (not intro or OUTPUT_WORDS.search(intro)) and not _is_drawing(text):
        return Sort.OUTPUT, language or "text"
    return Sort.NOTE, language or "text"


def commands_in(text: str) -> str | None:
    """The language of a block that names none and clearly holds commands; None when that is in doubt."""
    if not text.strip() or len(text) > 200_000:
        return None
    session = session_of(text, "console")
    if session is not None:
        if session.language is None and not any(looks_typed(line) for _index, line in session.typed):
            return "bash" if _is_named_at_prompt(text, session) else None
        return session.language or "bash"
    if looks_like_sql(text):
        return "sql"
    lines = [line for line in text.split("\n") if line.strip()]
    if _URL_ONLY.match(lines[0]) or _DIAGRAM.search(text):
        return None
    heads = [line for line in lines if not line.lstrip().startswith("#")]
    if not heads:
        return None
    if all(
        looks_like_powershell(line) or line.startswith((" ", "\t", "}", "$")) for line in heads
    ) and looks_like_powershell(heads[0]):
        return "powershell"
    return "bash" if _clearly_shell(heads) else None


def _is_named_at_prompt(text: str, session: Session) -> bool:
    """Whether a program of any name stands at each "$ "."""
    commands = [session.typed[start][1] for start in session.starts]
    return _DOLLAR_PROMPT.search(text) is not None and all(_PROGRAM.match(command) for command in commands)


def _announced(text: str, intro: str) -> str | None:
    """The language of a block of unknown commands that the words in front of it say to run."""
    if not _RUN_THIS.search(intro) or _TELLS_ANSWER.search(intro) or len(text) > _LONGEST_ANNOUNCED or _is_data(text):
        return None
    if _DIAGRAM.search(text) or looks_printed(text) or is_synopsis(text):
        return None
    starts = _statement_starts([line for line in text.split("\n") if line.strip() and line.lstrip()[:1] != "#"])
    words = [line.split() for line in starts]
    if not words or (len(words) > 1 and all(len(line) == 1 for line in words)):
        return None
    shaped = all(_PROGRAM.match(line.strip()) and not _PROSE.search(line) for line in starts)
    return "bash" if shaped else None


def _clearly_shell(heads: list[str]) -> bool:
    if _is_data("\n".join(heads)):
        return False
    starts = [line for line in _statement_starts(heads) if line.strip() not in BARE_COMMANDS]
    if not starts or not looks_typed(starts[0]):
        return False
    typed = sum(looks_typed(line) for line in starts)
    return typed == len(starts) or (typed * 10 >= len(starts) * 8 and len(starts) > 4)


def _statement_starts(lines: list[str]) -> list[str]:
    """Lines that begin a command: not the rest of one (backslash, indent, open quote, here-doc)."""
    starts: list[str] = []
    open_text = ""
    closer = ""
    for line in lines:
        if closer:
            closer = "" if line.strip() == closer else closer
            continue
        if open_text:
            open_text = _rest_open(open_text + "\n" + line)
            continue
        if not (line[:1] in (" ", "\t") and starts) and line.strip() not in ("}", ")", "'", '"'):
            starts.append(line)
        heredoc = re.search(r"<<-?\s*[\"']?(\w+)", line)
        closer = heredoc[1] if heredoc else ""
        open_text = "" if closer else _rest_open(line)
    return starts


def _rest_open(text: str) -> str:
    if len(text) > 20_000:
        return ""
    odd = text.count("'") % 2 or text.count('"') % 2
    return text if odd or text.rstrip().endswith(("\\", "|", "&&", "||")) else ""


def _is_data(text: str) -> bool:
    if text.lstrip()[:1] in ("{", "[") and is_json(text):
        return True
    lines = text.split("\n")
    return len(lines) > 1 and sum(bool(_YAML_LINE.match(line)) for line in lines) * 3 >= len(lines) * 2


def _is_drawing(text: str) -> bool:
    return len(_DIAGRAM.findall(text[:5000])) >= 3


def _is_message(text: str, intro: str, headings: tuple[str, str]) -> bool:
    """An announcement to send or a record to fill in, told by the words in front of it and by its shape."""
    stripped = text.strip()
    if _EXAMPLE.search(intro or headings[0]) or BOX_LINE.search(text) or "```" in text or stripped[:1] == "{":
        return False
    first = stripped.split("\n", 1)[0]
    headed = _TEMPLATE_HEAD.match(first) is not None
    placeholders = len(_PLACEHOLDER.findall(text))
    keyed = len(_KEYED_LINES.findall(text))
    if MESSAGE_WORDS.search(intro) or MESSAGE_WORDS.search(headings[0]):
        shaped = headed or placeholders > 0 or keyed >= 2 or _is_prose(text)
        return shaped and (not _DIAGRAM.search(first) or placeholders > 0)
    if MESSAGE_WORDS.search(headings[1]) and keyed >= 2 and not stripped.isascii() and not _is_data(text):
        return True
    return (headed and placeholders > 0) or (keyed >= 3 and len(set(_BLANK_TO_FILL.findall(text))) >= 3)


def _announces(text: str, said: str) -> bool:
    first = text.lstrip().split("\n", 1)[0]
    return _ANNOUNCES.match(first) is not None and _EXAMPLE.search(said) is None and BOX_LINE.search(text) is None


def _is_prose(text: str) -> bool:
    words = text.split()
    if len(words) < 12 or _COLUMNS.search(text) or _FLAG.search(text):
        return False
    return not (looks_printed(text) or is_answer(text) or _is_data(text))
