"""Personal data out of tickets' texts, for good: nothing is kept from which it could be had back.

Secrets, addresses and numbers are found by their form, with the rules that mask traces (`tools.tracing.masking`); a
phone's number is told from others by `phonenumbers`. Libraries that find names by a language model were left out:
Presidio brings spaCy and 50 packages, and takes tens of milliseconds a text, for which a replay has no time.
Every rule takes time that grows with the text's length and no faster.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import phonenumbers

from tools.tracing.masking import Masker, Replacement
from tools.tracing.traits import has_any, sub_from, traits_of

_MAX_PEOPLE = 20
_OUR_KEY = re.compile(r"(?:customer|agent|bot)-\d+")
# What stands where a name is looked for, and is none.
# fmt: off
_NO_NAMES = frozenset({
    "all", "everyone", "everybody", "there", "team", "support", "help", "helpdesk", "service", "sir", "sirs", "madam",
    "folks", "guys", "again", "you", "customer", "admin", "agent", "bot", "sales", "billing", "info", "hello", "thanks",
    "thank", "mr", "mrs", "ms", "mx", "dr", "prof", "herr", "herrn", "frau", "señor", "señora", "sr", "sra", "don",
    "doña", "the", "and", "und", "best", "kind", "regards", "sent", "from", "please", "sorry", "yes", "no", "ok",
    "okay", "zusammen", "leute", "welt", "kundenservice", "vielen", "dank", "danke", "bitte", "viele", "grüße", "beste",
    "liebe", "equipo", "todos", "gracias", "saludos", "soporte", "buenas", "buenos", "días", "tardes",
})
# Names that are words as well: they go where somebody is named, and stay elsewhere.
_ALSO_WORDS = frozenset({
    "may", "june", "april", "august", "january", "february", "march", "july", "september", "october", "november",
    "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "will", "mark", "bill",
    "page", "grant", "hope", "art", "chase", "rich", "summer", "price", "field", "case", "key", "pay", "sky",
    "juni", "mai", "montag", "sommer", "winter", "klein", "lang", "kurz", "neu", "alt", "recht", "sonntag", "abril",
    "julio", "agosto", "domingo", "luz", "sol", "cruz", "mar", "paz",
})
# fmt: on
_NO_NAMES_ALONE = _NO_NAMES | _ALSO_WORDS
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zà-öø-ÿ"
_WORD = "(?:[OD]['’])?[UPPER][LOWER]{1,20}(?:-[UPPER][LOWER]{1,20})?"
_NAME = "(?:(?:[UPPER][.][ \t]?){1,2}WORD|(?:v[oa]n[ \t])?WORD(?:[ \t](?:(?:von|van|de|der|da|del|la)[ \t])?WORD){0,2})"


def _pattern(*parts: str) -> re.Pattern[str]:
    """A pattern with what names and addresses are made of in place of their names in capitals."""
    whole = "".join(parts)
    for name, meant in (
        *(("NAME", _NAME), ("PLACE", _PLACE), ("NUMBERED", _NUMBERED), ("WORD", _WORD)),
        *(("UPPER", _UPPER), ("LOWER", _LOWER)),
    ):
        whole = whole.replace(name, meant)
    return re.compile(whole)


_NUMBERED = r"[ \t]\d{1,4}(?:[ \t]?[a-zA-Z]\b)?(?:[ \t]?[-–/][ \t]?\d{1,4})?\b"
_PLACE = r"(?:,?[ \t\n]{1,3}(?:[A-Z]{1,2}-)?\d{4,5}[ \t]WORD)?"


@dataclass(frozen=True, slots=True)
class _Sought:
    """A pattern, and what spares a text the search for it.

    All that it finds has one of the clues in it, or starts with one of `starts`. Clues for any case are in small
    letters and have no `i`, for which letters stand that don't become one.
    """

    pattern: re.Pattern[str]
    clues: tuple[str, ...] = ("",)
    any_case: bool = False
    starts: tuple[str, ...] = ()

    def sub(self, replacement: Replacement, text: str) -> str:
        """As the pattern's own."""
        if self.starts:
            return sub_from(self.starts, self.pattern, replacement, text)
        if has_any(text.casefold() if self.any_case else text, self.clues):
            return self.pattern.sub(replacement, text)
        return text


# Where people name themselves or one another; the name is the group.
# These begin a line, so they are looked for below one that is empty: a search for a line's end jumps from one to the
# next, and one for a text's beginning as well doesn't.
_NAMED_IN_LINES = (
    _Sought(
        _pattern(
            r"\n[ \t]{0,8}(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Hh]allo|[Ll]iebe[r]?|[Hh]ola|[Qq]uerid[oa]",
            r"|[Ee]stimad[oa]|[Gg]uten (?:[Tt]ag|[Mm]orgen)|[Mm]oin|[Ss]ervus",
            r"|[Gg]ood (?:day|morning|afternoon|evening)|[Bb]uen[oa]s (?:días|tardes|noches)),?[ \t]",
            r"(NAME)(?=[ \t]{0,8}(?:[,!.:–-]|\n|$))",
        ),
    ),
    _Sought(
        _pattern(
            r"[\n.!?,][ \t]{0,8}(?:(?i:(?:(?:kind|best|warm)[ \t])?regards|best|cheers|thanks|thank you|many thanks",
            r"|sincerely|(?:(?:viele|beste|liebe|schöne|freundliche|mit freundlichen)[ \t])?",
            r"(?:grüße|grüßen|gruß|grüsse)",
            r"|mfg|lg|vg|danke|(?:un[ \t])?(?:cordial[ \t])?saludos?|atentamente|gracias))",
            r"[,!.]{0,3}[ \t]{0,4}\n{0,3}[ \t]{0,4}(?:[-–][ \t]?)?(NAME)(?=[ \t]{0,8}(?:[,.!|(]|\n|$))",
        ),
        (
            *("regards", "best", "cheers", "thank", "ncerely", "grü", "gruss"),
            *("mfg", "lg", "vg", "danke", "saludo", "atentamente", "grac"),
        ),
        any_case=True,
    ),
)
_NAMED = (
    _Sought(
        _pattern(
            r"(?:^|[\n.!?,] ?|\bI'm )(?:[Ss]orry|[Tt]hanks|[Tt]hank you|[Dd]anke|[Gg]racias),?[ \t](NAME)(?=[,.!])"
        ),
        ("orry", "hank", "anke", "racias"),
    ),
    _Sought(
        _pattern(
            r"\b(?:[Ii]t's|[Tt]his is|I'm|I am|[Hh]ier ist|[Ss]oy|[Hh]i,|[Hh]ello,)",
            r"[ \t](NAME)(?=[ \t](?:from|of|at|here|von|de)\b)",
        ),
        starts=(
            *("It's", "it's", "This is", "this is", "I'm", "I am", "Hier ist", "hier ist", "Soy", "soy"),
            *("Hi,", "hi,", "Hello,", "hello,"),
        ),
    ),
    # A last line of a name alone, or with a firm behind it.
    _Sought(
        _pattern(r"\n[ \t]{0,8}((?:[UPPER][.][ \t]?){1,2}WORD|WORD[ \t]WORD)(?=(?:,[^\n]{0,60})?\s{0,8}\Z)"),
        ("\n",),
    ),
    _Sought(
        _pattern(
            r"(?i:\bmy name is|\bi am called|\bich heiße|\bmein name ist|\bme llamo|\bmi nombre es|\bje m'appelle)",
            r"[ \t](NAME)",
        ),
        ("my name ", "n name ", " am called", "ch he", "me llamo", " nombre es", "je m'appelle"),
        any_case=True,
    ),
    _Sought(
        _pattern(r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herrn?|Frau|Señora?|Sra?|Don|Doña)\b\.?[ \t](NAME)"),
        starts=("Mr", "Ms", "Mx", "Dr", "Prof", "Herr", "Frau", "Señor", "Sr", "Don", "Doña"),
    ),
)
_SURNAME = _pattern(r"\[name\][ \t]WORD(?=[ \t]{0,8}(?:,|\n|\Z))")
_STREETS = (
    # Lindenweg 4, Schöne Straße 12a, 10115 Berlin
    _Sought(
        _pattern(
            r"\b[A-ZÄÖÜ][\w.-]{1,30}(?:straße|strasse|str\.|weg|allee|platz|gasse|damm|ufer|chaussee|stieg)NUMBEREDPLACE"
        ),
        ("straße", "strasse", "str.", "weg", "allee", "platz", "gasse", "damm", "ufer", "chaussee", "stieg"),
    ),
    _Sought(
        _pattern(r"\bWORD[ \t](?:Straße|Strasse|Str\.|Weg|Allee|Platz|Gasse|Ring|Damm|Ufer)NUMBEREDPLACE"),
        ("Straße", "Strasse", "Str.", "Weg", "Allee", "Platz", "Gasse", "Ring", "Damm", "Ufer"),
    ),
    # 12 Oak Street, Springfield, IL 62704
    _Sought(
        _pattern(
            r"\b\d{1,5}[a-z]?[ \t](?!Google|Microsoft|One)(?:WORD\.?[ \t]){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln",
            r"|Drive|Boulevard|Blvd|Court|Square|Terrace|Crescent)\b\.?(?:,?[ \t]WORD,?[ \t][A-Z]{2}[ \t]\d{5})?",
        ),
        (
            *("St", "Road", "Rd", "Ave", "Lane", "Ln", "Drive", "Boulevard", "Blvd"),
            *("Court", "Square", "Terrace", "Crescent"),
        ),
    ),
    # Calle de Alcalá 42, Avda. Diagonal, 640
    _Sought(
        _pattern(
            r"\b(?:Calle|C/|Avenida|Avda?\.|Plaza|Paseo|Camino|Ronda|Rue)[ \t]",
            r"(?:(?:de|del|la|las|los|el|du)[ \t]){0,2}WORD(?:[ \t]WORD){0,2},?(?:[ \t]n[ºo°.]{1,2})?NUMBEREDPLACE",
        ),
        starts=("Calle", "C/", "Avenida", "Avd", "Plaza", "Paseo", "Camino", "Ronda", "Rue"),
    ),
)
# SW1A 1AA
_POSTCODE = re.compile(r"\b(?:[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?) \d[ABD-HJLNP-UW-Z]{2}\b")
_ADDRESS_CLUES = (
    *("straße", "strasse", "str.", "weg", "allee", "platz", "gasse", "damm", "ufer", "chaussee", "stieg", "ring"),
    *("street", " st", "road", " rd", "avenue", " ave", "lane", " ln", "drive", "boulevard", "blvd", "court", "square"),
    *("terrace", "crescent", "calle", "c/", "avenida", "avda.", "avd.", "plaza", "paseo", "camino", "ronda", "rue"),
)

_SEPARATORS = re.compile(r"[^\d]+")
# Numbers that are nobody's, by their form.
_NOBODYS = re.compile(
    r"(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}(?:[ T]\d\d?)?"  # 2026-11-23
    r"|\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d\d(?:[ ,]{1,2}\d\d?)?"  # 23.11.2026
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"  # 20261123
    r"|(?:19|20)\d\d(?:[ /–-]{1,3}(?:19|20)\d\d){1,3}"  # 2025/2026
    r"|(?:19|20)\d\d[-/]\d{1,6}"  # 2026-0117, as invoices are numbered
    r"|\d{1,3}(?:\.\d{3}){2,4}|\d{1,3}(?:[  ]\d{3}){2,4}"  # 1.250.000, 1 250 000
    r"|\d{1,4}(?:\.\d{1,5}){3,5}"  # 120.0.6099.109
)
_PHONE_WORD = re.compile(
    r"(?i)(?:\b(?:tel|phone|telephone|mobile|cell|call|ring|dial|text|whatsapp|fax|reach|telefon\w*|handy|mobil\w*|ruf\w*"
    r"|anruf\w*|nummer|durchwahl|tel[eé]fono|m[oó]vil|celular|ll[aá]m\w*)\b[^\d\n]{0,25})$"
)
_BORN = re.compile(r"(?i)\b(?:born|birth\w*|d\.?o\.?b|geboren\w*|geburts\w*|geb|nacid[oa]|nacimiento)\b[^\d\n]{0,20}$")
_NUMBER_WORD = re.compile(
    r"(?i)(?:\b(?:order|invoice|ticket|case|ref(?:erence)?|request|serial|build|version|release|transaction|project|sku"
    r"|article|error|code|bestell\w*|auftrag\w*|rechnung\w*|vorgang\w*|fehler\w*|projekt\w*|artikel\w*|serien\w*|pedido"
    r"|factura|referencia|proyecto|incidencia)\b[^\d\n]{0,15}|#|№|[A-Za-z_]-?|\$|€|£|(?:USD|EUR|GBP|CHF) ?)$"
)
_MONEY_AFTER = re.compile(r"[,.]?\d{0,2} ?(?:\$|€|£|USD|EUR|GBP|CHF)")
_REGIONS = {"de": ("DE", "AT", "CH"), "es": ("ES", "MX", "AR"), "fr": ("FR", "BE"), "en": ("US", "GB", "AU")}
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 7, 15
_LOOK_BACK = 40


class Scrubber:
    """Scrubs the texts of one ticket. `people` are names that it knows; its language says whose phones to expect."""

    def __init__(self, people: Iterable[str] = (), *, language: str | None = None) -> None:
        self._whole: list[str] = []
        self._parts: set[str] = set()
        self._regions = _REGIONS.get(language or "", ("US", "GB", "DE", "ES", "FR"))
        self._masker = Masker(numbers=self._number)
        for person in people:
            if not _OUR_KEY.fullmatch(person):
                self._know(person)

    def text(self, text: str) -> str:
        """The text with `[email]`, `[phone]`, `[name]` and the like in place of what was somebody's."""
        return self.texts([text])[0]

    def texts(self, texts: Iterable[str]) -> list[str]:
        """As `text`; who names himself in one of them is known in all."""
        unnamed = [self._introduced(text) for text in texts]
        return [self._scrubbed(text) for text in unnamed]

    def _introduced(self, text: str) -> str:
        text = f"\n{text}"
        for sought in _NAMED_IN_LINES:
            text = sought.sub(self._named, text)
        text = text[1:]
        for sought in _NAMED:
            text = sought.sub(self._named, text)
        return text

    def _scrubbed(self, text: str) -> str:
        traits = traits_of(text)
        if traits.digits and has_any(text.casefold(), _ADDRESS_CLUES):
            for sought in _STREETS:
                text = sought.sub("[address]", text)
        if traits.postcodes:
            text = _POSTCODE.sub("[address]", text)
        return self._without_names(self._masker.text(text, traits=traits))

    def address(self, path: str) -> str:
        """A page's path without e-mail addresses and secrets in it."""
        return _PATHS.text(path)

    def _know(self, name: str) -> None:
        """Remember a name and its parts."""
        if len(self._whole) >= _MAX_PEOPLE or len(name) > 100:
            return
        parts = [part.strip(".,'’-\"()") for part in name.split()]
        if len(parts) > 1:
            self._whole.append(name)
        self._parts.update(
            part for part in parts if len(part) > 2 and part[0].isupper() and part.casefold() not in _NO_NAMES_ALONE
        )

    def _named(self, match: re.Match[str]) -> str:
        name = match.group(1)
        words = name.split()
        # A word that can't be a name ends it: `Thanks Ada Please` names Ada.
        kept = next((n for n, word in enumerate(words) if word.casefold() in _NO_NAMES), len(words))
        if kept == 0:
            return match.group(0)
        self._know(" ".join(words[:kept]))
        start, end = match.start(1) - match.start(), match.end(1) - match.start()
        rest = "".join(f" {word}" for word in words[kept:])
        return f"{match.group(0)[:start]}[name]{rest}{match.group(0)[end:]}"

    def _without_names(self, text: str) -> str:
        small = text.casefold()
        for name in self._whole:
            if name.casefold() in small:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
        for part in self._parts:
            # As a name is written, or shouted: `mark it` names nobody.
            for written in (part, part.upper()):
                if written in text:
                    text = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", "[name]", text)
        # What follows a first name on its way to a comma or a line's end is the last name.
        return _SURNAME.sub("[name]", text) if "[name]" in text else text

    def _number(self, match: re.Match[str]) -> str:
        """What becomes of seven digits and more."""
        number = match.group(0)
        before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
        digits = _SEPARATORS.sub("", number)
        if number.startswith(("+", "00")) or _PHONE_WORD.search(before):
            return "[phone]"
        if _BORN.search(before):
            return "[date]"
        if _NOBODYS.fullmatch(number) or _NUMBER_WORD.search(before) or _MONEY_AFTER.match(match.string, match.end()):
            return number
        return "[phone]" if _is_phone(number, digits, self._regions) else "[number]"


def link(address: str) -> str:
    """An address without who signs in, and without secrets and e-mail addresses in its path."""
    return _PATHS.text(address)


# In a path a number is an article's or a record's, and nobody's phone.
_PATHS = Masker(numbers=lambda match: match.group(0))


def _is_phone(number: str, digits: str, regions: Sequence[str]) -> bool:
    if not _MIN_PHONE_DIGITS <= len(digits) <= _MAX_PHONE_DIGITS:
        return False
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
