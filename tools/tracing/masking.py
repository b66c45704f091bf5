"""Personal data and secrets in free text, found by their form and masked.

Every rule takes time that grows with the text's length and no faster: a customer writes this text, and a pattern holds
up the whole process while it searches. langsmith's own rules for secrets (0.15) are not used for that reason: 8,000
characters of `a-a-a-` take one of them 13 seconds. Numbers are masked whether or not they are anybody's: a library
that knows every country's phone numbers passes those with a digit too many.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from tools.tracing.traits import NOTHING, UNTOLD, Traits, has_any, sub_from, traits_of

Replacement = str | Callable[[re.Match[str]], str]

_MAX_NAMES = 100
_MAX_KNOWN = 1000
_MIN_TOKEN = 20
_MIN_BASE64 = 32
_MIN_DIGIT_SWITCHES = 3
_MIN_CASE_SWITCHES = 8
_MIN_IBAN = 15
_MIN_IBAN_DIGITS = 8

# What people say of a password without telling it.
# fmt: off
_NO_SECRETS = frozenset({
    "not", "no", "wrong", "incorrect", "invalid", "expired", "empty", "missing", "required", "reset", "changed",
    "set", "sent", "shown", "saved", "stored", "kept", "lost", "needed", "entered", "accepted", "refused",
    "rejected", "too", "the", "a", "an", "my", "your", "in", "on", "for", "being", "still", "never", "always",
    "also", "only", "about", "what", "where", "valid", "active", "nicht", "falsch", "ungültig", "abgelaufen", "leer",
    "weg", "mein", "dein", "der", "die", "das", "ein", "eine", "zu", "noch", "gültig", "incorrecta", "incorrecto",
    "inválida", "inválido", "caducada", "caducado", "válida", "válido", "la", "el", "una", "un", "mi", "tu", "muy",
})
# fmt: on


def _url(match: re.Match[str]) -> str:
    """Scheme, host and path; not who signs in, and not what is asked for."""
    scheme, rest = match.group(1), match.group(2)
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    if at:
        authority = f"[login]@{host}"
    address = authority + slash + path
    for mark in "?#":
        before, found, after = address.partition(mark)
        # A fragment without a value only names a place on the page.
        if found and (mark == "?" or "=" in after):
            address = f"{before}{mark}[query]"
    return f"{scheme}://{address}"


def _told(match: re.Match[str]) -> str:
    """The secret that follows its name, unless something else is said of it."""
    before, value = match.group(1), match.group(2)
    return match.group(0) if value.strip(".!?").casefold() in _NO_SECRETS else f"{before}[secret]"


def _iban(match: re.Match[str]) -> str:
    """The longest beginning of the text that is an IBAN (its remainder by 97 is 1, ISO 13616)."""
    text = match.group(0)
    for end in range(len(text), _MIN_IBAN - 1, -1):
        plain = "".join(char for char in text[:end] if char.isalnum()).upper()
        if len(plain) < _MIN_IBAN:
            break
        number = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
        if text[end - 1].isalnum() and int(number) % 97 == 1 and sum(map(str.isdigit, plain)) >= _MIN_IBAN_DIGITS:
            return f"[iban]{text[end:]}"
    return text


def _card(match: re.Match[str]) -> str:
    """A payment card's number (its check digit is right, ISO/IEC 7812)."""
    digits = [int(char) for char in match.group(0) if char.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return "[card]" if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match.group(0)


def _ip(match: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(match.group(0))
    except ValueError:
        return match.group(0)
    return "[ip]"


def _tokens(match: re.Match[str]) -> str:
    """Long words that nobody would write: letters and digits, or capitals and small letters, change too often."""
    text = match.group(0)
    parts = [("[secret]" if len(part) >= _MIN_TOKEN and _switches(part) else part) for part in text.split("/")]
    if "[secret]" not in parts and "/" in text and len(text) >= _MIN_BASE64 and _switches(text, digits=False):
        return "[secret]"
    return "/".join(parts)


def _switches(text: str, *, digits: bool = True) -> bool:
    kinds = ["0" if char.isdigit() else "A" if char.isupper() else "a" if char.islower() else "-" for char in text]
    pairs = list(map("".join, pairwise(kinds)))
    by_digits = sum(map(pairs.count, ("0a", "a0", "0A", "A0")))
    by_case = sum(map(pairs.count, ("aA", "Aa")))
    return by_case >= _MIN_CASE_SWITCHES or (digits and by_digits >= _MIN_DIGIT_SWITCHES)


def _number(match: re.Match[str]) -> str:
    """Seven digits and more, but for the days that computers write."""
    return match.group(0) if _DAY.fullmatch(match.group(0)) else "[number]"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a pattern finds is replaced; it is looked for where one of the clues, in small letters, is in the text.

    `needs` is what all that it finds has at least. No replacement adds to a text's traits, so they are told once,
    before the first rule. `starts` is what all that it finds starts with, in small letters, if that is worth a search
    for each of them: a pattern of many words takes longer than all others together.
    """

    pattern: re.Pattern[str]
    replacement: Replacement
    clues: tuple[str, ...] = ("",)
    needs: Traits = NOTHING
    starts: tuple[str, ...] = ()


_DAY = re.compile(r"20\d\d-\d\d-\d\d(?: \d\d)?")
_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]"
_RULES = (
    _Rule(
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----[^-]{0,20000}(?:-----END [^-\n]{0,50}-----)?"
        ),
        "[secret]",
        ("-----begin",),
        needs=Traits(links=5),
    ),
    _Rule(re.compile(r"\b([A-Za-z][A-Za-z0-9+]{1,15})://([^\s<>\"'`]+)"), _url, ("://",), needs=Traits(links=1)),
    _Rule(re.compile(r"(?<=[\w/])\?[\w.%\[\]-]{1,64}=[^\s<>\"'`]*"), "?[query]", ("?",), needs=Traits(equals=1)),
    _Rule(
        re.compile(
            r"(?i)\b(proxy-authorization|authorization|set-cookie|cookie|x-api-key|x-auth-token)"
            r"([\"']?\s{0,4}[:=]\s{0,4}[\"']?)[^\r\n\"']{3,}"
        ),
        r"\1\2[secret]",
        ("authorization", "cookie", "x-api-key", "x-auth-token"),
    ),
    _Rule(
        re.compile(r"(?i)\b(bearer|basic|token|apikey)(\s{1,4})(?=\S{0,80}[\d=/+_])[A-Za-z0-9._~+/=-]{8,}"),
        r"\1\2[secret]",
        ("bearer", "basic", "token", "apikey"),
    ),
    _Rule(
        re.compile(
            r"(?i)((?:password|passwd|passphrase|passcode|passwort|kennwort|contrase[ñn]a|secret|token|api[ _-]?key"
            r"|access[ _-]?key|private[ _-]?key|license[ _-]?key|session[ _-]?id|credential"
            r"|\b(?:pwd|pass(?!(?:t|ed|es|ing|iert)\b)|clave|pin|puk|tan|otp|cvv2?|cvc2?|security code))"
            r"[\w.-]{0,30}[\"']?\s{0,3}(?::=|=>|[:=]|\bis\b|\bwas\b|\bist\b|\bwar\b|\blautet\b|\bes\b|\bera\b)"
            r"\s{0,3}[\"'`]?)([^\s\"'`,;&]{3,})"
        ),
        _told,
        (
            *("pass", "kennwort", "contrase", "secret", "token", "key", "session", "credential"),
            *("pwd", "clave", "pin", "puk", "tan", "otp", "cv", "code"),
        ),
        starts=(
            *("pass", "kennwort", "contrase", "secret", "token", "api", "access", "private", "license", "session"),
            *("credential", "pwd", "clave", "pin", "puk", "tan", "otp", "cv", "security code"),
        ),
    ),
    _Rule(
        re.compile(r"(?i)\b(cvv2?|cvc2?|pin|puk|tan|otp|security code|one[ -]time code)([\s:#-]{1,3})\d{3,8}\b"),
        r"\1\2[secret]",
        ("cv", "pin", "puk", "tan", "otp", "code"),
        needs=Traits(digits=3),
        starts=("cv", "pin", "puk", "tan", "otp", "security code", "one time code", "one-time code"),
    ),
    _Rule(re.compile(r"(?<![\w-])eyJ[\w-]{6,}(?:\.[\w-]*){1,4}"), "[secret]", ("eyj",)),
    _Rule(
        re.compile(
            r"(?<![A-Za-z0-9])(?:sk|pk|rk|xox[a-z]|xapp|glpat|gh[a-z]|github_pat|lsv2|hf|npm|pypi|whsec|shpat|dop_v1|SG"
            r"|AKIA|ASIA|AIza|ya29)[_.-]?(?=[A-Za-z_.-]{0,40}\d)[A-Za-z0-9_.-]{12,}"
        ),
        "[secret]",
        needs=Traits(digits=1, run=14),
    ),
    _Rule(
        re.compile(
            rf"(?<!{_LOCAL}){_LOCAL}+\s?(?:@|[\[({{]\s?(?:at|ät|arroba)\s?[\])}}])\s?[\w-]{{1,63}}"
            r"(?:(?:\.|\s?[\[({]\s?(?:dot|punkt|punto)\s?[\])}]\s?)[\w-]{1,63}){1,8}"
        ),
        "[email]",
        ("@", "(at", "[at", "{at", "( at", "[ at", "{ at", "ät)", "ät]", "arroba"),
    ),
    _Rule(
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,32}"),
        _iban,
        needs=Traits(digits=_MIN_IBAN_DIGITS, codes=1),
    ),
    _Rule(re.compile(r"(?<!\d)\d(?:[ .-]?\d){11,18}(?!\d)"), _card, needs=Traits(number=12)),
    _Rule(re.compile(r"(?i)(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])"), "[ip]", needs=Traits(links=5)),
    _Rule(
        re.compile(r"(?i)(?<![\w:.])(?=[0-9a-f:.]{0,45}:[0-9a-f.]{0,45}:)[0-9a-f:.]{2,45}(?![\w:])"),
        _ip,
        needs=Traits(colon_pairs=1),
    ),
    _Rule(re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)"), _ip, needs=Traits(digits=4, decimals=2)),
    _Rule(re.compile(r"(?<![\w+=/-])[A-Za-z0-9_+=/-]{20,}"), _tokens, needs=Traits(run=_MIN_TOKEN)),
)
_NUMBER = re.compile(r"(?<!\d)(?<!\d:)[+(\d](?:[ \t\u00a0\u202f().·‐‑–/-]{0,3}\d){6,}")
# What stands before the six may be a sign.
_MIN_NUMBER = 6


class Masker:
    """Masks texts of one turn: what has the form of personal data or of a secret, and the names known in the turn.

    `numbers` decides what becomes of numbers of seven digits and more that are no card's; each is masked without it.
    """

    def __init__(self, names: Iterable[str] = (), *, numbers: Replacement = _number) -> None:
        self._numbers = numbers
        self._names = _any_of(names)
        self._known: dict[str, str] = {}

    def text(self, text: str, *, traits: Traits | None = None) -> str:
        """The text with `[email]`, `[secret]` and the like in place of what must not leave.

        `traits` are the text's, or those it had before something was replaced that had more.
        """
        # A turn's state repeats the same texts at every node.
        masked = self._known.get(text)
        if masked is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            masked = self._known[text] = self._masked(text, traits or traits_of(text))
        return masked

    def _masked(self, text: str, traits: Traits) -> str:
        clues = text.casefold()
        for rule in _rules_for(traits):
            if rule.starts and traits is not UNTOLD:
                text = sub_from(rule.starts, rule.pattern, rule.replacement, text, among=text.lower())
            elif has_any(clues, rule.clues):
                text = rule.pattern.sub(rule.replacement, text)
        if traits.number >= _MIN_NUMBER:
            text = _NUMBER.sub(self._numbers, text)
        return text if self._names is None else self._names.sub("[name]", text)


@cache
def _rules_for(traits: Traits) -> tuple[_Rule, ...]:
    """The rules that may find something in a text of these traits; there are some thousand different ones at most."""
    return tuple(rule for rule in _RULES if traits.meet(rule.needs))


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for each of the names as words, however they are spaced and in any case; None when there are none."""
    words = (tuple(filter(None, re.split(r"[\W_]+", name))) for name in names)
    kept = sorted({each for each in words if sum(map(len, each)) > 1}, key=lambda each: -sum(map(len, each)))
    if not kept:
        return None
    joined = "|".join(r"(?:[\W_]|%20){1,3}".join(map(re.escape, each)) for each in kept[:_MAX_NAMES])
    return re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])", re.IGNORECASE)
