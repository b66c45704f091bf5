"""Whether the facts of a lookup say what a sentence says.

A lookup's facts are few and exact, so this is a rule and no estimate: the sentence may use the words in which we state
these facts, their values and a few neighbours, and nothing else; numbers must stand where they belong.
"""

import re
from datetime import date

from agent.phrases import day_name
from agent.types import LANGUAGES, ToolResult
from tools.engines.local.facts import as_sources
from tools.engines.local.support.wording import Sort, Worded, worded

STATED = 0.9
NOT_STATED = 0.05
# Other words for the same facts, in the three languages.
_NEIGHBOURS = {
    "account_status": """
        account subscription workspace team company organisation organization plan tier currently current now today
        status billing payment renew renews renewal renewing next automatically date seat seats licence license
        licences licenses used use using taken occupied total altogether have
        konto abo abonnement tarif arbeitsbereich derzeit aktuell momentan status zahlung zahlungsstatus verlängert
        verlängerung nächste datum platz plätze plätzen lizenzen belegt genutzt nutzen vergeben insgesamt
        cuenta suscripción plan espacio trabajo actualmente estado facturación pago renueva renovará renovación próxima
        fecha plaza plazas licencias uso usadas ocupadas total tiene""",
    "order_status": """
        order orders newest latest last recent number placed ordered status currently now expected arrive arrives
        arrival date carrier tracking items contains with by
        bestellung neueste letzte nummer bestellt status derzeit aktuell erwartet voraussichtlich ankunft termin
        versand sendungsnummer artikel
        pedido reciente último número estado actualmente previsto prevista llegada llegará fecha transportista
        seguimiento artículos""",
}
# Between the claims of one sentence these change nothing.
_HARMLESS = frozenset({"AND", "BUT", "ALSO", "BECAUSE"})
_IN_USE = re.compile(r"\b(?:use|used|taken|occupied|belegt|genutzt|vergeben|uso|usadas|ocupadas)\b", re.IGNORECASE)
_PART_OF = re.compile(r"\b(?:of which|of them|davon|de (?:las|los|ellas|ellos)(?: cuales)?)\b", re.IGNORECASE)
# A date is said with these words, and is no other one then.
_DATES = {
    "expected_on": re.compile(r"\b(?:expect|arriv|erwart|voraus|ankunft|previst|lleg)", re.IGNORECASE),
    "ordered_on": re.compile(r"\b(?:ordered|placed|bestellt|hizo|realiz)", re.IGNORECASE),
}
_ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def knows(result: ToolResult) -> bool:
    """Whether this lookup's facts can be compared by rule."""
    return result.ok and result.tool in _NEIGHBOURS


def stated(said: str, result: ToolResult) -> bool:
    """Whether every word and number of `said` is one of the lookup's, and each number is where it belongs."""
    sentence = worded(_with_days(said))
    if not sentence.content:
        return False
    if any(token.sort is Sort.MARK and token.text not in _HARMLESS for token in sentence.tokens):
        return False
    sources = [worded(_with_days(text)) for text in as_sources(result)]
    known = [token for source in sources for token in source.content]
    roots = {token.text for token in known if token.sort is not Sort.AMOUNT}
    roots |= {token.text for token in worded(_NEIGHBOURS[result.tool]).content}
    amounts = {form for token in known if token.sort is Sort.AMOUNT for form in token.forms}
    for token in sentence.content:
        if not (token.forms & amounts if token.sort is Sort.AMOUNT else token.text in roots):
            return False
    return _seats_fit(said, sentence, result.facts) and _dates_fit(said, sentence, result.facts)


def _seats_fit(said: str, sentence: Worded, facts: dict[str, str]) -> bool:
    used, total = facts.get("seats_used"), facts.get("seats")
    if used is None or total is None or used == total:
        return True
    at_used, at_total = _place(sentence, used), _place(sentence, total)
    if at_used is not None and at_total is not None:
        return at_used < at_total or bool(_PART_OF.search(said))
    of_use = bool(_IN_USE.search(said))
    return (at_used is None or of_use) and (at_total is None or not of_use)


def _dates_fit(said: str, sentence: Worded, facts: dict[str, str]) -> bool:
    days = {name: str(int(facts[name][8:10])) for name in _DATES if re.match(_ISO_DAY, facts.get(name, ""))}
    for name, day in days.items():
        others = [other for other in days.values() if other != day]
        another = _place(sentence, day) is None and any(_place(sentence, other) is not None for other in others)
        if another and _DATES[name].search(said):
            return False
    return True


def _place(sentence: Worded, number: str) -> int | None:
    amounts = [token.forms for token in sentence.content if token.sort is Sort.AMOUNT]
    return next((place for place, forms in enumerate(amounts) if f"n{number}" in forms), None)


def _with_days(text: str) -> str:
    """Dates in figures as people write them, in the languages that we speak."""

    def named(match: re.Match[str]) -> str:
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return match.group()
        return " ".join(day_name(day, language) for language in LANGUAGES)

    return _ISO_DAY.sub(named, text)
