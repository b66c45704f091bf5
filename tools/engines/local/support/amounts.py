"""Numbers with their units, however they are written: "half an hour" and "30 minutes" are one amount."""

import re

from tools.engines.local.words import stem

_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
    "hundred": 100, "thousand": 1000,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "elf": 11, "zwölf": 12, "fünfzehn": 15, "zwanzig": 20, "dreißig": 30, "fünfzig": 50, "hundert": 100,
    "tausend": 1000, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "quince": 15, "veinte": 20, "treinta": 30, "cincuenta": 50, "cien": 100,
    "mil": 1000,
}  # fmt: skip
_FIXED = (
    (r"\ban hour and a half\b|\bone and a half hours\b|\banderthalb stunden\b|\bhora y media\b", "90 minutes"),
    (r"\b(?:a |three[ -])quarters? of an hour\b", "15 minutes"),
    (r"\bhalf an hour\b|\bhalf-hour\b|\bhalbe\w? stunde\b|\bmedia hora\b", "30 minutes"),
    (r"\bquarter of an hour\b|\bviertelstunde\b|\bcuarto de hora\b", "15 minutes"),
    (r"\bhalf a minute\b", "30 seconds"),
    (r"\bhalf a year\b|\bhalbes jahr\b|\bmedio año\b", "6 months"),
    (r"\b(?:a )?fortnight\b", "14 days"),
    (r"\btwice\b|\bzweimal\b", "2 times"),
    (r"\b(?:per ?cent|prozent|por ciento)\b", "%"),
    (r"\bmidnight\b|\bmitternacht\b|\bmedianoche\b", "0:00"),
)  # fmt: skip
# In minutes; a month has 30 days and a year twelve months.
_MINUTES = {
    "second": 1 / 60, "seconds": 1 / 60, "sekunde": 1 / 60, "sekunden": 1 / 60, "segundo": 1 / 60, "segundos": 1 / 60,
    "minute": 1, "minutes": 1, "min": 1, "minuten": 1, "minuto": 1, "minutos": 1,
    "hour": 60, "hours": 60, "stunde": 60, "stunden": 60, "hora": 60, "horas": 60,
    "day": 1440, "days": 1440, "tag": 1440, "tage": 1440, "tagen": 1440, "día": 1440, "días": 1440,
    "week": 10080, "weeks": 10080, "woche": 10080, "wochen": 10080, "semana": 10080, "semanas": 10080,
    "month": 43200, "months": 43200, "monat": 43200, "monate": 43200, "monaten": 43200, "monats": 43200,
    "mes": 43200, "meses": 43200,
    "year": 518400, "years": 518400, "jahr": 518400, "jahre": 518400, "jahren": 518400, "año": 518400, "años": 518400,
}  # fmt: skip
_A_DAYS = {365: 360}
_ONE = r"(an?|one|per|each|eine[rmns]?|un|una|einmal im|im|pro|por|al)"
_EACH = frozenset({"per", "each", "einmal im", "im", "pro", "por", "al"})
# "3,000 minutes a month": what follows a number this closely is what the number is counted by.
_COUNTED_BY = 16
_UNIT = "|".join(sorted(_MINUTES, key=len, reverse=True))
_WORKING = r"(?:(?:working|business|calendar|full|more|other) )?"
_NUMBER = r"\d+(?:[.,]\d+)*"
_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d\d))?\s*(?:(a\.?m|p\.?m)\b\.?|(uhr)\b)|\b(\d{1,2}):(\d\d)\b", re.IGNORECASE)
_SINGLE = re.compile(rf"\b{_ONE}[ -]({_UNIT})\b", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"(?P<money>[$€£])?(?<![\w.])(?P<number>{_NUMBER})(?:[ -]?(?P<sign>%|°c?|[€$£]|[kmgt]b\b|[kg]?hz\b|p\b|k\b))?"
    rf"(?:[ -](?P<working>{_WORKING})(?P<unit>{_UNIT})\b)?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"^\s*(?:to|and|or|bis|und|oder|a|y|o|-|–)\s*$", re.IGNORECASE)
_WORD = re.compile(rf"\b({'|'.join(word for word in _WORDS if word != 'once')})\b", re.IGNORECASE)


def is_number(word: str) -> bool:
    """Whether a word, lower case, has a digit or is one of the numbers that are known by name."""
    return word in _WORDS or any(char.isdigit() for char in word)


def amounts(text: str) -> tuple[str, list[frozenset[str]]]:
    """Return `text` with every amount as `=place=`, and for each place what the amount may be matched by."""
    for pattern, put in _FIXED:
        text = re.sub(pattern, put, text, flags=re.IGNORECASE)
    text = _WORD.sub(lambda match: str(_WORDS[match.group(1).lower()]), text)
    text = re.sub(r"(?<=\d)[.,\s](?=\d{3}(?!\d))", "", text)
    found: list[frozenset[str]] = []

    def take(forms: set[str]) -> str:
        found.append(frozenset(forms))
        return f" ={len(found) - 1}= "

    text = _CLOCK.sub(lambda match: take({_clock(match)}), text)
    text = _SINGLE.sub(lambda match: take(_single(match)), text)
    # Places that are taken already look like numbers.
    matches = [match for match in _AMOUNT.finditer(text) if text[match.start() - 1 : match.start()] != "="]
    out, at, last_unit = [], 0, None
    for place, match in enumerate(matches):
        unit = match["unit"]
        following = matches[place + 1] if place + 1 < len(matches) else None
        # "3 to 5 days": the unit belongs to both.
        bare = unit is None and match["sign"] is None
        if bare and following is not None and _RANGE.match(text[match.end() : following.start()]):
            unit = following["unit"]
        out.append(text[at : match.start()])
        forms = _forms(match, unit)
        if unit is not None:
            last_unit = unit
        elif last_unit is not None and not match["sign"] and not match["money"]:
            # "Crew has 400 minutes, Foundry has 15,000."
            forms |= _forms(match, last_unit)
        out.append(take(forms))
        at = match.end()
    return "".join(out) + text[at:], found


def _forms(match: re.Match[str], unit: str | None) -> set[str]:
    number = match["number"].replace(",", ".").strip(".")
    value = float(number) if number.count(".") <= 1 else None
    if unit is not None and value is not None:
        return {_time(value, unit)}
    sign = (match["sign"] or match["money"] or "").lower()
    bare = f"{value:g}" if value is not None else number
    return {f"n{bare}{sign}", f"n{bare}"} if sign in "€$£%" else {f"n{bare}{sign}"}


def _single(match: re.Match[str]) -> set[str]:
    forms = {_time(1, match.group(2)), stem(match.group(2).lower())}
    before = match.string[max(0, match.start() - _COUNTED_BY) : match.start()]
    counts = match.group(1).lower() in _EACH or any(char.isdigit() or char == "=" for char in before)
    return forms | {"per"} if counts else forms


def _time(value: float, unit: str) -> str:
    if value in _A_DAYS and _MINUTES[unit.lower()] == 1440:
        value = _A_DAYS[int(value)]
    return f"t{value * _MINUTES[unit.lower()]:g}"


def _clock(match: re.Match[str]) -> str:
    hour = int(match.group(1) or match.group(5))
    minute = int(match.group(2) or match.group(6) or 0)
    half = (match.group(3) or "").lower().replace(".", "")
    hour = hour % 12 + 12 if half == "pm" else hour % 12 if half == "am" else hour
    return f"c{hour}:{minute:02}"
