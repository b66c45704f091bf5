"""What a message is: kind, category, language, mood, wishes, and the question behind it."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.types import (
    Author,
    Kind,
    Language,
    Message,
    PageContext,
    Route,
    Source,
    Understanding,
    Untrusted,
)
from tools.engines.local.codes import names_code
from tools.engines.local.ears.classify import Scored, likeliest
from tools.engines.local.ears.features import Vectors, mood_of_emoji
from tools.engines.local.ears.training import Ears, Row
from tools.engines.local.gloss import Glossary
from tools.engines.local.kinds import (
    CLEAR_COURTESY,
    IDLE_KINDS,
    NO_COURTESY,
    SURE_ALONE,
    SURE_COURTESY,
    UNFRIENDLY,
    about_something,
    clearly_idle,
    fault_in,
    heard_kind,
    is_courtesy,
    is_no_courtesy,
    next_best,
    of_follow_up,
)
from tools.engines.local.questions import asks_by_itself, is_follow_up, is_gibberish, standalone, subject_of
from tools.engines.local.telling import sentences_of
from tools.engines.local.temper import Said, dissatisfaction
from tools.engines.local.tongue import Spoken, Tongue, is_latin
from tools.engines.local.trouble import is_unspecific
from tools.engines.local.vectors import VectorMemory
from tools.learned.classifier import LearnedClassifier
from tools.learned.model import LearnedModel
from tools.learned.texts import TicketText

UNREADABLE = 0.3
"""Kind confidence of a message that says nothing we can read; below 0.4 the answer asks for other words."""

OTHER = "other"
_CHEERFUL = 0.6
_QUESTION_LIMIT = 2000
_HEARD_CHARS = 4000
_EARLIER = 5
_PREPARED = 256
_REMEMBERED = 40
_MOST_PARTS = 6
_SHORT_CHARS = 400
# To refuse somebody who meant well is worse than to answer a rude message.
_SURE_OF_ABUSE = 0.6
_SURELY_SOLVED = 0.6
_PARTING = ("thanks", "goodbye")
_PRAISE = 0.75
_NO_KNOWN_COURTESY = 0.79
_TROUBLE = 0.6
_STRONGEST_MOOD = 2.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """Everything trained, and what it listens with; `learned` is what the team's own tickets taught.

    `beside` reads other languages than English themselves, where `vectors` reads their gist in English.
    """

    ears: Ears
    tongue: Tongue
    glossary: Glossary
    vectors: VectorMemory
    beside: VectorMemory
    learned: LearnedModel | None = None
    prepared: OrderedDict[bytes, Row] = field(default_factory=OrderedDict)

    def taught(self, model: LearnedModel | None) -> "Hearing":
        """Return one that goes by this learnt model as well."""
        return replace(self, learned=model)

    async def informed(self, scored: Scored, classifier: LearnedClassifier | None, text: str) -> Scored:
        """Weigh what the shipped examples say of a message against what the team's own tickets say of it."""
        if classifier is None or not text.strip():
            return scored
        ticket = TicketText.of(text)
        meanings: list[Vectors] = []
        if self.learned is not None and self.learned.embedder:
            meaning = await self.vectors.embed([ticket.first_line, ticket.gist])
            if meaning is None:
                return scored  # It learnt from meanings as well, and there are none now.
            meanings = [meaning[:1], meaning[1:]]
        (probabilities,) = classifier([ticket], meanings)
        share = classifier.trust
        mixed = {label: (1 - share) * p for label, p in scored.probabilities.items()}
        for label, p in zip(classifier.labels, probabilities, strict=True):
            mixed[label] = mixed.get(label, 0.0) + share * float(p)
        return likeliest(mixed)

    async def rows(self, texts: Sequence[str], language: str) -> list[Row]:
        """Prepare texts, all of one language, for the classifiers; the same text of a turn is prepared once."""
        said = [text[:_HEARD_CHARS] for text in texts]
        keys = [_key(text, language) for text in said]
        there = {key: self.prepared[key] for key in keys if key in self.prepared}
        missing = {key: text for key, text in zip(keys, said, strict=True) if key not in there}
        if missing:
            english = [self.glossary.gloss(text, language) for text in missing.values()]
            vectors = await self.vectors.embed(english)
            beside = await self.beside.embed(list(missing.values())) if language != "en" else None
            fresh = dict(zip(missing, self.ears.rows(english, vectors, beside), strict=True))
            there |= fresh
            if vectors is not None:  # What is prepared while the embedder is away isn't to last.
                self.prepared.update(fresh)
        while len(self.prepared) > _PREPARED:
            self.prepared.popitem(last=False)
        return [there[key] for key in keys]


async def understand(
    hearing: Hearing, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
) -> Understanding:
    """Read the newest messages in the light of the conversation; a burst is one message."""
    newest = "\n".join(text.render_plain().strip() for text in texts).strip()
    earlier = [m.text.render_plain() for m in history if m.author is Author.CUSTOMER][-_EARLIER:]
    spoken = hearing.tongue.identify(newest, earlier=earlier, hint=_words_of_page(page), interface=page.language)
    if not any(char.isalnum() for char in newest) or is_gibberish(newest):
        return _unreadable(newest, spoken)
    ears = hearing.ears
    sentences = sentences_of(newest)[:_MOST_PARTS]
    # One sentence in a long message may ask for a person, or say that the account was broken into.
    alone_too = sentences if len(sentences) > 1 else []
    own, *others = await hearing.rows([newest, *earlier, *alone_too], spoken.language)
    before, parts = others[: len(earlier)], others[len(earlier) :]
    alone = heard_kind(ears, own)
    feedback = ears.hear("feedback", own) if _answered_before(history) else None
    # The first message has nothing to hang on.
    idle = [
        _is_idle(ears, row) or (place > 0 and _hangs(ears, text, row, spoken.language))
        for place, (text, row) in enumerate(zip(earlier, before, strict=True))
    ]
    in_trouble = is_unspecific(newest, spoken.language)
    pointing_back = ears.hear("follow_up", own).of("yes")
    subject = _subject(newest, alone, pointing_back, spoken.language, subject_of(earlier, idle), history)
    follows = subject is not None
    question = standalone(newest, subject)
    of_subject = [row for text, row in zip(earlier, before, strict=True) if text == subject]
    whole = (await hearing.rows([question], spoken.language))[0] if follows else own
    kind = of_follow_up(alone, heard_kind(ears, whole)) if follows else alone
    mood = _mood(newest, ears.hear("sentiment", own))
    courtesy = ears.hear("courtesy", own)
    asks = newest.endswith("?")
    solved = feedback.of("solved") if feedback is not None else 0.0
    code = names_code(newest) and solved < 0.5 and courtesy.label not in _PARTING
    if in_trouble or code or is_no_courtesy(kind, courtesy, mood, newest, follows=follows):
        kind = about_something(alone, heard_kind(ears, whole))
    elif (kind.label == Kind.SMALL_TALK or kind.confidence < SURE_ALONE) and is_courtesy(courtesy, mood, asks=asks):
        sure = max(courtesy.confidence if courtesy.label != NO_COURTESY else 0.0, kind.of(Kind.SMALL_TALK), _PRAISE)
        kind = Scored(Kind.SMALL_TALK.value, sure, kind.probabilities)
    unsure = kind.confidence < SURE_ALONE or (kind.label == Kind.COMPLAINT and mood > UNFRIENDLY)
    if solved >= _SURELY_SOLVED and unsure and not asks:
        # "Great, that fixed E42" sounds like anything, and is thanks.
        kind = Scored(Kind.SMALL_TALK.value, solved, kind.probabilities)
    if in_trouble and not follows:
        kind = Scored(Kind.BUG.value, _TROUBLE, kind.probabilities)
    asked = question if follows else newest
    if hearing.learned is not None and not clearly_idle(kind, hearing.learned.kind):
        kind = await hearing.informed(kind, hearing.learned.kind, asked)
    if kind.label == Kind.ABUSE and kind.confidence < _SURE_OF_ABUSE:
        kind = next_best(kind)
    unsolved = feedback.of("unsolved") if feedback else 0.0
    if kind.label in (Kind.SMALL_TALK, Kind.ABUSE) and kind.confidence >= SURE_COURTESY and unsolved < 0.5:
        # "Bye" hangs on nothing, and which courtesy it is stands in it alone.
        question = newest
    if kind.label == Kind.SMALL_TALK and (courtesy.label == NO_COURTESY or courtesy.confidence < CLEAR_COURTESY):
        # "DATEV" sounds like nothing else, and like no courtesy that there is: articles may know it.
        kind = Scored(kind.label, min(kind.confidence, _NO_KNOWN_COURTESY), kind.probabilities)
    if not is_latin(newest):
        # Letters that we can't read: no small talk, no answer either. Little evidence leads to an honest question.
        kind = Scored(Kind.HOW_TO.value, UNREADABLE, {})
    category = ears.hear("category", whole)
    if hearing.learned is not None:
        category = await hearing.informed(category, hearing.learned.category, asked)
    dangerous = _most(ears, [own, *parts])
    if follows and solved < _SURELY_SOLVED:
        dangerous = _danger(ears, [own, *parts], whole, of_subject)
    moods = [_mood(text, ears.hear("sentiment", row)) for text, row in zip(earlier, before, strict=True)][-3:]
    return Understanding(
        kind=Kind(kind.label),
        kind_confidence=round(kind.confidence, 4),
        category=category.label,
        category_confidence=round(category.confidence, 4),
        language=spoken.language,
        language_confidence=round(spoken.confidence, 4),
        sentiment=round(mood, 4),
        sentiment_trend=round(mood - sum(moods) / len(moods), 4) if moods else 0.0,
        question=Untrusted.of(question, Source.CUSTOMER, limit=_QUESTION_LIMIT),
        wish_for_person=round(max(_wish(ears, row) for row in (own, *parts)), 4),
        risk=round(dangerous, 4),
        is_follow_up=follows,
        says_unsolved=round(unsolved, 4),
        says_solved=round(solved, 4),
        dissatisfied=round(_dissatisfaction(hearing, newest, history, spoken), 4),
        unspecific=in_trouble and not follows,
        fault=round(fault_in(ears, whole), 4),
    )


def _key(text: str, language: str) -> bytes:
    return hashlib.blake2b(f"{language}:{text}".encode(errors="replace"), digest_size=16).digest()


def _dissatisfaction(hearing: Hearing, newest: str, history: tuple[Message, ...], spoken: Spoken) -> float:
    said = [(m.text.render_plain(), m.author is Author.CUSTOMER) for m in history[-_REMEMBERED:]]
    return dissatisfaction(
        [
            Said(hearing.glossary.gloss(text[:_HEARD_CHARS], spoken.language), by_customer)
            for text, by_customer in [*said, (newest, True)]
        ]
    )


def _unreadable(newest: str, spoken: Spoken) -> Understanding:
    """Emoji, keyboard mashing, nothing at all: there is no question in it."""
    return Understanding(
        kind=Kind.SMALL_TALK,
        # A thumb up is a courtesy; what says nothing at all deserves an honest question.
        kind_confidence=_CHEERFUL if mood_of_emoji(newest) > 0 else UNREADABLE,
        category=OTHER,
        category_confidence=0.0,
        language=spoken.language,
        language_confidence=round(spoken.confidence, 4),
        sentiment=0.6 * mood_of_emoji(newest),
        sentiment_trend=0.0,
        question=Untrusted.of(newest, Source.CUSTOMER, limit=_QUESTION_LIMIT),
    )


def _is_idle(ears: Ears, row: Row) -> bool:
    kind = heard_kind(ears, row)
    if kind.label in IDLE_KINDS and kind.confidence >= 0.5:
        return True
    return ears.hear("feedback", row).of("other") < 0.5


def _hangs(ears: Ears, text: str, row: Row, language: Language) -> bool:
    return ears.hear("follow_up", row).of("yes") >= 0.5 and not asks_by_itself(text, language)


def _danger(ears: Ears, now: Sequence[Row], whole: Row, of_subject: Sequence[Row]) -> float:
    """Danger that was named before counts while the conversation is still about it.

    Two harmless sentences, one behind the other, may sound like a dangerous one: together they count for half.
    """
    apart = _most(ears, [*now, *of_subject])
    return max(apart, (apart + _most(ears, [whole])) / 2)


def _most(ears: Ears, rows: Sequence[Row]) -> float:
    return max(ears.hear("risk", row).of("yes") for row in rows)


def _wish(ears: Ears, row: Row) -> float:
    """Two opinions: the one trained on wishes alone, and the kind's. "Agent" is a wish, "the agent role" is not."""
    return 0.75 * ears.hear("wish", row).of("yes") + 0.25 * ears.hear("kind", row).of(Kind.WANTS_PERSON)


def _mood(text: str, scored: Scored) -> float:
    """The expected mood in [-1, 1]: the mean of the grades by their probability."""
    said = sum(float(grade) * p for grade, p in scored.probabilities.items()) / _STRONGEST_MOOD
    return max(-1.0, min(1.0, said + 0.3 * mood_of_emoji(text)))


def _subject(
    newest: str,
    alone: Scored,
    pointing_back: float,
    language: Language,
    last_subject: str | None,
    history: Sequence[Message],
) -> str | None:
    """What the message hangs on; None when it stands alone."""
    asked = _bot_asked(history)
    last = next((m.text.render_plain() for m in reversed(history) if m.author is Author.CUSTOMER), "")
    if asked and is_unspecific(last, language) and _says_of_what(newest, alone, language):
        return last
    if last_subject is None:
        return None
    hangs = is_unspecific(newest, language) or is_follow_up(
        newest, pointing_back, alone, language=language, asked_by_bot=asked
    )
    return last_subject if hangs else None


def _says_of_what(newest: str, alone: Scored, language: Language) -> bool:
    """Whether a message says what the trouble before it is about: no courtesy, and no question of its own."""
    idle = alone.label in IDLE_KINDS and alone.confidence >= SURE_COURTESY
    return not idle and len(newest) <= _SHORT_CHARS and not asks_by_itself(newest, language)


def _answered_before(history: Sequence[Message]) -> bool:
    return any(message.author is not Author.CUSTOMER for message in history)


def _bot_asked(history: Sequence[Message]) -> bool:
    """Whether the bot spoke last, and asked."""
    for message in reversed(history):
        if message.author is Author.CUSTOMER:
            continue
        return message.author is Author.BOT and message.route in (Route.CLARIFY, Route.BUG_REPORT)
    return False


def _words_of_page(page: PageContext) -> str:
    """The page's own words, which are in the language that the customer reads."""
    labels = [element.label.render_plain() for element in page.elements[:20]]
    return " ".join([page.title.render_plain() if page.title else "", *labels]).strip()
