"""What a secret looks like when nobody told us its value. Stdlib only; bytes in, bytes out.

Each pattern begins with the letters of its keyword: that is what makes looking for all of them in every line cheap. It
captures the secret as its one named group, so that what surrounds it stays readable. No pattern crosses a line, and
each looks only a bounded way ahead: the time is linear in the text.
"""

from __future__ import annotations

import re

from cockpit.safety.redaction.late_pattern import LatePattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


_LETTERS = re.compile(r"([\w :/=-]*).*", re.DOTALL)
_SIGN = "(?:=>|:=|[:=])"
_WORDS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 "


class SecretRule:
    """One way a secret is written.

    `name` stands in the mask. `before`, where given, must match what ends where the pattern begins, and looks back
    `behind_bytes` at most. `signed`: its value stands behind a colon or an equals sign. `worded`: after its keyword an
    ordinary sentence may go on ("key: ignore what comes").
    """

    __slots__ = ("before", "behind_bytes", "keyword", "name", "pattern", "rare", "signed", "worded")

    def __init__(
        self, name: str, pattern: str, *, before: str = "", behind_bytes: int = 64, worded: bool = False
    ) -> None:
        self.name = name
        letters = _LETTERS.sub(r"\1", pattern)
        self.keyword = (letters[:-1] if pattern[len(letters) :][:1] in "?*{" else letters).encode()
        # One byte is looked for many times quicker than a word: most lines have no "=" and no "/" at all.
        self.rare = self.keyword.strip(_WORDS)[-1:]
        self.pattern = LatePattern(pattern.encode())
        self.before = LatePattern(before.encode() + rb"\Z") if before else None
        self.behind_bytes = behind_bytes
        self.worded = worded
        self.signed = _SIGN in pattern

    def matches(self, text: bytes) -> Iterable[re.Match[bytes]]:
        """Where the text has the pattern."""
        if self.rare not in text:
            return ()
        # Compiling all of them takes longer than most steps; once compiled, they are the quicker way to look.
        return self.pattern.now.finditer(text) if self.pattern.compiled or self.keyword in text else ()

    def value(self, found: re.Match[bytes], block: bytes) -> tuple[int, int] | None:
        """Where in the block the secret of a match stands; None where it is none after all."""
        if found.lastgroup is None:
            return None
        start, end = found.span(found.lastgroup)
        if is_placeholder(block[start:end]) or _is_code(block, start, end):
            return None
        if self.worded and _PROSE.now.match(block, start) and not _SCHEME_BEFORE.now.search(block, start - 12, start):
            return None
        behind = max(0, found.start() - self.behind_bytes)
        if self.before and not self.before.now.search(block, behind, found.start()):
            return None
        return start, end


_QUOTE = r"""(?:\\{0,3}["'])?"""
_IS = rf"{_QUOTE}[ \t]{{0,8}}{_SIGN}[ \t]{{0,8}}"
# A value: quoted up to its quote, or bare up to what ends a word in prose, JSON, YAML, a URL or a shell.
_VALUE = (
    r"""(?:\\+"(?P<escaped>[^"\\\r\n]{6,4096})|"(?P<double>(?:[^"\\\r\n]|\\[^\r\n]){6,4096})"""
    r"""|'(?P<single>(?:[^'\\\r\n]|\\[^\r\n]){6,4096})|(?P<bare>[^\s"'\\,;&|<>(){}\[\]]{6,}))"""
)
_SUFFIX = r"(?:[_-]?(?:value|data|base64|base|b64|string|hash))?"
_IS_VALUE = rf"{_SUFFIX}{_IS}{_VALUE}"
# PWD alone, with a path, is the shell's own variable and no password.
_PWD = rf"pwd(?:(?<=[a-z0-9][_-]pwd)|(?<![a-z]pwd)(?!{_IS}{_QUOTE}[/~]))"
_KINDS_OF_KEY = "access account api auth client encryption license master private shared signing storage subscription"
_KEYS_TO_DATA = (
    "cache dedup foreign group hash i18n idempotency index lock message object partition primary public range redis "
    "routing row sort translation unique"
)
_KEY = (
    f"key(?:{'|'.join(f'(?<={kind}key)' for kind in _KINDS_OF_KEY.split())}|(?<=[_-]key)|(?=-data))"
    f"{''.join(f'(?<!{kind}.key)' for kind in _KEYS_TO_DATA.split())}"
)
_WHOSE = "admin auth basic db ftp ldap mail mysql pg proxy redis root smtp user"
_SCHEME = r"(?:(?:bearer|basic|token|digest|apikey|negotiate)[ \t]{1,8})?"
_OPTION = "token|secret|credentials?|(?:api|access|private|secret|auth|[_-])[_-]?key"
_GIVEN = r"(?:=|[ \t]{1,8}|[\"'],[ \t]?(?=[\"']))(?![-/~.@])"
_LITERAL = (
    r"[ \t]{1,8}(?:(?:e|u&)?'(?P<literal>(?:[^'\\\r\n]|''|\\[^\r\n]){4,4096})|\$\w{0,32}\$(?P<dollar>[^$\r\n]{4,4096}))"
)
_WORD = r"""[ \t]{1,8}(?:"(?P<double>[^"\r\n]{4,4096})|'(?P<single>[^'\r\n]{4,4096})|(?P<bare>[^\s"']{4,}))"""
_LINE_HAS = r"(?:^|[\s\"'/;|(])(?:{})\b[^\r\n]*"
_LINE_BYTES = 1024

LOWERED: tuple[SecretRule, ...] = (
    SecretRule("secret", rf"token{_IS_VALUE}", worded=True),
    SecretRule("secret", rf"secret(?:[_-]?(?:access[_-]?)?key)?{_IS_VALUE}", worded=True),
    SecretRule("secret", rf"pass(?:w(?:or)?d|phrase|code){_IS_VALUE}"),
    SecretRule("secret", rf"pass(?:{'|'.join(f'(?<={whose}.pass)' for whose in _WHOSE.split())}){_IS_VALUE}"),
    SecretRule("secret", rf"credentials?{_IS_VALUE}", worded=True),
    SecretRule("secret", rf"{_PWD}{_IS_VALUE}"),
    SecretRule("secret", rf"{_KEY}{_IS_VALUE}", worded=True),
    SecretRule("authorization", rf"authorization{_IS}\[?{_QUOTE}{_SCHEME}{_VALUE}", worded=True),
    SecretRule(
        "bearer",
        r"bearer(?<![\w-]bearer)[ \t]{1,8}(?P<v>(?=[\w.~+/-]{0,200}\d|[\w.~+/-]{20})[\w.~+/-]{8,}=*)",
    ),
    SecretRule(
        "cookie", rf"cookie2?{_QUOTE}[ \t]{{0,4}}:[ \t]{{0,8}}{_QUOTE}(?P<v>[^\s=:;\"']{{1,128}}=[^\r\n\"']{{4,}})"
    ),
    SecretRule(
        "header",
        r"x-(?<![\w-]x-)(?:api-?key|(?:auth|access|amz-security|vault|csrf|xsrf|gitlab|github|goog-iam)?-?token|secret)"
        rf"{_IS}{_VALUE}",
    ),
    SecretRule(
        "url-userinfo",
        r"""://(?:[^\s/:@"'<>\\]{0,256}:(?P<password>[^\s/"'<>\\]{1,1024})|(?P<token>[\w-]{20,256}))@""",
    ),
    # SQL gives a password in a literal, and Redis as a word.
    SecretRule("secret", rf"password{_LITERAL}"),
    SecretRule("secret", rf"identified by{_LITERAL}"),
    *(SecretRule("secret", rf"{name}{_WORD}") for name in ("requirepass", "masterauth")),
    SecretRule("secret", r"setuser[ \t][^\r\n>]{0,256}>(?P<v>[^\s\"']{4,})"),
    *(
        SecretRule("query", rf"""{name}=(?<=[?&;]{name}=)(?P<v>[^\s&"'#<>\\]{{6,}})""")
        for name in ("sig", "key", "code")
    ),
    SecretRule("webhook", r"/bot(?<=api\.telegram\.org/bot)(?P<v>[^\s\"'<>?\\/]{6,})"),
    SecretRule("query", r"""signature=(?P<v>[^\s&"'#<>\\,]{16,})"""),
    SecretRule("option", rf"--(?<![\w-]--)[\w-]{{0,32}}?(?:{_OPTION}){_GIVEN}{_VALUE}", worded=True),
    SecretRule("option", rf"--(?<![\w-]--)[\w-]{{0,32}}?pass(?:w(?:or)?d|phrase|code){_GIVEN}{_VALUE}"),
    SecretRule("option", r"--from-literal[= \t]{1,8}[\"']?[\w.-]{1,128}=(?P<v>[^\s\"']{6,})"),
    SecretRule(
        "option",
        r""" -(?:store|key)?pass(?:word|in|out)?[ =](?:pass:)?["']?(?P<v>(?!file:|env:|stdin)[^\s"'/-][^\s"']{3,})""",
    ),
    SecretRule(
        "option",
        r""" -(?:[a-z]{0,6}u|-user|-proxy-user)(?:=|[ \t]{0,8})["']?[^\s:"']{1,128}:(?P<v>[^\s"']{4,})""",
        before=_LINE_HAS.format("curl|wget"),
        behind_bytes=_LINE_BYTES,
    ),
)
"""Looked for in the text in small letters."""

_TAIL = (
    r"[A-Z0-9]{0,20}(?:_[A-Z0-9]{1,20}){0,4}"
    r"(?<!_FILE)(?<!_PATH)(?<!_NAME)(?<!_ARN)(?<!_TYPE)(?<!_TTL)(?<!_URL)(?<!_HOST)(?<!TOKENS)"
)
_VARIABLES = (
    *(f"{kind}{_TAIL}" for kind in ("TOKEN", "SECRET", "PASSW", "CREDENTIAL")),
    *(f"{kind}(?<=_{kind})" for kind in ("KEY", "AUTH", "PASS")),
)
_ALONE = r"(?:^|[\r\n]|\b(?:export|declare -x|env|-e)[ \t]|Environment=\"?)[A-Z0-9_]{0,48}"

CASED: tuple[SecretRule, ...] = (
    *(SecretRule("secret", rf"{name}{_IS}{_VALUE}") for name in _VARIABLES),
    # Where a shell assigns a variable its value ends at a blank, whatever stands in it.
    *(SecretRule("secret", rf"{name}=(?P<v>[^\s\"']\S{{5,}})", before=_ALONE) for name in _VARIABLES),
    SecretRule(
        "option",
        r""" -p["']?(?P<v>[^\s"']{4,})""",
        before=_LINE_HAS.format("(?:mysql|mariadb)[a-z]{0,8}"),
        behind_bytes=_LINE_BYTES,
    ),
    SecretRule(
        "option",
        r""" -a[ \t]{1,8}["']?(?P<v>[^\s"'-][^\s"']{3,})""",
        before=_LINE_HAS.format("redis-cli"),
        behind_bytes=_LINE_BYTES,
    ),
    SecretRule(
        "option",
        r""" -p[ \t]{0,8}["']?(?P<v>[^\s"'-][^\s"']{3,})""",
        before=_LINE_HAS.format("sshpass|mongo(?:sh|dump|restore|export)?|login"),
        behind_bytes=_LINE_BYTES,
    ),
    SecretRule(
        "pem",
        r"-----BEGIN (?P<v>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^\r\n]{0,65536}?-----END [A-Z0-9 ]{0,40}-----)",
    ),
)
"""Looked for in the text as it is."""

_REST_OF_ADDRESS = r"(?P<v>[^\s\"'<>?\\]{6,})"
LONG: tuple[tuple[tuple[bytes, ...], SecretRule], ...] = (
    ((b"AKIA", b"ASIA"), SecretRule("aws-key", r"(?<![0-9A-Za-z])(?P<v>A[KS]IA[0-9A-Z]{16})(?![0-9A-Za-z])")),
    ((b"gh",), SecretRule("github-token", r"(?P<v>gh[pousr]_[A-Za-z0-9]{16,})")),
    ((b"github_pat_",), SecretRule("github-token", r"(?P<v>github_pat_\w{16,})")),
    ((b"xox", b"xapp-"), SecretRule("slack-token", r"(?P<v>x(?:ox[a-z]|app)-[A-Za-z0-9-]{12,})")),
    ((b"glpat-", b"gldt-", b"glrt-", b"glsa_"), SecretRule("gitlab-token", r"(?P<v>gl\w{2,3}[-_][\w-]{12,})")),
    (
        (b"sk-", b"sk_", b"rk_"),
        SecretRule("api-key", r"(?<![0-9A-Za-z_-])(?P<v>(?:sk-|[sr]k_(?:live|test)_)(?=[\w-]{0,200}\d)[\w-]{16,})"),
    ),
    ((b"AIza",), SecretRule("api-key", r"(?P<v>AIza[\w-]{30,})")),
    (
        (b"npm_", b"hf_", b"dckr_pat_", b"shpat_", b"whsec_", b"dop_v1_", b"GOCSPX-", b"pypi-AgE"),
        SecretRule(
            "api-key",
            r"(?<!\w)(?P<v>(?:npm_|hf_|dckr_pat_|shpat_|whsec_|dop_v1_|GOCSPX-|pypi-AgE)[\w-]{24,})",
        ),
    ),
    ((b"SG.", b"hvs.", b"hvb.", b"ya29."), SecretRule("api-key", r"(?<!\w)(?P<v>(?:SG|hv[sb]|ya29)\.[\w.-]{16,})")),
    ((b"eyJ",), SecretRule("jwt", r"(?<![\w-])(?P<v>eyJ[\w-]{8,}\.[\w-]{6,}(?:\.[\w-]*){0,3})")),
    # A private key in base64 of its PEM form, as a Kubernetes secret or a kubeconfig shows it.
    ((b"LS0tLS1CRUdJTi",), SecretRule("pem", r"(?P<v>LS0tLS1CRUdJTi[A-Za-z0-9+/]{10,}={0,2})")),
    (
        (b"com/services/", b"com/workflows/", b"com/triggers/"),
        SecretRule("webhook", rf"com/\w{{8,9}}/{_REST_OF_ADDRESS}", before=r"hooks\.slack\."),
    ),
    ((b"/api/webhooks/",), SecretRule("webhook", f"/api/webhooks/{_REST_OF_ADDRESS}")),
    ((b"com/webhook",), SecretRule("webhook", rf"com/webhook\w{{0,8}}/{_REST_OF_ADDRESS}", before=r"\.office\.")),
    (
        (b"com/integration/", b"com/x-ere/"),
        SecretRule("webhook", rf"com/[\w-]{{5,11}}/{_REST_OF_ADDRESS}", before=r"events\.pagerduty\."),
    ),
)
"""Looked for where letters and digits stand together for long: each where one of its keywords is."""
# Tokens whose first bytes give them away: a partial line never ends inside one.
TOKEN_STARTS = (
    b"-----BEGIN", b"AKIA", b"ASIA", b"LS0tLS1CRUdJTi",
    *(word for words, rule in LONG for word in words if not rule.name.startswith(("webhook", "pem", "aws"))),
)  # fmt: skip

_PROSE = LatePattern(rb"[A-Za-z][a-z'-]*(?:[.,:]\s|[ \t]+[a-z])")
_SCHEME_BEFORE = LatePattern(rb"(?:bearer|basic|token|digest|apikey|negotiate)[ \t]\Z", re.IGNORECASE)
_CALLED = LatePattern(rb"[A-Za-z_][\w.]*")
_PLACEHOLDER = LatePattern(
    rb"""
      \$\w+ | \$?\{+[^}]*\}* | \$\([^)]*\)? | <[^>]*>? | \[[^\]]*\]? | %\w* | %\([^)]*\)\w? | [*x.\-_\#?=]+
    | (?:your|my|the|some|example|dummy|sample|fake)[-_.].*
    | (?:[A-Z]+_)+[A-Z]+ | TOKEN | SECRET | PASSWORD | CHANGEME | REDACTED | XXX+[\w-]*
    | (?i:expired?|invalid|missing|required|incorrect|wrong|failed|failure|unknown|denied|optional|string|undefined
      |redacted|accepted|changed|updated|rotated|refreshed|revoked|disabled|enabled|default|password|secret|token
      |example|changeme|placeholder|removed|received|passwd?|pwd|verified|verification|authentication|validation|process\.env\S*
      |os\.environ\S*|vault:\S*|false|bearer|basic|prompted|granted|created|deleted|hidden|masked|nullptr|<nil>)
    """,
    re.VERBOSE,
)


def is_placeholder(value: bytes) -> bool:
    """Whether a value is a stand-in that a document shows on purpose, or a word of prose, and not a secret."""
    return _PLACEHOLDER.now.fullmatch(value.strip(b".,:;!)")) is not None


def _is_code(block: bytes, start: int, end: int) -> bool:
    """Whether the value is a function that is called: `password = read_password(`."""
    return block[end : end + 1] == b"(" and _CALLED.now.fullmatch(block, start, end) is not None
