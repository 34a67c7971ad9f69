"""Google's command lines: gcloud by the verb behind its groups, gsutil and bq."""

from __future__ import annotations

import re

from cockpit.safety.shell.families.gcloud_groups import FIRST_ONLY, GROUPS
from cockpit.safety.shell.options import read_options
from cockpit.safety.shell.tool import Call, Tool, tree
from cockpit.safety.shell.words import Kind, Word
from cockpit.safety.tables import names
from cockpit.safety.verdict import DESTRUCTIVE, MUTATING, UNKNOWN, Judgement, Verdict, of_verdict, reading, unknown
from cockpit.words import _

_READS = re.compile(
    r"list(?:-.+)?|describe(?:-.+)?|read|lookup|tail(?:-serial-port-output)?|wait|get|show|search(?:-.+)?|query-.+|analyze-iam-policy|get-value"
    r"|get-(?:.*iam-policy|health|serial-port-output|status|ancestors|named-ports|server-config|effective-.+|locations"
    r"|nat-.+-info|guest-attributes|shielded-identity|upgrade-info|operation|history|config|parent|project|yaml"
    r"|latest-recovery-time|operational-status|public-cert|public-key|ca-certs|csr|mount-command|supported-languages)"
)
_SECRETS = re.compile(r"print-(?:access|identity)-token|get-(?:auth|key)-string")
_LOSSES = re.compile(
    r"(?:delete|rm|destroy|purge|abandon|recreate|restore|rollback)(?:-.+)?|clear-.+|failover|switchover|reset|drain"
)
_CHANGES = re.compile(
    r"(?:create|update|deploy|start|stop|resize|patch|set|add|remove|enable|disable|promote|execute|submit|publish|copy|cp|mv"
    r"|rsync|attach|detach|suspend|resume|restart|migrate|get-credentials|activate|login|revoke|init|import|export|replace"
    r"|call|run|run-job|unset|upgrade|cancel|apply|move|rename|upload|download|undelete|register|approve|deny|configure|ack"
    r"|pull|seek|write|install|diagnose|pause|rolling-action|test-iam-permissions|invalidate|simulate)(?:-.+)?"
)
_VALUES = names("--project --account --configuration --format --verbosity --region --zone --billing-project --location")
_FLAGS = names("--quiet -q --no-user-output-enabled")


def _gcloud(call: Call, tool: Tool) -> Judgement:
    for word in call.args:
        if len(word.text) > 3 and "--flags-file".startswith(word.text.partition("=")[0]):
            return unknown(_("gcloud --flags-file takes options from a file"))
    texts = iter(_plain(word) for word in call.args)
    path: list[str] = []
    for text in texts:
        if text in _VALUES:
            next(texts, None)
        elif text in _FLAGS or text.partition("=")[0] in _VALUES:
            continue
        elif text in GROUPS or (text in FIRST_ONLY and set(path) <= {"alpha", "beta"}):
            path.append(text)
        else:
            return _verb(text, path)
    if path == ["info"]:
        return reading()
    return unknown(_("gcloud: which operation runs is not certain"))


def _plain(word: Word) -> str:
    """What is known of a word: nothing of one that is built when it runs, unless it is the value of an option."""
    return word.text if word.constant or (word.kind is Kind.DATA and word.text.startswith("--")) else ""


def _verb(verb: str, path: list[str]) -> Judgement:
    label = " ".join(["gcloud", *path, verb])
    if not path:
        top = verb in ("version", "--version", "--help", "help", "cheat-sheet")
        return of_verdict(Verdict.READ_ONLY if top else UNKNOWN, label)
    if verb in ("ssh", "scp", "start-iap-tunnel", "connect", "proxy", "interactive", "connect-to-serial-port"):
        return of_verdict(UNKNOWN, label, "exec-remote")
    if _READS.fullmatch(verb):
        secret = "secrets" in path and verb not in ("list", "describe")
        return of_verdict(
            Verdict.READ_ONLY,
            label,
            *(("unbounded",) if verb.startswith("tail") else ()),
            *(("sensitive-read",) if secret else ()),
        )
    if _SECRETS.fullmatch(verb):
        return of_verdict(Verdict.READ_ONLY, label, "sensitive-read")
    if path == ["storage"] and verb in ("ls", "cat", "du", "hash"):
        return of_verdict(Verdict.READ_ONLY, label)
    if verb == "access" and path[-1] == "versions":
        return of_verdict(Verdict.READ_ONLY, label, "sensitive-read")
    if _LOSSES.fullmatch(verb):
        return of_verdict(DESTRUCTIVE, label)
    return of_verdict(MUTATING if _CHANGES.fullmatch(verb) else UNKNOWN, label)


def _gsutil(call: Call, tool: Tool) -> Judgement:
    found = read_options(call.args, names("-o -h -u"))
    verb = found.operands[0].text if found.operands and found.operands[0].constant else ""
    if found.unclear is not None or found.has("-o"):
        return unknown(_("gsutil: an option is not known to be harmless"))
    if verb in ("ls", "du", "stat", "cat", "hash", "version", "help"):
        return reading()
    return of_verdict(
        {"rm": DESTRUCTIVE, "rb": DESTRUCTIVE}.get(verb, MUTATING if verb else UNKNOWN), f"gsutil {verb}".strip()
    )


TOOLS: dict[str, Tool] = {
    "gcloud": Tool(special=_gcloud),
    "gsutil": Tool(special=_gsutil),
    "bq": tree(
        flags="--headless --quiet",
        values="--project_id --format --location --api",
        read="ls show head version",
        mutating="mk update load cp insert",
        destructive="rm truncate",
    ),
}
