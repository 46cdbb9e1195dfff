"""Secrets in texts: keys of well-known services, private keys, and tokens of our own."""

import hashlib
import re
from collections.abc import Iterator
from zlib import crc32

from hub.scanning.verdicts import Finding, Status, Verdict

MOST_TEXT_BYTES = 10 * 1024 * 1024
"""Of one file that is looked through."""
MOST_FOUND = 50
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OWN = re.compile(rb"(?<![A-Za-z0-9])wh_(?:[a-z]+_)?[A-Za-z0-9]{47}(?![A-Za-z0-9])")
_CHECK_DIGITS = 6

PATTERNS: dict[str, str] = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{34}\b",
    "an organisation token of Hugging Face": r"\bapi_org_[A-Za-z0-9]{34}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82})\b",
    "a token of GitLab": r"\bglpat-[A-Za-z0-9_-]{20}\b",
    "a token of Slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}\b",
    "a webhook of Slack": r"https://hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{20,}",
    "an API key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a secret of Google": r"\bGOCSPX-[A-Za-z0-9_-]{28}\b",
    "a key of OpenAI": r"\bsk-[A-Za-z0-9_-]{20,90}T3BlbkFJ[A-Za-z0-9_-]{20,74}\b",
    "a key of Anthropic": r"\bsk-ant-(?:api|admin)\d{2}-[A-Za-z0-9_-]{80,110}\b",
    "a key of Stripe": r"\b[rs]k_live_[0-9A-Za-z]{24,99}\b",
    "a key of SendGrid": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    "a key of Mailgun": r"\bkey-[0-9a-f]{32}\b",
    "a token of npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a token of PyPI": r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
    "a token of DigitalOcean": r"\bdo[opr]_v1_[a-f0-9]{64}\b",
    "a token of Docker": r"\bdckr_pat_[A-Za-z0-9_-]{27}\b",
    "a token of Databricks": r"\bdapi[a-f0-9]{32}\b",
    "a token of Telegram": r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b",
    "a token of Twilio": r"\bSK[0-9a-f]{32}\b",
    "a storage key of Azure": r"AccountKey=[A-Za-z0-9+/]{86}==",
    "a key of Replicate": r"\br8_[A-Za-z0-9]{37}\b",
    "a key of Groq": r"\bgsk_[A-Za-z0-9]{52}\b",
    "a token of Vault": r"\bhvs\.[A-Za-z0-9_-]{90,}",
    "a secret of webhooks": r"\bwhsec_[A-Za-z0-9+/]{32,}={0,2}",
}
"""What it is, and how it is known. Each has a prefix of its own: mere randomness says nothing."""

_COMPILED = [(what, re.compile(pattern.encode())) for what, pattern in PATTERNS.items()]


def look_for_secrets(raw: bytes) -> Verdict:
    """Look through a text; findings tell where they are, and never what."""
    found = list(_found(raw))[:MOST_FOUND]
    own = [secret for secret in _OWN.findall(raw) if is_own(secret)]
    findings = [
        Finding("secrets", Status.CAUTION, f"{what[0].upper()}{what[1:]} in line {line}.")
        for what, line in found
    ]
    findings += [
        Finding(
            "secrets",
            Status.CAUTION,
            f"An access token of this hub in line {_line(raw, raw.find(secret))}.",
        )
        for secret in dict.fromkeys(own)
    ]
    leaked = dict.fromkeys(hashlib.sha256(secret).hexdigest() for secret in own)
    return Verdict(findings=tuple(findings), leaked=tuple(leaked))


def is_own(secret: bytes) -> bool:
    """Whether this was made here: its last digits are the checksum of the others."""
    body, check = secret[:-_CHECK_DIGITS], secret[-_CHECK_DIGITS:].decode()
    number, digits = crc32(body), ""
    for _ in range(_CHECK_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits == check


def _found(raw: bytes) -> Iterator[tuple[str, int]]:
    for what, pattern in _COMPILED:
        for match in pattern.finditer(raw):
            yield what, _line(raw, match.start())


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1
