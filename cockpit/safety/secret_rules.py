"""What a secret looks like when nobody told us its value. Stdlib only; bytes in, bytes out.

A pattern is tried only where one of its rule's keywords stands, and begins there: most lines cost a search for a few
dozen short words and nothing else. It captures the secret as its one named group, so that what surrounds it stays
readable. No pattern crosses a line, and each looks only a bounded way ahead: the time is linear in the text.
"""

from __future__ import annotations

import re

from cockpit.safety.late_pattern import LatePattern


class SecretRule:
    """One way a secret is written.

    `name` stands in the mask. `keywords` are lower-case. `before`, where given, must match the text that ends at the
    keyword.
    """

    __slots__ = ("before", "keywords", "name", "pattern")

    def __init__(
        self, name: str, keywords: tuple[bytes, ...], pattern: LatePattern, before: LatePattern | None
    ) -> None:
        self.name = name
        self.keywords = keywords
        self.pattern = pattern
        self.before = before


def _rule(name: str, keywords: str, pattern: str, *, any_case: bool = True, before: str = "") -> SecretRule:
    flags = re.IGNORECASE if any_case else 0
    behind = LatePattern(before.encode() + rb"\Z") if before else None
    return SecretRule(name, tuple(keywords.encode().split()), LatePattern(pattern.encode(), flags), behind)


_QUOTE = r"""(?:\\?["'])?"""
_IS = rf"{_QUOTE}[ \t]{{0,8}}(?:[:=]|=>|:=)[ \t]{{0,8}}"
# A value: quoted up to its quote, or bare up to what ends a word in prose, JSON, YAML, a URL or a shell.
_VALUE = (
    r"""(?:\\?"(?P<double>[^"\\\r\n]{6,4096})|'(?P<single>[^'\r\n]{6,4096})"""
    r"""|(?P<bare>[^\s"'\\,;&|<>(){}\[\]]{6,}))"""
)
_KINDS = "token secret pass credential key pwd"
# PWD alone, with a path, is the shell's own variable and no password.
_PWD = rf"(?:(?<=[a-z0-9][_-])pwd|(?<![a-z])pwd(?!{_IS}{_QUOTE}[/~]))"
_NAME = (
    r"(?:token|secret|passw(?:or)?d|passphrase|passcode|credentials?"
    rf"|{_PWD}"
    r"|(?:(?<=api)|(?<=[_-]))key(?<!cache.key)|key(?=-data))(?:[_-]?(?:value|data|base|base64|b64|string|hash))?"
)
_ENV_NAME = (
    r"(?:(?:TOKEN|SECRET|PASSW|CREDENTIAL)[A-Z0-9]{0,20}(?:_[A-Z0-9]{1,20}){0,4}|(?<=_)KEY)"
    r"(?<!_FILE)(?<!_PATH)(?<!_NAME)(?<!_ARN)(?<!_TYPE)(?<!_TTL)(?<!_URL)(?<!_HOST)(?<!TOKENS)"
)
_SCHEME = r"(?:(?:bearer|basic|token|digest|apikey|negotiate)[ \t]{1,8})?"

RULES: tuple[SecretRule, ...] = (
    _rule("authorization", "authorization", rf"authorization{_IS}{_QUOTE}{_SCHEME}{_VALUE}"),
    _rule("bearer", "bearer", r"(?<![\w-])bearer[ \t]{1,8}(?P<v>(?=[\w.~+/-]{0,200}\d|[\w.~+/-]{20})[\w.~+/-]{8,}=*)"),
    _rule("cookie", "cookie", r"cookie2?[ \t]{0,4}:[ \t]{0,8}(?P<v>[^\s=:;\"']{1,128}=[^\r\n\"']{4,})"),
    _rule(
        "header",
        "x-",
        r"(?<![\w-])x-(?:api-?key|(?:auth|access|amz-security|vault|csrf|xsrf|gitlab|github|goog-iam)?-?token|secret)"
        rf"{_IS}{_QUOTE}{_VALUE}",
    ),
    _rule("url-userinfo", "://", r"""://[^\s/:@"'<>\\]{0,256}:(?P<v>[^\s/"'<>\\]{1,1024})@"""),
    _rule("query", "sig= key= code= auth=", r"""(?<=[?&;])\w{3,4}=(?P<v>[^\s&"'#<>\\]{6,})"""),
    _rule("query", "signature=", r"""signature=(?P<v>[^\s&"'#<>\\,]{16,})"""),
    _rule("aws-key", "akia asia", r"(?<![0-9A-Za-z])(?P<v>(?:AKIA|ASIA)[0-9A-Z]{16})(?![0-9A-Za-z])", any_case=False),
    _rule("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"(?P<v>gh[pousr]_[A-Za-z0-9]{16,})", any_case=False),
    _rule("github-token", "github_pat_", r"(?P<v>github_pat_\w{16,})", any_case=False),
    _rule("slack-token", "xox", r"(?P<v>xox[a-z]-[A-Za-z0-9-]{10,})"),
    _rule("slack-token", "xapp-", r"(?P<v>xapp-[A-Za-z0-9-]{10,})"),
    _rule("gitlab-token", "glpat- gldt- glrt-", r"(?P<v>gl\w{2,3}-[\w-]{12,})"),
    _rule(
        "api-key",
        "sk- sk_ rk_",
        r"(?<![0-9A-Za-z_-])(?P<v>(?:sk-|[sr]k_(?:live|test)_)(?=[\w-]{0,200}\d)[\w-]{16,})",
        any_case=False,
    ),
    _rule("api-key", "aiza", r"(?P<v>AIza[\w-]{30,})", any_case=False),
    _rule(
        "api-key", "npm_ hf_ sg.", r"(?<!\w)(?P<v>npm_\w{30,}|hf_\w{24,}|SG\.[\w-]{16,}\.[\w-]{16,})", any_case=False
    ),
    _rule("jwt", "eyj", r"(?<![\w-])(?P<v>eyJ[\w-]{8,}\.[\w-]{6,}(?:\.[\w-]*){0,3})", any_case=False),
    # A private key in base64 of its PEM form, as a Kubernetes secret or a kubeconfig shows it.
    _rule("pem", "ls0tls1crudjti", r"(?P<v>LS0tLS1CRUdJTi[A-Za-z0-9+/]{10,}={0,2})", any_case=False),
    _rule(
        "pem",
        "-----begin",
        r"(?P<v>-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^\r\n]{0,65536}?-----END [A-Z0-9 ]{0,40}-----)",
    ),
    _rule(
        "webhook",
        "hooks.slack.com /api/webhooks/ .office.com/ api.telegram.org events.pagerduty.com",
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|/api/webhooks/|\.office\.com/webhook\w{0,8}/"
        r"""|api\.telegram\.org/bot|events\.pagerduty\.com/(?:integration|x-ere)/)(?P<v>[^\s"'<>?\\]{6,})""",
    ),
    _rule("secret", _KINDS, rf"{_NAME}{_IS}{_VALUE}"),
    _rule("secret", _KINDS, rf"{_ENV_NAME}{_IS}{_VALUE}", any_case=False),
    _rule("option", _KINDS, rf"{_NAME}(?:=|[ \t]{{1,8}})(?!-){_VALUE}", before=r"(?:^|[\s\"'])--?[\w-]{0,32}"),
    _rule(
        "option",
        "curl wget",
        r"(?:curl|wget)\b[^\r\n]{0,1024}?[ \t](?:-u|--user|--proxy-user|-U)(?:=|[ \t]{0,8})[\"']?"
        r"[^\s:\"']{1,128}:(?P<v>[^\s\"']{4,})",
    ),
    _rule(
        "option",
        "mysql mariadb redis-cli sshpass mongo",
        r"[a-z-]{5,12}\b[^\r\n|;]{0,512}?[ \t]-(?:p(?=\S)|a[ \t]{1,8}|p[ \t]{1,8}(?=\S{6}))[\"']?(?P<v>[^\s\"']{4,})",
    ),
)

# What every rule of these many-worded keywords asks for at least; most lines fail it at once ("tokens_used").
_KINDS_GATE = LatePattern(
    rb"(?:token|secret|credentials?|pass(?:wo?r?d|phrase|code)|passw|pwd|(?:(?<=api)|(?<=[_-]))key|key(?=-data))"
    rb"(?-i:[^a-z]|(?i:value|data|base|b64|string|hash))",
    re.IGNORECASE,
)
GATES = dict.fromkeys(_KINDS.encode().split(), _KINDS_GATE)

PEM_BEGIN = LatePattern(rb"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
PEM_END = LatePattern(rb"-----END [A-Z0-9 ]{0,40}-----")
PEM_BODY = LatePattern(
    rb"""[ \t"'+|>-]*(?:[A-Za-z0-9+/=\\]{0,4096}|[A-Za-z-]{1,24}: [^\r\n]{0,128})[ \t"',+\\n]*\r?\n?"""
)
PEM_LONG_TAIL = LatePattern(rb"[A-Za-z0-9+/]{40,}={0,2}[ \t\"',]*\r?\n?$")

# Tokens whose first bytes give them away: a partial line never ends inside one.
TOKEN_STARTS = (
    b"AKIA", b"ASIA", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"xox", b"xapp-", b"glpat-",
    b"sk-", b"sk_", b"AIza", b"npm_", b"hf_", b"eyJ", b"LS0tLS1CRUdJTi", b"-----BEGIN",
)  # fmt: skip

_PLACEHOLDER = LatePattern(
    rb"""
      \$\w+ | \$?\{+[^}]*\}* | \$\([^)]*\)? | <[^>]*>? | \[[^\]]*\]? | %\w* | %\([^)]*\)\w? | [*x.\-_\#?=]+
    | (?:your|my|the|some|example|dummy|sample|fake)[-_.].*
    | (?:[A-Z]+_)+[A-Z]+ | TOKEN | SECRET | PASSWORD | CHANGEME | REDACTED | XXX+[\w-]*
    | (?i:expired?|invalid|missing|required|incorrect|wrong|failed|failure|unknown|denied|optional|string|undefined
      |redacted|accepted|changed|updated|rotated|refreshed|revoked|disabled|enabled|default|password|secret|token
      |example|changeme|placeholder|removed|received|verified|verification|authentication|validation|process\.env\S*
      |os\.environ\S*|vault:\S*|false|bearer|basic|prompted)
    """,
    re.VERBOSE,
)


def is_placeholder(value: bytes) -> bool:
    """Whether a value is a stand-in that a document shows on purpose, or a word of prose, and not a secret."""
    return _PLACEHOLDER.now.fullmatch(value.strip(b".,:;!)")) is not None
