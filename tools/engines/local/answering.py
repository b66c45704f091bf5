"""An answer put together from what the articles say, word for word."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from agent.dialogue import reports_trouble
from agent.phrases import Phrase, language_name, phrase
from agent.ports import AnswerBrief
from agent.types import Author, Kind, Language, Message, Passage, Sentence, ToolCall
from tools.engines.local.choosing import Reading, Wanted, choose, merged
from tools.engines.local.facts import escape, told
from tools.engines.local.pieces import Piece, cut

_MOST_WORDS = 110
_WORDS_BEHIND_FACTS = 60
_WORDS_OF_A_GLIMPSE = 40
_MIN_SCORE = 0.3
_NEAR_TOP = 0.3
_OWN_LANGUAGE_LEAD = 0.2
_GOOD_SCORE = 0.55
_UNREADABLE_BELOW = 0.4
_MOST_PASSAGES = 3
_PRAISE = 0.5
_SECOND_QUESTION_FIT = 0.5

_COURTESIES = {
    "greeting": Phrase.GREETING,
    "thanks": Phrase.YOURE_WELCOME,
    "goodbye": Phrase.GOODBYE,
    "who": Phrase.WHO_I_AM,
    "acknowledgement": Phrase.ACKNOWLEDGED,
}


@dataclass(frozen=True, slots=True)
class Understood:
    """What the engine made of the question: the lookup that it asks for, if any, and which courtesy it would be."""

    lookup: str | None
    courtesy: str
    wanted: Wanted


async def compose(brief: AnswerBrief, understood: Understood) -> AsyncGenerator[Sentence | ToolCall, None]:
    """Yield the answer: a courtesy, or looked-up facts of the account, then the articles' own words."""
    language = brief.understanding.language
    if brief.courtesy and understood.lookup is None:
        yield Sentence(phrase(_courtesy(brief, understood), language), claim=False)
        return
    facts = [fact for result in brief.tool_results for fact in told(result, language)]
    if understood.lookup is not None and understood.lookup in brief.tool_names:
        if brief.account is None:
            yield Sentence(phrase(Phrase.SIGN_IN_NEEDED, language), claim=False)
        elif not any(result.tool == understood.lookup for result in brief.tool_results):
            yield ToolCall("1:0", understood.lookup, {})
            return
    for fact in facts:
        yield fact
    quoted = False
    async for sentence in _from_articles(brief, understood, with_facts=bool(facts)):
        quoted = quoted or sentence.claim
        yield sentence
    if (quoted or facts) and not reports_trouble(brief.understanding):
        yield Sentence(phrase(Phrase.ANSWER_OFFER, language), claim=False)


def _courtesy(brief: AnswerBrief, understood: Understood) -> Phrase:
    heard = brief.understanding
    if heard.kind is Kind.ABUSE:
        return Phrase.REFUSAL
    if heard.says_solved >= 0.5 and heard.sentiment >= 0:
        return Phrase.YOURE_WELCOME
    if not any(char.isalnum() for char in brief.question.render_plain()) and heard.sentiment > 0:
        return Phrase.YOURE_WELCOME
    if heard.sentiment >= _PRAISE and understood.courtesy not in _COURTESIES:
        return Phrase.YOURE_WELCOME
    if heard.kind_confidence < _UNREADABLE_BELOW:
        return Phrase.NOT_UNDERSTOOD
    return _COURTESIES.get(understood.courtesy, Phrase.GREETING)


async def _from_articles(brief: AnswerBrief, understood: Understood, *, with_facts: bool) -> AsyncIterator[Sentence]:
    """Quote the best article; of two questions in one message each gets its own."""
    language = brief.understanding.language
    best = _best(brief.passages, language)
    if best is None or (with_facts and best.score < _GOOD_SCORE):
        return
    # A glimpse is of one place: sentences from here and there say nothing of what the article is about.
    articles = [[best] if brief.glimpse else _of_article(brief.passages, best)]
    second = _second(brief.passages, best, understood.wanted) if not brief.glimpse else None
    if second is not None:
        articles.append(_of_article(brief.passages, second))
    lead = _lead(brief, best)
    if lead is not None and not with_facts:
        yield Sentence(lead, claim=False)
    if best.language != language:
        named = language_name(best.language, language)
        yield Sentence(phrase(Phrase.OTHER_LANGUAGE, language, of=escape(named)), claim=False)
    room = _WORDS_OF_A_GLIMPSE if brief.glimpse else _WORDS_BEHIND_FACTS if with_facts else _MOST_WORDS
    budget = room // len(articles)
    just_told = "" if brief.glimpse else _just_told(brief.history)
    for passages in articles:
        pieces = [piece for passage in passages for piece in cut(passage)]
        for group in merged(await choose(pieces, understood.wanted, words=budget, told=just_told)):
            yield Sentence(_text(group), cites=(group[0].passage.passage_id,))


def _just_told(history: Sequence[Message]) -> str:
    """What the customer has read of us last, in one line."""
    ours = next((message for message in reversed(history) if message.author is Author.BOT), None)
    return " ".join(ours.text.render_plain().split()) if ours is not None else ""


def _text(group: Sequence[Piece]) -> str:
    """The article's own text from the first piece to the last."""
    first, last = group[0], group[-1]
    return first.passage.text.render_plain()[first.start : last.end].strip("\n")


def _best(passages: Sequence[Passage], language: Language) -> Passage | None:
    """The best passage, or one nearly as good in the customer's language; None when none is any good."""
    if not passages:
        return None
    top = max(passages, key=lambda passage: (passage.score, -passage.rank))
    if top.score < _MIN_SCORE:
        return None
    own = [p for p in passages if p.language == language and p.score >= top.score - _OWN_LANGUAGE_LEAD]
    return max(own, key=lambda passage: (passage.score, -passage.rank), default=top)


def _of_article(passages: Sequence[Passage], best: Passage) -> list[Passage]:
    """The article's passages near its best, and those of no other: two articles together may contradict."""
    near = [p for p in passages if p.article_id == best.article_id and p.score >= best.score - _NEAR_TOP]
    nearest = sorted(near, key=lambda passage: passage.rank)[:_MOST_PASSAGES]
    return sorted(nearest, key=lambda passage: passage.position)


def _second(passages: Sequence[Passage], best: Passage, wanted: Wanted) -> Passage | None:
    """The passage that answers the other of two questions, when another article clearly does."""
    if len(wanted.parts) < 2:
        return None
    for part in wanted.parts:
        scored = [(_fit(passage, part, wanted), passage) for passage in passages]
        own = max((fit for fit, passage in scored if passage.article_id == best.article_id), default=0.0)
        fit, passage = max(scored, key=lambda entry: (entry[0], entry[1].score))
        if passage.article_id != best.article_id and fit >= _SECOND_QUESTION_FIT and fit > own + 0.15:
            return passage
    return None


def _fit(passage: Passage, part: Reading, wanted: Wanted) -> float:
    title = wanted.titles.get(passage.article_id)
    near = float(title @ part.vector) if title is not None and part.vector is not None else 0.0
    return max(near, part.shared(f"{passage.title} {passage.section} {passage.text.render_plain()}"))


def _lead(brief: AnswerBrief, best: Passage) -> str | None:
    """Where the customer is, when that has to do with the answer. The page map's own name only, and escaped."""
    page, language = brief.page, brief.understanding.language
    if not page.known or not page.page_name:
        return None
    if best.article_id in page.article_ids:
        return phrase(Phrase.ON_PAGE, language, page=escape(page.page_name))
    if page.area is not None and page.area == best.area:
        return phrase(Phrase.NEAR_PAGE, language, page=escape(page.page_name))
    return None
