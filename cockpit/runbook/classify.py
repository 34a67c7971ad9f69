"""What a block is, from its lines and the words in front of it: commands, sample output, a message, or to be read."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from cockpit.runbook.languages import RUNNABLE, SESSION_SPELLINGS, Info
from cockpit.runbook.prompts import session_of
from cockpit.runbook.vocabulary import looks_like_powershell, looks_like_sql, looks_typed


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
_KEYED_LINES = re.compile(r"^[ \t]*\**[^\s:：\n][^:：\n]{0,30}[:：](?:\s|\*)", re.MULTILINE)
_TABLE_OR_LOG = re.compile(
    r"^\s*[|+][-=+| ]{3}|^\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^\s*\[\d{4}-|^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|"
    r"^(?:[A-Z][A-Z0-9_()%-]+\s{2,}){2,}|"
    r"^\s*(?:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|TRACE)\b|^\s*[├└│┌┐]|^\s*[{}\[\]]\s*,?$|"
    r"^\s*\"[^\"]+\"\s*:|^---\s*$|^\s*(?:apiVersion|kind|metadata|spec):|^HTTP/\d|^< |^> ",
    re.MULTILINE,
)
# What only a machine writes: leak reports, stack traces, questions at a prompt.
_MACHINE_LINE = re.compile(
    r"\s*[┌├│└┬╔║╚●✔✖]|\s*==\d+==|gpg: |\s+at \S.*[(:]|Traceback \(most|\s+File \"|goroutine \d+|panic:|"
    r"(?:\w+\.)*\w+(?:Error|Exception)\b:?|Enter pass|Password:|Last login:|\[?\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|\])"
)
_COLUMNS = re.compile(r"^\S+ {3,}\S", re.MULTILINE)
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


def looks_printed(text: str) -> bool:
    """Whether a text has the shape of a table, a log, JSON or a response."""
    return _TABLE_OR_LOG.search(text) is not None


def sort_of(text: str, info: Info, intro: str, heading: str, follows_command: bool, adjacent: bool) -> tuple[Sort, str]:
    """What a block is for, and its language (canonical; "" when nothing says).

    Args:
        text: the block.
        info: its info string.
        intro: the paragraph right above it, "" when there is none.
        heading: its section's title.
        follows_command: whether the block before it, in the same section, is a command.
        adjacent: whether nothing but `intro` stands in between.
    """
    language = info.language
    if language == "output":
        return (Sort.OUTPUT if follows_command else Sort.NOTE), language
    if language in RUNNABLE:
        return _runnable(text, info, intro, follows_command)
    if language in ("", "text", "markdown"):
        return _untyped(text, language, intro, heading, follows_command and adjacent)
    if (
        follows_command
        and adjacent
        and (_STRONG_OUTPUT.search(intro) or (language in ("json", "yaml", "xml") and OUTPUT_WORDS.search(intro)))
    ):
        return Sort.OUTPUT, language
    return Sort.NOTE, language


def _runnable(text: str, info: Info, intro: str, follows_command: bool) -> tuple[Sort, str]:
    language = info.language
    if language != "bash":
        return Sort.COMMAND, language
    if follows_command and _STRONG_OUTPUT.search(intro) and not _has_typed(text):
        return Sort.OUTPUT, language
    if _is_machines(text) and not _has_typed(text):
        return (Sort.OUTPUT if follows_command else Sort.NOTE), language
    if info.spelling in SESSION_SPELLINGS and _TABLE_OR_LOG.search(text) and not _has_typed(text):
        return (Sort.OUTPUT if follows_command else Sort.NOTE), language
    return Sort.COMMAND, language


def _is_machines(text: str) -> bool:
    """Whether half of the lines, comments aside, and the first of them are ones that only a machine writes."""
    lines = [line for line in text.split("\n", 50)[:50] if line.strip() and not line.lstrip().startswith("#")]
    if not lines or _MACHINE_LINE.match(lines[0]) is None:
        return False
    return sum(_MACHINE_LINE.match(line) is not None for line in lines) * 2 >= len(lines)


def _has_typed(text: str) -> bool:
    return session_of(text, "console") is not None or any(map(looks_typed, text.split("\n")))


def _untyped(text: str, language: str, intro: str, heading: str, after_command: bool) -> tuple[Sort, str]:
    runnable = commands_in(text) if language != "markdown" else None
    if runnable and not (after_command and _STRONG_OUTPUT.search(intro) and session_of(text, "") is None):
        return Sort.COMMAND, runnable
    if _is_message(text, intro, heading) or (not after_command and _announces(text, intro or heading)):
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
        return session.language or ("bash" if any(looks_typed(line) for _index, line in session.typed) else None)
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


def _clearly_shell(heads: list[str]) -> bool:
    if not looks_typed(heads[0]) or _is_data("\n".join(heads)):
        return False
    starts = _statement_starts(heads)
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
    stripped = text.lstrip()
    if stripped[:1] in "{[" and len(text) < 100_000:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True
    lines = text.split("\n")
    return len(lines) > 1 and sum(bool(_YAML_LINE.match(line)) for line in lines) * 3 >= len(lines) * 2


def _is_drawing(text: str) -> bool:
    return len(_DIAGRAM.findall(text[:5000])) >= 3


def _is_message(text: str, intro: str, heading: str) -> bool:
    """An announcement to send or a record to fill in, told by the words in front of it and by its shape."""
    first = text.lstrip().split("\n", 1)[0]
    said = intro or heading
    if _EXAMPLE.search(said) or BOX_LINE.search(text):
        return False
    headed = _TEMPLATE_HEAD.match(first) is not None
    placeholders = len(_PLACEHOLDER.findall(text))
    named = MESSAGE_WORDS.search(intro) is not None or MESSAGE_WORDS.search(heading) is not None
    if named and (headed or placeholders or len(_KEYED_LINES.findall(text)) >= 2 or _is_prose(text)):
        return not _DIAGRAM.search(first) or placeholders > 0
    return headed and placeholders > 0


def _announces(text: str, said: str) -> bool:
    first = text.lstrip().split("\n", 1)[0]
    return _ANNOUNCES.match(first) is not None and _EXAMPLE.search(said) is None and BOX_LINE.search(text) is None


def _is_prose(text: str) -> bool:
    words = text.split()
    return len(words) >= 12 and not _COLUMNS.search(text) and not _TABLE_OR_LOG.search(text) and _is_data(text) is False
