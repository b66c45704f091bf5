"""Times as people and their programs write them into tables."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

from evals.tickets.draft import instant

# Which of two numbers before a year is the day.
Order = Literal["dmy", "mdy"]

WANTED = "2026-07-31 18:05 (also 2026-07-31T18:05:00Z, 31.07.2026 18:05, 07/31/2026 6:05 PM, 31 Jul 2026 18:05)"
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: n for n, name in enumerate(_NAMES, 1)}
_CLOCK = r"(?:[ T,]+(?:at )?(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([ap]\.?m\.?)?)?"
_TIME = rf"{_CLOCK}\s*(?:(?:z|utc|gmt)?([+-]\d\d):?(\d\d)?|z|utc|gmt)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}", re.I)
_NUMBERS = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.I)
_DAY_NAMED = re.compile(rf"(\d{{1,2}})[ -]([a-z]{{3}})[a-z]*\.?[ -](\d{{4}}){_TIME}", re.I)
_MONTH_NAMED = re.compile(rf"([a-z]{{3}})[a-z]*\.? (\d{{1,2}}),? (\d{{4}}){_TIME}", re.I)
_SECONDS = re.compile(r"\d{10}|\d{13}")


def order_of(texts: Iterable[str]) -> Order | None:
    """Which number is the day in dates such as 07/31/2026, by those of them that leave no choice.

    None where there are none; where all may be read both ways, or one can be read this way and another that way only,
    there is no telling.

    Raises:
        ValueError: there is no telling.
    """
    found = [(int(each.group(1)), int(each.group(3))) for text in texts if (each := _slashed(text)) is not None]
    day_first, month_first = any(one > 12 for one, _ in found), any(other > 12 for _, other in found)
    if day_first != month_first:
        return "dmy" if day_first else "mdy"
    if found and any(one != other for one, other in found):
        raise ValueError("whether the day or the month comes first")
    return "dmy" if found else None


def _slashed(text: str) -> re.Match[str] | None:
    found = _NUMBERS.fullmatch(text.strip())
    return found if found is not None and found.group(2) != "." else None


def read_time(text: str, order: Order | None) -> datetime | None:
    """The moment a cell says, taken for UTC where it names no zone; None for an empty one.

    Raises:
        ValueError: it says none; the message names what is wanted and quotes nothing.
    """
    text = text.strip()
    if not text:
        return None
    try:
        if _SECONDS.fullmatch(text):
            return instant(int(text))
        if found := _YEAR_FIRST.fullmatch(text):
            return _moment(found, found.group(1), found.group(2), found.group(3), 3)
        if found := _NUMBERS.fullmatch(text):
            one, other = found.group(1), found.group(3)
            # With points it is always the day that comes first.
            day, month = (other, one) if found.group(2) != "." and order == "mdy" else (one, other)
            return _moment(found, found.group(4), month, day, 4)
        if found := _DAY_NAMED.fullmatch(text):
            return _moment(found, found.group(3), _MONTHS[found.group(2).lower()], found.group(1), 3)
        if found := _MONTH_NAMED.fullmatch(text):
            return _moment(found, found.group(3), _MONTHS[found.group(1).lower()], found.group(2), 3)
        return instant(text)
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"a time that can't be read, wanted is {WANTED}") from None


def _moment(found: re.Match[str], year: str, month: str | int, day: str, before: int) -> datetime:
    """The moment of a match whose groups after the first `before` are those of `_TIME`."""
    hour, minute, second, half, zone_hours, zone_minutes = found.groups()[before:]
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError
        hours = hours % 12 + (12 if half.lower().startswith("p") else 0)
    offset = timedelta(hours=int(zone_hours or 0))
    minutes = timedelta(minutes=int(zone_minutes or 0))
    zone = timezone(offset - minutes if zone_hours and zone_hours.startswith("-") else offset + minutes)
    at = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=zone)
    return at.astimezone(UTC)
